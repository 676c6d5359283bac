//! Where sessions are kept. Owns the ports and their backends; knows nothing of what a session does.
//!
//! Ports: [`Inbox`] (what comes in, and who works on what), [`Sessions`] (the saved truth),
//! [`Signals`] (wake-ups between tasks and processes), [`Ledger`] (money, the outbox of notices, and
//! the audit log, whose chain is in [`audit`]), [`Tickets`] (external work, and the registry of runs).
//! [`embedded`] is the backend on one file; `tests/store` is the conformance suite for every backend.
//! No write to a session without showing a [`Lease`], whose fencing number the store checks.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;

use crate::clock::Timestamp;
use crate::protocol::{
    Account, AuditEntry, AuditRecord, Balance, Door, Item, Notice, Operation, OperationId, Reservation,
    Reserved, SessionHead, SessionKey, TicketChange, TicketId,
};

pub mod audit;
pub mod embedded;
mod tickets;

pub use tickets::{Tickets, Watch, WatchSave};

/// What a store can answer with.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The lease was lost to another worker; what was being written was not saved.
    #[error("the lease on session {0} was lost")]
    Fenced(SessionKey),
    /// The watch on a ticket was lost to another process, or the ticket is closed; nothing was saved.
    #[error("the watch on {0} was lost")]
    Lost(TicketId),
    /// Another process holds this store; the text says which and what to do.
    #[error("{0}")]
    Locked(String),
    /// A saved record is not what this program writes; the text names it.
    #[error("{0}")]
    Unreadable(String),
    /// The disk is full, the file is damaged, and so on.
    #[error("the store failed: {0}")]
    Backend(String),
}

/// Shorthand.
pub type Result<T> = std::result::Result<T, StoreError>;

/// What became of a pushed operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed {
    /// It is durably in the inbox now.
    New,
    /// One with its id was there before; nothing changed.
    Seen,
}

/// The right to write to one session until it expires. Only the store makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The session.
    pub session: SessionKey,
    /// Grows with every claim; a write with an older one is refused.
    pub fence: u64,
    /// Until when, unless renewed.
    pub expires_at: Timestamp,
}

/// Which sessions a worker may claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claimable {
    /// Any session that lives behind this door.
    Behind(Door),
    /// This one session.
    Only(SessionKey),
}

/// What comes in, and who works on what.
#[async_trait]
pub trait Inbox: Send + Sync {
    /// Keeps an operation durably (power loss included) before it returns. Creates the session's
    /// row if there is none.
    async fn push(&self, operation: Operation) -> Result<Pushed>;
    /// Leases a runnable session (unread operations, or a head that wants work, and not held, and
    /// not set aside until later), oldest first. `None` if there is none.
    async fn claim(&self, claimable: &Claimable, ttl: Duration) -> Result<Option<Lease>>;
    /// Operations not yet consumed, in the order of arrival.
    async fn unread(&self, lease: &Lease) -> Result<Vec<Operation>>;
    /// Holds the lease for `ttl` from now. `Fenced` if it was lost.
    async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<Lease>;
    /// Gives the session back; with `not_before` it is set aside until then (or until a new
    /// operation arrives). Releasing a lost lease is harmless.
    async fn release(&self, lease: &Lease, not_before: Option<Timestamp>) -> Result<()>;
    /// Puts operations whose time has come into the inbox; gives the sessions concerned.
    async fn fire_due(&self, now: Timestamp) -> Result<Vec<SessionKey>>;
    /// Leases this session, runnable or not, to delete it or to take it over. `None` if somebody holds
    /// it, or if there is none. What it waits for is not lost: released, it is claimable again.
    async fn seize(&self, key: &SessionKey, ttl: Duration) -> Result<Option<Lease>>;
    /// Forgets what is kept only to recognise repetitions and was done before this moment: outcomes of
    /// notices, ids of operations of deleted sessions, closed reservations (their sums stay). Gives how
    /// many records. (Ids of consumed operations are forgotten by [`Inbox::fire_due`].)
    async fn prune(&self, before: Timestamp) -> Result<u64>;
    /// How many sessions behind this door are runnable or held right now.
    async fn busy(&self, claimable: &Claimable) -> Result<u64>;
}

/// What one step changes, saved in one transaction.
#[derive(Debug, Clone)]
pub struct Commit<'a> {
    /// The whole new head. `history_size` must be `keep` plus the length of `append`.
    pub head: &'a SessionHead,
    /// How many items stay, counted from the front; the rest is cut first.
    pub keep: u64,
    /// Items to add behind them.
    pub append: &'a [Arc<Item>],
    /// Operations whose effect is in this commit.
    pub consumed: &'a [OperationId],
    /// Operations to deliver later (the expiry of an approval).
    pub later: &'a [Later],
    /// Decisions to append to the audit log, in order.
    pub audit: &'a [AuditEntry],
    /// External work that has begun, and what people ask of it.
    pub tickets: &'a [TicketChange],
}

/// An operation to be delivered at a time.
#[derive(Debug, Clone, PartialEq)]
pub struct Later {
    /// When.
    pub at: Timestamp,
    /// What. A second one with the same id replaces the first.
    pub operation: Operation,
}

/// A session as loaded.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The head; `None` if the session was never committed.
    pub head: Option<SessionHead>,
    /// The transcript, in order.
    pub items: Vec<Arc<Item>>,
}

/// One line of a listing of sessions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Listed {
    /// The session.
    pub key: SessionKey,
    /// Its short name.
    pub title: Option<String>,
    /// When it was last written.
    pub updated_at: Timestamp,
    /// How many turns it has had.
    pub turns: u64,
    /// Behind which door it lives.
    pub door: Door,
    /// In which channel, where its door has channels.
    pub channel: Option<String>,
    /// How many items its transcript has.
    pub items: u64,
    /// The model that was set in it; `None` for the configured one.
    pub model: Option<String>,
}

/// Which sessions are looked for. [`Find::newest`] finds all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Find {
    /// Each of these words (the first eight) was said or is in the title, alone or as a part of another.
    /// Case does not matter.
    pub words: String,
    /// Only behind this door.
    pub door: Option<Door>,
    /// Only in this channel.
    pub channel: Option<String>,
    /// How many to leave out before the first one given.
    pub skip: u32,
    /// How many to give.
    pub limit: u32,
}

impl Find {
    /// The newest ones, whatever they are about.
    #[must_use]
    pub fn newest(limit: u32) -> Self {
        Self { words: String::new(), door: None, channel: None, skip: 0, limit }
    }

    /// Those in which these words were said.
    #[must_use]
    pub fn words(words: &str, limit: u32) -> Self {
        Self { words: words.to_owned(), ..Self::newest(limit) }
    }
}

/// The saved truth.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Head and transcript.
    async fn load(&self, key: &SessionKey) -> Result<Loaded>;
    /// Whether the session was ever opened: an operation for it was kept, saved head or not.
    async fn exists(&self, key: &SessionKey) -> Result<bool>;
    /// The head alone.
    async fn head(&self, key: &SessionKey) -> Result<Option<SessionHead>>;
    /// Saves one step, durably, if the lease still stands.
    async fn commit(&self, lease: &Lease, commit: Commit<'_>) -> Result<()>;
    /// Saved sessions, the one written last first. Words are looked for in titles, in what people and
    /// the agent said, and in summaries; not in what tools gave.
    async fn find(&self, find: &Find) -> Result<Vec<Listed>>;
    /// The newest sessions, newest first.
    async fn list(&self, limit: u32) -> Result<Vec<Listed>> {
        self.find(&Find::newest(limit)).await
    }
    /// Up to `limit` keys that begin with this text, in order.
    async fn keys(&self, beginning: &str, limit: u32) -> Result<Vec<SessionKey>>;
    /// When the session was last written to by a commit, or opened; `None` if there is none.
    async fn written(&self, key: &SessionKey) -> Result<Option<Timestamp>>;
    /// Up to `limit` sessions last written before this moment that have nothing to do and are not held,
    /// the oldest first, without the first `skip`.
    async fn idle(&self, before: Timestamp, skip: u32, limit: u32) -> Result<Vec<SessionKey>>;
    /// Deletes the session: transcript, head, operations, delayed ones, and what is kept for searching.
    /// The words are gone from every file of the store when this returns, unless somebody was reading
    /// it for seconds (then a warning is logged, and they go with the next deletion or at the end).
    /// The lease ends. Sums of money and the audit log stay: they hold no words. Redeliveries of its
    /// operations stay `Seen`; a new operation opens the place anew, from nothing.
    async fn delete(&self, lease: &Lease) -> Result<()>;
}

/// Wake-ups. A lost one is harmless: workers also look by themselves now and then.
pub trait Signals: Send + Sync {
    /// Tells whoever watches that this session has something new.
    fn wake(&self, key: &SessionKey);
    /// All wake-ups from now on. A receiver that lags should look at everything it holds.
    fn watch(&self) -> broadcast::Receiver<SessionKey>;
}

/// A notice on its way to a destination.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// Made from its cause (turn, event, destination), so that it is queued once.
    pub id: String,
    /// The destination's name.
    pub destination: String,
    /// What to send.
    pub notice: Notice,
    /// Tries so far, this one included once claimed.
    pub attempts: u32,
}

/// How a delivery went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivered {
    /// It arrived; `external_id` is the provider's name for it.
    Sent {
        /// The provider's name for it.
        external_id: String,
    },
    /// It did not; try again at this time.
    Again {
        /// When.
        at: Timestamp,
        /// Why, for the log.
        error: String,
    },
    /// It never will.
    Failed {
        /// Why.
        error: String,
    },
}

/// What must add up for ever: money, notices, decisions.
///
/// ```text
///            reserve         settle (the real cost is spent), unreserve (nothing is)
/// (nothing) ---------> open ---------------------------------------------------------> closed
///                       ^                                                                |
///                       +---------------- reserve with the same id ----------------------+
/// ```
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Sets money aside on every account of the reservation, or on none: `Over` names the first one
    /// whose limit would be exceeded by what is spent, what is set aside and this. An account named
    /// twice pays once.
    ///
    /// An id that is open already is `Held`, and nothing changes (whatever the amount). One that was
    /// settled or given back is set aside anew: the work behind it is being done a second time.
    ///
    /// # Errors
    /// `Backend` if the amount is beyond a billion dollars and no limit refused it before.
    async fn reserve(&self, reservation: Reservation) -> Result<Reserved>;
    /// Replaces what is set aside by what it really cost, in micro-dollars, on every account, even if
    /// that is more than was set aside. Closed already, nothing changes.
    ///
    /// # Errors
    /// `Backend` if nothing was ever set aside under this id.
    async fn settle(&self, id: &str, cost: u64) -> Result<()>;
    /// Gives back what is set aside: nothing was spent. Closed already or unknown, nothing changes.
    async fn unreserve(&self, id: &str) -> Result<()>;
    /// Counts money as spent that nobody set aside before (its cost was known only afterwards), once
    /// per id; no limit holds it up, as it is gone. A reservation that is open under this id is
    /// settled with the amount.
    async fn spend(&self, spent: Reservation) -> Result<()>;
    /// What is set aside for a session and not closed (by a process that died, if none works on it),
    /// oldest first.
    async fn open_reservations(&self, session: &SessionKey) -> Result<Vec<Reservation>>;
    /// How these accounts stand, in their order; one that was never used has zeros.
    async fn balances(&self, accounts: &[Account]) -> Result<Vec<Balance>>;
    /// Up to `limit` records of the audit log with a place behind `after` (0: from the first), in
    /// order.
    async fn audit(&self, after: u64, limit: u32) -> Result<Vec<AuditRecord>>;
    /// Queues a delivery; `Seen` if one with its id was ever queued.
    async fn enqueue(&self, delivery: Delivery, due: Timestamp) -> Result<Pushed>;
    /// Takes up to `limit` due deliveries for `ttl`; if not settled by then they are due again.
    async fn claim_deliveries(&self, now: Timestamp, limit: u32, ttl: Duration) -> Result<Vec<Delivery>>;
    /// Records how one went.
    async fn settle_delivery(&self, id: &str, outcome: Delivered) -> Result<()>;
    /// How a delivery stands: `None` if unknown or still open.
    async fn delivery(&self, id: &str) -> Result<Option<Delivered>>;
}

/// All five ports, as one backend gives them.
pub trait Store: Inbox + Sessions + Signals + Ledger + Tickets {}

impl<T: Inbox + Sessions + Signals + Ledger + Tickets> Store for T {}
