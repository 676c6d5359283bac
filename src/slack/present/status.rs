//! How a thread shows that we work: agent sessions, else the assistant's status line, else nothing.
//! What a workspace refuses is not asked of it again.

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use serde_json::json;

use super::markdown::one_line;
use super::post::Courier;
use crate::clients::slack::{Method, Priority, Retry, SlackError};
use crate::slack::say;

/// How long a status may wait for its place; it is only decoration.
const PATIENCE: Duration = Duration::from_millis(400);

/// What a thread shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    /// We work; Slack shows its Stop.
    Processing,
    /// We wait for people.
    Suspended,
    /// We wait for nothing.
    Active,
}

/// What this workspace can do; shared by the whole process.
#[derive(Debug, Default)]
pub struct StatusSupport(AtomicU8);

const SESSIONS: u8 = 0;
const THREADS: u8 = 1;
const NOTHING: u8 = 2;

impl StatusSupport {
    /// Whether Slack shows its own Stop button.
    #[must_use]
    pub fn has_native_stop(&self) -> bool {
        self.0.load(Ordering::Relaxed) == SESSIONS
    }

    /// Shows an activity. `title` names the agent session when it is created. Never fails.
    pub async fn show(&self, courier: &Courier, activity: Activity, title: Option<&str>) {
        if self.0.load(Ordering::Relaxed) == SESSIONS {
            match self.session(courier, activity, title).await {
                Err(error) if is_refusal(&error) => {
                    tracing::info!(%error, "agent sessions are refused; using the status line");
                    self.0.store(THREADS, Ordering::Relaxed);
                }
                _ => return,
            }
        }
        if self.0.load(Ordering::Relaxed) == THREADS {
            match self.line(courier, activity).await {
                Err(error) if is_refusal(&error) => {
                    tracing::info!(%error, "the status line is refused, too; going without");
                    self.0.store(NOTHING, Ordering::Relaxed);
                }
                _ => {}
            }
        }
    }

    async fn session(
        &self,
        courier: &Courier,
        activity: Activity,
        title: Option<&str>,
    ) -> Result<(), SlackError> {
        let mut arguments = json!({
            "channel_id": courier.place.channel,
            "thread_ts": courier.place.thread_ts,
            "status": match activity {
                Activity::Processing => "processing",
                Activity::Suspended => "suspended",
                Activity::Active => "active",
            },
        });
        if let Some(title) = title {
            arguments["title"] = json!(one_line(title, 190));
        }
        send(courier, Method::SessionSetStatus, arguments).await
    }

    async fn line(&self, courier: &Courier, activity: Activity) -> Result<(), SlackError> {
        let mut arguments = json!({
            "channel_id": courier.place.channel,
            "thread_ts": courier.place.thread_ts,
            "status": if activity == Activity::Processing { say::WORKING } else { "" },
        });
        if activity == Activity::Processing {
            arguments["loading_messages"] = json!(say::LOADING);
        }
        send(courier, Method::ThreadSetStatus, arguments).await
    }
}

async fn send(courier: &Courier, method: Method, arguments: serde_json::Value) -> Result<(), SlackError> {
    let call = courier.call(method, Priority::Progress, Retry::Within(PATIENCE), arguments);
    match tokio::time::timeout(Duration::from_secs(3), call).await {
        Ok(result) => result.map(|_| ()),
        Err(_) => Err(SlackError::Transport("the status took too long".to_owned())),
    }
}

/// Whether the workspace cannot do this at all (as opposed to: not now, or not here).
fn is_refusal(error: &SlackError) -> bool {
    error.code().is_some_and(|code| {
        matches!(
            code,
            "unknown_method"
                | "feature_disabled"
                | "feature_not_enabled"
                | "not_authorized"
                | "missing_scope"
                | "not_allowed_token_type"
                | "method_deprecated"
                | "deprecated_endpoint"
                | "access_denied"
                | "no_permission"
                | "team_access_not_granted"
                | "not_an_agent"
                | "invalid_arguments"
        )
    })
}
