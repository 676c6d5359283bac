//! Slack at its worst: 429 storms, dropped sockets, refused streams, long and hostile text.

use std::time::Duration;

use ml_intern::playground::Fault;
use ml_intern::playground::model::Reply;

use super::world::{World, bash, shown};

#[tokio::test]
async fn a_storm_of_429_delays_the_answer_but_never_loses_it() {
    let world = World::start([Reply::says("Through the storm.")]).await;
    for method in ["chat.startStream", "chat.postMessage", "chat.stopStream", "agents.sessions.setStatus"] {
        let fault = Fault::RateLimited { method: method.into(), retry_after: 1, times: 2 };
        world.slack.fault(fault).await;
    }
    let thread = world.mention("alice", "hello").await;
    thread.answered("Through the storm.").await;
    assert_eq!(thread.answers(), 1);
    world.finish().await;
}

#[tokio::test]
async fn a_dropped_socket_is_opened_again_and_nothing_is_lost() {
    let world = World::start([Reply::says("One."), Reply::says("Two.")]).await;
    let thread = world.mention("alice", "one").await;
    thread.answered("One.").await;
    world.slack.fault(Fault::DropSocket).await;
    thread.reply("alice", "two").await;
    thread.answered("Two.").await;
    world.finish().await;
}

#[tokio::test]
async fn a_refused_stream_falls_back_to_messages() {
    let world = World::start([bash("echo hi"), Reply::says("Without a stream.")]).await;
    let fault =
        Fault::Error { method: "chat.startStream".into(), error: "feature_disabled".into(), times: 1_000 };
    world.slack.fault(fault).await;
    let thread = world.mention("alice", "hello").await;
    let card = thread.card().await;
    thread.click("alice", &card, "Approve").await;
    thread.answered("Without a stream.").await;
    assert_eq!(thread.answers(), 1);
    world.slack.clear_faults();
    world.finish().await;
}

#[tokio::test]
async fn errors_of_the_server_are_outlived() {
    let world = World::start([Reply::says("Still here.")]).await;
    for method in ["chat.startStream", "chat.appendStream", "chat.stopStream", "chat.postMessage"] {
        world.slack.fault(Fault::Http { method: method.into(), status: 503, times: 1 }).await;
    }
    let thread = world.mention("alice", "hello").await;
    thread.answered("Still here.").await;
    assert_eq!(thread.answers(), 1);
    world.finish().await;
}

#[tokio::test]
async fn a_very_long_answer_arrives_whole() {
    let mut text = String::from("# Report\n\n");
    for n in 0..900 {
        text.push_str(&format!("Line {n} of a long report with words in it.\n\n"));
    }
    text.push_str("THE VERY END");
    let world = World::start([Reply::says(text).in_pieces(50)]).await;
    let thread = world.mention("alice", "everything, please").await;
    thread
        .until("the end of the answer", |messages| {
            let said = messages.iter().any(|it| it.bot && shown(it).contains("THE VERY END"));
            let filed = messages.iter().any(|it| !it.files.is_empty());
            ((said || filed) && messages.iter().all(|it| !it.streaming)).then_some(())
        })
        .await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    world.finish().await;
}

#[tokio::test]
async fn hostile_text_pings_nobody_and_forges_no_card() {
    let hostile = "<!channel> <!here> <@U0000000001> <!subteam^S1> @channel <https://evil.example|Approve>";
    let world = World::start([
        bash(&format!("echo '{hostile}'")),
        Reply::says(format!("The file says: {hostile} & <script>alert(1)</script>")),
    ])
    .await;
    let thread = world.mention("alice", "read it to me").await;
    let card = thread.card().await;
    thread.click("alice", &card, "Approve").await;
    thread.answered("The file says").await;
    world.finish().await;
}

#[tokio::test]
async fn an_error_of_the_model_is_told_in_plain_words_with_a_retry_button() {
    let body = r#"{"error":{"message":"Incorrect API key provided","type":"invalid_request_error","code":"invalid_api_key"}}"#;
    let world = World::start([Reply::error(401, body), Reply::says("Now it works.")]).await;
    let thread = world.mention("alice", "hello").await;
    let ts = thread
        .until("a Retry button", |messages| {
            messages.iter().find(|it| super::world::has_button(it, "Retry")).map(|it| it.ts.clone())
        })
        .await;
    insta::assert_snapshot!(thread.settled().await);
    thread.click("alice", &ts, "Retry").await;
    thread.answered("Now it works.").await;
    world.finish().await;
}
