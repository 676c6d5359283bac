//! The front doors: every route, and around every route loopback only, faults, ETags and the log.
//!
//! What a route does is its own file's business. Start at [`all_doors`].

use axum::Router;
use axum::body::{Body, Bytes, HttpBody as _, to_bytes};
use axum::extract::{ConnectInfo, Request, State as Held};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::super::http::loopback_only;
use super::auth::Caller;
use super::cut::Scissors;
use super::doors::Doors;
use super::errors::{HubError, header_value};
use super::faults::Trouble;
use super::shared::{Hub, HubCall, Service};
use super::{
    account, buckets, collections, commit, discussions, docs, git, info, jobs, list, openapi, papers, pulls,
    refs, repos, resolve, spaces, tree, upload, viewer,
};

/// Largest body that the log keeps as JSON, in bytes; of larger ones it keeps the size.
const LOGGED_MOST: usize = 1024 * 1024;

/// Every route of the Hub itself.
pub fn all_doors() -> Doors {
    account::doors()
        .and(list::doors())
        .and(repos::doors())
        .and(info::doors())
        .and(tree::doors())
        .and(resolve::doors())
        .and(upload::doors())
        .and(commit::doors())
        .and(refs::doors())
        .and(discussions::doors())
        .and(pulls::doors())
        .and(collections::doors())
        .and(papers::doors())
        .and(docs::doors())
        .and(openapi::doors())
        .and(jobs::doors())
        .and(spaces::doors())
        .and(buckets::doors())
}

/// Everything that one service answers.
pub fn router(hub: &Hub, service: Service) -> Router {
    let routes = match service {
        Service::Hub => all_doors().router,
        Service::Cdn => resolve::cdn().merge(upload::cdn()),
        Service::Arxiv => papers::html::arxiv(),
        Service::Ar5iv => papers::html::ar5iv(),
        Service::Scholar => papers::scholar::router(),
        Service::Viewer => viewer::router(),
        Service::Gradio => docs::gradio(),
        Service::Spaces => spaces::edge_router(),
    };
    routes
        .fallback(nothing_here)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state((hub.clone(), service), around))
        .layer(middleware::from_fn(loopback_only))
        .with_state(hub.clone())
}

async fn nothing_here(method: Method, uri: Uri) -> HubError {
    HubError::missing(format!("Nothing is served at {method} {}", uri.path()))
}

async fn wrong_method(method: Method, uri: Uri) -> HubError {
    HubError::new(StatusCode::METHOD_NOT_ALLOWED, format!("{method} is not allowed at {}", uri.path()))
}

/// Reads the body, lets faults strike, answers, and writes down what happened.
async fn around(Held((hub, service)): Held<(Hub, Service)>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let scissors = parts.extensions.get::<ConnectInfo<Scissors>>().map(|it| it.0.clone());
    let method = parts.method.clone();
    let path = parts.uri.path_and_query().map_or_else(String::new, ToString::to_string);
    let headers = parts.headers.clone();
    let Ok(body) = to_bytes(body, hub.limits.body).await else {
        return HubError::new(StatusCode::PAYLOAD_TOO_LARGE, "The body is too large").into_response();
    };
    let mut call = HubCall {
        service,
        method: method.to_string(),
        caller: whose(&hub, &headers),
        headers: written_down(&headers),
        body: logged(&headers, &body),
        at: hub.clock.now(),
        status: 0,
        path,
    };
    let mut released = hub.faults.releases();
    let trouble = hub.faults.strike(service, &call.method, &call.path);
    let response = match &trouble {
        Some(Trouble::RateLimited { retry_after }) => rate_limited(*retry_after),
        Some(Trouble::Status(status)) => proxy_error(*status),
        Some(Trouble::Drop) => StatusCode::OK.into_response(),
        _ if foreign(service) && headers.contains_key(header::AUTHORIZATION) => {
            HubError::bad("A token came to a service that is not the Hub's").into_response()
        }
        _ => tagged(&method, &headers, next.run(Request::from_parts(parts, Body::from(body))).await).await,
    };
    let cut = match trouble {
        Some(Trouble::Drop) => Some(0),
        Some(Trouble::Cut { after }) => Some(after),
        _ => None,
    };
    call.status = if cut == Some(0) { 0 } else { response.status().as_u16() };
    hub.log(call);
    match trouble {
        Some(Trouble::Slow(wait)) => tokio::time::sleep(wait).await,
        // An error would say that the Hub is gone: nothing is held any more.
        Some(Trouble::Hold) => drop(released.changed().await),
        _ => {}
    }
    if let (Some(after), Some(scissors)) = (cut, scissors) {
        scissors.cut_after(after);
    }
    finished(response)
}

/// Whether a service is somebody else's, who must never see a token of the Hub.
fn foreign(service: Service) -> bool {
    matches!(service, Service::Arxiv | Service::Ar5iv | Service::Scholar | Service::Gradio)
}

fn finished(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let id = format!("Root=1-{}", uuid::Uuid::new_v4().simple());
    headers.insert("x-request-id", header_value(&id));
    response
}

fn rate_limited(retry_after: u64) -> Response {
    let error = HubError::new(
        StatusCode::TOO_MANY_REQUESTS,
        "We had to rate limit your IP. To continue using our service, create a HF account or login to your \
         existing account, and make sure you pass a HF_TOKEN if you're using the API.",
    );
    let mut response = error.into_response();
    let headers = response.headers_mut();
    headers.insert(header::RETRY_AFTER, retry_after.into());
    headers.insert("ratelimit", header_value(&format!("\"api\";r=0;t={retry_after}")));
    headers.insert("ratelimit-policy", header_value("\"fixed window\";\"api\";q=500;w=300"));
    response
}

fn proxy_error(status: u16) -> Response {
    let code = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let words = code.canonical_reason().unwrap_or("Error");
    let page = format!(
        "<html><head><title>{status} {words}</title></head><body><h1>{status} {words}</h1></body></html>"
    );
    (code, [(header::CONTENT_TYPE, "text/html")], page).into_response()
}

/// JSON that was read gets a weak ETag, and is not sent again to whoever has it.
async fn tagged(method: &Method, asked: &HeaderMap, response: Response) -> Response {
    let is_json = response.headers().get(header::CONTENT_TYPE).is_some_and(|it| it == "application/json");
    let reads = method == Method::GET && response.status() == StatusCode::OK;
    if !is_json || !reads || response.body().size_hint().exact().is_none() {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, usize::MAX).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let tag = format!("W/\"{:x}-{}\"", bytes.len(), &git::sha256(&bytes)[..27]);
    let known = asked.get(header::IF_NONE_MATCH).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let has_it = known.split(',').any(|it| it.trim() == tag);
    parts.headers.insert(header::ETAG, header_value(&tag));
    if has_it {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(header::CONTENT_TYPE);
        parts.headers.remove(header::CONTENT_LENGTH);
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(bytes))
}

fn whose(hub: &Hub, headers: &HeaderMap) -> Option<String> {
    match hub.look(|state| Caller::of(state, headers)) {
        Ok(caller) => caller.name().map(ToOwned::to_owned),
        Err(_) => Some("?".to_owned()),
    }
}

fn written_down(headers: &HeaderMap) -> Vec<(String, String)> {
    let kept = headers.iter().filter(|(name, _)| *name != header::AUTHORIZATION && *name != header::COOKIE);
    kept.map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect()
}

fn logged(headers: &HeaderMap, body: &Bytes) -> Value {
    let media = headers.get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default();
    let read = match media {
        _ if body.is_empty() => Some(Value::Null),
        _ if body.len() > LOGGED_MOST => None,
        "application/x-ndjson" => {
            let lines = body.split(|it| *it == b'\n').filter(|it| !it.is_empty());
            lines.map(|it| serde_json::from_slice(it).ok()).collect::<Option<Vec<Value>>>().map(Value::Array)
        }
        "application/x-www-form-urlencoded" => Some(String::from_utf8_lossy(body).into_owned().into()),
        _ if media.ends_with("json") => serde_json::from_slice(body).ok(),
        _ => None,
    };
    read.unwrap_or_else(|| json!({"bytes": body.len()}))
}
