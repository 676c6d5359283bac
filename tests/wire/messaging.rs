//! Notices on their way to Slack: what is posted, what is tried again, what a restart loses (nothing).

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use ml_intern::agent::tool::{CallContext, Ownership, Place, Progress, Tool, ToolError};
use ml_intern::clock::{Clock, Timestamp};
use ml_intern::config::{AutoEvent, MessagingConfig};
use ml_intern::messaging::{AutoNotices, Gateway, HttpSlackPost, NotifyError, Outcome};
use ml_intern::protocol::{
    Actor, ApprovalRequest, Approvers, AskedCall, Door, Event, Notice, Origin, SessionHead, Severity, Usage,
};
use ml_intern::secret::Secret;
use ml_intern::store::embedded::Embedded;
use ml_intern::store::{Pushed, Store};
use ml_intern::tools::NotifyTool;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// One answer of the scripted Slack.
enum Answer {
    Status(u16),
    RetryAfter(u64),
    Body(Value),
    Never,
}

/// A Slack that answers from a script, then with `ok`, and keeps what it was sent.
#[derive(Clone, Default)]
struct ScriptedSlack {
    script: Arc<Mutex<VecDeque<Answer>>>,
    seen: Arc<Mutex<Vec<(HeaderMap, Value)>>>,
}

impl ScriptedSlack {
    async fn start(script: impl IntoIterator<Item = Answer>) -> (Self, String) {
        let slack = Self { script: Arc::new(Mutex::new(script.into_iter().collect())), ..Self::default() };
        let app = axum::Router::new()
            .route("/api/chat.postMessage", axum::routing::post(post_message))
            .with_state(slack.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/api/", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        (slack, url)
    }

    fn texts(&self) -> Vec<String> {
        self.seen.lock().unwrap().iter().map(|(_, body)| body["text"].as_str().unwrap().to_owned()).collect()
    }

    fn posts(&self) -> usize {
        self.seen.lock().unwrap().len()
    }
}

async fn post_message(
    State(slack): State<ScriptedSlack>,
    headers: HeaderMap,
    body: String,
) -> axum::response::Response {
    slack.seen.lock().unwrap().push((headers, serde_json::from_str(&body).unwrap()));
    let answer = slack.script.lock().unwrap().pop_front();
    match answer {
        None => axum::Json(json!({"ok": true, "ts": "1700000000.000100"})).into_response(),
        Some(Answer::Body(body)) => axum::Json(body).into_response(),
        Some(Answer::Status(status)) => (StatusCode::from_u16(status).unwrap(), "oops").into_response(),
        Some(Answer::RetryAfter(seconds)) => {
            (StatusCode::TOO_MANY_REQUESTS, [("retry-after", seconds.to_string())], "").into_response()
        }
        Some(Answer::Never) => std::future::pending().await,
    }
}

/// A gateway on a store of its own.
struct Office {
    dir: tempfile::TempDir,
    clock: Clock,
    slack: ScriptedSlack,
    url: String,
    gateway: Arc<Gateway>,
}

fn destinations() -> MessagingConfig {
    serde_json::from_value(json!({"enabled": true, "destinations": {
        "ops": {"provider": "slack", "token": "xoxb-ops-secret-1", "channel": "C1", "allow_agent_tool": true,
                "username": "intern", "icon_emoji": ":robot_face:"},
        "auto": {"provider": "slack", "token": "xoxb-auto-secret-2", "channel": "C2", "allow_auto_events": true},
    }}))
    .unwrap()
}

fn open(dir: &Path, url: &str, clock: &Clock) -> Arc<Gateway> {
    let store: Arc<dyn Store> = Embedded::open(dir, clock.clone()).unwrap();
    let post = Arc::new(HttpSlackPost::new(url).unwrap());
    let gateway = Gateway::new(&destinations(), store, clock.clone(), post);
    Arc::new(gateway.keeping_secret(vec![Secret::new("hf_configured")]))
}

impl Office {
    async fn open(script: impl IntoIterator<Item = Answer>) -> Self {
        ml_intern::clients::http::install_tls();
        let (slack, url) = ScriptedSlack::start(script).await;
        let dir = tempfile::tempdir().unwrap();
        let clock = Clock::manual(Timestamp(1_700_000_000_000));
        let gateway = open(dir.path(), &url, &clock);
        Self { dir, clock, slack, url, gateway }
    }

    /// The program ends and starts again on the same data.
    fn restart(self) -> Self {
        let Self { dir, clock, slack, url, gateway } = self;
        drop(gateway);
        let gateway = open(dir.path(), &url, &clock);
        Self { dir, clock, slack, url, gateway }
    }

    async fn queues(&self, id: &str) -> Pushed {
        self.gateway.notify("ops", notice("Body"), id).await.unwrap()
    }

    /// Moves time on and delivers what is due; gives how many posts Slack has seen in all.
    async fn after(&self, seconds: u64) -> usize {
        self.clock.advance(Duration::from_secs(seconds));
        self.gateway.drain().await.unwrap();
        self.slack.posts()
    }

    async fn outcome(&self, id: &str) -> Outcome {
        self.gateway.outcome(id, Duration::ZERO).await.unwrap()
    }
}

fn notice(message: &str) -> Notice {
    Notice {
        title: Some("Title".to_owned()),
        severity: Severity::Warning,
        message: message.to_owned(),
        metadata: vec![("k".to_owned(), "v".to_owned())],
        link: Some("https://x.slack.com/archives/C9/p1".to_owned()),
    }
}

#[tokio::test]
async fn a_notice_is_posted_with_just_these_fields() {
    let office = Office::open([]).await;
    office.queues("n1").await;
    assert_eq!(office.after(0).await, 1);
    let (headers, body) = office.slack.seen.lock().unwrap()[0].clone();
    assert_eq!(headers["authorization"], "Bearer xoxb-ops-secret-1");
    assert_eq!(headers["content-type"], "application/json; charset=utf-8");
    assert_eq!(
        body,
        json!({
            "channel": "C1",
            "text": "[WARNING] Title\nBody\nk: v\n<https://x.slack.com/archives/C9/p1|Open the conversation>",
            "mrkdwn": true,
            "unfurl_links": false,
            "unfurl_media": false,
            "username": "intern",
            "icon_emoji": ":robot_face:",
        })
    );
    assert_eq!(office.outcome("n1").await, Outcome::Sent);
}

#[tokio::test]
async fn trouble_that_passes_is_tried_again_later_and_later() {
    let passing = [
        Answer::Status(503),
        Answer::Body(json!({"ok": false, "error": "ratelimited"})),
        Answer::Status(500),
    ];
    let office = Office::open(passing).await;
    office.queues("n1").await;
    assert_eq!(office.after(0).await, 1);
    assert_eq!(office.after(0).await, 1, "not before a second has passed");
    assert_eq!(office.after(1).await, 2);
    assert_eq!(office.after(1).await, 2);
    assert_eq!(office.after(1).await, 3);
    assert_eq!(office.outcome("n1").await, Outcome::Open);
    assert_eq!(office.after(4).await, 4);
    assert_eq!(office.outcome("n1").await, Outcome::Sent);
    assert_eq!(office.after(10_000).await, 4, "what arrived is not sent again");
}

#[tokio::test]
async fn slack_decides_how_long_to_wait() {
    let office = Office::open([Answer::RetryAfter(7)]).await;
    office.queues("n1").await;
    assert_eq!(office.after(0).await, 1);
    assert_eq!(office.after(6).await, 1);
    assert_eq!(office.after(1).await, 2);
    assert_eq!(office.outcome("n1").await, Outcome::Sent);
}

#[tokio::test]
async fn what_stands_behind_a_notice_that_must_wait_waits_with_it() {
    let office = Office::open([Answer::RetryAfter(30)]).await;
    for id in ["n1", "n2", "n3"] {
        office.queues(id).await;
    }
    assert_eq!(office.after(0).await, 1, "one call is enough to learn it");
    assert_eq!(office.after(29).await, 1);
    assert_eq!(office.after(1).await, 4);
}

#[tokio::test]
async fn what_can_never_arrive_is_told_and_not_tried_again() {
    let refusals = [Answer::Body(json!({"ok": false, "error": "channel_not_found"})), Answer::Status(403)];
    let office = Office::open(refusals).await;
    office.queues("n1").await;
    office.after(0).await;
    office.queues("n2").await;
    office.after(0).await;
    let Outcome::Failed(why) = office.outcome("n1").await else { panic!("it failed") };
    assert!(why.starts_with("Slack said channel_not_found: check the channel's id"), "{why}");
    assert_eq!(office.outcome("n2").await, Outcome::Failed("Slack answered with HTTP status 403".to_owned()));
    assert_eq!(office.after(100_000).await, 2);
}

#[tokio::test]
async fn a_destination_that_is_down_for_good_is_given_up() {
    let office = Office::open((0..40).map(|_| Answer::Status(500))).await;
    office.queues("n1").await;
    let mut posts = 0;
    for _ in 0..40 {
        posts = office.after(600).await;
    }
    assert_eq!(posts, 18);
    let Outcome::Failed(why) = office.outcome("n1").await else { panic!("it was given up") };
    assert!(why.starts_with("given up after 18 tries: Slack could not be reached"), "{why}");
}

#[tokio::test]
async fn a_restart_loses_no_notice_and_repeats_none() {
    let office = Office::open([Answer::Status(503)]).await;
    office.queues("n1").await;
    office.queues("n2").await;
    assert_eq!(office.after(0).await, 2);
    let office = office.restart();
    assert_eq!(office.after(1).await, 3, "the one that failed");
    assert_eq!(office.queues("n1").await, Pushed::Seen);
    assert_eq!(office.after(1_000).await, 3);
    assert_eq!(office.outcome("n1").await, Outcome::Sent);
}

#[tokio::test]
async fn secrets_do_not_leave_with_a_notice() {
    let office = Office::open([]).await;
    let leaky = notice("HF_TOKEN=abc xoxb-auto-secret-2 hf_configured `PASSWORD = \"x\"` <!channel>");
    office.gateway.notify("ops", leaky, "n1").await.unwrap();
    office.after(0).await;
    let text = office.slack.texts().remove(0);
    for secret in ["abc", "xoxb", "hf_configured", "\"x\"", "<!"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
}

#[tokio::test]
async fn an_unknown_destination_and_messaging_that_is_off_take_nothing() {
    let office = Office::open([]).await;
    let unknown = office.gateway.notify("nobody", notice("x"), "n1").await;
    assert!(matches!(unknown, Err(NotifyError::Unknown(name)) if name == "nobody"));
    let store: Arc<dyn Store> =
        Embedded::open(tempfile::tempdir().unwrap().path(), office.clock.clone()).unwrap();
    let post = Arc::new(HttpSlackPost::new(&office.url).unwrap());
    let config = MessagingConfig { enabled: false, ..destinations() };
    let off = Gateway::new(&config, store, office.clock.clone(), post);
    assert!(off.notify("ops", notice("x"), "n1").await.is_err());
    assert!(off.for_agent().is_empty() && off.for_events().is_empty());
}

#[tokio::test]
async fn the_loop_delivers_by_itself_and_ends_when_told() {
    let office = Office::open([]).await;
    let cancel = CancellationToken::new();
    let (gateway, token) = (Arc::clone(&office.gateway), cancel.clone());
    let looping = tokio::spawn(async move { gateway.run(token).await });
    office.queues("n1").await;
    let outcome = office.gateway.outcome("n1", Duration::from_secs(10)).await.unwrap();
    assert_eq!(outcome, Outcome::Sent);
    cancel.cancel();
    tokio::time::timeout(Duration::from_secs(2), looping).await.unwrap().unwrap();
}

fn session() -> SessionHead {
    let origin = Origin { door: Door::Terminal, place: Value::Null };
    let mut session = SessionHead::new("s1".into(), origin, Timestamp(0));
    session.title = Some("Train a model".to_owned());
    session
}

fn complete(turn: &str, answer: &str) -> Event {
    Event::TurnComplete {
        turn: turn.into(),
        history_size: 2,
        final_response: Some(answer.to_owned()),
        elapsed_ms: 1,
        steps: 1,
        usage: Usage::default(),
        limit_reached: false,
    }
}

fn approval(id: &str) -> Event {
    let call = |call: &str, tool: &str| AskedCall {
        call: call.into(),
        tool: tool.to_owned(),
        arguments: json!({}),
        title: String::new(),
        preview: String::new(),
        language: "sh".to_owned(),
        reasons: Vec::new(),
        cost: None,
        alike: None,
        editable: None,
    };
    Event::ApprovalRequired(ApprovalRequest {
        id: id.into(),
        turn: "t1".into(),
        calls: vec![call("c1", "bash"), call("c2", "write"), call("c3", "bash")],
        digest: String::new(),
        asked_at: Timestamp(0),
        expires_at: Timestamp(1),
        approvers: Approvers::Anyone,
    })
}

#[tokio::test]
async fn events_send_notices_only_where_that_is_allowed_and_only_once() {
    let office = Office::open([]).await;
    let kinds = vec![AutoEvent::ApprovalRequired, AutoEvent::Error, AutoEvent::TurnComplete];
    let auto = AutoNotices::new(Arc::clone(&office.gateway), kinds, "anthropic/claude");
    let (session, link) = (session(), Some("https://x.slack.com/p1"));
    let long = "x".repeat(1_204);
    let error = Event::Error { turn: Some("t1".into()), error: "E".repeat(600), hint: None, retry: true };
    for event in [approval("a1"), approval("a1"), error, complete("t1", &long), complete("t1", &long)] {
        auto.on_event(&event, &session, link).await;
    }
    auto.on_event(&Event::AssistantMessage { content: "hello".to_owned() }, &session, link).await;
    office.after(0).await;
    let texts = office.slack.texts();
    assert_eq!(texts.len(), 3, "{texts:?}");
    assert_eq!(
        texts[0],
        "[WARNING] Approval needed: Train a model\nSession ID: s1\n3 calls are waiting for an answer: bash, write.\n\
         session_id: s1\nmodel: anthropic/claude\nevent_type: approval_required\n\
         <https://x.slack.com/p1|Open the conversation>"
    );
    assert!(texts[1].contains(&"E".repeat(499)) && !texts[1].contains(&"E".repeat(501)), "{}", texts[1]);
    assert!(texts[2].starts_with("[SUCCESS] Task complete") && texts[2].contains(&long));
    let channels: Vec<Value> =
        office.slack.seen.lock().unwrap().iter().map(|(_, body)| body["channel"].clone()).collect();
    assert_eq!(channels, [json!("C2"), json!("C2"), json!("C2")], "only where events are allowed");
    auto.on_event(&approval("a2"), &session, None).await;
    assert_eq!(office.after(0).await, 4, "the next question of the same turn is news");
}

#[tokio::test]
async fn events_that_are_not_configured_send_nothing() {
    let office = Office::open([]).await;
    let auto = AutoNotices::new(Arc::clone(&office.gateway), vec![AutoEvent::Error], "m");
    auto.on_event(&complete("t1", "done"), &session(), None).await;
    assert_eq!(office.after(0).await, 0);
}

struct Nobody;

impl Progress for Nobody {
    fn line(&self, _: &str) {}
}

fn context(cancel: &CancellationToken) -> CallContext {
    CallContext {
        call: "c1".into(),
        turn: "t1".into(),
        place: Place {
            session: "s1".into(),
            door: Door::Slack,
            workspace: std::env::temp_dir(),
            ownership: Ownership::Session,
        },
        requester: Actor { id: "U1".into(), name: "Ann".to_owned() },
        model: "anthropic/claude".to_owned(),
        progress: Arc::new(Nobody),
        cancel: cancel.clone(),
    }
}

/// A desk with the tool on it and the delivery loop running.
async fn desk(script: impl IntoIterator<Item = Answer>) -> (Office, NotifyTool, CancellationToken) {
    let office = Office::open(script).await;
    let (gateway, cancel) = (Arc::clone(&office.gateway), CancellationToken::new());
    let token = cancel.clone();
    tokio::spawn(async move { gateway.run(token).await });
    let tool = NotifyTool::new(Arc::clone(&office.gateway));
    (office, tool, cancel)
}

#[tokio::test]
async fn the_tool_sends_and_says_so_for_each_destination() {
    let (office, tool, cancel) = desk([]).await;
    assert!(tool.spec().description.ends_with("Destinations: ops."));
    let arguments = json!({"destinations": [" ops ", "ops"], "message": "**Done**", "title": "Job", "severity": "success"});
    let outcome = tool.call(arguments.clone(), context(&cancel)).await.unwrap();
    assert_eq!((outcome.output.as_str(), outcome.success), ("ops: sent", true));
    assert_eq!(office.slack.texts(), ["[SUCCESS] Job\n*Done*\nsession_id: s1\nmodel: anthropic/claude"]);
    // The same call, taken up again after a crash, sends nothing more.
    tool.call(arguments, context(&cancel)).await.unwrap();
    assert_eq!(office.slack.posts(), 1);
}

#[tokio::test]
async fn the_tool_refuses_the_whole_call_when_one_destination_is_not_open_to_it() {
    let (office, tool, cancel) = desk([]).await;
    for (names, said) in [
        (json!(["ops", "auto"]), "nothing was sent, because `auto` is unknown or not open to you"),
        (json!(["auto", "nobody"]), "because `auto`, `nobody` are unknown"),
        (json!([" "]), "`destinations` is empty. The destinations that you may use: ops."),
    ] {
        let error =
            tool.call(json!({"destinations": names, "message": "x"}), context(&cancel)).await.unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
    }
    let empty = tool.call(json!({"destinations": ["ops"], "message": " "}), context(&cancel)).await;
    assert!(matches!(empty, Err(ToolError::Arguments(_))));
    assert_eq!(office.slack.posts(), 0);
}

#[tokio::test]
async fn the_tool_tells_a_failure_and_lets_go_when_stopped() {
    let refused = Answer::Body(json!({"ok": false, "error": "not_in_channel"}));
    let (office, tool, cancel) = desk([refused, Answer::Never]).await;
    let arguments = json!({"destinations": ["ops"], "message": "x"});
    let outcome = tool.call(arguments.clone(), context(&cancel)).await.unwrap();
    assert!(!outcome.success);
    assert_eq!(outcome.output, "ops: failed (Slack said not_in_channel: invite the bot to the channel)");
    let stop = CancellationToken::new();
    let mut stopped = context(&stop);
    stopped.call = "c2".into();
    let call = tokio::spawn(async move { tool.call(arguments, stopped).await });
    while office.slack.posts() < 2 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    stop.cancel();
    let ended = tokio::time::timeout(Duration::from_secs(1), call).await.unwrap().unwrap();
    assert!(matches!(ended, Err(ToolError::Cancelled)));
}
