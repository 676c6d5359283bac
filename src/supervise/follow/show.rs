//! What people see of the job: one thing at a time, the most urgent first.

use std::sync::Arc;

use futures::future::BoxFuture;
use serde_json::Value;
use tokio::sync::Semaphore;

use super::{Flight, Follow};
use crate::clock::Timestamp;
use crate::protocol::{Attachment, JobView, Ticket};
use crate::runtime::{Board, PresentError};
use crate::store::Result;
use crate::supervise::alarms::{Alarm, AlarmKind};
use crate::supervise::view;

/// Pictures that are drawn at once: each takes megabytes while it is drawn.
static EASELS: Semaphore = Semaphore::const_new(2);

/// What waits to be shown.
#[derive(Default)]
pub(super) struct Queue {
    /// Files that people asked for, each with the request's id.
    pub(super) files: Vec<String>,
    /// When something that could not be shown is tried again.
    again: Timestamp,
    /// Tries in a row that failed.
    failed: u32,
    /// The last card that was shown, without its times.
    card: Option<JobView>,
    /// Whether the place is gone.
    pub(super) gone: bool,
    /// Whether the card of the end was shown.
    pub(super) ended: bool,
}

/// What was shown, and how that went.
pub(super) struct Shown {
    what: What,
    outcome: std::result::Result<Value, PresentError>,
}

enum What {
    Alarm(AlarmKind),
    Card(Box<JobView>),
    /// With how many values.
    Picture(u64),
    /// With the id of the request.
    File(String),
}

impl Follow {
    /// Begins to show the next thing, if there is one and nothing is being shown.
    pub(super) fn show_next(&mut self, flight: &mut Flight, now: Timestamp) {
        let Some(board) = self.board.clone().filter(|_| !self.show.gone) else {
            self.show.ended = true;
            self.show.files.clear();
            return;
        };
        if flight.shown.is_some() || now < self.show.again {
            return;
        }
        // The last card shows the last picture, so at the end that comes first.
        let over = self.phase != super::ending::Phase::Following;
        let picture = if over { self.next_picture(&board, now) } else { None };
        flight.shown = self
            .next_alarm(&board)
            .or(picture)
            .or_else(|| self.next_card(&board, now))
            .or_else(|| self.next_file(&board))
            .or_else(|| self.next_picture(&board, now));
    }

    fn next_alarm(&self, board: &Arc<dyn Board>) -> Option<BoxFuture<'static, Shown>> {
        let untold = |alarm: &&Alarm| !self.memo.told.contains(&alarm.kind);
        let alarm = self.memo.alarms.raised.iter().find(untold)?;
        let kind = alarm.kind;
        // One per kind and job, whatever crashed in between.
        let key = format!("alarm:{}:{kind:?}", self.watch.ticket.id);
        let (board, ticket, text) = (board.clone(), self.ticket(), view::alarm_text(&self.job, alarm));
        Some(Box::pin(async move {
            let outcome = board.alarm(&ticket, &key, &text).await.map(|()| Value::Null);
            Shown { what: What::Alarm(kind), outcome }
        }))
    }

    fn next_card(&mut self, board: &Arc<dyn Board>, now: Timestamp) -> Option<BoxFuture<'static, Shown>> {
        let over = self.phase != super::ending::Phase::Following;
        if over && self.show.ended || !over && now < self.due.card {
            return None;
        }
        let card = view::card(&self.watch.ticket, &self.job, &self.memo, now);
        self.due.card = now.plus(self.shared.pace.card);
        if !over && self.show.card.as_ref().is_some_and(|shown| same(shown, &card)) {
            return None;
        }
        let (board, ticket, memo) = (board.clone(), self.ticket(), self.memo.board.clone());
        Some(Box::pin(async move {
            let outcome = board.show(&ticket, &card, &memo).await;
            Shown { what: What::Card(Box::new(card)), outcome }
        }))
    }

    fn next_picture(&mut self, board: &Arc<dyn Board>, now: Timestamp) -> Option<BoxFuture<'static, Shown>> {
        let values = self.memo.track.values;
        let over = self.phase != super::ending::Phase::Following;
        if values == self.memo.pictured || now < self.due.picture && !over {
            return None;
        }
        self.due.picture = now.plus(self.shared.pace.picture);
        let (board, ticket, memo) = (board.clone(), self.ticket(), self.memo.board.clone());
        let (title, track) = (self.job.title.clone(), self.memo.track.clone());
        Some(Box::pin(async move {
            let name = format!("{title}: curves");
            let alt = view::alt(&track);
            let drawn = {
                let _easel = EASELS.acquire().await;
                tokio::task::spawn_blocking(move || view::picture(&title, &track)).await
            };
            let outcome = match drawn {
                Ok(Ok(Some(bytes))) => {
                    let picture = Attachment {
                        name: "training.png".to_owned(),
                        title: format!("{name}. {alt}"),
                        bytes,
                    };
                    board.picture(&ticket, picture, &memo).await
                }
                Ok(Ok(None)) => Ok(memo),
                Ok(Err(error)) => {
                    tracing::error!(error = format!("{error:#}"), "a picture could not be drawn");
                    Ok(memo)
                }
                Err(error) => {
                    tracing::error!(%error, "drawing a picture broke");
                    Ok(memo)
                }
            };
            Shown { what: What::Picture(values), outcome }
        }))
    }

    fn next_file(&mut self, board: &Arc<dyn Board>) -> Option<BoxFuture<'static, Shown>> {
        let request = self.show.files.first()?.clone();
        let (board, ticket) = (board.clone(), self.ticket());
        let whole = self.spool.as_ref().map(crate::supervise::log::spool::Spool::reader);
        let title = format!("Log of “{}”", self.job.title);
        let name = format!("{}.log", crate::supervise::folder_name(&self.watch.ticket.id));
        Some(Box::pin(async move {
            let read = tokio::task::spawn_blocking(move || whole.map(|reader| reader.whole())).await;
            let bytes = match read {
                Ok(Some(Ok(bytes))) if !bytes.is_empty() => bytes,
                Ok(Some(Ok(_))) => b"(The job has not written anything yet.)\n".to_vec(),
                Ok(Some(Err(error))) => format!("(The log cannot be read: {error})\n").into_bytes(),
                Ok(None) | Err(_) => b"(The log could not be kept on this machine's disk.)\n".to_vec(),
            };
            let outcome = board.file(&ticket, Attachment { name, title, bytes }).await.map(|()| Value::Null);
            Shown { what: What::File(request), outcome }
        }))
    }

    /// Notes what was shown; what the board must remember is saved before the next thing is shown.
    pub(super) async fn shown(&mut self, Shown { what, outcome }: Shown) -> Result<()> {
        let now = self.now();
        let value = match outcome {
            Ok(value) => value,
            Err(PresentError::Later(why)) => {
                self.show.failed = self.show.failed.saturating_add(1);
                let wait = self.shared.pace.beat * 2_u32.pow(self.show.failed.min(6));
                self.show.again = now.plus(wait);
                // A card that did not arrive is due again.
                self.due.card = now;
                tracing::debug!(ticket = %self.watch.ticket.id, why, "a job could not be shown yet");
                return Ok(());
            }
            Err(PresentError::Never(why)) => {
                tracing::warn!(ticket = %self.watch.ticket.id, why, "nobody can be shown how a job goes");
                self.answered.extend(std::mem::take(&mut self.show.files));
                self.show.gone = true;
                return Ok(());
            }
        };
        self.show.failed = 0;
        self.dirty = true;
        match what {
            What::Alarm(kind) => {
                self.memo.told.insert(kind);
            }
            What::Card(card) => {
                self.show.ended |= card.stage.is_over();
                self.show.card = Some(*card);
                self.memo.board = value;
            }
            What::Picture(values) => {
                self.memo.pictured = values;
                // The card shows it from its next update on.
                if self.memo.board != value {
                    (self.show.card, self.show.ended) = (None, false);
                }
                self.memo.board = value;
            }
            What::File(request) => {
                self.show.files.retain(|waiting| *waiting != request);
                self.answered.push(request);
            }
        }
        self.save(None).await
    }

    /// Whether something of the end waits to be shown.
    pub(super) fn shows_something(&self) -> bool {
        let told = self.memo.alarms.raised.iter().all(|alarm| self.memo.told.contains(&alarm.kind));
        let pictured = self.memo.pictured == self.memo.track.values;
        !self.show.gone
            && self.board.is_some()
            && !(self.show.ended && told && pictured && self.show.files.is_empty())
    }

    fn ticket(&self) -> Ticket {
        self.watch.ticket.clone()
    }
}

/// Whether two cards say the same, but for the time that passes.
fn same(one: &JobView, two: &JobView) -> bool {
    let still = |view: &JobView| JobView {
        at: Timestamp::default(),
        elapsed_s: view.elapsed_s / 60,
        eta_s: view.eta_s.map(|left| left / 60),
        ..view.clone()
    };
    still(one) == JobView { burnt: one.burnt, ..still(two) }
}
