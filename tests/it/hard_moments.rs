//! Moments at which things cross: a stop behind other words, a process that ends in mid-command, a
//! session that starts over at work, a place that cannot be made, questions that somebody would skip.

use ml_intern::playground::Fault;
use ml_intern::playground::model::{Reply, Script};
use serde_json::json;

use super::world::{CHANNEL, Setup, World, bash};

/// A world in which commands run without asking.
async fn unasked(replies: Vec<Reply>) -> World {
    let mut setup = Setup::new(Script::Queue(replies));
    setup.configure = |config| {
        config.yolo_mode = true;
        config.server.drain_s = 1;
    };
    World::with(setup).await
}

fn two_commands() -> Reply {
    Reply::calls([
        ("bash", json!({ "command": "sleep 300" })),
        ("bash", json!({ "command": "echo ran > second; sleep 301" })),
    ])
}

#[tokio::test]
async fn a_stop_behind_other_words_keeps_the_next_command_from_running() {
    let world = unasked(vec![two_commands(), Reply::says("Both are known.")]).await;
    let thread = world.mention("alice", "run both").await;
    world.until_running("sleep 300").await;
    thread.reply("alice", "and keep the logs").await;
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    thread.reply("bob", "stop").await;
    thread.hears("Stopped by bob").await;
    world.until_gone("sleep 30").await;
    thread.reply("alice", "what happened?").await;
    thread.answered("Both are known.").await;
    let last = world.model.requests().pop().unwrap().to_string();
    assert!(last.contains("and keep the logs"), "words before a stop are not lost: {last}");
    assert!(last.contains("Not run: the work was stopped first."), "{last}");
    assert!(!world.find("second"), "the second command ran");
    world.finish().await;
}

#[tokio::test]
async fn a_command_cut_off_by_the_end_of_the_process_is_unknown_afterwards() {
    let mut world = unasked(vec![bash("sleep 300"), Reply::says("I will check.")]).await;
    // A progress message is something to remember, so the session is saved once more at the end.
    let refused =
        || Fault::Error { method: "chat.startStream".into(), error: "feature_disabled".into(), times: 1_000 };
    world.slack.fault(refused()).await;
    let root = {
        let thread = world.mention("alice", "sleep").await;
        world.until_running("sleep 300").await;
        thread.hears("sleep 300").await;
        thread.root.clone()
    };
    world.restart().await;
    let thread = world.thread(&root);
    thread.answered("I will check.").await;
    let last = world.model.requests().pop().unwrap().to_string();
    assert!(last.contains("Outcome unknown"), "{last}");
    thread.settled().await;
    world.slack.clear_faults();
    world.finish().await;
}

#[tokio::test]
async fn starting_over_at_work_ends_it_and_what_was_said_stays_forgotten() {
    let world = unasked(vec![bash("sleep 300"), Reply::says("A fresh start.")]).await;
    let root = world.slack.person("bob").says(CHANNEL, None, "the secret plan is purple").await.unwrap();
    let bot = world.slack.bot_user_id();
    world.slack.person("alice").replies(CHANNEL, &root, &format!("<@{bot}> raise the flag")).await.unwrap();
    let thread = world.thread(&root);
    world.until_running("sleep 300").await;
    thread.reply("alice", "!new").await;
    thread.hears("Started over").await;
    world.until_gone("sleep 300").await;
    thread.reply("alice", "hello again").await;
    thread.answered("A fresh start.").await;
    let last = world.model.requests().pop().unwrap().to_string();
    assert!(!last.contains("purple") && !last.contains("raise the flag"), "{last}");
    thread.settled().await;
    world.finish().await;
}

#[tokio::test]
async fn a_session_whose_folder_cannot_be_made_says_so_and_goes_on_when_it_can() {
    let world = World::start([Reply::says("Now it works.")]).await;
    world.block_folders();
    let thread = world.mention("alice", "hello").await;
    thread.hears("could not be made").await;
    thread.settled().await;
    world.unblock_folders();
    let failed =
        thread.messages().iter().find(|it| super::world::has_button(it, "Retry")).unwrap().ts.clone();
    thread.click("alice", &failed, "Retry").await;
    thread.answered("Now it works.").await;
    world.finish().await;
}

#[tokio::test]
async fn whoever_may_not_answer_questions_cannot_switch_them_off() {
    let world = World::start([bash("echo hi"), Reply::says("Done.")]).await;
    let thread = world.mention("alice", "go").await;
    let card = thread.card().await;
    thread.reply("mallory", "!yolo on").await;
    let mallory = world.slack.person("mallory").id();
    thread
        .until("a private line for mallory", |messages| {
            messages.iter().any(|it| it.ephemeral_to.as_deref() == Some(&mallory)).then_some(())
        })
        .await;
    thread.reply("bob", "!yolo on").await;
    thread.hears("switched auto-approval on").await;
    thread.click("alice", &card, "Approve").await;
    thread.answered("Done.").await;
    world.finish().await;
}

#[tokio::test]
async fn an_answer_cut_off_by_a_restart_says_so_and_comes_whole() {
    let words = "The first half of the answer, and then the second half of it, which takes a while.";
    let slow = Reply::says(words).in_pieces(12).slowly(std::time::Duration::from_millis(600));
    let mut world = unasked(vec![slow, Reply::says(words)]).await;
    let root = {
        let thread = world.mention("alice", "tell me").await;
        thread.hears("The first").await;
        thread.root.clone()
    };
    world.restart().await;
    let thread = world.thread(&root);
    thread.answered("which takes a while.").await;
    assert_eq!(thread.answers(), 1);
    let seen = thread.transcript();
    assert!(seen.contains("I am being restarted here"), "a half answer without a word:\n{seen}");
    assert!(!seen.contains("connection to the model was lost"), "{seen}");
    world.finish().await;
}
