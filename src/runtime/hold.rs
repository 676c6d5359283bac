//! One session in hand: load, recover, apply what came in, advance, save, tell, release.
//!
//! The order of writes is what makes a crash harmless: operations are consumed in the save that
//! holds their effect; calls are marked before they run; an ending or a question is saved as untold,
//! then shown, then saved as told.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::apply::{apply, decide, fits, make_room, processing};
use super::bells::Bell;
use super::fork;
use super::present::{Opening, PresentError, Presenter, Presenters};
use super::spending;
use super::stop::{stop_arrives, stops, until_stopped};
use super::timers::{timers, timers_after};
use super::worker::Worker;
use crate::agent::results::close_open_calls;
use crate::agent::tool::Place;
use crate::agent::{Advance, EventSink, Session, approve, recover, step};
use crate::protocol::{Ending, Event, Operation, OperationId, OperationKind, SessionHead, Turn, TurnState};
use crate::store::{Commit, Later, Lease, Result, StoreError};

mod models;
mod outside;
mod runs;
mod shorten;

/// Why a session is given back.
enum Parting {
    /// Nothing is left to do for now.
    Idle,
    /// Something that must arrive did not; try again after this long.
    Later(Duration),
    /// The process is stopping.
    Suspended,
}

/// A session in hand.
struct Held<'a> {
    worker: &'a Worker,
    lease: Lease,
    session: Session,
    /// Where its calls act; `None` if that could not be made.
    place: Option<Place>,
    presenter: Arc<dyn Presenter>,
    sink: Arc<dyn EventSink>,
    bell: Bell,
    /// Fires when the lease is lost: somebody else may be at work on the session.
    lost: CancellationToken,
}

impl Worker {
    /// Moves one leased session forward until nothing is left to do, then releases it.
    pub(super) async fn hold(&self, lease: Lease, stop: &CancellationToken) {
        let key = lease.session.clone();
        let (done, lost) = (CancellationToken::new(), CancellationToken::new());
        let keep = self.keep_lease(&lease, &done, &lost);
        let work = async {
            let outcome = self.work_on(lease.clone(), stop, lost.clone()).await;
            done.cancel();
            outcome
        };
        let (outcome, ()) = tokio::join!(work, keep);
        let not_before = match outcome {
            Ok(Parting::Idle | Parting::Suspended) => None,
            Ok(Parting::Later(wait)) => Some(self.0.agent.clock.now().plus(wait)),
            Err(StoreError::Fenced(_)) => {
                tracing::warn!(session = %key, "the lease was lost; another worker goes on");
                return;
            }
            Err(error) => {
                tracing::error!(session = %key, %error, "a session could not be worked on");
                Some(self.0.agent.clock.now().plus(Duration::from_secs(5)))
            }
        };
        if let Err(error) = self.0.store.release(&lease, not_before).await {
            tracing::error!(session = %key, %error, "a session could not be released; its lease will expire");
        }
    }

    async fn keep_lease(&self, lease: &Lease, done: &CancellationToken, lost: &CancellationToken) {
        let every = self.0.pace.lease / 3;
        loop {
            tokio::select! {
                () = done.cancelled() => return,
                () = tokio::time::sleep(every) => {}
            }
            match self.0.store.renew(lease, self.0.pace.lease).await {
                Ok(_) => {}
                // The next save would be refused; what runs must not run beside another worker's.
                Err(StoreError::Fenced(_)) => return lost.cancel(),
                Err(error) => {
                    tracing::warn!(session = %lease.session, %error, "the lease could not be renewed");
                }
            }
        }
    }

    fn place(&self, head: &SessionHead) -> Option<Place> {
        let place = self.0.places.place(head).inspect_err(|error| {
            tracing::error!(session = %head.key, error = format!("{error:#}"), "a session has no place to act");
        });
        place.ok()
    }

    async fn work_on(
        &self,
        lease: Lease,
        stop: &CancellationToken,
        lost: CancellationToken,
    ) -> Result<Parting> {
        let store = &self.0.store;
        // Before the first look, so that nothing that comes in afterwards goes unnoticed.
        let bell = self.1.hang(lease.session.clone());
        let loaded = store.load(&lease.session).await?;
        let unread = store.unread(&lease).await?;
        let head = match (loaded.head, unread.first()) {
            (Some(head), _) => head,
            (None, Some(first)) => SessionHead::new(lease.session.clone(), first.origin.clone(), first.at),
            (None, None) => return Ok(Parting::Idle),
        };
        let Some(presenters) = self.0.presenters.get(&head.origin.door) else { return Ok(Parting::Idle) };
        let place = self.place(&head);
        let opening = if head.wants_work() { Opening::Recovered } else { Opening::Fresh };
        let presenter = presenters.open(&head, opening).await;
        let mut held = Held {
            worker: self,
            lease,
            session: Session::new(head, loaded.items),
            place,
            sink: Arc::new(Shown(presenter.clone())),
            presenter,
            bell,
            lost,
        };
        held.go(presenters.as_ref(), unread, opening, stop).await
    }
}

impl Held<'_> {
    async fn go(
        &mut self,
        presenters: &dyn Presenters,
        mut unread: Vec<Operation>,
        opening: Opening,
        stop: &CancellationToken,
    ) -> Result<Parting> {
        // First: it looks at the marks as they were saved.
        match self.worker.0.agent.recover_pledges(&mut self.session).await {
            Ok(true) => self.save(&[], &[]).await?,
            Ok(false) => {}
            Err(error) => return Err(StoreError::Backend(error.0)),
        }
        if opening == Opening::Recovered {
            self.show_all(&processing(&self.session));
            let events =
                recover::recover(&mut self.session, &self.worker.0.agent.toolbox, self.place.as_ref());
            if !events.is_empty() {
                self.save(&[], &[]).await?;
                self.show_all(&events);
            }
        }
        loop {
            if let Some(parting) = self.tell().await? {
                return Ok(parting);
            }
            self.take_in(presenters, std::mem::take(&mut unread)).await?;
            if self.untold() {
                continue;
            }
            if stop.is_cancelled() || self.worker.0.suspend.is_cancelled() {
                if recover::unmark(&mut self.session) {
                    self.save(&[], &[]).await?;
                }
                return self.part(Parting::Suspended).await;
            }
            if self.session.head.wants_work() {
                if !self.advance().await? {
                    return self.let_go().await;
                }
            } else if self.worker.0.store.unread(&self.lease).await?.is_empty() {
                return self.part(Parting::Idle).await;
            }
            unread = self.worker.0.store.unread(&self.lease).await?;
        }
    }

    /// Shows an ending or a question that people may not know of, until it has arrived.
    async fn tell(&mut self) -> Result<Option<Parting>> {
        if !self.untold() {
            return Ok(None);
        }
        if let Some(event) = step::announcement(&self.session) {
            self.presenter.show(&event);
        }
        let mut arrived = true;
        match self.presenter.settle().await {
            Ok(memo) => self.session.head.presentation = memo,
            Err(PresentError::Later(reason)) => {
                tracing::warn!(session = %self.lease.session, %reason, "what must arrive has not arrived yet");
                return Ok(Some(Parting::Later(Duration::from_secs(5))));
            }
            Err(PresentError::Never(reason)) => {
                tracing::error!(session = %self.lease.session, %reason, "nobody can be told");
                arrived = false;
            }
        }
        let now = self.worker.0.agent.clock.now();
        approve::readable(&mut self.session, arrived.then_some(now));
        if let Some(
            TurnState::Waiting { told, .. } | TurnState::Away { told, .. } | TurnState::Over { told, .. },
        ) = self.session.head.turn.as_mut().map(|turn| &mut turn.state)
        {
            *told = true;
        }
        self.save(&[], &[]).await?;
        Ok(None)
    }

    fn untold(&self) -> bool {
        self.session.head.turn.as_ref().is_some_and(Turn::is_untold)
    }

    /// Applies what came in, as far as it fits the state; each operation is consumed by the save that
    /// holds its effect.
    async fn take_in(&mut self, presenters: &dyn Presenters, unread: Vec<Operation>) -> Result<()> {
        let mut room = Vec::new();
        for (index, operation) in unread.iter().enumerate() {
            // An ending is told before anything new begins, or it would be lost.
            if self.untold() {
                break;
            }
            if !fits(&self.session, operation) {
                // Words before a stop are kept; anything else waits, and holds up nothing behind it.
                let words = matches!(operation.kind, OperationKind::Say { .. });
                if !words || !unread[index..].iter().any(stops) {
                    continue;
                }
                room = make_room(&mut self.session);
            }
            // After `new` the thread's past stays forgotten.
            let first_words = self.session.items().is_empty() && self.session.head.turns == 0;
            let heard = if first_words && matches!(operation.kind, OperationKind::Say { .. }) {
                presenters.heard(&self.session.head, operation).await
            } else {
                Vec::new()
            };
            let mut events = std::mem::take(&mut room);
            let agent = &self.worker.0.agent;
            self.take_up_ticket(operation).await?;
            self.settle_money(operation).await?;
            events.extend(if matches!(operation.kind, OperationKind::Decide { .. }) {
                decide(&mut self.session, operation, agent, self.place.as_ref())
            } else {
                apply(&mut self.session, operation, heard, agent)
            });
            events.extend(self.after_answer().await?);
            if let OperationKind::Runs { words } = &operation.kind {
                events.push(runs::tell(self.worker, &self.session.head, words).await?);
            }
            if operation.kind == OperationKind::Usage {
                events.push(spending::tell(&self.worker.0.agent, &self.session, operation).await);
            }
            if operation.kind == OperationKind::Compact {
                match self.compact(operation).await {
                    Some(more) => events.extend(more),
                    None => break,
                }
            }
            events.extend(match operation.kind {
                OperationKind::Fork { turn } => {
                    fork::fork(self.worker, presenters, &self.session, operation, turn).await?
                }
                OperationKind::Adopt { .. } => {
                    fork::adopt(self.worker.0.store.as_ref(), &mut self.session, operation).await?
                }
                _ => Vec::new(),
            });
            match self.models(operation).await {
                Some(more) => events.extend(more),
                None => break,
            }
            self.save(std::slice::from_ref(&operation.id), &timers_after(operation, &self.session)).await?;
            self.show_all(&events);
        }
        Ok(())
    }

    /// Whether this worker must keep its hands off: the process ends, or another holds the session.
    fn is_let_go(&self) -> bool {
        self.worker.0.suspend.is_cancelled() || self.lost.is_cancelled()
    }

    /// One step of the agent, saved. `false` if it had to be let go unsaved.
    async fn advance(&mut self) -> Result<bool> {
        let agent = &self.worker.0.agent;
        if self.place.is_none() {
            self.place = self.worker.place(&self.session.head);
        }
        let Some(place) = &self.place else {
            let events = close_open_calls(&mut self.session, "Not run: the session's folder cannot be used.");
            agent.end(&mut self.session, no_place());
            self.save(&[], &[]).await?;
            self.show_all(&events);
            return Ok(true);
        };
        let cancel = self.worker.0.suspend.child_token();
        let work = agent.advance(&mut self.session, place, &self.sink, &cancel);
        let stopped = stop_arrives(self.worker, &self.lease, &self.bell, &self.lost);
        let advance = until_stopped(work, &cancel, stopped).await;
        if self.is_let_go() {
            return Ok(false);
        }
        let later = if advance == Advance::Paused { timers(&self.session) } else { Vec::new() };
        self.save(&[], &later).await?;
        Ok(true)
    }

    /// Goes back to what was saved: calls that were cut off stay marked as started, and the next worker
    /// reports them as unknown.
    async fn let_go(&mut self) -> Result<Parting> {
        if self.lost.is_cancelled() {
            return Err(StoreError::Fenced(self.lease.session.clone()));
        }
        let saved = self.worker.0.store.load(&self.lease.session).await?;
        if let Some(head) = saved.head {
            self.session = Session::new(head, saved.items);
        }
        self.presenter.show(&Event::Shutdown {});
        self.part(Parting::Suspended).await
    }

    async fn save(&mut self, consumed: &[OperationId], later: &[Later]) -> Result<()> {
        // What was marked and will not run after all (somebody stopped it) costs nothing.
        self.worker.0.agent.return_unused(&mut self.session).await;
        let (keep, append) = self.session.unsaved();
        let audit = self.session.unsaved_audit();
        let tickets = self.session.unsaved_tickets();
        let commit = Commit { head: &self.session.head, keep, append, consumed, later, audit, tickets };
        self.worker.0.store.commit(&self.lease, commit).await?;
        if !tickets.is_empty() {
            // Whoever watches external work looks at once.
            self.worker.0.store.wake(&self.lease.session);
        }
        self.session.mark_saved();
        Ok(())
    }

    /// Lets the presenter finish, and keeps what it must remember.
    async fn part(&mut self, parting: Parting) -> Result<Parting> {
        match self.presenter.settle().await {
            Ok(memo) if memo != self.session.head.presentation => {
                self.session.head.presentation = memo;
                self.save(&[], &[]).await?;
            }
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(session = %self.lease.session, %error, "the last lines may be missing")
            }
        }
        Ok(parting)
    }

    fn show_all(&self, events: &[Event]) {
        for event in events {
            self.presenter.show(event);
        }
    }
}

fn no_place() -> Ending {
    Ending::Failed {
        error: "I cannot work: the folder for this session's files could not be made.".to_owned(),
        hint: Some(
            "Whoever runs me finds the reason in the log (a full disk, or missing permissions).".to_owned(),
        ),
        retry: true,
    }
}

struct Shown(Arc<dyn Presenter>);

impl EventSink for Shown {
    fn show(&self, event: &Event) {
        self.0.show(event);
    }
}
