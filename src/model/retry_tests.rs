//! How long a call waits and when it gives up.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use crate::protocol::{Item, Thought};

use super::super::{Delivery, Repairable};
use super::*;

/// One scripted try: what it shows, then how it ends.
type Try = (&'static str, Result<Completion, ModelError>);

#[derive(Default)]
struct Scripted {
    tries: Mutex<VecDeque<Try>>,
    seen: Mutex<Vec<(Option<String>, usize)>>,
}

#[async_trait]
impl Model for Scripted {
    async fn answer(
        &self,
        request: &Request,
        deltas: &dyn DeltaSink,
        _: &CancellationToken,
    ) -> Result<Completion, ModelError> {
        let thoughts = request.items.iter().map(|item| match &**item {
            Item::Assistant { thoughts, .. } => thoughts.len(),
            _ => 0,
        });
        self.seen.lock().unwrap().push((request.effort.clone(), thoughts.sum()));
        let next = self.tries.lock().unwrap().pop_front();
        let Some((shown, outcome)) = next else { return std::future::pending().await };
        if !shown.is_empty() {
            deltas.send(Delta::Text(shown.to_owned())).await;
        }
        outcome
    }

    fn check(&self, _: &str) -> Result<(), ModelError> {
        Ok(())
    }

    async fn facts(&self, _: &str) -> crate::model::Facts {
        crate::model::Facts { price: Some(crate::protocol::Price::FREE), ..crate::model::Facts::ASSUMED }
    }
}

#[derive(Default)]
struct Sink(Mutex<Vec<Delta>>);

#[async_trait]
impl DeltaSink for Sink {
    async fn send(&self, delta: Delta) {
        self.0.lock().unwrap().push(delta);
    }
}

impl Sink {
    fn shape(&self) -> String {
        let letter = |delta: &Delta| match delta {
            Delta::Text(_) => 't',
            Delta::Thought(_) => 'h',
            Delta::Restart => '!',
            Delta::Remark(_) => 'r',
        };
        self.0.lock().unwrap().iter().map(letter).collect()
    }
}

fn wait(kind: Trouble, after: Option<u64>) -> Result<Completion, ModelError> {
    Err(ModelError::Wait { reason: "Busy.".to_owned(), kind, after: after.map(Duration::from_millis) })
}

fn repair(part: Repairable) -> Result<Completion, ModelError> {
    Err(ModelError::Repair { reason: "No.".to_owned(), part })
}

fn done() -> Result<Completion, ModelError> {
    Ok(Completion { text: "done".to_owned(), ..Completion::default() })
}

fn request() -> Request {
    let thoughts = vec![Thought { text: "hm".to_owned(), signature: Some("s".to_owned()) }];
    Request {
        model: "a/b".to_owned(),
        system: "".into(),
        items: vec![Arc::new(Item::Assistant {
            text: "x".to_owned(),
            thoughts,
            calls: vec![],
            model: "a/b".to_owned(),
        })],
        tools: Arc::new([]),
        effort: Some("high".to_owned()),
        session: "s".into(),
        delivery: Delivery::Streamed,
    }
}

fn millis(numbers: &[u64]) -> Vec<Duration> {
    numbers.iter().copied().map(Duration::from_millis).collect()
}

fn retrying(tries: Vec<Try>) -> Retrying<Scripted> {
    let schedule = Schedule {
        transient: millis(&[1, 2, 3]),
        rate_limit: millis(&[4, 5]),
        longest: Duration::from_millis(50),
    };
    let scripted = Scripted { tries: Mutex::new(tries.into()), ..Scripted::default() };
    Retrying::new(scripted, schedule, Random::seeded(1))
}

async fn run(model: &Retrying<Scripted>) -> (Result<Completion, ModelError>, String) {
    let sink = Sink::default();
    let outcome = model.answer(&request(), &sink, &CancellationToken::new()).await;
    (outcome, sink.shape())
}

#[tokio::test]
async fn trouble_passes_and_what_was_shown_is_taken_back() {
    let model = retrying(vec![
        ("half", wait(Trouble::Transient, None)),
        ("", wait(Trouble::RateLimit, None)),
        ("whole", done()),
    ]);
    let (outcome, shape) = run(&model).await;
    assert_eq!(outcome.unwrap().text, "done");
    assert_eq!(shape, "t!rrt");
}

#[tokio::test]
async fn trouble_that_stays_ends_in_an_honest_stop() {
    let model = retrying(vec![("", wait(Trouble::Transient, None)); 4].into_iter().collect());
    let (outcome, shape) = run(&model).await;
    let Err(ModelError::Stop { reason, hint }) = outcome else { panic!("{outcome:?}") };
    assert_eq!(reason, "Busy. (given up after 4 tries)");
    assert!(hint.contains("--model") && shape == "rrr");
    let model = retrying(vec![("", wait(Trouble::RateLimit, None)); 3]);
    assert!(
        matches!(run(&model).await.0, Err(ModelError::Stop { reason, .. }) if reason.contains("3 tries"))
    );
}

#[tokio::test]
async fn the_providers_wish_goes_before_the_schedule_within_bounds() {
    let model = retrying(vec![
        ("", wait(Trouble::RateLimit, Some(30))),
        ("", wait(Trouble::RateLimit, Some(9_000_000))),
        ("", done()),
    ]);
    let began = Instant::now();
    run(&model).await.0.unwrap();
    let took = began.elapsed();
    assert!(took >= Duration::from_millis(80) && took < Duration::from_secs(5), "{took:?}");
}

#[tokio::test]
async fn a_wait_and_a_call_are_cancelled_at_once() {
    for tries in [vec![("", wait(Trouble::RateLimit, None))], vec![]] {
        let mut model = retrying(tries);
        model.schedule.rate_limit = vec![Duration::from_secs(3_600)];
        let cancel = CancellationToken::new();
        let (sink, request) = (Sink::default(), request());
        let call = model.answer(&request, &sink, &cancel);
        let stop = async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            cancel.cancel();
            Instant::now()
        };
        let (outcome, stopped) = tokio::join!(call, stop);
        assert_eq!(outcome, Err(ModelError::Cancelled));
        assert!(stopped.elapsed() < Duration::from_millis(200));
    }
}

#[tokio::test]
async fn a_refused_effort_is_lowered_to_what_the_model_takes_and_that_is_remembered() {
    let used = Usage { input_tokens: 9, ..Usage::default() };
    let pinged = Ok(Completion { usage: used, ..Completion::default() });
    let model = retrying(vec![
        ("half", repair(Repairable::Effort)),
        // Asked for a word: `medium` is refused, `low` is not.
        ("", repair(Repairable::Effort)),
        ("", pinged),
        ("", wait(Trouble::Transient, None)),
        ("", wait(Trouble::Transient, None)),
        ("", wait(Trouble::Transient, None)),
        ("", done()),
        ("", done()),
    ]);
    let (outcome, shape) = run(&model).await;
    assert_eq!(outcome.unwrap().usage, used, "what the asking used is counted; all three tries were left");
    assert_eq!(shape, "t!rrrr");
    run(&model).await.0.unwrap();
    let seen = model.inner.seen.lock().unwrap();
    let efforts: Vec<&str> = seen.iter().map(|(effort, _)| effort.as_deref().unwrap_or("-")).collect();
    assert_eq!(efforts, ["high", "medium", "low", "low", "low", "low", "low", "low"]);
}

#[tokio::test]
async fn efforts_that_cannot_be_found_out_or_are_refused_again_are_left_out() {
    let nothing_takes = vec![("", repair(Repairable::Effort)); 3].into_iter().chain([("", done())]);
    let busy = vec![("", repair(Repairable::Effort)), ("", wait(Trouble::RateLimit, None)), ("", done())];
    let not_at_all = vec![("", repair(Repairable::Thinking)), ("", done())];
    let lies =
        vec![("", repair(Repairable::Effort)), ("", done()), ("", repair(Repairable::Effort)), ("", done())];
    for tries in [nothing_takes.collect(), busy, not_at_all, lies] {
        let model = retrying(tries);
        run(&model).await.0.unwrap();
        assert_eq!(model.inner.seen.lock().unwrap().last().unwrap().0, None);
        model.inner.tries.lock().unwrap().push_back(("", done()));
        run(&model).await.0.unwrap();
        assert_eq!(model.inner.seen.lock().unwrap().last().unwrap().0, None, "remembered");
        model.forget_efforts("a/b");
        model.inner.tries.lock().unwrap().push_back(("", done()));
        run(&model).await.0.unwrap();
        assert_eq!(model.inner.seen.lock().unwrap().last().unwrap().0.as_deref(), Some("high"));
    }
}

#[tokio::test]
async fn stale_thoughts_are_left_out_once_and_stay_out_of_that_session() {
    let model = retrying(vec![("", repair(Repairable::Thoughts)), ("", done()), ("", done())]);
    run(&model).await.0.unwrap();
    run(&model).await.0.unwrap();
    let high = || Some("high".to_owned());
    assert_eq!(*model.inner.seen.lock().unwrap(), [(high(), 1), (high(), 0), (high(), 0)]);
    model.inner.tries.lock().unwrap().push_back(("", done()));
    let other = Request { session: "another".into(), ..request() };
    model.answer(&other, &Sink::default(), &CancellationToken::new()).await.unwrap();
    assert_eq!(*model.inner.seen.lock().unwrap().last().unwrap(), (high(), 1));
}

#[tokio::test]
async fn what_is_refused_for_ever_ends_in_a_stop() {
    let tries = || vec![("", repair(Repairable::Thoughts)); 9];
    let model = retrying(tries());
    let (outcome, _) = run(&model).await;
    assert!(matches!(outcome, Err(ModelError::Stop { .. })), "{outcome:?}");
    assert_eq!(model.inner.seen.lock().unwrap().len(), 3, "with thoughts, without, without effort");
}

#[tokio::test]
async fn other_errors_pass_untouched() {
    let shrink = ModelError::Shrink { reason: "long".to_owned() };
    let model = retrying(vec![("", Err(shrink.clone()))]);
    assert_eq!(run(&model).await.0, Err(shrink));
}
