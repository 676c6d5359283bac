//! Everything that goes wrong between us and a provider.

use std::time::{Duration, Instant};

use ml_intern::model::{Delivery, Delta, Model, ModelError, Trouble};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::model::{CLAUDE, ROUTER, Sink, ask, providers, request, retrying, shown, user};
use super::model_fake::{Fake, Reply, Step, chat_text, data, delta, event};

fn class(error: &ModelError) -> &'static str {
    match error {
        ModelError::Wait { kind: Trouble::RateLimit, .. } => "rate",
        ModelError::Wait { kind: Trouble::Transient, .. } => "transient",
        ModelError::Shrink { .. } => "shrink",
        ModelError::Repair { .. } => "repair",
        ModelError::Stop { .. } => "stop",
        ModelError::Cancelled => "cancelled",
    }
}

fn error(kind: &str, message: &str) -> Value {
    json!({ "type": "error", "error": { "type": kind, "message": message } })
}

#[tokio::test]
async fn statuses_mean_the_same_streamed_or_not_on_either_wire() {
    let cases = [
        (400, error("invalid_request_error", "bad field"), "stop"),
        (400, error("invalid_request_error", "prompt is too long: 9 tokens > 8 maximum"), "shrink"),
        (401, error("authentication_error", "invalid x-api-key"), "stop"),
        (402, error("x", "Payment Required"), "stop"),
        (404, error("not_found_error", "model: nope"), "stop"),
        (413, error("request_too_large", "too big"), "shrink"),
        (429, error("rate_limit_error", "slow"), "rate"),
        (429, json!({ "error": { "code": "insufficient_quota", "message": "pay" } }), "stop"),
        (500, error("api_error", "oops"), "transient"),
        (503, error("x", "Too many requests"), "rate"),
        (529, error("overloaded_error", "Overloaded"), "transient"),
    ];
    for (status, body, expected) in cases {
        for model in [ROUTER, CLAUDE] {
            for delivery in [Delivery::Streamed, Delivery::Whole] {
                let fake = Fake::start(vec![Reply::Status(status, vec![], body.clone())]).await;
                let mut asked = request(model, vec![user("hi")]);
                asked.delivery = delivery;
                let outcome = ask(&providers(&fake), &asked).await.0.unwrap_err();
                assert_eq!(class(&outcome), expected, "{status} {model} {delivery:?}: {outcome:?}");
                fake.seen();
            }
        }
    }
}

#[tokio::test]
async fn pages_instead_of_answers() {
    for (status, expected) in [(502, "transient"), (404, "stop"), (200, "transient")] {
        for delivery in [Delivery::Streamed, Delivery::Whole] {
            let fake =
                Fake::start(vec![Reply::Page(status, "<html>\n\n<body>Bad 429 gateway</body></html>")]).await;
            let mut asked = request(ROUTER, vec![user("hi")]);
            asked.delivery = delivery;
            let outcome = ask(&providers(&fake), &asked).await.0.unwrap_err();
            assert_eq!(class(&outcome), expected, "{status} {delivery:?}: {outcome:?}");
            assert!(!outcome.to_string().contains('<'), "{outcome}");
        }
    }
}

#[tokio::test]
async fn an_error_in_a_good_status_is_an_error() {
    let fake =
        Fake::start(vec![Reply::Status(200, vec![], json!({ "error": { "message": "busy", "code": 429 } }))])
            .await;
    let mut asked = request(ROUTER, vec![user("hi")]);
    asked.delivery = Delivery::Whole;
    assert_eq!(class(&ask(&providers(&fake), &asked).await.0.unwrap_err()), "rate");
}

#[tokio::test]
async fn the_wish_to_wait_is_read_from_streamed_refusals_too() {
    for (name, value, millis) in [("retry-after", "7", 7_000), ("retry-after-ms", "250", 250)] {
        for delivery in [Delivery::Streamed, Delivery::Whole] {
            let headers = vec![(name, value.to_owned())];
            let fake =
                Fake::start(vec![Reply::Status(429, headers, error("rate_limit_error", "slow"))]).await;
            let mut asked = request(CLAUDE, vec![user("hi")]);
            asked.delivery = delivery;
            let outcome = ask(&providers(&fake), &asked).await.0.unwrap_err();
            let ModelError::Wait { after, .. } = outcome else { panic!("{outcome:?}") };
            assert_eq!(after, Some(Duration::from_millis(millis)), "{name} {delivery:?}");
        }
    }
}

/// What may happen to a chat-completions stream that began well.
fn broken_streams() -> Vec<(&'static str, Vec<Step>, &'static str)> {
    let hello = || delta(&json!({ "content": "hello" }));
    vec![
        ("cut connection", vec![hello(), Step::Pause(50), Step::Cut], "transient"),
        ("end without end", vec![hello()], "transient"),
        ("end in the middle of a letter", vec![hello(), Step::Send(b"data: \xF0\x9F".to_vec())], "transient"),
        ("not JSON", vec![hello(), Step::Send(b"data: {oops\n\n".to_vec())], "transient"),
        ("not text", vec![hello(), Step::Send(b"data: \xFF\xFF\n\n".to_vec())], "transient"),
        ("nothing but the end", vec![Step::Send(b"data: [DONE]\n\n".to_vec())], "transient"),
        (
            "overload",
            vec![hello(), data(&json!({ "error": { "message": "x", "type": "overloaded_error" } }))],
            "transient",
        ),
        ("rate limit", vec![hello(), data(&json!({ "error": { "message": "x", "code": 429 } }))], "rate"),
        (
            "too long",
            vec![data(&json!({ "error": { "message": "x", "code": "context_length_exceeded" } }))],
            "shrink",
        ),
        ("silence", vec![hello(), Step::Pause(3_000), hello()], "transient"),
    ]
}

#[tokio::test]
async fn streams_that_break_are_never_taken_for_answers() {
    for (what, steps, expected) in broken_streams() {
        let fake = Fake::start(vec![Reply::Stream(steps)]).await;
        let (outcome, _) = ask(&providers(&fake), &request(ROUTER, vec![user("hi")])).await;
        let outcome = outcome.expect_err(what);
        assert_eq!(class(&outcome), expected, "{what}: {outcome:?}");
        fake.seen();
    }
}

#[tokio::test]
async fn messages_that_break_are_never_taken_for_answers() {
    let begin = || {
        event(
            &json!({ "type": "message_start", "message": { "usage": { "input_tokens": 1, "output_tokens": 1 } } }),
        )
    };
    for (what, steps, expected) in [
        ("cut", vec![begin(), Step::Cut], "transient"),
        ("no end", vec![begin()], "transient"),
        ("overload", vec![begin(), event(&error("overloaded_error", "Overloaded"))], "transient"),
        ("rate limit", vec![begin(), event(&error("rate_limit_error", "slow"))], "rate"),
        ("bad request", vec![begin(), event(&error("invalid_request_error", "no"))], "stop"),
    ] {
        let fake = Fake::start(vec![Reply::Stream(steps)]).await;
        let outcome = ask(&providers(&fake), &request(CLAUDE, vec![user("hi")])).await.0.expect_err(what);
        assert_eq!(class(&outcome), expected, "{what}: {outcome:?}");
        fake.seen();
    }
}

#[tokio::test]
async fn a_broken_stream_is_taken_back_and_told_again() {
    let half = Reply::Stream(vec![delta(&json!({ "content": "half an ans" })), Step::Pause(50), Step::Cut]);
    let slow =
        Reply::Status(429, vec![("retry-after-ms", "20".to_owned())], error("rate_limit_error", "slow"));
    let fake = Fake::start(vec![half, slow, chat_text("The answer.")]).await;
    let (outcome, deltas) = ask(&retrying(&fake), &request(ROUTER, vec![user("hi")])).await;
    assert_eq!(outcome.unwrap().text, "The answer.");
    assert_eq!(shown(&deltas), "The answer.");
    let remarks = deltas.iter().filter(|delta| matches!(delta, Delta::Remark(_))).count();
    assert_eq!((remarks, deltas.iter().filter(|delta| **delta == Delta::Restart).count()), (2, 1));
    let bodies = fake.bodies();
    assert!(bodies.len() == 3 && bodies[0] == bodies[2], "each try sends the same");
}

#[tokio::test]
async fn trouble_that_stays_is_told_honestly() {
    let busy = || Reply::Status(529, vec![], error("overloaded_error", "Overloaded"));
    let fake = Fake::start(vec![busy(), busy(), busy(), busy()]).await;
    let outcome = ask(&retrying(&fake), &request(CLAUDE, vec![user("hi")])).await.0.unwrap_err();
    let ModelError::Stop { reason, hint } = outcome else { panic!("{outcome:?}") };
    assert!(reason.contains("Overloaded") && reason.contains("after 4 tries"), "{reason}");
    assert!(hint.contains("!model"), "{hint}");
    fake.seen();
}

#[tokio::test]
async fn silence_before_the_first_byte_and_an_endless_answer_end() {
    let drip = || {
        let piece = || vec![delta(&json!({ "content": "." })), Step::Pause(700)];
        Reply::Stream((0..20).flat_map(|_| piece()).collect())
    };
    for (reply, words, bounds) in
        [(Reply::Hang, "did not begin", 900..3_000), (drip(), "did not finish", 3_500..7_000)]
    {
        let fake = Fake::start(vec![reply]).await;
        let began = Instant::now();
        let outcome = ask(&providers(&fake), &request(ROUTER, vec![user("hi")])).await.0.unwrap_err();
        assert_eq!(class(&outcome), "transient");
        assert!(outcome.to_string().contains(words), "{outcome}");
        assert!(bounds.contains(&began.elapsed().as_millis()), "{:?}", began.elapsed());
    }
}

#[tokio::test]
async fn nobody_at_the_other_end() {
    let fake = Fake::start(vec![]).await;
    let model = providers(&fake);
    let base = fake.base.clone();
    drop(fake);
    tokio::time::sleep(Duration::from_millis(20)).await;
    for delivery in [Delivery::Streamed, Delivery::Whole] {
        let mut asked = request("ollama/x", vec![user("hi")]);
        asked.delivery = delivery;
        let outcome = ask(&model, &asked).await.0.unwrap_err();
        assert_eq!(class(&outcome), "transient", "{outcome:?}");
        assert!(outcome.to_string().contains(base.trim_start_matches("http://")), "{outcome}");
    }
}

#[tokio::test]
async fn a_call_in_hand_is_cancelled_within_milliseconds() {
    let stalled = Reply::Stream(vec![delta(&json!({ "content": "a" })), Step::Pause(60_000)]);
    let waiting =
        Reply::Status(429, vec![("retry-after", "60".to_owned())], error("rate_limit_error", "slow"));
    for (reply, delivery) in
        [(stalled, Delivery::Streamed), (Reply::Hang, Delivery::Whole), (waiting, Delivery::Streamed)]
    {
        let fake = Fake::start(vec![reply]).await;
        let (model, cancel, sink) = (retrying(&fake), CancellationToken::new(), Sink::default());
        let mut asked = request(ROUTER, vec![user("hi")]);
        asked.delivery = delivery;
        let stop = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            cancel.cancel();
            Instant::now()
        };
        let (outcome, stopped) = tokio::join!(model.answer(&asked, &sink, &cancel), stop);
        assert_eq!(outcome, Err(ModelError::Cancelled));
        assert!(stopped.elapsed() < Duration::from_millis(200), "{:?}", stopped.elapsed());
    }
}

#[tokio::test]
async fn no_key_ever_reaches_people() {
    let echo = "Incorrect key hf_wire_test_token in `Bearer hf_wire_test_token`";
    let fake = Fake::start(vec![Reply::Status(401, vec![], error("authentication_error", echo))]).await;
    let outcome = ask(&providers(&fake), &request(ROUTER, vec![user("hi")])).await.0.unwrap_err();
    assert!(!format!("{outcome:?}").contains("wire_test"), "{outcome:?}");
    fake.seen();
}
