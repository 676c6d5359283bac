//! Traces that people opted in to share, and a secret that is planted on every way out.

use ml_intern::config::Config;
use ml_intern::playground::model::{Reply, Script};
use ml_intern::secret::Secret;

use super::world::{Setup, World, bash, shown};
use crate::wire::hub_fake::{FakeHub, TOKEN};

const REPO: &str = "alice/ml-intern-sessions";

async fn sharing_world(hub: &FakeHub, replies: Vec<Reply>) -> World {
    let url = hub.url.clone();
    let setup = Setup::new(Script::Queue(replies));
    World::configured(setup, move |config: &mut Config| {
        config.share_traces = true;
        config.services.hf_endpoint = url.clone();
        config.models.huggingface.api_key = Some(Secret::new(TOKEN));
        config.session_dataset_repo = Some("smolagents/ml-intern-sessions".into());
    })
    .await
}

fn traces(hub: &FakeHub) -> Vec<String> {
    hub.look(|shelf| {
        let dataset = shelf.datasets.get(REPO)?;
        Some(
            dataset
                .files
                .iter()
                .filter(|(path, _)| path.starts_with("sessions/"))
                .map(|(_, it)| it.clone())
                .collect(),
        )
    })
    .unwrap_or_default()
}

/// Waits until a trace holds these words.
async fn until_traced(hub: &FakeHub, words: &str) {
    for _ in 0..2_000 {
        if traces(hub).iter().any(|trace| trace.contains(words)) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("no trace with “{words}”: {:?}", hub.look(|shelf| shelf.seen.clone()));
}

#[tokio::test]
async fn a_turn_is_shared_privately_after_it_ended_and_again_after_the_next() {
    let hub = FakeHub::start().await;
    let world = sharing_world(&hub, vec![Reply::says("First."), Reply::says("Second.")]).await;
    let thread = world.mention("alice", "hello").await;
    thread.answered("First.").await;
    until_traced(&hub, "First.").await;
    assert!(hub.look(|shelf| shelf.datasets[REPO].private), "it was made private");
    let card = hub.look(|shelf| shelf.datasets[REPO].files["README.md"].clone());
    assert!(card.contains("Nobody has reviewed these files"));
    // The owner's choice stands.
    hub.look(|shelf| shelf.datasets.get_mut(REPO).unwrap().private = false);
    thread.reply("alice", "more").await;
    thread.answered("Second.").await;
    until_traced(&hub, "Second.").await;
    assert!(!hub.look(|shelf| shelf.datasets[REPO].private));
    assert_eq!(traces(&hub).len(), 1, "one file for the conversation, the newest state of it");
    let paths: Vec<String> = hub.look(|shelf| shelf.datasets.keys().cloned().collect());
    assert_eq!(paths, [REPO], "never the shared dataset");
    assert_eq!(hub.look(|shelf| shelf.wrong.clone()), Vec::<String>::new());
    world.finish().await;
}

#[tokio::test]
async fn an_upload_that_was_refused_is_made_by_the_next_process() {
    let hub = FakeHub::start().await;
    hub.look(|shelf| shelf.refusals.extend([Some(403); 50]));
    let mut world = sharing_world(&hub, vec![Reply::says("Kept.")]).await;
    let thread = world.mention("alice", "hello").await;
    thread.answered("Kept.").await;
    hub.until("a try", |shelf| (!shelf.seen.is_empty()).then_some(())).await;
    assert!(traces(&hub).is_empty());
    hub.look(|shelf| shelf.refusals.clear());
    world.restart().await;
    until_traced(&hub, "Kept.").await;
    world.finish().await;
}

#[tokio::test]
async fn a_planted_secret_comes_out_nowhere() {
    let shaped = format!("hf_{}", "Zq9".repeat(12));
    let command = format!(
        "printf 'plain %s' '{TOKEN}'; printf '\\n%s\\nPASSWORD = \"planted words\"\\n' '{shaped}'; \
         for i in $(seq 1 9000); do echo 'API_KEY=plantedkey'; done; echo '{TOKEN}'"
    );
    let hub = FakeHub::start().await;
    let answer = format!("The token is {TOKEN} or {shaped}; PASSWORD = \"planted words\". Done.");
    let world = sharing_world(&hub, vec![bash(&command), Reply::says(&answer)]).await;
    let thread = world.mention("alice", "print it").await;
    let card = thread.card().await;
    thread.click("alice", &card, "Approve").await;
    thread.answered("Done.").await;
    until_traced(&hub, "Done.").await;
    let secrets = [TOKEN, &shaped, "planted words", "plantedkey"];
    let clean = |what: &str, text: &str| {
        for secret in secrets {
            assert!(!text.contains(secret), "{secret} is in {what}: {text:.2000}");
        }
    };
    // What was posted and streamed, also where it was overwritten since.
    clean("the thread", &thread.messages().iter().map(shown).collect::<String>());
    for call in world.slack.calls() {
        clean("a call to Slack", &call.args.to_string());
    }
    // What the model was given back: its own words are its own.
    let request = world.model.requests().pop().unwrap();
    let results: Vec<String> = request["messages"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|message| message["role"] == "tool")
        .map(ToString::to_string)
        .collect();
    assert_eq!(results.len(), 1);
    clean("the result that the model sees", &results[0]);
    let spilled = world.spill_files();
    assert_eq!(spilled.len(), 1, "the output was long enough for a file");
    clean("the spill file", &spilled[0]);
    clean("the trace", &traces(&hub).concat());
    world.finish().await;
}
