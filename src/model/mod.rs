//! One stream of deltas and one completion, whatever the provider.
//!
//! Owns the trait [`Model`] and what a provider needs: request, stream, error classes, retry.
//! Never decides what to do with an answer. Provider dialects live behind `genai` in one adapter;
//! nothing of genai's leaves this room.
//!
//! Start at [`Model`]. [`Providers`] is the real one, [`Retrying`] the wrapper that waits, repeats and
//! leaves out what a model refuses. Inside: `provider` reads ids, `catalogue` (with `listing` and `kept`)
//! knows windows and prices, `history` orders the transcript, `adapter` speaks genai, `answer` reads what
//! comes back, `fault` and `classify` read errors.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::protocol::{Item, Price, ProposedCall, SessionKey, Thought, ToolSpec, Usage};

mod adapter;
mod answer;
mod catalogue;
mod classify;
mod describe;
pub mod effort;
mod fault;
mod frames;
mod heal;
mod history;
mod kept;
mod listing;
mod provider;
mod providers;
mod redact;
pub mod retry;

pub use describe::{Described, Host, SUGGESTED};
#[cfg(test)]
pub(crate) use history::{Ordered, ordered};
pub use providers::Providers;
pub use retry::{Retrying, Schedule};

/// What is asked of a model in one step.
#[derive(Debug, Clone)]
pub struct Request {
    /// `provider/model`.
    pub model: String,
    /// The system prompt; the same from step to step, so that providers can cache it.
    pub system: Arc<str>,
    /// The transcript.
    pub items: Vec<Arc<Item>>,
    /// The tools, in a fixed order.
    pub tools: Arc<[ToolSpec]>,
    /// Reasoning effort: `minimal`, `low`, `medium`, `high`, `xhigh` or `max`.
    pub effort: Option<String>,
    /// Names the conversation for providers that route or cache by it.
    pub session: SessionKey,
    /// How the answer is wanted.
    pub delivery: Delivery,
}

/// How an answer is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Piece by piece.
    Streamed,
    /// Whole.
    Whole,
}

/// A piece of an answer on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delta {
    /// Visible text.
    Text(String),
    /// Reasoning.
    Thought(String),
    /// Everything sent so far is void: the attempt is being repeated.
    Restart,
    /// A remark for people: a wait, a retry.
    Remark(String),
}

/// Where deltas go. Must not block for long; the model waits for it.
#[async_trait]
pub trait DeltaSink: Send + Sync {
    /// Takes one.
    async fn send(&self, delta: Delta);
}

/// A whole answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Completion {
    /// Visible text.
    pub text: String,
    /// Reasoning, to be sent back next time.
    pub thoughts: Vec<Thought>,
    /// Tool calls in order. Arguments that are no JSON object stay as a JSON string of the raw text.
    pub calls: Vec<ProposedCall>,
    /// Tokens, and cost where known.
    pub usage: Usage,
    /// Why it ended.
    pub finish: Finish,
}

/// Why an answer ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Finish {
    /// It was complete (or asks for tools).
    #[default]
    Complete,
    /// The output limit cut it.
    Length,
    /// The provider withheld it.
    Filtered,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// It may work later: rate limits, overload, lost connections. Never leaves the retrying wrapper
    /// until its attempts are used up.
    #[error("{reason}")]
    Wait {
        /// In plain words.
        reason: String,
        /// What kind of trouble, which decides how long to wait.
        kind: Trouble,
        /// The provider's own wish.
        after: Option<Duration>,
    },
    /// The request is too long for the model's window.
    #[error("{reason}")]
    Shrink {
        /// In plain words.
        reason: String,
    },
    /// The request has something this model refuses (effort, a stale signature) that can be left out.
    #[error("{reason}")]
    Repair {
        /// In plain words.
        reason: String,
        /// What to leave out.
        part: Repairable,
    },
    /// It will not work until somebody does something.
    #[error("{reason}")]
    Stop {
        /// In plain words.
        reason: String,
        /// What to do.
        hint: String,
    },
    /// It was cancelled.
    #[error("the model call was cancelled")]
    Cancelled,
}

/// What kind of passing trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Too many requests.
    RateLimit,
    /// Overload, server errors, lost connections, time-outs.
    Transient,
}

/// What a provider refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repairable {
    /// The reasoning effort; a lower one may do.
    Effort,
    /// Reasoning effort of any kind: the model does not think.
    Thinking,
    /// Reasoning that was sent back.
    Thoughts,
}

/// A model, or a whole set of them behind their ids.
#[async_trait]
pub trait Model: Send + Sync {
    /// Answers one request. Sends deltas as they come (if streamed); gives the whole answer at the end.
    async fn answer(
        &self,
        request: &Request,
        deltas: &dyn DeltaSink,
        cancel: &CancellationToken,
    ) -> Result<Completion, ModelError>;

    /// Says whether an id can be used (form and credentials), without calling the provider.
    fn check(&self, model: &str) -> Result<(), ModelError>;

    /// What is known of a model. May ask its provider's catalogue, for some seconds at most and not
    /// again while the answer is fresh; what nobody knows is assumed (the window) or missing (the price).
    async fn facts(&self, model: &str) -> Facts;

    /// What people should know before they choose a model. Asks its provider's catalogue as
    /// [`Model::facts`] does.
    async fn describe(&self, model: &str) -> Described {
        Described { facts: self.facts(model).await, ..Described::default() }
    }

    /// Asks a model for a word, to see whether it answers and takes this very effort: what its wire cannot
    /// say is refused as [`ModelError::Repair`] without asking. Gives the tokens that this used.
    ///
    /// # Errors
    /// What a real call would meet, unretried.
    async fn ping(
        &self,
        model: &str,
        effort: Option<&str>,
        cancel: &CancellationToken,
    ) -> Result<Usage, ModelError> {
        let request = Request {
            model: model.to_owned(),
            system: "".into(),
            items: vec![Arc::new(Item::Synthetic { text: "ping".to_owned() })],
            tools: Arc::new([]),
            effort: effort.map(str::to_owned),
            session: "ping".into(),
            delivery: Delivery::Whole,
        };
        self.answer(&request, &Unseen, cancel).await.map(|answer| answer.usage)
    }

    /// Remembers what a model takes of a wished effort, so that later calls ask for that at once.
    fn remember_effort(&self, _model: &str, _wish: &str, _taken: Option<String>) {}

    /// Forgets what is remembered of a model's efforts.
    fn forget_efforts(&self, _model: &str) {}
}

/// Drops what it is given.
pub struct Unseen;

#[async_trait]
impl DeltaSink for Unseen {
    async fn send(&self, _: Delta) {}
}

/// What is known of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// Tokens that its window holds.
    pub window: u64,
    /// What it costs; `None` if nobody knows.
    pub price: Option<Price>,
    /// Whether it can call tools; `None` if nobody knows.
    pub tools: Option<bool>,
}

impl Facts {
    /// What is assumed of a model that nobody knows.
    pub const ASSUMED: Self = Self { window: DEFAULT_WINDOW, price: None, tools: None };

    /// These tokens with what they cost. Where the price is unknown the call counts as unpriced, and its
    /// cost as nothing yet.
    #[must_use]
    pub fn priced(&self, usage: &Usage) -> Usage {
        match self.price {
            Some(price) => Usage { cost: price.of(usage), unpriced: 0, ..*usage },
            None => Usage { cost: 0, unpriced: 1, ..*usage },
        }
    }
}

/// The window that is assumed of a model nobody knows, in tokens.
pub const DEFAULT_WINDOW: u64 = 200_000;

/// A tool's schema that takes no arguments.
#[must_use]
pub fn no_arguments() -> Value {
    serde_json::json!({ "type": "object", "properties": {}, "additionalProperties": false })
}

#[async_trait]
impl<M: Model + ?Sized> Model for Arc<M> {
    async fn answer(
        &self,
        request: &Request,
        deltas: &dyn DeltaSink,
        cancel: &CancellationToken,
    ) -> Result<Completion, ModelError> {
        (**self).answer(request, deltas, cancel).await
    }

    fn check(&self, model: &str) -> Result<(), ModelError> {
        (**self).check(model)
    }

    async fn facts(&self, model: &str) -> Facts {
        (**self).facts(model).await
    }

    async fn describe(&self, model: &str) -> Described {
        (**self).describe(model).await
    }

    async fn ping(
        &self,
        model: &str,
        effort: Option<&str>,
        cancel: &CancellationToken,
    ) -> Result<Usage, ModelError> {
        (**self).ping(model, effort, cancel).await
    }

    fn remember_effort(&self, model: &str, wish: &str, taken: Option<String>) {
        (**self).remember_effort(model, wish, taken);
    }

    fn forget_efforts(&self, model: &str) {
        (**self).forget_efforts(model);
    }
}
