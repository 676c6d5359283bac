//! How notices reach Slack: through the process's one scheduler once the bot is connected with the
//! same token, straight over HTTP otherwise (another workspace's token, a terminal without Slack).

use std::sync::OnceLock;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::clients::slack::{Method, Outgoing, Priority, Retry, Scheduler, SlackError};
use crate::messaging::{HttpSlackPost, PostError, SlackPost};
use crate::secret::Secret;

/// How long a notice may wait for its place among other calls before the outbox takes it back.
const PATIENCE: Duration = Duration::from_secs(20);

/// The way out for notices.
pub(super) struct OutgoingNotices {
    direct: HttpSlackPost,
    scheduled: OnceLock<(Secret, Scheduler)>,
}

impl OutgoingNotices {
    pub(super) fn new(api_url: &str) -> anyhow::Result<Self> {
        Ok(Self { direct: HttpSlackPost::new(api_url)?, scheduled: OnceLock::new() })
    }

    /// From now on what is sent with `token` takes its place among all other calls.
    pub(super) fn schedule(&self, token: Secret, scheduler: Scheduler) {
        // A second door in one process would have the same token; the first scheduler stays.
        let _ = self.scheduled.set((token, scheduler));
    }
}

#[async_trait]
impl SlackPost for OutgoingNotices {
    async fn post(&self, token: &Secret, body: Value) -> Result<Value, PostError> {
        let Some((_, scheduler)) = self.scheduled.get().filter(|(known, _)| known == token) else {
            return self.direct.post(token, body).await;
        };
        let outgoing = Outgoing {
            method: Method::PostMessage,
            priority: Priority::Normal,
            channel: body["channel"].as_str().map(str::to_owned),
            arguments: body,
            retry: Retry::Within(PATIENCE),
        };
        match scheduler.call(outgoing).await {
            Ok(answer) => Ok(answer),
            Err(SlackError::Api { error, .. }) => Ok(json!({ "ok": false, "error": error })),
            Err(SlackError::RateLimited { retry_after }) => {
                Err(PostError::RateLimited { after: Some(retry_after) })
            }
            Err(SlackError::Transport(words)) => Err(PostError::Unreachable(words)),
        }
    }
}
