//! Undo, resume and new: what they claim, and that they do exactly that.

use proptest::prelude::*;

use super::tests::{agent, does, private_line, says, session};
use super::*;
use crate::protocol::{PlanItem, PlanStatus, ProposedCall};

fn end(session: &mut Session, ending: Ending) {
    set_state(session, TurnState::Over { ending, at: Timestamp(0), told: true });
}

fn answer(session: &mut Session, text: &str) {
    session.push(Item::Assistant { text: text.into(), thoughts: vec![], calls: vec![], model: "m".into() });
    end(session, Ending::Finished { text: Some(text.into()) });
}

fn plan(content: &str) -> Vec<PlanItem> {
    vec![PlanItem { id: "1".into(), content: content.into(), status: PlanStatus::Pending }]
}

/// The model sets the plan, as the loop records it.
fn plans(session: &mut Session, id: &str, content: &str) {
    let todos = serde_json::json!({ "todos": plan(content) });
    let call = ProposedCall { id: id.into(), tool: "plan_tool".into(), arguments: todos };
    session.push(Item::Assistant {
        text: String::new(),
        thoughts: vec![],
        calls: vec![call],
        model: "m".into(),
    });
    session.push(Item::ToolResult {
        call: id.into(),
        tool: "plan_tool".into(),
        output: "…".into(),
        success: true,
    });
    session.head.plan = plan(content);
}

#[test]
fn undo_takes_the_words_that_were_added_and_puts_the_plan_back() {
    let agent = agent();
    let mut session = session();
    apply(&mut session, &says("one"), Vec::new(), &agent);
    plans(&mut session, "a", "first");
    answer(&mut session, "done");
    let before = session.items().to_vec();
    apply(&mut session, &says("two"), Vec::new(), &agent);
    plans(&mut session, "b", "second");
    session.push(Item::Synthetic { text: "go on".into() });
    apply(&mut session, &says("and this"), Vec::new(), &agent);
    answer(&mut session, "done");
    let events = apply(&mut session, &does("alice", OperationKind::Undo), Vec::new(), &agent);
    assert_eq!(
        events,
        [Event::UndoComplete { removed: 6 }, Event::PlanUpdate { plan: plan("first") }],
        "what was added while the turn was in hand belongs to it"
    );
    assert_eq!(session.items(), before);
    assert_eq!(session.head.plan, plan("first"));
}

#[test]
fn undo_refuses_where_the_request_is_only_in_a_summary() {
    let agent = agent();
    let mut session = session();
    apply(&mut session, &says("one"), Vec::new(), &agent);
    session.push(Item::Summary { text: "…".into(), replaced: 20, turns: 3 });
    answer(&mut session, "done");
    let before = session.items().to_vec();
    let events = apply(&mut session, &does("alice", OperationKind::Undo), Vec::new(), &agent);
    assert!(private_line(&events).contains("shortened since"), "{events:?}");
    assert_eq!(session.items(), before);
}

#[test]
fn resume_goes_on_with_what_was_cut_off_and_says_why_it_does_not() {
    let agent = agent();
    let resume = does("bob", OperationKind::Resume);
    let mut fresh = session();
    let events = apply(&mut fresh, &resume, Vec::new(), &agent);
    assert!(private_line(&events).contains("no request was cut off"));
    let mut session = session();
    apply(&mut session, &says("go"), Vec::new(), &agent);
    let events = apply(&mut session, &resume, Vec::new(), &agent);
    assert!(private_line(&events).contains("at work"));
    for ending in [
        Ending::Interrupted { by: None },
        Ending::Failed { error: "x".into(), hint: None, retry: false },
        Ending::LimitReached { text: "x".into() },
    ] {
        end(&mut session, ending);
        let items = session.items().to_vec();
        let events = apply(&mut session, &resume, Vec::new(), &agent);
        assert!(
            matches!(&events[..], [Event::ResumeComplete { .. }, Event::Processing { .. }]),
            "{events:?}"
        );
        assert_eq!(session.items(), items, "nothing is said twice");
        assert!(session.head.wants_work());
    }
    answer(&mut session, "done");
    let events = apply(&mut session, &resume, Vec::new(), &agent);
    assert!(private_line(&events).contains("was answered"));
}

#[test]
fn a_new_conversation_has_no_plan_no_rights_and_an_old_model() {
    let agent = agent();
    let mut session = session();
    apply(&mut session, &says("one"), Vec::new(), &agent);
    plans(&mut session, "a", "first");
    answer(&mut session, "done");
    session.head.usage.cost = 9;
    session.head.parent = Some("p".into());
    session.head.settings = Settings {
        model: Some("a/b".into()),
        yolo: true,
        yolo_cap: Some(1),
        spend_until: 5,
        ..Settings::default()
    };
    apply(&mut session, &does("alice", OperationKind::New), Vec::new(), &agent);
    let head = &session.head;
    assert!(session.items().is_empty() && head.plan.is_empty() && head.turn.is_none());
    assert_eq!(head.settings, Settings { model: Some("a/b".into()), ..Settings::default() });
    assert_eq!((head.usage.cost, head.turns, &head.parent), (9, 1, &None), "what was spent stays spent");
}

#[derive(Debug, Clone)]
enum Deed {
    Ask,
    Add,
    Hint,
    Plan,
    Answer,
    Fail,
    Resume,
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let deed = prop_oneof![
        Just(Deed::Ask),
        Just(Deed::Add),
        Just(Deed::Hint),
        Just(Deed::Plan),
        Just(Deed::Answer),
        Just(Deed::Fail),
        Just(Deed::Resume)
    ];
    proptest::collection::vec(deed, 0..30)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whatever happened in a turn, undo leaves exactly what was there before it began.
    #[test]
    fn undo_is_the_inverse_of_a_turn(before in deeds(), within in deeds()) {
        let agent = agent();
        let mut session = session();
        live(&mut session, &agent, &before);
        answer(&mut session, "so far");
        let (items, plan) = (session.items().to_vec(), session.head.plan.clone());
        apply(&mut session, &says("the request"), Vec::new(), &agent);
        // A second request would be a turn of its own.
        let within: Vec<Deed> = within
            .into_iter()
            .map(|deed| if matches!(deed, Deed::Answer | Deed::Fail) { Deed::Hint } else { deed })
            .collect();
        live(&mut session, &agent, &within);
        answer(&mut session, "done");
        apply(&mut session, &does("alice", OperationKind::Undo), Vec::new(), &agent);
        prop_assert_eq!(session.items(), &items[..]);
        prop_assert_eq!(&session.head.plan, &plan);
        prop_assert!(!session.head.wants_work());
    }
}

fn live(session: &mut Session, agent: &Agent, deeds: &[Deed]) {
    for deed in deeds {
        let number = session.items().len();
        match deed {
            Deed::Ask | Deed::Add => {
                apply(session, &says(&format!("words {number}")), Vec::new(), agent);
            }
            Deed::Hint => session.push(Item::Synthetic { text: "go on".into() }),
            Deed::Plan => plans(session, &format!("c{number}"), &format!("plan {number}")),
            Deed::Answer if is_active(session) => answer(session, "done"),
            Deed::Fail if is_active(session) => {
                end(session, Ending::Failed { error: "x".into(), hint: None, retry: true });
            }
            Deed::Answer | Deed::Fail => {}
            Deed::Resume => {
                apply(session, &does("alice", OperationKind::Resume), Vec::new(), agent);
            }
        }
    }
}
