//! What the store promises about finding sessions by what was said in them.

use std::sync::Arc;
use std::time::Duration;

use ml_intern::clock::Clock;
use ml_intern::protocol::operation::{Door, Origin};
use ml_intern::protocol::{Heard, Item, ProposedCall, SessionHead};
use ml_intern::store::{Commit, Find, Store};
use serde_json::{Value, json};

use super::{Backend, NOON, TTL, clock, key, only, says};

fn user(text: &str) -> Arc<Item> {
    let author = "U1".into();
    Arc::new(Item::User { author, name: "Ada".to_owned(), text: text.to_owned(), opens: true, at: None })
}

fn assistant(text: &str) -> Arc<Item> {
    Arc::new(Item::Assistant {
        text: text.to_owned(),
        thoughts: Vec::new(),
        calls: vec![ProposedCall { id: "c1".into(), tool: "bash".into(), arguments: json!("argumentword") }],
        model: "some/model".to_owned(),
    })
}

fn result(text: &str) -> Arc<Item> {
    Arc::new(Item::ToolResult {
        call: "c1".into(),
        tool: "bash".into(),
        output: text.to_owned(),
        success: true,
    })
}

/// Where a session of these tests lives.
fn place(session: &str) -> Origin {
    match session.split_once('/') {
        Some((channel, _)) => {
            let mut origin = Origin::new(Door::Slack, Value::Null);
            origin.channel = Some(channel.to_owned());
            origin
        }
        None => Origin::new(Door::Terminal, Value::Null),
    }
}

/// Saves a session, a second after the one before: its first `keep` items stay, `add` comes behind.
async fn save(
    (store, clock): (&dyn Store, &Clock),
    session: &str,
    title: Option<&str>,
    keep: u64,
    add: &[Arc<Item>],
) {
    clock.advance(Duration::from_secs(1));
    let mut operation = says(session, &format!("{session} at {:?}", clock.now()));
    operation.origin = place(session);
    store.push(operation.clone()).await.unwrap();
    let lease = store.claim(&only(session), TTL).await.unwrap().unwrap();
    let mut head = SessionHead::new(key(session), place(session), NOON);
    head.title = title.map(str::to_owned);
    head.history_size = keep + add.len() as u64;
    head.settings.model = Some("other/model".to_owned());
    let consumed = [operation.id];
    let commit =
        Commit { head: &head, keep, append: add, consumed: &consumed, later: &[], audit: &[], tickets: &[] };
    store.commit(&lease, commit).await.unwrap();
    store.release(&lease, None).await.unwrap();
}

async fn found(store: &dyn Store, find: &Find) -> Vec<String> {
    store.find(find).await.unwrap().into_iter().map(|line| line.key.0).collect()
}

async fn about(store: &dyn Store, words: &str) -> Vec<String> {
    found(store, &Find::words(words, 10)).await
}

pub(super) async fn sessions_are_found_by_what_was_said(backend: &dyn Backend) {
    let clock = clock();
    let store = backend.open(&clock);
    let at = (&*store, &clock);
    let heard = vec![Heard { name: "Bob".to_owned(), text: "the Zürich dataset".to_owned() }];
    let overheard = Arc::new(Item::Overheard { lines: heard });
    save(at, "t1", Some("Fine-tune on imdb"), 0, &[overheard, user("train it with LoRA")]).await;
    save(
        at,
        "t2",
        Some("Evaluate"),
        0,
        &[user("how good is it"), assistant("It learns on imdb."), result("toolword")],
    )
    .await;
    for (words, expected) in [
        ("imdb", &["t2", "t1"][..]),
        ("IMDB lora", &["t1"]),
        ("learn", &["t2"]),
        ("earn", &["t2"]),
        ("ZÜRICH dataset", &["t1"]),
        ("100%_", &[]),
        ("fine-tune", &["t1"]),
        ("evaluate good imdb", &["t2"]),
        ("imdb nowhere", &[]),
        ("toolword", &[]),
        ("argumentword", &[]),
        ("\" OR NEAR(", &[]),
        ("' * -- ;", &[]),
        ("", &["t2", "t1"]),
        ("  ", &["t2", "t1"]),
    ] {
        assert_eq!(about(&*store, words).await, expected, "{words:?}");
    }
    drop(store);
    assert_eq!(about(&*backend.open(&clock), "lora").await, ["t1"], "after a reopening");
}

pub(super) async fn what_was_cut_is_found_no_longer(backend: &dyn Backend) {
    let clock = clock();
    let store = backend.open(&clock);
    let at = (&*store, &clock);
    save(at, "t1", Some("old title"), 0, &[user("alpha"), assistant("beta"), user("gamma")]).await;
    save(at, "t2", None, 0, &[user("gamma")]).await;
    save(at, "t1", Some("new name"), 1, &[user("delta")]).await;
    for (words, expected) in [
        ("alpha", &["t1"][..]),
        ("beta", &[]),
        ("gamma", &["t2"]),
        ("delta", &["t1"]),
        ("old", &[]),
        ("name", &["t1"]),
    ] {
        assert_eq!(about(&*store, words).await, expected, "{words:?}");
    }
    save(at, "t1", None, 0, &[]).await;
    for words in ["alpha", "delta", "name"] {
        assert!(about(&*store, words).await.is_empty(), "{words:?}");
    }
}

pub(super) async fn sessions_are_listed_by_door_and_channel_and_page(backend: &dyn Backend) {
    let clock = clock();
    let store = backend.open(&clock);
    let at = (&*store, &clock);
    for session in ["C1/a", "C2/b", "t1", "C1/c", "t2", "C1/d"] {
        save(at, session, Some("hello"), 0, &[user("hello"), assistant("hi")]).await;
    }
    store.push(says("never saved", "x")).await.unwrap();
    let all = Find::newest(10);
    assert_eq!(found(&*store, &all).await, ["C1/d", "t2", "C1/c", "t1", "C2/b", "C1/a"]);
    let channel = Find { channel: Some("C1".to_owned()), ..Find::words("hel", 2) };
    assert_eq!(found(&*store, &channel).await, ["C1/d", "C1/c"]);
    assert_eq!(found(&*store, &Find { skip: 2, ..channel.clone() }).await, ["C1/a"]);
    assert!(found(&*store, &Find { skip: 3, ..channel }).await.is_empty());
    let terminal = Find { door: Some(Door::Terminal), ..all.clone() };
    assert_eq!(found(&*store, &terminal).await, ["t2", "t1"]);
    let line = store.find(&all).await.unwrap().remove(0);
    assert_eq!((line.door, line.channel.as_deref(), line.items), (Door::Slack, Some("C1"), 2));
    assert_eq!(line.model.as_deref(), Some("other/model"));
}

pub(super) async fn keys_are_given_by_their_beginning(backend: &dyn Backend) {
    let store = backend.open(&clock());
    for name in ["terminal:01ab", "terminal:01ac", "terminal:02", "slack:T:C:1", "terminal:01a%"] {
        store.push(says(name, name)).await.unwrap();
    }
    let of = async |beginning: &str, limit| {
        let keys = store.keys(beginning, limit).await.unwrap();
        keys.into_iter().map(|key| key.0).collect::<Vec<_>>()
    };
    assert_eq!(of("terminal:01a", 10).await, ["terminal:01a%", "terminal:01ab", "terminal:01ac"]);
    assert_eq!(of("terminal:01a", 1).await, ["terminal:01a%"]);
    assert_eq!(of("terminal:01a%", 9).await, ["terminal:01a%"], "no wildcards");
    assert_eq!(of("terminal:02", 9).await, ["terminal:02"]);
    assert!(of("ERMINAL", 9).await.is_empty());
}
