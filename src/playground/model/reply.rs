//! What a scripted model may say, and how it may fail while it says it.
//!
//! Data with a builder; never touches the network. Start at [`Reply::says`].

use std::time::Duration;

use serde_json::Value;

/// Tokens, as the provider counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Tokens of the request, cached ones included.
    pub prompt: u64,
    /// Tokens of the answer.
    pub completion: u64,
    /// Tokens of the request that came from the cache.
    pub cached: u64,
}

/// How an answer ends.
#[derive(Debug, Clone, PartialEq)]
pub enum Ending {
    /// As it should, with `[DONE]`.
    Done,
    /// The stream ends without `[DONE]` and without a finish reason.
    Eof,
    /// The connection is cut after so many events.
    CutAfter(usize),
    /// Nothing more comes after so many events, and the connection stays open.
    HangAfter(usize),
    /// Not an answer at all.
    Error {
        /// HTTP status.
        status: u16,
        /// Body.
        body: String,
        /// `Retry-After`, in seconds.
        retry_after: Option<u64>,
    },
}

/// One answer of the model.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    pub(in crate::playground) thinking: String,
    pub(in crate::playground) text: String,
    pub(in crate::playground) calls: Vec<(String, String)>,
    pub(super) pieces: usize,
    pub(super) pause: Option<Duration>,
    pub(super) usage: Usage,
    pub(super) finish: Option<String>,
    pub(super) ending: Ending,
}

impl Reply {
    fn empty() -> Self {
        let usage = Usage { prompt: 100, completion: 20, cached: 0 };
        Self {
            thinking: String::new(),
            text: String::new(),
            calls: Vec::new(),
            pieces: 4,
            pause: None,
            usage,
            finish: None,
            ending: Ending::Done,
        }
    }

    /// Says this, in a few pieces.
    #[must_use]
    pub fn says(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::empty() }
    }

    /// Asks for these tool calls, in this order.
    #[must_use]
    pub fn calls<N: Into<String>>(calls: impl IntoIterator<Item = (N, Value)>) -> Self {
        Self::says("").and_calls(calls)
    }

    /// Asks for a tool call with these very arguments, JSON or not.
    #[must_use]
    pub fn calls_raw(name: &str, arguments: &str) -> Self {
        Self { calls: vec![(name.to_owned(), arguments.to_owned())], ..Self::empty() }
    }

    /// Fails with this status and body.
    #[must_use]
    pub fn error(status: u16, body: impl Into<String>) -> Self {
        Self { ending: Ending::Error { status, body: body.into(), retry_after: None }, ..Self::empty() }
    }

    /// Also asks for these tool calls.
    #[must_use]
    pub fn and_calls<N: Into<String>>(mut self, calls: impl IntoIterator<Item = (N, Value)>) -> Self {
        self.calls.extend(calls.into_iter().map(|(name, arguments)| (name.into(), arguments.to_string())));
        self
    }

    /// Thinks this first.
    #[must_use]
    pub fn thinking(self, thinking: impl Into<String>) -> Self {
        Self { thinking: thinking.into(), ..self }
    }

    /// Says each part in so many pieces.
    #[must_use]
    pub fn in_pieces(self, pieces: usize) -> Self {
        Self { pieces, ..self }
    }

    /// Pauses before each piece.
    #[must_use]
    pub fn slowly(self, pause: Duration) -> Self {
        Self { pause: Some(pause), ..self }
    }

    /// Reports these tokens.
    #[must_use]
    pub fn using(self, usage: Usage) -> Self {
        Self { usage, ..self }
    }

    /// Finishes for this reason, whatever it said.
    #[must_use]
    pub fn finishing(self, reason: &str) -> Self {
        Self { finish: Some(reason.to_owned()), ..self }
    }

    /// Ends like this.
    #[must_use]
    pub fn ending(self, ending: Ending) -> Self {
        Self { ending, ..self }
    }

    /// With this `Retry-After`, in seconds; only an error carries it.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        if let Ending::Error { retry_after, .. } = &mut self.ending {
            *retry_after = Some(seconds);
        }
        self
    }

    pub(super) fn finish_reason(&self) -> &str {
        match &self.finish {
            Some(reason) => reason,
            None if self.calls.is_empty() => "stop",
            None => "tool_calls",
        }
    }
}
