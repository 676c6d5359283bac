//! Services on loopback that answer as they are told and keep every request as it came.
//!
//! One listener plays all hosts; the first segment of the path says which (`hub`, `arxiv`, `ar5iv`, `s2`, `viewer`).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use ml_intern::agent::tool::{CallContext, Ownership, Place, Progress};
use ml_intern::config::ServicesConfig;
use ml_intern::protocol::{Actor, Door};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// A request as it came.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    pub host: String,
    pub method: String,
    pub path: String,
    pub query: Vec<(String, String)>,
    pub body: Value,
    /// Headers that say who asks.
    pub credentials: Vec<(String, String)>,
}

/// An answer to give.
#[derive(Debug, Clone)]
pub struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    after: Duration,
}

impl Answer {
    pub fn json(body: &Value) -> Self {
        Self::with(200, body.to_string())
    }

    pub fn with(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into(), after: Duration::ZERO }
    }

    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// Long enough for anybody to lose patience.
    pub fn never() -> Self {
        Self { after: Duration::from_secs(300), ..Self::with(200, "{}") }
    }
}

#[derive(Default)]
struct Shelf {
    seen: Vec<Seen>,
    /// Answers by host and path; the last one stays.
    answers: BTreeMap<String, Vec<Answer>>,
}

#[derive(Clone)]
pub struct Services {
    pub url: String,
    shelf: Arc<Mutex<Shelf>>,
}

impl Services {
    pub async fn start() -> Self {
        ml_intern::clients::http::install_tls();
        let shelf: Arc<Mutex<Shelf>> = Arc::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().fallback(take).with_state(shelf.clone());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, shelf }
    }

    /// Where everything is, for the tools.
    pub fn config(&self) -> ServicesConfig {
        let at = |host: &str| format!("{}/{host}", self.url);
        ServicesConfig {
            hf_endpoint: at("hub"),
            dataset_viewer_url: at("viewer"),
            arxiv_url: at("arxiv"),
            ar5iv_url: at("ar5iv"),
            semantic_scholar_url: at("s2"),
            ..ServicesConfig::default()
        }
    }

    /// From now on this path of this host is answered so, one after the other; the last one stays.
    pub fn answers(&self, host: &str, path: &str, answers: impl IntoIterator<Item = Answer>) {
        let answers = answers.into_iter().collect();
        self.shelf.lock().unwrap().answers.insert(format!("/{host}{path}"), answers);
    }

    pub fn says(&self, host: &str, path: &str, body: &Value) {
        self.answers(host, path, [Answer::json(body)]);
    }

    /// All requests so far, and none of them again.
    pub fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut self.shelf.lock().unwrap().seen)
    }
}

async fn take(
    State(shelf): State<Arc<Mutex<Shelf>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let answer = {
        let mut shelf = shelf.lock().unwrap();
        let (host, path) = uri.path()[1..].split_once('/').unwrap_or((&uri.path()[1..], ""));
        let credentials = ["authorization", "x-api-key", "cookie"]
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), headers.get(*name)?.to_str().ok()?.to_owned())))
            .collect();
        shelf.seen.push(Seen {
            host: host.to_owned(),
            method: method.to_string(),
            path: format!("/{path}"),
            query: query(uri.query().unwrap_or_default()),
            body: serde_json::from_slice(&body).unwrap_or_default(),
            credentials,
        });
        match shelf.answers.get_mut(uri.path()) {
            Some(answers) if answers.len() > 1 => answers.remove(0),
            Some(answers) => answers[0].clone(),
            None => Answer::with(404, json!({ "error": "not found" }).to_string()),
        }
    };
    tokio::time::sleep(answer.after).await;
    let mut response = (StatusCode::from_u16(answer.status).unwrap(), answer.body).into_response();
    for (name, value) in answer.headers {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}

fn query(text: &str) -> Vec<(String, String)> {
    let plain = |part: &str| {
        let mut bytes = Vec::new();
        let mut rest = part.bytes();
        while let Some(byte) = rest.next() {
            bytes.push(match byte {
                b'+' => b' ',
                b'%' => {
                    let digits = [rest.next().unwrap(), rest.next().unwrap()];
                    u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
                }
                other => other,
            });
        }
        String::from_utf8(bytes).unwrap()
    };
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).map(|(a, b)| (plain(a), plain(b))).collect()
}

struct Nobody;

impl Progress for Nobody {
    fn line(&self, _: &str) {}
}

/// A context for a call that `cancel` stops.
pub fn context(cancel: &CancellationToken) -> CallContext {
    CallContext {
        call: "c1".into(),
        turn: "t1".into(),
        place: Place {
            session: "s1".into(),
            door: Door::Slack,
            channel: None,
            workspace: std::env::temp_dir(),
            ownership: Ownership::Session,
        },
        requester: Actor::new("U1", "Ann"),
        approved_by: Vec::new(),
        model: "anthropic/claude".to_owned(),
        progress: Arc::new(Nobody),
        cancel: cancel.clone(),
    }
}
