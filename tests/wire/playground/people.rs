//! What people do with cards, modals and commands, and what they see.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Bench, SOON};

fn card() -> Value {
    let button = |id: &str, label: &str| json!({"type": "button", "action_id": id, "value": "ap_1", "text": {"type": "plain_text", "text": label}});
    json!({"text": "Approve?", "blocks": [
        {"type": "section", "text": {"type": "mrkdwn", "text": "*May I run this?*"}},
        {"type": "actions", "block_id": "ap", "elements": [button("approve", "Approve"), button("reject", "Reject")]}]})
}

fn modal() -> Value {
    json!({"type": "modal", "callback_id": "why", "title": {"type": "plain_text", "text": "Reject"}, "notify_on_close": true,
        "submit": {"type": "plain_text", "text": "Send"}, "private_metadata": "p", "blocks": [
        {"type": "input", "block_id": "b", "label": {"type": "plain_text", "text": "Reason"},
         "element": {"type": "plain_text_input", "action_id": "a", "max_length": 10}}]})
}

#[tokio::test]
async fn a_click_carries_value_message_and_a_trigger_that_opens_one_view_within_three_seconds() {
    let bench = Bench::start().await;
    let mut socket = bench.listen().await;
    let ts = bench.post(card()).await;
    socket.take().await;
    let bob = bench.slack.person("bob");
    assert!(bob.clicks("ml-experiments", &ts, "Explode").await.is_err());
    bob.clicks("ml-experiments", &ts, "Approve").await.unwrap();
    let click = socket.take().await;
    let payload = &click["payload"];
    assert_eq!(
        (click["type"].as_str(), payload["type"].as_str()),
        (Some("interactive"), Some("block_actions"))
    );
    assert_eq!(payload["actions"][0]["value"], "ap_1");
    assert_eq!(
        (payload["user"]["id"].as_str(), payload["message"]["ts"].as_str()),
        (Some(bob.id().as_str()), Some(ts.as_str()))
    );
    let open = |trigger: &Value| bench.call("views.open", json!({"trigger_id": trigger, "view": modal()}));
    assert_eq!(open(&payload["trigger_id"]).await["ok"], true);
    assert_eq!(open(&payload["trigger_id"]).await["error"], "exchanged_trigger_id");
    bob.clicks("ml-experiments", &ts, "Reject").await.unwrap();
    let late = socket.take().await;
    bench.clock.advance(Duration::from_millis(3001));
    assert_eq!(open(&late["payload"]["trigger_id"]).await["error"], "expired_trigger_id");
}

#[tokio::test]
async fn a_modal_is_checked_corrected_submitted_and_closed() {
    let bench = Bench::start().await;
    let mut socket = bench.listen().await;
    let ts = bench.post(card()).await;
    socket.take().await;
    let bob = bench.slack.person("bob");
    let trigger = bob.clicks("ml-experiments", &ts, "Reject").await.unwrap();
    socket.take().await;
    let mut no_submit = modal();
    no_submit.as_object_mut().unwrap().remove("submit");
    assert_eq!(
        bench.refused("views.open", json!({"trigger_id": trigger, "view": no_submit})).await,
        "invalid_arguments"
    );
    let view = bench.works("views.open", json!({"trigger_id": trigger, "view": modal()})).await["view"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(bob.submits_text(&view, "").await.unwrap_err().0.contains("must be filled in"));
    assert!(bob.submits_text(&view, "much too long").await.unwrap_err().0.contains("too long"));
    assert!(
        bench.slack.person("mallory").submits_text(&view, "x").await.is_err(),
        "one sees only one's own modals"
    );

    let answers = async {
        let first = socket.next().await.unwrap();
        assert_eq!(first["payload"]["view"]["state"]["values"]["b"]["a"]["value"], "bad");
        socket.ack(&first, Some(json!({"response_action": "errors", "errors": {"b": "No."}}))).await;
        let second = socket.next().await.unwrap();
        assert_eq!(second["payload"]["view"]["private_metadata"], "p");
        socket.ack(&second, None).await;
    };
    let submits = async {
        bob.submits_text(&view, "bad").await.unwrap();
        assert_eq!(bench.slack.open_view("bob").unwrap().errors, json!({"b": "No."}));
        bob.submits_text(&view, "good").await.unwrap();
    };
    tokio::join!(answers, submits);
    assert!(bench.slack.open_view("bob").is_none());

    let trigger = bob.clicks("ml-experiments", &ts, "Reject").await.unwrap();
    socket.take().await;
    bench.works("views.open", json!({"trigger_id": trigger, "view": modal()})).await;
    bob.closes(&bench.slack.open_view("bob").unwrap().id).await.unwrap();
    assert_eq!(socket.take().await["payload"]["type"], "view_closed");
}

#[tokio::test]
async fn a_response_url_works_five_times() {
    let bench = Bench::start().await;
    let mut socket = bench.listen().await;
    let ts = bench.post(card()).await;
    socket.take().await;
    bench.slack.person("mallory").clicks("ml-experiments", &ts, "Approve").await.unwrap();
    let click = socket.take().await;
    let url = click["payload"]["response_url"].as_str().unwrap();
    let mut statuses = Vec::new();
    for _ in 0..6 {
        let body = json!({"text": "Not yours to approve", "replace_original": false}).to_string();
        let request = bench.http.post(url).header("content-type", "application/json").body(body);
        statuses.push(request.send().await.unwrap().status().as_u16());
    }
    assert_eq!(statuses, [200, 200, 200, 200, 200, 404]);
    let said = bench.slack.messages("ml-experiments").pop().unwrap();
    assert_eq!(said.ephemeral_to, Some(bench.slack.person("mallory").id()));
    assert!(
        bench.slack.person("alice").reacts("ml-experiments", &said.ts, "eyes").await.is_err(),
        "others do not see it"
    );
}

#[tokio::test]
async fn the_native_stop_ends_streams_and_tells_the_app() {
    let bench = Bench::start().await;
    let alice = bench.slack.person("alice");
    let root = alice.mentions("ml-experiments", "train").await.unwrap();
    assert!(alice.stops("ml-experiments", &root).await.is_err(), "nothing runs yet");
    let (channel, team) = (bench.channel(), bench.slack.look(|it| it.team.id.clone()));
    bench
        .works(
            "agents.sessions.setStatus",
            json!({"channel_id": channel, "thread_ts": root, "status": "processing"}),
        )
        .await;
    let start = json!({"channel": channel, "thread_ts": root, "recipient_team_id": team, "recipient_user_id": alice.id(), "markdown_text": "…"});
    let stream = bench.works("chat.startStream", start).await["ts"].clone();
    let mut socket = bench.listen().await;
    for _ in 0..3 {
        socket.take().await;
    }
    alice.stops("ml-experiments", &root).await.unwrap();
    let event = socket.take().await["payload"]["event"].clone();
    assert_eq!(event["type"], "agent_session_stopped");
    assert_eq!((&event["streaming_message_ts"], &event["thread_ts"]), (&json!([stream]), &json!(root)));
}

#[tokio::test]
async fn a_transcript_is_what_people_see() {
    let bench = Bench::start().await;
    let root = bench.slack.person("alice").mentions("ml-experiments", "train *it*").await.unwrap();
    let mut asks = card();
    asks["thread_ts"] = root.clone().into();
    let ts = bench.post(asks).await;
    let channel = bench.channel();
    bench.works("reactions.add", json!({"channel": channel, "timestamp": root, "name": "eyes"})).await;
    bench
        .works(
            "agents.sessions.setStatus",
            json!({"channel_id": channel, "thread_ts": root, "status": "suspended"}),
        )
        .await;
    bench.works("chat.postEphemeral", json!({"channel": channel, "user": bench.slack.person("bob").id(), "text": "psst", "thread_ts": root})).await;
    insta::assert_snapshot!(bench.slack.transcript("ml-experiments", &root), @r"
    alice:
      @ml-intern train *it*
      :eyes: ml-intern
    ml-intern:
      *May I run this?*
      [Approve] [Reject]
    ml-intern (only bob sees this):
      psst
    -- suspended
    ");
    let seen = bench.slack.until(SOON, |it| it.message(&channel, &ts).map(|it| it.blocks.len())).await;
    assert_eq!(seen, Some(2));
}
