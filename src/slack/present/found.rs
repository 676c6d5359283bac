//! What we already posted in a thread: read back after a crash, or when an answer of Slack was lost.

use serde_json::{Value, json};

use super::post::{Courier, Marker, verdict};
use crate::clients::slack::Priority;
use crate::clock::Timestamp;
use crate::protocol::ApprovalId;
use crate::runtime::present::PresentError;
use crate::slack::buttons;

/// Pages of 200 messages that are read at most.
const PAGES: usize = 10;

/// Our own messages in a thread, oldest first.
#[derive(Debug, Default)]
pub struct Found {
    ours: Vec<Value>,
}

impl Found {
    /// Reads our messages in the thread, since a moment if given.
    ///
    /// # Errors
    /// If the thread cannot be read.
    pub async fn look(courier: &Courier, since: Option<Timestamp>) -> Result<Self, PresentError> {
        let mut ours = Vec::new();
        let mut narrowed = json!({ "include_all_metadata": true });
        if let Some(since) = since {
            // Clocks differ; a minute earlier costs nothing.
            narrowed["oldest"] = json!(format!("{}.000000", since.seconds() - 60));
        }
        let keep = |message| {
            if is_ours(&message, courier) {
                ours.push(message);
            }
        };
        let read = courier.read_thread(Priority::Final, PAGES, &narrowed, keep).await;
        read.map_err(|error| verdict(&error))?;
        Ok(Self { ours })
    }

    /// The message that carries this marker.
    #[must_use]
    pub fn ts_of(&self, marker: &Marker) -> Option<String> {
        let message = self.ours.iter().find(|message| marker.is_on(message))?;
        message["ts"].as_str().map(str::to_owned)
    }

    /// Cards by approval.
    pub fn cards(&self) -> impl Iterator<Item = (ApprovalId, String)> + '_ {
        self.ours.iter().filter(|message| message["metadata"]["event_type"] == buttons::CARD).filter_map(
            |message| {
                let approval = message["metadata"]["event_payload"]["approval"].as_str()?;
                Some((ApprovalId(approval.to_owned()), message["ts"].as_str()?.to_owned()))
            },
        )
    }

    /// Messages since `since` that carry no mark of ours: streams that their worker never ended.
    #[must_use]
    pub fn unfinished(&self, since: Timestamp) -> Vec<String> {
        let unmarked = |message: &&Value| {
            let kind = message["metadata"]["event_type"].as_str().unwrap_or_default();
            !kind.starts_with("ml_intern") && message["files"].as_array().is_none_or(Vec::is_empty)
        };
        let late = |ts: &str| {
            ts.split('.').next().and_then(|s| s.parse::<i64>().ok()).is_some_and(|s| s >= since.seconds())
        };
        self.ours
            .iter()
            .filter(unmarked)
            .filter_map(|message| message["ts"].as_str())
            .filter(|ts| late(ts))
            .map(str::to_owned)
            .collect()
    }
}

fn is_ours(message: &Value, courier: &Courier) -> bool {
    courier.wrote(message) && message["ts"] != courier.place.thread_ts.as_str()
}
