//! Notices for named destinations: how they are written, queued durably, and delivered.
//!
//! A notice is kept in the store's outbox before anyone is told that it was accepted, and tried
//! again from there, so that a restart loses none. Never decides who may send where beyond what
//! the configuration allows. Start at [`Gateway`]; a new kind of destination is one file that
//! fills [`DestinationKind`] and one line in [`Gateway::new`].

mod auto;
mod gateway;
mod kind;
mod mrkdwn;
mod slack;

pub use auto::{AutoNotices, notice_for};
pub use gateway::{Gateway, NotifyError, Outcome};
pub use kind::{DestinationKind, SendError};
pub use mrkdwn::to_mrkdwn;
pub use slack::{HttpSlackPost, PostError, SlackChannel, SlackPost, notice_text};
