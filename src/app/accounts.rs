//! What the tools of Hugging Face are made of. Whose tokens there are is in [`super::tokens`].
//!
//! Never shows a token.

use std::path::Path;
use std::sync::Arc;

use super::tokens::{Known, PersonTokens};
use crate::clients::dataset_viewer::DatasetViewer;
use crate::clients::docs::Docs;
use crate::clients::hub::Hub;
use crate::clients::papers::{Manners, Papers};
use crate::clock::Clock;
use crate::config::{Config, ToolRuntime};
use crate::random::Random;
use crate::secret::Secret;
use crate::tools::hub::sandbox::Sandboxes;
use crate::tools::hub::{HubAccess, HubKit, RunBook};

/// What the tools of Hugging Face share, and people's tokens.
pub(super) fn kit(
    config: &Config,
    data_dir: &Path,
    secrets: Vec<Secret>,
    (clock, random): (Clock, Random),
    runs: Arc<dyn RunBook>,
) -> anyhow::Result<(HubKit, Known)> {
    let hub = Hub::new(&config.services.hf_endpoint, None)?
        .keeping(data_dir.join("cache").join("hub"))
        .with_random(random.clone());
    let tokens: Known = Arc::new(PersonTokens::new(config, data_dir, clock.clone())?);
    let bot = config.models.huggingface.api_key.clone();
    let access = HubAccess::new(hub, bot, tokens.clone(), config.hub.account);
    let sandboxes = (config.tool_runtime == ToolRuntime::Sandbox).then(|| {
        let folder = data_dir.join("sandboxes");
        let settings = (&config.services, &config.hub);
        Arc::new(Sandboxes::new(folder, access.clone(), settings, (clock.clone(), random.clone())))
    });
    let kit = HubKit {
        access,
        docs: Docs::new(&config.services)?,
        sandboxes,
        papers: Papers::new(&config.services, Manners::default(), &clock, &random)?,
        viewer: DatasetViewer::new(
            &config.services.dataset_viewer_url,
            DatasetViewer::usual_patience(),
            &clock,
            &random,
        )?,
        services: config.services.clone(),
        runs,
        config: config.hub.clone(),
        confirm_cpu_jobs: config.confirm_cpu_jobs,
        output_cap: config.tools.output_cap_chars,
        cache: data_dir.join("cache"),
        secrets,
        clock,
        random,
    };
    Ok((kit, tokens))
}
