//! People's own Hub tokens: given in a direct message, used for their requests alone, never seen again.

use std::time::Duration;

use ml_intern::clock::Clock;
use ml_intern::config::{Config, HubAccount};
use ml_intern::playground::Message;
use ml_intern::playground::hub::{HubOptions, SmallHub};
use ml_intern::playground::model::{Reply, Script};
use ml_intern::secret::Secret;
use serde_json::json;

use super::world::{CHANNEL, Setup, World, shown};

const SOON: Duration = Duration::from_secs(15);

/// A world beside a small Hub on which Carol's token is the bot's own.
async fn world(
    replies: impl IntoIterator<Item = Reply>,
    change: impl FnOnce(&mut Config),
) -> (World, SmallHub) {
    let hub = SmallHub::start(HubOptions::new(Clock::system())).await.unwrap();
    let url = hub.url().to_owned();
    let setup = Setup::new(Script::Queue(replies.into_iter().collect()));
    let world = World::configured(setup, |config| {
        config.services.hf_endpoint = url;
        config.models.huggingface.api_key = Some(Secret::new(&HubOptions::token_of("carol")));
        change(config);
    })
    .await;
    (world, hub)
}

/// Writes to the bot directly and waits for its answer below.
async fn directly(world: &World, who: &str, text: &str) -> String {
    let (channel, ts) = world.slack.person(who).writes_directly(text).await.unwrap();
    let answer = world.slack.until(SOON, |state| {
        let thread: Vec<_> = state.in_thread(&channel, &ts).cloned().collect();
        thread.into_iter().find(|it| it.bot).map(|it| it.text)
    });
    answer.await.unwrap_or_else(|| panic!("no answer to {text:?}: {}", world.slack.transcript(&channel, &ts)))
}

/// Waits for words that only this person was shown.
async fn aside(world: &World, who: &str, words: &str) {
    let user = world.slack.person(who).id();
    let told = world.slack.until(SOON, |state| {
        let to = |it: &&Message| it.ephemeral_to.as_deref() == Some(&user) && it.text.contains(words);
        state.messages.values().find(to).map(drop)
    });
    assert!(told.await.is_some(), "{who} never heard “{words}”");
}

/// A call that asks the Hub for a page that is not there: what matters is who asked.
fn asks() -> Reply {
    Reply::calls([("fetch_hf_docs", json!({ "url": "https://huggingface.co/docs/trl/none" }))])
}

/// Who asked for the page, one after another.
fn callers(hub: &SmallHub) -> Vec<Option<String>> {
    let pages = hub.calls().into_iter().filter(|call| call.path.starts_with("/docs/trl/none"));
    pages.map(|call| call.caller).collect()
}

/// How often the Hub was asked whose a token is.
fn checks(hub: &SmallHub) -> usize {
    hub.calls().iter().filter(|call| call.path.starts_with("/api/whoami")).count()
}

/// Everything that the bot wrote down.
fn written(world: &World) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![world.folder().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            match entry.file_type().unwrap().is_dir() {
                true => folders.push(entry.path()),
                false => found.push((
                    entry.file_name().to_string_lossy().into_owned(),
                    std::fs::read(entry.path()).unwrap_or_default(),
                )),
            }
        }
    }
    found
}

fn holds(bytes: &[u8], words: &str) -> bool {
    bytes.windows(words.len()).any(|window| window == words.as_bytes())
}

#[tokio::test]
async fn a_token_given_in_private_is_used_for_its_person_alone_and_written_down_once() {
    let replies =
        [asks(), Reply::says("For Alice."), asks(), Reply::says("For Bob."), asks(), Reply::says("Again.")];
    let (mut world, hub) = world(replies, |_| {}).await;
    let token = HubOptions::token_of("alice");
    assert!(directly(&world, "alice", "!token").await.contains("I work with my own Hugging Face account"));
    let kept = directly(&world, "alice", &format!("!token `{token}`")).await;
    assert!(kept.contains("I work as *alice*") && kept.contains("Please delete your message"), "{kept}");
    assert!(directly(&world, "alice", "!token").await.contains("I work as *alice*"));
    assert!(directly(&world, "bob", "!token").await.contains("I have no token of yours"));
    world.restart().await;
    let thread = world.mention("alice", "read the page").await;
    thread.answered("For Alice.").await;
    let thread = world.mention("bob", "read the page").await;
    thread.answered("For Bob.").await;
    let of = |name: &str| Some(name.to_owned());
    assert_eq!(callers(&hub), [of("alice"), of("carol")], "whoever gave none has the bot's");
    let gone = directly(&world, "alice", "!token remove").await;
    assert!(gone.contains("Forgotten. It still works elsewhere until you revoke it"), "{gone}");
    let thread = world.mention("alice", "once more").await;
    thread.answered("Again.").await;
    assert_eq!(callers(&hub).pop(), Some(of("carol")));
    assert!(directly(&world, "alice", "!token remove").await.contains("nothing to forget"));
    world.stop_bot().await;
    let holding: Vec<String> =
        written(&world).into_iter().filter(|(_, it)| holds(it, &token)).map(|(name, _)| name).collect();
    assert_eq!(holding, Vec::<String>::new(), "after removal it is nowhere");
    let said = serde_json::to_string(&world.model.requests()).unwrap();
    assert!(!said.contains(&token) && !said.contains("!token"), "the model never hears of it");
    let posted =
        world.slack.look(|state| state.messages.values().filter(|it| it.bot).map(shown).collect::<String>());
    assert!(!posted.contains(&token));
    world.finish().await;
}

#[tokio::test]
async fn while_it_is_kept_it_is_in_one_file_that_only_its_owner_reads() {
    let (mut world, _hub) = world([], |_| {}).await;
    let token = HubOptions::token_of("alice");
    directly(&world, "alice", &format!("!token {token}")).await;
    world.stop_bot().await;
    let files = written(&world);
    let holding: Vec<&String> =
        files.iter().filter(|(_, it)| holds(it, &token)).map(|(name, _)| name).collect();
    assert_eq!(holding, ["hub-tokens.json"]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(world.folder().join("hub-tokens.json")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    world.finish().await;
}

#[tokio::test]
async fn a_token_that_does_not_work_or_is_none_is_not_kept() {
    let (mut world, hub) = world([], |_| {}).await;
    let wrong = format!("hf_{}", "x".repeat(34));
    assert!(directly(&world, "alice", &format!("!token {wrong}")).await.contains("does not take that token"));
    let asked = checks(&hub);
    assert!(
        directly(&world, "alice", "!token password123")
            .await
            .contains("does not look like a Hugging Face token")
    );
    assert!(
        directly(&world, "alice", &format!("!token {wrong} thanks!")).await.contains("with the token alone")
    );
    assert_eq!(checks(&hub), asked, "what is no token is sent nowhere");
    assert!(directly(&world, "alice", "!token").await.contains("I have no token of yours"));
    world.stop_bot().await;
    assert!(written(&world).iter().all(|(_, it)| !holds(it, &wrong)));
    world.finish().await;
}

#[tokio::test]
async fn in_a_channel_it_is_refused_and_its_person_told_to_revoke_it() {
    let (mut world, hub) = world([Reply::says("Hello."), Reply::says("Taken.")], |_| {}).await;
    let token = HubOptions::token_of("alice");
    world.mention("alice", &format!("!token {token}")).await;
    aside(&world, "alice", "Please revoke that token now").await;
    world
        .slack
        .person("bob")
        .says(CHANNEL, None, &format!("!token {}", HubOptions::token_of("bob")))
        .await
        .unwrap();
    aside(&world, "bob", "Please revoke that token now").await;
    let thread = world.mention("alice", "hello").await;
    thread.answered("Hello.").await;
    thread.reply("alice", "!token").await;
    aside(&world, "alice", "in direct messages only").await;
    // Among other words it is taken out before the rest is kept.
    thread.reply("alice", &format!("use {token} to log in")).await;
    thread.answered("Taken.").await;
    aside(&world, "alice", "I took it out before I kept the rest").await;
    let said = serde_json::to_string(&world.model.requests()).unwrap();
    assert!(said.contains("use [REDACTED_HF_TOKEN] to log in"), "{said}");
    assert_eq!(checks(&hub), 0, "nobody tried it");
    world.stop_bot().await;
    assert!(written(&world).iter().all(|(_, it)| !holds(it, &token)), "nothing of it was written down");
    world.finish().await;
}

#[tokio::test]
async fn where_the_bot_works_with_its_own_account_for_all_no_token_is_taken() {
    let (world, hub) = world([], |config| config.hub.account = HubAccount::Bot).await;
    let answer = directly(&world, "alice", &format!("!token {}", HubOptions::token_of("alice"))).await;
    assert!(answer.contains("my own Hugging Face account for everybody"), "{answer}");
    assert_eq!(checks(&hub), 0);
    world.finish().await;
}
