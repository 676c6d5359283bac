//! A long thread that is shortened: what people see of it, and that the work goes on.

use ml_intern::playground::model::Reply;

use super::world::World;

#[tokio::test]
async fn a_thread_is_shortened_on_demand_and_goes_on_from_the_notes() {
    let long = |what: &str| Reply::says(format!("{what}. {}", "All of it was looked at. ".repeat(400)));
    let world = World::start([
        long("First"),
        long("Second"),
        Reply::says("Third."),
        Reply::says("Alice wants a quick model; the first two looks are done."),
        Reply::says("Fourth."),
    ])
    .await;
    let thread = world.mention("alice", "look at the first").await;
    thread.answered("First.").await;
    thread.reply("alice", "now the second").await;
    thread.answered("Second.").await;
    thread.reply("alice", "and the third").await;
    thread.answered("Third.").await;
    thread.reply("alice", "!compact").await;
    thread.hears("Shortened the history: about ").await;
    thread.reply("alice", "go on").await;
    thread.answered("Fourth.").await;
    let requests = world.model.requests();
    let last = requests.last().unwrap().to_string();
    assert!(last.contains("Alice wants a quick model"), "the notes stand for what was cut: {last}");
    assert!(last.contains("look at the first"), "what was asked for first stays word for word");
    assert!(!last.contains("First. All of it was looked at."), "what was cut is gone");
    thread.reply("alice", "!compact").await;
    thread.hears("nothing to shorten").await;
    world.finish().await;
}
