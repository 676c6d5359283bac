//! One job, followed by one task for as long as this process holds its ticket.
//!
//! ```text
//!            claimed                 over, its log read to the end        told, shown
//! (nobody) ----------> following --------------------------------> ended ------------> closed
//!    ^                  |     ^ its time was up and people let it      |
//!    |   stop, lost     |     | run longer: begun anew                 |
//!    +------------------+-----+----------------------------------------+
//! ```
//!
//! The loop waits for one of: the beat, an answer about the job, a line of its log, something that was shown. Each
//! is at most one at a time, so memory is bounded and a fast log waits for us. What must not be lost is in the
//! [`Memo`], saved before the next thing is shown. Start at [`Follow::run`].

mod ask;
mod ending;
mod flight;
mod lines;
mod shared;
mod show;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use self::flight::{Flight, Heard, Log, done, woken};
pub use self::shared::{Pace, Shared};
use super::log::spool::Spool;
use super::memo::Memo;
use super::source::{JobFacts, JobName, JobSource, SourceError};
use crate::clock::Timestamp;
use crate::protocol::{JobWork, Stage};
use crate::runtime::Board;
use crate::store::{Result, StoreError, Watch, WatchSave};

/// Times in a row that the provider must not know a job until it counts as gone.
const MISSED: u8 = 3;

/// One job in hand.
pub struct Follow {
    shared: Arc<Shared>,
    watch: Watch,
    job: JobWork,
    source: Arc<dyn JobSource>,
    /// Where people see it; `None` if nobody can here.
    board: Option<Arc<dyn Board>>,
    memo: Memo,
    /// Ids of requests that the next save answers.
    answered: Vec<String>,
    /// Whether the memo changed since it was saved.
    dirty: bool,
    spool: Option<Spool>,
    /// Lines that are not on disk yet.
    unwritten: Vec<u8>,
    due: Due,
    /// How often the log ended in a row without a new line.
    drops: u32,
    /// How often it could not be opened in a row.
    failures: u32,
    /// Where the log was when the connection in hand was opened.
    opened_at_line: u64,
    /// Whether the log of the job in hand has come to its end.
    log_ended: bool,
    show: show::Queue,
    over_since: Option<Timestamp>,
    /// When the last line came.
    heard_at: Timestamp,
    /// How many times in a row the provider did not know the job.
    missed: u8,
    /// The account that it is looked at with may not: the next one to take it up asks with the token of then.
    refused: bool,
    phase: ending::Phase,
}

/// When things are due next.
#[derive(Debug, Clone, Copy, Default)]
struct Due {
    look: Timestamp,
    log: Timestamp,
    card: Timestamp,
    picture: Timestamp,
    save: Timestamp,
    renew: Timestamp,
    cancel: Timestamp,
    begin: Timestamp,
}

/// Whether a follower goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    On,
    Closed,
}

impl Follow {
    /// Takes up a job where the one before left it.
    pub fn new(
        shared: Arc<Shared>,
        watch: Watch,
        job: JobWork,
        (source, board): (Arc<dyn JobSource>, Option<Arc<dyn Board>>),
    ) -> Self {
        let memo = Memo::of(&watch.memo);
        let mut follow = Self {
            shared,
            job,
            source,
            board,
            memo,
            answered: Vec::new(),
            dirty: true,
            spool: None,
            unwritten: Vec::new(),
            due: Due::default(),
            drops: 0,
            failures: 0,
            opened_at_line: 0,
            log_ended: false,
            show: show::Queue::default(),
            missed: 0,
            refused: false,
            over_since: None,
            heard_at: Timestamp::default(),
            phase: ending::Phase::Following,
            watch,
        };
        // Whoever came before may have seen the end and not have read the log to its end.
        follow.over_since = follow.is_over().then(|| follow.now());
        if follow.memo.settled {
            follow.phase = ending::Phase::Told { since: follow.now() };
        }
        follow.due.renew = follow.now().plus(follow.shared.pace.hold / 3);
        let requests = std::mem::take(&mut follow.watch.requests);
        follow.take_requests(requests);
        follow
    }

    /// Follows it until its session is told of its end, the ticket is lost, or `stop` fires.
    ///
    /// # Errors
    /// `Lost` if another process follows it by now; otherwise the store's.
    pub async fn run(mut self, stop: CancellationToken) -> Result<()> {
        self.begin().await?;
        let mut beats = interval(self.shared.pace.beat);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut flight = Flight::default();
        // What people ask is saved in the store; the session's wake-up says that there may be something.
        let mut wakes = self.shared.store.watch();
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return self.let_go().await,
                _ = beats.tick() => {
                    if self.beat(&mut flight).await? == Next::Closed {
                        return Ok(());
                    }
                }
                facts = done(&mut flight.look) => self.looked(facts),
                acted = done(&mut flight.act) => self.acted(acted, &mut flight).await?,
                shown = done(&mut flight.shown) => self.shown(shown).await?,
                () = woken(&mut wakes, &self.watch.ticket.session) => self.due.renew = self.now(),
                heard = flight.log.next() => self.heard(heard).await,
            }
        }
    }

    /// The line in the registry, and the log on disk.
    async fn begin(&mut self) -> Result<()> {
        let run = super::settle::run(&self.watch.ticket, &self.job, &self.memo, self.now());
        self.shared.store.record_run(&run).await?;
        let folder = self.folder();
        let (cap, mark) = (self.shared.log_bytes, self.memo.mark.clone());
        let opened = tokio::task::spawn_blocking(move || Spool::open(&folder, cap, mark)).await;
        match opened {
            Ok(Ok(spool)) => self.spool = Some(spool),
            Ok(Err(error)) => self.no_disk(&error),
            Err(error) => tracing::error!(%error, "opening a log's folder broke"),
        }
        Ok(())
    }

    /// What the clock asks for.
    async fn beat(&mut self, flight: &mut Flight) -> Result<Next> {
        let now = self.now();
        if now >= self.due.renew {
            self.due.renew = now.plus(self.shared.pace.hold / 3);
            let requests = self.shared.store.renew_watch(&self.watch, self.shared.pace.hold).await?;
            self.take_requests(requests);
        }
        if self.refused && flight.act.is_none() {
            self.write_lines().await;
            self.save(Some(now.plus(self.shared.pace.look * 6))).await?;
            return Ok(Next::Closed);
        }
        self.silence(now);
        self.reach(flight, now);
        self.act(flight, now).await?;
        self.write_lines().await;
        self.show_next(flight, now);
        if self.dirty && now >= self.due.save {
            self.save(None).await?;
        }
        self.advance(flight, now).await
    }

    /// Asks how the job stands, and opens its log, when it is time.
    fn reach(&mut self, flight: &mut Flight, now: Timestamp) {
        if self.phase != ending::Phase::Following {
            return;
        }
        let name = self.name();
        if flight.look.is_none() && now >= self.due.look && !self.is_over() {
            let calm = self.memo.run.stage == Some(Stage::Running) && flight.log.is_open();
            self.due.look = now.plus(if calm { self.shared.pace.calm } else { self.shared.pace.look });
            let (source, job) = (self.source.clone(), name.clone());
            flight.look = Some(Box::pin(async move { source.look(&job).await }));
        }
        let began = !matches!(self.memo.run.stage, None | Some(Stage::Queued));
        if flight.log.is_closed() && began && !self.log_ended && now >= self.due.log {
            let (source, from) = (self.source.clone(), self.memo.point.clone());
            self.opened_at_line = from.lines;
            flight.log = Log::Opening(Box::pin(async move { source.log(&name, from).await }));
        }
    }

    /// Takes in how the job stands.
    fn looked(&mut self, facts: std::result::Result<JobFacts, SourceError>) {
        let now = self.now();
        match facts {
            Ok(facts) => {
                self.missed = 0;
                self.stands(facts, now);
            }
            // A job that was just made may not be known everywhere yet.
            Err(SourceError::Gone) if self.missed + 1 < MISSED => self.missed += 1,
            Err(SourceError::Gone) => {
                let stage = Stage::Vanished;
                self.stands(JobFacts { stage, message: None, started: None, finished: None }, now);
            }
            Err(SourceError::Later { why, after }) => {
                tracing::debug!(ticket = %self.watch.ticket.id, why, "a job could not be looked at");
                let wait = after.unwrap_or(self.shared.pace.look * 2).min(Duration::from_secs(600));
                self.due.look = now.plus(wait);
            }
            Err(SourceError::Refused(why)) => {
                // A token that was taken back may come again; the hold on the job's money stays.
                tracing::warn!(ticket = %self.watch.ticket.id, why, "a job may not be looked at");
                self.memo.run.message = Some(format!("It cannot be looked at: {why}"));
                self.dirty = true;
                self.refused = true;
            }
        }
    }

    fn stands(&mut self, facts: JobFacts, now: Timestamp) {
        let run = &mut self.memo.run;
        let before = run.clone();
        let ran = !matches!(facts.stage, Stage::Queued | Stage::Vanished | Stage::Stopped);
        run.started = facts.started.or(run.started);
        if run.started.is_none() && ran && !facts.stage.is_over() {
            run.started = Some(now);
        }
        if facts.stage.is_over() && facts.stage != Stage::Vanished {
            run.finished = facts.finished.or(run.finished).or(Some(now));
            self.over_since.get_or_insert(now);
        }
        if facts.stage == Stage::Vanished {
            self.log_ended = true;
        }
        run.stage = Some(facts.stage);
        let secrets = &self.shared.secrets;
        run.message = facts
            .message
            .filter(|text| !text.trim().is_empty())
            .map(|text| crate::text::redact(&text, secrets).into_owned());
        if *run != before {
            self.dirty = true;
            self.due.card = self.due.card.min(now.plus(self.shared.pace.beat));
        }
    }

    fn is_over(&self) -> bool {
        self.memo.run.stage.is_some_and(Stage::is_over)
    }

    /// Saves the memo; with `due` the ticket is given back until then. What the memo says was read is on the
    /// disk before.
    async fn save(&mut self, due: Option<Timestamp>) -> Result<()> {
        self.write_lines().await;
        if let Some(spool) = &self.spool {
            self.memo.mark = spool.mark().clone();
        }
        let memo = serde_json::to_value(&self.memo).unwrap_or(Value::Null);
        let answered = std::mem::take(&mut self.answered);
        let save = WatchSave { memo: &memo, answered: &answered, due };
        let saved = self.shared.store.save_watch(&self.watch, save).await;
        match saved {
            Ok(()) => {
                self.dirty = false;
                self.due.save = self.now().plus(self.shared.pace.save);
                Ok(())
            }
            // The next beat tries again; what was read stays in memory.
            Err(StoreError::Backend(error)) if due.is_none() => {
                tracing::error!(ticket = %self.watch.ticket.id, error, "a job's memo could not be saved");
                self.answered = answered;
                self.due.save = self.now().plus(self.shared.pace.save);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Gives the ticket back for the next process, which goes on from here at once.
    async fn let_go(&mut self) -> Result<()> {
        self.save(Some(self.now())).await
    }

    fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    /// The job in hand.
    fn name(&self) -> JobName {
        let id = self.memo.job.as_ref().unwrap_or(&self.job.job_id);
        JobName { namespace: self.job.namespace.clone(), id: id.clone() }
    }

    /// The folder of this ticket's log. The ticket's id is made of foreign names: only plain characters stay.
    fn folder(&self) -> PathBuf {
        self.shared.folder.join(super::folder_name(&self.watch.ticket.id))
    }
}
