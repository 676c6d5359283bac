//! A scripted model behind an OpenAI-compatible endpoint: it says what a script tells it to say, and
//! is as strict about requests as a provider is.
//!
//! `reply` is what one may script, `check` what a request must be, `stream` how it is put on the wire.
//! Start at [`ScriptedModel::start`].

mod check;
mod reply;
mod stream;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use anyhow::Context;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State as Held};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use check::violations;
pub use reply::{Ending, Reply, Usage};

use super::http::{bearer, same};
use super::shared::lock;

/// Largest request body, in bytes.
const BODY_MOST: usize = 64 * 1024 * 1024;
/// Most requests remembered; the oldest go first.
const REQUESTS_KEPT: usize = 20_000;

/// Decides the reply to a request by looking at it.
pub type Answering = Box<dyn Fn(&Value) -> Reply + Send + Sync>;

/// Where replies come from.
pub enum Script {
    /// One after the other, whoever asks; past the end is a violation.
    Queue(Vec<Reply>),
    /// By what the request says.
    Answering(Answering),
}

struct Inner {
    key: Mutex<Option<String>>,
    catalogue: Mutex<Vec<Value>>,
    queue: Mutex<VecDeque<Reply>>,
    answering: Option<Answering>,
    requests: Mutex<VecDeque<Value>>,
    violations: Mutex<Vec<String>>,
    count: watch::Sender<u64>,
    stop: CancellationToken,
}

/// A running endpoint. Stops when dropped.
pub struct ScriptedModel {
    inner: Arc<Inner>,
    port: u16,
    server: JoinHandle<()>,
}

impl std::fmt::Debug for ScriptedModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ScriptedModel(port {})", self.port)
    }
}

impl ScriptedModel {
    /// Starts on a free port of loopback.
    ///
    /// # Errors
    /// No port can be bound.
    pub async fn start(script: Script) -> anyhow::Result<Self> {
        let listener = tokio::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0))
            .await
            .context("a port on loopback")?;
        let port = listener.local_addr()?.port();
        let (queue, answering) = match script {
            Script::Queue(replies) => (replies.into(), None),
            Script::Answering(answering) => (VecDeque::new(), Some(answering)),
        };
        let inner = Arc::new(Inner {
            key: Mutex::default(),
            catalogue: Mutex::new(vec![listed("scripted"), listed("demo/scripted")]),
            queue: Mutex::new(queue),
            answering,
            requests: Mutex::default(),
            violations: Mutex::default(),
            count: watch::channel(0).0,
            stop: CancellationToken::new(),
        });
        let router = Router::new()
            .route("/v1/chat/completions", post(completions))
            .route("/v1/models", get(models))
            .layer(DefaultBodyLimit::max(BODY_MOST))
            .with_state(inner.clone());
        let stop = inner.stop.clone();
        let server = tokio::spawn(async move {
            let served = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await;
            if let Err(error) = served {
                tracing::error!(%error, "the scripted model's server ended");
            }
        });
        Ok(Self { inner, port, server })
    }

    /// Base URL with `/v1`, without a slash at its end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/v1", self.port)
    }

    /// Adds a reply to the end of the queue.
    pub fn push(&self, reply: Reply) {
        lock(&self.inner.queue).push_back(reply);
    }

    /// Answers 401 to whoever does not show this key; without this call, none is asked for, as with
    /// a model server on one's own machine.
    pub fn demand_key(&self, key: &str) {
        *lock(&self.inner.key) = Some(key.to_owned());
    }

    /// What `GET /v1/models` lists from now on, in the router's shape.
    pub fn list(&self, catalogue: Vec<Value>) {
        *lock(&self.inner.catalogue) = catalogue;
    }

    /// Replies not used yet.
    #[must_use]
    pub fn left(&self) -> usize {
        lock(&self.inner.queue).len()
    }

    /// Bodies of the requests received, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<Value> {
        lock(&self.inner.requests).iter().cloned().collect()
    }

    /// What was wrong with requests; a test asserts that it is empty.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        lock(&self.inner.violations).clone()
    }

    /// Waits until so many requests have come.
    pub async fn requested(&self, count: u64, within: std::time::Duration) -> bool {
        let mut seen = self.inner.count.subscribe();
        tokio::time::timeout(within, seen.wait_for(|it| *it >= count)).await.is_ok_and(|it| it.is_ok())
    }

    /// Stops serving; hanging answers are cut.
    pub async fn shutdown(mut self) {
        self.inner.stop.cancel();
        if tokio::time::timeout(std::time::Duration::from_secs(2), &mut self.server).await.is_err() {
            self.server.abort();
        }
    }
}

impl Drop for ScriptedModel {
    fn drop(&mut self) {
        self.inner.stop.cancel();
        self.server.abort();
    }
}

/// A model in the router's shape, served by one provider at 1 $ in and 2 $ out per million tokens.
fn listed(id: &str) -> Value {
    json!({"id": id, "object": "model", "created": 0, "owned_by": "playground", "providers": [
        {"provider": "playground", "status": "live", "context_length": 200_000,
         "pricing": {"input": 1, "output": 2}, "supports_tools": true},
    ]})
}

fn wrong(status: StatusCode, kind: &str, message: &str) -> Response {
    let body = json!({"error": {"message": message, "type": kind, "param": null, "code": null}});
    (status, Json(body)).into_response()
}

impl Inner {
    fn admits(&self, headers: &HeaderMap) -> bool {
        lock(&self.key).as_deref().is_none_or(|key| same(bearer(headers).as_deref(), key))
    }
}

async fn models(Held(inner): Held<Arc<Inner>>, headers: HeaderMap) -> Response {
    if !inner.admits(&headers) {
        return wrong(StatusCode::UNAUTHORIZED, "invalid_request_error", "Incorrect API key provided.");
    }
    Json(json!({"object": "list", "data": *lock(&inner.catalogue)})).into_response()
}

async fn completions(Held(inner): Held<Arc<Inner>>, headers: HeaderMap, body: Bytes) -> Response {
    if !inner.admits(&headers) {
        return wrong(StatusCode::UNAUTHORIZED, "invalid_request_error", "Incorrect API key provided.");
    }
    let request: Value = match serde_json::from_slice(&body) {
        Ok(request) => request,
        Err(error) => return refuse(&inner, format!("the body is not JSON: {error}")),
    };
    let found = violations(&request);
    {
        let mut requests = lock(&inner.requests);
        if requests.len() >= REQUESTS_KEPT {
            requests.pop_front();
        }
        requests.push_back(request.clone());
    }
    inner.count.send_modify(|it| *it += 1);
    if !found.is_empty() {
        return refuse(&inner, found.join("; "));
    }
    let reply = match &inner.answering {
        Some(answering) => answering(&request),
        None => match lock(&inner.queue).pop_front() {
            Some(reply) => reply,
            None => return refuse(&inner, "a request came after the end of the script".into()),
        },
    };
    answer(&inner, &request, reply).await
}

fn refuse(inner: &Inner, why: String) -> Response {
    let response = wrong(StatusCode::BAD_REQUEST, "invalid_request_error", &why);
    lock(&inner.violations).push(why);
    response
}

async fn answer(inner: &Inner, request: &Value, reply: Reply) -> Response {
    let model = request["model"].as_str().unwrap_or_default();
    if let Ending::Error { status, body, retry_after } = &reply.ending {
        let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, body.clone()).into_response();
        let media = if body.trim_start().starts_with('{') { "application/json" } else { "text/html" };
        response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(media));
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, (*seconds).into());
        }
        return response;
    }
    if request["stream"] == true {
        let with_usage = request["stream_options"]["include_usage"] == true;
        return stream::response(reply, model, with_usage, inner.stop.clone());
    }
    if let Some(pause) = reply.pause {
        tokio::time::sleep(pause * u32::try_from(reply.pieces.max(1)).unwrap_or(1)).await;
    }
    match reply.ending {
        Ending::HangAfter(_) => {
            inner.stop.cancelled().await;
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
        Ending::CutAfter(_) => wrong(StatusCode::BAD_GATEWAY, "server_error", "upstream connection lost"),
        _ => Json(stream::whole(&reply, model)).into_response(),
    }
}
