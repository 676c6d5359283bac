//! Turns from request to answer.

use super::*;
use crate::model::{Finish, ModelError};
use crate::protocol::{CallStatus, Ending};

#[tokio::test]
async fn an_answer_without_calls_ends_the_turn() {
    let mut bench = Bench::new([says("42")]);
    bench.go().await;
    let TurnState::Over { ending: Ending::Finished { text }, told: false, .. } = bench.state() else {
        panic!("{:?}", bench.state());
    };
    assert_eq!(text.as_deref(), Some("42"));
    assert_eq!(bench.session.head.usage.cost, 3);
    let announced = super::super::step::announcement(&bench.session).unwrap();
    assert!(matches!(announced, Event::TurnComplete { steps: 1, limit_reached: false, .. }));
}

#[tokio::test]
async fn a_call_is_marked_and_saved_before_it_runs() {
    let mut bench = Bench::new([calls(&[("c1", "own", what("x"))]), says("done")]);
    assert_eq!(bench.step().await, Advance::Again);
    let TurnState::Calling { calls } = bench.state() else { panic!() };
    assert_eq!(calls[0].status, CallStatus::Started);
    assert_eq!(bench.ran(), Vec::<String>::new(), "nothing ran before the caller could save");
    bench.go().await;
    assert_eq!(bench.ran(), ["own x"]);
    bench.assert_whole();
}

#[tokio::test]
async fn reading_calls_run_together_and_their_results_come_in_order() {
    let slow = json!({ "what": "slow", "wait_ms": 60 });
    let mut bench = Bench::new([
        calls(&[("c1", "look", slow), ("c2", "look", what("fast")), ("c3", "own", what("last"))]),
        says("done"),
    ]);
    bench.go().await;
    let order: Vec<String> = bench.results().into_iter().map(|(call, ..)| call).collect();
    assert_eq!(order, ["c1", "c2", "c3"]);
    assert_eq!(bench.ran().last().unwrap(), "own last", "what changes something runs alone, after them");
    bench.assert_whole();
}

#[tokio::test]
async fn wrong_calls_are_told_to_the_model_and_nothing_runs() {
    let mut bench = Bench::new([
        calls(&[("c1", "lok", what("x")), ("c2", "look", json!("{bad")), ("c3", "never", what("y"))]),
        says("sorry"),
    ]);
    bench.go().await;
    let results = bench.results();
    assert!(results[0].2.contains("no tool named `lok`") && results[0].2.contains("look"), "{results:?}");
    assert!(results[1].2.contains("JSON object"));
    assert_eq!(results[2].2, "it never may");
    assert!(results.iter().all(|(_, success, _)| !success));
    assert_eq!(bench.ran(), Vec::<String>::new());
    bench.assert_whole();
}

#[tokio::test]
async fn a_tool_that_panics_ends_neither_the_turn_nor_its_siblings() {
    let mut bench = Bench::new([calls(&[("c1", "burst", what("")), ("c2", "look", what("x"))]), says("ok")]);
    bench.go().await;
    let results = bench.results();
    assert!(!results[0].1 && results[1].1, "{results:?}");
    assert!(matches!(bench.state(), TurnState::Over { ending: Ending::Finished { .. }, .. }));
}

#[tokio::test]
async fn the_iteration_limit_ends_with_an_honest_message() {
    let mut bench = Bench::new((0..5).map(|n| calls(&[(&format!("c{n}"), "look", what("again"))])));
    bench.go().await;
    let Some(Event::TurnComplete { final_response: Some(text), limit_reached: true, .. }) =
        super::super::step::announcement(&bench.session)
    else {
        panic!("{:?}", bench.state());
    };
    assert!(text.contains('5'), "{text}");
    bench.assert_whole();
}

#[tokio::test]
async fn calls_of_an_answer_that_was_cut_are_dropped() {
    let cut = calls(&[("c1", "own", what("half"))]).map(|mut answer| {
        answer.finish = Finish::Length;
        answer.text = "I will write".into();
        answer
    });
    let mut bench = Bench::new([cut, says("smaller now")]);
    bench.go().await;
    assert_eq!(bench.ran(), Vec::<String>::new());
    let requests = bench.model.requests.lock().unwrap();
    let Item::Synthetic { text } = &**requests[1].items.last().unwrap() else { panic!() };
    assert!(text.contains("own"), "the hint names the lost tools: {text}");
}

#[tokio::test]
async fn a_model_that_gives_up_ends_the_turn_with_its_words() {
    let stop = ModelError::Stop { reason: "The key was refused".into(), hint: "Set HF_TOKEN".into() };
    let mut bench = Bench::new([Err(stop)]);
    bench.go().await;
    let Some(Event::Error { error, hint, retry: true, .. }) =
        super::super::step::announcement(&bench.session)
    else {
        panic!()
    };
    assert_eq!((error.as_str(), hint.as_deref()), ("The key was refused", Some("Set HF_TOKEN")));
}

#[tokio::test]
async fn an_overflow_shortens_once_and_cannot_loop() {
    let shrink = || Err(ModelError::Shrink { reason: "too long".into() });
    let mut bench = Bench::new([shrink(), says("notes"), shrink()]);
    for n in 0..40 {
        bench.session.push(Item::Synthetic { text: format!("{n} {}", "x".repeat(8_000)) });
    }
    bench.session.head.context_tokens = 0;
    bench.go().await;
    assert!(matches!(bench.state(), TurnState::Over { ending: Ending::Failed { retry: false, .. }, .. }));
    assert!(bench.session.items().iter().any(|item| matches!(**item, Item::Summary { .. })));
    let compacted = |event: &Event| matches!(event, Event::Compacted { .. });
    assert_eq!(bench.seen.0.lock().unwrap().iter().filter(|event| compacted(event)).count(), 1);
}

#[tokio::test]
async fn a_stopped_call_is_recorded_within_a_second() {
    let mut bench = Bench::new([calls(&[("c1", "hang", what(""))])]);
    bench.step().await;
    let cancel = bench.cancel.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(20)).await;
        cancel.cancel();
    });
    assert_eq!(bench.step().await, Advance::Again);
    assert!(bench.results()[0].2.contains("Stopped"));
    bench.assert_whole();
}
