//! What people ask of the job, and what is done about it at the provider.

use std::time::Duration;

use super::{Flight, Follow};
use crate::clock::Timestamp;
use crate::protocol::{Stage, TicketRequest, TicketWant};
use crate::store::Result;
use crate::supervise::memo::Longer;
use crate::supervise::source::{JobName, SourceError};

/// What was done at the provider.
pub(super) enum Acted {
    /// The job was told to end.
    Cancelled(std::result::Result<(), SourceError>),
    /// It was begun anew.
    Begun(std::result::Result<JobName, SourceError>),
}

impl Follow {
    /// Takes in what people ask. What is noted in the memo is answered by the save of it.
    pub(super) fn take_requests(&mut self, requests: Vec<TicketRequest>) {
        let now = self.now();
        for request in requests {
            if self.answered.contains(&request.id) || self.show.files.contains(&request.id) {
                continue;
            }
            match request.want {
                TicketWant::Stop => {
                    self.memo.stop.get_or_insert(request.name);
                    self.answered.push(request.id);
                }
                // While it is being begun anew nobody knows whether its time was sent already: asked again later.
                TicketWant::Longer { .. } if matches!(self.memo.longer, Longer::Begin { .. }) => continue,
                TicketWant::Longer { seconds, .. } => {
                    let before = match self.memo.longer {
                        Longer::Granted { seconds } => seconds,
                        Longer::None | Longer::Begin { .. } => 0,
                    };
                    self.memo.longer = Longer::Granted { seconds: before.saturating_add(seconds) };
                    self.answered.push(request.id);
                }
                // Answered when the file has arrived.
                TicketWant::Logs => self.show.files.push(request.id),
            }
            self.dirty = true;
            self.due.save = now;
            self.due.card = now;
        }
    }

    /// Does at the provider what is to be done there, one thing at a time.
    pub(super) async fn act(&mut self, flight: &mut Flight, now: Timestamp) -> Result<()> {
        if flight.act.is_some() {
            return Ok(());
        }
        let (source, name) = (self.source.clone(), self.name());
        if self.memo.stop.is_some() && !self.is_over() && now >= self.due.cancel {
            // Asked again until the job is seen to have ended.
            self.due.cancel = now.plus(self.shared.pace.look);
            flight.act = Some(Box::pin(async move { Acted::Cancelled(source.cancel(&name).await) }));
            return Ok(());
        }
        if let Longer::Begin { seconds, label } = &self.memo.longer
            && now >= self.due.begin
            && self.memo.stop.is_none()
        {
            let (seconds, label) = (*seconds, label.clone());
            self.due.begin = now.plus(self.shared.pace.look);
            // What is meant to be done is saved before it is tried: whoever comes next finds it by its label.
            self.save(None).await?;
            flight.act =
                Some(Box::pin(async move { Acted::Begun(source.again(&name, seconds, &label).await) }));
        }
        Ok(())
    }

    /// Takes in what was done at the provider.
    pub(super) async fn acted(&mut self, acted: Acted, flight: &mut Flight) -> Result<()> {
        let now = self.now();
        match acted {
            Acted::Cancelled(Ok(())) => self.due.look = self.due.look.min(now.plus(self.shared.pace.again)),
            Acted::Cancelled(Err(SourceError::Gone)) => self.due.look = now,
            Acted::Cancelled(Err(error)) => {
                tracing::warn!(ticket = %self.watch.ticket.id, %error, "a job could not be stopped yet");
                self.due.cancel = now.plus(wait(&error, self.shared.pace.look));
            }
            Acted::Begun(Ok(job)) => {
                self.memo.next_job(job.id, now);
                self.over_since = None;
                self.log_ended = false;
                flight.log = super::Log::Closed;
                self.due = super::Due { renew: self.due.renew, ..super::Due::default() };
                self.unwritten.extend_from_slice(b"\n===== Begun anew: its time was up =====\n");
                self.save(None).await?;
            }
            Acted::Begun(Err(SourceError::Later { why, after })) => {
                tracing::warn!(ticket = %self.watch.ticket.id, why, "a job could not be begun anew yet");
                self.due.begin = now.plus(after.unwrap_or(self.shared.pace.look));
            }
            Acted::Begun(Err(error)) => {
                let said = self.memo.run.message.take().map(|text| format!("{text} ")).unwrap_or_default();
                self.memo.run.message = Some(format!("{said}It could not be begun anew: {error}"));
                self.memo.longer = Longer::None;
                self.dirty = true;
            }
        }
        Ok(())
    }

    /// The job's time was up and people let it run longer: it is begun anew. Says whether it is.
    pub(super) fn goes_on(&mut self) -> bool {
        match &self.memo.longer {
            // Whoever stops it stops that, too. Should it have begun already, the sweep finds it by its label.
            Longer::Begin { .. } => self.memo.stop.is_none(),
            Longer::Granted { seconds }
                if self.memo.run.stage == Some(Stage::TimedOut) && self.memo.stop.is_none() =>
            {
                let label = format!("{}-{}", self.job.job_id, self.memo.earlier + 1);
                self.memo.longer = Longer::Begin { seconds: *seconds, label };
                self.dirty = true;
                true
            }
            _ => false,
        }
    }
}

fn wait(error: &SourceError, usual: Duration) -> Duration {
    match error {
        SourceError::Later { after: Some(after), .. } => (*after).min(usual * 6),
        _ => usual,
    }
}
