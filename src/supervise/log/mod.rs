//! A job's log on its way in: cleaned, told apart from what was seen before, kept on disk within a cap.
//!
//! [`clean`] makes plain lines of what a program wrote for a terminal. [`position`] finds the place to go on
//! when a stream that drops is opened again. [`spool`] keeps beginning and end of a log of any length.

pub mod clean;
pub mod position;
pub mod spool;

use crate::clock::Timestamp;

/// One line as the service gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawLine {
    /// When the job wrote it, as the service says.
    pub at: Option<Timestamp>,
    /// What it wrote; may hold control characters and carriage returns.
    pub text: String,
}
