//! Questions to people, and their answers.

use std::collections::BTreeMap;

use super::super::answer::{Answer, Refusal, withdraw};
use super::*;
use crate::protocol::{ApprovalId, Decision, Ending, Verdict};

fn asked(bench: &Bench) -> ApprovalId {
    let TurnState::Waiting { approval, .. } = bench.state() else { panic!("{:?}", bench.state()) };
    approval.id.clone()
}

fn answer(bench: &mut Bench, who: &str, verdict: &Verdict) -> Result<Vec<Event>, Refusal> {
    let id = asked(bench);
    answer_at(bench, &id, who, verdict, Timestamp(1_000_500))
}

fn answer_at(
    bench: &mut Bench,
    approval: &ApprovalId,
    who: &str,
    verdict: &Verdict,
    at: Timestamp,
) -> Result<Vec<Event>, Refusal> {
    let answer = Answer { approval, verdict, by: &person(who), at };
    bench.agent.decide(&mut bench.session, Some(&bench.place), answer)
}

#[tokio::test]
async fn in_a_mixed_step_the_free_calls_run_first_and_then_the_turn_waits() {
    let mut bench = Bench::new([
        calls(&[("c1", "act", what("rm")), ("c2", "look", what("x")), ("c3", "own", what("y"))]),
        says("done"),
    ]);
    bench.go().await;
    assert_eq!(bench.ran(), ["look x", "own y"]);
    let TurnState::Waiting { approval, told: false, .. } = bench.state() else { panic!() };
    assert_eq!(approval.calls.len(), 1);
    assert_eq!(approval.calls[0].reasons, ["it acts"]);
    assert_eq!(approval.expires_at, Timestamp(1_060_000));
    answer(&mut bench, "alice", &Verdict::Approve).unwrap();
    bench.go().await;
    assert_eq!(bench.ran(), ["look x", "own y", "act rm"]);
    bench.assert_whole();
}

#[tokio::test]
async fn only_approvers_count_and_only_once() {
    let mut bench = Bench::new([calls(&[("c1", "act", what("x"))]), says("done")]);
    bench.go().await;
    assert_eq!(answer(&mut bench, "mallory", &Verdict::Approve), Err(Refusal::NotAmongApprovers));
    let id = asked(&bench);
    answer(&mut bench, "lead", &Verdict::Approve).unwrap();
    let late = answer_at(&mut bench, &id, "alice", &Verdict::Approve, Timestamp(0));
    assert_eq!(late, Err(Refusal::NotAsked));
    bench.go().await;
    assert_eq!(bench.ran(), ["act x"]);
}

#[tokio::test]
async fn a_rejection_reaches_the_model_with_its_reason_in_its_own_case() {
    let mut bench = Bench::new([calls(&[("c1", "act", what("x"))]), says("understood")]);
    bench.go().await;
    let reason = Some("Use the EU bucket".to_owned());
    let events = answer(&mut bench, "alice", &Verdict::Reject { reason }).unwrap();
    assert!(matches!(&events[0], Event::ApprovalDecided { decision: Decision::Decided { .. }, .. }));
    bench.go().await;
    assert_eq!(bench.ran(), Vec::<String>::new());
    assert!(bench.results()[0].2.contains("Use the EU bucket"));
    assert!(bench.session.head.turn.as_ref().unwrap().refused);
    assert!(matches!(bench.state(), TurnState::Over { ending: Ending::Finished { .. }, .. }));
    bench.assert_whole();
}

#[tokio::test]
async fn an_edited_call_runs_as_edited_and_the_model_is_told() {
    let mut bench = Bench::new([calls(&[("c1", "act", what("big"))]), says("fine")]);
    bench.go().await;
    let arguments = BTreeMap::from([("c1".into(), what("small"))]);
    answer(&mut bench, "alice", &Verdict::Edit { arguments }).unwrap();
    bench.go().await;
    assert_eq!(bench.ran(), ["act small"]);
    assert!(bench.results()[0].2.contains("edited"), "{:?}", bench.results());
}

#[tokio::test]
async fn an_edit_of_something_else_is_refused() {
    let mut bench = Bench::new([calls(&[("c1", "act", what("x"))])]);
    bench.go().await;
    for (call, value) in [("c9", what("y")), ("c1", json!("text"))] {
        let verdict = Verdict::Edit { arguments: BTreeMap::from([(call.into(), value)]) };
        assert!(matches!(answer(&mut bench, "alice", &verdict), Err(Refusal::BadEdit(_))));
    }
    assert!(matches!(bench.state(), TurnState::Waiting { .. }));
}

#[tokio::test]
async fn what_was_allowed_for_the_session_is_not_asked_again() {
    let mut bench = Bench::new([
        calls(&[("c1", "act", what("one"))]),
        calls(&[("c2", "act", what("two"))]),
        says("done"),
    ]);
    bench.go().await;
    answer(&mut bench, "alice", &Verdict::ApproveForSession).unwrap();
    bench.go().await;
    assert_eq!(bench.ran(), ["act one", "act two"]);
}

#[tokio::test]
async fn a_change_after_the_question_voids_the_answer() {
    let mut bench = Bench::new([calls(&[("c1", "act", what("x"))])]);
    bench.go().await;
    if let Some(TurnState::Waiting { calls, .. }) =
        bench.session.head.turn.as_mut().map(|turn| &mut turn.state)
    {
        calls[0].proposed.arguments = what("something else");
    }
    assert_eq!(answer(&mut bench, "alice", &Verdict::Approve), Err(Refusal::ContentChanged));
}

#[tokio::test]
async fn a_question_nobody_answered_leaves_a_result_and_the_model_goes_on() {
    let mut bench = Bench::new([calls(&[("c1", "act", what("x"))]), says("without it")]);
    bench.go().await;
    withdraw(&mut bench.session, "Not run: nobody answered.", Decision::Expired { at: Timestamp(5) });
    bench.go().await;
    assert_eq!(bench.ran(), Vec::<String>::new());
    assert!(matches!(bench.state(), TurnState::Over { ending: Ending::Finished { .. }, .. }));
    bench.assert_whole();
}

#[tokio::test]
async fn an_answer_given_after_the_time_was_up_does_not_count() {
    let mut bench = Bench::new([calls(&[("c1", "act", what("x"))])]);
    bench.go().await;
    let id = asked(&bench);
    for (moment, counts) in [(1_060_000, false), (2_000_000, false), (1_059_999, true)] {
        let verdict = answer_at(&mut bench, &id, "alice", &Verdict::Approve, Timestamp(moment));
        assert_eq!(verdict.is_ok(), counts, "at {moment}");
    }
}

#[tokio::test]
async fn a_call_that_was_marked_and_then_stopped_is_not_found_under_its_id_later() {
    let mut bench = Bench::new([
        calls(&[("c1", "own", what("first"))]),
        calls(&[("c1", "act", what("second"))]),
        says("done"),
    ]);
    bench.step().await;
    super::super::results::close_open_calls(&mut bench.session, "Not run: stopped.");
    super::super::approve::set_state(&mut bench.session, TurnState::Thinking);
    bench.go().await;
    answer(&mut bench, "alice", &Verdict::Approve).unwrap();
    bench.step().await;
    assert_eq!(bench.ran(), Vec::<String>::new(), "it is marked and saved before it runs");
    bench.go().await;
    assert_eq!(bench.ran(), ["act second"]);
}
