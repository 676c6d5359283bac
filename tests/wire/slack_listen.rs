//! From a delivery to a durable operation, over Socket Mode and over signed HTTP.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use ml_intern::clients::slack::sign;
use ml_intern::clock::Clock;
use ml_intern::playground::Options;
use ml_intern::protocol::{Operation, OperationKind, Setting, Verdict};
use ml_intern::secret::Secret;
use ml_intern::slack::place::Place;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::slack_door::{CHANNEL, Hall, PATIENCE};

/// The hall with its socket open.
async fn listening() -> (Arc<Hall>, CancellationToken) {
    let hall = Arc::new(Hall::open().await);
    let cancel = CancellationToken::new();
    tokio::spawn({
        let (hall, cancel) = (hall.clone(), cancel.clone());
        async move { hall.door.run_socket(cancel).await }
    });
    assert!(hall.slack.connected(1, PATIENCE).await);
    (hall, cancel)
}

fn at(hall: &Hall, root: &str) -> Place {
    Place { thread_ts: root.to_owned(), ..hall.place() }
}

async fn operations(hall: &Hall, place: &Place, count: usize) -> Vec<Operation> {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let unread = hall.unread(place).await;
        if unread.len() >= count {
            return unread;
        }
        assert!(tokio::time::Instant::now() < deadline, "{unread:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_mention_becomes_one_operation_with_a_name_and_readable_words() {
    let (hall, cancel) = listening().await;
    let bob = hall.slack.person("bob").id();
    let root =
        hall.slack.person("alice").mentions(CHANNEL, &format!("ask <@{bob}> about a &lt; b")).await.unwrap();
    let place = at(&hall, &root);
    let unread = operations(&hall, &place, 1).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(hall.unread(&place).await.len(), 1, "app_mention and message are one");
    let OperationKind::Say { text, handle } = &unread[0].kind else { panic!("{unread:?}") };
    assert_eq!(text, "ask @bob about a < b");
    assert_eq!(handle["ts"], root.as_str());
    assert_eq!(unread[0].actor.name, "alice");
    assert_eq!(unread[0].id.as_str(), format!("slack:message:{}:{root}", place.channel));
    cancel.cancel();
}

#[tokio::test]
async fn in_a_thread_of_ours_replies_commands_and_stop_count_and_elsewhere_nothing_does() {
    let (hall, cancel) = listening().await;
    let (alice, bob) = (hall.slack.person("alice"), hall.slack.person("bob"));
    let foreign = alice.says(CHANNEL, None, "not for you").await.unwrap();
    bob.replies(CHANNEL, &foreign, "stop").await.unwrap();
    let root = alice.mentions(CHANNEL, "begin").await.unwrap();
    let place = at(&hall, &root);
    operations(&hall, &place, 1).await;
    bob.replies(CHANNEL, &root, "and more").await.unwrap();
    bob.replies(CHANNEL, &root, &format!("<@{}> what do you think?", alice.id())).await.unwrap();
    bob.replies(CHANNEL, &root, "!model org/model").await.unwrap();
    bob.replies(CHANNEL, &root, "!nonsense").await.unwrap();
    bob.replies(CHANNEL, &root, "Stop.").await.unwrap();
    hall.slack.person("alice").stops(CHANNEL, &root).await.ok();
    let kinds: Vec<OperationKind> =
        operations(&hall, &place, 4).await.into_iter().map(|it| it.kind).collect();
    let model = Setting::Model { role: ml_intern::protocol::Role::Main, id: Some("org/model".into()) };
    assert!(matches!(&kinds[1], OperationKind::Say { text, .. } if text == "and more"), "{kinds:?}");
    assert!(kinds.contains(&OperationKind::Set { setting: model }), "{kinds:?}");
    assert!(kinds.contains(&OperationKind::Stop), "{kinds:?}");
    assert_eq!(kinds.iter().filter(|it| matches!(it, OperationKind::Say { .. })).count(), 2, "{kinds:?}");
    let bob_id = bob.id();
    let told = hall
        .slack
        .until(PATIENCE, |state| {
            state
                .messages
                .values()
                .find(|it| it.ephemeral_to.as_deref() == Some(&bob_id))
                .map(|it| it.text.clone())
        })
        .await;
    assert!(told.unwrap().contains("!nonsense"));
    assert!(hall.unread(&at(&hall, &foreign)).await.is_empty());
    cancel.cancel();
}

#[tokio::test]
async fn a_direct_message_opens_a_session_in_its_own_thread() {
    let (hall, cancel) = listening().await;
    let (channel, ts) = hall.slack.person("alice").writes_directly("hello there").await.unwrap();
    let place = Place { channel, thread_ts: ts, ..hall.place() };
    let unread = operations(&hall, &place, 1).await;
    assert!(matches!(&unread[0].kind, OperationKind::Say { text, .. } if text == "hello there"));
    cancel.cancel();
}

#[tokio::test]
async fn people_who_may_not_talk_are_told_once() {
    let hall = Arc::new(
        Hall::with(Options::new(Clock::system()), |config| config.people = vec!["U0NOBODY".into()]).await,
    );
    let cancel = CancellationToken::new();
    tokio::spawn({
        let (hall, cancel) = (hall.clone(), cancel.clone());
        async move { hall.door.run_socket(cancel).await }
    });
    assert!(hall.slack.connected(1, PATIENCE).await);
    let alice = hall.slack.person("alice");
    let root = alice.mentions(CHANNEL, "train").await.unwrap();
    alice.mentions(CHANNEL, "train!").await.unwrap();
    let refusals =
        || hall.slack.look(|state| state.messages.values().filter(|it| it.ephemeral_to.is_some()).count());
    hall.slack
        .until(PATIENCE, |state| state.messages.values().find(|it| it.ephemeral_to.is_some()).map(drop))
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(refusals(), 1);
    assert!(hall.unread(&at(&hall, &root)).await.is_empty());
    cancel.cancel();
}

#[tokio::test]
async fn the_slash_command_opens_a_thread_or_answers_privately() {
    let (hall, cancel) = listening().await;
    let alice = hall.slack.person("alice");
    let help = alice.commands(CHANNEL, "/ml-intern", "help").await.unwrap();
    assert_eq!(help["response_type"], "ephemeral");
    assert!(help["text"].as_str().unwrap().contains("!status"));
    alice.commands(CHANNEL, "/ml-intern", "train <!channel> a model").await.unwrap();
    let root = hall
        .slack
        .until(PATIENCE, |state| {
            state.messages.values().find(|it| it.bot && it.text.contains("asked:")).cloned()
        })
        .await
        .unwrap();
    assert_eq!(root.pings, Vec::<String>::new());
    let unread = operations(&hall, &at(&hall, &root.ts), 1).await;
    assert!(
        matches!(&unread[0].kind, OperationKind::Say { text, .. } if text.contains("a model")),
        "{unread:?}"
    );
    cancel.cancel();
}

/// A request as Slack signs it.
fn signed(hall: &Hall, path: &str, kind: &str, body: &str, age: i64) -> Request<Body> {
    let seconds = Clock::system().now().seconds() - age;
    let secret = Secret::new(hall.slack.signing_secret());
    Request::post(path)
        .header("content-type", kind)
        .header("x-slack-request-timestamp", seconds.to_string())
        .header("x-slack-signature", sign(&secret, seconds, body.as_bytes()))
        .body(Body::from(body.to_owned()))
        .unwrap()
}

async fn send(hall: &Hall, request: Request<Body>) -> (StatusCode, Value) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let routes = hall.door.http_routes();
    let server = tokio::spawn(async move { axum::serve(listener, routes).await });
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let client = ml_intern::clients::http::client(Some(Duration::from_secs(5))).unwrap();
    let answer = client
        .post(format!("http://{address}{}", parts.uri))
        .headers(parts.headers)
        .body(body)
        .send()
        .await
        .unwrap();
    let status = answer.status();
    let text = answer.text().await.unwrap();
    server.abort();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test]
async fn over_http_only_what_is_signed_fresh_and_small_is_read() {
    let hall = Hall::open().await;
    let ping = json!({ "type": "url_verification", "challenge": "c-1" }).to_string();
    let (status, answer) = send(&hall, signed(&hall, "/slack/events", JSON, &ping, 0)).await;
    assert_eq!((status, answer), (StatusCode::OK, json!({ "challenge": "c-1" })));
    for age in [301, -302] {
        let (status, _) = send(&hall, signed(&hall, "/slack/events", JSON, &ping, age)).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{age} s");
    }
    let mut forged = signed(&hall, "/slack/events", JSON, &ping, 0);
    forged.headers_mut().insert("x-slack-signature", "v0=00".parse().unwrap());
    assert_eq!(send(&hall, forged).await.0, StatusCode::UNAUTHORIZED);
    let unsigned = Request::post("/slack/interactivity").body(Body::from("payload={}")).unwrap();
    assert_eq!(send(&hall, unsigned).await.0, StatusCode::UNAUTHORIZED);
    let huge = "x".repeat(1024 * 1024 + 1);
    assert_eq!(
        send(&hall, signed(&hall, "/slack/events", JSON, &huge, 0)).await.0,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    assert_eq!(send(&hall, signed(&hall, "/slack/events", JSON, "{", 0)).await.0, StatusCode::BAD_REQUEST);
    let check = Request::post("/slack/commands")
        .header("content-type", FORM)
        .body(Body::from("ssl_check=1"))
        .unwrap();
    assert_eq!(send(&hall, check).await.0, StatusCode::OK);
    assert_eq!(
        send(&hall, Request::get("/slack/events").body(Body::empty()).unwrap()).await.0,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn over_http_a_message_a_click_and_a_form_become_operations_and_count_once() {
    let hall = Hall::open().await;
    let place = hall.place();
    let (alice, bot) = (hall.alice(), hall.door.identity().user.clone());
    let event = json!({
        "type": "event_callback", "team_id": place.team, "event_id": "Ev1", "event_time": 1, "something_new": {"a": [1]},
        "event": { "type": "app_mention", "user": alice, "channel": place.channel, "ts": place.thread_ts,
            "text": format!("<@{bot}> go"), "metadata": { "event_payload": { "n": 5 } }, "new_field": 1 },
    })
    .to_string();
    for _ in 0..3 {
        assert_eq!(send(&hall, signed(&hall, "/slack/events", JSON, &event, 0)).await.0, StatusCode::OK);
    }
    let click = json!({
        "type": "block_actions", "trigger_id": "1.2", "team": null, "user": { "id": alice },
        "channel": { "id": place.channel }, "container": {},
        "message": { "ts": "5.5", "thread_ts": place.thread_ts, "blocks": [] },
        "actions": [{ "action_id": "approve", "value": "a1", "action_ts": "7.7", "type": "button" }],
    });
    let about =
        json!({ "approval": "a1", "channel": place.channel, "thread_ts": place.thread_ts }).to_string();
    let form = json!({
        "type": "view_submission", "user": { "id": alice },
        "view": { "id": "V1", "hash": "h", "callback_id": "reject_approval", "private_metadata": about,
            "state": { "values": { "reason": { "reason": { "type": "plain_text_input", "value": " too dear " } } } } },
    });
    for payload in [&click, &click, &form] {
        let body = format!("payload={}", percent(&payload.to_string()));
        assert_eq!(
            send(&hall, signed(&hall, "/slack/interactivity", FORM, &body, 0)).await.0,
            StatusCode::OK
        );
    }
    let kinds: Vec<OperationKind> = hall.unread(&place).await.into_iter().map(|it| it.kind).collect();
    assert_eq!(kinds.len(), 3, "{kinds:?}");
    assert!(matches!(&kinds[0], OperationKind::Say { text, .. } if text == "go"));
    assert!(matches!(&kinds[1], OperationKind::Decide { verdict: Verdict::Approve, .. }));
    let Some(OperationKind::Decide { verdict: Verdict::Reject { reason }, .. }) = kinds.get(2) else {
        panic!("{kinds:?}")
    };
    assert_eq!(reason.as_deref(), Some("too dear"));
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
