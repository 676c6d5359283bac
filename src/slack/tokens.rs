//! The port behind which people's own Hub tokens are kept.
//!
//! Owns what can be asked there and what comes of it. A token goes in and never comes out again.

use async_trait::async_trait;

use crate::protocol::PersonId;
use crate::secret::Secret;

/// Keeps people's own Hub tokens.
#[async_trait]
pub trait TokenDesk: Send + Sync {
    /// Asks the Hub whose token it is, within bounds of time, and keeps it for this person in the place of an
    /// earlier one.
    async fn give(&self, person: &PersonId, token: Secret) -> Given;
    /// Whose account this person's requests are made with.
    async fn held(&self, person: &PersonId) -> Held;
    /// Forgets this person's token.
    async fn remove(&self, person: &PersonId) -> Removed;
}

/// What came of a token that was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// It is kept.
    Kept {
        /// Whose account it is.
        account: String,
        /// What it may do, if the Hub says: `read`, `write`, `fineGrained`.
        role: Option<String>,
    },
    /// It does not look like a token of the Hub, so it was not even sent there.
    Shapeless,
    /// The Hub does not take it.
    Refused,
    /// The Hub could not say.
    Unsure(String),
    /// The bot works with its own account for everybody.
    NotWanted,
    /// It could not be written down.
    NotSaved,
}

/// Whose account somebody's requests are made with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// Their own, which they gave.
    Own {
        /// Its name.
        account: String,
    },
    /// Their own, which the operator set up.
    SetUp,
    /// The bot's.
    Bots,
    /// Nobody's: what is public can be read, nothing else.
    Nobodys,
    /// What is kept cannot be read just now.
    Unknown,
}

/// What came of forgetting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removed {
    /// It is forgotten; whose account is used now.
    Gone(Held),
    /// There was none.
    Nothing(Held),
    /// It could not be done.
    NotSaved,
}
