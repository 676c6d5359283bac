//! A job's log on its way in: made plain, and kept on disk within a cap.
//!
//! [`clean`] makes plain lines of what a program wrote for a terminal. [`spool`] keeps beginning and end of a
//! log of any length. Never connects to anything.

pub mod clean;
pub mod spool;
