//! The turn while it runs: one stream, or one progress message where streaming is refused.
//!
//! ```text
//! Closed --first text or task--> Streaming --four minutes, full--> Streaming (the next message)
//!   |  \-- refused, or no place --> Progress        |
//!   |                                ^              +-- refused, stopped, lost --> Progress
//!   +<------------- a question, the end of the turn: every surface is closed
//! ```

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::again::Again;
use super::markdown::{cut, defang, escape_mrkdwn};
use super::post::{Courier, Marker};
use super::stream::{Pending, Stream};
use super::tasks::Tasks;
use crate::clients::slack::{Method, Priority, Retry, SlackError};
use crate::protocol::TurnId;
use crate::slack::{buttons, say};

/// The first things of a turn are shown after this time.
const FIRST: Duration = Duration::from_millis(350);
/// Later ones after this time…
const EVERY: Duration = Duration::from_millis(650);
/// …or when so many characters wait.
const ENOUGH: usize = 256;
/// Between two updates of a progress message.
const UPDATES: Duration = Duration::from_millis(1_500);
/// Messages that one streamed answer may fill; the rest goes into a file.
const MESSAGES: usize = 3;

/// Whether this workspace takes streams; shared by the whole process.
#[derive(Debug)]
pub struct StreamSupport(AtomicBool);

impl StreamSupport {
    /// As configured.
    #[must_use]
    pub fn new(wanted: bool) -> Self {
        Self(AtomicBool::new(wanted))
    }

    fn is_there(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Remembers a refusal that will not change.
    fn learn(&self, error: &SlackError) {
        let hopeless = [
            "unknown_method",
            "feature_disabled",
            "feature_not_enabled",
            "missing_scope",
            "not_allowed_token_type",
        ];
        if error.code().is_some_and(|code| hopeless.contains(&code)) {
            tracing::info!(%error, "streaming is refused; posting and updating from now on");
            self.0.store(false, Ordering::Relaxed);
        }
    }
}

#[derive(Debug)]
pub(super) enum Surface {
    Closed,
    Streaming(Stream),
    Progress { ts: String, updated: Instant },
}

/// What one turn shows while it runs.
pub(super) struct Live {
    pub turn: TurnId,
    recipient: String,
    pub tasks: Tasks,
    pending: Pending,
    /// The text of the step in hand, as the model wrote it.
    step: String,
    step_ended: bool,
    again: Again,
    pub surface: Surface,
    shown_at: Option<Instant>,
    waiting_since: Option<Instant>,
    /// A stream was lost: what was streamed may not be complete.
    pub broken: bool,
    /// The text outgrew the messages it may fill.
    pub overflowed: bool,
    messages: usize,
    /// Messages that were full of text.
    filled: usize,
}

impl Live {
    pub fn new(turn: TurnId, recipient: String, progress: Option<String>) -> Self {
        let surface =
            progress.map_or(Surface::Closed, |ts| Surface::Progress { ts, updated: Instant::now() });
        Self {
            turn,
            recipient,
            tasks: Tasks::default(),
            pending: Pending::default(),
            step: String::new(),
            step_ended: false,
            again: Again::default(),
            surface,
            shown_at: None,
            waiting_since: None,
            broken: false,
            overflowed: false,
            messages: 0,
            filled: 0,
        }
    }

    /// A piece of the answer's text.
    pub fn text(&mut self, piece: &str) {
        if self.step_ended {
            self.step_ended = false;
            self.step.clear();
            self.pending.push("\n\n");
        }
        self.step.push_str(piece);
        self.tasks.went_on();
        if let Some(added) = self.again.heard(&self.step, piece) {
            self.add(&added);
        }
    }

    fn add(&mut self, text: &str) {
        if !self.overflowed {
            self.pending.push(text);
        }
        self.touch();
    }

    /// The text of this step is complete.
    pub fn step_ended(&mut self) {
        self.tasks.went_on();
        if let Some(added) = self.again.ends(&self.step) {
            self.add(&added);
        }
        self.step_ended = !self.step.is_empty() || self.step_ended;
    }

    /// The text since the last step's end is void.
    pub fn reset(&mut self) {
        if self.step_ended {
            return;
        }
        self.again.begins(self.pending.take_back(&self.step));
        self.step.clear();
    }

    /// The process ends in the middle of the turn: says so where text was begun.
    pub fn cut_short(&mut self) {
        if !self.step.is_empty() && !self.step_ended {
            self.pending.push(say::RESTARTING);
        }
    }

    /// Something changed that is to be shown soon.
    pub fn touch(&mut self) {
        self.waiting_since.get_or_insert_with(Instant::now);
    }

    /// When the next flush is due; `None` if nothing waits and no stream grows old.
    pub fn due(&self) -> Option<Instant> {
        let old = match &self.surface {
            Surface::Streaming(stream) => Some(stream.spent_at()),
            Surface::Closed | Surface::Progress { .. } => None,
        };
        [old, self.something_due()].into_iter().flatten().min()
    }

    fn something_due(&self) -> Option<Instant> {
        let since = self.waiting_since?;
        let mut due = match self.shown_at {
            None => since + FIRST,
            Some(shown) if self.pending.as_str().len() >= ENOUGH => shown + EVERY / 3,
            Some(shown) => (shown + EVERY).max(since + EVERY / 3),
        };
        if let Surface::Progress { updated, .. } = &self.surface {
            due = due.max(*updated + UPDATES);
        }
        Some(due)
    }

    /// The final answer goes behind what was streamed, unless it was streamed already.
    pub fn ends_with(&mut self, answer: &str) {
        if answer.trim() == self.step.trim() {
            return;
        }
        if !self.step.is_empty() || matches!(self.surface, Surface::Streaming(_)) {
            self.pending.push("\n\n");
        }
        self.step.clear();
        answer.clone_into(&mut self.step);
        self.pending.push(answer);
    }

    /// Characters that are not shown yet.
    pub fn waiting(&self) -> usize {
        self.pending.as_str().chars().count()
    }

    /// All text that is not shown yet, safe to show.
    pub fn take_rest(&mut self) -> String {
        defang(&self.pending.take_all())
    }

    /// Shows what waits. Never fails: what cannot be shown waits on, or is left out.
    pub async fn flush(&mut self, courier: &Courier, support: &StreamSupport, stop_button: bool) {
        self.waiting_since = None;
        self.shown_at = Some(Instant::now());
        let spent = matches!(&self.surface, Surface::Streaming(stream) if stream.is_spent());
        if spent {
            self.rotate(courier).await;
        }
        // A stream that grew old while nothing happened gets a successor when something does.
        let wanted = !spent || !self.pending.as_str().trim().is_empty() || self.tasks.is_open();
        if wanted && matches!(self.surface, Surface::Closed) {
            self.open(courier, support, stop_button && !spent).await;
        }
        match &mut self.surface {
            Surface::Closed => {}
            Surface::Streaming(stream) => {
                let raw = self.pending.take(stream.room());
                let sent = stream.append(courier, &defang(&raw), self.tasks.chunks()).await;
                match sent {
                    Ok(()) => self.tasks.shown(),
                    Err(SlackError::RateLimited { .. }) => {
                        self.pending.put_back(&raw);
                        self.touch();
                    }
                    Err(error) => self.lose(courier, &error).await,
                }
            }
            Surface::Progress { .. } => self.update(courier, stop_button).await,
        }
        if !self.pending.as_str().is_empty() && matches!(self.surface, Surface::Streaming(_)) {
            self.touch();
        }
    }

    /// Opens a stream, or else a progress message.
    pub async fn open(&mut self, courier: &Courier, support: &StreamSupport, stop_button: bool) {
        if support.is_there() && !self.broken {
            match Stream::start(courier, &self.recipient).await {
                Ok(stream) => {
                    self.messages += 1;
                    self.tasks.replay();
                    self.surface = Surface::Streaming(stream);
                    return;
                }
                Err(error) => {
                    tracing::debug!(%error, "no stream for this turn");
                    support.learn(&error);
                    self.broken = true;
                }
            }
        }
        self.broken = true;
        let mut arguments = self.progress(stop_button);
        arguments["channel"] = json!(courier.place.channel);
        arguments["thread_ts"] = json!(courier.place.thread_ts);
        arguments["metadata"] = progress_marker(&self.turn).metadata();
        let patience = Retry::Within(Duration::from_secs(1));
        if let Ok(answer) = courier.call(Method::PostMessage, Priority::Progress, patience, arguments).await
            && let Some(ts) = answer["ts"].as_str()
        {
            self.surface = Surface::Progress { ts: ts.to_owned(), updated: Instant::now() };
        }
    }

    /// Ends a stream that Slack would end soon, or that is full.
    async fn rotate(&mut self, courier: &Courier) {
        let Surface::Streaming(stream) = std::mem::replace(&mut self.surface, Surface::Closed) else {
            return;
        };
        // The last words of a step are held back until the next ones come; these may take long.
        let rest =
            if self.step_ended && self.waiting() < stream.room() { self.take_rest() } else { String::new() };
        let (close, open) = stream.seam(&rest).unwrap_or_default();
        let marker = part_marker(&self.turn, self.messages);
        if let Err(error) =
            stream.stop(courier, &format!("{rest}{close}"), self.tasks.resting(), &[], &marker).await
        {
            tracing::debug!(%error, "a spent stream did not end as it should");
        }
        self.filled += usize::from(stream.is_full());
        if self.filled >= MESSAGES {
            self.overflowed = true;
            self.pending.clear();
        } else {
            self.pending.put_back(&open);
        }
    }

    /// The stream is gone (refused, stopped by a person, ended by Slack): progress goes on otherwise.
    async fn lose(&mut self, courier: &Courier, error: &SlackError) {
        tracing::debug!(%error, "a stream was lost");
        self.broken = true;
        if let Surface::Streaming(stream) = std::mem::replace(&mut self.surface, Surface::Closed) {
            let marker = part_marker(&self.turn, self.messages);
            stream.stop(courier, "", self.tasks.resting(), &[], &marker).await.ok();
        }
        self.touch();
    }

    async fn update(&mut self, courier: &Courier, stop_button: bool) {
        let mut arguments = self.progress(stop_button);
        let Surface::Progress { ts, updated } = &mut self.surface else { return };
        *updated = Instant::now();
        arguments["channel"] = json!(courier.place.channel);
        arguments["ts"] = json!(ts);
        arguments["metadata"] = progress_marker(&self.turn).metadata();
        let patience = Retry::Within(Duration::from_millis(500));
        match courier.call(Method::Update, Priority::Progress, patience, arguments).await {
            Ok(_) => self.tasks.shown(),
            Err(SlackError::RateLimited { .. }) => self.touch(),
            Err(error) => tracing::debug!(%error, "a progress message was not updated"),
        }
    }

    /// The progress message as it should be now.
    pub fn progress(&self, stop_button: bool) -> Value {
        let mut text = self.tasks.lines();
        let tail: Vec<char> = self.step.chars().rev().take(600).collect();
        let tail: String = tail.into_iter().rev().collect();
        if !tail.trim().is_empty() {
            text = format!("{text}\n\n{}", escape_mrkdwn(&tail));
        }
        let text = cut(&text, 2_900);
        let mut blocks = vec![json!({ "type": "section", "text": { "type": "mrkdwn", "text": text } })];
        if stop_button {
            blocks.push(json!({
                "type": "actions",
                "block_id": "progress",
                "elements": [{
                    "type": "button",
                    "action_id": buttons::STOP,
                    "style": "danger",
                    "text": { "type": "plain_text", "text": say::STOP },
                    "value": self.turn.as_str(),
                }],
            }));
        }
        json!({ "text": text, "blocks": blocks })
    }

    /// Ends what runs, without ending the turn: a question follows, or another message of its own.
    pub async fn close(&mut self, courier: &Courier) {
        self.tasks.rest();
        match std::mem::replace(&mut self.surface, Surface::Closed) {
            Surface::Closed => {}
            Surface::Streaming(stream) => {
                let rest = if self.overflowed { String::new() } else { self.take_rest() };
                let marker = part_marker(&self.turn, self.messages);
                match stream.stop(courier, &rest, self.tasks.chunks(), &[], &marker).await {
                    Ok(()) => self.tasks.shown(),
                    Err(error) => tracing::debug!(%error, "a stream did not end as it should"),
                }
            }
            Surface::Progress { ts, updated } => {
                self.surface = Surface::Progress { ts, updated };
                self.finish_progress(courier).await;
            }
        }
        self.waiting_since = None;
    }

    /// Leaves the progress message as a record, without its button.
    pub async fn finish_progress(&mut self, courier: &Courier) {
        let Surface::Progress { ts, .. } = std::mem::replace(&mut self.surface, Surface::Closed) else {
            return;
        };
        self.tasks.rest();
        let text = self.tasks.lines();
        let form = json!({
            "text": text,
            "blocks": [{ "type": "section", "text": { "type": "mrkdwn", "text": text } }],
        });
        if courier.rewrite(&ts, &[form], &progress_marker(&self.turn)).await.is_ok() {
            self.tasks.shown();
        }
    }
}

/// Marks the progress message of a turn.
pub(super) fn progress_marker(turn: &TurnId) -> Marker {
    Marker::new(buttons::PROGRESS, [("turn", turn.as_str())])
}

/// Marks an earlier message of a turn that went on in another one.
pub(super) fn part_marker(turn: &TurnId, number: usize) -> Marker {
    Marker::new(buttons::PART, [("turn", turn.as_str()), ("stream", &number.to_string())])
}
