//! One session in hand: load, recover, apply what came in, advance, save, tell, release.
//!
//! The order of writes is what makes a crash harmless: operations are consumed in the save that
//! holds their effect; calls are marked before they run; an ending or a question is saved as untold,
//! then shown, then saved as told.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use super::apply::{apply, fits, processing};
use super::present::{Opening, PresentError, Presenter, Presenters};
use super::worker::Worker;
use crate::agent::tool::Place;
use crate::agent::{Advance, EventSink, Session, recover, step};
use crate::protocol::{
    Event, Operation, OperationId, OperationKind, SessionHead, SessionKey, Turn, TurnState,
};
use crate::store::{Commit, Later, Lease, Result, StoreError};

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
    place: Place,
    presenter: Arc<dyn Presenter>,
    sink: Arc<dyn EventSink>,
    wakes: broadcast::Receiver<SessionKey>,
    /// An untold ending or question has failed to arrive this often.
    failures: u32,
}

impl Worker {
    /// Moves one leased session forward until nothing is left to do, then releases it.
    pub(super) async fn hold(&self, lease: Lease, stop: &CancellationToken) {
        let key = lease.session.clone();
        let lost = CancellationToken::new();
        let keep = self.keep_lease(&lease, &lost);
        let work = async {
            let outcome = self.work_on(lease.clone(), stop).await;
            lost.cancel();
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

    async fn keep_lease(&self, lease: &Lease, done: &CancellationToken) {
        let every = self.0.pace.lease / 3;
        loop {
            tokio::select! {
                () = done.cancelled() => return,
                () = tokio::time::sleep(every) => {}
            }
            if let Err(error) = self.0.store.renew(lease, self.0.pace.lease).await {
                // Every write shows the lease, so a lost one cannot do harm: the next save refuses.
                tracing::warn!(session = %lease.session, %error, "the lease could not be renewed");
            }
        }
    }

    async fn work_on(&self, lease: Lease, stop: &CancellationToken) -> Result<Parting> {
        let store = &self.0.store;
        let loaded = store.load(&lease.session).await?;
        let unread = store.unread(&lease).await?;
        let head = match (loaded.head, unread.first()) {
            (Some(head), _) => head,
            (None, Some(first)) => SessionHead::new(lease.session.clone(), first.origin.clone(), first.at),
            (None, None) => return Ok(Parting::Idle),
        };
        let Some(presenters) = self.0.presenters.get(&head.origin.door) else { return Ok(Parting::Idle) };
        let place = self.0.places.place(&head).map_err(|error| StoreError::Backend(format!("{error:#}")))?;
        let opening = if head.wants_work() { Opening::Recovered } else { Opening::Fresh };
        let presenter = presenters.open(&head, opening).await;
        let mut held = Held {
            worker: self,
            lease,
            session: Session::new(head, loaded.items),
            place,
            sink: Arc::new(Shown(presenter.clone())),
            presenter,
            wakes: store.watch(),
            failures: 0,
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
        if opening == Opening::Recovered {
            self.show_all(&processing(&self.session));
            let events = recover::recover(&mut self.session, &self.worker.0.agent.toolbox, &self.place);
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
                return self.part(Parting::Suspended).await;
            }
            if self.session.head.wants_work() {
                if !self.advance().await? {
                    return self.part(Parting::Suspended).await;
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
        match self.presenter.settle().await {
            Ok(memo) => self.session.head.presentation = memo,
            Err(PresentError::Later(reason)) => {
                self.failures += 1;
                tracing::warn!(session = %self.lease.session, %reason, "what must arrive has not arrived yet");
                return Ok(Some(Parting::Later(Duration::from_secs(5))));
            }
            Err(PresentError::Never(reason)) => {
                tracing::error!(session = %self.lease.session, %reason, "nobody can be told");
            }
        }
        if let Some(TurnState::Waiting { told, .. } | TurnState::Over { told, .. }) =
            self.session.head.turn.as_mut().map(|turn| &mut turn.state)
        {
            *told = true;
        }
        self.save(&[], &[]).await?;
        Ok(None)
    }

    fn untold(&self) -> bool {
        let turn = self.session.head.turn.as_ref();
        turn.is_some_and(|turn| turn.wants_work() && (turn.is_over() || turn.approval().is_some()))
    }

    /// Applies what came in, as far as it fits the state; each operation is consumed by the save that
    /// holds its effect.
    async fn take_in(&mut self, presenters: &dyn Presenters, unread: Vec<Operation>) -> Result<()> {
        for operation in unread {
            // An ending is told before anything new begins, or it would be lost.
            if self.untold() || !fits(&self.session, &operation) {
                break;
            }
            let first_words = self.session.items().is_empty();
            let heard = if first_words && matches!(operation.kind, OperationKind::Say { .. }) {
                presenters.heard(&self.session.head, &operation).await
            } else {
                Vec::new()
            };
            let mut events = apply(&mut self.session, &operation, heard, &self.worker.0.agent);
            if operation.kind == OperationKind::Compact {
                events.extend(self.compact(&operation).await);
            }
            self.save(std::slice::from_ref(&operation.id), &[]).await?;
            self.show_all(&events);
        }
        Ok(())
    }

    async fn compact(&mut self, operation: &Operation) -> Vec<Event> {
        let cancel = self.worker.0.suspend.child_token();
        if self.worker.0.agent.shorten(&mut self.session, &self.sink, &cancel).await {
            return Vec::new();
        }
        let text = "There is nothing to shorten yet.".to_owned();
        vec![Event::PrivateLine { to: operation.actor.id.clone(), text }]
    }

    /// One step of the agent, saved. `false` if it had to be let go unsaved.
    async fn advance(&mut self) -> Result<bool> {
        let parts = &self.worker.0;
        let cancel = parts.suspend.child_token();
        let advance = {
            let work = parts.agent.advance(&mut self.session, &self.place, &self.sink, &cancel);
            let stopped = stop_arrives(self.worker, &self.lease, &mut self.wakes);
            tokio::pin!(work);
            tokio::select! {
                biased;
                advance = &mut work => advance,
                () = stopped => {
                    cancel.cancel();
                    work.await
                }
            }
        };
        if parts.suspend.is_cancelled() {
            // Calls that were cut off stay marked as started: the next worker reports them as unknown.
            return Ok(false);
        }
        let later = match (advance, self.session.head.turn.as_ref().and_then(Turn::approval)) {
            (Advance::Paused, Some(asked)) => vec![self.expiry(asked)],
            _ => Vec::new(),
        };
        self.save(&[], &later).await?;
        Ok(true)
    }

    fn expiry(&self, asked: &crate::protocol::ApprovalRequest) -> Later {
        let head = &self.session.head;
        let actor = crate::protocol::Actor { id: "clock".into(), name: "the clock".to_owned() };
        Later {
            at: asked.expires_at,
            operation: Operation {
                id: OperationId(format!("expire:{}", asked.id)),
                session: head.key.clone(),
                origin: head.origin.clone(),
                actor,
                at: asked.expires_at,
                kind: OperationKind::Expire { approval: asked.id.clone() },
            },
        }
    }

    async fn save(&mut self, consumed: &[OperationId], later: &[Later]) -> Result<()> {
        let (keep, append) = self.session.unsaved();
        let commit = Commit { head: &self.session.head, keep, append, consumed, later };
        self.worker.0.store.commit(&self.lease, commit).await?;
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

/// Resolves when somebody wants the session stopped.
async fn stop_arrives(worker: &Worker, lease: &Lease, wakes: &mut broadcast::Receiver<SessionKey>) {
    loop {
        match wakes.recv().await {
            Ok(key) if key != lease.session => continue,
            Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
        }
        let Ok(unread) = worker.0.store.unread(lease).await else { continue };
        if unread.iter().any(|operation| matches!(operation.kind, OperationKind::Stop | OperationKind::New)) {
            return;
        }
    }
}

struct Shown(Arc<dyn Presenter>);

impl EventSink for Shown {
    fn show(&self, event: &Event) {
        self.0.show(event);
    }
}
