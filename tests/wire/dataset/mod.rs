//! `hf_inspect_dataset` against a Hub and a dataset viewer on loopback: recorded requests, reports, the unhappy half.

mod reports;
mod unhappy;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ml_intern::agent::tool::{Tool, ToolError};
use ml_intern::clients::dataset_viewer::DatasetViewer;
use ml_intern::clients::hub::{Hub, Patience as HubPatience};
use ml_intern::clients::service::Patience;
use ml_intern::clock::{Clock, Timestamp};
use ml_intern::config::HubAccount;
use ml_intern::protocol::{PersonId, ToolOutcome};
use ml_intern::random::Random;
use ml_intern::secret::Secret;
use ml_intern::tools::hub::dataset::InspectDataset;
use ml_intern::tools::hub::{Accounts, HubAccess, Unreadable};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::papers::services::{Answer, Services, context};

pub const TOKEN: &str = "hf_testtoken";
pub const SHA: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

struct Given(Option<Secret>);

#[async_trait]
impl Accounts for Given {
    async fn token(&self, _: &PersonId) -> Result<Option<Secret>, Unreadable> {
        Ok(self.0.clone())
    }
}

/// Services, and the tool that asks them for a person with this token.
pub struct Desk {
    pub services: Services,
    pub cancel: CancellationToken,
    tool: InspectDataset,
}

impl Desk {
    pub async fn open() -> Self {
        Self::of(Some(TOKEN)).await
    }

    pub async fn of(token: Option<&str>) -> Self {
        let services = Services::start().await;
        let config = services.config();
        let millis = Duration::from_millis;
        let hub = Hub::new(&config.hf_endpoint, None).unwrap();
        let hub = hub.with_patience(HubPatience {
            tries: 2,
            base: millis(2),
            longest: millis(20),
            whole: Duration::from_secs(5),
        });
        let accounts = Arc::new(Given(token.map(Secret::new)));
        let access = HubAccess::new(hub, None, accounts, HubAccount::Person);
        let patience = Patience { tries: 2, first: millis(2), longest: millis(20) };
        let clock = Clock::manual(Timestamp(0));
        let viewer =
            DatasetViewer::new(&config.dataset_viewer_url, patience, &clock, &Random::seeded(1)).unwrap();
        Self {
            services,
            cancel: CancellationToken::new(),
            tool: InspectDataset::new(access, viewer, 20_000, Vec::new()),
        }
    }

    /// The Hub knows this dataset.
    pub fn hub_has(&self, name: &str, more: &Value) {
        let mut info = json!({
            "id": name, "sha": SHA, "private": false, "gated": false, "downloads": 1, "likes": 1,
            "lastModified": "2026-11-22T10:00:00.000Z", "cardData": {"license": "mit"}
        });
        for (key, value) in more.as_object().unwrap() {
            info[key] = value.clone();
        }
        self.services.says("hub", &format!("/api/datasets/{name}"), &info);
    }

    /// The viewer has one split, `default/train`, with these columns (name and feature) and rows.
    pub fn viewer_has(&self, columns: &[(&str, Value)], rows: &[Value]) {
        let part = json!({"dataset": "alice/data1", "config": "default", "split": "train"});
        let flags =
            json!({"viewer": true, "preview": true, "search": true, "filter": true, "statistics": true});
        self.services.says("viewer", "/is-valid", &flags);
        self.services.says("viewer", "/splits", &json!({"splits": [part], "pending": [], "failed": []}));
        self.services.says("viewer", "/parquet", &json!({"parquet_files": []}));
        let features: serde_json::Map<String, Value> =
            columns.iter().map(|(name, feature)| ((*name).to_owned(), feature.clone())).collect();
        self.services.says("viewer", "/info", &json!({"dataset_info": {"features": features}}));
        let features: Vec<Value> = columns
            .iter()
            .enumerate()
            .map(|(at, (name, feature))| json!({"feature_idx": at, "name": name, "type": feature}))
            .collect();
        let rows: Vec<Value> =
            rows.iter().enumerate().map(|(at, row)| json!({"row_idx": at, "row": row})).collect();
        self.services.says("viewer", "/first-rows", &json!({"features": features, "rows": rows}));
    }

    /// Every question to the viewer is answered so.
    pub fn viewer_refuses(&self, answer: &Answer) {
        for path in ["/is-valid", "/splits", "/parquet", "/size", "/info", "/first-rows", "/statistics"] {
            self.services.answers("viewer", path, [answer.clone()]);
        }
    }

    pub async fn call(&self, arguments: Value) -> Result<ToolOutcome, ToolError> {
        self.tool.call(arguments, context(&self.cancel)).await
    }

    pub async fn told(&self, arguments: Value) -> String {
        let outcome = self.call(arguments).await.unwrap();
        let text = outcome.output.replace(&format!("{}/hub", self.services.url), "https://hub");
        format!("{}\n{text}", if outcome.success { "[success]" } else { "[failure]" })
    }
}

/// A column of text.
pub fn text() -> Value {
    json!({"dtype": "string", "_type": "Value"})
}
