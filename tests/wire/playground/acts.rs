//! The rest of what people do, and how the app hears of it.

use ml_intern::playground::{Act, ChannelSeed, Fault};
use serde_json::{Value, json};

use super::{Bench, Socket};

async fn event(socket: &mut Socket) -> Value {
    socket.take().await["payload"]["event"].clone()
}

#[tokio::test]
async fn direct_messages_homes_files_and_previews_are_told() {
    let bench = Bench::start().await;
    let mut socket = bench.listen().await;
    let alice = bench.slack.person("alice");
    let (im, ts) = alice.writes_directly("hello @ml-intern").await.unwrap();
    let opened = event(&mut socket).await;
    assert_eq!((&opened["type"], &opened["tab"]), (&json!("app_home_opened"), &json!("messages")));
    let message = event(&mut socket).await;
    assert_eq!(
        (&message["type"], &message["channel_type"]),
        (&json!("message"), &json!("im")),
        "no app_mention in a direct message"
    );
    assert_eq!(message["channel"], im);

    let file = alice.uploads(&im, Some(&ts), ("data.csv", "a,b\n1,2\n")).await.unwrap();
    let shared = event(&mut socket).await;
    assert_eq!(
        (&shared["subtype"], &shared["thread_ts"], &shared["ts"]),
        (&json!("file_share"), &json!(ts), &json!(file))
    );
    let url = shared["files"][0]["url_private"].as_str().unwrap();
    let read = bench.http.get(url).bearer_auth(bench.slack.bot_token()).send().await.unwrap();
    assert_eq!(read.text().await.unwrap(), "a,b\n1,2\n");

    alice.does(Act::Unfurl { channel: im, ts }).await.unwrap();
    let preview = event(&mut socket).await;
    assert_eq!(preview["subtype"], "message_changed");
    assert_eq!(preview["message"]["text"], preview["previous_message"]["text"]);
    assert!(preview["message"]["attachments"].is_array() && preview["message"].get("edited").is_none());
}

#[tokio::test]
async fn a_bot_that_is_not_in_a_channel_neither_hears_nor_speaks_there() {
    let quiet = ChannelSeed {
        name: "quiet".into(),
        kind: "private".into(),
        topic: String::new(),
        members: vec!["alice".into()],
    };
    let bench = Bench::with(|it| it.channels.push(quiet)).await;
    let mut socket = bench.listen().await;
    let alice = bench.slack.person("alice");
    alice.mentions("quiet", "can you hear me?").await.unwrap();
    let channel = bench.slack.channel_id("quiet");
    assert_eq!(
        bench.refused("chat.postMessage", json!({"channel": channel, "text": "x"})).await,
        "channel_not_found"
    );
    assert!(
        bench.slack.person("mallory").says("quiet", None, "x").await.is_err(),
        "nor does who has not joined"
    );
    alice.does(Act::Invite { channel: "quiet".into() }).await.unwrap();
    let joined = event(&mut socket).await;
    assert_eq!(
        (&joined["type"], &joined["user"], &joined["inviter"]),
        (&json!("member_joined_channel"), &json!(bench.slack.bot_user_id()), &json!(alice.id()))
    );
    alice.mentions("quiet", "and now?").await.unwrap();
    assert_eq!(event(&mut socket).await["type"], "app_mention");
    assert_eq!(event(&mut socket).await["channel_type"], "group");
    bench.works("chat.postMessage", json!({"channel": channel, "text": "yes"})).await;
}

#[tokio::test]
async fn commands_and_shortcuts_are_answered() {
    let bench = Bench::start().await;
    let mut socket = bench.listen().await;
    let bob = bench.slack.person("bob");
    let ts = bob.says("general", None, "look at this").await.unwrap();
    socket.take().await;
    let answers = async {
        let envelope = socket.next().await.unwrap();
        assert_eq!(
            (&envelope["type"], &envelope["payload"]["text"]),
            (&json!("slash_commands"), &json!("status"))
        );
        socket.ack(&envelope, Some(json!({"text": "All quiet."}))).await;
    };
    let (said, ()) = tokio::join!(bob.commands("general", "/ml-intern", "status"), answers);
    assert_eq!(said.unwrap()["text"], "All quiet.");
    let shown = bench.slack.messages("general").pop().unwrap();
    assert_eq!((shown.text.as_str(), shown.ephemeral_to), ("All quiet.", Some(bob.id())));

    let on = (Some(bench.slack.channel_id("general")), Some(ts));
    bob.does(Act::Shortcut { callback_id: "ask".into(), channel: on.0, ts: on.1 }).await.unwrap();
    let shortcut = socket.take().await["payload"].clone();
    assert_eq!(
        (&shortcut["type"], &shortcut["message"]["text"]),
        (&json!("message_action"), &json!("look at this"))
    );
    bob.does(Act::Shortcut { callback_id: "new".into(), channel: None, ts: None }).await.unwrap();
    assert_eq!(socket.take().await["payload"]["type"], "shortcut");
}

#[tokio::test]
async fn events_held_back_leave_when_the_fault_is_cleared() {
    let bench = Bench::start().await;
    let mut socket = bench.listen().await;
    bench.slack.fault(Fault::ReorderEvents { count: 5 }).await;
    for text in ["one", "two"] {
        bench.slack.person("alice").says("general", None, text).await.unwrap();
    }
    assert_eq!(socket.within(std::time::Duration::from_millis(200)).await, None);
    bench.slack.clear_faults();
    assert_eq!(event(&mut socket).await["text"], "two");
    assert_eq!(event(&mut socket).await["text"], "one");
}

#[tokio::test]
async fn a_view_keeps_a_stack_of_three_and_its_hash() {
    let bench = Bench::start().await;
    let mut socket = bench.listen().await;
    let button =
        json!({"type": "button", "action_id": "more", "text": {"type": "plain_text", "text": "More"}});
    let view = json!({"type": "modal", "title": {"type": "plain_text", "text": "T"}, "blocks": [{"type": "actions", "elements": [button]}]});
    let ts = bench.post(json!({"text": "x", "blocks": [{"type": "actions", "elements": [button]}]})).await;
    socket.take().await;
    let alice = bench.slack.person("alice");
    let trigger = alice.clicks("ml-experiments", &ts, "More").await.unwrap();
    socket.take().await;
    let first = bench.works("views.open", json!({"trigger_id": trigger, "view": view})).await["view"].clone();
    for wanted in ["", "", "push_limit_reached"] {
        let top = bench.slack.open_view("alice").unwrap().id;
        let click = Act::Click {
            channel: String::new(),
            ts: String::new(),
            view_id: Some(top),
            block_id: None,
            action_id: "more".into(),
            value: None,
        };
        alice.does(click).await.unwrap();
        let payload = socket.take().await["payload"].clone();
        assert_eq!(
            (&payload["container"]["type"], &payload["view"]["root_view_id"]),
            (&json!("view"), &first["id"])
        );
        let pushed =
            bench.call("views.push", json!({"trigger_id": payload["trigger_id"], "view": view})).await;
        assert_eq!(pushed["error"].as_str().unwrap_or_default(), wanted, "{pushed}");
    }
    let stale = json!({"view_id": first["id"], "hash": "old", "view": view});
    assert_eq!(bench.refused("views.update", stale).await, "hash_conflict");
    bench.works("views.update", json!({"view_id": first["id"], "hash": first["hash"], "view": view})).await;
    assert_eq!(bench.refused("views.update", json!({"view_id": "V404", "view": view})).await, "not_found");
    let mut long = view.clone();
    long["title"]["text"] = "x".repeat(25).into();
    assert_eq!(
        bench.refused("views.update", json!({"view_id": first["id"], "view": long})).await,
        "invalid_arguments"
    );
}
