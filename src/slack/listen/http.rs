//! The Events API, interactivity and commands over HTTP. Nothing unsigned is read, nothing is
//! answered with 200 before it is kept.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Form, Json, Router};
use serde_json::{Map, Value, json};

use super::{Answer, Listener};
use crate::clients::slack::{SignatureError, verify};
use crate::secret::Secret;
use crate::slack::translate;

/// Bodies beyond this are refused; Slack's own stay far below.
const BODY_LIMIT: usize = 1024 * 1024;

#[derive(Clone)]
struct Door {
    listener: Arc<Listener>,
    secret: Secret,
}

/// `/slack/events`, `/slack/interactivity` and `/slack/commands`.
pub fn routes(listener: Arc<Listener>, secret: Secret) -> Router {
    Router::new()
        .route("/slack/events", post(events))
        .route("/slack/interactivity", post(interactivity))
        .route("/slack/commands", post(commands))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .with_state(Door { listener, secret })
}

impl Door {
    fn check(&self, headers: &HeaderMap, body: &[u8]) -> Result<(), SignatureError> {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        if let Some(reason) = header("x-slack-retry-reason") {
            metrics::counter!("slack_redeliveries_total", "by" => "http").increment(1);
            tracing::info!(reason, attempt = header("x-slack-retry-num"), "Slack delivers something again");
        }
        let result = verify(
            &self.secret,
            header("x-slack-request-timestamp"),
            header("x-slack-signature"),
            body,
            self.listener.clock().now(),
        );
        if let Err(error) = result {
            metrics::counter!("slack_unsigned_total").increment(1);
            tracing::warn!(%error, "a request was not believed");
        }
        result
    }
}

async fn events(State(door): State<Door>, headers: HeaderMap, body: Bytes) -> Response {
    if let Err(error) = door.check(&headers, &body) {
        return refused(error);
    }
    let Ok(payload) = serde_json::from_slice::<Value>(&body) else { return unreadable() };
    if payload["type"] == "url_verification" {
        return Json(json!({ "challenge": payload["challenge"] })).into_response();
    }
    let inbound = translate::event(&payload, door.listener.us());
    answered(door.listener.take(inbound).await)
}

async fn interactivity(State(door): State<Door>, headers: HeaderMap, body: Bytes) -> Response {
    if let Err(error) = door.check(&headers, &body) {
        return refused(error);
    }
    let fields = form(body).await;
    if fields.contains_key("ssl_check") {
        return StatusCode::OK.into_response();
    }
    let payload = fields.get("payload").and_then(Value::as_str);
    let Some(payload) = payload.and_then(|payload| serde_json::from_str::<Value>(payload).ok()) else {
        return unreadable();
    };
    let inbound = translate::interaction(&payload, door.listener.us());
    answered(door.listener.take(inbound).await)
}

async fn commands(State(door): State<Door>, headers: HeaderMap, body: Bytes) -> Response {
    // Slack's certificate check says nothing and may come unsigned.
    let fields = form(body.clone()).await;
    if fields.get("ssl_check").is_some_and(|check| check == "1") {
        return StatusCode::OK.into_response();
    }
    if let Err(error) = door.check(&headers, &body) {
        return refused(error);
    }
    let inbound = translate::command(&Value::Object(fields), door.listener.us());
    answered(door.listener.take(inbound).await)
}

fn answered(answer: Answer) -> Response {
    match answer {
        Answer::Taken => StatusCode::OK.into_response(),
        Answer::Show(shown) => Json(shown).into_response(),
        Answer::Again => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

fn refused(error: SignatureError) -> Response {
    (StatusCode::UNAUTHORIZED, error.to_string()).into_response()
}

/// It is signed but cannot be read, and never will be: another delivery would not help.
fn unreadable() -> Response {
    (StatusCode::BAD_REQUEST, [("x-slack-no-retry", "1")], "the body cannot be read").into_response()
}

/// The fields of a form; empty if it is none.
async fn form(body: Bytes) -> Map<String, Value> {
    let request = Request::post("/")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(axum::body::Body::from(body));
    let Ok(request) = request else { return Map::new() };
    match Form::<Vec<(String, String)>>::from_request(request, &()).await {
        Ok(Form(fields)) => fields.into_iter().map(|(name, value)| (name, Value::String(value))).collect(),
        Err(_) => Map::new(),
    }
}
