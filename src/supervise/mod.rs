//! Following what runs elsewhere: training jobs, from their start to their settling.
//!
//! [`supervisor`] takes tickets that are due and follows each job in a task of its own ([`follow`]): its state
//! and its log ([`log`], [`metrics`]), what goes wrong ([`alarms`]), what people see of it ([`view`], [`chart`]), and
//! its end ([`settle`]). [`sweep`] finds jobs that nobody follows. A process that dies loses nothing: the next
//! one goes on from the ticket's [`memo`]. Never decides what a session does, and never begins a job that
//! people did not agree to.

pub mod alarms;
pub mod chart;
pub mod figures;
pub mod follow;
pub mod hub;
pub mod log;
pub mod memo;
pub mod metrics;
mod sandboxes;
pub mod settle;
pub mod source;
pub mod supervisor;
pub mod sweep;
pub mod view;

pub use follow::{Pace, Shared};
pub use hub::HubJobs;
pub use supervisor::{Boards, Supervisor};
pub use sweep::Sweep;

use crate::protocol::TicketId;

/// The folder and file name of a ticket. Its id is made of foreign names: only plain characters stay.
#[must_use]
pub fn folder_name(ticket: &TicketId) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    ticket.as_str().chars().map(plain).take(120).collect()
}

#[cfg(test)]
mod tests;
