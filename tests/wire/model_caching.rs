//! Prompt caching by construction: from step to step a request only grows at its end.
//!
//! The shares are printed: `cargo test --test all wire::model_caching -- --nocapture`.

use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::http::Uri;
use ml_intern::clients::http;
use ml_intern::clock::Clock;
use ml_intern::config::ModelConfig;
use ml_intern::model::{Delivery, Providers};
use ml_intern::protocol::Item;
use ml_intern::secret::Secret;
use serde_json::{Value, json};

use super::model::{ask, asks, call, request, result, user};

/// Steps of one request: a call and its result each.
const STEPS: usize = 120;
const MARK: &str = r#","cache_control":{"type":"ephemeral"}"#;

type Bodies = Arc<Mutex<Vec<Bytes>>>;

/// A provider of all three dialects that keeps what it is sent, byte for byte.
async fn provider() -> (String, Bodies) {
    let bodies = Bodies::default();
    let kept = bodies.clone();
    let answer = move |uri: Uri, body: Bytes| {
        kept.lock().unwrap().push(body);
        let answer = match uri.path() {
            path if path.ends_with("/messages") => json!({"id": "m", "type": "message", "role": "assistant",
                "model": "c", "content": [{"type": "text", "text": "ok"}], "stop_reason": "end_turn",
                "usage": {"input_tokens": 1, "output_tokens": 1}}),
            path if path.contains("/models/gemini") => json!({"candidates": [{"finishReason": "STOP",
                "content": {"role": "model", "parts": [{"text": "ok"}]}}],
                "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2}}),
            _ => json!({"id": "c", "choices": [{"index": 0, "finish_reason": "stop",
                "message": {"role": "assistant", "content": "ok"}}],
                "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}),
        };
        async move { axum::Json(answer) }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let app = axum::Router::new().fallback(answer).layer(axum::extract::DefaultBodyLimit::disable());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (base, bodies)
}

fn config(base: &str) -> ModelConfig {
    let mut config = ModelConfig::default();
    for endpoint in [&mut config.huggingface, &mut config.anthropic, &mut config.gemini] {
        endpoint.base_url = format!("{base}/v1");
        endpoint.api_key = Some(Secret::new("k-for-caching"));
    }
    config
}

/// What is sent in a run of tools that grows by a step each time.
async fn sent(model: &str) -> Vec<Bytes> {
    http::install_tls();
    let (base, bodies) = provider().await;
    let providers = Providers::new(&config(&base), http::client(None).unwrap(), Clock::system()).unwrap();
    let mut items: Vec<Item> = vec![user("train it")];
    for step in 0..STEPS {
        let mut asked = request(model, items.clone());
        asked.delivery = Delivery::Whole;
        ask(&providers, &asked).await.0.unwrap();
        let id = format!("call{step}");
        items.push(asks(model, vec![call(&id, json!({ "command": format!("python step.py {step}") }))]));
        items.push(result(&id, &format!("step {step}: loss 0.{step}\n").repeat(20), true));
    }
    let bodies = bodies.lock().unwrap();
    bodies.clone()
}

/// Bytes that two requests have in common from their start, as a share of the first.
fn share(before: &[u8], after: &[u8]) -> f64 {
    let same = before.iter().zip(after).take_while(|(one, other)| one == other).count();
    #[expect(clippy::cast_precision_loss, reason = "a share for people")]
    let share = same as f64 / before.len() as f64;
    share
}

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
        let bodies = sent(model).await;
        assert_eq!(bodies.len(), STEPS);
        for pair in bodies.windows(2) {
            let (before, after) = (messages(&pair[0], field), messages(&pair[1], field));
            let grows = after.len() > before.len();
            // The mark turns a message of plain text into one of blocks; only the last one carries it.
            let settled = before.len() - 1;
            assert!(grows && after[1..settled.max(1)] == before[1..settled.max(1)], "{model}");
        }
        let shares: Vec<f64> = bodies.windows(2).map(|pair| share(&pair[0], &pair[1])).collect();
        let (first, last) = (shares[0], shares[STEPS - 2]);
        println!(
            "{model}: {:.1} % of the first request's bytes, {:.1} % of number {}'s",
            first * 1e2,
            last * 1e2,
            STEPS - 1
        );
        assert!(last > 0.95, "{model}: {last}");
    }
}

#[tokio::test]
async fn the_marks_for_claude_are_few_and_the_last_one_moves_with_the_run() {
    let bodies = sent("anthropic/claude-opus-4-8").await;
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
