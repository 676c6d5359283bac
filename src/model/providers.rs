//! The real model: every provider behind its ids.
//!
//! Owns [`Providers`]: one call, with its time-outs and its cancellation. Never waits and tries again;
//! that is [`super::Retrying`]. Start at [`Providers::new`].

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use genai::chat::{ChatMessage, ChatRequest};
use genai::{Client, ClientBuilder};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config::{ModelConfig, PriceConfig};
use crate::protocol::Usage;

use super::adapter::{chat_options, chat_request, ping_options, says_exactly, service_target};
use super::answer::{read_stream, read_whole};
use super::catalogue::Catalogue;
use super::classify::{capital, classify};
use super::describe::describe;
use super::fault::{Fault, Phase};
use super::frames::CallFrames;
use super::provider::{Target, resolve};
use super::{Completion, Delivery, DeltaSink, Described, Facts, Model, ModelError, Repairable, Request};

/// How long a ping waits for an answer.
const PING_TIMEOUT: Duration = Duration::from_secs(15);

/// Every provider, behind the ids of their models. Holds no state of calls, only what catalogues said.
#[derive(Debug)]
pub struct Providers {
    config: ModelConfig,
    client: Client,
    clock: Clock,
    catalogue: Catalogue,
}

impl Providers {
    /// Providers as configured. `http` comes from `clients::http::client(None)`: time-outs are kept here.
    ///
    /// # Errors
    /// Only if the client cannot be put together.
    pub fn new(config: &ModelConfig, http: reqwest::Client, clock: Clock) -> anyhow::Result<Self> {
        let catalogue = Catalogue::new(http.clone(), clock.clone());
        let client = ClientBuilder::default().with_reqwest(http).build()?;
        Ok(Self { config: config.clone(), client, clock, catalogue })
    }

    /// The same with these prices, by model id, which win over what catalogues say.
    #[must_use]
    pub fn priced(mut self, prices: &BTreeMap<String, PriceConfig>) -> Self {
        self.catalogue.set_prices(prices);
        self
    }

    async fn call(
        &self,
        request: &Request,
        target: &Target,
        deltas: &dyn DeltaSink,
    ) -> Result<Completion, Fault> {
        let frames = Arc::new(CallFrames::default());
        let mut options = chat_options(request, target, &frames);
        let chat = chat_request(request, target);
        let at = service_target(target);
        match request.delivery {
            Delivery::Whole => {
                let answer = self.client.exec_chat(at, chat, Some(&options)).await;
                read_whole(answer, target.dialect, &request.items, &self.clock)
            }
            Delivery::Streamed => {
                options = options
                    .with_stream_header_timeout(Duration::from_secs(self.config.first_byte_timeout_s))
                    .with_stream_read_timeout(Duration::from_secs(self.config.idle_timeout_s));
                let opened = self.client.exec_chat_stream(at, chat, Some(&options)).await;
                let stream = opened.map_err(|error| Fault::read(&error, self.clock.now()))?.stream;
                read_stream(stream, &frames, &request.items, deltas, &self.clock).await
            }
        }
    }
}

#[async_trait]
impl Model for Providers {
    async fn answer(
        &self,
        request: &Request,
        deltas: &dyn DeltaSink,
        cancel: &CancellationToken,
    ) -> Result<Completion, ModelError> {
        let target = resolve(&self.config, &request.model)?;
        let total = Duration::from_secs(self.config.total_timeout_s);
        let call = tokio::time::timeout(total, self.call(request, &target, deltas));
        let outcome = tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(ModelError::Cancelled),
            outcome = call => outcome.unwrap_or(Err(Fault::Slow(Phase::Total))),
        };
        outcome.map_err(|fault| classify(&fault, &target))
    }

    fn check(&self, model: &str) -> Result<(), ModelError> {
        resolve(&self.config, model).map(|_| ())
    }

    async fn facts(&self, model: &str) -> Facts {
        self.catalogue.facts(model, resolve(&self.config, model).ok().as_ref()).await
    }

    async fn describe(&self, model: &str) -> Described {
        let facts = self.facts(model).await;
        match resolve(&self.config, model) {
            Ok(target) => describe(&target, self.catalogue.listing(&target).await.as_deref(), facts),
            Err(_) => Described { facts, ..Described::default() },
        }
    }

    async fn ping(
        &self,
        model: &str,
        effort: Option<&str>,
        cancel: &CancellationToken,
    ) -> Result<Usage, ModelError> {
        let target = resolve(&self.config, model)?;
        if let Some(level) = effort.filter(|level| !says_exactly(level, &target)) {
            return Err(ModelError::Repair {
                reason: format!("{} has no word for the effort `{level}`.", capital(target.home.label())),
                part: Repairable::Effort,
            });
        }
        let options = ping_options(effort, &target);
        let ping = ChatRequest::from(vec![ChatMessage::user("ping")]);
        let call = async {
            let answer = self.client.exec_chat(service_target(&target), ping, Some(&options)).await;
            read_whole(answer, target.dialect, &[], &self.clock)
        };
        let outcome = tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(ModelError::Cancelled),
            outcome = tokio::time::timeout(PING_TIMEOUT, call) => outcome.unwrap_or(Err(Fault::Slow(Phase::Total))),
        };
        outcome.map(|answer| answer.usage).map_err(|fault| classify(&fault, &target))
    }
}
