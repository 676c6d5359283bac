//! The Slack client: Web API calls, the outgoing scheduler, Socket Mode, request signatures.
//!
//! Owns the wire: names and encodings of methods, budgets, retries, frames, signatures. Never
//! decides what to say and never logs a body or a token. Start at [`SlackApi::call`] for one
//! request, at [`Scheduler::call`] for a request that keeps to Slack's limits, and at
//! [`SocketMode::run`] for deliveries.

mod api;
mod budget;
mod connection;
mod error;
mod method;
mod scheduler;
mod signature;
mod socket;
mod upload;

pub use api::{Identity, SlackApi};
pub use budget::Budgets;
pub use error::SlackError;
pub use method::Method;
pub use scheduler::{Outgoing, Priority, Retry, Scheduler};
pub use signature::{SignatureError, sign, verify};
pub use socket::{Ack, Envelope, EnvelopeHandler, SocketMode, SocketTimes};
pub use upload::{Sharing, Upload};
