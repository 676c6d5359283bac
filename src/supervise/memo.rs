//! What a watcher remembers of its job, saved with the ticket: the next one goes on from here.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::alarms::{AlarmKind, Watch};
use super::log::spool::Mark;
use super::metrics::Track;
use super::source::LogPoint;
use crate::clock::Timestamp;
use crate::protocol::Stage;

/// Lines that the card shows the last of.
const TAIL: usize = 8;
/// Characters of each.
const WIDTH: usize = 160;

/// All that is remembered.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memo {
    /// The job in hand, if it is not the ticket's own any more.
    pub job: Option<String>,
    /// How the job in hand stands.
    pub run: Standing,
    /// Seconds that earlier jobs of this ticket were paid for; `None` if that of one is not known.
    pub before_s: Option<u64>,
    /// How many jobs came before.
    pub earlier: u32,
    /// How far its log was read.
    pub point: LogPoint,
    /// How far it was kept.
    pub mark: Mark,
    /// What its log says in numbers.
    pub track: Track,
    /// What went wrong in it.
    pub alarms: Watch,
    /// Alarms that people were told.
    pub told: BTreeSet<AlarmKind>,
    /// The last lines.
    pub tail: Vec<String>,
    /// What the board must remember.
    pub board: Value,
    /// How many values the picture shows.
    pub pictured: u64,
    /// Who wanted it stopped.
    pub stop: Option<String>,
    /// What goes on after a time-out.
    pub longer: Longer,
    /// The commit of the repository that its result went to, if it could be looked up at the end.
    pub commit: Option<String>,
    /// Whether the session was told of the end.
    pub settled: bool,
}

/// How a job stands, and since when.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Standing {
    /// Its stage; `None` before the first look.
    pub stage: Option<Stage>,
    /// A line about it.
    pub message: Option<String>,
    /// When it began to run: as the provider says, or when we first saw it run.
    pub started: Option<Timestamp>,
    /// When it ended: as the provider says, or when we first saw that it had.
    pub finished: Option<Timestamp>,
}

/// ```text
///       people agree            its time is up, saved            begun
/// none -------------> granted ------------------------> begin ----------> none, with another job
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "longer", rename_all = "snake_case")]
pub enum Longer {
    /// Nothing was agreed.
    #[default]
    None,
    /// It may run this much longer.
    Granted {
        /// Seconds.
        seconds: u64,
    },
    /// It is to be begun anew; this was saved before it is tried.
    Begin {
        /// Seconds.
        seconds: u64,
        /// By which it is found again.
        label: String,
    },
}

impl Memo {
    /// As it was saved; what cannot be read begins anew.
    #[must_use]
    pub fn of(value: &Value) -> Self {
        if value.is_null() {
            return Self { before_s: Some(0), ..Self::default() };
        }
        serde_json::from_value(value.clone()).unwrap_or_else(|error| {
            tracing::warn!(%error, "what was remembered of a job cannot be read; it is followed anew");
            Self { before_s: Some(0), ..Self::default() }
        })
    }

    /// Keeps a line among the last ones.
    pub fn last_line(&mut self, line: &str) {
        self.tail.push(crate::text::cut(line, WIDTH).into_owned());
        if self.tail.len() > TAIL {
            self.tail.remove(0);
        }
    }

    /// Its stage, for people.
    #[must_use]
    pub fn stage(&self) -> Stage {
        let stage = self.run.stage.unwrap_or(Stage::Queued);
        if self.stop.is_some() && !stage.is_over() { Stage::Stopping } else { stage }
    }

    /// Seconds that are paid for up to now, rounded up, all jobs of the ticket together; `None` if nobody knows.
    #[must_use]
    pub fn billed_s(&self, now: Timestamp) -> Option<u64> {
        let over = self.run.stage.is_some_and(Stage::is_over);
        let this = match (self.run.started, self.run.finished) {
            (Some(started), Some(finished)) => finished.since(started),
            (Some(started), None) if !over => now.since(started),
            (Some(_), None) => return None,
            // Never seen to run. What was stopped in the queue or never began costs nothing; a job that ended
            // by itself ran, and nobody knows how long.
            (None, _)
                if matches!(
                    self.run.stage,
                    None | Some(Stage::Queued | Stage::Stopping | Stage::Stopped)
                ) =>
            {
                std::time::Duration::ZERO
            }
            (None, _) => return None,
        };
        let whole = this.as_secs() + u64::from(this.subsec_nanos() > 0);
        Some(self.before_s? + whole)
    }

    /// What that costs at this price an hour, in micro-dollars, rounded up.
    #[must_use]
    pub fn cost(&self, price: Option<u64>, now: Timestamp) -> Option<u64> {
        let product = u128::from(price?) * u128::from(self.billed_s(now)?);
        Some(u64::try_from(product.div_ceil(3_600)).unwrap_or(u64::MAX))
    }

    /// Another job goes on with the work of the one that has ended.
    pub fn next_job(&mut self, job: String, now: Timestamp) {
        self.before_s = self.billed_s(now);
        self.earlier += 1;
        self.job = Some(job);
        self.run = Standing::default();
        self.point = LogPoint::default();
        self.longer = Longer::None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(stage: Stage, started: Option<i64>, finished: Option<i64>) -> Memo {
        let run = Standing {
            stage: Some(stage),
            message: None,
            started: started.map(Timestamp),
            finished: finished.map(Timestamp),
        };
        Memo { run, ..Memo::of(&Value::Null) }
    }

    #[test]
    fn time_is_paid_from_start_to_finish_and_unknown_stays_unknown() {
        let hour = 3_600_000;
        for (memo, seconds) in [
            (run(Stage::Running, Some(0), None), Some(7_200)),
            (run(Stage::Completed, Some(0), Some(hour)), Some(3_600)),
            (run(Stage::Failed, Some(0), Some(1_001)), Some(2)),
            (run(Stage::Queued, None, None), Some(0)),
            (run(Stage::Stopped, None, Some(hour)), Some(0)),
            (run(Stage::Completed, None, Some(hour)), None),
            (run(Stage::Vanished, Some(0), None), None),
        ] {
            assert_eq!(memo.billed_s(Timestamp(2 * hour)), seconds, "{:?}", memo.run);
        }
        let memo = run(Stage::Completed, Some(0), Some(1_001));
        assert_eq!(memo.cost(Some(1_000_000), Timestamp(0)), Some(556));
        assert_eq!(memo.cost(None, Timestamp(0)), None);
    }

    #[test]
    fn a_second_job_adds_to_the_first() {
        let mut memo = run(Stage::TimedOut, Some(0), Some(60_000));
        memo.next_job("two".to_owned(), Timestamp(70_000));
        assert_eq!(memo.billed_s(Timestamp(80_000)), Some(60));
        memo.run = run(Stage::Completed, Some(100_000), Some(130_000)).run;
        assert_eq!(memo.billed_s(Timestamp(900_000)), Some(90));
    }

    #[test]
    fn what_was_saved_is_read_again() {
        let mut memo = run(Stage::Running, Some(5), None);
        memo.last_line("hello");
        memo.longer = Longer::Begin { seconds: 60, label: "x".to_owned() };
        let value = serde_json::to_value(&memo).unwrap();
        assert_eq!(Memo::of(&value), memo);
        assert_eq!(Memo::of(&serde_json::json!({ "tail": 5 })).before_s, Some(0));
    }
}
