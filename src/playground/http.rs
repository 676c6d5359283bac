//! The front door: one port for Slack's paths, the page and the control API.
//!
//! Refuses other hosts than loopback, reads requests, applies faults and budgets, and logs calls.
//! What a method does is `api`'s business. Start at [`router`].

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State as Held, WebSocketUpgrade};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use serde_json::{Value, json};
use subtle::ConstantTimeEq;

use super::api::files::{FILE_MOST, finish_upload};
use super::api::{self, Args, Ctx, Refusal, Token, refuse};
use super::faults::Fault;
use super::shared::{CallRecord, Shared, lock};
use super::{control, page, socket};

/// Largest request body, in bytes.
const BODY_MOST: usize = FILE_MOST + 1024 * 1024;

pub type App = Arc<Shared>;

/// Every path of the workspace.
pub fn router(shared: App) -> Router {
    Router::new()
        .route("/api/{method}", any(web_api))
        .route("/upload/{id}", post(upload).put(upload))
        .route("/files/{id}/{name}", get(download))
        .route("/actions/{team}/{secret}", post(response_url))
        .route("/socket/", get(open_socket))
        .merge(control::router())
        .merge(page::router())
        .layer(DefaultBodyLimit::max(BODY_MOST))
        .layer(middleware::from_fn(loopback_only))
        .with_state(shared)
}

/// A page from elsewhere that had its name point at 127.0.0.1 still sends its own `Host`.
pub async fn loopback_only(request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let name =
        host.rsplit_once(':').map_or(host, |(name, port)| if port.ends_with(']') { host } else { name });
    if ["127.0.0.1", "localhost", "[::1]"].contains(&name) {
        next.run(request).await
    } else {
        (StatusCode::FORBIDDEN, "this workspace answers to loopback only").into_response()
    }
}

/// The token of an `Authorization: Bearer` header.
pub fn bearer(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}

/// Compares secrets without telling how much of them fits.
pub fn same(given: Option<&str>, secret: &str) -> bool {
    given.is_some_and(|it| bool::from(it.as_bytes().ct_eq(secret.as_bytes())))
}

fn header_text(headers: &HeaderMap, name: header::HeaderName) -> &str {
    headers.get(name).and_then(|it| it.to_str().ok()).unwrap_or_default()
}

async fn web_api(
    Held(shared): Held<App>,
    Path(name): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let media = header_text(&headers, header::CONTENT_TYPE).to_owned();
    let mut args = Args::read(uri.query().unwrap_or_default(), &media, &body, bearer(&headers));
    let logged = args.logged();
    let at = shared.clock.now();
    let fault = lock(&shared.faults).strike_call(&name);
    let (status, answer, wait) = match &fault {
        Some(Fault::Http { status, .. }) => (*status, Value::Null, None),
        Some(Fault::RateLimited { retry_after, .. }) => {
            (429, json!({"ok": false, "error": "ratelimited"}), Some(*retry_after))
        }
        Some(Fault::Error { error, .. }) => (200, json!({"ok": false, "error": error}), None),
        _ => run(&shared, &name, &mut args),
    };
    let record = CallRecord { method: name.clone(), args: logged, at, status, answer: answer.clone() };
    shared.log(record);
    if let Some(Fault::Slow { millis, .. }) = fault {
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }
    reply(&shared, &name, status, &answer, wait)
}

fn run(shared: &Shared, name: &str, args: &mut Args) -> (u16, Value, Option<u64>) {
    let Some(method) = api::method(name) else {
        return (200, json!({"ok": false, "error": "unknown_method", "req_method": name}), None);
    };
    if shared.budgets == super::Budgets::AsSlack
        && let Some(wait) = api::over_budget(shared, method, args)
    {
        return (429, json!({"ok": false, "error": "ratelimited"}), Some(wait));
    }
    let mut answer = match api::call(shared, method, args) {
        Ok(mut fields) => {
            fields["ok"] = true.into();
            fields
        }
        Err(refusal) => refusal.answer(),
    };
    if args.no_charset && method.token != Token::None {
        answer["warning"] = "missing_charset".into();
        answer["response_metadata"]["warnings"] = json!(["missing_charset"]);
    }
    (200, answer, None)
}

fn reply(shared: &Shared, name: &str, status: u16, answer: &Value, wait: Option<u64>) -> Response {
    let code = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if answer.is_null() {
        return (code, "something went wrong on our side").into_response();
    }
    let mut response =
        (code, [(header::CONTENT_TYPE, "application/json; charset=utf-8")], answer.to_string())
            .into_response();
    let headers = response.headers_mut();
    if let Some(wait) = wait {
        headers.insert(header::RETRY_AFTER, wait.into());
    }
    let token = api::method(name).map(|it| it.token);
    let granted = if token == Some(Token::Bot) { shared.scopes.join(",") } else { String::new() };
    if let Ok(value) = HeaderValue::from_str(&granted) {
        headers.insert("x-oauth-scopes", value);
    }
    response
}

async fn open_socket(
    Held(shared): Held<App>,
    Query(query): Query<std::collections::HashMap<String, String>>,
    upgrade: WebSocketUpgrade,
) -> Response {
    if !query.get("ticket").is_some_and(|it| shared.hub.admit(it)) {
        return (StatusCode::FORBIDDEN, "this ticket is not good any more").into_response();
    }
    upgrade.max_message_size(1024 * 1024).on_upgrade(move |socket| socket::connect(shared, socket))
}

async fn upload(
    Held(shared): Held<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let media = header_text(&headers, header::CONTENT_TYPE);
    let bytes = match media.strip_prefix("multipart/form-data").and_then(|it| it.split_once("boundary=")) {
        Some((_, boundary)) => first_part(&body, boundary.trim_matches('"')),
        None => Some(body.to_vec()),
    };
    let Some(bytes) = bytes else { return (StatusCode::BAD_REQUEST, "no file in this form").into_response() };
    match shared.with(|state| finish_upload(state, &id, bytes)) {
        Ok(size) => format!("OK - {size}").into_response(),
        Err(why) => (StatusCode::BAD_REQUEST, why).into_response(),
    }
}

/// The content of the first part of a multipart body.
fn first_part(body: &[u8], boundary: &str) -> Option<Vec<u8>> {
    let find = |hay: &[u8], needle: &[u8]| hay.windows(needle.len()).position(|it| it == needle);
    let start = find(body, b"\r\n\r\n")? + 4;
    let end = find(&body[start..], format!("\r\n--{boundary}").as_bytes())?;
    Some(body[start..start + end].to_vec())
}

async fn download(
    Held(shared): Held<App>,
    Path((id, _)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let token = bearer(&headers);
    let secrets = &shared.secrets;
    if !same(token.as_deref(), &secrets.bot_token) && !same(token.as_deref(), &secrets.control_token) {
        return (StatusCode::FORBIDDEN, "files need a token").into_response();
    }
    let file =
        shared.look(|state| state.files.get(&id).map(|it| (it.card.mimetype.clone(), it.bytes.clone())));
    let Some((media, Some(bytes))) = file else { return StatusCode::NOT_FOUND.into_response() };
    let headers = [
        (header::CONTENT_TYPE, media),
        (header::CONTENT_DISPOSITION, "attachment".into()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".into()),
    ];
    (headers, bytes).into_response()
}

async fn response_url(
    Held(shared): Held<App>,
    Path((_, secret)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let media = header_text(&headers, header::CONTENT_TYPE).to_owned();
    let args = Args::read("", &media, &body, None);
    let at = shared.clock.now();
    let answered = shared.with(|state| {
        if let Some(error) = args.broken {
            return refuse(error);
        }
        let now = state.now();
        let Some(url) = state.response_urls.get_mut(&secret) else { return refuse("invalid_url") };
        if url.uses >= 5 || now.since(url.at) > Duration::from_secs(1800) {
            return refuse("used_url");
        }
        url.uses += 1;
        let url = url.clone();
        api::chat::respond(&mut Ctx { state, args: &args, shared: &shared }, &url.channel, &url)
    });
    let (status, answer) = match &answered {
        Ok(_) => (200, json!({"ok": true})),
        Err(refusal) => {
            (if refusal.error == "used_url" { 404 } else { 400 }, Refusal::answer(refusal.clone()))
        }
    };
    shared.log(CallRecord {
        method: "response_url".into(),
        args: args.logged(),
        at,
        status,
        answer: answer.clone(),
    });
    match StatusCode::from_u16(status) {
        Ok(StatusCode::OK) => "ok".into_response(),
        Ok(code) => (code, answer.to_string()).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
