//! Events reach the app as Slack sends them: once per connection, again if unacknowledged, signed over HTTP.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};
use ml_intern::playground::{Delivery, Fault, Redelivery};
use serde_json::{Value, json};

use super::{Bench, SOON};

const BRIEF: Duration = Duration::from_millis(120);

#[tokio::test]
async fn one_mention_is_two_events_each_to_one_connection() {
    let bench = Bench::start().await;
    let (mut first, mut second) = (bench.listen().await, bench.listen().await);
    assert!(bench.slack.connected(2, SOON).await);
    let ts = bench.slack.person("alice").says("ml-experiments", None, "hey @ml-intern, a < b").await.unwrap();
    let (one, two) = (first.take().await, second.take().await);
    let (mention, message) =
        if one["payload"]["event"]["type"] == "app_mention" { (one, two) } else { (two, one) };
    assert_eq!(mention["type"], "events_api");
    let event = &message["payload"]["event"];
    let bot = bench.slack.bot_user_id();
    assert_eq!(event["type"], "message");
    assert_eq!(event["text"], format!("hey <@{bot}>, a &lt; b"));
    assert_eq!((event["ts"].as_str(), event["channel_type"].as_str()), (Some(ts.as_str()), Some("channel")));
    assert_eq!(mention["payload"]["event"]["ts"], event["ts"]);
    assert_ne!(mention["payload"]["event_id"], message["payload"]["event_id"]);
    for name in
        ["token", "team_id", "api_app_id", "event_id", "event_time", "authorizations", "event_context"]
    {
        assert!(message["payload"].get(name).is_some(), "{name}");
    }
    assert!(bench.slack.until(SOON, |_| (bench.slack.ack_times().len() == 2).then_some(())).await.is_some());
    assert!(bench.slack.ack_times().iter().all(|it| it.after.is_some() && it.retries == 0));
}

#[tokio::test]
async fn what_nobody_acknowledges_comes_three_times_more_and_then_no_more() {
    let bench = Bench::with(|it| it.ack_within = BRIEF).await;
    let mut socket = bench.listen().await;
    bench.slack.person("alice").says("general", None, "hello").await.unwrap();
    let mut attempts = Vec::new();
    let mut ids = Vec::new();
    while let Some(envelope) = socket.within(Duration::from_secs(1)).await {
        attempts.push((
            envelope["retry_attempt"].as_u64().unwrap(),
            envelope["retry_reason"].as_str().unwrap().to_owned(),
        ));
        ids.push(envelope["payload"]["event_id"].clone());
    }
    assert_eq!(attempts.iter().map(|it| it.0).collect::<Vec<_>>(), [0, 1, 2, 3]);
    assert_eq!(attempts[1].1, "timeout");
    ids.dedup();
    assert_eq!(ids.len(), 1, "the event id is the same each time");
    assert_eq!(bench.slack.ack_times()[0].after, None);
}

#[tokio::test]
async fn until_acked_outlives_a_lost_connection() {
    let bench = Bench::with(|it| (it.ack_within, it.redelivery) = (BRIEF, Redelivery::UntilAcked)).await;
    let mut socket = bench.listen().await;
    bench.slack.person("alice").says("general", None, "hello").await.unwrap();
    let lost = socket.next().await.unwrap();
    drop(socket);
    tokio::time::sleep(BRIEF * 8).await;
    let again = bench.listen().await.take().await;
    assert_eq!(lost["payload"]["event_id"], again["payload"]["event_id"]);
    assert!(
        bench
            .slack
            .until(SOON, |_| bench.slack.ack_times()[..].first().and_then(|it| it.after))
            .await
            .is_some()
    );
}

#[tokio::test]
async fn faults_make_events_late_double_and_out_of_order() {
    let bench = Bench::start().await;
    let mut socket = bench.listen().await;
    let text = |envelope: &Value| envelope["payload"]["event"]["text"].as_str().unwrap().to_owned();
    let alice = bench.slack.person("alice");
    bench.slack.fault(Fault::DuplicateEvents { times: 1 }).await;
    alice.says("general", None, "twice").await.unwrap();
    let (one, two) = (socket.take().await, socket.take().await);
    assert_eq!(one["payload"]["event_id"], two["payload"]["event_id"]);
    bench.slack.fault(Fault::ReorderEvents { count: 2 }).await;
    alice.says("general", None, "first").await.unwrap();
    alice.says("general", None, "second").await.unwrap();
    assert_eq!([text(&socket.take().await), text(&socket.take().await)], ["second", "first"]);
    bench.slack.fault(Fault::DelayEvents { millis: 300, times: 1 }).await;
    alice.says("general", None, "late").await.unwrap();
    alice.says("general", None, "early").await.unwrap();
    assert_eq!([text(&socket.take().await), text(&socket.take().await)], ["early", "late"]);
    assert_eq!(bench.slack.faults(), []);
}

#[tokio::test]
async fn sockets_are_told_to_go_cut_and_refused_past_ten() {
    let bench = Bench::start().await;
    let mut socket = bench.listen().await;
    bench.slack.fault(Fault::Disconnect { reason: "warning".into() }).await;
    let warning = socket.next().await.unwrap();
    assert_eq!((warning["type"].as_str(), warning["reason"].as_str()), (Some("disconnect"), Some("warning")));
    assert_eq!(bench.slack.connections(), 1, "a warning leaves the connection open");
    bench.slack.fault(Fault::Disconnect { reason: "refresh_requested".into() }).await;
    assert_eq!(socket.next().await.unwrap()["reason"], "refresh_requested");
    assert_eq!(socket.next().await, None);

    let mut open = Vec::new();
    for _ in 0..10 {
        open.push(bench.listen().await);
    }
    assert!(bench.slack.connected(10, SOON).await);
    assert_eq!(bench.connect().await.next().await.unwrap()["reason"], "too_many_websockets");
    bench.slack.fault(Fault::DropSocket).await;
    for mut socket in open {
        assert_eq!(socket.next().await, None);
    }
    bench.slack.fault(Fault::MuteSocket).await;
    assert_eq!(
        bench.connect().await.within(Duration::from_millis(300)).await,
        None,
        "a mute socket says no hello"
    );

    let ticket = format!("ws{}/socket/?ticket=stale", bench.slack.url().trim_start_matches("http"));
    assert!(tokio_tungstenite::connect_async(ticket).await.is_err());
}

type Heard = Arc<Mutex<Vec<(HeaderMap, String)>>>;

/// An app's address that fails the first `failures` requests; a challenge is always answered.
async fn app(failures: usize) -> (String, Heard) {
    let heard: Heard = Arc::default();
    let kept = heard.clone();
    let handler = move |headers: HeaderMap, body: String| async move {
        let challenge = serde_json::from_str::<Value>(&body)
            .ok()
            .and_then(|it| it["challenge"].as_str().map(str::to_owned));
        if let Some(challenge) = challenge {
            return (StatusCode::OK, challenge);
        }
        let mut all = kept.lock().unwrap();
        all.push((headers, body));
        if all.len() <= failures {
            (StatusCode::INTERNAL_SERVER_ERROR, String::new())
        } else {
            (StatusCode::OK, String::new())
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        axum::serve(listener, axum::Router::new().route("/", axum::routing::post(handler))).await
    });
    (url, heard)
}

#[tokio::test]
async fn http_delivery_is_signed_and_comes_again_with_slacks_headers() {
    use hmac::{Hmac, KeyInit, Mac};
    let (url, heard) = app(1).await;
    let bench = Bench::with(|it| {
        it.delivery =
            Delivery::Http { events: url.clone(), interactivity: url.clone(), commands: url.clone() };
    })
    .await;
    bench.slack.verify_events().await.unwrap();
    bench.slack.person("alice").says("general", None, "hello").await.unwrap();
    let acked = bench.slack.until(SOON, |_| bench.slack.ack_times().first().cloned()).await.unwrap();
    assert_eq!((acked.retries, acked.after.is_some()), (1, true));
    let heard = heard.lock().unwrap();
    let (headers, body) = &heard[1];
    let text = |name: &str| headers[name].to_str().unwrap();
    assert_eq!((text("x-slack-retry-num"), text("x-slack-retry-reason")), ("1", "http_error"));
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(bench.slack.signing_secret().as_bytes()).unwrap();
    mac.update(format!("v0:{}:{body}", text("x-slack-request-timestamp")).as_bytes());
    assert_eq!(text("x-slack-signature"), format!("v0={}", hex::encode(mac.finalize().into_bytes())));
    assert_eq!(serde_json::from_str::<Value>(body).unwrap()["event"]["text"], "hello");
    assert!(!heard[0].0.contains_key("x-slack-retry-num"));
}

#[tokio::test]
async fn the_app_hears_of_edits_deletions_reactions_joins_and_its_own_posts() {
    let bench = Bench::start().await;
    let mut socket = bench.listen().await;
    let alice = bench.slack.person("alice");
    let ts = alice.says("general", None, "one").await.unwrap();
    alice.edits("general", &ts, "two").await.unwrap();
    alice.reacts("general", &ts, "eyes").await.unwrap();
    alice.deletes("general", &ts).await.unwrap();
    bench.post(json!({"text": "mine"})).await;
    let mut heard = Vec::new();
    for _ in 0..5 {
        let event = socket.take().await["payload"]["event"].clone();
        heard.push(event["subtype"].as_str().or(event["type"].as_str()).unwrap().to_owned());
        if event["bot_id"].is_string() {
            assert_eq!(event["user"], bench.slack.bot_user_id());
        }
    }
    assert_eq!(heard, ["message", "message_changed", "reaction_added", "message_deleted", "message"]);
}
