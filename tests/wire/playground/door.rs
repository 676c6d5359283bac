//! The door: loopback only, the control token, the page's policy, the live socket.

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message as Frame;

use super::Bench;

#[tokio::test]
async fn only_loopback_hosts_own_pages_and_the_token_come_in() {
    let bench = Bench::start().await;
    let get = |path: &str| bench.http.get(format!("{}{path}", bench.slack.url()));
    assert_eq!(get("/").header("host", "evil.example").send().await.unwrap().status(), 403);
    let page = get("/").send().await.unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(
        policy.starts_with("default-src 'none'; script-src 'self'") && !policy.contains("unsafe"),
        "{policy}"
    );
    assert!(page.text().await.unwrap().contains("<script"));
    assert_eq!(
        get("/assets/page.js").send().await.unwrap().headers()["content-type"],
        "text/javascript; charset=utf-8"
    );
    assert_eq!(get("/assets/../mod.rs").send().await.unwrap().status(), 404);
    assert_eq!(get("/playground/state").send().await.unwrap().status(), 401);
    assert_eq!(
        get("/playground/state").bearer_auth(bench.slack.bot_token()).send().await.unwrap().status(),
        401
    );
    let elsewhere = get("/playground/state")
        .bearer_auth(bench.slack.control_token())
        .header("origin", "https://evil.example");
    assert_eq!(elsewhere.send().await.unwrap().status(), 403);
    let state: Value = get("/playground/state")
        .bearer_auth(bench.slack.control_token())
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert!(state["people"].as_array().unwrap().len() >= 3);
    assert_eq!(state["messages"], json!([]));
    let debug = format!("{:?}", bench.slack);
    assert!(
        !debug.contains(bench.slack.bot_token()) && !debug.contains(bench.slack.control_token()),
        "secrets stay out of logs"
    );
}

#[tokio::test]
async fn the_page_acts_sets_faults_and_follows_live() {
    let bench = Bench::start().await;
    let post = |path: &str, body: Value| {
        bench
            .http
            .post(format!("{}{path}", bench.slack.url()))
            .bearer_auth(bench.slack.control_token())
            .body(body.to_string())
            .send()
    };
    let url = format!("ws{}/playground/live", bench.slack.url().trim_start_matches("http"));
    let (mut intruder, _) = tokio_tungstenite::connect_async(&url).await.unwrap();
    intruder.send(Frame::Text("guess".into())).await.unwrap();
    let told = intruder.next().await.unwrap().unwrap().into_text().unwrap();
    assert_eq!(serde_json::from_str::<Value>(&told).unwrap(), json!({"kind": "refused"}));

    let (mut live, _) = tokio_tungstenite::connect_async(&url).await.unwrap();
    live.send(Frame::Text(bench.slack.control_token().into())).await.unwrap();
    let mut next = async || -> Value {
        serde_json::from_str(&live.next().await.unwrap().unwrap().into_text().unwrap()).unwrap()
    };
    assert_eq!(next().await["kind"], "state");
    let said = json!({"user": bench.slack.person("alice").id(), "act": {"act": "say", "channel": bench.channel(), "text": "<script>"}});
    let done: Value = post("/playground/act", said).await.unwrap().json().await.unwrap();
    assert_eq!(done["ok"], true);
    let change = next().await;
    assert_eq!(
        (&change["kind"], &change["message"]["ts"], &change["message"]["text"]),
        (&json!("message"), &done["ts"], &json!("&lt;script&gt;"))
    );
    for bad in [
        json!({}),
        json!({"user": "U404", "act": {"act": "open_im"}}),
        json!({"user": "alice", "act": {"act": "fly"}}),
    ] {
        let answer: Value = post("/playground/act", bad).await.unwrap().json().await.unwrap();
        assert_eq!(answer["ok"], false, "{answer}");
        assert!(answer["error"].as_str().unwrap().len() > 10);
    }
    let fault = json!({"fault": {"kind": "slow", "method": "auth.test", "millis": 5, "times": 2}});
    let listed: Value = post("/playground/faults", fault.clone()).await.unwrap().json().await.unwrap();
    assert_eq!(listed["faults"], json!([fault["fault"]]));
    post("/playground/faults", json!({"clear": true})).await.unwrap();
    assert_eq!(bench.slack.faults(), []);
    bench.slack.notice("scripted");
    assert_eq!(next().await, json!({"kind": "notice", "text": "scripted"}));
}
