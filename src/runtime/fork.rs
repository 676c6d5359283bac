//! Going on in another place: a session parts in two, or a new one takes up what another has said.
//!
//! Copies, never moves: the source stays as it is. Safe to repeat at any moment: the new place is found
//! again by the operation's id, what is pushed there has an id made from it, and only then is the operation
//! consumed. Questions, grants, spending and auto-approval never come along.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::past::{self, Last, Part};
use super::present::Presenters;
use super::worker::Worker;
use crate::agent::Session;
use crate::protocol::{
    Event, Item, Operation, OperationId, OperationKind, SessionHead, SessionKey, Settings, Turn,
};
use crate::store::{Claimable, Lease, Result, Store};

/// What the model is told where a conversation goes on.
const ADOPTED: &str = include_str!("../../prompts/adopted.md");
/// How long to wait for another worker that already has the new session in hand.
const PATIENCE: Duration = Duration::from_secs(5);

/// Parts the session at the end of a turn: opens a new place, has it adopt the turns, and gives the events
/// to show here. Everything has happened when this returns, so that what comes next in the source cannot
/// change what was parted.
pub(super) async fn fork(
    worker: &Worker,
    presenters: &dyn Presenters,
    session: &Session,
    operation: &Operation,
    turn: Option<u64>,
) -> Result<Vec<Event>> {
    let part = match past::part(session.items(), last_of(&session.head), turn) {
        Ok(part) => part,
        Err(why) => return Ok(vec![private(operation, format!("I cannot fork there: {why}."))]),
    };
    let branch = match presenters.branch(&session.head, operation).await {
        Ok(Some(branch)) => branch,
        Ok(None) => return Ok(vec![private(operation, "There is no other place to go on in.".to_owned())]),
        Err(error) => {
            tracing::warn!(session = %session.head.key, %error, "a fork found no place");
            let text = "I could not open a new place to go on in. Try again in a moment.".to_owned();
            return Ok(vec![private(operation, text)]);
        }
    };
    let adopt = Operation {
        id: OperationId(format!("adopt:{}", operation.id)),
        session: branch.session.clone(),
        origin: branch.origin,
        actor: operation.actor.clone(),
        at: operation.at,
        kind: OperationKind::Adopt { source: session.head.key.clone(), turns: Some(part.turns) },
    };
    worker.0.store.push(adopt).await?;
    settle(worker, &branch.session).await?;
    Ok(vec![Event::Forked { place: branch.words, link: branch.link }])
}

/// Has the new session adopted now: by ourselves, or by whoever has it in hand.
async fn settle(worker: &Worker, key: &SessionKey) -> Result<()> {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while worker.0.store.head(key).await?.is_none() && tokio::time::Instant::now() < deadline {
        match worker.0.store.claim(&Claimable::Only(key.clone()), worker.0.pace.lease).await? {
            Some(lease) => hold(worker, lease).await,
            None => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
    Ok(())
}

/// A worker that holds one session holds another for a moment; boxed, for the one is inside the other.
fn hold(worker: &Worker, lease: Lease) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
    Box::pin(async move { worker.hold(lease, &CancellationToken::new()).await })
}

/// Begins a new session with what another has said, and gives the events to show.
pub(super) async fn adopt(
    store: &dyn Store,
    session: &mut Session,
    operation: &Operation,
) -> Result<Vec<Event>> {
    let OperationKind::Adopt { source, turns } = &operation.kind else { return Ok(Vec::new()) };
    if !session.items().is_empty() || session.head.turn.as_ref().is_some_and(|turn| !turn.is_over()) {
        let text = "Something was said here already. Go on from another session in a new place.".to_owned();
        return Ok(vec![private(operation, text)]);
    }
    let loaded = store.load(source).await?;
    let parted = loaded.head.as_ref().map(|head| past::part(&loaded.items, last_of(head), *turns));
    let (Some(head), Some(Ok(part))) = (loaded.head, parted) else {
        let text = "What was to be continued here is not there any more.".to_owned();
        return Ok(vec![Event::Remark { text }]);
    };
    Ok(take_up(session, &head, &loaded.items, part))
}

/// Copies a part of another session into this empty one.
fn take_up(session: &mut Session, source: &SessionHead, items: &[Arc<Item>], part: Part) -> Vec<Event> {
    let whole = part.length == items.len();
    let head = &mut session.head;
    head.parent = Some(source.key.clone());
    head.title.clone_from(&source.title);
    head.turns = head.turns.max(part.turns);
    head.plan = if whole { source.plan.clone() } else { Vec::new() };
    head.context_tokens = if whole { source.context_tokens } else { 0 };
    head.settings = safe(&source.settings);
    let mut tail = items[..part.length].to_vec();
    tail.push(Arc::new(Item::Synthetic { text: ADOPTED.trim_end().to_owned() }));
    session.splice(0, tail);
    let mut events = vec![Event::ResumeComplete { restored_count: part.length as u64 }];
    if !session.head.plan.is_empty() {
        events.push(Event::PlanUpdate { plan: session.head.plan.clone() });
    }
    events
}

/// What may go on elsewhere of what people set: how the agent thinks, never what it may do or spend.
fn safe(settings: &Settings) -> Settings {
    Settings {
        model: settings.model.clone(),
        models: settings.models.clone(),
        effort: settings.effort.clone(),
        ..Settings::default()
    }
}

fn last_of(head: &SessionHead) -> Last {
    if head.turn.as_ref().is_none_or(Turn::is_over) { Last::Over } else { Last::InHand }
}

fn private(operation: &Operation, text: String) -> Event {
    Event::PrivateLine { to: operation.actor.id.clone(), text }
}

#[cfg(test)]
#[path = "fork_tests.rs"]
mod tests;
