//! `hf_inspect_dataset`: what a dataset holds, and what it can train.
//!
//! Honest about what it could not see: a dataset that is missing, gated, private, or not read by the viewer yet is a
//! failure with what to do, and a part that failed is named. Every request is made with the account of whoever
//! asked. Start at [`InspectDataset`]; what the answers mean is in the other files.

mod look;
mod messages;
mod shown;
mod standing;
mod statistics;
mod verdict;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::HubAccess;
use super::words::{capped, line};
use crate::agent::tool::{
    Assessment, BadArguments, CallContext, Place, Tool, ToolError, arguments, parameters,
};
use crate::clients::dataset_viewer::DatasetViewer;
use crate::clients::hub::{Repo, RepoKind};
use crate::config::ServicesConfig;
use crate::protocol::{ToolOutcome, ToolSpec};
use crate::secret::Secret;
use crate::text::redact_known;

/// Rows that are shown when nobody says how many.
const ROWS: i64 = 3;
/// Rows that are shown at most.
const MOST_ROWS: i64 = 10;

/// The `hf_inspect_dataset` tool.
pub struct InspectDataset {
    access: HubAccess,
    viewer: DatasetViewer,
    cap: usize,
    secrets: Vec<Secret>,
    viewer_is_told: bool,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Arguments {
    /// The dataset on the Hub, as owner/name.
    dataset: String,
    /// The config (subset); the first one if left out.
    #[serde(default)]
    config: Option<String>,
    /// The split; the first one of the config if left out.
    #[serde(default)]
    split: Option<String>,
    /// Rows to show: 3 if left out, 10 at most.
    #[serde(default)]
    #[schemars(range(min = 1, max = 10))]
    sample_rows: Option<i64>,
}

/// A checked call.
struct Wish {
    repo: Repo,
    config: Option<String>,
    split: Option<String>,
    rows: usize,
}

fn checked(value: &Value) -> Result<Wish, BadArguments> {
    let given: Arguments = arguments(value)?;
    let name = given.dataset.trim();
    let name = name.rsplit_once("/datasets/").map_or(name, |(_, name)| name);
    let repo = Repo::parse(RepoKind::Dataset, name.trim_end_matches('/'))
        .map_err(|why| BadArguments(format!("`dataset`: {why}")))?;
    let rows = match given.sample_rows.unwrap_or(ROWS) {
        rows if (1..=MOST_ROWS).contains(&rows) => usize::try_from(rows).unwrap_or(1),
        other => return Err(BadArguments(format!("`sample_rows` must be 1 to {MOST_ROWS}; got {other}"))),
    };
    let filled = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    Ok(Wish { repo, config: filled(given.config), split: filled(given.split), rows })
}

impl InspectDataset {
    /// Looks at datasets with this access and this viewer; says at most `cap` characters, and none of these secrets.
    #[must_use]
    pub fn new(access: HubAccess, viewer: DatasetViewer, cap: usize, secrets: Vec<Secret>) -> Self {
        Self { access, viewer, cap, secrets, viewer_is_told: true }
    }

    /// With these services: the public viewer gets no token where the Hub is another one.
    #[must_use]
    pub fn within(self, services: &ServicesConfig) -> Self {
        Self { viewer_is_told: viewer_is_told(services), ..self }
    }
}

/// Whether the viewer may get the Hub's tokens: the public one only those of the public Hub.
fn viewer_is_told(services: &ServicesConfig) -> bool {
    let public = ServicesConfig::default();
    let same = |one: &str, other: &str| one.trim_end_matches('/') == other.trim_end_matches('/');
    same(&services.hf_endpoint, &public.hf_endpoint)
        || !same(&services.dataset_viewer_url, &public.dataset_viewer_url)
}

#[async_trait]
impl Tool for InspectDataset {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "hf_inspect_dataset".to_owned(),
            description: "Look into a dataset on the Hub before you train on it: whether it can be had (gated, private), its \
                          splits with rows and bytes, columns, statistics, first rows, how its conversations are built, \
                          and for SFT, DPO, KTO, GRPO, reward models and classification whether its columns fit as they \
                          are, fit after a mapping (the code is given), or what is missing. Pin the revision that it \
                          names."
                .to_owned(),
            parameters: parameters::<Arguments>(),
        }
    }

    fn assess(&self, value: &Value, _place: &Place) -> Result<Assessment, BadArguments> {
        let wish = checked(value)?;
        Ok(Assessment::reads(format!("Inspect dataset {}", line(&wish.repo.id, 100))))
    }

    async fn call(&self, value: Value, context: CallContext) -> Result<ToolOutcome, ToolError> {
        let wish = checked(&value)?;
        let (hub, token) =
            tokio::join!(self.access.of(&context.requester), self.access.token(&context.requester));
        let token = token.as_ref().filter(|_| self.viewer_is_told);
        let eyes = look::Eyes { hub: &hub, viewer: &self.viewer, token, cancel: &context.cancel };
        let told = eyes.inspect(&wish).await;
        if context.cancel.is_cancelled() {
            return Err(ToolError::Cancelled);
        }
        let (text, success) = match told {
            Ok(text) => (text, true),
            Err(text) => (text, false),
        };
        let text = redact_known(&text, &self.secrets).into_owned();
        let output = capped(text.trim_end(), self.cap, "ask for fewer with `sample_rows`");
        Ok(ToolOutcome { success, ..ToolOutcome::done(output) })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_wrong_names_the_field() {
        for (value, wanted) in [
            (json!({}), "missing field `dataset`"),
            (json!({"dataset": ""}), "`dataset`: "),
            (json!({"dataset": "../etc/passwd"}), "`dataset`: "),
            (json!({"dataset": "a/b", "sample_rows": 0}), "`sample_rows` must be 1 to 10; got 0"),
            (json!({"dataset": "a/b", "sample_rows": 11}), "`sample_rows` must be 1 to 10; got 11"),
            (json!({"dataset": "a/b", "rows": 1}), "unknown field `rows`"),
        ] {
            let error = checked(&value).err().unwrap().to_string();
            assert!(error.contains(wanted), "{value}: {error}");
        }
        let wish =
            checked(&json!({"dataset": "https://huggingface.co/datasets/alice/data1/", "config": " "}));
        let wish = wish.unwrap();
        assert_eq!((wish.repo.id.as_str(), wish.config, wish.rows), ("alice/data1", None, 3));
    }

    #[test]
    fn the_public_viewer_gets_tokens_of_the_public_hub_only() {
        let public = ServicesConfig::default();
        for (hub, viewer, told) in [
            (public.hf_endpoint.as_str(), public.dataset_viewer_url.as_str(), true),
            ("https://huggingface.co/", public.dataset_viewer_url.as_str(), true),
            ("https://hub.example", public.dataset_viewer_url.as_str(), false),
            ("https://hub.example", "https://datasets-server.huggingface.co/", false),
            ("https://hub.example", "https://viewer.example", true),
        ] {
            let (hf_endpoint, dataset_viewer_url) = (hub.to_owned(), viewer.to_owned());
            let services = ServicesConfig { hf_endpoint, dataset_viewer_url, ..ServicesConfig::default() };
            assert_eq!(viewer_is_told(&services), told, "{hub} {viewer}");
        }
    }
}
