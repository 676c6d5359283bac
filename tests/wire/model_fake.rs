//! A strict provider on loopback: speaks chat completions, Anthropic messages and a little Gemini, refuses
//! what the real ones refuse, and fails exactly as a script says. Shares no types with the client.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use serde_json::{Value, json};

/// One step of a streamed body.
pub enum Step {
    Send(Vec<u8>),
    Pause(u64),
    Cut,
}

/// How one request is answered.
pub enum Reply {
    Stream(Vec<Step>),
    Status(u16, Vec<(&'static str, String)>, Value),
    Page(u16, &'static str),
    Hang,
}

/// One request as it came over the wire.
#[derive(Debug, Clone)]
pub struct Seen {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Value,
}

#[derive(Default)]
struct Shared {
    replies: VecDeque<Reply>,
    seen: Vec<Seen>,
    violations: Vec<String>,
}

pub struct Fake {
    pub base: String,
    shared: Arc<Mutex<Shared>>,
    server: tokio::task::JoinHandle<()>,
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Fake {
    pub async fn start(replies: Vec<Reply>) -> Self {
        let shared = Arc::new(Mutex::new(Shared { replies: replies.into(), ..Shared::default() }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let app = axum::Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let server = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { base, shared, server }
    }

    /// What came, after checking that nothing of it would be refused and that every reply was used.
    pub fn seen(&self) -> Vec<Seen> {
        let shared = self.shared.lock().unwrap();
        assert!(shared.violations.is_empty(), "a real provider would refuse this: {:#?}", shared.violations);
        assert!(shared.replies.is_empty(), "{} scripted replies were never asked for", shared.replies.len());
        shared.seen.clone()
    }

    /// The bodies of what came, likewise checked.
    pub fn bodies(&self) -> Vec<Value> {
        self.seen().into_iter().map(|seen| seen.body).collect()
    }
}

async fn answer(
    State(shared): State<Arc<Mutex<Shared>>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let body: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let path = uri.path().to_owned();
    let reply = {
        let mut shared = shared.lock().unwrap();
        let mut violations = Vec::new();
        if path.ends_with("/chat/completions") {
            check_chat(&headers, &body, &mut violations);
        } else if path.ends_with("/messages") {
            check_messages(&headers, &body, &mut violations);
        } else if !path.contains("/models/gemini") && !path.ends_with("/v1/models") {
            violations.push(format!("no such path: {path}"));
        }
        shared.seen.push(Seen { path, headers, body });
        shared.violations.extend(violations);
        shared.replies.pop_front()
    };
    match reply {
        Some(Reply::Hang) => std::future::pending().await,
        Some(Reply::Page(status, page)) => {
            respond(status, &[("content-type", "text/html".to_owned())], page.into())
        }
        Some(Reply::Status(status, mut headers, body)) => {
            headers.push(("content-type", "application/json".to_owned()));
            respond(status, &headers, body.to_string().into())
        }
        Some(Reply::Stream(steps)) => {
            let pieces = futures::stream::unfold(VecDeque::from(steps), |mut steps| async move {
                loop {
                    match steps.pop_front()? {
                        Step::Send(bytes) => {
                            // Lets each piece leave in a packet of its own.
                            tokio::time::sleep(Duration::from_millis(3)).await;
                            return Some((Ok(Bytes::from(bytes)), steps));
                        }
                        Step::Pause(millis) => tokio::time::sleep(Duration::from_millis(millis)).await,
                        Step::Cut => return Some((Err(std::io::Error::other("cut")), VecDeque::new())),
                    }
                }
            });
            respond(200, &[("content-type", "text/event-stream".to_owned())], Body::from_stream(pieces))
        }
        None => respond(418, &[], "the script has no reply for this".into()),
    }
}

fn respond(status: u16, headers: &[(&'static str, String)], body: Body) -> Response {
    let mut response = Response::builder().status(StatusCode::from_u16(status).unwrap());
    for (name, value) in headers {
        response = response.header(*name, value);
    }
    response.body(body).unwrap()
}

fn only_known(body: &Value, known: &[&str], violations: &mut Vec<String>) {
    for field in body.as_object().into_iter().flatten().map(|(field, _)| field) {
        if !known.contains(&field.as_str()) {
            violations.push(format!("unknown field {field}"));
        }
    }
}

fn check_chat(headers: &HeaderMap, body: &Value, violations: &mut Vec<String>) {
    let known = [
        "model",
        "messages",
        "tools",
        "stream",
        "stream_options",
        "reasoning_effort",
        "cache_control",
        "prompt_cache_retention",
        "prompt_cache_key",
        "max_tokens",
    ];
    only_known(body, &known, violations);
    if !headers.get("authorization").is_some_and(|value| value.to_str().unwrap().starts_with("Bearer ")) {
        violations.push("no bearer token".to_owned());
    }
    let mut open: HashSet<String> = HashSet::new();
    let mut last_role = "";
    let messages = body["messages"].as_array().cloned().unwrap_or_default();
    for (at, message) in messages.iter().enumerate() {
        let role = message["role"].as_str().unwrap_or_default();
        if role == "tool" {
            if !open.remove(message["tool_call_id"].as_str().unwrap_or_default()) {
                violations.push(format!("message {at} answers no call"));
            }
        } else if !open.is_empty() {
            violations.push(format!("message {at} comes before results of {open:?}"));
        } else if role == last_role || (role == "system" && at > 0) {
            violations.push(format!("message {at}: two {role} messages in a row, or a late system message"));
        }
        if role != "assistant" && message["content"].as_str().is_none_or(str::is_empty) && role != "tool" {
            violations.push(format!("message {at} is empty"));
        }
        for call in message["tool_calls"].as_array().into_iter().flatten() {
            let arguments: Value =
                serde_json::from_str(call["function"]["arguments"].as_str().unwrap_or_default())
                    .unwrap_or_default();
            if !arguments.is_object() || !open.insert(call["id"].as_str().unwrap_or_default().to_owned()) {
                violations.push(format!("message {at}: bad call {call}"));
            }
        }
        last_role = if role == "tool" { "" } else { role };
    }
    if !open.is_empty() || last_role == "assistant" || messages.is_empty() {
        violations.push("the last message is not somebody else's".to_owned());
    }
}

fn check_messages(headers: &HeaderMap, body: &Value, violations: &mut Vec<String>) {
    let known = ["model", "messages", "system", "tools", "stream", "max_tokens", "thinking", "output_config"];
    only_known(body, &known, violations);
    if !headers.contains_key("x-api-key") || !headers.contains_key("anthropic-version") {
        violations.push("key or version is missing".to_owned());
    }
    if body["max_tokens"].as_u64().is_none() {
        violations.push("max_tokens is missing".to_owned());
    }
    let mut open: HashSet<String> = HashSet::new();
    let mut expected = "user";
    for (at, message) in body["messages"].as_array().into_iter().flatten().enumerate() {
        if message["role"] != expected {
            violations.push(format!("message {at} should be the {expected}'s"));
        }
        expected = if expected == "user" { "assistant" } else { "user" };
        let blocks = match &message["content"] {
            Value::String(text) => vec![json!({ "type": "text", "text": text })],
            Value::Array(blocks) => blocks.clone(),
            _ => vec![],
        };
        let mut results_are_over = false;
        for block in &blocks {
            match block["type"].as_str().unwrap_or_default() {
                "tool_result" if results_are_over => {
                    violations.push(format!("message {at}: results come first"))
                }
                "tool_result" if !open.remove(block["tool_use_id"].as_str().unwrap_or_default()) => {
                    violations.push(format!("message {at} answers no call"));
                }
                "text" if block["text"].as_str().is_none_or(|text| text.trim().is_empty()) => {
                    violations.push(format!("message {at} has an empty text"));
                }
                "tool_use" => {
                    let id = block["id"].as_str().unwrap_or_default().to_owned();
                    let plain = |letter: char| letter.is_ascii_alphanumeric() || "_-".contains(letter);
                    if id.is_empty()
                        || !id.chars().all(plain)
                        || !block["input"].is_object()
                        || !open.insert(id)
                    {
                        violations.push(format!("message {at}: bad call {block}"));
                    }
                }
                "thinking" if block["signature"].as_str().is_none_or(str::is_empty) => {
                    violations.push(format!("message {at}: thinking without signature"));
                }
                _ => {}
            }
            results_are_over |= block["type"] != "tool_result";
        }
        if message["role"] == "user" && !open.is_empty() {
            violations.push(format!("message {at} leaves {open:?} without result"));
        }
        if blocks.is_empty() {
            violations.push(format!("message {at} is empty"));
        }
    }
    if expected == "user" {
        violations.push("the last message is not the user's".to_owned());
    }
}

/// A `data:` frame.
pub fn data(value: &Value) -> Step {
    Step::Send(format!("data: {value}\n\n").into_bytes())
}

/// A frame with an event name, as Anthropic sends them.
pub fn event(value: &Value) -> Step {
    Step::Send(format!("event: {}\ndata: {value}\n\n", value["type"].as_str().unwrap()).into_bytes())
}

/// A chat-completions delta.
pub fn delta(delta: &Value) -> Step {
    data(&json!({ "id": "c", "choices": [{ "index": 0, "delta": delta, "finish_reason": null }] }))
}

/// The end of a chat-completions stream: reason, usage, terminator.
pub fn chat_end(reason: &str, usage: &Value) -> Vec<Step> {
    vec![
        data(&json!({ "id": "c", "choices": [{ "index": 0, "delta": {}, "finish_reason": reason }] })),
        data(&json!({ "id": "c", "choices": [], "usage": usage })),
        Step::Send(b"data: [DONE]\n\n".to_vec()),
    ]
}

/// A whole chat-completions stream.
pub fn chat(deltas: &[Value], reason: &str) -> Reply {
    let usage = json!({ "prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15 });
    Reply::Stream(deltas.iter().map(delta).chain(chat_end(reason, &usage)).collect())
}

/// A chat-completions stream that only says something.
pub fn chat_text(text: &str) -> Reply {
    chat(&[json!({ "role": "assistant", "content": text })], "stop")
}
