//! Tokens and money. Amounts are integers of micro-dollars.

use serde::{Deserialize, Serialize};

/// What a model call, a turn or a session used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Prompt tokens, cached ones included.
    pub input_tokens: u64,
    /// Of those, read from the provider's cache.
    pub cached_tokens: u64,
    /// Of those, written to the provider's cache.
    pub cache_write_tokens: u64,
    /// Completion tokens, reasoning included.
    pub output_tokens: u64,
    /// Of those, reasoning.
    pub reasoning_tokens: u64,
    /// Cost in micro-dollars; `None` while any part of it is unknown.
    pub cost: Option<u64>,
}

impl Usage {
    /// Adds another measurement. An unknown cost makes the sum's cost unknown.
    pub fn add(&mut self, other: &Self) {
        let first = self.total_tokens() == 0 && self.cost.is_none();
        self.input_tokens += other.input_tokens;
        self.cached_tokens += other.cached_tokens;
        self.cache_write_tokens += other.cache_write_tokens;
        self.output_tokens += other.output_tokens;
        self.reasoning_tokens += other.reasoning_tokens;
        self.cost = if first {
            other.cost
        } else {
            self.cost.zip(other.cost).map(|(mine, theirs)| mine.saturating_add(theirs))
        };
    }

    /// Prompt and completion together.
    #[must_use]
    pub fn total_tokens(&self) -> u64 {
        self.input_tokens + self.output_tokens
    }
}
