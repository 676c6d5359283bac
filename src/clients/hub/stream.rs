//! Answers that come bit by bit: logs, events, large files.
//!
//! Owns [`Streaming`] (bytes), [`Lines`] and [`Events`] (server-sent events). No total time-out, but one
//! for silence. Never reconnects: whoever follows decides from where. Start at [`Hub::stream`].

use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use reqwest::Response;
use reqwest::header::HeaderMap;

use super::ask::Ask;
use super::{Hub, HubError};

/// Bytes of one line that are kept; the rest of a longer one is left out.
const LINE: usize = 256 * 1024;
/// Bytes of one event's data that are kept.
const EVENT: usize = 1024 * 1024;

/// A body as it comes.
#[derive(Debug)]
pub struct Streaming {
    response: Response,
    idle: Duration,
}

impl Hub {
    /// Sends a request and gives its body as it comes. Silence for longer than `idle` is an error
    /// ([`HubError::Unreachable`]); how long the whole takes is not bounded.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn stream(&self, ask: Ask, idle: Duration) -> Result<Streaming, HubError> {
        let unbounded = ask.unbounded();
        let response = tokio::time::timeout(idle, self.send(&unbounded)).await.map_err(|_| silence())??;
        Ok(Streaming { response, idle })
    }
}

fn silence() -> HubError {
    HubError::Unreachable("nothing came for too long".to_owned())
}

impl Streaming {
    /// Its status.
    #[must_use]
    pub fn status(&self) -> reqwest::StatusCode {
        self.response.status()
    }

    /// Its headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// The next bytes; `None` at the end.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, HubError> {
        let chunk = tokio::time::timeout(self.idle, self.response.chunk()).await.map_err(|_| silence())?;
        chunk.map_err(|error| HubError::unreachable(&error))
    }

    /// Its lines.
    pub fn lines(self) -> Lines {
        Lines { from: self, buffer: BytesMut::new(), ended: false, skipping: false }
    }

    /// Its events, if it is a stream of server-sent events.
    pub fn events(self) -> Events {
        Events(self.lines())
    }
}

/// Lines of a body as it comes, without their ends. What is no UTF-8 is replaced.
#[derive(Debug)]
pub struct Lines {
    from: Streaming,
    buffer: BytesMut,
    ended: bool,
    /// The rest of a line that was too long is being left out.
    skipping: bool,
}

impl Lines {
    /// The next line; `None` at the end. A last line without an end counts.
    pub async fn next(&mut self) -> Result<Option<String>, HubError> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line = self.buffer.split_to(end);
                self.buffer.advance(1);
                if !std::mem::take(&mut self.skipping) {
                    return Ok(Some(text(&line)));
                }
                continue;
            }
            if self.skipping {
                self.buffer.clear();
            } else if self.buffer.len() >= LINE {
                self.skipping = true;
                return Ok(Some(text(&self.buffer.split_to(LINE))));
            }
            if self.ended {
                let last = std::mem::take(&mut self.buffer);
                return Ok((!last.is_empty()).then(|| text(&last)));
            }
            match self.from.chunk().await? {
                Some(chunk) => self.buffer.extend_from_slice(&chunk),
                None => self.ended = true,
            }
        }
    }
}

fn text(line: &[u8]) -> String {
    String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)).into_owned()
}

/// One server-sent event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Event {
    /// Its type; empty for a plain message.
    pub kind: String,
    /// Its id, if it has one.
    pub id: Option<String>,
    /// Its data; several lines are joined.
    pub data: String,
}

/// The events of a body as they come. Comments (keep-alives) only end the silence.
#[derive(Debug)]
pub struct Events(Lines);

impl Events {
    /// The next event with data; `None` at the end. An event that was cut off at the end is left out.
    pub async fn next(&mut self) -> Result<Option<Event>, HubError> {
        let mut event = Event::default();
        let mut lines = 0usize;
        while let Some(line) = self.0.next().await? {
            if line.is_empty() {
                if lines > 0 {
                    return Ok(Some(event));
                }
                event = Event::default();
                continue;
            }
            let (field, value) = line.split_once(':').unwrap_or((&line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "data" if event.data.len() + value.len() <= EVENT => {
                    if lines > 0 {
                        event.data.push('\n');
                    }
                    event.data.push_str(value);
                    lines += 1;
                }
                "event" => value.clone_into(&mut event.kind),
                "id" => event.id = Some(value.to_owned()),
                _ => {}
            }
        }
        Ok(None)
    }
}
