//! The loop and its guards: what the model is told, how often, and how a turn ends.

use super::*;
use crate::model::Finish;
use crate::protocol::{Ending, PlanItem, PlanStatus};

type Reply = Result<Completion, ModelError>;

fn look(id: usize, text: &str) -> Reply {
    calls(&[(&format!("c{id}"), "look", what(text))])
}

fn cut(id: usize) -> Reply {
    calls(&[(&format!("c{id}"), "own", what("half"))])
        .map(|answer| Completion { finish: Finish::Length, ..answer })
}

fn plan(bench: &mut Bench, statuses: &[PlanStatus]) {
    let item = |(number, status): (usize, &PlanStatus)| PlanItem {
        id: number.to_string(),
        content: format!("step {number}"),
        status: *status,
    };
    bench.session.head.plan = statuses.iter().enumerate().map(item).collect();
}

impl Bench {
    /// What the loop itself told the model.
    fn told(&self) -> Vec<String> {
        let words = self.session.items().iter().filter_map(|item| match &**item {
            Item::Synthetic { text } => Some(text.clone()),
            _ => None,
        });
        words.collect()
    }

    /// What people saw of it.
    pub(super) fn logged(&self) -> Vec<String> {
        let seen = self.seen.0.lock().unwrap();
        let lines = seen.iter().filter_map(|event| match event {
            Event::ToolLog { tool, log, .. } if tool == "system" => Some(log.clone()),
            _ => None,
        });
        lines.collect()
    }

    fn ending(&self) -> &Ending {
        let TurnState::Over { ending, .. } = self.state() else { panic!("{:?}", self.state()) };
        ending
    }

    /// The process ends here and another one loads what was saved.
    fn restart(&mut self) {
        let saved = serde_json::to_string(&self.session.head).unwrap();
        let items = self.session.items().to_vec();
        self.session = Session::new(serde_json::from_str(&saved).unwrap(), items);
    }
}

#[tokio::test]
async fn the_same_call_three_times_is_told_once_and_a_restart_does_not_tell_it_again() {
    let mut bench = Bench::new((0..6).map(|n| look(n, "same")).chain([says("I was stuck.")]));
    bench.agent.rules.max_iterations = None;
    while bench.step().await == Advance::Again {
        if matches!(bench.state(), TurnState::Thinking) {
            bench.restart();
        }
    }
    let told = bench.told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("`look`"), "{told:?}");
    assert_eq!(bench.logged().len(), 1);
    let requests = bench.model.requests.lock().unwrap();
    let last = |request: &Request| request.items.last().map(|item| matches!(**item, Item::Synthetic { .. }));
    let told_at: Vec<usize> = (0..requests.len()).filter(|n| last(&requests[*n]) == Some(true)).collect();
    assert_eq!(told_at, [3], "right after the third");
    bench.assert_whole();
}

#[tokio::test]
async fn three_equal_calls_in_one_message_are_noticed() {
    let same = [("a", "look", what("x")), ("b", "look", what("x")), ("c", "look", what("x"))];
    let mut bench = Bench::new([calls(&same), says("done")]);
    bench.go().await;
    assert_eq!(bench.told().len(), 1, "row 15");
}

#[tokio::test]
async fn a_pattern_that_stopped_and_comes_back_is_told_again() {
    let script = ["x", "x", "x", "y", "x", "x", "x"];
    let mut bench =
        Bench::new(script.iter().enumerate().map(|(n, text)| look(n, text)).chain([says("done")]));
    bench.agent.rules.max_iterations = None;
    bench.go().await;
    assert_eq!(bench.told().len(), 2, "{:?}", bench.told());
}

#[tokio::test]
async fn a_circle_is_told_once_however_long_it_goes_on() {
    let script = ["a", "b", "a", "b", "a", "b", "a"];
    let mut bench =
        Bench::new(script.iter().enumerate().map(|(n, text)| look(n, text)).chain([says("done")]));
    bench.agent.rules.max_iterations = None;
    bench.go().await;
    assert_eq!(bench.told().len(), 1, "{:?}", bench.told());
    assert!(bench.told()[0].contains("look → look"), "{:?}", bench.told());
}

#[tokio::test]
async fn a_poll_whose_result_changes_is_left_alone() {
    let mut bench =
        Bench::new((0..8).map(|n| calls(&[(&format!("c{n}"), "count", json!({}))])).chain([says("done")]));
    bench.agent.rules.max_iterations = None;
    bench.go().await;
    assert_eq!(bench.told(), Vec::<String>::new());
}

#[tokio::test]
async fn malformed_calls_in_a_row_are_told_once_for_every_length() {
    let bad = |n: usize, raw: &str| calls(&[(&format!("c{n}"), "look", json!(raw))]);
    let mut bench = Bench::new([
        bad(1, "{bad"),
        bad(2, "[1]"),
        bad(3, "oops"),
        look(4, "good"),
        calls(&[("c5", "look", json!({ "where": 1 }))]),
        says("done"),
    ]);
    bench.agent.rules.max_iterations = None;
    bench.go().await;
    let told = bench.told();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("last 2 calls of `look`") && told[1].contains("last 3 calls"), "{told:?}");
    assert_eq!(bench.ran(), ["look good"]);
    let results = bench.results();
    assert!(results[4].2.contains("`where`"), "the error names the field: {}", results[4].2);
    bench.assert_whole();
}

#[tokio::test]
async fn words_in_between_do_not_break_a_row_of_malformed_calls() {
    let mut bench = Bench::new([
        calls(&[("c1", "look", json!("{bad"))]),
        calls(&[("c2", "look", json!("{worse"))]),
        says("done"),
    ]);
    bench.step().await;
    bench.session.push(Item::Synthetic { text: "a word".into() });
    bench.go().await;
    assert_eq!(bench.told().len(), 2, "row 3: {:?}", bench.told());
}

#[tokio::test]
async fn an_unknown_tool_twice_is_told_with_its_name() {
    let mut bench =
        Bench::new([calls(&[("c1", "lok", what("x"))]), calls(&[("c2", "lok", what("y"))]), says("done")]);
    bench.go().await;
    assert!(bench.told()[0].contains("`lok`"), "{:?}", bench.told());
    assert!(bench.results()[0].2.contains("look"), "the nearest name is offered");
}

#[tokio::test]
async fn a_tool_that_panics_while_it_looks_at_a_call_ends_neither_turn_nor_siblings() {
    let mut bench = Bench::new([
        calls(&[("c1", "look", json!({ "what": "panic" })), ("c2", "look", what("x"))]),
        says("ok"),
    ]);
    bench.go().await;
    let results = bench.results();
    assert!(!results[0].1 && results[0].2.contains("nothing ran"), "{results:?}");
    assert!(results[1].1, "{results:?}");
    assert!(matches!(bench.ending(), Ending::Finished { .. }));
    bench.assert_whole();
}

#[tokio::test]
async fn an_unfinished_plan_is_gone_on_with() {
    let mut bench = Bench::new([says("I stop here."), look(1, "x"), says("Now it is done.")]);
    plan(&mut bench, &[PlanStatus::InProgress]);
    while bench.ran().is_empty() {
        bench.step().await;
    }
    plan(&mut bench, &[PlanStatus::Completed]);
    bench.go().await;
    assert_eq!(bench.model.requests.lock().unwrap().len(), 3, "row 10");
    assert!(bench.told()[0].contains("0. step 0 [in_progress]"), "{:?}", bench.told());
    assert_eq!(bench.logged(), ["The plan has 1 open item; asking to go on."]);
    assert!(matches!(bench.ending(), Ending::Finished { text: Some(text) } if text == "Now it is done."));
}

#[tokio::test]
async fn the_third_text_in_a_row_ends_the_turn_and_all_are_kept() {
    let mut bench = Bench::new([says("one"), says("two"), says("three")]);
    plan(&mut bench, &[PlanStatus::Pending]);
    bench.go().await;
    assert!(matches!(bench.ending(), Ending::Finished { text: Some(text) } if text == "three"), "row 11");
    let said = bench.session.items().iter().filter(|item| matches!(***item, Item::Assistant { .. })).count();
    assert_eq!((said, bench.told().len()), (3, 2));
}

#[tokio::test]
async fn answers_that_are_cut_again_and_again_end_the_turn_with_what_to_do() {
    let mut bench = Bench::new((0..3).map(cut));
    bench.go().await;
    let Ending::Failed { error, hint: Some(hint), retry: true } = bench.ending() else {
        panic!("{:?}", bench.ending())
    };
    assert!(error.contains("3 times") && hint.contains("smaller pieces"), "{error} {hint}");
    assert_eq!(bench.ran(), Vec::<String>::new());
    bench.assert_whole();
}

#[tokio::test]
async fn an_empty_answer_is_asked_for_once_more() {
    let mut bench = Bench::new([says(""), says("Here I am.")]);
    bench.go().await;
    assert!(matches!(bench.ending(), Ending::Finished { text: Some(text) } if text == "Here I am."));
    assert_eq!(bench.told().len(), 1);
    let mut bench = Bench::new([says(""), says(" ")]);
    bench.go().await;
    assert!(matches!(bench.ending(), Ending::Failed { hint: Some(_), retry: true, .. }));
}

#[tokio::test]
async fn what_guards_say_belongs_to_the_turn_and_is_no_request() {
    let mut bench = Bench::new((0..4).map(|n| look(n, "same")).chain([says("done")]));
    bench.agent.rules.max_iterations = None;
    let before = bench.session.items().len();
    bench.go().await;
    assert_eq!(bench.told().len(), 1);
    let opens = |item: &Arc<Item>| matches!(**item, Item::User { opens: true, .. });
    let last = bench.session.items().iter().rposition(opens);
    assert_eq!(last, Some(before - 1), "undo goes back to the person's words");
}
