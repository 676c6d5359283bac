//! Mentions, follow-ups, steering, stopping, and what must never start a run.

use std::time::Duration;

use ml_intern::playground::model::{Reply, Script};
use ml_intern::playground::{Fault, Options};

use super::world::{CHANNEL, Setup, World, bash};

#[tokio::test]
async fn a_mention_is_answered_in_its_thread_with_plan_and_footer() {
    let plan = serde_json::json!({ "todos": [
        { "id": "1", "content": "Look at the data", "status": "completed" },
        { "id": "2", "content": "Train", "status": "completed" },
    ]});
    let world = World::start([
        Reply::calls([("plan_tool", plan)]),
        Reply::says("Accuracy is **0.91**.\n\n| split | accuracy |\n|---|---|\n| test | 0.91 |"),
    ])
    .await;
    let thread = world.mention("alice", "how good does it get?").await;
    thread.answered("0.91").await;
    insta::assert_snapshot!(thread.settled().await);
    assert_eq!(thread.answers(), 1);
    world.finish().await;
}

#[tokio::test]
async fn a_follow_up_needs_no_mention_and_people_are_told_apart() {
    let world = World::start([Reply::says("First answer."), Reply::says("Second answer.")]).await;
    let thread = world.mention("alice", "what is a GRU?").await;
    thread.answered("First answer.").await;
    thread.reply("bob", "and an LSTM?").await;
    thread.answered("Second answer.").await;
    let last = world.model.requests().pop().unwrap().to_string();
    assert!(last.contains("bob: and an LSTM?"), "speakers are named: {last}");
    world.finish().await;
}

#[tokio::test]
async fn what_was_said_before_the_mention_is_read_as_other_peoples_words() {
    let world = World::start([Reply::says("The learning rate is too high.")]).await;
    let root = world.slack.person("bob").says(CHANNEL, None, "my loss is NaN with lr 10").await.unwrap();
    let bot = world.slack.bot_user_id();
    let alice = world.slack.person("alice");
    alice.replies(CHANNEL, &root, &format!("<@{bot}> can you help?")).await.unwrap();
    let thread = world.thread(&root);
    thread.answered("The learning rate is too high.").await;
    let request = world.model.requests().pop().unwrap().to_string();
    assert!(request.contains("my loss is NaN with lr 10"), "{request}");
    world.finish().await;
}

#[tokio::test]
async fn talk_among_people_edits_and_other_threads_start_nothing() {
    let world = World::start([Reply::says("Hello.")]).await;
    let alice = world.slack.person("alice");
    let aside = alice.says(CHANNEL, None, "lunch?").await.unwrap();
    alice.replies(CHANNEL, &aside, "at noon").await.unwrap();
    alice.edits(CHANNEL, &aside, "lunch today?").await.unwrap();
    let thread = world.mention("alice", "hi").await;
    thread.answered("Hello.").await;
    let bob = world.slack.person("bob").id();
    thread.reply("alice", &format!("<@{bob}> what do you think?")).await;
    alice.edits(CHANNEL, &thread.root, "edited mention").await.unwrap();
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(world.model.requests().len(), 1, "one request of one person, one model call");
    world.finish().await;
}

#[tokio::test]
async fn a_reply_to_a_mention_that_was_only_just_kept_is_not_lost_in_a_restart() {
    // Nobody works yet: the mention is acknowledged and kept, and that is all.
    let mut setup = Setup::new(Script::Queue(vec![Reply::says("Both heard.")]));
    setup.configure = |config| config.server.max_sessions_at_work = 0;
    let mut world = World::with(setup).await;
    let root = world.mention("alice", "first").await.root;
    world.until_acked(1).await;
    world.configure(|config| config.server.max_sessions_at_work = 0);
    world.restart().await;
    world.thread(&root).reply("alice", "second").await;
    world.until_acked(2).await;
    world.configure(|config| config.server.max_sessions_at_work = 8);
    world.restart().await;
    let thread = world.thread(&root);
    thread.answered("Both heard.").await;
    let request = world.model.requests().pop().unwrap().to_string();
    assert!(request.contains("first") && request.contains("second"), "{request}");
    world.finish().await;
}

#[tokio::test]
async fn duplicates_and_reordered_events_count_once() {
    let world = World::start([Reply::says("Only once.")]).await;
    world.slack.fault(Fault::DuplicateEvents { times: 6 }).await;
    world.slack.fault(Fault::ReorderEvents { count: 2 }).await;
    let thread = world.mention("alice", "count me").await;
    thread.answered("Only once.").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(world.model.requests().len(), 1);
    assert_eq!(thread.answers(), 1);
    world.finish().await;
}

#[tokio::test]
async fn stop_in_mid_command_kills_it_and_says_who() {
    let mut setup = Setup::new(Script::Queue(vec![bash("echo begun > begun.txt; sleep 300")]));
    setup.configure = |config| config.yolo_mode = true;
    let world = World::with(setup).await;
    let thread = world.mention("alice", "sleep").await;
    world.until_running("sleep 300").await;
    let began = std::time::Instant::now();
    thread.reply("bob", "stop").await;
    thread.hears("Stopped by bob").await;
    world.until_gone("sleep 300").await;
    assert!(began.elapsed() < Duration::from_secs(10));
    world.finish().await;
}

#[tokio::test]
async fn words_during_the_work_steer_it() {
    let mut setup =
        Setup::new(Script::Queue(vec![bash("sleep 1; echo done"), Reply::says("With two epochs then.")]));
    setup.configure = |config| config.yolo_mode = true;
    let world = World::with(setup).await;
    let thread = world.mention("alice", "train with ten epochs").await;
    world.until_running("sleep 1").await;
    thread.reply("alice", "make it two epochs").await;
    thread.answered("With two epochs then.").await;
    let last = world.model.requests().pop().unwrap();
    let messages = last["messages"].as_array().unwrap();
    assert!(messages.last().unwrap().to_string().contains("make it two epochs"), "{last}");
    assert_eq!(thread.answers(), 1);
    world.finish().await;
}

#[tokio::test]
async fn a_direct_message_is_a_session_of_its_own() {
    let world = World::start([Reply::says("In private then.")]).await;
    let (channel, root) = world.slack.person("alice").writes_directly("hello there").await.unwrap();
    let found = world
        .slack
        .until(Duration::from_secs(15), |state| {
            let all = state.in_thread(&channel, &root);
            all.into_iter()
                .any(|it| it.bot && super::world::shown(it).contains("In private then."))
                .then_some(())
        })
        .await;
    assert!(found.is_some(), "{}", world.slack.transcript(&channel, &root));
    world.finish().await;
}

#[tokio::test]
async fn settings_of_the_thread_are_changed_in_the_thread() {
    let world = World::start([Reply::says("One."), Reply::says("pong"), Reply::says("Two.")]).await;
    let thread = world.mention("alice", "one").await;
    thread.answered("One.").await;
    thread.reply("alice", "!status").await;
    thread.hears("vllm/scripted").await;
    thread.reply("alice", "!model vllm/other").await;
    thread.hears("vllm/other, from the next step on").await;
    thread.reply("alice", "two").await;
    thread.answered("Two.").await;
    assert_eq!(world.model.requests().pop().unwrap()["model"], "other");
    thread.reply("alice", "!undo").await;
    thread.hears("forgotten, and all that followed").await;
    thread.reply("alice", "!new").await;
    thread.hears("Started over").await;
    world.finish().await;
}

#[tokio::test]
async fn the_same_bot_works_over_signed_http() {
    let port = free_port();
    let mut setup = Setup::new(Script::Queue(vec![bash("echo hi"), Reply::says("Over HTTP.")]));
    setup.options = super::world::over_http(
        Options::new(ml_intern::clock::Clock::system()),
        &format!("http://127.0.0.1:{port}"),
    );
    PORT.store(port, std::sync::atomic::Ordering::SeqCst);
    setup.configure = |config| {
        config.slack.app_token = None;
        config.server.bind = format!("127.0.0.1:{}", PORT.load(std::sync::atomic::Ordering::SeqCst));
    };
    let world = World::with(setup).await;
    let thread = world.mention("alice", "go").await;
    let card = thread.card().await;
    thread.click("alice", &card, "Approve").await;
    thread.answered("Over HTTP.").await;
    world.finish().await;
}

static PORT: std::sync::atomic::AtomicU16 = std::sync::atomic::AtomicU16::new(0);

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
