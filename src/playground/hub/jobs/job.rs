//! One job: its stages, its log, what it cost, and what the Hub tells about it.
//!
//! ```text
//! SCHEDULING --start--> RUNNING --process ends--> COMPLETED | ERROR
//!     |                    |----timeout---------> ERROR
//!     '-------cancel-------'--------------------> CANCELED
//! ```

use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::clock::Timestamp;

use super::super::wire::iso;
use super::log::Log;
use super::plan::{Act, JobEnd, JobPlan, Mishap, Pace};
use super::{Desk, JobSpec, hardware};

/// A job's stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobStage {
    /// It waits for a machine.
    Scheduling,
    /// Its command runs.
    Running,
    /// Its command ended well.
    Completed,
    /// Its command failed, or it ran out of time.
    Error,
    /// Somebody cancelled it.
    Canceled,
}

impl JobStage {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Scheduling => "SCHEDULING",
            Self::Running => "RUNNING",
            Self::Completed => "COMPLETED",
            Self::Error => "ERROR",
            Self::Canceled => "CANCELED",
        }
    }

    /// Whether nothing comes after it.
    #[must_use]
    pub fn is_over(self) -> bool {
        !matches!(self, Self::Scheduling | Self::Running)
    }
}

/// A user or an organisation, as jobs name their owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Owner {
    pub id: String,
    pub name: String,
    /// `user` or `org`.
    pub kind: &'static str,
}

impl Owner {
    pub(super) fn tell(&self) -> Value {
        json!({"id": self.id, "name": self.name, "type": self.kind})
    }
}

/// What tests see of a job.
#[derive(Debug, Clone, PartialEq)]
pub struct JobView {
    /// 24 hexadecimal digits.
    pub id: String,
    /// Who pays.
    pub namespace: String,
    /// Where it stands.
    pub stage: JobStage,
    /// Why it ended so.
    pub message: Option<String>,
    /// What it was asked to be, secrets included.
    pub spec: JobSpec,
    /// Lines of its log so far.
    pub lines: usize,
    /// Micro-dollars that it cost; `None` while it runs.
    pub billed: Option<u64>,
}

#[derive(Debug)]
pub(super) struct Job {
    pub id: String,
    pub owner: Owner,
    pub initiator: Value,
    pub spec: JobSpec,
    pub plan: JobPlan,
    pub stage: JobStage,
    pub message: Option<String>,
    pub created: Timestamp,
    pub started: Option<Timestamp>,
    pub finished: Option<Timestamp>,
    pub log: Log,
    pub billed: Option<u64>,
    /// Nobody is told of it any more.
    pub gone: bool,
    /// Lines that were released of those that were planned.
    pub released: usize,
    pub changed: watch::Sender<()>,
    /// Ends whatever runs for it.
    pub cancel: CancellationToken,
}

impl Job {
    pub(super) fn view(&self) -> JobView {
        JobView {
            id: self.id.clone(),
            namespace: self.owner.name.clone(),
            stage: self.stage,
            message: self.message.clone(),
            spec: self.spec.clone(),
            lines: self.log.len(),
            billed: self.billed,
        }
    }

    /// The answer of `GET /api/jobs/{namespace}/{id}`.
    pub(super) fn tell(&self, now: Timestamp) -> Value {
        let seconds = |from: Timestamp, to: Timestamp| to.since(from).as_secs();
        let until = self.finished.unwrap_or(now);
        let mut told = self.spec.tell();
        told["id"] = self.id.clone().into();
        told["createdAt"] = iso(self.created).into();
        told["startedAt"] = self.started.map(iso).into();
        told["finishedAt"] = self.finished.map(iso).into();
        told["status"] = json!({"stage": self.stage.word(), "message": self.message});
        told["durations"] = json!({
            "schedulingSecs": self.started.map(|at| seconds(self.created, at)),
            "runningSecs": self.started.map(|at| seconds(at, until)),
            "totalSecs": seconds(self.created, until),
        });
        told["owner"] = self.owner.tell();
        told["initiator"] = self.initiator.clone();
        told
    }

    pub(super) fn write(&mut self, now: Timestamp, line: String) {
        self.log.push(now, line);
        self.changed.send_modify(|()| {});
    }

    /// `SCHEDULING` to `RUNNING`; nothing in any other stage.
    pub(super) fn start(&mut self, now: Timestamp) {
        if self.stage != JobStage::Scheduling {
            return;
        }
        self.stage = JobStage::Running;
        self.started = Some(now);
        self.say_started(now);
        match (&self.plan.act, self.plan.pace) {
            (Act::Endless { lines, width }, _) => {
                self.log.make(*lines, *width, now);
                self.changed.send_modify(|()| {});
            }
            (Act::Lines(lines), Pace::AtOnce) => {
                let all = lines.len();
                self.release(now, all);
            }
            _ => {}
        }
    }

    /// The first line of each try.
    pub(super) fn say_started(&mut self, now: Timestamp) {
        let at = jiff::Timestamp::from_millisecond(now.0).unwrap_or_default();
        let at = at.strftime("%Y-%m-%d %H:%M:%S");
        self.write(now, format!("===== Job started at {at} ====="));
    }

    /// Writes the next planned lines; gives how many there were.
    pub(super) fn release(&mut self, now: Timestamp, most: usize) -> usize {
        let Act::Lines(lines) = &self.plan.act else { return 0 };
        let next: Vec<String> = lines.iter().skip(self.released).take(most).cloned().collect();
        let many = next.len();
        self.released += many;
        next.into_iter().for_each(|line| self.write(now, line));
        many
    }

    /// When it must have ended.
    pub(super) fn deadline(&self) -> Timestamp {
        self.started.unwrap_or(self.created).plus(Duration::from_secs(self.spec.timeout_seconds()))
    }

    /// Takes one stroke of a mishap that answers with a status.
    pub(super) fn status_mishap(&mut self, of_log: bool) -> Option<u16> {
        self.plan.mishaps.iter_mut().find_map(|it| match it {
            Mishap::LogStatus { status, times } if of_log && *times > 0 => {
                *times -= 1;
                Some(*status)
            }
            Mishap::JobStatus { status, times } if !of_log && *times > 0 => {
                *times -= 1;
                Some(*status)
            }
            _ => None,
        })
    }

    fn over(&mut self, now: Timestamp, stage: JobStage, message: Option<String>) -> u64 {
        self.stage = stage;
        self.message = message;
        self.finished = Some(now);
        let running = self.started.map_or(0, |at| now.since(at).as_millis());
        let price = hardware::job_flavour(&self.spec.flavor).map_or(0, |it| it.job_minute);
        let micros = (running * u128::from(price)).div_ceil(60_000);
        let micros = u64::try_from(micros).unwrap_or(u64::MAX);
        self.billed = Some(micros);
        self.cancel.cancel();
        self.changed.send_modify(|()| {});
        micros
    }
}

/// Why a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    Exit(i32),
    TimedOut,
    Canceled,
}

impl Desk {
    /// Ends a job as a plan says; one that never ends stays.
    pub(super) fn end(&mut self, id: &str, now: Timestamp, end: JobEnd) {
        match end {
            JobEnd::Completed => self.close(id, now, Why::Exit(0)),
            JobEnd::Failed(code) => self.close(id, now, Why::Exit(code)),
            JobEnd::Never => {}
        }
    }

    /// Ends a job, once, and takes what it cost from who pays.
    pub(super) fn close(&mut self, id: &str, now: Timestamp, why: Why) {
        let Some(job) = self.jobs.iter_mut().find(|it| it.id == id && !it.stage.is_over()) else { return };
        let (stage, message) = match why {
            Why::Exit(0) => (JobStage::Completed, None),
            Why::Exit(code) => {
                (JobStage::Error, Some(format!("Job failed with exit code: {code}. Reason: Error")))
            }
            Why::TimedOut => (JobStage::Error, Some("Job timeout".to_owned())),
            Why::Canceled => (JobStage::Canceled, None),
        };
        let cost = i64::try_from(job.over(now, stage, message)).unwrap_or(i64::MAX);
        let namespace = job.owner.name.clone();
        let left = self.credits(&namespace).saturating_sub(cost);
        self.credits.insert(namespace, left);
    }
}
