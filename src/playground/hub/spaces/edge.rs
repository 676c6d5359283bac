//! Where Spaces answer: `{address}/{space}/…`. Asks for a token that may see a private Space, and hands the
//! request to the Space's server without it.
//!
//! What the server says comes back as it is. A Space that is not running, or has no server, answers 503.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State as Held};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;

use super::super::access;
use super::super::auth::Caller;
use super::super::shared::Hub;
use super::super::state::Kind;
use super::space::Space;
use super::{SpaceStage, settle};

/// Headers of one connection only, and the token, which is for the edge alone.
const OWN: [HeaderName; 7] = [
    header::HOST,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::AUTHORIZATION,
    header::TE,
];

pub(in super::super) fn router() -> Router<Hub> {
    Router::new().route("/{space}", any(forward)).route("/{space}/{*rest}", any(forward))
}

fn page(status: StatusCode, text: &str) -> Response {
    let html = format!("<!DOCTYPE html><html><body><h1>{}</h1><p>{text}</p></body></html>", status.as_u16());
    (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response()
}

/// The Space of this word, if the caller may see it.
fn find(hub: &Hub, headers: &HeaderMap, word: &str) -> Option<String> {
    hub.look(|state| {
        let id = state.repo_ids(Kind::Space).into_iter().find(|it| Space::word(it) == word)?;
        // A wrong token opens a public Space as none does.
        let caller = Caller::of(state, headers).unwrap_or(Caller::Anonymous);
        let repo = state.repos.get(&(Kind::Space, id.clone()))?;
        access::sees(state, &caller, repo).then_some(id)
    })
}

async fn forward(
    Held(hub): Held<Hub>,
    Path(parts): Path<Vec<(String, String)>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let word = parts.first().map(|(_, value)| value.clone()).unwrap_or_default();
    let Some(id) = find(&hub, &headers, &word) else {
        return page(StatusCode::NOT_FOUND, "Sorry, we can't find the page you are looking for.");
    };
    settle(&hub, &id);
    let port = {
        let now = hub.clock.now();
        let mut desk = hub.spaces.desk();
        let Some(space) = desk.spaces.get_mut(&id) else {
            return page(StatusCode::NOT_FOUND, "Sorry, we can't find the page you are looking for.");
        };
        if space.stage == SpaceStage::Sleeping {
            hub.spaces.start(space);
        }
        space.used = now;
        match (space.stage, space.port) {
            (SpaceStage::Running, Some(port)) => port,
            (stage, _) => {
                let text = format!("Your space is not serving (stage {}).", stage.word());
                return page(StatusCode::SERVICE_UNAVAILABLE, &text);
            }
        }
    };
    let asked = uri.path_and_query().map_or("", |it| it.as_str());
    let rest = asked.trim_start_matches('/').strip_prefix(word.as_str()).unwrap_or_default();
    let target = format!("http://127.0.0.1:{port}{}", if rest.is_empty() { "/" } else { rest });
    tokio::select! {
        () = hub.stop.cancelled() => page(StatusCode::SERVICE_UNAVAILABLE, "The Hub is going away."),
        answer = pass(method, &target, headers, body) => {
            answer.unwrap_or_else(|error| page(StatusCode::BAD_GATEWAY, &error.to_string()))
        }
    }
}

async fn pass(method: Method, target: &str, mut headers: HeaderMap, body: Bytes) -> anyhow::Result<Response> {
    #[expect(clippy::disallowed_methods, reason = "the Hub's side of the wire, not a client of ours")]
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build()?;
    OWN.iter().for_each(|name| {
        headers.remove(name);
    });
    let answer = http.request(method, target).headers(headers).body(body).send().await?;
    let mut response = Response::builder().status(answer.status());
    for (name, value) in answer.headers() {
        if !OWN.contains(name) {
            response = response.header(name, value);
        }
    }
    Ok(response.body(Body::from_stream(answer.bytes_stream()))?)
}
