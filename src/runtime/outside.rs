//! Operations about what runs: stopping it, and external work that people ask something of or that has ended.
//!
//! Pure, as `apply` is, which hands these on.

use super::apply::{begin_turn, private, processing};
use crate::agent::answer;
use crate::agent::approve::set_state;
use crate::agent::away::{self, Return};
use crate::agent::results::close_open_calls;
use crate::agent::{Agent, Session};
use crate::clock::Timestamp;
use crate::protocol::{
    Decision, Ending, Event, Grant, JobWish, Operation, TicketId, TicketWant, Turn, TurnState,
};

/// Ends the turn in hand, and the jobs of the session.
pub(super) fn stop(session: &mut Session, operation: &Operation, now: Timestamp) -> Vec<Event> {
    let name = operation.actor.name.clone();
    let stopped = away::stop_all(session, operation);
    let Some(turn) = session.head.turn.as_ref().filter(|turn| !turn.is_over()) else {
        return match stopped[..] {
            [] => vec![private(operation, "Nothing is running here.")],
            _ => vec![Event::Remark { text: format!("{name} stops {}.", stopped.join(", ")) }],
        };
    };
    let waiting = turn.approval().is_some();
    let words = format!("Not run: {name} stopped the work.");
    let mut events = if waiting {
        answer::withdraw(session, &words, Decision::Abandoned { name: name.clone(), at: now })
    } else {
        Vec::new()
    };
    // Beside what was asked about: calls in hand, and calls whose work goes on outside.
    events.extend(close_open_calls(session, &words));
    events.retain(|event| !matches!(event, Event::Processing { .. }));
    set_state(
        session,
        TurnState::Over { ending: Ending::Interrupted { by: Some(name) }, at: now, told: false },
    );
    events
}

/// The end of external work, told to its session.
pub(super) fn returned(
    session: &mut Session,
    operation: &Operation,
    settled: away::Settled<'_>,
    agent: &Agent,
) -> Vec<Event> {
    let title = session
        .head
        .tickets
        .iter()
        .find(|open| open.ticket.id == *settled.ticket)
        .map_or_else(|| settled.ticket.to_string(), |open| open.ticket.work.title().to_owned());
    let told = Event::Returned { ticket: settled.ticket.clone(), title, success: settled.success };
    let mut events = end_of_longer(session, &settled, agent.clock.now());
    events.extend(match away::settle(session, settled) {
        Return::Result(events) => [events, processing_if_thinking(session)].concat(),
        // A turn that waits for people or for other work goes on waiting; it reads the news when it thinks.
        Return::News if is_waiting(session) => Vec::new(),
        Return::News => begin_turn(session, operation, agent),
        Return::Note => return events,
    });
    events.push(told);
    events
}

fn is_waiting(session: &Session) -> bool {
    matches!(
        session.head.turn.as_ref().map(|turn| &turn.state),
        Some(TurnState::Waiting { .. } | TurnState::Away { .. } | TurnState::Calling { .. })
    )
}

/// What has ended cannot run longer: a question about that is over.
fn end_of_longer(session: &mut Session, settled: &away::Settled<'_>, at: Timestamp) -> Vec<Event> {
    let about = |grant: &Grant| matches!(grant, Grant::Longer { ticket, .. } if ticket == settled.ticket);
    let open = session.head.turn.as_ref().and_then(Turn::approval);
    if !open.and_then(|asked| asked.grant.as_ref()).is_some_and(about) {
        return Vec::new();
    }
    let name = "the end of the job".to_owned();
    answer::withdraw(session, "The job has ended.", Decision::Abandoned { name, at })
}

fn processing_if_thinking(session: &Session) -> Vec<Event> {
    match session.head.turn.as_ref().map(|turn| &turn.state) {
        Some(TurnState::Thinking) => processing(session),
        _ => Vec::new(),
    }
}

/// A person wants something of external work.
pub(super) fn job(
    session: &mut Session,
    operation: &Operation,
    (ticket, wish): (&TicketId, JobWish),
    agent: &Agent,
) -> Vec<Event> {
    let name = &operation.actor.name;
    let known = match wish {
        JobWish::Stop => away::ask(session, ticket, operation, TicketWant::Stop),
        JobWish::Logs => away::ask(session, ticket, operation, TicketWant::Logs),
        JobWish::Longer => agent.ask_for_longer(session, ticket, &operation.actor),
    };
    match (known, wish) {
        (true, JobWish::Stop) => vec![Event::Remark { text: format!("{name} stops the job.") }],
        (true, _) => Vec::new(),
        (false, JobWish::Longer) if session.head.tickets.iter().any(|open| open.ticket.id == *ticket) => {
            vec![private(operation, "A question is open here. Answer it first.")]
        }
        (false, _) => vec![private(operation, "That has ended already.")],
    }
}

#[cfg(test)]
#[path = "outside_tests.rs"]
mod tests;
