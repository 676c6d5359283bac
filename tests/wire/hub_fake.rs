//! A Hub on loopback that takes only what the official client sends, and keeps what was committed.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// The token that it knows, of the account `alice`.
pub const TOKEN: &str = "hf_testtoken_of_alice";

/// A request as it came.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    pub line: String,
    pub body: Value,
}

#[derive(Debug, Clone, Default)]
pub struct Dataset {
    pub private: bool,
    pub files: BTreeMap<String, String>,
    pub commits: usize,
}

#[derive(Default)]
pub struct Shelf {
    pub seen: Vec<Seen>,
    pub datasets: BTreeMap<String, Dataset>,
    /// What is answered instead, to the next requests; `None` lets one through.
    pub refusals: VecDeque<Option<u16>>,
    /// What was wrong with a request's form.
    pub wrong: Vec<String>,
}

#[derive(Clone)]
pub struct FakeHub {
    pub url: String,
    shelf: Arc<Mutex<Shelf>>,
}

impl FakeHub {
    pub async fn start() -> Self {
        let shelf: Arc<Mutex<Shelf>> = Arc::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().fallback(take).with_state(shelf.clone());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, shelf }
    }

    pub fn look<T>(&self, look: impl FnOnce(&mut Shelf) -> T) -> T {
        look(&mut self.shelf.lock().unwrap())
    }

    /// Waits until the shelf shows something.
    pub async fn until<T>(&self, what: &str, mut look: impl FnMut(&mut Shelf) -> Option<T>) -> T {
        for _ in 0..2_000 {
            if let Some(found) = self.look(&mut look) {
                return found;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("the Hub never saw {what}: {:?}", self.look(|shelf| shelf.seen.clone()));
    }
}

async fn take(
    State(shelf): State<Arc<Mutex<Shelf>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut shelf = shelf.lock().unwrap();
    let path = uri.path().to_owned();
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = header("content-type").to_owned();
    let parsed = match kind.as_str() {
        "application/x-ndjson" => std::str::from_utf8(&body)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .collect(),
        "application/json" => serde_json::from_slice(&body).unwrap(),
        _ if body.is_empty() => Value::Null,
        other => {
            shelf.wrong.push(format!("{method} {path} with a body of type {other:?}"));
            Value::Null
        }
    };
    shelf.seen.push(Seen { line: format!("{method} {path}"), body: parsed.clone() });
    if header("authorization") != format!("Bearer {TOKEN}") {
        return refuse(401, "Invalid username or password.");
    }
    if let Some(Some(status)) = shelf.refusals.pop_front() {
        return refuse(status, "as the test wants it");
    }
    answer(&mut shelf, &method, &path, &kind, &parsed)
}

fn answer(shelf: &mut Shelf, method: &Method, path: &str, kind: &str, body: &Value) -> Response {
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    match (method.as_str(), &parts[..]) {
        ("GET", ["api", "whoami-v2"]) => ok(&json!({ "type": "user", "id": "5e9e", "name": "alice" })),
        ("POST", ["api", "repos", "create"]) => {
            let repo = format!("{}/{}", text(&body["organization"]), text(&body["name"]));
            if shelf.datasets.contains_key(&repo) {
                return refuse(409, "You already created this dataset repo");
            }
            let private = body["visibility"] == "private";
            shelf.datasets.insert(repo.clone(), Dataset { private, ..Dataset::default() });
            ok(&json!({ "url": format!("http://hub/datasets/{repo}"), "name": repo, "id": "1" }))
        }
        ("GET", ["api", "datasets", owner, name]) => match shelf.datasets.get(&format!("{owner}/{name}")) {
            Some(dataset) => ok(&json!({ "id": format!("{owner}/{name}"), "private": dataset.private })),
            None => refuse(404, "Repository not found"),
        },
        ("PUT", ["api", "datasets", owner, name, "settings"]) => {
            let Some(dataset) = shelf.datasets.get_mut(&format!("{owner}/{name}")) else {
                return refuse(404, "Repository not found");
            };
            dataset.private = body["visibility"] == "private";
            ok(&json!({ "private": dataset.private }))
        }
        ("HEAD", ["datasets", owner, name, "resolve", "main", file @ ..]) => {
            let dataset = shelf.datasets.get(&format!("{owner}/{name}"));
            match dataset.is_some_and(|it| it.files.contains_key(&file.join("/"))) {
                true => StatusCode::OK.into_response(),
                false => StatusCode::NOT_FOUND.into_response(),
            }
        }
        ("POST", ["api", "datasets", _, _, "preupload", "main"]) => {
            let mode = |file: &Value| {
                let lfs = file["size"].as_u64().unwrap() > 10 * 1024 * 1024;
                let mode = if lfs { "lfs" } else { "regular" };
                json!({ "path": file["path"], "uploadMode": mode, "shouldIgnore": false, "oid": null })
            };
            let files: Vec<Value> = body["files"].as_array().unwrap().iter().map(mode).collect();
            ok(&json!({ "files": files }))
        }
        ("POST", ["api", "datasets", owner, name, "commit", "main"]) if kind == "application/x-ndjson" => {
            let Some(dataset) = shelf.datasets.get_mut(&format!("{owner}/{name}")) else {
                return refuse(404, "Repository not found");
            };
            for line in body.as_array().unwrap().iter().filter(|line| line["key"] == "file") {
                let value = &line["value"];
                assert_eq!(value["encoding"], "base64");
                let content = STANDARD.decode(text(&value["content"])).unwrap();
                dataset.files.insert(text(&value["path"]), String::from_utf8(content).unwrap());
            }
            dataset.commits += 1;
            ok(
                &json!({ "success": true, "commitOid": "b".repeat(40), "commitUrl": "http://hub/c", "hookOutput": "" }),
            )
        }
        _ => {
            shelf.wrong.push(format!("{method} {path}"));
            refuse(404, "no such route")
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn ok(body: &Value) -> Response {
    axum::Json(body.clone()).into_response()
}

fn refuse(status: u16, message: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    let headers = [("x-error-message", message.to_owned()), ("retry-after", "1".to_owned())];
    (status, headers, axum::Json(json!({ "error": message }))).into_response()
}
