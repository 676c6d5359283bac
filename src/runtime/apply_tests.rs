//! What operations do to a session, as tables of small stories.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::agent::rules::Voters;
use crate::agent::{Approvals, Rules, Toolbox, Who};
use crate::clock::Clock;
use crate::protocol::{
    Actor, ApprovalId, Call, CallStatus, Door, Origin, ProposedCall, SessionHead, Verdict,
};
use crate::random::Random;

struct Mute;

#[async_trait]
impl crate::model::Model for Mute {
    async fn answer(
        &self,
        _: &crate::model::Request,
        _: &dyn crate::model::DeltaSink,
        _: &CancellationToken,
    ) -> Result<crate::model::Completion, crate::model::ModelError> {
        Err(crate::model::ModelError::Cancelled)
    }
    fn check(&self, model: &str) -> Result<(), crate::model::ModelError> {
        if model.contains('/') {
            return Ok(());
        }
        let (reason, hint) = (format!("`{model}` is no model id."), "Write provider/model.".to_owned());
        Err(crate::model::ModelError::Stop { reason, hint })
    }

    async fn facts(&self, _: &str) -> crate::model::Facts {
        crate::model::Facts { price: Some(crate::protocol::Price::FREE), ..crate::model::Facts::ASSUMED }
    }
}

pub(in crate::runtime) fn agent() -> Agent {
    Agent {
        model: Arc::new(Mute),
        toolbox: Toolbox::new(Vec::new()),
        purse: Arc::new(crate::agent::purse::Bottomless),
        rules: Rules {
            model: "toy/model".into(),
            effort: None,
            roles: Default::default(),
            max_iterations: None,
            yolo: false,
            delivery: crate::model::Delivery::Whole,
            approvals: Approvals { ttl: Duration::from_secs(60), ..Approvals::default() },
            memory: crate::agent::MemoryRules::default(),
            money: crate::agent::budget::MoneyRules::default(),
        },
        clock: Clock::manual(Timestamp(9_000)),
        random: Random::seeded(1),
    }
}

fn origin() -> Origin {
    Origin::new(Door::Terminal, Value::Null)
}

pub(in crate::runtime) fn session() -> Session {
    Session::new(SessionHead::new("s".into(), origin(), Timestamp(0)), Vec::new())
}

pub(in crate::runtime) fn does(who: &str, kind: OperationKind) -> Operation {
    let actor = Actor::new(who, who.to_uppercase());
    Operation { id: "o".into(), session: "s".into(), origin: origin(), actor, at: Timestamp(1_000), kind }
}

pub(super) fn says(text: &str) -> Operation {
    does("alice", OperationKind::Say { text: text.into(), handle: Value::Null })
}

pub(in crate::runtime) fn asked(status: CallStatus) -> Session {
    let agent = agent();
    let mut session = session();
    apply(&mut session, &says("train it"), Vec::new(), &agent);
    let proposed = ProposedCall { id: "c".into(), tool: "bash".into(), arguments: serde_json::json!({}) };
    let call = Call {
        proposed: proposed.clone(),
        status,
        edited: false,
        approved: None,
        named_cap: false,
        meanwhile: None,
        approved_by: Vec::new(),
        asked_of: None,
    };
    session.push(Item::Assistant {
        text: String::new(),
        thoughts: Vec::new(),
        calls: vec![proposed.clone()],
        model: "m".into(),
    });
    let turn = session.head.turn.as_mut().unwrap();
    if status == CallStatus::Asked {
        let assessment = crate::agent::tool::Assessment::changes("run");
        let asked =
            approve::asked_call(&proposed, &assessment, &agent.rules.approvals.plain(), vec!["why".into()]);
        let approval = approve::request(
            "ap".into(),
            turn,
            vec![asked],
            &agent.rules.approvals.plain(),
            Timestamp(1_000),
        );
        turn.state = TurnState::Waiting { calls: vec![call], approval, told: true };
    } else {
        turn.state = TurnState::Calling { calls: vec![call] };
    }
    session
}

pub(super) fn private_line(events: &[Event]) -> &str {
    match events {
        [Event::PrivateLine { text, .. }] => text,
        other => panic!("expected one private line, got {other:?}"),
    }
}

#[test]
fn the_first_words_open_a_turn_and_give_the_session_its_title() {
    let mut session = session();
    let heard = vec![Heard { name: "Bob".into(), text: "the loss is odd".into() }];
    let events = apply(&mut session, &says("\nwhat is going on?"), heard, &agent());
    assert!(matches!(&events[..], [Event::Processing { .. }]));
    assert!(matches!(*session.items()[0], Item::Overheard { .. }));
    assert!(matches!(*session.items()[1], Item::User { .. }));
    assert_eq!(session.head.title.as_deref(), Some("what is going on?"));
    assert_eq!(session.head.turns, 1);
}

#[test]
fn whoever_opens_a_session_gives_it_their_zone_and_a_new_day_is_told() {
    let day = 24 * 60 * 60 * 1000;
    let at = |days: i64, zone: &str, text: &str| {
        let mut said = says(text);
        said.at = Timestamp(days * day);
        said.actor.zone = Some(zone.into());
        said
    };
    let (mut session, agent) = (session(), agent());
    apply(&mut session, &at(1, "Asia/Tokyo", "one"), Vec::new(), &agent);
    assert_eq!(session.head.zone.as_deref(), Some("Asia/Tokyo"));
    apply(&mut session, &at(1, "Europe/Paris", "two"), Vec::new(), &agent);
    assert_eq!(session.head.zone.as_deref(), Some("Asia/Tokyo"), "the system prompt stays as it is");
    apply(&mut session, &at(2, "Europe/Paris", "three"), Vec::new(), &agent);
    let said: Vec<&Item> = session.items().iter().map(|item| &**item).collect();
    assert!(matches!(
        said[..],
        [Item::User { .. }, Item::User { .. }, Item::User { .. }, Item::Synthetic { .. }]
    ));
    let Item::Synthetic { text } = said[3] else { unreachable!() };
    assert_eq!(text, "It is now Saturday, 3 January 1970, 01:00 (Europe/Paris).");
}

#[test]
fn words_during_a_turn_steer_it_but_never_part_a_call_from_its_result() {
    let agent = agent();
    let mut session = asked(CallStatus::Started);
    assert!(!fits(&session, &says("use fewer epochs")), "a call is open: the words wait");
    assert!(fits(&session, &does("alice", OperationKind::Stop)));
    let turn = session.head.turn.as_mut().unwrap();
    let id = turn.id.clone();
    turn.state = TurnState::Thinking;
    assert!(fits(&session, &says("use fewer epochs")));
    apply(&mut session, &says("use fewer epochs"), Vec::new(), &agent);
    assert_eq!(session.head.turn.as_ref().unwrap().id, id, "it is the same turn");
    assert_eq!(session.head.turns, 1);
}

#[test]
fn a_new_message_overtakes_a_question() {
    let mut session = asked(CallStatus::Asked);
    let events = apply(&mut session, &says("forget that"), Vec::new(), &agent());
    assert!(matches!(&events[0], Event::ApprovalDecided { decision: Decision::Abandoned { .. }, .. }));
    let kinds: Vec<bool> =
        session.items().iter().map(|item| matches!(**item, Item::ToolResult { .. })).collect();
    assert_eq!(kinds, [false, false, true, false], "the result stands before the new words");
}

#[test]
fn stop_ends_what_runs_and_says_so_when_nothing_does() {
    for status in [CallStatus::Started, CallStatus::Asked] {
        let mut session = asked(status);
        apply(&mut session, &does("bob", OperationKind::Stop), Vec::new(), &agent());
        let Some(TurnState::Over { ending: Ending::Interrupted { by }, told: false, .. }) =
            session.head.turn.as_ref().map(|turn| &turn.state)
        else {
            panic!("{:?}", session.head.turn);
        };
        assert_eq!(by.as_deref(), Some("BOB"));
        assert!(matches!(**session.items().last().unwrap(), Item::ToolResult { success: false, .. }));
    }
    let events = apply(&mut session(), &does("bob", OperationKind::Stop), Vec::new(), &agent());
    assert_eq!(private_line(&events), "Nothing is running here.");
}

#[test]
fn undo_drops_the_last_request_and_refuses_while_work_is_in_hand() {
    let agent = agent();
    let mut session = asked(CallStatus::Started);
    let events = apply(&mut session, &does("alice", OperationKind::Undo), Vec::new(), &agent);
    assert!(private_line(&events).contains("Stop it first"));
    apply(&mut session, &does("alice", OperationKind::Stop), Vec::new(), &agent);
    let events = apply(&mut session, &does("alice", OperationKind::Undo), Vec::new(), &agent);
    assert_eq!(events, [Event::UndoComplete { removed: 3 }]);
    assert!(session.items().is_empty());
    let events = apply(&mut session, &does("alice", OperationKind::Undo), Vec::new(), &agent);
    assert_eq!(private_line(&events), "There is nothing to undo.");
}

#[test]
fn starting_over_forgets_the_talk_and_what_was_allowed_but_keeps_the_model() {
    let agent = agent();
    let mut session = asked(CallStatus::Asked);
    session.head.settings.model = Some("other/model".into());
    let alike = crate::protocol::approval::Alike { key: "bash".into(), words: String::new() };
    session.head.settings.allowed.insert(alike);
    let events = apply(&mut session, &does("alice", OperationKind::New), Vec::new(), &agent);
    assert!(events.iter().any(|event| matches!(event, Event::NewComplete { .. })));
    assert!(session.items().is_empty() && session.head.settings.allowed.is_empty());
    assert_eq!(session.head.settings.model.as_deref(), Some("other/model"));
}

#[test]
fn an_answer_to_nothing_gets_a_private_line_and_an_expiry_of_something_else_nothing() {
    let agent = agent();
    let mut session = asked(CallStatus::Asked);
    let click =
        |id: &str| does("alice", OperationKind::Decide { approval: id.into(), verdict: Verdict::Approve });
    assert!(private_line(&apply(&mut session, &click("old"), Vec::new(), &agent)).contains("closed already"));
    let expire = |id: &str| does("clock", OperationKind::Expire { approval: ApprovalId(id.into()) });
    assert!(apply(&mut session, &expire("old"), Vec::new(), &agent).is_empty());
    let events = apply(&mut session, &expire("ap"), Vec::new(), &agent);
    assert!(matches!(&events[0], Event::ApprovalDecided { decision: Decision::Expired { .. }, .. }));
    assert!(apply(&mut session, &expire("ap"), Vec::new(), &agent).is_empty(), "it expires once");
}

#[test]
fn retry_and_resume_take_up_what_failed() {
    let agent = agent();
    let mut session = session();
    apply(&mut session, &says("go"), Vec::new(), &agent);
    let first = session.head.turn.as_ref().unwrap().id.clone();
    let over = |ending| TurnState::Over { ending, at: Timestamp(0), told: true };
    let failed = Ending::Failed { error: "x".into(), hint: None, retry: true };
    session.head.turn.as_mut().unwrap().state = over(failed);
    apply(&mut session, &does("bob", OperationKind::Retry), Vec::new(), &agent);
    let turn = session.head.turn.clone().unwrap();
    assert!(turn.id != first && turn.state == TurnState::Thinking);
    session.head.turn.as_mut().unwrap().state = over(Ending::Finished { text: None });
    let events = apply(&mut session, &does("bob", OperationKind::Retry), Vec::new(), &agent);
    assert!(private_line(&events).contains("did not fail"));
}

#[test]
fn the_end_of_external_work_wakes_the_session() {
    let mut session = session();
    let settle =
        OperationKind::Settle { ticket: "job 7".into(), output: "exit 1".into(), success: false, cost: None };
    apply(&mut session, &does("clock", settle), Vec::new(), &agent());
    let Item::Synthetic { text } = &*session.items()[0].clone() else { panic!() };
    assert!(text.contains("job 7") && text.contains("failed"));
    assert!(session.head.wants_work());
}

#[test]
fn only_whoever_could_answer_a_question_may_switch_questions_off() {
    let agent = |who| {
        let by = Voters { who, people: vec!["lead".into()], groups: Vec::new() };
        let approvals = Approvals { by, ..Approvals::default() };
        Agent { rules: Rules { approvals, ..agent().rules }, ..agent() }
    };
    let on = |who| does(who, OperationKind::Set { setting: Setting::Yolo { on: true, cap: None } });
    for (rule, person, allowed) in [
        (Who::RequesterAndListed, "alice", true),
        (Who::RequesterAndListed, "lead", true),
        (Who::RequesterAndListed, "mallory", false),
        (Who::Listed, "alice", false),
        (Who::Listed, "lead", true),
        (Who::Anyone, "mallory", true),
    ] {
        let mut session = asked(CallStatus::Asked);
        session.head.origin.door = Door::Slack;
        apply(&mut session, &on(person), Vec::new(), &agent(rule));
        assert_eq!(session.head.settings.yolo, allowed, "{rule:?} {person}");
    }
}

#[test]
fn words_before_a_stop_find_room_and_no_call_begins() {
    let mut session = asked(CallStatus::Allowed);
    assert!(!fits(&session, &says("and this")));
    make_room(&mut session);
    assert!(fits(&session, &says("and this")));
    assert!(matches!(&**session.items().last().unwrap(), Item::ToolResult { success: false, .. }));
}

#[test]
fn a_reminder_comes_once_and_only_while_the_question_is_open() {
    let mut session = asked(CallStatus::Asked);
    let remind = |id: &str| does("clock", OperationKind::Remind { approval: id.into() });
    assert!(apply(&mut session, &remind("other"), Vec::new(), &agent()).is_empty());
    let events = apply(&mut session, &remind("ap"), Vec::new(), &agent());
    assert!(matches!(&events[..], [Event::ApprovalReminder(request)] if request.id.as_str() == "ap"));
    assert!(apply(&mut session, &remind("ap"), Vec::new(), &agent()).is_empty());
    assert!(!session.head.wants_work(), "it still waits");
}

#[test]
fn a_question_may_end_the_turn_when_its_time_is_up() {
    let mut session = asked(CallStatus::Asked);
    if let Some(TurnState::Waiting { approval, .. }) = session.head.turn.as_mut().map(|turn| &mut turn.state)
    {
        approval.on_expiry = OnExpiry::Stop;
    }
    let expire = does("clock", OperationKind::Expire { approval: "ap".into() });
    let events = apply(&mut session, &expire, Vec::new(), &agent());
    assert!(matches!(&events[0], Event::ApprovalDecided { decision: Decision::Expired { .. }, .. }));
    let Some(TurnState::Over { ending: Ending::Interrupted { by: Some(by) }, .. }) =
        session.head.turn.as_ref().map(|turn| &turn.state)
    else {
        panic!("{:?}", session.head.turn)
    };
    assert!(by.contains("nobody answered in time"), "{by}");
    assert!(matches!(&**session.items().last().unwrap(), Item::ToolResult { success: false, .. }));
    assert_eq!(session.unsaved_audit().last().unwrap().act, crate::protocol::Act::Expired);
}
