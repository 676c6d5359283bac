//! The port that front doors fill for external work: one living card per job, alarms, files.
//!
//! Whoever watches external work shows it here, beside the session and without its lease. Every call is
//! idempotent by its key, so that a crash between showing and remembering shows nothing twice.

use async_trait::async_trait;
use serde_json::Value;

use super::present::PresentError;
use crate::protocol::{Attachment, JobView, Ticket};

/// Shows external work where its session lives.
#[async_trait]
pub trait Board: Send + Sync {
    /// Makes the ticket's card, or brings it up to date. `memo` is what the last call gave (null at first);
    /// the answer is what to remember, to be saved before the next call.
    ///
    /// # Errors
    /// `Later` if it may work later, `Never` if the place is gone.
    async fn show(&self, ticket: &Ticket, view: &JobView, memo: &Value) -> Result<Value, PresentError>;

    /// The picture of the ticket's metrics, in place of the one before, if any.
    ///
    /// # Errors
    /// As [`Board::show`].
    async fn picture(
        &self,
        ticket: &Ticket,
        picture: Attachment,
        memo: &Value,
    ) -> Result<Value, PresentError>;

    /// A message that must be noticed: an alarm, or news from a sweep. `key` names it; a second one with the
    /// same key shows nothing.
    ///
    /// # Errors
    /// As [`Board::show`].
    async fn alarm(&self, ticket: &Ticket, key: &str, text: &str) -> Result<(), PresentError>;

    /// A file that somebody asked for.
    ///
    /// # Errors
    /// As [`Board::show`].
    async fn file(&self, ticket: &Ticket, file: Attachment) -> Result<(), PresentError>;
}
