//! Keeping a transcript within its window: when, how far, by whom, and what happens when it fails.

use super::*;
use crate::protocol::Ending;

const TEXT: &str = "notes: the loss was 0.3, the file is runs/a.json";

fn result_of(call: &str, output: String) -> Item {
    Item::ToolResult { call: call.into(), tool: "look".into(), output, success: true }
}

/// A bench whose model has this window and whose one request was followed by so many steps, each with a
/// result of so many tokens.
fn long_run(
    window: u64,
    steps: usize,
    tokens: usize,
    replies: impl IntoIterator<Item = Result<Completion, ModelError>>,
) -> Bench {
    let mut bench = Bench::new(replies);
    bench.model.window.store(window, Ordering::Relaxed);
    for number in 0..steps {
        let id = format!("old{number}");
        let call = ProposedCall { id: id.clone().into(), tool: "look".into(), arguments: what("x") };
        bench.session.push(Item::Assistant {
            text: String::new(),
            thoughts: Vec::new(),
            calls: vec![call],
            model: "toy/model".into(),
        });
        bench.session.push(result_of(&id, format!("{number} {}", "x".repeat(tokens * 4))));
    }
    bench
}

fn refused(words: &str) -> Result<Completion, ModelError> {
    Err(ModelError::Shrink { reason: words.into() })
}

fn broken() -> Result<Completion, ModelError> {
    Err(ModelError::Stop { reason: "the key was refused".into(), hint: String::new() })
}

impl Bench {
    fn compacted(&self) -> Vec<(u64, u64)> {
        let seen = self.seen.0.lock().unwrap();
        let cuts = seen.iter().filter_map(|event| match event {
            Event::Compacted { old_tokens, new_tokens } => Some((*old_tokens, *new_tokens)),
            _ => None,
        });
        cuts.collect()
    }

    fn summaries(&self) -> Vec<String> {
        let texts = self.session.items().iter().filter_map(|item| match &**item {
            Item::Summary { text, .. } => Some(text.clone()),
            _ => None,
        });
        texts.collect()
    }

    fn model_calls(&self) -> usize {
        self.model.requests.lock().unwrap().len()
    }

    async fn shorten(&mut self) -> bool {
        let sink: Arc<dyn EventSink> = self.seen.clone();
        self.agent.shorten(&mut self.session, &sink, &self.cancel).await
    }

    fn is_finished(&self) -> bool {
        matches!(self.state(), TurnState::Over { ending: Ending::Finished { .. }, .. })
    }
}

#[tokio::test]
async fn the_threshold_is_exact_and_counts_what_the_provider_counted() {
    for (counted, cuts) in [(84_999, 0), (85_000, 0), (85_001, 1)] {
        let mut bench = long_run(100_000, 40, 2_000, [says(TEXT), says("done")]);
        bench.session.measure(counted);
        bench.go().await;
        assert_eq!(bench.compacted().len(), cuts, "row 1: {counted}");
        if let Some((old, new)) = bench.compacted().first() {
            assert_eq!(*old, counted);
            assert!(*new <= 51_000, "to 60 % of the threshold: {new}");
        }
    }
}

#[tokio::test]
async fn what_was_added_since_the_count_is_estimated() {
    let mut bench = long_run(100_000, 40, 2_000, [says(TEXT), says("done")]);
    bench.session.measure(84_000);
    bench.session.push(Item::Synthetic { text: "x".repeat(4_400) });
    assert!((85_100..85_200).contains(&bench.agent.used(&bench.session)));
    bench.session.head.context_tokens = 0;
    let estimate = bench.agent.used(&bench.session);
    assert!((82_000..90_000).contains(&estimate), "another model: the estimate alone, {estimate}");
}

#[tokio::test]
async fn a_long_run_of_a_single_request_is_shortened_and_goes_on() {
    let mut bench = long_run(100_000, 45, 2_000, [says(TEXT), says("done")]);
    bench.go().await;
    assert!(bench.is_finished(), "row 6");
    let items = bench.session.items();
    assert!(matches!(&*items[0], Item::User { text, .. } if text == "do it"), "the task stays");
    assert!(matches!(&*items[1], Item::Summary { text, turns: 0, .. } if text == TEXT));
    assert!(matches!(&*items[2], Item::Assistant { .. }));
    bench.assert_whole();
    let requests = bench.model.requests.lock().unwrap();
    assert!(requests[0].tools.is_empty() && requests[0].system.contains("quoted as data"));
    assert_eq!(requests.len(), 2);
    let cost = bench.session.head.usage;
    assert_eq!((cost.input_tokens, cost.output_tokens), (20, 4), "the summary is paid for like any call");
    assert_eq!(bench.session.head.turn.as_ref().unwrap().usage, cost);
    assert_eq!(bench.session.head.turn.as_ref().unwrap().steps, 1, "and is no step");
}

#[tokio::test]
async fn one_huge_result_is_replaced_by_a_note_and_no_model_is_asked() {
    let mut bench = long_run(100_000, 1, 90_000, [says("done")]);
    bench.go().await;
    assert_eq!((bench.model_calls(), bench.summaries().len()), (1, 0), "row 5");
    let (call, _, output) = bench.results().remove(0);
    assert!(call == "old0" && output.contains("about 9000") && output.len() < 5_000, "{output}");
    assert!(bench.compacted()[0].1 < 10_000);
    bench.assert_whole();
}

#[tokio::test]
async fn a_summary_that_fails_is_made_by_hand() {
    for failure in [broken(), says("  "), refused("too long")] {
        // A refusal is tried again with smaller parts first.
        let refusals = std::iter::repeat_n(failure.clone(), 7);
        let script: Vec<_> = match failure {
            Err(ModelError::Shrink { .. }) => refusals.chain([says("done")]).collect(),
            _ => vec![failure, says("done")],
        };
        let mut bench = long_run(50_000, 45, 1_000, script);
        bench.go().await;
        assert!(bench.is_finished(), "{:?}", bench.state());
        assert!(bench.summaries()[0].contains("without a model"), "{:?}", bench.summaries());
        assert!(bench.logged().iter().any(|line| line.contains("The summary failed")));
        assert_eq!(bench.compacted().len(), 1);
        bench.assert_whole();
    }
}

#[tokio::test]
async fn what_cannot_fit_ends_the_turn_and_the_session_stays_usable() {
    let mut bench = long_run(1_000, 1, 100, [says("hello again")]);
    bench.go().await;
    let TurnState::Over { ending: Ending::Failed { hint: Some(hint), retry: false, .. }, .. } = bench.state()
    else {
        panic!("row 4: {:?}", bench.state())
    };
    assert!(hint.contains("larger window"), "{hint}");
    bench.model.window.store(200_000, Ordering::Relaxed);
    bench.session.head.turn = Some(Turn::begun("t2".into(), person("alice"), Timestamp(0)));
    bench.go().await;
    assert!(bench.is_finished(), "with another model it goes on");
}

#[tokio::test]
async fn a_window_that_turns_out_smaller_is_learned_and_kept_to() {
    let words = "maximum context length is 30000 tokens, you sent 41000";
    let mut bench = long_run(200_000, 20, 2_000, [refused(words), says(TEXT), says("done")]);
    bench.go().await;
    assert!(bench.is_finished());
    let learned = bench.session.head.memory.learned.clone().unwrap();
    assert_eq!((learned.model.as_str(), learned.window), ("toy/model", 30_000));
    let (old, new) = bench.compacted()[0];
    assert!(old > 30_000 && new <= 30_000 * 85 * 40 / 10_000, "{old} to {new}");
    bench.session.head.settings.model = Some("other/model".into());
    assert_eq!(bench.agent.window(&bench.session).await, 200_000, "of that model only");
}

#[tokio::test]
async fn a_refusal_after_a_good_answer_is_another_cause() {
    let again = |id: &str| calls(&[(id, "look", what("x"))]);
    let mut bench = long_run(
        200_000,
        40,
        2_000,
        [
            refused("too long"),
            says(TEXT),
            again("c1"),
            refused("too long"),
            says("shorter notes"),
            says("done"),
        ],
    );
    bench.agent.rules.max_iterations = None;
    bench.go().await;
    assert!(bench.is_finished(), "{:?}", bench.state());
    assert_eq!(bench.compacted().len(), 2);
    assert_eq!(bench.summaries(), ["shorter notes"], "the earlier summary is folded in");
    bench.assert_whole();
}

#[tokio::test]
async fn a_large_middle_is_summed_up_in_parts_that_fit() {
    let notes = (1..=6).map(|n| says(&format!("notes {n}")));
    let mut bench = long_run(60_000, 80, 2_000, notes.chain([says("done")]));
    bench.go().await;
    let requests = bench.model.requests.lock().unwrap();
    let parts = requests.len() - 1;
    assert!((4..=6).contains(&parts), "{parts}");
    for (number, request) in requests[..parts].iter().enumerate() {
        let Item::Synthetic { text } = &*request.items[0] else { panic!() };
        assert!(text.len() / 4 < 45_000, "part {number} has {} bytes", text.len());
        assert_eq!(text.contains("[earlier notes] notes"), number > 0, "each goes on from the one before");
    }
    assert_eq!(bench.summaries(), [format!("notes {parts}")]);
}

#[tokio::test]
async fn what_was_summed_up_before_a_stop_is_kept() {
    let mut bench = long_run(60_000, 80, 2_000, [says("first part"), Err(ModelError::Cancelled)]);
    let before = bench.session.items().len();
    assert_eq!(bench.step().await, Advance::Again);
    assert_eq!(bench.summaries(), ["first part"]);
    assert!(bench.session.items().len() < before);
    assert!(matches!(bench.state(), TurnState::Thinking), "whoever stopped it ends the turn");
    bench.assert_whole();
}

#[tokio::test]
async fn people_may_ask_for_it_below_the_threshold() {
    let mut bench = long_run(200_000, 10, 500, (0..4).map(|_| says(TEXT)));
    assert!(bench.shorten().await);
    assert!(bench.compacted()[0].1 < bench.compacted()[0].0);
    while bench.shorten().await {}
    assert!(bench.model_calls() < 4, "soon there is nothing left that is worth it");
    bench.assert_whole();
    let mut bench = Bench::new([]);
    assert!(!bench.shorten().await);
    assert_eq!(bench.model_calls(), 0);
}

#[tokio::test]
async fn the_cost_is_linear_in_what_is_cut_and_the_number_of_calls_is_bounded() {
    for steps in [5, 500, 50_000] {
        let mut bench = long_run(200_000, steps, 400, (0..16).map(|_| says(TEXT)));
        let all: u64 = bench.session.tokens(&(0..bench.session.items().len()));
        assert!(bench.shorten().await, "{steps}");
        let requests = bench.model.requests.lock().unwrap();
        let sent: usize = requests
            .iter()
            .map(|request| match &*request.items[0] {
                Item::Synthetic { text } => text.len(),
                other => panic!("{other:?}"),
            })
            .sum();
        assert!(requests.len() <= 16, "{}", requests.len());
        assert!(sent as u64 <= all * 4 * 11 / 10 + 16 * 1_000, "{steps}: {sent} bytes for {all} tokens");
        drop(requests);
        bench.assert_whole();
    }
}
