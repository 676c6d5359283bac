//! Models in a thread: listing them, choosing another, what answers cost, and a model that breaks off.

use std::time::Duration;

use ml_intern::playground::model::{Ending, Reply, Script};
use ml_intern::secret::Secret;

use super::world::{Setup, World, shown};

/// A world whose model server is reached as one's own (`vllm/`) and as the router, with prices.
async fn with_prices(replies: Vec<Reply>) -> World {
    let mut setup = Setup::new(Script::Queue(replies));
    setup.configure = |config| {
        config.models.huggingface.base_url = config.models.vllm.base_url.clone();
        config.models.huggingface.api_key = Some(Secret::new("hf_test"));
    };
    World::with(setup).await
}

#[tokio::test]
async fn another_model_is_chosen_after_it_has_answered_and_answers_show_what_they_cost() {
    let world = with_prices(vec![
        Reply::says("For nothing."),
        Reply::says("pong"),
        Reply::says("For money.").using(ml_intern::playground::model::Usage {
            prompt: 100_000,
            completion: 10_000,
            cached: 0,
        }),
        Reply::error(404, r#"{"error": {"message": "The model does not exist"}}"#),
        Reply::says("Still here."),
    ])
    .await;
    let thread = world.mention("alice", "hello").await;
    thread.answered("For nothing.").await;
    thread.reply("alice", "!model").await;
    thread.hears("vllm/scripted · no effort · free · 200k tokens").await;
    thread.reply("alice", "!model demo/scripted:playground").await;
    thread.hears("demo/scripted:playground, from the next step on").await;
    thread.hears("$1.00 in, $2.00 out per million tokens").await;
    let ping = world.model.requests().pop().unwrap();
    assert_eq!((&ping["messages"][0]["content"], &ping["max_tokens"]), (&"ping".into(), &64.into()));

    thread.reply("alice", "and now?").await;
    thread.answered("For money.").await;
    // 100,000 tokens at 1 $ and 10,000 at 2 $ per million.
    thread.hears("$0.12").await;
    assert_eq!(world.model.requests().pop().unwrap()["model"], "demo/scripted:playground");

    thread.reply("bob", "!model demo/other").await;
    let bob = world.slack.person("bob").id();
    let told = world.slack.until(Duration::from_secs(20), |state| {
        let to_bob = state.messages.values().find(|it| it.ephemeral_to.as_ref() == Some(&bob));
        to_bob.map(|it| it.text.clone())
    });
    let told = told.await.expect("bob was told nothing");
    assert!(told.contains("The model stays as it is.") && told.contains("does not exist"), "{told}");
    thread.reply("alice", "who are you?").await;
    thread.answered("Still here.").await;
    assert_eq!(world.model.requests().pop().unwrap()["model"], "demo/scripted:playground");
    world.finish().await;
}

#[tokio::test]
async fn choosing_a_model_can_be_stopped() {
    let world = with_prices(vec![
        Reply::says("Hello."),
        Reply::says("never").ending(Ending::HangAfter(0)),
        Reply::says("As before."),
    ])
    .await;
    let thread = world.mention("alice", "hello").await;
    thread.answered("Hello.").await;
    thread.reply("alice", "!model demo/scripted").await;
    assert!(world.model.requested(2, Duration::from_secs(20)).await);
    thread.reply("alice", "stop").await;
    let stopped = world.slack.until(Duration::from_secs(10), |state| {
        let told = |it: &ml_intern::playground::Message| {
            it.ephemeral_to.is_some() && it.text.contains("the models stay as they are")
        };
        state.messages.values().any(told).then_some(())
    });
    stopped.await.expect("nobody was told that it was stopped");
    thread.reply("alice", "go on").await;
    thread.answered("As before.").await;
    assert_eq!(world.model.requests().pop().unwrap()["model"], "scripted");
    world.finish().await;
}

#[tokio::test]
async fn an_answer_that_broke_off_in_the_middle_stands_in_the_thread_once() {
    const ANSWER: &str = "The loss falls until step 400, then it rises again: the rate is too high.";
    let slowly = || Reply::says(ANSWER).in_pieces(12).slowly(Duration::from_millis(120));
    let world = World::start([slowly().ending(Ending::CutAfter(9)), slowly()]).await;
    let thread = world.mention("alice", "why?").await;
    thread.hears("The loss falls").await;
    thread.answered("the rate is too high.").await;
    let said: String = thread.messages().iter().filter(|it| it.bot).map(shown).collect();
    assert_eq!(
        said.matches("The loss falls").count(),
        said.matches("the rate is too high.").count(),
        "{said}"
    );
    assert!(!said.contains("starting this part over"), "{said}");
    assert!(said.contains("Trying again in"), "people see why nothing comes for a while: {said}");
    assert_eq!(thread.answers(), 1);
    world.finish().await;
}
