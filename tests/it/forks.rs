//! Going on in another thread: forks, what they copy, and what stays where it was.

use ml_intern::playground::model::Reply;

use super::world::{CHANNEL, Thread, World};

/// The root messages of the channel that hold these words.
fn roots_with(world: &World, words: &str) -> Vec<String> {
    world.slack.look(|state| {
        let root = |it: &&ml_intern::playground::Message| it.thread_ts.is_none() && it.text.contains(words);
        state.messages.values().filter(root).map(|it| it.ts.clone()).collect()
    })
}

/// The one root message with these words, once it is there.
async fn root_with(world: &World, words: &str) -> String {
    for _ in 0..1_000 {
        match &roots_with(world, words)[..] {
            [] => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
            [root] => return root.clone(),
            more => panic!("{more:?}"),
        }
    }
    panic!("no message with “{words}” appeared");
}

/// Waits for a line that one person alone sees.
async fn whispers(thread: &Thread<'_>, words: &str) {
    let whispered =
        |it: &ml_intern::playground::Message| it.ephemeral_to.is_some() && it.text.contains(words);
    thread.until(words, |messages| messages.iter().any(whispered).then_some(())).await;
}

#[tokio::test]
async fn a_fork_opens_a_thread_that_knows_what_was_said_and_both_go_on() {
    let world = World::start([
        Reply::says("Use a GRU."),
        Reply::says("Use an LSTM."),
        Reply::says("The GRU has fewer gates."),
        Reply::says("The LSTM has more gates."),
    ])
    .await;
    let thread = world.mention("alice", "which <cell> is *fast*?").await;
    thread.answered("Use a GRU.").await;
    thread.reply("alice", "and which is accurate?").await;
    thread.answered("Use an LSTM.").await;
    thread.reply("bob", "!fork 1").await;
    thread.hears("Forked: this also goes on in").await;

    let fork = world.thread(&root_with(&world, "Fork of").await);
    fork.hears("Going on from where it was left.").await;
    fork.reply("alice", "why?").await;
    fork.answered("The GRU has fewer gates.").await;
    let request = world.model.requests().pop().unwrap().to_string();
    assert!(request.contains("which <cell> is *fast*?") && request.contains("Use a GRU."), "{request}");
    assert!(!request.contains("Use an LSTM."), "the second request was not copied: {request}");

    thread.reply("alice", "why?").await;
    thread.answered("The LSTM has more gates.").await;
    let root = world.slack.thread(CHANNEL, &fork.root).remove(0);
    assert!(root.text.contains("|which &lt;cell&gt; is *fast*?>"), "{}", root.text);
    world.finish().await;
}

#[tokio::test]
async fn what_cannot_be_forked_is_said_in_private_and_opens_nothing() {
    let world = World::start([Reply::says("Hello.")]).await;
    let thread = world.mention("alice", "hi").await;
    thread.answered("Hello.").await;
    thread.reply("alice", "!fork 7").await;
    whispers(&thread, "I cannot fork there: the last finished request here is number 1.").await;
    assert!(roots_with(&world, "Fork of").is_empty());
    world.finish().await;
}

#[tokio::test]
async fn undo_and_resume_say_what_they_did_and_what_there_is_not() {
    let world = World::start([Reply::says("First."), Reply::says("Second."), Reply::says("Third.")]).await;
    let thread = world.mention("alice", "one").await;
    thread.answered("First.").await;
    thread.reply("alice", "two").await;
    thread.answered("Second.").await;
    thread.reply("alice", "!undo").await;
    thread.hears("The last request is forgotten").await;
    thread.reply("alice", "!resume").await;
    whispers(&thread, "There is nothing to go on with").await;
    thread.reply("alice", "three").await;
    thread.answered("Third.").await;
    let request = world.model.requests().pop().unwrap().to_string();
    assert!(request.contains("First.") && !request.contains("Second."), "{request}");
    world.finish().await;
}

#[tokio::test]
async fn who_took_part_may_go_on_elsewhere_and_to_others_nothing_exists() {
    let world = World::start([Reply::says("The loss is 0.3."), Reply::says("It was 0.3.")]).await;
    let first = world.mention("alice", "what is the loss?").await;
    first.answered("The loss is 0.3.").await;
    let place = ml_intern::slack::place::Place {
        team: world.slack.look(|state| state.team.id.clone()),
        channel: world.slack.channel_id(CHANNEL),
        thread_ts: first.root.clone(),
        opened_by: String::new(),
    };
    let id = place.session();

    // Mallory said nothing there; bob is a listed approver; alice took part.
    let bot = world.slack.bot_user_id();
    let refused = world.slack.person("mallory").mentions(CHANNEL, &format!("!resume {id}")).await.unwrap();
    let refused = world.thread(&refused);
    whispers(&refused, "There is no conversation with this id").await;
    let unknown = world.slack.person("mallory").mentions(CHANNEL, "!resume slack:T0:C0:1.1").await.unwrap();
    whispers(&world.thread(&unknown), "There is no conversation with this id").await;
    let bobs = world.slack.person("bob").mentions(CHANNEL, &format!("!resume {id}")).await.unwrap();
    world.thread(&bobs).hears("Going on from where it was left.").await;

    let second = world.mention("alice", &format!("!resume {id}")).await;
    second.hears("Going on from where it was left.").await;
    second.reply("alice", "what was it?").await;
    second.answered("It was 0.3.").await;
    let request = world.model.requests().pop().unwrap().to_string();
    assert!(request.contains("what is the loss?"), "{request}");

    second.reply("alice", &format!("<@{bot}> !sessions loss")).await;
    whispers(&second, "what is the loss?").await;
    whispers(&second, id.as_str()).await;
    second.reply("alice", "!sessions zebra").await;
    whispers(&second, "There is no such conversation in this channel.").await;
    world.finish().await;
}
