//! Calls whose work goes on outside: a training job, a sandbox. A ticket watches the work; the turn waits for
//! its end, or goes on without it when somebody speaks.
//!
//! Pure, but for money. What a step changes about tickets is noted in the session and saved with the step, so
//! that no ticket is without its session and no session without its ticket. Start at [`Agent::depart`].

use super::approve::{set_state, state_change};
use super::paid::add_usage;
use super::purse::{Payers, Pledge, PurseError, Wish};
use super::results::result;
use super::{Agent, EventSink, Session};
use crate::protocol::{
    Call, CallId, CallStatus, Event, Item, OpenTicket, Operation, Pledged, Scope, Ticket, TicketChange,
    TicketId, TicketRequest, TicketWant, ToolOutcome, TurnState, Usage, Waits, Work,
};

/// Reservations for running longer begin so; the rest names ticket and question.
pub(super) const LONGER: &str = "longer:";

impl Agent {
    /// Takes what a call has begun outside into the session. Says whether the call waits for it: then it has
    /// no result yet.
    pub(super) fn depart(
        &self,
        session: &mut Session,
        id: &CallId,
        outcome: &ToolOutcome,
        sink: &dyn EventSink,
    ) -> bool {
        let mut held = session.pledges.remove(id).map(super::pledges::Held::into_pledged);
        let now = self.clock.now();
        let Some(turn) = session.head.turn.as_ref() else { return false };
        let Some(call) = turn.call(id).cloned() else { return false };
        let opened: Vec<Ticket> = outcome
            .tickets
            .iter()
            .map(|new| Ticket {
                id: new.id.clone(),
                session: session.head.key.clone(),
                origin: session.head.origin.clone(),
                turn: turn.id.clone(),
                call: id.clone(),
                tool: call.proposed.tool.clone(),
                requester: turn.requester.clone(),
                approved_by: call.approved_by.clone(),
                asked_of: call.asked_of.clone(),
                work: new.work.clone(),
                waits: new.waits,
                pledge: held.take(),
                opened_at: now,
            })
            .collect();
        for ticket in opened {
            session.change_ticket(TicketChange::Open { ticket: ticket.clone() });
            session.head.tickets.retain(|open| open.ticket.id != ticket.id);
            session.head.tickets.push(OpenTicket { ticket, stopped_by: None, more: Vec::new() });
        }
        let waits = outcome.tickets.iter().any(|new| new.waits == Waits::ForEnd);
        if waits
            && let Some(call) =
                calls_mut(session).and_then(|calls| calls.iter_mut().find(|it| it.proposed.id == *id))
        {
            call.status = CallStatus::Away;
            call.meanwhile = Some(outcome.output.clone());
            sink.show(&state_change(&call.proposed.clone(), "away"));
        }
        waits
    }

    /// Settles the money of a ticket whose work has ended: with its cost, or what was set aside if that is not
    /// known. Doing it again changes nothing.
    ///
    /// # Errors
    /// When the ledger cannot be used.
    pub async fn settle_ticket(
        &self,
        session: &mut Session,
        ticket: &TicketId,
        cost: Option<u64>,
    ) -> Result<(), PurseError> {
        let Some(open) = session.head.tickets.iter().find(|open| open.ticket.id == *ticket) else {
            return Ok(());
        };
        let pledges: Vec<Pledged> = open.pledges().cloned().collect();
        let set_aside: Option<u64> = pledges.iter().map(|pledge| pledge.micros).sum();
        let known = cost.or(set_aside);
        let spent = known.unwrap_or_default();
        for (at, pledge) in pledges.iter().enumerate() {
            // The first one carries all of it.
            let of_it = if at == 0 { spent } else { 0 };
            self.purse.settle(&pledge.id, of_it).await?;
        }
        if pledges.is_empty() && spent > 0 {
            let wish = Wish {
                id: format!("ticket:{ticket}"),
                payers: Payers::of(session),
                purpose: open.ticket.tool.clone(),
                amount: spent,
            };
            self.purse.spend(&wish).await?;
        }
        let unpriced = u64::from(known.is_none() && !pledges.is_empty());
        // What the ledger counts is what the session counts, also if a process died in between.
        let standing = self.purse.standing(&Payers::of(session)).await?;
        let counted = standing.iter().find(|it| matches!(it.account.scope, Scope::Session(_)));
        let missing = counted.map_or(spent, |it| it.balance.spent.saturating_sub(session.head.usage.cost));
        add_usage(session, &Usage { cost: missing, unpriced, ..Usage::default() });
        Ok(())
    }

    /// Sets money aside for work that people let run longer in this step. Without enough of it nothing is
    /// asked of the work, and people are told.
    ///
    /// # Errors
    /// When the ledger cannot be used.
    pub async fn fund_longer(&self, session: &mut Session) -> Result<Vec<Event>, PurseError> {
        let mut events = Vec::new();
        for (ticket, request) in session.take_unfunded() {
            let TicketWant::Longer { pledge: Some(pledge), .. } = &request.want else { continue };
            if !session.head.tickets.iter().any(|open| open.ticket.id == ticket) {
                events.push(Event::Remark {
                    text: "It has ended already, so it does not run longer.".to_owned(),
                });
                continue;
            }
            let wish = Wish {
                id: pledge.id.clone(),
                payers: Payers::of(session),
                purpose: ticket.to_string(),
                amount: pledge.micros.unwrap_or_default(),
            };
            match self.purse.reserve(&wish).await? {
                Pledge::Held => {
                    let more = pledge.clone();
                    if let Some(open) = session.head.tickets.iter_mut().find(|open| open.ticket.id == ticket)
                    {
                        open.more.push(more);
                    }
                    session.change_ticket(TicketChange::Ask { ticket, request });
                }
                Pledge::Short(account) => {
                    let (reason, hint) =
                        super::budget::short_words(&account, wish.amount, Some(&request.name));
                    events.push(Event::Remark { text: format!("It cannot run longer: {reason} {hint}") });
                }
            }
        }
        Ok(events)
    }
}

fn calls_mut(session: &mut Session) -> Option<&mut Vec<Call>> {
    match session.head.turn.as_mut().map(|turn| &mut turn.state) {
        Some(
            TurnState::Calling { calls } | TurnState::Waiting { calls, .. } | TurnState::Away { calls, .. },
        ) => Some(calls),
        _ => None,
    }
}

/// The end of external work, as its session is told.
#[derive(Debug, Clone, Copy)]
pub struct Settled<'a> {
    /// Which.
    pub ticket: &'a TicketId,
    /// For the model.
    pub output: &'a str,
    /// Whether the work succeeded.
    pub success: bool,
}

/// What the end of external work means for its session.
#[derive(Debug, Clone, PartialEq)]
pub enum Return {
    /// It is the result of a call that waited for it.
    Result(Vec<Event>),
    /// The turn went on without it: the agent is told, and should go on from there.
    News,
    /// The agent is told when it thinks next; nobody waits for it.
    Note,
}

/// Takes the end of external work into its session. For [`Return::News`] the caller begins a turn, if none is
/// in hand.
pub fn settle(session: &mut Session, settled: Settled<'_>) -> Return {
    let at = session.head.tickets.iter().position(|open| open.ticket.id == *settled.ticket);
    let open = at.map(|at| session.head.tickets.remove(at));
    let waiting = open.as_ref().map(|open| (open.ticket.turn.clone(), open.ticket.call.clone()));
    let of_turn = session.head.turn.as_ref().map(|turn| turn.id.clone());
    if let Some((turn, call)) = waiting
        && of_turn == Some(turn)
        && let Some(events) = give_result(session, &call, settled)
    {
        return Return::Result(events);
    }
    let title = open.as_ref().map_or_else(String::new, |open| format!(" ({})", open.ticket.work.title()));
    let how = if settled.success { "ended well" } else { "failed" };
    let text = format!(
        "External work `{}`{title} has {how}. Its report, as data:\n{}",
        settled.ticket, settled.output
    );
    session.push(Item::Synthetic { text });
    match open {
        Some(open) if open.stopped_by.is_some() || open.ticket.waits == Waits::NoOne => Return::Note,
        _ => Return::News,
    }
}

/// Gives the call that waits for external work its result; `None` if it does not wait any more.
fn give_result(session: &mut Session, id: &CallId, settled: Settled<'_>) -> Option<Vec<Event>> {
    let calls = calls_mut(session)?;
    let call = calls.iter_mut().find(|call| call.proposed.id == *id && call.status == CallStatus::Away)?;
    call.status = CallStatus::Done;
    call.meanwhile = None;
    let proposed = call.proposed.clone();
    let still_away = calls.iter().any(|call| call.status == CallStatus::Away);
    let outcome = ToolOutcome { success: settled.success, ..ToolOutcome::done(settled.output) };
    let event = result(session, &proposed, &outcome);
    if !still_away && matches!(state(session), Some(TurnState::Away { .. })) {
        set_state(session, TurnState::Thinking);
    }
    Some(vec![event])
}

fn state(session: &Session) -> Option<&TurnState> {
    session.head.turn.as_ref().map(|turn| &turn.state)
}

/// Lets the turn go on without the external work that it waits for: those calls get what is to be said
/// meanwhile as their result. Their ends will be news.
pub fn detach(session: &mut Session) -> Vec<Event> {
    let Some(calls) = calls_mut(session) else { return Vec::new() };
    let mut going: Vec<(crate::protocol::ProposedCall, String)> = Vec::new();
    for call in calls.iter_mut().filter(|call| call.status == CallStatus::Away) {
        call.status = CallStatus::Done;
        going.push((call.proposed.clone(), call.meanwhile.take().unwrap_or_default()));
    }
    let any = !going.is_empty();
    let mut events = Vec::new();
    for (call, meanwhile) in going {
        let outcome = ToolOutcome::done(format!(
            "{meanwhile}\nIt has not ended yet, and the conversation went on meanwhile. Its end will be reported \
             here by itself: do not wait for it and do not begin it again."
        ));
        events.push(result(session, &call, &outcome));
    }
    if any && matches!(state(session), Some(TurnState::Away { .. })) {
        set_state(session, TurnState::Thinking);
    }
    events
}

/// Asks all jobs of the session to end, because of this operation. Gives their titles.
pub fn stop_all(session: &mut Session, operation: &Operation) -> Vec<String> {
    let jobs: Vec<(TicketId, String)> = session
        .head
        .tickets
        .iter()
        .filter(|open| open.stopped_by.is_none() && matches!(open.ticket.work, Work::Job(_)))
        .map(|open| (open.ticket.id.clone(), open.ticket.work.title().to_owned()))
        .collect();
    for (ticket, _) in &jobs {
        ask(session, ticket, operation, TicketWant::Stop);
    }
    jobs.into_iter().map(|(_, title)| title).collect()
}

/// Notes what a person wants of external work; the save hands it to whoever watches. Says whether the work is
/// this session's and has not ended.
pub fn ask(session: &mut Session, ticket: &TicketId, operation: &Operation, want: TicketWant) -> bool {
    let Some(open) = session.head.tickets.iter_mut().find(|open| open.ticket.id == *ticket) else {
        return false;
    };
    if want == TicketWant::Stop {
        open.stopped_by = Some(operation.actor.name.clone());
    }
    let request = TicketRequest {
        id: format!("{}:{ticket}", operation.id),
        by: operation.actor.id.clone(),
        name: operation.actor.name.clone(),
        want,
        at: operation.at,
    };
    session.change_ticket(TicketChange::Ask { ticket: ticket.clone(), request });
    true
}
