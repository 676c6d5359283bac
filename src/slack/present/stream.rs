//! One native stream: started, fed, rotated before Slack ends it, stopped.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::markdown::{closing, cut, open_fence};
use super::post::{Courier, Marker};
use crate::clients::slack::{Method, Priority, Retry, SlackError};

/// Slack ends a stream after about five minutes, whatever is appended.
pub const LIFE: Duration = Duration::from_secs(4 * 60);
/// Characters in one streamed message.
pub const ROOM: usize = 10_000;
/// How long progress waits for its place before it is put off.
const PATIENCE: Duration = Duration::from_millis(800);
/// How long a start may wait: beyond that, posting is quicker.
const START_PATIENCE: Duration = Duration::from_secs(2);
/// What one append takes of text.
const APPEND: usize = 8_000;

/// A running stream.
#[derive(Debug)]
pub struct Stream {
    ts: String,
    started: Instant,
    text: String,
}

impl Stream {
    /// Starts a stream for this person.
    ///
    /// # Errors
    /// If streaming is refused or has to wait.
    pub async fn start(courier: &Courier, recipient: &str) -> Result<Self, SlackError> {
        let arguments = json!({
            "channel": courier.place.channel,
            "thread_ts": courier.place.thread_ts,
            "recipient_user_id": recipient,
            "recipient_team_id": courier.place.team,
            "task_display_mode": "plan",
        });
        let answer = courier
            .call(Method::StartStream, Priority::Progress, Retry::Within(START_PATIENCE), arguments)
            .await?;
        let ts = answer["ts"]
            .as_str()
            .ok_or_else(|| SlackError::Transport("the stream has no time".to_owned()))?;
        Ok(Self { ts: ts.to_owned(), started: Instant::now(), text: String::new() })
    }

    /// Whether it must make room for a new one.
    #[must_use]
    pub fn is_spent(&self) -> bool {
        self.started.elapsed() >= LIFE || self.is_full()
    }

    /// Whether its message takes no more text.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.text.chars().count() > ROOM
    }

    /// When it must have made room for a new one, whether or not there is something to show.
    #[must_use]
    pub fn spent_at(&self) -> Instant {
        self.started + LIFE
    }

    /// Characters that still fit.
    #[must_use]
    pub fn room(&self) -> usize {
        (ROOM + 1_000).saturating_sub(self.text.chars().count()).min(APPEND)
    }

    /// Adds text (safe Markdown) and tasks.
    ///
    /// # Errors
    /// `RateLimited` if it was put off, nothing was sent; else the stream is of no use any more.
    pub async fn append(
        &mut self,
        courier: &Courier,
        text: &str,
        tasks: Vec<Value>,
    ) -> Result<(), SlackError> {
        let chunks = chunks(text, tasks);
        if chunks.is_empty() {
            return Ok(());
        }
        let arguments = json!({ "channel": courier.place.channel, "ts": self.ts, "chunks": chunks });
        courier.call(Method::AppendStream, Priority::Progress, Retry::Within(PATIENCE), arguments).await?;
        self.text.push_str(text);
        Ok(())
    }

    /// Ends it with a last piece of text, last tasks, and blocks below.
    ///
    /// # Errors
    /// If it did not end as wanted.
    pub async fn stop(
        &self,
        courier: &Courier,
        text: &str,
        tasks: Vec<Value>,
        blocks: &[Value],
        marker: &Marker,
    ) -> Result<(), SlackError> {
        let mut arguments = json!({
            "channel": courier.place.channel,
            "ts": self.ts,
            "metadata": marker.metadata(),
        });
        let chunks = chunks(text, tasks);
        if !chunks.is_empty() {
            arguments["chunks"] = json!(chunks);
        }
        if !blocks.is_empty() {
            arguments["blocks"] = json!(blocks);
        }
        courier.call(Method::StopStream, Priority::Final, Retry::MustArrive, arguments).await.map(|_| ())
    }

    /// What closes, and what opens again, the fence that a cut behind `rest` would leave open.
    #[must_use]
    pub fn seam(&self, rest: &str) -> Option<(String, String)> {
        let text = format!("{}{rest}", self.text);
        let fence = open_fence(&text)?;
        let end = if text.ends_with('\n') { "" } else { "\n" };
        Some((format!("{end}{}", closing(&fence)), format!("{}\n", cut(&fence, 30))))
    }
}

fn chunks(text: &str, tasks: Vec<Value>) -> Vec<Value> {
    let mut chunks = tasks;
    if !text.is_empty() {
        chunks.push(json!({ "type": "markdown_text", "text": text }));
    }
    chunks
}

/// Text that waits to be streamed, cut so that no piece begins with white space (Slack drops that at
/// the joins) and no tag is torn in two.
#[derive(Debug, Default)]
pub struct Pending(String);

/// So much text without any white space is sent anyway.
const LONGEST_WORD: usize = 2_000;

impl Pending {
    /// Takes back the text of a step, as far as it still waits here; gives what of it was shown.
    pub fn take_back<'a>(&mut self, step: &'a str) -> &'a str {
        if let Some(kept) = self.0.strip_suffix(step) {
            self.0.truncate(kept.len());
            return "";
        }
        let shown = step.strip_suffix(self.0.as_str()).unwrap_or(step);
        self.0.clear();
        shown
    }

    /// Adds raw text.
    pub fn push(&mut self, text: &str) {
        self.0.push_str(text);
    }

    /// Puts text before all that waits.
    pub fn put_back(&mut self, text: &str) {
        self.0.insert_str(0, text);
    }

    /// All that waits, raw.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Forgets all that waits.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Takes all.
    pub fn take_all(&mut self) -> String {
        std::mem::take(&mut self.0)
    }

    /// Takes what may go out now, at most `room` characters.
    pub fn take(&mut self, room: usize) -> String {
        let limit = self.0.char_indices().nth(room).map_or(self.0.len(), |(at, _)| at);
        let mut end = 0;
        let mut white = false;
        for (at, letter) in self.0.char_indices().take_while(|(at, _)| *at < limit) {
            if white && !letter.is_whitespace() {
                end = at;
            }
            white = letter.is_whitespace();
        }
        if end == 0 && limit > LONGEST_WORD {
            // Never between the first characters of a tag.
            let tag = self.0[..limit].rfind(['<', '@']).filter(|at| limit - at < 40 && *at > 0);
            end = tag.unwrap_or(limit);
        }
        let rest = self.0.split_off(end);
        std::mem::replace(&mut self.0, rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_piece_begins_with_white_space_and_none_is_lost() {
        let text = "Hello  world,\n\n this is <!channel> a test.\n\n\nEnd";
        let mut pending = Pending::default();
        let mut pieces: Vec<String> = Vec::new();
        for letter in text.chars() {
            pending.push(&letter.to_string());
            let piece = pending.take(8_000);
            if !piece.is_empty() {
                pieces.push(piece);
            }
        }
        pieces.push(pending.take_all());
        assert_eq!(pieces.concat(), text);
        assert!(pieces.iter().all(|piece| !piece.starts_with(char::is_whitespace)), "{pieces:?}");
        assert!(pieces.iter().any(|piece| piece.contains("<!channel>")), "{pieces:?}");
    }

    #[test]
    fn an_endless_word_goes_out_but_never_tears_a_tag() {
        let mut pending = Pending::default();
        pending.push(&format!("{}<!chan", "x".repeat(2_500)));
        assert_eq!(pending.take(8_000).len(), 2_500);
        pending.push("nel> after");
        assert_eq!(pending.take(8_000), "<!channel> ");
    }
}
