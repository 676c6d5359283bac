//! The port: whose money pays for what runs, and whether there is enough of it.
//!
//! Owns [`Purse`] and its words. The loop reserves before it runs something, and settles with what it
//! cost or releases; it never keeps sums itself. Start at [`Purse::reserve`].

use async_trait::async_trait;

use super::Session;
use crate::protocol::{Account, Balance, PersonId, Reservation, SessionKey};

/// Who pays for one thing that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payers {
    /// The session.
    pub session: SessionKey,
    /// Who asked for it, if a person did.
    pub person: Option<PersonId>,
    /// The channel it happens in, if there is one.
    pub channel: Option<String>,
}

impl Payers {
    /// Who pays for what this session's turn in hand (or its last one) does.
    #[must_use]
    pub fn of(session: &Session) -> Self {
        Self {
            session: session.head.key.clone(),
            person: session.head.turn.as_ref().map(|turn| turn.requester.id.clone()),
            channel: session.head.origin.channel.clone(),
        }
    }
}

/// Money that is wanted before something runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// Names this one try; a later try of the same thing has another id.
    pub id: String,
    /// Who pays.
    pub payers: Payers,
    /// What for: a model's id or a tool's name.
    pub purpose: String,
    /// How much, in micro-dollars.
    pub amount: u64,
}

/// What became of a wish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pledge {
    /// It is set aside.
    Held,
    /// This account has not enough left; nothing was set aside anywhere.
    Short(Standing),
}

/// How one account stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Which.
    pub account: Account,
    /// Its limit in micro-dollars, if it has one.
    pub limit: Option<u64>,
    /// What is spent and set aside.
    pub balance: Balance,
    /// When it begins anew, in words (`2026-12-01 00:00 UTC`); `None` if it never does.
    pub resets: Option<String>,
}

/// The ledger could not be read or written: nothing may be spent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the ledger of budgets cannot be used: {0}")]
pub struct PurseError(pub String);

/// Whose money pays. Every amount in micro-dollars.
#[async_trait]
pub trait Purse: Send + Sync {
    /// Sets money aside with everyone who pays, or with nobody.
    async fn reserve(&self, wish: &Wish) -> Result<Pledge, PurseError>;
    /// Replaces what was set aside by what it really cost.
    async fn settle(&self, id: &str, cost: u64) -> Result<(), PurseError>;
    /// Gives back what was set aside: it never ran.
    async fn release(&self, id: &str) -> Result<(), PurseError>;
    /// Counts as spent what nobody set aside before: its cost was known only afterwards.
    async fn spend(&self, wish: &Wish) -> Result<(), PurseError>;
    /// What is set aside for a session and neither settled nor released.
    async fn open(&self, session: &SessionKey) -> Result<Vec<Reservation>, PurseError>;
    /// How the accounts of these payers stand: session, then person, channel and team by day and month.
    async fn standing(&self, payers: &Payers) -> Result<Vec<Standing>, PurseError>;
}

/// A purse without a bottom that counts nothing: for a loop that runs without a store.
pub struct Bottomless;

#[async_trait]
impl Purse for Bottomless {
    async fn reserve(&self, _: &Wish) -> Result<Pledge, PurseError> {
        Ok(Pledge::Held)
    }
    async fn settle(&self, _: &str, _: u64) -> Result<(), PurseError> {
        Ok(())
    }
    async fn release(&self, _: &str) -> Result<(), PurseError> {
        Ok(())
    }
    async fn spend(&self, _: &Wish) -> Result<(), PurseError> {
        Ok(())
    }
    async fn open(&self, _: &SessionKey) -> Result<Vec<Reservation>, PurseError> {
        Ok(Vec::new())
    }
    async fn standing(&self, _: &Payers) -> Result<Vec<Standing>, PurseError> {
        Ok(Vec::new())
    }
}
