//! Plays back what the official client was recorded to send, and what it was answered.
//!
//! Takes a request only if the recording has it next: method, path, query, body, and the headers that matter.
//! Bytes that go to storage may come in any order, as parts do.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use ml_intern::clients::hub::{Hub, Patience};
use ml_intern::secret::Secret;

/// The headers that are compared where the recording has them.
const COMPARED: [&str; 3] = ["content-type", "authorization", "range"];

pub struct Played {
    name: String,
    pub url: String,
    left: Arc<Mutex<Vec<Value>>>,
    wrong: Arc<Mutex<Vec<String>>>,
}

#[derive(Clone)]
struct Player {
    url: String,
    left: Arc<Mutex<Vec<Value>>>,
    wrong: Arc<Mutex<Vec<String>>>,
}

impl Played {
    /// Plays a recording, of which `pick` says which requests.
    pub async fn of(name: &str, pick: impl Fn(&Value) -> bool) -> (Self, Hub) {
        ml_intern::clients::http::install_tls();
        let path = format!("{}/tests/wire/hub/recorded/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let recorded: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let requests: Vec<Value> =
            recorded["requests"].as_array().unwrap().iter().filter(|it| pick(it)).cloned().collect();
        assert!(!requests.is_empty(), "{name} plays nothing");
        let (left, wrong) = (Arc::new(Mutex::new(requests)), Arc::<Mutex<Vec<String>>>::default());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let player = Player { url: url.clone(), left: left.clone(), wrong: wrong.clone() };
        let app = Router::new().fallback(take).with_state(player);
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        let hub = Hub::new(&url, Some(Secret::new("hf_testtoken"))).unwrap().with_patience(Patience::none());
        (Self { name: name.to_owned(), url, left, wrong }, hub)
    }

    /// Everything was sent, and nothing else.
    pub fn end(self) {
        let wrong = self.wrong.lock().unwrap().clone();
        assert!(wrong.is_empty(), "{}: {wrong:#?}", self.name);
        let left: Vec<String> =
            self.left.lock().unwrap().iter().map(|it| format!("{} {}", it["method"], it["path"])).collect();
        assert!(left.is_empty(), "{}: never sent: {left:?}", self.name);
    }
}

async fn take(
    State(player): State<Player>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let sent = as_recorded(&method, &uri, &headers, &body);
    let mut left = player.left.lock().unwrap();
    let at = left.iter().position(|recorded| differences(recorded, &sent).is_empty());
    let at = at.filter(|at| *at == 0 || left[..*at].iter().all(|earlier| earlier["method"] == "PUT"));
    let Some(at) = at else {
        let expected = left.first().map(|recorded| differences(recorded, &sent)).unwrap_or_default();
        player.wrong.lock().unwrap().push(format!("{method} {uri}: {expected:?}"));
        return StatusCode::IM_A_TEAPOT.into_response();
    };
    let answer = left.remove(at)["answer"].clone();
    let status = StatusCode::from_u16(u16::try_from(answer["status"].as_u64().unwrap()).unwrap()).unwrap();
    let mut response = match &answer["body"] {
        Value::String(text) => text.clone().into_response(),
        body => body.to_string().replace("{hub}", &player.url).into_response(),
    };
    *response.status_mut() = status;
    for (name, value) in answer["headers"].as_object().into_iter().flatten() {
        let name: axum::http::HeaderName = name.parse().unwrap();
        response.headers_mut().insert(name, value.as_str().unwrap().parse().unwrap());
    }
    response
}

fn as_recorded(method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Value {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let query: Vec<Value> = uri
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap();
            json!([decoded(name), decoded(value)])
        })
        .collect();
    let body = match header("content-type") {
        Some("application/x-ndjson") => std::str::from_utf8(body)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .collect(),
        Some(kind) if kind.ends_with("json") => serde_json::from_slice(body).unwrap(),
        Some("application/x-www-form-urlencoded") => json!(std::str::from_utf8(body).unwrap()),
        _ if body.is_empty() => Value::Null,
        _ => json!({ "bytes": body.len(), "head_b64": STANDARD.encode(&body[..body.len().min(48)]) }),
    };
    let headers: serde_json::Map<String, Value> =
        COMPARED.iter().filter_map(|name| Some(((*name).to_owned(), json!(header(name)?)))).collect();
    json!({ "method": method.as_str(), "path": uri.path(), "query": query, "headers": headers, "body": body })
}

fn differences(recorded: &Value, sent: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut compare = |what: &str, recorded: &Value, sent: &Value| {
        if recorded != sent {
            found.push(format!("{what}: recorded {recorded}, sent {sent}"));
        }
    };
    for what in ["method", "path", "body"] {
        compare(what, &recorded[what], &sent[what]);
    }
    let no_query = json!([]);
    compare("query", recorded.get("query").unwrap_or(&no_query), &sent["query"]);
    for name in COMPARED {
        compare(name, &recorded["headers"][name], &sent["headers"][name]);
    }
    found
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let hex = [rest.next().unwrap(), rest.next().unwrap()];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap());
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).unwrap()
}
