//! The slash command: a request opens a thread, anything else is answered to the person alone.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use super::{Answer, Listener, NAME_PATIENCE, REMEMBERED};
use crate::clients::slack::{Method, Outgoing, Priority, Retry, SlackError};
use crate::protocol::{OperationKind, RunFind};
use crate::slack::place::Place;
use crate::slack::present::markdown::escape_mrkdwn;
use crate::slack::translate::{Commanded, is_about_a_token, text};
use crate::slack::{access, buttons, say};
use crate::text::redact_hub_tokens;

/// How long the root message may take: Slack waits three seconds for the answer.
const POST_PATIENCE: Duration = Duration::from_millis(2_200);

/// Runs shown in one answer.
const RUNS: u32 = 15;

impl Listener {
    pub(super) async fn commanded(self: &Arc<Self>, commanded: Commanded) -> Answer {
        let Commanded { team, channel, person, text: asked, cause } = commanded;
        if let Err(why) = access::admit(&self.config, &channel, &person) {
            return only_you(say::refusal(why));
        }
        if asked.is_empty() || asked.eq_ignore_ascii_case("help") {
            return only_you(say::HELP);
        }
        if asked.eq_ignore_ascii_case("status") {
            return only_you(&say::here(&self.us.user));
        }
        if let Some(words) = runs_asked(&asked) {
            return self.runs(&channel, words).await;
        }
        let gives = |rest: &str| rest.trim_start().starts_with("hf_");
        if is_about_a_token(&asked) || asked.strip_prefix("token").is_some_and(gives) {
            return only_you(say::TOKEN_BY_COMMAND);
        }
        if !self.first_delivery(&cause) {
            return Answer::Taken;
        }
        let names = self.names.of_all(&text::mentioned(&asked), NAME_PATIENCE).await;
        let request = redact_hub_tokens(&text::readable(&asked, &names)).into_owned();
        let name = self.names.of(&person.id, NAME_PATIENCE).await;
        let root = match self.post_root(&channel, &name, &request).await {
            Ok(ts) => ts,
            Err(error) => {
                tracing::warn!(%error, "the thread of a command could not be opened");
                self.forget(&cause);
                return only_you(if error.place_is_gone() { say::CANNOT_POST } else { say::NOT_SAVED });
            }
        };
        let place = Place { team, channel, thread_ts: root.clone(), opened_by: person.id.clone() };
        let kind =
            OperationKind::Say { text: request, handle: json!({ "channel": place.channel, "ts": root }) };
        match self.submit(&place, &person, format!("slack:command:{cause}"), kind).await {
            Answer::Taken => only_you(say::STARTED),
            _ => only_you(say::NOT_SAVED),
        }
    }

    /// What was trained and measured in this channel, for the person alone.
    async fn runs(&self, channel: &str, words: &str) -> Answer {
        let wanted = RunFind {
            words: text::readable(words, &BTreeMap::new()),
            channel: Some(channel.to_owned()),
            limit: RUNS,
            session: None,
        };
        match self.intake.runs(&wanted).await {
            Ok(runs) => {
                let lines: Vec<String> = runs.iter().map(|run| say::run_line(run, escape_mrkdwn)).collect();
                only_you(&say::runs(&escape_mrkdwn(&wanted.words), &lines))
            }
            Err(error) => {
                tracing::error!(%error, "the registry of runs could not be read");
                only_you(say::NOT_SAVED)
            }
        }
    }

    async fn post_root(&self, channel: &str, name: &str, request: &str) -> Result<String, SlackError> {
        let outgoing = Outgoing {
            method: Method::PostMessage,
            priority: Priority::Final,
            channel: Some(channel.to_owned()),
            arguments: json!({
                "channel": channel,
                "text": say::asked(&escape_mrkdwn(name), &escape_mrkdwn(&request.chars().take(2_800).collect::<String>())),
                "unfurl_links": false,
                "unfurl_media": false,
                "metadata": { "event_type": buttons::NOTE, "event_payload": { "by": "ml-intern" } },
            }),
            retry: Retry::Within(POST_PATIENCE),
        };
        let answer = tokio::time::timeout(POST_PATIENCE, self.scheduler.call(outgoing))
            .await
            .map_err(|_| SlackError::Transport("posting took too long".to_owned()))??;
        answer["ts"]
            .as_str()
            .map(str::to_owned)
            .ok_or_else(|| SlackError::Transport("the post has no time".to_owned()))
    }

    pub(super) fn first_delivery(&self, cause: &str) -> bool {
        let mut commands = self.commands.lock().unwrap_or_else(PoisonError::into_inner);
        if commands.len() >= REMEMBERED {
            commands.clear();
        }
        cause.is_empty() || commands.insert(cause.to_owned())
    }

    fn forget(&self, cause: &str) {
        self.commands.lock().unwrap_or_else(PoisonError::into_inner).remove(cause);
    }
}

/// The words behind `runs`, if that is what was asked.
fn runs_asked(asked: &str) -> Option<&str> {
    let rest = asked.strip_prefix("runs")?;
    (rest.is_empty() || rest.starts_with(char::is_whitespace)).then(|| rest.trim())
}

fn only_you(line: &str) -> Answer {
    let shown: Value = json!({ "response_type": "ephemeral", "text": line });
    Answer::Show(shown)
}
