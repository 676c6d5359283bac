//! What an operation does to a session: pure, so that every rule about it can be read and tested here.
//!
//! Never talks to the outside. [`apply`] gives the events that people should see.

use super::outside::{job, returned, stop};
use super::past::{self, LastTurn};
use super::{spending, yolo};
use crate::agent::answer::{self, Answer};
use crate::agent::approve::{self, set_state};
use crate::agent::away;
use crate::agent::results::close_open_calls;
use crate::agent::roles::NO_EFFORT;
use crate::agent::tool::Place;
use crate::agent::{Agent, Session, prompt};
use crate::clock::Timestamp;
use crate::protocol::{
    Decision, Ending, Event, Grant, Heard, Item, JobWish, OnExpiry, Operation, OperationKind, Setting,
    Settings, Turn, TurnState,
};

/// Whether an operation may be applied while the turn stands as it does.
///
/// Words of people wait until no call of the step is open, so that every call keeps its result right
/// behind it. Everything else is applied at the next boundary.
#[must_use]
pub fn fits(session: &Session, operation: &Operation) -> bool {
    let state = session.head.turn.as_ref().map(|turn| &turn.state);
    let calling = matches!(state, Some(TurnState::Calling { .. }));
    match operation.kind {
        OperationKind::Say { .. } | OperationKind::Settle { .. } | OperationKind::Compact => !calling,
        // It makes a question, for which there is no room while work is in hand.
        OperationKind::Job { wish: JobWish::Longer, .. } => !calling && state != Some(&TurnState::Thinking),
        _ => true,
    }
}

/// Gives the open calls of the step a result, so that words that wait may be applied: what follows them
/// stops the work anyway, and no call may begin after that.
pub fn make_room(session: &mut Session) -> Vec<Event> {
    let events = close_open_calls(session, "Not run: the work was stopped first.");
    set_state(session, TurnState::Thinking);
    events
}

/// Applies one operation. `heard` is what others said in this place before a session's first words.
pub fn apply(session: &mut Session, operation: &Operation, heard: Vec<Heard>, agent: &Agent) -> Vec<Event> {
    let now = agent.clock.now();
    match &operation.kind {
        OperationKind::Say { text, .. } => say(session, operation, text, heard, agent),
        // The worker judges edits with the session's place; without one they are refused.
        OperationKind::Decide { .. } => decide(session, operation, agent, None),
        OperationKind::Expire { approval } => expire(session, approval, now),
        OperationKind::Remind { approval } => remind(session, approval),
        OperationKind::Stop => stop(session, operation, now),
        OperationKind::Retry => retry(session, operation, agent),
        OperationKind::Undo => undo(session, operation),
        // Shortening needs the model: the worker does it.
        OperationKind::Compact => Vec::new(),
        OperationKind::New => start_over(session, operation, now),
        OperationKind::Resume => resume(session, operation, agent),
        OperationKind::Set { setting } => set(session, operation, setting, agent),
        OperationKind::Status => vec![status(session, agent)],
        OperationKind::Settle { ticket, output, success, .. } => {
            let settled = away::Settled { ticket, output, success: *success };
            returned(session, operation, settled, agent)
        }
        OperationKind::Job { ticket, wish } => job(session, operation, (ticket, *wish), agent),
        // The worker does these, with what it alone has: the store, the ledger, the model.
        OperationKind::Usage
        | OperationKind::Models
        | OperationKind::Runs { .. }
        | OperationKind::Fork { .. }
        | OperationKind::Adopt { .. } => Vec::new(),
        OperationKind::Shutdown => vec![Event::Shutdown {}],
    }
}

/// Applies an answer to a question. `place` is where calls would act, if that could be made.
pub fn decide(
    session: &mut Session,
    operation: &Operation,
    agent: &Agent,
    place: Option<&Place>,
) -> Vec<Event> {
    let OperationKind::Decide { approval, verdict } = &operation.kind else { return Vec::new() };
    let answer = Answer { approval, verdict, by: &operation.actor, at: operation.at };
    match agent.decide(session, place, answer) {
        Ok(mut events) => {
            let waits = session.head.turn.as_ref().is_some_and(|turn| turn.approval().is_some());
            if !waits {
                events.extend(processing(session));
            }
            events
        }
        Err(refusal) => vec![private(operation, &refusal.words())],
    }
}

fn remind(session: &mut Session, approval: &crate::protocol::ApprovalId) -> Vec<Event> {
    let Some(TurnState::Waiting { approval: asked, .. }) =
        session.head.turn.as_mut().map(|turn| &mut turn.state)
    else {
        return Vec::new();
    };
    if asked.id != *approval || asked.remind_at.take().is_none() {
        return Vec::new();
    }
    vec![Event::ApprovalReminder(asked.clone())]
}

fn say(
    session: &mut Session,
    operation: &Operation,
    text: &str,
    heard: Vec<Heard>,
    agent: &Agent,
) -> Vec<Event> {
    let name = &operation.actor.name;
    let mut events = away::detach(session);
    events.extend(answer::withdraw(
        session,
        &format!("Not run: {name} went on without answering, with the message that follows."),
        Decision::Abandoned { name: name.clone(), at: agent.clock.now() },
    ));
    if !heard.is_empty() {
        session.push(Item::Overheard { lines: heard });
    }
    if session.head.title.is_none() {
        session.head.title = Some(title(text));
    }
    if session.head.zone.is_none() && session.head.turns == 0 {
        session.head.zone.clone_from(&operation.actor.zone);
    }
    let before = session.head.turn.as_ref().map(|turn| turn.started_at);
    session.push(Item::User {
        author: operation.actor.id.clone(),
        name: name.clone(),
        text: text.to_owned(),
        opens: !is_active(session),
        at: Some(operation.at),
    });
    let zone = operation.actor.zone.as_deref().or(session.head.zone.as_deref());
    if let Some(text) = before.and_then(|before| prompt::another_day(before, operation.at, zone)) {
        session.push(Item::Synthetic { text });
    }
    events.extend(begin_turn(session, operation, agent));
    events
}

/// Begins a turn, or lets the one in hand think again with what was added.
pub(super) fn begin_turn(session: &mut Session, operation: &Operation, agent: &Agent) -> Vec<Event> {
    match session.head.turn.as_mut() {
        Some(turn) if !turn.is_over() => {
            if turn.speakers().all(|person| person.id != operation.actor.id) {
                turn.joined.push(operation.actor.clone());
            }
            turn.state = TurnState::Thinking;
        }
        _ => {
            session.head.turns += 1;
            session.head.turn =
                Some(Turn::begun(agent.random.id("t_").into(), operation.actor.clone(), operation.at));
        }
    }
    processing(session)
}

/// The event that says that the turn in hand is being worked on.
#[must_use]
pub fn processing(session: &Session) -> Vec<Event> {
    let turn = session.head.turn.as_ref();
    turn.filter(|turn| !turn.is_over())
        .map(|turn| Event::Processing {
            turn: turn.id.clone(),
            requester: turn.requester.id.clone(),
            message: "Working on it".to_owned(),
        })
        .into_iter()
        .collect()
}

fn expire(session: &mut Session, approval: &crate::protocol::ApprovalId, now: Timestamp) -> Vec<Event> {
    let open = session.head.turn.as_ref().and_then(Turn::approval).filter(|asked| asked.id == *approval);
    let about_money =
        |grant: &Option<Grant>| grant.as_ref().is_some_and(|grant| !matches!(grant, Grant::Longer { .. }));
    let Some((on_expiry, about_money)) = open.map(|asked| (asked.on_expiry, about_money(&asked.grant)))
    else {
        return Vec::new();
    };
    let words = match on_expiry {
        OnExpiry::GoOn => {
            "Not run: nobody answered in time. Finish with what can be done without it, and say what is missing."
        }
        OnExpiry::Stop => "Not run: nobody answered in time, and the work was stopped.",
    };
    let mut events = answer::withdraw(session, words, Decision::Expired { at: now });
    match on_expiry {
        // Going on would only ask again.
        OnExpiry::GoOn if about_money => {
            let ending = Ending::Failed {
                error: "I stopped: nobody said in time whether I may go on.".to_owned(),
                hint: Some("Try again, or say something, and I ask anew.".to_owned()),
                retry: true,
            };
            set_state(session, TurnState::Over { ending, at: now, told: false });
        }
        OnExpiry::GoOn => events.extend(processing(session)),
        OnExpiry::Stop => {
            events.extend(close_open_calls(session, words));
            let by = Some("the clock, because nobody answered in time".to_owned());
            set_state(session, TurnState::Over { ending: Ending::Interrupted { by }, at: now, told: false });
        }
    }
    events
}

fn retry(session: &mut Session, operation: &Operation, agent: &Agent) -> Vec<Event> {
    match session.head.turn.as_ref().map(|turn| &turn.state) {
        Some(TurnState::Over { ending: Ending::Failed { .. } | Ending::Interrupted { .. }, .. }) => {
            begin_turn(session, operation, agent)
        }
        _ => vec![private(operation, "There is nothing to try again: the last request did not fail.")],
    }
}

fn resume(session: &mut Session, operation: &Operation, agent: &Agent) -> Vec<Event> {
    let nothing = match session.head.turn.as_ref().map(|turn| &turn.state) {
        None => "There is nothing to go on with: no request was cut off here.",
        Some(TurnState::Over { ending: Ending::Finished { .. }, .. }) => {
            "There is nothing to go on with: the last request was answered."
        }
        Some(TurnState::Thinking | TurnState::Calling { .. }) => "I am at work on it already.",
        Some(TurnState::Waiting { .. }) => "A question is open here. Answer it, and I go on.",
        Some(TurnState::Away { .. }) => "I wait for work outside to end, and then go on by myself.",
        Some(TurnState::Over { .. }) => {
            let mut events = vec![Event::ResumeComplete { restored_count: session.head.history_size }];
            events.extend(begin_turn(session, operation, agent));
            return events;
        }
    };
    vec![private(operation, nothing)]
}

fn undo(session: &mut Session, operation: &Operation) -> Vec<Event> {
    if is_active(session) {
        return vec![private(operation, "Work is in hand here. Stop it first, then undo.")];
    }
    let at = match past::last_turn(session.items()) {
        LastTurn::At(at) => at,
        LastTurn::None => return vec![private(operation, "There is nothing to undo.")],
        LastTurn::Summarised => {
            let why = "The history was shortened since the last request began, so it cannot be taken out alone. \
                       Start over, or say what should be forgotten.";
            return vec![private(operation, why)];
        }
    };
    let removed = (session.items().len() - at) as u64;
    // A turn that was shortened may have set it in what its summary stands for.
    let had_set_the_plan = past::plan_after(&session.items()[at..]).is_some()
        || session.items()[at..].iter().any(|item| matches!(**item, Item::Summary { .. }));
    session.splice(at, Vec::new());
    session.head.turn = None;
    if matches!(past::last_turn(session.items()), LastTurn::None) {
        // It was made of the words that were taken back.
        session.head.title = None;
    }
    let mut events = vec![Event::UndoComplete { removed }];
    if had_set_the_plan {
        session.head.plan = past::plan_after(session.items()).unwrap_or_default();
        events.push(Event::PlanUpdate { plan: session.head.plan.clone() });
    }
    events
}

fn start_over(session: &mut Session, operation: &Operation, now: Timestamp) -> Vec<Event> {
    let mut events = Vec::new();
    if is_active(session) {
        events = stop(session, operation, now);
    }
    let previous_message_count = session.head.history_size;
    session.splice(0, Vec::new());
    let head = &mut session.head;
    head.plan.clear();
    head.title = None;
    head.parent = None;
    head.context_tokens = 0;
    head.memory.learned = None;
    // What people let the old conversation do does not hold for the new one; how it thinks does. What was
    // spent stays spent.
    let kept = Settings {
        model: head.settings.model.take(),
        models: std::mem::take(&mut head.settings.models),
        effort: head.settings.effort.take(),
        ..Settings::default()
    };
    head.settings = kept;
    // A turn whose end people have not seen yet is told first; the rest is forgotten.
    if !head.wants_work() {
        head.turn = None;
    }
    events.push(Event::NewComplete { previous_message_count });
    events
}

fn set(session: &mut Session, operation: &Operation, setting: &Setting, agent: &Agent) -> Vec<Event> {
    let text = match setting {
        // Choosing a model needs its provider: the worker does it.
        Setting::Model { .. } => return Vec::new(),
        Setting::Yolo { on: true, .. }
            if !approve::may_waive(session, &operation.actor, &agent.rules.approvals) =>
        {
            return vec![private(
                operation,
                "You are not among the people who may answer questions here, so you cannot switch them off.",
            )];
        }
        Setting::Yolo { on, cap } => yolo::switch(session, operation, *on, *cap, agent),
        Setting::Effort { level } => {
            session.head.settings.effort.clone_from(level);
            match level.as_deref() {
                Some(NO_EFFORT) => "Reasoning effort is off: none is asked for.".to_owned(),
                Some(level) => {
                    format!("Reasoning effort is {level}, or the highest below it that the model takes.")
                }
                None => "Reasoning effort is as configured.".to_owned(),
            }
        }
    };
    vec![Event::Remark { text }]
}

fn status(session: &Session, agent: &Agent) -> Event {
    let head = &session.head;
    let state = match head.turn.as_ref().map(|turn| &turn.state) {
        Some(TurnState::Thinking | TurnState::Calling { .. }) => "working",
        Some(TurnState::Waiting { .. }) => "waiting for an answer to a question",
        Some(TurnState::Away { .. }) => "waiting for a job",
        Some(TurnState::Over { .. }) | None => "idle",
    };
    let done = head.plan.iter().filter(|item| item.status == crate::protocol::PlanStatus::Completed).count();
    let mut lines = vec![
        ("State".to_owned(), state.to_owned()),
        ("Model".to_owned(), agent.model_of(session)),
        ("Requests".to_owned(), head.turns.to_string()),
        ("Tokens".to_owned(), head.usage.total_tokens().to_string()),
        ("Spent".to_owned(), spending::spent(&head.usage)),
        ("Auto-approval".to_owned(), yolo::standing(session, agent)),
    ];
    for open in &head.tickets {
        lines
            .push(("Running".to_owned(), format!("{} {}", open.ticket.work.title(), open.ticket.work.url())));
    }
    for alike in &head.settings.allowed {
        lines.push(("Allowed here".to_owned(), alike.words.clone()));
    }
    if !head.plan.is_empty() {
        lines.push(("Plan".to_owned(), format!("{done} of {} done", head.plan.len())));
    }
    Event::Status { lines }
}

fn is_active(session: &Session) -> bool {
    session.head.turn.as_ref().is_some_and(|turn| !turn.is_over())
}

pub(super) fn private(operation: &Operation, text: &str) -> Event {
    Event::PrivateLine { to: operation.actor.id.clone(), text: text.to_owned() }
}

fn title(text: &str) -> String {
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
    // Before it is cut: half a token has no shape any more.
    let line = crate::text::redact(line, &[]);
    let cut: String = line.chars().take(60).collect();
    if cut.len() < line.len() { format!("{}…", cut.trim_end()) } else { cut }
}

#[cfg(test)]
#[path = "apply_tests.rs"]
pub(super) mod tests;

#[cfg(test)]
#[path = "operation_tests.rs"]
mod operation_tests;

#[cfg(test)]
#[path = "validity_tests.rs"]
mod validity_tests;
