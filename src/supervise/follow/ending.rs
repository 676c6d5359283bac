//! The end: the log is read out, the session is told, the last card is shown, the ticket is closed.
//!
//! Each step may be done again after a crash: the record replaces itself, the operation has the ticket's id,
//! the card is found by what the board remembers.

use super::{Flight, Follow, Next};
use crate::clock::Timestamp;
use crate::protocol::{Purpose, Stage};
use crate::store::Result;
use crate::supervise::settle;

/// How far the end has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// The job runs, or its log is still read.
    Following,
    /// The session was told; what people see of the end is on its way.
    Told {
        /// Since when.
        since: Timestamp,
    },
}

impl Follow {
    /// Goes on to the end, if it has come.
    pub(super) async fn advance(&mut self, flight: &mut Flight, now: Timestamp) -> Result<Next> {
        match self.phase {
            Phase::Following => {
                if !self.is_over() || !self.is_read_out(now) || self.goes_on() {
                    return Ok(Next::On);
                }
                self.tell(now).await?;
                self.phase = Phase::Told { since: now };
                Ok(Next::On)
            }
            Phase::Told { since } => {
                let waited = now.since(since) >= self.shared.pace.last;
                if !waited && (flight.shown.is_some() || self.shows_something()) {
                    return Ok(Next::On);
                }
                self.shared.store.close_watch(&self.watch).await?;
                Ok(Next::Closed)
            }
        }
    }

    /// Whether the log has come to its end, or says nothing for long enough.
    fn is_read_out(&self, now: Timestamp) -> bool {
        let silent = |since: Timestamp| now.since(since.max(self.heard_at)) >= self.shared.pace.drain;
        self.log_ended || self.over_since.is_none_or(silent)
    }

    async fn tell(&mut self, now: Timestamp) -> Result<()> {
        let message = self.memo.run.message.clone();
        let alarms = self.memo.alarms.end(message.as_deref(), now);
        self.raised(alarms, now);
        self.write_lines().await;
        // An evaluation pushes nothing: the newest commit of what it measures is not its result.
        if self.memo.stage() == Stage::Completed
            && self.job.purpose != Purpose::Evaluate
            && let Some(repo) = self.job.output.clone()
        {
            self.memo.commit = self.source.commit(&repo).await;
        }
        let run = settle::run(&self.watch.ticket, &self.job, &self.memo, now);
        self.shared.store.record_run(&run).await?;
        let log = self.log_end().await;
        let operation = settle::operation(&self.watch.ticket, &self.job, &self.memo, (&log, now));
        // A session that was deleted is not brought back by its job.
        if self.shared.store.exists(&self.watch.ticket.session).await? {
            self.shared.intake.submit(operation).await?;
        } else {
            tracing::warn!(ticket = %self.watch.ticket.id, "a job ended whose session is gone");
        }
        self.memo.settled = true;
        self.due.card = now;
        self.due.picture = now;
        self.save(None).await
    }

    /// The end of the log, for the agent.
    async fn log_end(&self) -> String {
        let Some(reader) = self.spool.as_ref().map(crate::supervise::log::spool::Spool::reader) else {
            return self.memo.tail.join("\n");
        };
        let read = tokio::task::spawn_blocking(move || reader.tail(4 * settle::TAIL as u64)).await;
        let text = read.ok().and_then(std::result::Result::ok).unwrap_or_else(|| self.memo.tail.join("\n"));
        let lines: Vec<&str> = text.lines().collect();
        // Whole lines from the end, as many as fit.
        let mut room = settle::TAIL;
        let fits = |line: &&&str| {
            let length = line.chars().count() + 1;
            let fits = length <= room;
            room = room.saturating_sub(length);
            fits
        };
        let kept = lines.iter().rev().take_while(fits).count().max(1);
        let end = lines[lines.len().saturating_sub(kept)..].join("\n");
        crate::text::cut(&end, 2 * settle::TAIL).into_owned()
    }
}
