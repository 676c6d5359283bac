//! A Hub on loopback that has Spaces and buckets: it takes only what the official client sends, and what is
//! committed as a sandbox's server really runs, behind a door that knows only its account's token.

use std::collections::{BTreeMap, VecDeque};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// The token that it knows, of the account `alice`.
pub const TOKEN: &str = "hf_testtoken_of_alice";

#[derive(Default)]
pub struct Space {
    pub hardware: String,
    pub secrets: BTreeMap<String, String>,
    pub variables: BTreeMap<String, String>,
    pub volumes: Vec<Value>,
    pub files: BTreeMap<String, String>,
    pub private: bool,
    /// What the Hub says of it next, and then for ever.
    pub stages: VecDeque<&'static str>,
    server: Option<Server>,
}

/// A server that runs, until it is dropped.
pub struct Server {
    child: Child,
    pub port: u16,
    _folder: tempfile::TempDir,
}

/// What happens to the next request to a sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The connection breaks before the sandbox has it.
    Before,
    /// The sandbox does it, and the connection breaks before the answer is here.
    After,
    /// A page of HTML comes instead.
    Page,
    /// None.
    Pass,
}

#[derive(Default)]
pub struct Shelf {
    pub seen: Vec<(String, Value)>,
    pub spaces: BTreeMap<String, Space>,
    pub buckets: Vec<String>,
    /// What the Hub says of new Spaces, one after the other.
    pub stages: VecDeque<&'static str>,
    /// Answered to the next requests to the Hub instead; 0 lets one through.
    pub refusals: VecDeque<u16>,
    pub faults: VecDeque<Fault>,
    pub wrong: Vec<String>,
    /// Whose the token is said to be, if not alice's.
    pub account: Option<&'static str>,
}

#[derive(Clone)]
pub struct SpaceHub {
    pub url: String,
    shelf: Arc<Mutex<Shelf>>,
}

impl SpaceHub {
    pub async fn start() -> Self {
        let shelf: Arc<Mutex<Shelf>> = Arc::default();
        shelf.lock().unwrap().stages = VecDeque::from(["BUILDING", "RUNNING"]);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().fallback(take).with_state(shelf.clone());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, shelf }
    }

    pub fn look<T>(&self, look: impl FnOnce(&mut Shelf) -> T) -> T {
        look(&mut self.shelf.lock().unwrap())
    }

    /// Requests about sandboxes in order, one line each, the same line once if it was repeated.
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> =
            self.look(|shelf| shelf.seen.iter().map(|(line, _)| line.clone()).collect());
        lines.dedup();
        lines
    }

    /// Waits until it holds.
    pub async fn until(&self, what: &str, holds: impl Fn(&mut Shelf) -> bool) {
        for _ in 0..1_000 {
            if self.look(&holds) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the Hub never saw {what}: {:?}", self.lines());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It ends what it has started, too.
        let id = nix::unistd::Pid::from_raw(i32::try_from(self.child.id()).unwrap());
        let _ = nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGTERM);
        let _ = self.child.wait();
    }
}

/// Starts the server that was committed, as the image would, on a port of its own.
pub fn serve(source: &str, key: Option<&str>) -> Server {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("server.py");
    std::fs::write(&program, source).unwrap();
    let home = folder.path().join("home");
    std::fs::create_dir(&home).unwrap();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut command = Command::new("python3");
    command.arg(&program).current_dir(&home).env_clear();
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.env("PATH", std::env!("PATH")).env("PORT", free.to_string()).env("SANDBOX_HOST", "127.0.0.1");
    command.env("TMPDIR", folder.path()).env("HF_TOKEN", TOKEN);
    if let Some(key) = key {
        command.env("SANDBOX_API_TOKEN", key);
    }
    Server { child: command.spawn().unwrap(), port: free, _folder: folder }
}

async fn take(
    State(shelf): State<Arc<Mutex<Shelf>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = uri.path().to_owned();
    let authorised = headers.get("authorization").is_some_and(|value| *value == format!("Bearer {TOKEN}"));
    if let Some(rest) = path.strip_prefix("/at/") {
        if !authorised {
            return (StatusCode::NOT_FOUND, "<html>404</html>").into_response();
        }
        return pass(&shelf, method, rest, &headers, body).await;
    }
    let mut shelf = shelf.lock().unwrap();
    let parsed = match headers.get("content-type").and_then(|kind| kind.to_str().ok()) {
        Some("application/x-ndjson") => {
            let text = std::str::from_utf8(&body).unwrap();
            text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect()
        }
        Some("application/json") => serde_json::from_slice(&body).unwrap(),
        _ if body.is_empty() => Value::Null,
        other => {
            shelf.wrong.push(format!("{method} {path} with a body of type {other:?}"));
            Value::Null
        }
    };
    // The jobs tool asks for prices by itself, whenever that is.
    if path != "/api/jobs/hardware" {
        shelf.seen.push((format!("{method} {path}"), parsed.clone()));
    }
    if !authorised {
        return refuse(401, "Invalid username or password.");
    }
    if let Some(status) = shelf.refusals.pop_front().filter(|status| *status > 0) {
        return refuse(status, "as the test wants it");
    }
    answer(&mut shelf, method.as_str(), &path, &parsed)
}

/// The door of the Spaces: passes a request on to the server that runs there.
async fn pass(
    shelf: &Mutex<Shelf>,
    method: Method,
    rest: &str,
    headers: &HeaderMap,
    body: Bytes,
) -> Response {
    let (word, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (port, fault) = {
        let mut shelf = shelf.lock().unwrap();
        let found = shelf.spaces.iter().find(|(name, _)| name.replace('/', "-") == word);
        let port = match found.map(|(_, space)| space.server.as_ref().map(|server| server.port)) {
            None => return (StatusCode::NOT_FOUND, "<html>404</html>").into_response(),
            Some(None) => return (StatusCode::SERVICE_UNAVAILABLE, "<html>starting</html>").into_response(),
            Some(Some(port)) => port,
        };
        (port, shelf.faults.pop_front())
    };
    let broken = || {
        let piece = futures::stream::iter([Ok("{"), Err(std::io::Error::other("broken"))]);
        Body::from_stream(piece).into_response()
    };
    match fault {
        Some(Fault::Before) => return broken(),
        Some(Fault::Page) => return "<html>please wait</html>".into_response(),
        Some(Fault::After | Fault::Pass) | None => {}
    }
    let client = ml_intern::clients::http::client(None).unwrap();
    let mut request = client.request(method, format!("http://127.0.0.1:{port}/{path}")).body(body);
    for name in ["content-type", "x-sandbox-authorization"] {
        if let Some(value) = headers.get(name) {
            request = request.header(name, value);
        }
    }
    match request.send().await {
        Err(_) => (StatusCode::BAD_GATEWAY, "<html>502</html>").into_response(),
        Ok(answer) => {
            let (status, bytes) = (answer.status(), answer.bytes().await.unwrap());
            if fault == Some(Fault::After) {
                return broken();
            }
            (status, [("content-type", "application/json")], bytes).into_response()
        }
    }
}

fn answer(shelf: &mut Shelf, method: &str, path: &str, body: &Value) -> Response {
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    match (method, &parts[..]) {
        ("GET", ["api", "whoami-v2"]) => {
            ok(&json!({ "type": "user", "id": "5e9e", "name": shelf.account.unwrap_or("alice") }))
        }
        ("POST", ["api", "spaces", "burtenshaw", "sandbox", "duplicate"]) => {
            let name = text(&body["repository"]).to_owned();
            let space = Space {
                hardware: text(&body["hardware"]).to_owned(),
                private: body["visibility"] == "private",
                stages: shelf.stages.clone(),
                ..Space::default()
            };
            shelf.spaces.insert(name.clone(), space);
            ok(&json!({ "url": format!("http://hub/spaces/{name}") }))
        }
        ("POST", ["api", "repos", "create"]) => {
            let name = format!("{}/{}", text(&body["organization"]), text(&body["name"]));
            if shelf.spaces.contains_key(&name) {
                return refuse(409, "You already created this space repo");
            }
            let private = body["visibility"] == "private";
            shelf.spaces.insert(name, Space { private, ..Space::default() });
            ok(&json!({}))
        }
        ("DELETE", ["api", "repos", "delete"]) => {
            let name = format!("{}/{}", text(&body["organization"]), text(&body["name"]));
            match shelf.spaces.remove(&name) {
                Some(_) => ok(&json!({})),
                None => refuse(404, "Repository not found"),
            }
        }
        ("POST", ["api", "buckets", owner, name]) => {
            let bucket = format!("{owner}/{name}");
            if shelf.buckets.contains(&bucket) {
                return refuse(409, "exists");
            }
            shelf.buckets.push(bucket);
            ok(&json!({}))
        }
        ("GET", ["spaces", owner, name, "resolve", "main", file]) => {
            let file = shelf.spaces.get(&format!("{owner}/{name}")).and_then(|space| space.files.get(*file));
            file.map_or_else(|| refuse(404, "Entry not found"), |file| file.clone().into_response())
        }
        (method, ["api", "spaces", owner, name, rest @ ..]) => {
            match shelf.spaces.get_mut(&format!("{owner}/{name}")) {
                Some(space) => about(space, method, rest, body),
                None => refuse(404, "Repository not found"),
            }
        }
        _ => {
            shelf.wrong.push(format!("{method} {path}"));
            refuse(418, "unknown")
        }
    }
}

fn about(space: &mut Space, method: &str, rest: &[&str], body: &Value) -> Response {
    match (method, rest) {
        ("POST", ["secrets"]) => {
            space.secrets.insert(text(&body["key"]).to_owned(), text(&body["value"]).to_owned());
            if body["key"] == "SANDBOX_API_TOKEN" {
                start(space);
            }
            ok(&json!({}))
        }
        ("GET", ["variables"]) => {
            let told = space.variables.iter().map(|(key, value)| (key.clone(), json!({ "value": value })));
            ok(&Value::Object(told.collect()))
        }
        ("POST", ["variables"]) => {
            space.variables.insert(text(&body["key"]).to_owned(), text(&body["value"]).to_owned());
            ok(&json!({}))
        }
        ("PUT", ["volumes"]) => {
            space.volumes = body["volumes"].as_array().unwrap().clone();
            ok(&json!({ "stage": "RUNNING" }))
        }
        ("POST", ["preupload", "main"]) => {
            let files = body["files"].as_array().unwrap().iter();
            let told: Vec<Value> =
                files.map(|file| json!({ "path": file["path"], "uploadMode": "regular" })).collect();
            ok(&json!({ "files": told }))
        }
        ("POST", ["commit", "main"]) => {
            for line in &body.as_array().unwrap()[1..] {
                let content = STANDARD.decode(text(&line["value"]["content"])).unwrap();
                space
                    .files
                    .insert(text(&line["value"]["path"]).to_owned(), String::from_utf8(content).unwrap());
            }
            start(space);
            ok(&json!({ "success": true, "commitOid": "b".repeat(40) }))
        }
        ("GET", ["runtime"]) => {
            let stage =
                if space.stages.len() > 1 { space.stages.pop_front() } else { space.stages.front().copied() };
            let hardware = json!({ "current": space.hardware, "requested": space.hardware });
            ok(
                &json!({ "stage": stage.unwrap_or("RUNNING"), "hardware": hardware, "volumes": space.volumes }),
            )
        }
        ("GET", ["logs", "build"]) => {
            let lines = ["Step 1/9", "error: no space left on device"];
            let events: String = lines
                .iter()
                .map(|line| format!("data: {}\n\n", json!({ "data": line, "timestamp": "t" })))
                .collect();
            ([("content-type", "text/event-stream")], events).into_response()
        }
        _ => refuse(418, "unknown"),
    }
}

/// Starts what was committed, anew with each key, as the Hub does; without one it would let nobody in.
fn start(space: &mut Space) {
    if let (Some(source), Some(key)) =
        (space.files.get("sandbox_server.py"), space.secrets.get("SANDBOX_API_TOKEN"))
    {
        space.server = Some(serve(source, Some(key)));
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn ok(body: &Value) -> Response {
    axum::Json(body.clone()).into_response()
}

fn refuse(status: u16, why: &str) -> Response {
    (StatusCode::from_u16(status).unwrap(), axum::Json(json!({ "error": why }))).into_response()
}
