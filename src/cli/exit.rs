//! How the program ends, as a number that scripts can rely on.
//!
//! Owns [`Exit`] and how a turn's events become one. The table in `--help` is [`TABLE`].

use std::process::ExitCode;

use crate::protocol::{Decision, Event, Verdict};

/// The table of exit codes, as `--help` shows it.
pub const TABLE: &str = "\
Exit codes:
  0    finished
  1    the turn ended in an error
  2    wrong usage or configuration
  3    the iteration limit was reached
  4    something was refused, or still waits for approval
  130  interrupted";

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All is done.
    Finished,
    /// It ended in an error.
    Failed,
    /// Wrong usage or configuration.
    Usage,
    /// The iteration limit was reached.
    IterationLimit,
    /// Something was refused, or still waits for approval.
    Refused,
    /// Somebody stopped it.
    Interrupted,
}

impl Exit {
    /// The number.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Finished => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::IterationLimit => 3,
            Self::Refused => 4,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Watches the events of one turn for how it ends.
#[derive(Debug, Default)]
pub struct Watched {
    refused: bool,
    exit: Option<Exit>,
}

impl Watched {
    /// Takes one event in.
    pub fn take(&mut self, event: &Event) {
        match event {
            Event::ApprovalDecided { decision, .. } => {
                self.refused |= match decision {
                    Decision::Decided { verdict, .. } => matches!(verdict, Verdict::Reject { .. }),
                    Decision::Expired { .. } => true,
                    Decision::Abandoned { .. } => false,
                };
            }
            Event::ToolStateChange { state, .. } => self.refused |= state == "rejected",
            Event::TurnComplete { limit_reached, .. } => {
                self.exit = Some(match (limit_reached, self.refused) {
                    (true, _) => Exit::IterationLimit,
                    (false, true) => Exit::Refused,
                    (false, false) => Exit::Finished,
                });
            }
            Event::Error { .. } | Event::SessionTerminated { .. } => self.exit = Some(Exit::Failed),
            Event::Interrupted { .. } => self.exit = Some(Exit::Interrupted),
            _ => {}
        }
    }

    /// How the turn ended, if it has.
    #[must_use]
    pub fn exit(&self) -> Option<Exit> {
        self.exit
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Usage;

    fn complete(limit_reached: bool) -> Event {
        Event::TurnComplete {
            turn: "t".into(),
            history_size: 2,
            final_response: Some("done".to_owned()),
            elapsed_ms: 1,
            steps: 1,
            usage: Usage::default(),
            limit_reached,
        }
    }

    fn rejected() -> Event {
        Event::ToolStateChange {
            tool_call_id: "c".into(),
            tool: "bash".to_owned(),
            state: "rejected".to_owned(),
        }
    }

    fn exit_of(events: &[Event]) -> Option<u8> {
        let mut watched = Watched::default();
        events.iter().for_each(|event| watched.take(event));
        watched.exit().map(Exit::code)
    }

    #[test]
    fn every_ending_has_its_number() {
        let error = Event::Error { turn: None, error: "no".to_owned(), hint: None, retry: false };
        let stopped = Event::Interrupted { turn: "t".into(), by: None };
        assert_eq!(exit_of(&[]), None, "a turn that goes on has none");
        assert_eq!(exit_of(&[complete(false)]), Some(0));
        assert_eq!(exit_of(&[error]), Some(1));
        assert_eq!(exit_of(&[complete(true)]), Some(3));
        assert_eq!(exit_of(&[rejected(), complete(true)]), Some(3), "the limit outweighs a refusal");
        assert_eq!(exit_of(&[rejected(), complete(false)]), Some(4));
        assert_eq!(exit_of(&[rejected(), stopped]), Some(130));
    }

    #[test]
    fn the_table_in_the_help_names_every_number() {
        let all = [
            Exit::Finished,
            Exit::Failed,
            Exit::Usage,
            Exit::IterationLimit,
            Exit::Refused,
            Exit::Interrupted,
        ];
        for exit in all {
            assert!(TABLE.contains(&format!("\n  {:<5}", exit.code())), "{exit:?}");
        }
    }
}
