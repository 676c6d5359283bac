//! A run of tools as it goes over the wire: what each request holds, byte for byte. Shared by the bench of
//! caching and the test that holds it to its promise.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;

use axum::body::Bytes;
use axum::http::Uri;
use ml_intern::clients::http;
use ml_intern::clock::Clock;
use ml_intern::config::ModelConfig;
use ml_intern::model::{Delivery, Delta, DeltaSink, Model, Providers, Request};
use ml_intern::protocol::{Item, ProposedCall, ToolSpec};
use ml_intern::secret::Secret;
use serde_json::json;
use tokio_util::sync::CancellationToken;

type Bodies = Arc<Mutex<Vec<Bytes>>>;

/// A provider of all three dialects that keeps what it is sent, byte for byte.
async fn provider() -> Result<(String, Bodies)> {
    let bodies = Bodies::default();
    let kept = bodies.clone();
    let answer = move |uri: Uri, body: Bytes| {
        kept.lock().unwrap_or_else(PoisonError::into_inner).push(body);
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
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let base = format!("http://{}", listener.local_addr()?);
    let app = axum::Router::new().fallback(answer).layer(axum::extract::DefaultBodyLimit::disable());
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok((base, bodies))
}

fn config(base: &str) -> ModelConfig {
    let mut config = ModelConfig::default();
    for endpoint in [&mut config.huggingface, &mut config.anthropic, &mut config.gemini] {
        endpoint.base_url = format!("{base}/v1");
        endpoint.api_key = Some(Secret::new("k-for-caching"));
    }
    config
}

struct Unheard;

#[async_trait::async_trait]
impl DeltaSink for Unheard {
    async fn send(&self, _: Delta) {}
}

/// The bodies that a run of `steps` calls sends to `model`: each request has the items of the one before,
/// a call and its result.
///
/// # Errors
/// When the server or the client cannot be had, or the model refuses.
pub async fn sent(model: &str, steps: usize) -> Result<Vec<Bytes>> {
    http::install_tls();
    let (base, bodies) = provider().await?;
    let providers = Providers::new(&config(&base), http::client(None)?, Clock::system())?;
    let tool = ToolSpec {
        name: "bash".to_owned(),
        description: "Runs a command.".to_owned(),
        parameters: json!({ "type": "object", "properties": { "command": { "type": "string" } } }),
    };
    let mut request = Request {
        model: model.to_owned(),
        system: "You help.".into(),
        items: vec![Arc::new(Item::User {
            author: "U1".into(),
            name: "ann".to_owned(),
            text: "train it".to_owned(),
            opens: true,
            at: None,
        })],
        tools: Arc::new([tool]),
        effort: None,
        session: "slack:T1:C1:17.5".into(),
        delivery: Delivery::Whole,
    };
    for step in 0..steps {
        providers.answer(&request, &Unheard, &CancellationToken::new()).await?;
        let id = format!("call{step}");
        let arguments = json!({ "command": format!("python step.py {step}") });
        let call = ProposedCall { id: id.clone().into(), tool: "bash".to_owned(), arguments };
        let asks = Item::Assistant {
            text: String::new(),
            thoughts: vec![],
            calls: vec![call],
            model: model.to_owned(),
        };
        let output = format!("step {step}: loss 0.{step}\n").repeat(20);
        let result = Item::ToolResult { call: id.into(), tool: "bash".to_owned(), output, success: true };
        request.items.extend([Arc::new(asks), Arc::new(result)]);
    }
    let bodies = bodies.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(bodies.clone())
}

/// Bytes that two requests have in common from their start, as a share of the first.
#[must_use]
pub fn share(before: &[u8], after: &[u8]) -> f64 {
    let same = before.iter().zip(after).take_while(|(one, other)| one == other).count();
    #[expect(clippy::cast_precision_loss, reason = "a share for people")]
    let share = same as f64 / before.len() as f64;
    share
}
