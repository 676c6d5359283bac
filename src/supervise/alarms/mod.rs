//! What goes wrong in a training, seen in its log while it happens.
//!
//! Owns the rules of each alarm and what is remembered between lines ([`Watch`]). Each kind is given once per
//! job. Never does IO and never asks the time: lines and moments come in.

mod divergence;
mod traceback;
mod words;

use serde::{Deserialize, Serialize};

use self::divergence::Losses;
use self::traceback::Traceback;
use super::metrics::Reading;
use crate::clock::Timestamp;

/// Characters of an excerpt.
pub const EXCERPT: usize = 1_500;
/// Lines before the one that raised an alarm which its excerpt shows.
const BEFORE: usize = 4;
/// How many times in a row the norm of the gradient must be no number: with mixed precision the first ones may be.
const NORMS: u8 = 3;

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmKind {
    /// A loss is NaN or infinite, or a gradient's norm is for several readings.
    NotANumber,
    /// The loss grows away from what it had reached.
    Diverging,
    /// The job runs and has not written a line for long.
    Stalled,
    /// Memory of the GPU or the machine is used up.
    OutOfMemory,
    /// Python raised an exception that it printed.
    Traceback,
    /// The disk is full.
    DiskFull,
}

impl AlarmKind {
    /// A few words for people.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::NotANumber => "The loss is not a number any more",
            Self::Diverging => "The loss is growing",
            Self::Stalled => "The job stands still",
            Self::OutOfMemory => "Out of memory",
            Self::Traceback => "An error in the script",
            Self::DiskFull => "The disk is full",
        }
    }
}

/// One alarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    /// What went wrong.
    pub kind: AlarmKind,
    /// When it was noticed.
    pub at: Timestamp,
    /// What was seen, in one sentence.
    pub reason: String,
    /// The lines of the log that show it; empty where there are none.
    pub excerpt: String,
}

/// What is remembered of a log to raise alarms; small enough to be saved with a ticket.
///
/// ```text
///              line                            line without indentation, or 5 s of silence
/// quiet ------------------> in a traceback ---------------------------------------------> quiet
///   |   "Traceback (most…"        |                  (alarm: traceback, memory or disk)
///   +-- any other line: memory, disk, values (alarm at once)
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Watch {
    /// What was raised, in order; each kind once.
    pub raised: Vec<Alarm>,
    /// The last lines, for excerpts.
    recent: Vec<String>,
    traceback: Option<Traceback>,
    losses: Losses,
    norms: u8,
    last_line: Option<Timestamp>,
}

impl Watch {
    /// Takes the next line and what was read in it. Gives the alarms that are new.
    pub fn line(&mut self, line: &str, reading: &Reading, at: Timestamp) -> Vec<Alarm> {
        let before = self.raised.len();
        self.last_line = Some(at);
        if let Some(mut traceback) = self.traceback.take() {
            if traceback.takes(line, at) {
                self.traceback = Some(traceback);
            } else {
                self.told(&traceback, at);
                self.plain(line, at);
            }
        } else {
            self.plain(line, at);
        }
        self.values(line, reading, at);
        self.recent.push(crate::text::cut(line, 400).into_owned());
        if self.recent.len() > BEFORE {
            self.recent.remove(0);
        }
        self.raised.split_at(before).1.to_vec()
    }

    /// The time has come to this moment without a line. `stall_s` is how many seconds of silence make a stall,
    /// `None` while the job does not run.
    pub fn silence(&mut self, now: Timestamp, running: Option<Running>) -> Vec<Alarm> {
        let before = self.raised.len();
        if self.traceback.as_ref().is_some_and(|it| it.is_over(now))
            && let Some(traceback) = self.traceback.take()
        {
            self.told(&traceback, now);
        }
        if let Some(Running { since, stall_s }) = running {
            let last = self.last_line.map_or(since, |line| line.max(since));
            let silent = now.since(last).as_secs();
            if stall_s > 0 && silent >= stall_s {
                let reason = format!("It runs, and has written no line for {} minutes.", silent / 60);
                let excerpt = self.recent.join("\n");
                self.raise(AlarmKind::Stalled, now, reason, excerpt);
            }
        }
        self.raised.split_at(before).1.to_vec()
    }

    /// The log has ended; `message` is what the service says of the end, if anything.
    pub fn end(&mut self, message: Option<&str>, now: Timestamp) -> Vec<Alarm> {
        let before = self.raised.len();
        if let Some(traceback) = self.traceback.take() {
            self.told(&traceback, now);
        }
        if let Some(message) = message
            && words::is_out_of_memory(message)
        {
            self.raise(
                AlarmKind::OutOfMemory,
                now,
                "The job was ended for its use of memory.".into(),
                message.into(),
            );
        }
        self.raised.split_at(before).1.to_vec()
    }

    /// A line outside any traceback.
    fn plain(&mut self, line: &str, at: Timestamp) {
        if let Some(traceback) = Traceback::begins(line, at) {
            self.traceback = Some(traceback);
        } else if words::is_out_of_memory(line) {
            self.raise(
                AlarmKind::OutOfMemory,
                at,
                "The log says that memory is used up.".into(),
                self.excerpt(line),
            );
        } else if words::is_disk_full(line) {
            self.raise(
                AlarmKind::DiskFull,
                at,
                "The log says that no space is left.".into(),
                self.excerpt(line),
            );
        } else if words::is_not_a_number(line) {
            self.raise(AlarmKind::NotANumber, at, "The log says so itself.".into(), self.excerpt(line));
        }
    }

    /// A whole traceback: what it is about decides its kind.
    fn told(&mut self, traceback: &Traceback, at: Timestamp) {
        let text = traceback.text();
        let kind = match () {
            () if words::is_out_of_memory(&text) => AlarmKind::OutOfMemory,
            () if words::is_disk_full(&text) => AlarmKind::DiskFull,
            () => AlarmKind::Traceback,
        };
        let reason = crate::text::cut(traceback.error(), 300).into_owned();
        self.raise(kind, at, reason, text);
    }

    fn values(&mut self, line: &str, reading: &Reading, at: Timestamp) {
        for (name, value) in &reading.values {
            if super::metrics::is_loss(name) {
                if !value.is_finite() {
                    let reason = format!("`{name}` is {value}{}.", place(reading));
                    self.raise(AlarmKind::NotANumber, at, reason, self.excerpt(line));
                } else if let Some(grown) = self.losses.take(name, *value) {
                    let reason = format!("{grown}{}.", place(reading));
                    self.raise(AlarmKind::Diverging, at, reason, self.excerpt(line));
                }
            } else if name.ends_with("grad_norm") {
                self.norms = if value.is_finite() { 0 } else { self.norms.saturating_add(1) };
                if self.norms >= NORMS {
                    let reason =
                        format!("`{name}` is {value} for the {NORMS}rd time in a row{}.", place(reading));
                    self.raise(AlarmKind::NotANumber, at, reason, self.excerpt(line));
                }
            }
        }
    }

    fn excerpt(&self, line: &str) -> String {
        let mut lines: Vec<&str> = self.recent.iter().map(String::as_str).collect();
        lines.push(line);
        lines.join("\n")
    }

    fn raise(&mut self, kind: AlarmKind, at: Timestamp, reason: String, excerpt: String) {
        if self.raised.iter().any(|alarm| alarm.kind == kind) {
            return;
        }
        let excerpt = crate::text::head_and_tail(&excerpt, EXCERPT).into_owned();
        self.raised.push(Alarm { kind, at, reason, excerpt });
    }
}

/// A job that runs.
#[derive(Debug, Clone, Copy)]
pub struct Running {
    /// Since when.
    pub since: Timestamp,
    /// Seconds of silence that make a stall; 0 for none.
    pub stall_s: u64,
}

fn place(reading: &Reading) -> String {
    match (reading.step.or(reading.bar.as_ref().map(|bar| bar.done)), reading.epoch) {
        (Some(step), _) => format!(" at step {step}"),
        (None, Some(epoch)) => format!(" at epoch {epoch}"),
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests;
