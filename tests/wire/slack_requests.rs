//! What our client puts on the wire, compared with what Slack's official Python client sends.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method as Verb, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use ml_intern::clients::slack::{
    Method, Outgoing, Priority, Retry, Scheduler, Sharing, SlackApi, SlackError, Upload,
};
use ml_intern::config::SlackConfig;
use ml_intern::random::Random;
use ml_intern::secret::Secret;
use serde_json::{Value, json};

#[derive(Debug, Clone)]
struct Seen {
    verb: String,
    path: String,
    query: Value,
    kind: String,
    token: Option<String>,
    body: Value,
}

/// Status, Retry-After in seconds, body.
type Canned = (u16, Option<u64>, Value);

#[derive(Clone, Default)]
struct Recorder {
    seen: Arc<Mutex<Vec<Seen>>>,
    /// Answers to give first.
    answers: Arc<Mutex<Vec<Canned>>>,
    base: Arc<Mutex<String>>,
}

impl Recorder {
    async fn start() -> (Self, Arc<SlackApi>) {
        ml_intern::clients::http::install_tls();
        let recorder = Self::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        recorder.base.lock().unwrap().clone_from(&base);
        let app = Router::new().fallback(record).with_state(recorder.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        let config = SlackConfig {
            api_url: format!("{base}/api/"),
            bot_token: Some(Secret::new("xoxb-1")),
            app_token: Some(Secret::new("xapp-1")),
            ..SlackConfig::default()
        };
        (recorder, Arc::new(SlackApi::new(&config).unwrap()))
    }

    fn answer_first(&self, answers: impl IntoIterator<Item = Canned>) {
        self.answers.lock().unwrap().extend(answers);
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

async fn record(
    State(recorder): State<Recorder>,
    verb: Verb,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let text = String::from_utf8(body.to_vec()).unwrap();
    let query: serde_json::Map<String, Value> = uri
        .query()
        .unwrap_or_default()
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect();
    recorder.seen.lock().unwrap().push(Seen {
        verb: verb.to_string(),
        path: uri.path().to_owned(),
        query: Value::Object(query),
        kind: header("content-type").unwrap_or_default(),
        token: header("authorization"),
        body: serde_json::from_str(&text).unwrap_or(Value::String(text)),
    });
    let mut answers = recorder.answers.lock().unwrap();
    if !answers.is_empty() {
        let (status, after, body) = answers.remove(0);
        let mut response = (StatusCode::from_u16(status).unwrap(), axum::Json(body)).into_response();
        if let Some(after) = after {
            response.headers_mut().insert("retry-after", after.into());
        }
        return response;
    }
    let base = recorder.base.lock().unwrap().clone();
    axum::Json(json!({
        "ok": true, "ts": "9.9", "url": "ws://127.0.0.1:1/", "file_id": "F1", "upload_url": format!("{base}/upload/F1"),
        "user_id": "UB", "bot_id": "B1", "team_id": "T1", "team": "Team", "user": "bot",
    }))
    .into_response()
}

fn scheduler(api: &Arc<SlackApi>) -> Scheduler {
    Scheduler::new(Arc::clone(api), Random::seeded(3))
}

fn post(channel: &str, retry: Retry) -> Outgoing {
    Outgoing {
        method: Method::PostMessage,
        priority: Priority::Final,
        channel: Some(channel.into()),
        arguments: json!({ "channel": channel, "text": "x" }),
        retry,
    }
}

/// The calls of the official client (slack_sdk 3.47.0), its bodies as objects. Where it posts a form, a
/// query says the same to Slack.
fn recorded() -> Vec<(Method, &'static str, Value)> {
    let section = json!([{ "type": "section", "text": { "type": "mrkdwn", "text": "x" } }]);
    vec![
        (Method::AuthTest, "json", json!({})),
        (Method::ConnectionsOpen, "json", json!({})),
        (
            Method::PostMessage,
            "json",
            json!({ "channel": "C1", "text": "é<>&", "blocks": section, "thread_ts": "1.1", "unfurl_links": false,
                "metadata": { "event_type": "e", "event_payload": { "a": 1 } } }),
        ),
        (Method::Update, "json", json!({ "channel": "C1", "ts": "1.1", "text": "y", "blocks": section })),
        (Method::Delete, "json", json!({ "channel": "C1", "ts": "1.1" })),
        (Method::PostEphemeral, "json", json!({ "channel": "C1", "user": "U1", "text": "z" })),
        (Method::Replies, "query", json!({ "channel": "C1", "ts": "1.1", "cursor": "abc", "limit": 2 })),
        (Method::ConversationInfo, "query", json!({ "channel": "C1" })),
        (Method::UsersInfo, "query", json!({ "user": "U1" })),
        (Method::ReactionsAdd, "json", json!({ "channel": "C1", "name": "eyes", "timestamp": "1.1" })),
        (
            Method::ViewsOpen,
            "json",
            json!({ "trigger_id": "t", "view": { "type": "modal", "title": { "type": "plain_text", "text": "T" }, "blocks": [] } }),
        ),
        (
            Method::StartStream,
            "json",
            json!({ "channel": "C1", "thread_ts": "1.1", "markdown_text": "a", "recipient_team_id": "T1", "recipient_user_id": "U1" }),
        ),
        (Method::AppendStream, "json", json!({ "channel": "C1", "ts": "1.2", "markdown_text": "b" })),
        (
            Method::StopStream,
            "json",
            json!({ "channel": "C1", "ts": "1.2", "markdown_text": "c", "blocks": section }),
        ),
        (
            Method::ThreadSetStatus,
            "json",
            json!({ "channel_id": "C1", "thread_ts": "1.1", "status": "thinking", "loading_messages": ["a", "b"] }),
        ),
    ]
}

#[tokio::test]
async fn requests_say_what_the_official_clients_say() {
    let (recorder, api) = Recorder::start().await;
    for (method, encoding, arguments) in recorded() {
        api.call(method, &arguments).await.unwrap();
        let seen = recorder.seen().pop().unwrap();
        assert_eq!(seen.path, format!("/api/{}", method.name()));
        let token = if method == Method::ConnectionsOpen { "Bearer xapp-1" } else { "Bearer xoxb-1" };
        assert_eq!(seen.token.as_deref(), Some(token));
        if encoding == "json" {
            assert_eq!(seen.verb, "POST", "{method:?}");
            assert!(
                seen.kind.to_lowercase().replace(' ', "").starts_with("application/json;charset=utf-8"),
                "{}",
                seen.kind
            );
            assert_eq!(seen.body, arguments, "{method:?}");
        } else {
            assert_eq!(seen.verb, "GET", "{method:?}");
            let wanted: serde_json::Map<String, Value> = arguments
                .as_object()
                .unwrap()
                .iter()
                .map(|(name, value)| {
                    (name.clone(), json!(value.as_str().map_or(value.to_string(), str::to_owned)))
                })
                .collect();
            assert_eq!(seen.query, Value::Object(wanted), "{method:?}");
        }
    }
}

#[tokio::test]
async fn a_file_goes_up_in_three_steps_and_its_address_gets_no_token() {
    let (recorder, api) = Recorder::start().await;
    let upload = Upload {
        channel: "C1".into(),
        thread_ts: "1.1".into(),
        name: "a.txt".into(),
        title: "T".into(),
        content: "hello".into(),
        sharing: Sharing::Thread,
    };
    assert_eq!(scheduler(&api).upload(&upload).await.unwrap(), "F1");
    let seen = recorder.seen();
    let paths: Vec<&str> = seen.iter().map(|it| it.path.as_str()).collect();
    assert_eq!(paths, ["/api/files.getUploadURLExternal", "/upload/F1", "/api/files.completeUploadExternal"]);
    assert_eq!(seen[0].query, json!({ "filename": "a.txt", "length": "5" }));
    assert_eq!((seen[1].token.as_deref(), &seen[1].body), (None, &json!("hello")));
    assert_eq!(
        seen[2].body,
        json!({ "files": [{ "id": "F1", "title": "T" }], "channel_id": "C1", "thread_ts": "1.1" })
    );
}

#[tokio::test]
async fn errors_are_told_apart_and_never_carry_what_was_sent() {
    let (recorder, api) = Recorder::start().await;
    recorder.answer_first([
        (200, None, json!({ "ok": false, "error": "invalid_blocks", "response_metadata": { "messages": ["[ERROR] too long [json-pointer:/blocks/0]"] } })),
        (429, Some(7), json!({ "ok": false, "error": "ratelimited" })),
        (500, None, json!("secret words")),
        (200, None, json!({ "ok": false, "error": "missing_scope", "needed": "chat:write", "provided": "none" })),
    ]);
    let mut errors = Vec::new();
    for _ in 0..4 {
        errors.push(api.call(Method::PostMessage, &json!({ "text": "secret words" })).await.unwrap_err());
    }
    assert_eq!(
        errors,
        [
            SlackError::Api {
                error: "invalid_blocks".into(),
                detail: Some("[ERROR] too long [json-pointer:/blocks/0]".into())
            },
            SlackError::RateLimited { retry_after: Duration::from_secs(7) },
            SlackError::Transport("HTTP 500 Internal Server Error".into()),
            SlackError::Api {
                error: "missing_scope".into(),
                detail: Some("missing scope: chat:write".into())
            },
        ]
    );
    assert!(!format!("{errors:?}").contains("secret words"));
}

#[tokio::test]
async fn retry_after_is_kept_to_for_its_channel_and_others_go_on() {
    let (recorder, api) = Recorder::start().await;
    let scheduler = scheduler(&api);
    recorder.answer_first([(429, Some(1), json!({ "ok": false, "error": "ratelimited" }))]);
    let start = tokio::time::Instant::now();
    let slow = tokio::spawn({
        let scheduler = scheduler.clone();
        async move { scheduler.call(post("C1", Retry::MustArrive)).await }
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    scheduler.call(post("C2", Retry::MustArrive)).await.unwrap();
    assert!(start.elapsed() < Duration::from_millis(900), "another channel does not wait");
    let impatient = scheduler.call(post("C1", Retry::Within(Duration::from_millis(50)))).await;
    assert!(matches!(impatient, Err(SlackError::RateLimited { .. })), "{impatient:?}");
    slow.await.unwrap().unwrap();
    assert!(start.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn what_shows_nothing_twice_is_repeated_and_a_post_is_not() {
    let (recorder, api) = Recorder::start().await;
    let scheduler = scheduler(&api);
    recorder.answer_first([(502, None, json!({})), (503, None, json!({}))]);
    let update = Outgoing { method: Method::Update, ..post("C1", Retry::MustArrive) };
    scheduler.call(update).await.unwrap();
    assert_eq!(recorder.seen().len(), 3);
    recorder.answer_first([(502, None, json!({}))]);
    let lost = scheduler.call(post("C1", Retry::MustArrive)).await;
    assert!(matches!(lost, Err(SlackError::Transport(_))), "{lost:?}");
    assert_eq!(recorder.seen().len(), 4);
}

#[tokio::test]
async fn answers_go_ahead_of_progress_and_a_dropped_call_leaves_the_queue() {
    let (recorder, api) = Recorder::start().await;
    let scheduler = scheduler(&api);
    for _ in 0..5 {
        scheduler.call(post("C1", Retry::MustArrive)).await.unwrap();
    }
    // The burst is spent: what comes now waits for its second.
    let send = |priority, name: &'static str| {
        let scheduler = scheduler.clone();
        let mut outgoing = post("C1", Retry::MustArrive);
        outgoing.priority = priority;
        outgoing.arguments = json!({ "text": name });
        tokio::spawn(async move { scheduler.call(outgoing).await })
    };
    let progress = send(Priority::Progress, "progress");
    let given_up = send(Priority::Final, "given up");
    tokio::time::sleep(Duration::from_millis(50)).await;
    let answer = send(Priority::Final, "answer");
    given_up.abort();
    answer.await.unwrap().unwrap();
    progress.await.unwrap().unwrap();
    let order: Vec<Value> = recorder.seen().iter().skip(5).map(|it| it.body["text"].clone()).collect();
    assert_eq!(order, ["answer", "progress"]);
}
