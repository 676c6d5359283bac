//! A job's stage in our words.

use super::JobStatus;
use crate::protocol::Stage;

impl JobStatus {
    /// The same in our words. A stage that nobody knows counts as running: it is watched until it ends.
    #[must_use]
    pub fn stage(&self) -> Stage {
        let timed_out = || {
            let said = self.message.as_deref().unwrap_or_default().to_ascii_lowercase();
            ["timeout", "timed out", "time limit"].iter().any(|words| said.contains(words))
        };
        match self.stage.to_ascii_uppercase().as_str() {
            "COMPLETED" | "SUCCEEDED" => Stage::Completed,
            "TIMEOUT" | "TIMED_OUT" | "TIMEDOUT" => Stage::TimedOut,
            "ERROR" | "FAILED" if timed_out() => Stage::TimedOut,
            "ERROR" | "FAILED" => Stage::Failed,
            "CANCELED" | "CANCELLED" | "STOPPED" => Stage::Stopped,
            "CANCELING" | "CANCELLING" | "STOPPING" => Stage::Stopping,
            "DELETED" => Stage::Vanished,
            "SCHEDULING" | "SCHEDULED" | "QUEUED" | "PENDING" | "CREATED" | "STARTING" | "UPDATING" => {
                Stage::Queued
            }
            _ => Stage::Running,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_are_told_in_our_words() {
        let stage = |stage: &str, message: Option<&str>| {
            JobStatus { stage: stage.to_owned(), message: message.map(str::to_owned) }.stage()
        };
        for (word, message, expected) in [
            ("COMPLETED", None, Stage::Completed),
            ("RUNNING", None, Stage::Running),
            ("SCHEDULING", None, Stage::Queued),
            ("ERROR", Some("Job failed with exit code: 1"), Stage::Failed),
            ("ERROR", Some("Job timed out"), Stage::TimedOut),
            ("ERROR", Some("Job timeout exceeded"), Stage::TimedOut),
            ("canceled", None, Stage::Stopped),
            ("DELETED", None, Stage::Vanished),
            ("SOMETHING_NEW", None, Stage::Running),
            ("", None, Stage::Running),
        ] {
            assert_eq!(stage(word, message), expected, "{word} {message:?}");
        }
    }
}
