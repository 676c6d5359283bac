//! Prompt caching by construction: from step to step a request only grows at its end.
//!
//! The shares are printed by `cargo bench --bench caching`.

use serde_json::Value;

use run::{sent, share};

#[path = "../../benches/caching/run.rs"]
mod run;

/// Steps of one request: a call and its result each.
const STEPS: usize = 120;
const MARK: &str = r#","cache_control":{"type":"ephemeral"}"#;

/// The messages of a request, without cache marks: these move, and are no part of what is cached.
fn messages(body: &[u8], field: &str) -> Vec<Value> {
    let plain = String::from_utf8(body.to_vec()).unwrap().replace(MARK, "");
    let body: Value = serde_json::from_str(&plain).unwrap();
    body[field].as_array().unwrap().clone()
}

#[tokio::test]
async fn each_request_is_the_one_before_and_more() {
    let cases = [
        ("org/model:novita", "messages"),
        ("anthropic/claude-opus-4-8", "messages"),
        ("gemini/gemini-2.5-flash", "contents"),
    ];
    for (model, field) in cases {
        let bodies = sent(model, STEPS).await.unwrap();
        assert_eq!(bodies.len(), STEPS);
        for pair in bodies.windows(2) {
            let (before, after) = (messages(&pair[0], field), messages(&pair[1], field));
            let grows = after.len() > before.len();
            // The mark turns a message of plain text into one of blocks; only the last one carries it.
            let settled = before.len() - 1;
            assert!(grows && after[1..settled.max(1)] == before[1..settled.max(1)], "{model}");
        }
        let shares: Vec<f64> = bodies.windows(2).map(|pair| share(&pair[0], &pair[1])).collect();
        let last = shares[STEPS - 2];
        assert!(last > 0.95, "{model}: {last}");
    }
}

#[tokio::test]
async fn the_marks_for_claude_are_few_and_the_last_one_moves_with_the_run() {
    let bodies = sent("anthropic/claude-opus-4-8", STEPS).await.unwrap();
    for body in &bodies {
        let text = String::from_utf8(body.to_vec()).unwrap();
        let marks = text.matches("\"cache_control\"").count();
        assert!((2..=4).contains(&marks), "{marks} marks");
        let body: Value = serde_json::from_str(&text).unwrap();
        assert!(body["system"][0]["cache_control"].is_object(), "system and tools before it");
        let last = body["messages"].as_array().unwrap().last().unwrap().to_string();
        assert!(last.contains("cache_control"), "a run of tools is cached to its end: {last}");
    }
}
