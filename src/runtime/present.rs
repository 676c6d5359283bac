//! The port that front doors fill: showing a session's events where people are.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;

use crate::protocol::{Event, Heard, Operation, Origin, SessionHead, SessionKey};

/// How a presenter is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// Nothing of this turn was shown by a worker that then vanished.
    Fresh,
    /// A worker may have died after showing something and before saving that it did: look before
    /// posting anything that must not appear twice.
    Recovered,
}

/// Opens presenters for one front door.
#[async_trait]
pub trait Presenters: Send + Sync {
    /// A presenter for this session, for as long as one worker holds it.
    async fn open(&self, session: &SessionHead, opening: Opening) -> Arc<dyn Presenter>;

    /// What others said in this place before `first`, oldest first; empty where that means nothing.
    async fn heard(&self, session: &SessionHead, first: &Operation) -> Vec<Heard>;

    /// A link that opens the session's place, for notices.
    async fn link(&self, session: &SessionHead) -> Option<String>;

    /// A new place in which this session can go on, opened because of `cause`: the same one each time
    /// for the same cause, whatever crashed in between. `None` if this door has no other places.
    ///
    /// # Errors
    /// If it could not be opened.
    async fn branch(&self, session: &SessionHead, cause: &Operation) -> Result<Option<Branch>, PresentError>;
}

/// A new place in which a session goes on.
#[derive(Debug, Clone, PartialEq)]
pub struct Branch {
    /// The session there.
    pub session: SessionKey,
    /// Where it lives.
    pub origin: Origin,
    /// In words: where.
    pub words: String,
    /// A link, if the place has an address.
    pub link: Option<String>,
}

/// Shows the events of one session while one worker holds it.
#[async_trait]
pub trait Presenter: Send + Sync {
    /// Takes an event in. Never fails and never waits for the outside: it buffers, coalesces, and
    /// shows in the background, in order.
    fn show(&self, event: &Event);

    /// Waits until everything that must arrive has arrived (questions, decided cards, answers, errors),
    /// and gives what must be remembered for the next worker. Called after a turn ended or began to wait.
    async fn settle(&self) -> Result<Value, PresentError>;
}

/// Why something that must arrive did not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PresentError {
    /// It may work later.
    #[error("could not show it yet: {0}")]
    Later(String),
    /// The place is gone (channel archived, bot removed); nobody can be told there.
    #[error("nobody can be told: {0}")]
    Never(String),
}
