//! People decide: approve, reject, edit, the wrong person, a stale card, a restart in between.

use ml_intern::playground::model::Reply;

use super::world::{World, bash, has_button, shown};

#[tokio::test]
async fn a_click_after_a_restart_still_runs_the_command() {
    let mut world =
        World::start([bash("echo trained > result.txt && cat result.txt"), Reply::says("Job finished.")])
            .await;
    let root = {
        let thread = world.mention("alice", "train it").await;
        thread.card().await;
        thread.root.clone()
    };
    world.restart().await;
    let thread = world.thread(&root);
    let card = thread.card().await;
    thread.click("alice", &card, "Approve").await;
    thread.answered("Job finished.").await;
    thread.settled().await;
    let decided = thread.messages().into_iter().find(|it| it.ts == card).unwrap();
    assert!(!has_button(&decided, "Approve"), "a decided card has no buttons");
    assert!(shown(&decided).contains("Approved by alice"), "{}", thread.transcript());
    assert_eq!(thread.answers(), 1);
    world.finish().await;
}

#[tokio::test]
async fn the_wrong_person_gets_a_private_line_and_nothing_runs() {
    let world = World::start([bash("touch ran"), Reply::says("Done.")]).await;
    let thread = world.mention("alice", "go").await;
    let card = thread.card().await;
    thread.click("mallory", &card, "Approve").await;
    let mallory = world.slack.person("mallory").id();
    thread
        .until("a private line for mallory", |messages| {
            messages.iter().any(|it| it.ephemeral_to.as_deref() == Some(&mallory)).then_some(())
        })
        .await;
    assert_eq!(world.model.requests().len(), 1, "nothing went on");
    thread.click("bob", &card, "Approve").await;
    thread.answered("Done.").await;
    world.finish().await;
}

#[tokio::test]
async fn a_rejection_with_a_reason_reaches_the_model_in_its_own_words() {
    let world = World::start([bash("rm -rf data"), Reply::says("I will archive it instead.")]).await;
    let thread = world.mention("alice", "clean up").await;
    let card = thread.card().await;
    thread.click("alice", &card, "Reject").await;
    let view = world.modal("alice").await;
    world.slack.person("alice").submits_text(&view, "Archive to S3, never DELETE").await.unwrap();
    thread.answered("I will archive it instead.").await;
    let last = world.model.requests().pop().unwrap().to_string();
    assert!(last.contains("Archive to S3, never DELETE"), "{last}");
    thread.settled().await;
    let decided = thread.messages().into_iter().find(|it| it.ts == card).unwrap();
    let told = shown(&decided);
    assert!(told.contains("Rejected by alice") && told.contains("Archive to S3, never DELETE"), "{told}");
    assert!(told.contains("rm -rf data") && !has_button(&decided, "Reject"), "{told}");
    world.finish().await;
}

#[tokio::test]
async fn an_edited_command_runs_as_edited() {
    let world = World::start([bash("echo epochs=100"), Reply::says("It ran.")]).await;
    let thread = world.mention("alice", "train").await;
    let card = thread.card().await;
    thread.click("alice", &card, "Edit").await;
    let view = world.modal("alice").await;
    world.slack.person("alice").submits_text(&view, "echo epochs=1").await.unwrap();
    thread.answered("It ran.").await;
    let tasks: Vec<(String, String)> = thread
        .messages()
        .iter()
        .flat_map(|it| it.chunks.tasks.iter().map(|task| (task.title.clone(), task.status.clone())))
        .filter(|(title, _)| title.contains("epochs=1") && !title.contains("epochs=100"))
        .collect();
    assert_eq!(tasks, [("echo epochs=1".to_owned(), "complete".to_owned())], "what runs is shown");
    let last = world.model.requests().pop().unwrap();
    let result = last["messages"].as_array().unwrap().last().unwrap()["content"].to_string();
    assert!(
        result.contains("-echo epochs=100") && result.contains("+echo epochs=1"),
        "told what changed: {result}"
    );
    let decided = thread.messages().into_iter().find(|it| it.ts == card).unwrap();
    assert!(shown(&decided).contains("epochs=1"));
    world.finish().await;
}

#[tokio::test]
async fn approved_for_the_session_is_not_asked_again() {
    let world = World::start([bash("echo one"), bash("echo two"), Reply::says("Both ran.")]).await;
    let thread = world.mention("alice", "run both").await;
    let card = thread.card().await;
    thread.click("alice", &card, "Approve for this session").await;
    thread.answered("Both ran.").await;
    world.finish().await;
}

#[tokio::test]
async fn a_new_message_overtakes_the_question_and_a_late_click_gets_a_private_line() {
    let world = World::start([bash("echo old"), Reply::says("Then the new way.")]).await;
    let thread = world.mention("alice", "do it the old way").await;
    let card = thread.card().await;
    thread.reply("alice", "no, the new way").await;
    thread.answered("Then the new way.").await;
    let overtaken = thread.messages().into_iter().find(|it| it.ts == card).unwrap();
    assert!(!has_button(&overtaken, "Approve"), "{}", thread.transcript());
    world.finish().await;
}

#[tokio::test]
async fn a_question_that_nobody_answers_expires_and_says_so() {
    let mut setup = super::world::Setup::new(ml_intern::playground::model::Script::Queue(vec![
        bash("echo late"),
        Reply::says("Without it I can only report."),
    ]));
    setup.configure = |config| config.approvals.expires_after_s = 1;
    let world = World::with(setup).await;
    let thread = world.mention("alice", "go").await;
    let card = thread.card().await;
    thread.answered("Without it I can only report.").await;
    let expired = thread.messages().into_iter().find(|it| it.ts == card).unwrap();
    assert!(!has_button(&expired, "Approve"));
    world.finish().await;
}

#[tokio::test]
async fn two_clicks_at_once_count_once() {
    let world = World::start([bash("echo x >> log; wc -l < log"), Reply::says("Once.")]).await;
    let thread = world.mention("alice", "go").await;
    let card = thread.card().await;
    tokio::join!(thread.click("alice", &card, "Approve"), thread.click("bob", &card, "Approve"));
    thread.answered("Once.").await;
    let last = world.model.requests().pop().unwrap();
    let result = last["messages"].as_array().unwrap().last().unwrap()["content"].to_string();
    assert!(result.contains('1') && !result.contains('2'), "{result}");
    world.finish().await;
}
