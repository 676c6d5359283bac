//! External work that ends, or is stopped, while the session does something else.

use crate::agent::Session;
use crate::agent::approve::set_state;
use crate::clock::Timestamp;
use crate::protocol::{
    Actor, Call, CallStatus, Event, Item, JobWish, JobWork, OpenTicket, OperationKind, Ticket, TurnState,
    Waits, Work,
};
use crate::runtime::apply::apply;
use crate::runtime::apply::tests::{agent, asked, does, session};

fn ticket(id: &str, turn: &str, call: &str) -> OpenTicket {
    let ticket = Ticket {
        id: id.into(),
        session: "s".into(),
        origin: session().head.origin,
        turn: turn.into(),
        call: call.into(),
        tool: "hf_jobs".to_owned(),
        requester: Actor::new("alice", "ALICE"),
        approved_by: Vec::new(),
        asked_of: None,
        work: Work::Job(JobWork {
            title: "train".to_owned(),
            price: Some(600_000),
            timeout_s: 3_600,
            ..JobWork::default()
        }),
        waits: Waits::ForEnd,
        pledge: None,
        opened_at: Timestamp(0),
    };
    OpenTicket { ticket, stopped_by: None, more: Vec::new() }
}

fn settle(id: &str) -> OperationKind {
    OperationKind::Settle { ticket: id.into(), output: "loss 0.3".into(), success: true, cost: None }
}

/// A turn that waits for the job of its one call.
fn away(id: &str) -> Session {
    let mut session = asked(CallStatus::Allowed);
    let turn = session.head.turn.clone().unwrap();
    let TurnState::Calling { mut calls } = turn.state else { panic!() };
    calls[0].status = CallStatus::Away;
    set_state(&mut session, TurnState::Away { calls, told: true });
    session.head.tickets.push(ticket(id, turn.id.as_str(), "c"));
    session
}

fn state(session: &Session) -> &TurnState {
    &session.head.turn.as_ref().unwrap().state
}

fn last_note(session: &Session) -> String {
    match &**session.items().last().unwrap() {
        Item::Synthetic { text } => text.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_open_question_outlives_the_end_of_an_older_job() {
    let mut session = asked(CallStatus::Asked);
    session.head.tickets.push(ticket("job:a/old", "an earlier turn", "c0"));
    let before = state(&session).clone();
    let events = apply(&mut session, &does("alice", settle("job:a/old")), Vec::new(), &agent());
    assert_eq!(state(&session), &before, "nobody's question is thrown away");
    assert!(matches!(&events[..], [Event::Returned { success: true, .. }]), "{events:?}");
    assert!(last_note(&session).contains("loss 0.3"), "it is read when the model thinks next");
}

#[test]
fn the_wait_for_one_job_outlives_the_end_of_another() {
    let mut session = away("job:a/new");
    session.head.tickets.push(ticket("job:a/old", "an earlier turn", "c0"));
    apply(&mut session, &does("alice", settle("job:a/old")), Vec::new(), &agent());
    let TurnState::Away { calls, .. } = state(&session) else { panic!("{:?}", state(&session)) };
    assert_eq!(calls[0].status, CallStatus::Away);
    apply(&mut session, &does("alice", settle("job:a/new")), Vec::new(), &agent());
    assert_eq!(state(&session), &TurnState::Thinking);
}

#[test]
fn a_question_about_more_time_ends_with_the_job_and_the_turn_goes_on() {
    let (mut session, agent) = (away("job:a/1"), agent());
    let longer = OperationKind::Job { ticket: "job:a/1".into(), wish: JobWish::Longer };
    apply(&mut session, &does("bob", longer), Vec::new(), &agent);
    assert!(matches!(state(&session), TurnState::Waiting { .. }), "{:?}", state(&session));
    let events = apply(&mut session, &does("alice", settle("job:a/1")), Vec::new(), &agent);
    assert!(events.iter().any(|event| matches!(event, Event::ApprovalDecided { .. })), "its card is settled");
    let done = |calls: &[Call]| calls.iter().all(|call| call.status == CallStatus::Done);
    assert!(matches!(state(&session), TurnState::Calling { calls } if done(calls)), "{:?}", state(&session));
    assert!(session.head.wants_work());
}

#[test]
fn a_stop_gives_calls_whose_work_is_outside_their_result_too() {
    let mut session = away("job:a/1");
    apply(&mut session, &does("bob", OperationKind::Stop), Vec::new(), &agent());
    assert!(matches!(state(&session), TurnState::Over { .. }));
    let Item::ToolResult { call, success: false, .. } = &**session.items().last().unwrap() else { panic!() };
    assert_eq!(call.as_str(), "c");
    assert_eq!(session.unsaved_tickets().len(), 1, "the job is asked to end");
}
