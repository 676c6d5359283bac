//! How a thread shows that we work: agent sessions, else the assistant's status line, else nothing.
//! What a workspace refuses is not asked of it again.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::json;

use super::markdown::one_line;
use super::post::Courier;
use crate::clients::slack::{Method, Priority, Retry, SlackError};
use crate::protocol::SessionKey;
use crate::slack::say;

/// How long a status may wait for its place; it is only decoration.
const PATIENCE: Duration = Duration::from_millis(400);

/// How often, and how soon, the end of the work is shown again when it could not be shown: about
/// seven minutes in all.
const TRIES: u32 = 20;
const AGAIN: Duration = Duration::from_secs(2);

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

/// What this workspace can do, and what is still to be shown; shared by the whole process.
#[derive(Debug, Default)]
pub struct StatusSupport {
    level: AtomicU8,
    /// The newest change of each thread that has not arrived, by its number.
    owed: Mutex<HashMap<SessionKey, u64>>,
    changes: AtomicU64,
}

const SESSIONS: u8 = 0;
const THREADS: u8 = 1;
const NOTHING: u8 = 2;

impl StatusSupport {
    /// Whether Slack shows its own Stop button.
    #[must_use]
    pub fn has_native_stop(&self) -> bool {
        self.level.load(Ordering::Relaxed) == SESSIONS
    }

    /// Shows an activity. `title` names the agent session when it is created. Never fails and never
    /// waits for long: that the work has ended is shown in the background if it cannot be shown at once,
    /// unless something newer is to be shown meanwhile.
    pub async fn show(self: &Arc<Self>, courier: &Courier, activity: Activity, title: Option<&str>) {
        let change = self.changes.fetch_add(1, Ordering::Relaxed);
        self.owed().insert(courier.place.session(), change);
        match self.try_to(courier, activity, title).await {
            Err(error) if may_pass(&error) && activity != Activity::Processing => {
                tokio::spawn(Arc::clone(self).make_up(courier.clone(), activity, change));
            }
            _ => self.forget(courier, change),
        }
    }

    async fn make_up(self: Arc<Self>, courier: Courier, activity: Activity, change: u64) {
        for tries in 0..TRIES {
            tokio::time::sleep(AGAIN * (tries + 1)).await;
            if self.owed().get(&courier.place.session()) != Some(&change) {
                return;
            }
            match self.try_to(&courier, activity, None).await {
                Err(error) if may_pass(&error) => {}
                _ => break,
            }
        }
        self.forget(&courier, change);
    }

    fn owed(&self) -> MutexGuard<'_, HashMap<SessionKey, u64>> {
        self.owed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forget(&self, courier: &Courier, change: u64) {
        let mut owed = self.owed();
        if owed.get(&courier.place.session()) == Some(&change) {
            owed.remove(&courier.place.session());
        }
    }

    async fn try_to(
        &self,
        courier: &Courier,
        activity: Activity,
        title: Option<&str>,
    ) -> Result<(), SlackError> {
        if self.level.load(Ordering::Relaxed) == SESSIONS {
            match self.session(courier, activity, title).await {
                Err(error) if is_refusal(&error) => {
                    tracing::info!(%error, "agent sessions are refused; using the status line");
                    self.level.store(THREADS, Ordering::Relaxed);
                }
                result => return result,
            }
        }
        if self.level.load(Ordering::Relaxed) == THREADS {
            match self.line(courier, activity).await {
                Err(error) if is_refusal(&error) => {
                    tracing::info!(%error, "the status line is refused, too; going without");
                    self.level.store(NOTHING, Ordering::Relaxed);
                }
                result => return result,
            }
        }
        Ok(())
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

fn may_pass(error: &SlackError) -> bool {
    matches!(error, SlackError::RateLimited { .. } | SlackError::Transport(_))
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
