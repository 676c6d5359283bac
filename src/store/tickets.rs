//! The port of external work: who watches which ticket, what people ask of it, and the registry of runs.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;

use super::Result;
use crate::clock::Timestamp;
use crate::protocol::{Door, Run, RunFind, SessionKey, Ticket, TicketId, TicketRequest};

/// External work in the hands of one watcher, until its hold runs out.
#[derive(Debug, Clone, PartialEq)]
pub struct Watch {
    /// The work.
    pub ticket: Ticket,
    /// What watchers before this one remembered; null at first.
    pub memo: Value,
    /// What people ask of it and nobody has answered yet, in order.
    pub requests: Vec<TicketRequest>,
    /// Grows with every claim; a write with an older one is refused.
    pub fence: u64,
    /// How often it was claimed, this time included.
    pub claims: u32,
}

/// What a watcher saves.
#[derive(Debug, Clone, Copy)]
pub struct WatchSave<'a> {
    /// What to remember.
    pub memo: &'a Value,
    /// Ids of requests that are answered by this.
    pub answered: &'a [String],
    /// Given back until then (or until somebody asks something); `None` holds on.
    pub due: Option<Timestamp>,
}

/// External work, and the registry of runs. A ticket is opened by the commit of the step that began its work.
#[async_trait]
pub trait Tickets: Send + Sync {
    /// Opens a ticket outside of a session's step (a sweep found its work); one that was ever opened under
    /// its id stays as it is.
    async fn open_ticket(&self, ticket: &Ticket) -> Result<()>;
    /// Keeps a request to an open ticket, once per id of the request.
    async fn ask_ticket(&self, ticket: &TicketId, request: TicketRequest) -> Result<()>;
    /// Takes up to `limit` tickets of sessions behind this door that are due, for `ttl`; if not renewed by
    /// then they are due again.
    async fn claim_watches(&self, door: Door, limit: u32, ttl: Duration) -> Result<Vec<Watch>>;
    /// Holds on for `ttl` from now; gives the requests that are not answered yet.
    ///
    /// # Errors
    /// `Lost` if another process has it by now.
    async fn renew_watch(&self, watch: &Watch, ttl: Duration) -> Result<Vec<TicketRequest>>;
    /// Saves what the watcher remembers.
    ///
    /// # Errors
    /// `Lost` if another process has it by now.
    async fn save_watch(&self, watch: &Watch, save: WatchSave<'_>) -> Result<()>;
    /// The work has ended and its session knows: it is watched no more.
    ///
    /// # Errors
    /// `Lost` if another process has it by now, or it is closed already.
    async fn close_watch(&self, watch: &Watch) -> Result<()>;
    /// A ticket, open or closed.
    async fn ticket(&self, id: &TicketId) -> Result<Option<Ticket>>;
    /// Up to `limit` open tickets, of one session or of all, oldest first.
    async fn open_tickets(&self, session: Option<&SessionKey>, limit: u32) -> Result<Vec<Ticket>>;
    /// Writes a run down in the registry, in place of what was there under its id.
    async fn record_run(&self, run: &Run) -> Result<()>;
    /// Runs of the registry, the newest first.
    async fn runs(&self, wanted: &RunFind) -> Result<Vec<Run>>;
}
