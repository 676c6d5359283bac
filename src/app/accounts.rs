//! What the tools of Hugging Face are made of, and the tokens that people have given.
//!
//! Never shows a token.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;

use crate::clients::docs::Docs;
use crate::clients::hub::Hub;
use crate::clock::Clock;
use crate::config::Config;
use crate::protocol::PersonId;
use crate::random::Random;
use crate::secret::Secret;
use crate::tools::hub::{Accounts, HubAccess, HubKit, RunBook};

/// Tokens that the operator set up.
pub(super) struct Configured(pub BTreeMap<String, Secret>);

#[async_trait]
impl Accounts for Configured {
    async fn token(&self, person: &PersonId) -> Option<Secret> {
        self.0.get(&person.0).cloned()
    }
}

/// What the tools of Hugging Face share.
pub(super) fn kit(
    config: &Config,
    data_dir: &Path,
    secrets: Vec<Secret>,
    (clock, random): (Clock, Random),
    runs: Arc<dyn RunBook>,
) -> anyhow::Result<HubKit> {
    let hub = Hub::new(&config.services.hf_endpoint, None)?
        .keeping(data_dir.join("cache").join("hub"))
        .with_random(random.clone());
    let accounts = Arc::new(Configured(config.hub.tokens.clone()));
    let bot = config.models.huggingface.api_key.clone();
    Ok(HubKit {
        access: HubAccess::new(hub, bot, accounts, config.hub.account),
        docs: Docs::new(&config.services)?,
        services: config.services.clone(),
        runs,
        config: config.hub.clone(),
        confirm_cpu_jobs: config.confirm_cpu_jobs,
        output_cap: config.tools.output_cap_chars,
        cache: data_dir.join("cache"),
        secrets,
        clock,
        random,
    })
}
