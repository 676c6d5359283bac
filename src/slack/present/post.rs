//! Posting into one thread so that what must arrive arrives once.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::found::Found;
use crate::clients::slack::{Method, Outgoing, Priority, Retry, Scheduler, Sharing, SlackError, Upload};
use crate::runtime::present::PresentError;
use crate::slack::buttons;
use crate::slack::place::Place;
use crate::slack::translate::Ourselves;

/// How often a post is tried whose fate is unknown.
const TRIES: u32 = 5;

/// What marks a message of ours as this one message, so that it can be found again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    /// Metadata type.
    pub kind: &'static str,
    /// Metadata fields; Slack's own models want strings only.
    pub fields: Vec<(&'static str, String)>,
}

impl Marker {
    /// A marker.
    #[must_use]
    pub fn new<const N: usize>(kind: &'static str, fields: [(&'static str, &str); N]) -> Self {
        Self { kind, fields: fields.into_iter().map(|(name, value)| (name, value.to_owned())).collect() }
    }

    /// A message that is not looked for after a crash. Each is one of its own, so that an earlier one is
    /// not taken for a later one whose fate is unknown.
    #[must_use]
    pub fn note() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Self::new(buttons::NOTE, [("by", "ml-intern"), ("note", &number)])
    }

    /// As Slack takes it.
    #[must_use]
    pub fn metadata(&self) -> Value {
        let payload: serde_json::Map<String, Value> =
            self.fields.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        json!({ "event_type": self.kind, "event_payload": payload })
    }

    /// Whether a message carries it.
    #[must_use]
    pub fn is_on(&self, message: &Value) -> bool {
        let metadata = &message["metadata"];
        metadata["event_type"] == self.kind
            && self.fields.iter().all(|(name, value)| metadata["event_payload"][*name] == value.as_str())
    }
}

/// Sends to one thread.
#[derive(Clone)]
pub struct Courier {
    /// What sends.
    pub scheduler: Scheduler,
    /// The thread.
    pub place: Place,
    /// Who we are.
    pub us: Ourselves,
}

impl Courier {
    /// One call for this thread's channel.
    ///
    /// # Errors
    /// As [`Scheduler::call`].
    pub async fn call(
        &self,
        method: Method,
        priority: Priority,
        retry: Retry,
        arguments: Value,
    ) -> Result<Value, SlackError> {
        let channel = Some(self.place.channel.clone());
        self.scheduler.call(Outgoing { method, priority, channel, arguments, retry }).await
    }

    /// Whether a message is ours.
    pub fn wrote(&self, message: &Value) -> bool {
        let us = &self.us;
        message["user"] == us.user.as_str() || (!us.bot.is_empty() && message["bot_id"] == us.bot.as_str())
    }

    /// Reads the thread, oldest first, and gives each message to `take`; at most so many pages of 200.
    /// `narrowed` holds further arguments (`oldest`, `latest`, …).
    ///
    /// # Errors
    /// As [`Scheduler::call`]; what was read before has been given by then.
    pub async fn read_thread(
        &self,
        priority: Priority,
        pages: usize,
        narrowed: &Value,
        mut take: impl FnMut(Value),
    ) -> Result<(), SlackError> {
        let mut arguments = narrowed.clone();
        arguments["channel"] = json!(self.place.channel);
        arguments["ts"] = json!(self.place.thread_ts);
        arguments["limit"] = json!(200);
        for _ in 0..pages {
            let mut page = self.call(Method::Replies, priority, Retry::MustArrive, arguments.clone()).await?;
            if let Value::Array(messages) = page["messages"].take() {
                messages.into_iter().for_each(&mut take);
            }
            match page["response_metadata"]["next_cursor"].as_str() {
                Some(cursor) if !cursor.is_empty() => arguments["cursor"] = json!(cursor),
                _ => break,
            }
        }
        Ok(())
    }

    /// Posts the best of these forms that Slack takes, exactly once, and gives its `ts`.
    ///
    /// # Errors
    /// If it may work later, or never will.
    pub async fn post_once(&self, forms: &[Value], marker: &Marker) -> Result<String, PresentError> {
        let mut tries = 0;
        let mut form = 0;
        let mut refusal = PresentError::Never("Slack takes no form of this message".to_owned());
        loop {
            let Some(content) = forms.get(form) else { return Err(refusal) };
            match self.post(content, marker).await {
                Ok(ts) => return Ok(ts),
                Err(error) if error.form_is_refused() => {
                    refusal = verdict(&error);
                    form += 1;
                }
                // It may be there, or not: look before posting again.
                Err(SlackError::Transport(why)) if tries < TRIES => {
                    tries += 1;
                    tracing::debug!(why, tries, "a post was lost; looking whether it arrived");
                    tokio::time::sleep(Duration::from_millis(300 * u64::from(tries))).await;
                    if let Some(ts) = Found::look(self, None).await?.ts_of(marker) {
                        return Ok(ts);
                    }
                }
                Err(error) => return Err(verdict(&error)),
            }
        }
    }

    async fn post(&self, content: &Value, marker: &Marker) -> Result<String, SlackError> {
        let mut arguments = content.clone();
        arguments["channel"] = json!(self.place.channel);
        arguments["thread_ts"] = json!(self.place.thread_ts);
        arguments["metadata"] = marker.metadata();
        arguments["unfurl_links"] = json!(false);
        arguments["unfurl_media"] = json!(false);
        let answer = self.call(Method::PostMessage, Priority::Final, Retry::MustArrive, arguments).await?;
        answer["ts"]
            .as_str()
            .map(str::to_owned)
            .ok_or_else(|| SlackError::Transport("the post has no time".to_owned()))
    }

    /// Rewrites a message with the best of these forms that Slack takes.
    ///
    /// # Errors
    /// If it may work later, or never will.
    pub async fn rewrite(&self, ts: &str, forms: &[Value], marker: &Marker) -> Result<(), PresentError> {
        let mut last = PresentError::Never("Slack takes no form of this message".to_owned());
        for form in forms {
            let mut arguments = form.clone();
            arguments["channel"] = json!(self.place.channel);
            arguments["ts"] = json!(ts);
            arguments["metadata"] = marker.metadata();
            match self.call(Method::Update, Priority::Final, Retry::MustArrive, arguments).await {
                Ok(_) => return Ok(()),
                Err(error) if error.form_is_refused() => last = verdict(&error),
                Err(error) => return Err(verdict(&error)),
            }
        }
        Err(last)
    }

    /// Attaches a text as a file.
    ///
    /// # Errors
    /// As [`Scheduler::upload`].
    pub async fn attach(&self, name: &str, content: &str) -> Result<(), SlackError> {
        let upload = Upload {
            channel: self.place.channel.clone(),
            thread_ts: self.place.thread_ts.clone(),
            name: name.to_owned(),
            title: name.to_owned(),
            content: content.as_bytes().to_vec(),
            sharing: Sharing::Thread,
        };
        self.scheduler.upload(&upload).await.map(|_| ())
    }
}

/// Whether something that failed may work later.
pub(super) fn verdict(error: &SlackError) -> PresentError {
    match error {
        SlackError::Api { .. } if error.place_is_gone() => PresentError::Never(error.to_string()),
        SlackError::Api { error: code, .. }
            if [
                "fatal_error",
                "internal_error",
                "service_unavailable",
                "request_timeout",
                "team_added_to_org",
            ]
            .contains(&code.as_str()) =>
        {
            PresentError::Later(error.to_string())
        }
        SlackError::Api { .. } => PresentError::Never(error.to_string()),
        SlackError::RateLimited { .. } | SlackError::Transport(_) => PresentError::Later(error.to_string()),
    }
}
