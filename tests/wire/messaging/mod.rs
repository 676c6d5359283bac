//! Notices on their way to Slack: what is posted, what is tried again, what a restart loses (nothing).

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use ml_intern::clock::{Clock, Timestamp};
use ml_intern::config::MessagingConfig;
use ml_intern::messaging::{Gateway, HttpSlackPost, NotifyError, Outcome};
use ml_intern::protocol::{Notice, Severity};
use ml_intern::secret::Secret;
use ml_intern::store::embedded::Embedded;
use ml_intern::store::{Pushed, Store};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

mod auto;
mod tool;

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
