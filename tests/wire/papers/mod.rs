//! `hf_papers` against services on loopback: the requests that were recorded, what the model reads, the unhappy half.

mod calls;
mod reading;
pub mod services;
mod unhappy;

use std::time::Duration;

use ml_intern::agent::tool::{Tool, ToolError};
use ml_intern::clients::papers::{Manners, Papers};
use ml_intern::clients::service::Patience;
use ml_intern::clock::{Clock, Timestamp};
use ml_intern::protocol::ToolOutcome;
use ml_intern::random::Random;
use ml_intern::secret::Secret;
use ml_intern::tools::hub::papers::HfPapers;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use services::{Services, context};

pub const ARXIV_PAGE: &str = include_str!("pages/arxiv.html");
pub const AR5IV_PAGE: &str = include_str!("pages/ar5iv.html");

/// Services, and the tool that talks to them with little patience.
pub struct Desk {
    pub services: Services,
    pub clock: Clock,
    pub cancel: CancellationToken,
    tool: HfPapers,
}

impl Desk {
    pub async fn open() -> Self {
        Self::with_key(None).await
    }

    pub async fn with_key(key: Option<&str>) -> Self {
        let services = Services::start().await;
        let mut config = services.config();
        config.semantic_scholar_key = key.map(Secret::new);
        let clock = Clock::manual(Timestamp(0));
        let millis = Duration::from_millis;
        let patience = Patience { tries: 3, first: millis(5), longest: millis(80) };
        let manners = Manners {
            pages: patience,
            scholar: patience,
            aside: Patience { tries: 1, ..patience },
            page_spacing: Duration::ZERO,
            scholar_spacing: millis(2),
        };
        let papers = Papers::new(&config, manners, &clock, &Random::seeded(1)).unwrap();
        let secrets = vec![Secret::new("s3cret-value-of-ours")];
        Self {
            services,
            clock,
            cancel: CancellationToken::new(),
            tool: HfPapers::new(papers, 20_000, secrets),
        }
    }

    pub async fn call(&self, arguments: Value) -> Result<ToolOutcome, ToolError> {
        self.tool.call(arguments, context(&self.cancel)).await
    }

    pub async fn told(&self, arguments: Value) -> String {
        let outcome = self.call(arguments).await.unwrap();
        // Addresses of loopback change from run to run.
        let text = outcome.output.replace(&format!("{}/hub", self.services.url), "https://hub");
        format!("{}\n{text}", if outcome.success { "[success]" } else { "[failure]" })
    }
}
