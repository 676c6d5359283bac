//! The page's control API: look, act, switch faults on. Every request shows the control token.
//!
//! Never does what the in-process handles could not do as well. Start at [`router`].

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::ws::{Message as Frame, WebSocket};
use axum::extract::{Request, State as Held, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;

use super::acts::{Act, perform};
use super::faults::Fault;
use super::http::{App, bearer, same};
use super::shared::{Shared, lock};

/// How long the page may take to send its token.
const TOKEN_WITHIN: Duration = Duration::from_secs(5);

pub fn router() -> Router<App> {
    Router::new()
        .route("/playground/state", get(state))
        .route("/playground/act", post(act))
        .route("/playground/faults", get(faults).post(set_fault))
        .route("/playground/calls", get(calls))
        .route("/playground/live", get(live))
        .layer(middleware::from_fn(same_origin))
}

/// A browser names the origin of a page that calls; only our own may.
async fn same_origin(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let text = |name| headers.get(name).and_then(|it| it.to_str().ok());
    let own = text(header::HOST).map(|it| format!("http://{it}"));
    if text(header::ORIGIN).is_some_and(|it| Some(it.to_owned()) != own) {
        return (StatusCode::FORBIDDEN, "this page may not control the workspace").into_response();
    }
    next.run(request).await
}

fn allowed(shared: &Shared, headers: &HeaderMap) -> Result<(), Refused> {
    if same(bearer(headers).as_deref(), &shared.secrets.control_token) {
        return Ok(());
    }
    let words = json!({"ok": false, "error": "the control token is missing or wrong"});
    Err(Refused(StatusCode::UNAUTHORIZED, words))
}

/// What the control API answers when it does not do what it was asked.
struct Refused(StatusCode, Value);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.0, Json(self.1)).into_response()
    }
}

fn no(why: impl std::fmt::Display) -> Refused {
    Refused(StatusCode::OK, json!({"ok": false, "error": why.to_string()}))
}

fn snapshot(shared: &Shared) -> Value {
    shared.look(|it| serde_json::to_value(it).unwrap_or_default())
}

async fn state(Held(shared): Held<App>, headers: HeaderMap) -> Result<Json<Value>, Refused> {
    allowed(&shared, &headers)?;
    Ok(Json(snapshot(&shared)))
}

async fn calls(Held(shared): Held<App>, headers: HeaderMap) -> Result<Json<Value>, Refused> {
    allowed(&shared, &headers)?;
    Ok(Json(json!({"calls": shared.calls()})))
}

async fn act(Held(shared): Held<App>, headers: HeaderMap, body: Bytes) -> Result<Response, Refused> {
    allowed(&shared, &headers)?;
    let request: Value = serde_json::from_slice(&body).map_err(no)?;
    let user = request["user"].as_str().ok_or_else(|| no("who acts? `user` is missing"))?;
    let act: Act = serde_json::from_value(request["act"].clone()).map_err(no)?;
    let mut done = perform(&shared, user, act).await.map_err(no)?;
    done["ok"] = true.into();
    Ok(Json(done).into_response())
}

async fn faults(Held(shared): Held<App>, headers: HeaderMap) -> Result<Json<Value>, Refused> {
    allowed(&shared, &headers)?;
    Ok(Json(json!({"ok": true, "faults": lock(&shared.faults).list()})))
}

async fn set_fault(Held(shared): Held<App>, headers: HeaderMap, body: Bytes) -> Result<Response, Refused> {
    allowed(&shared, &headers)?;
    let request: Value = serde_json::from_slice(&body).map_err(no)?;
    if request["clear"] == true {
        clear(&shared);
    } else {
        let fault: Fault = serde_json::from_value(request["fault"].clone()).map_err(no)?;
        cause(&shared, fault).await;
    }
    Ok(Json(json!({"ok": true, "faults": lock(&shared.faults).list()})).into_response())
}

/// Puts a fault in force; those of the socket strike at once.
pub async fn cause(shared: &Shared, fault: Fault) {
    match fault {
        Fault::DropSocket => shared.hub.drop_all(),
        Fault::Disconnect { reason } => shared.hub.disconnect_all(&reason).await,
        other => lock(&shared.faults).add(other),
    }
}

/// Ends all faults; what they held back leaves.
pub fn clear(shared: &Shared) {
    lock(&shared.faults).clear();
    shared.parcels_waiting.notify_one();
}

async fn live(Held(shared): Held<App>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.max_message_size(4096).on_upgrade(move |socket| follow(shared, socket))
}

/// Sends the state, then every change, until the page leaves.
async fn follow(shared: App, mut socket: WebSocket) {
    let first = tokio::time::timeout(TOKEN_WITHIN, socket.recv()).await;
    let Ok(Some(Ok(Frame::Text(token)))) = first else { return };
    if !same(Some(token.trim()), &shared.secrets.control_token) {
        // It is refused whether or not it hears why.
        let _ = socket.send(Frame::Text(json!({"kind": "refused"}).to_string().into())).await;
        return;
    }
    let mut changes = shared.changes.subscribe();
    let whole = |shared: &Shared| json!({"kind": "state", "state": snapshot(shared)}).to_string();
    let mut next = Some(whole(&shared));
    loop {
        if let Some(frame) = next.take()
            && socket.send(Frame::Text(frame.into())).await.is_err()
        {
            return;
        }
        next = tokio::select! {
            () = shared.stop.cancelled() => return,
            change = changes.recv() => match change {
                Ok(change) => serde_json::to_string(&change).ok(),
                Err(RecvError::Lagged(_)) => {
                    changes = changes.resubscribe();
                    Some(whole(&shared))
                }
                Err(RecvError::Closed) => return,
            },
            left = gone(&mut socket) => match left {
                true => return,
                false => None,
            },
        };
    }
}

/// `true` once the page has left; what it says after its token is ignored.
async fn gone(socket: &mut WebSocket) -> bool {
    !matches!(socket.recv().await, Some(Ok(frame)) if !matches!(frame, Frame::Close(_)))
}
