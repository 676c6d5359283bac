//! What the clock will say about an open question: a reminder, and that its time is up.
//!
//! Never sets anything itself: what is given here is saved with the question.

use crate::agent::Session;
use crate::clock::Timestamp;
use crate::protocol::{Actor, JobWish, Operation, OperationId, OperationKind, Turn, Verdict};
use crate::store::Later;

/// The operations to deliver later for the question that is open; none if there is none. The same
/// question gives the same ids, so that a changed time replaces the one before.
pub(super) fn timers(session: &Session) -> Vec<Later> {
    let head = &session.head;
    let Some(asked) = head.turn.as_ref().and_then(Turn::approval) else { return Vec::new() };
    let later = |what: &str, at: Timestamp, kind: OperationKind| Later {
        at,
        operation: Operation {
            id: OperationId(format!("{what}:{}", asked.id)),
            session: head.key.clone(),
            origin: head.origin.clone(),
            actor: Actor::new("clock", "the clock"),
            at,
            kind,
        },
    };
    let approval = asked.id.clone();
    let mut timers = vec![later("expire", asked.expires_at, OperationKind::Expire { approval })];
    if let Some(at) = asked.remind_at.filter(|at| *at < asked.expires_at) {
        timers.push(later("remind", at, OperationKind::Remind { approval: asked.id.clone() }));
    }
    timers
}

/// The same after an operation, if that may have changed when the open question ends, or made one.
pub(super) fn timers_after(operation: &Operation, session: &Session) -> Vec<Later> {
    match &operation.kind {
        OperationKind::Decide { verdict: Verdict::Edit { .. }, .. } => timers(session),
        // It has made a question.
        OperationKind::Job { wish: JobWish::Longer, .. } => timers(session),
        _ => Vec::new(),
    }
}
