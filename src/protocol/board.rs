//! What people see of a running job: one living card, alarms, and the end.

use serde::{Deserialize, Serialize};

use super::ids::TicketId;
use crate::clock::Timestamp;

/// A job as people see it now. The whole of it each time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobView {
    /// The ticket: buttons carry it.
    pub ticket: TicketId,
    /// One line: what it does.
    pub title: String,
    /// Where people see it at its provider.
    pub url: String,
    /// The hardware.
    pub flavour: String,
    /// Where it stands.
    pub stage: Stage,
    /// A line about the stage: an exit code, a message of the provider.
    pub message: Option<String>,
    /// When it began to run (or was submitted).
    pub since: Timestamp,
    /// How long it has run, in seconds.
    pub elapsed_s: u64,
    /// Seconds that it may run.
    pub timeout_s: u64,
    /// What it has cost so far, in micro-dollars; `None` if nobody knows.
    pub burnt: Option<u64>,
    /// What is set aside for it.
    pub reserved: Option<u64>,
    /// Seconds until it is probably done, if that can be told.
    pub eta_s: Option<u64>,
    /// How much is done, in percent, if that can be told.
    pub percent: Option<u8>,
    /// The last value of each metric, in order of importance.
    pub metrics: Vec<(String, f64)>,
    /// The last lines of its log, redacted.
    pub tail: Vec<String>,
    /// Alarms so far, one line each.
    pub alarms: Vec<String>,
    /// The trackio dashboard.
    pub dashboard: Option<String>,
    /// When this was true.
    pub at: Timestamp,
}

/// Where a job stands.
///
/// ```text
/// Queued -> Running -> Completed | Failed | TimedOut | Stopped | Vanished
///    \________________________________________________^
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// It waits for hardware.
    Queued,
    /// It runs.
    Running,
    /// Somebody wants it to end; it has not ended yet.
    Stopping,
    /// It ended well.
    Completed,
    /// It ended badly.
    Failed,
    /// Its time was up.
    TimedOut,
    /// Somebody ended it.
    Stopped,
    /// Its provider does not know it any more.
    Vanished,
}

impl Stage {
    /// Whether it will change no more.
    #[must_use]
    pub fn is_over(self) -> bool {
        !matches!(self, Self::Queued | Self::Running | Self::Stopping)
    }

    /// In a word, for people and for the registry.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::TimedOut => "timed out",
            Self::Stopped => "stopped",
            Self::Vanished => "vanished",
        }
    }
}

/// A picture or a log, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// File name.
    pub name: String,
    /// What it is, in words: also the text for those who cannot see it.
    pub title: String,
    /// Content.
    pub bytes: Vec<u8>,
}
