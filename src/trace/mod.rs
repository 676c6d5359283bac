//! Transcripts as files: Claude-Code JSONL, the format that trace viewers read.
//!
//! Owns writing ([`export()`]) and reading ([`import()`]) of the format, and the names of lines, which stay
//! the same however often a session is written. Pure: opens no file, asks no time. What is written is
//! redacted first.

pub mod export;
pub mod import;
pub mod line_id;

#[cfg(test)]
mod tests;

pub use export::{Export, conversation, export};
pub use import::{Imported, NotATrace, Skipped, import};
