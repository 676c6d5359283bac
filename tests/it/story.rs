//! The demonstration, from the mention to its report, with the real bot and the real tools.

use std::time::Duration;

use ml_intern::playground::model::Script;
use ml_intern::playground::story;

use super::world::{CHANNEL, Setup, World};

const PATIENCE: Duration = Duration::from_secs(40);

/// Waits for the card of this thread that still has its button, and approves.
async fn approve(world: &World, root: &str) {
    let channel = world.slack.channel_id(CHANNEL);
    let asks = |blocks: &[serde_json::Value]| blocks.iter().any(|it| it.to_string().contains("\"Approve\""));
    let card = world.slack.until(PATIENCE, |state| {
        let mut thread = state.in_thread(&channel, root);
        thread.find(|it| asks(&it.blocks) || asks(&it.chunks.blocks)).map(|it| it.ts.clone())
    });
    let Some(card) = card.await else { panic!("no card:\n{}", world.slack.transcript(CHANNEL, root)) };
    world.slack.person("bob").clicks(CHANNEL, &card, "Approve").await.unwrap();
}

/// Waits until the bot has said this and ended the message.
async fn hears(world: &World, root: &str, words: &str) {
    let channel = world.slack.channel_id(CHANNEL);
    let told = world.slack.until(PATIENCE, |state| {
        let says = |it: &str| it.contains(words);
        let mut thread = state.in_thread(&channel, root).filter(|it| it.bot && !it.streaming);
        thread
            .find(|it| says(&it.shown_text()) || it.blocks.iter().any(|block| says(&block.to_string())))
            .map(drop)
    });
    assert!(told.await.is_some(), "nobody says {words:?}:\n{}", world.slack.transcript(CHANNEL, root));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demonstration_trains_with_the_real_tools_and_reports_what_it_measured() {
    let world = World::with(Setup::new(Script::Answering(Box::new(story::next)))).await;
    let alice = world.slack.person("alice");
    let root = alice.mentions(CHANNEL, "train something small").await.unwrap();
    approve(&world, &root).await;
    hears(&world, &root, "| test accuracy |").await;
    hears(&world, &root, "no model is thinking").await;
    let seen = world.slack.transcript(CHANNEL, &root);
    assert!(seen.contains("Plan: 3 of 3 done"), "the plan is not shown to its end:\n{seen}");
    alice.replies(CHANNEL, &root, "try another learning rate, please").await.unwrap();
    approve(&world, &root).await;
    hears(&world, &root, "| measure | before | now |").await;
    world.finish().await;
}
