//! Lines of the log: made plain, kept, read for metrics and alarms.

use std::io;

use super::{Follow, Heard};
use crate::clock::Timestamp;
use crate::protocol::Stage;
use crate::supervise::alarms::{Alarm, Running};
use crate::supervise::log::clean;
use crate::supervise::metrics;
use crate::supervise::source::{LogLine, SourceError};

/// Bytes that are written to the disk at once.
const CHUNK: usize = 128 * 1024;
/// Tries to open a log again whose wait doubles.
const DOUBLINGS: u32 = 5;

impl Follow {
    /// Takes in what happened to the log.
    pub(super) async fn heard(&mut self, heard: Heard) {
        let now = self.now();
        match heard {
            Heard::Line(line) => {
                self.line(&line, now);
                if self.unwritten.len() >= CHUNK {
                    self.write_lines().await;
                }
                // A log that comes faster than it is read must not keep others from their turn.
                tokio::task::consume_budget().await;
            }
            Heard::Opened => self.failures = 0,
            // A log ends with its job. Before, it is the connection that ended.
            Heard::Closed if self.is_over() => self.log_ended = true,
            Heard::Closed => self.drop_back(now, None),
            Heard::Failed(SourceError::Gone) => {
                self.failures += 1;
                self.drop_back(now, None);
            }
            Heard::Failed(SourceError::Later { why, after }) => {
                self.failures += 1;
                tracing::debug!(ticket = %self.watch.ticket.id, why, "a job's log dropped");
                self.drop_back(now, after);
            }
            Heard::Failed(SourceError::Refused(why)) => {
                self.failures += DOUBLINGS;
                tracing::warn!(ticket = %self.watch.ticket.id, why, "a job's log may not be read");
                self.drop_back(now, Some(self.shared.pace.look * 6));
            }
        }
    }

    /// The log is opened again after a wait that grows while nothing new comes, and is short when something did.
    fn drop_back(&mut self, now: Timestamp, after: Option<std::time::Duration>) {
        self.drops =
            if self.memo.point.lines > self.opened_at_line { 0 } else { self.drops.saturating_add(1) };
        let pace = &self.shared.pace;
        let wait = (pace.again * 2_u32.pow(self.drops.min(DOUBLINGS))).min(pace.look * 2);
        self.due.log = now.plus(after.unwrap_or(wait).max(pace.again));
        // It may have dropped because the job ended: look soon.
        self.due.look = self.due.look.min(now.plus(pace.again));
    }

    fn line(&mut self, raw: &LogLine, now: Timestamp) {
        self.memo.point.pass(raw);
        self.heard_at = now;
        self.dirty = true;
        let parts = clean::drawn(&raw.text);
        let last = parts.len().saturating_sub(1);
        for (at, part) in parts.iter().enumerate() {
            let line = crate::text::redact(part, &self.shared.secrets);
            let reading = metrics::read(&line);
            // Of a bar only its last drawing is kept; what was printed between is.
            let overdrawn = at < last && reading.bar.is_some() && reading.values.is_empty();
            self.memo.track.take(&reading, now);
            let alarms = self.memo.alarms.line(&line, &reading, now);
            self.raised(alarms, now);
            if !overdrawn {
                self.memo.last_line(&line);
                self.unwritten.extend_from_slice(line.as_bytes());
                self.unwritten.push(b'\n');
            }
        }
        if parts.is_empty() {
            self.unwritten.push(b'\n');
        }
    }

    /// Time has passed without a line.
    pub(super) fn silence(&mut self, now: Timestamp) {
        let running = match (self.memo.run.stage, self.memo.run.started) {
            (Some(Stage::Running), Some(since)) => {
                // A connection that cannot be opened says nothing about the job.
                (self.failures < DOUBLINGS).then_some(Running { since, stall_s: self.shared.stall_s })
            }
            _ => None,
        };
        let alarms = self.memo.alarms.silence(now, running);
        self.raised(alarms, now);
    }

    pub(super) fn raised(&mut self, alarms: Vec<Alarm>, now: Timestamp) {
        if !alarms.is_empty() {
            self.dirty = true;
            self.due.save = now;
            self.due.card = now;
        }
    }

    /// What was read goes to the disk.
    pub(super) async fn write_lines(&mut self) {
        if self.unwritten.is_empty() {
            return;
        }
        let text = std::mem::take(&mut self.unwritten);
        let Some(mut spool) = self.spool.take() else { return };
        let written = tokio::task::spawn_blocking(move || {
            let outcome = spool.write(&text);
            (spool, outcome)
        });
        match written.await {
            Ok((spool, Ok(()))) => self.spool = Some(spool),
            Ok((_, Err(error))) => self.no_disk(&error),
            Err(error) => tracing::error!(%error, "writing a log broke"),
        }
    }

    /// The log cannot be kept; everything else goes on.
    pub(super) fn no_disk(&mut self, error: &io::Error) {
        tracing::error!(ticket = %self.watch.ticket.id, %error, "a job's log cannot be kept on this disk");
    }
}
