//! The vocabulary: what enters (operations), what leaves (events), and what is saved in between.
//!
//! Plain serde data, no IO, no async. Imports nothing of ours but `clock`. Read [`operation`] and
//! [`event`] first, then [`session`] and [`turn`], which are the saved truth.

pub mod approval;
pub mod audit;
pub mod board;
pub mod event;
pub mod guards;
pub mod ids;
pub mod message;
pub mod money;
pub mod notice;
pub mod operation;
pub mod plan;
pub mod role;
pub mod run;
pub mod session;
pub mod ticket;
pub mod tool;
pub mod turn;
pub mod usage;

pub use approval::{
    ApprovalRequest, Approvers, AskedCall, AskedOf, Decision, Grant, OnExpiry, Verdict, Vote,
};
pub use audit::{Act, AuditEntry, AuditRecord};
pub use board::{Attachment, JobView, Stage};
pub use event::Event;
pub use guards::{Guards, Learned, Memory, Sign, Streak};
pub use ids::{ApprovalId, CallId, OperationId, PersonId, SessionKey, TicketId, TurnId};
pub use message::{Heard, Item, ProposedCall, Thought};
pub use money::{Account, Amount, Balance, Cost, Period, Price, Reservation, Reserved, Scope, Usd};
pub use notice::{Notice, Severity};
pub use operation::{Actor, Door, JobWish, Operation, OperationKind, Origin, Setting};
pub use plan::{PlanItem, PlanStatus};
pub use role::Role;
pub use run::{Run, RunFind};
pub use session::{SessionHead, Settings};
pub use ticket::{
    JobWork, NewTicket, OpenTicket, Pledged, Purpose, SandboxWork, Ticket, TicketChange, TicketRequest,
    TicketWant, Waits, Work,
};
pub use tool::{ToolOutcome, ToolSpec};
pub use turn::{Call, CallStatus, Ending, Turn, TurnState};
pub use usage::Usage;
