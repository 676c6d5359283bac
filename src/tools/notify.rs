//! `notify`: sends a notice to named destinations, and says for each whether it arrived.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::agent::tool::{
    Assessment, BadArguments, CallContext, Place, Tool, ToolError, arguments, parameters,
};
use crate::messaging::{Gateway, Outcome};
use crate::protocol::{Notice, Severity, ToolOutcome, ToolSpec};
use crate::text::cut;

/// How long a call waits for notices to arrive; they are tried again after that as well.
const WAIT: Duration = Duration::from_secs(30);
/// Characters of a title.
const LONGEST_TITLE: usize = 200;

/// The `notify` tool.
pub struct NotifyTool {
    gateway: Arc<Gateway>,
    wait: Duration,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Arguments {
    /// Names of destinations.
    destinations: Vec<String>,
    /// What to say, in Markdown.
    message: String,
    /// A short title.
    #[serde(default)]
    title: Option<String>,
    /// How urgent it is.
    #[serde(default)]
    severity: Severity,
}

impl NotifyTool {
    /// Sends through this gateway.
    #[must_use]
    pub fn new(gateway: Arc<Gateway>) -> Self {
        Self { gateway, wait: WAIT }
    }

    /// The arguments with names trimmed, each once, all of them allowed.
    fn checked(&self, value: &Value) -> Result<Arguments, BadArguments> {
        let mut notify: Arguments = arguments(value)?;
        let mut names: Vec<String> = Vec::new();
        for name in notify.destinations.iter().map(|name| name.trim()).filter(|name| !name.is_empty()) {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
        let allowed = self.gateway.for_agent();
        let refused: Vec<String> = names
            .iter()
            .filter(|name| !allowed.contains(&name.as_str()))
            .map(|name| format!("`{name}`"))
            .collect();
        let choice = format!("The destinations that you may use: {}.", allowed.join(", "));
        if !refused.is_empty() {
            return Err(BadArguments(format!(
                "nothing was sent, because {} unknown or not open to you. {choice}",
                match refused.as_slice() {
                    [one] => format!("{one} is"),
                    several => format!("{} are", several.join(", ")),
                }
            )));
        }
        if names.is_empty() {
            return Err(BadArguments(format!("`destinations` is empty. {choice}")));
        }
        if notify.message.trim().is_empty() {
            return Err(BadArguments("`message` is empty".to_owned()));
        }
        notify.destinations = names;
        Ok(notify)
    }

    /// Queues for every destination; gives the ids.
    async fn queue(&self, notify: &Arguments, context: &CallContext) -> Result<Vec<String>, ToolError> {
        let title = notify.title.as_deref().map(str::trim).filter(|title| !title.is_empty());
        let notice = Notice {
            title: title.map(|title| cut(title, LONGEST_TITLE).into_owned()),
            severity: notify.severity,
            message: notify.message.trim().to_owned(),
            metadata: vec![
                ("session_id".to_owned(), context.place.session.to_string()),
                ("model".to_owned(), context.model.clone()),
            ],
            link: None,
        };
        let mut ids = Vec::new();
        for name in &notify.destinations {
            // Made from the call, so that a call that is taken up again sends nothing twice.
            let id = format!("notify:{}:{}:{}:{name}", context.place.session, context.turn, context.call);
            self.gateway
                .notify(name, notice.clone(), &id)
                .await
                .map_err(|error| ToolError::Broken(error.into()))?;
            ids.push(id);
        }
        Ok(ids)
    }
}

#[async_trait]
impl Tool for NotifyTool {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "notify".to_owned(),
            description: format!(
                "Send a notice to people outside this conversation, for results and for trouble that they should \
                 know of. Only when it was asked for or clearly matters; the answer here needs no notice. \
                 Destinations: {}.",
                self.gateway.for_agent().join(", ")
            ),
            parameters: parameters::<Arguments>(),
        }
    }

    fn assess(&self, value: &Value, _: &Place) -> Result<Assessment, BadArguments> {
        let notify = self.checked(value)?;
        Ok(Assessment {
            language: "markdown".to_owned(),
            editable: Some("message".to_owned()),
            preview: notify.message,
            ..Assessment::changes(format!("Notify {}", notify.destinations.join(", ")))
        })
    }

    async fn call(&self, value: Value, context: CallContext) -> Result<ToolOutcome, ToolError> {
        let notify = self.checked(&value)?;
        let ids = self.queue(&notify, &context).await?;
        let waiting = ids.iter().map(|id| self.gateway.outcome(id, self.wait));
        let outcomes = context.cancel.run_until_cancelled(futures::future::try_join_all(waiting)).await;
        let outcomes =
            outcomes.ok_or(ToolError::Cancelled)?.map_err(|error| ToolError::Broken(error.into()))?;
        let lines: Vec<String> = notify
            .destinations
            .iter()
            .zip(&outcomes)
            .map(|(name, outcome)| match outcome {
                Outcome::Sent => format!("{name}: sent"),
                Outcome::Failed(why) => format!("{name}: failed ({why})"),
                Outcome::Open => {
                    format!("{name}: not yet delivered; it is queued and will be tried again by itself")
                }
            })
            .collect();
        let success = outcomes.iter().all(|outcome| *outcome == Outcome::Sent);
        Ok(ToolOutcome { success, ..ToolOutcome::done(lines.join("\n")) })
    }
}
