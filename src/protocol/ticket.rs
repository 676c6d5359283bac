//! External work that outlives a worker: a training job, a sandbox. A ticket says what it is, whose it is,
//! who waits for it, and which money is set aside for it.
//!
//! ```text
//!          saved with the step that began it          the work has ended: its session is told
//! (none) -----------------------------------> open -------------------------------------------> closed
//!                                              |  ^
//!                                              +--+ people ask something of it (stop, logs, longer)
//! ```

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::approval::AskedOf;
use super::ids::{CallId, PersonId, SessionKey, TicketId, TurnId};
use super::operation::{Actor, Origin};
use crate::clock::Timestamp;

/// One piece of external work, as it is kept until it is closed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ticket {
    /// Names it, for ever.
    pub id: TicketId,
    /// The session that it belongs to.
    pub session: SessionKey,
    /// Where that session lives.
    pub origin: Origin,
    /// The turn that began it.
    pub turn: TurnId,
    /// The call that began it.
    pub call: CallId,
    /// The tool of that call.
    pub tool: String,
    /// Who asked for the turn.
    pub requester: Actor,
    /// Names of those who said yes to it; empty if nobody was asked.
    #[serde(default)]
    pub approved_by: Vec<String>,
    /// On which terms they were asked: more of it is asked on these terms at least.
    #[serde(default)]
    pub asked_of: Option<AskedOf>,
    /// What it is.
    pub work: Work,
    /// Who waits for it.
    pub waits: Waits,
    /// The money set aside for it.
    #[serde(default)]
    pub pledge: Option<Pledged>,
    /// When it began.
    pub opened_at: Timestamp,
}

impl Ticket {
    /// Stands for the call in a ticket that no call began: a sweep found its work.
    pub const SWEPT: &str = "sweep";
}

/// Money set aside for a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pledged {
    /// The reservation in the ledger.
    pub id: String,
    /// How much, in micro-dollars; `None` if nobody knows what the work costs.
    pub micros: Option<u64>,
}

/// External work that a call has begun.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewTicket {
    /// Made from what was begun (`job:NAMESPACE/ID`), so that the same work is one ticket.
    pub id: TicketId,
    /// What it is.
    pub work: Work,
    /// Who waits for it.
    pub waits: Waits,
}

/// Who waits for external work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Waits {
    /// The call: its result is the end of the work.
    ForEnd,
    /// Nobody: the call has its result, and the work is watched beside it.
    NoOne,
}

/// What a ticket is about.
#[expect(clippy::large_enum_variant, reason = "there are few of them, and each is boxed in its ticket's row")]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "work", rename_all = "snake_case")]
pub enum Work {
    /// A job on Hugging Face.
    Job(JobWork),
    /// A Space that serves as a sandbox.
    Sandbox(SandboxWork),
}

/// What a job is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// It makes a model.
    Train,
    /// It measures one.
    Evaluate,
    /// Anything else.
    #[default]
    Other,
}

/// A job on Hugging Face.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct JobWork {
    /// The account or organisation that pays.
    pub namespace: String,
    /// The Hub's name for it.
    pub job_id: String,
    /// Where people see it.
    pub url: String,
    /// One line for people: what it does.
    pub title: String,
    /// What it is for.
    #[serde(default)]
    pub purpose: Purpose,
    /// The hardware.
    pub flavour: String,
    /// Its price in micro-dollars an hour; `None` if nobody knows.
    #[serde(default)]
    pub price: Option<u64>,
    /// Seconds that it may run.
    pub timeout_s: u64,
    /// SHA-256 of the script or command, in hex.
    #[serde(default)]
    pub script: Option<String>,
    /// The model that it starts from.
    #[serde(default)]
    pub base_model: Option<String>,
    /// The dataset that it reads.
    #[serde(default)]
    pub dataset: Option<String>,
    /// The commit of that dataset, as it was when people were asked.
    #[serde(default)]
    pub dataset_revision: Option<String>,
    /// The repository that its result goes to; for an evaluation, the model that is measured.
    #[serde(default)]
    pub output: Option<String>,
    /// The trackio dashboard.
    #[serde(default)]
    pub dashboard: Option<String>,
    /// Labels that it was given: a sweep knows our jobs by them.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}

/// A Space that serves as a sandbox.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SandboxWork {
    /// `owner/name` of the Space.
    pub space: String,
    /// Where people see it.
    pub url: String,
    /// The hardware.
    pub flavour: String,
    /// Its price in micro-dollars an hour; 0 costs nothing, `None` if nobody knows.
    #[serde(default)]
    pub price: Option<u64>,
}

/// Something that a person asks of external work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketRequest {
    /// Made from its cause; a second one with the same id changes nothing.
    pub id: String,
    /// Who.
    pub by: PersonId,
    /// Their name.
    pub name: String,
    /// What.
    pub want: TicketWant,
    /// When.
    pub at: Timestamp,
}

/// What is asked of external work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "want", rename_all = "snake_case")]
pub enum TicketWant {
    /// End it now.
    Stop,
    /// Give its whole log as a file.
    Logs,
    /// Let it run this much longer; people have said yes, and money is set aside.
    Longer {
        /// Seconds.
        seconds: u64,
        /// The money set aside for that.
        pledge: Option<Pledged>,
    },
}

/// What a step changes about tickets; saved in its commit.
#[expect(clippy::large_enum_variant, reason = "a step changes one or two tickets at most")]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum TicketChange {
    /// External work has begun.
    Open {
        /// It.
        ticket: Ticket,
    },
    /// Somebody asks something of it.
    Ask {
        /// Of which.
        ticket: TicketId,
        /// What.
        request: TicketRequest,
    },
}

/// What a session remembers of a ticket of its own that is open.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpenTicket {
    /// The whole of it.
    pub ticket: Ticket,
    /// Who wanted it stopped, if somebody did.
    #[serde(default)]
    pub stopped_by: Option<String>,
    /// Money that was set aside for it later, when people let it run longer.
    #[serde(default)]
    pub more: Vec<Pledged>,
}

impl OpenTicket {
    /// Reservations that the end of the work settles.
    pub fn pledges(&self) -> impl Iterator<Item = &Pledged> {
        self.ticket.pledge.iter().chain(&self.more)
    }
}

impl Work {
    /// One line for people: what it does.
    #[must_use]
    pub fn title(&self) -> &str {
        match self {
            Self::Job(job) => &job.title,
            Self::Sandbox(sandbox) => &sandbox.space,
        }
    }

    /// Where people see it.
    #[must_use]
    pub fn url(&self) -> &str {
        match self {
            Self::Job(job) => &job.url,
            Self::Sandbox(sandbox) => &sandbox.url,
        }
    }
}
