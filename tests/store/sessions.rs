//! What the saved truth promises: all of a step or nothing of it, and only by whoever holds the lease.

use std::time::Duration;

use ml_intern::protocol::OperationId;
use ml_intern::store::{Commit, Find, Later, Lease, Store, StoreError};

use super::{Backend, NOON, TTL, claim, clock, consume, head, items, key, only, says, slack, unread_ids};

async fn opened(store: &dyn Store, session: &str) -> Lease {
    store.push(says(session, &format!("open {session}"))).await.unwrap();
    claim(store, &only(session)).await.unwrap()
}

async fn append(store: &dyn Store, lease: &Lease, keep: u64, from: u64, to: u64) -> Result<(), StoreError> {
    let head = head(lease.session.as_str(), keep + (to - from));
    let append = items(from..to);
    store
        .commit(
            lease,
            Commit {
                head: &head,
                keep,
                append: &append,
                consumed: &[],
                later: &[],
                audit: &[],
                tickets: &[],
            },
        )
        .await
}

pub(super) async fn a_session_never_committed_loads_empty(backend: &dyn Backend) {
    let store = backend.open(&clock());
    store.push(says("t1", "a")).await.unwrap();
    for name in ["t1", "never heard of"] {
        let loaded = store.load(&key(name)).await.unwrap();
        assert!(loaded.head.is_none() && loaded.items.is_empty());
        assert!(store.head(&key(name)).await.unwrap().is_none());
    }
    assert!(store.find(&Find::newest(10)).await.unwrap().is_empty(), "nothing was saved yet");
    assert!(store.exists(&key("t1")).await.unwrap(), "an operation for it was kept: it exists");
    assert!(!store.exists(&key("never heard of")).await.unwrap());
}

pub(super) async fn a_commit_cuts_and_appends(backend: &dyn Backend) {
    let store = backend.open(&clock());
    let lease = opened(&*store, "t1").await;
    append(&*store, &lease, 0, 0, 5).await.unwrap();
    append(&*store, &lease, 5, 5, 7).await.unwrap();
    assert_eq!(store.load(&key("t1")).await.unwrap().items, items(0..7));
    append(&*store, &lease, 2, 100, 102).await.unwrap();
    let loaded = store.load(&key("t1")).await.unwrap();
    let expected: Vec<_> = items(0..2).into_iter().chain(items(100..102)).collect();
    assert_eq!(loaded.items, expected);
    assert_eq!(loaded.head, Some(head("t1", 4)));
    append(&*store, &lease, 0, 0, 0).await.unwrap();
    assert!(store.load(&key("t1")).await.unwrap().items.is_empty());
}

pub(super) async fn a_thousand_items_load_in_order(backend: &dyn Backend) {
    let store = backend.open(&clock());
    let lease = opened(&*store, "t1").await;
    for chunk in 0..10 {
        append(&*store, &lease, chunk * 100, chunk * 100, (chunk + 1) * 100).await.unwrap();
    }
    let neighbour = opened(&*store, "t2").await;
    append(&*store, &neighbour, 0, 7, 8).await.unwrap();
    assert_eq!(store.load(&key("t1")).await.unwrap().items, items(0..1000));
    assert_eq!(store.load(&key("t2")).await.unwrap().items, items(7..8));
}

pub(super) async fn a_commit_that_miscounts_changes_nothing(backend: &dyn Backend) {
    let store = backend.open(&clock());
    let lease = opened(&*store, "t1").await;
    append(&*store, &lease, 0, 0, 3).await.unwrap();
    assert!(matches!(append(&*store, &lease, 4, 4, 5).await, Err(StoreError::Backend(_))), "a gap");
    let wrong = head("t1", 9);
    let commit =
        Commit { head: &wrong, keep: 3, append: &[], consumed: &[], later: &[], audit: &[], tickets: &[] };
    assert!(matches!(store.commit(&lease, commit).await, Err(StoreError::Backend(_))), "a wrong size");
    let other = head("t2", 3);
    let commit =
        Commit { head: &other, keep: 3, append: &[], consumed: &[], later: &[], audit: &[], tickets: &[] };
    assert!(matches!(store.commit(&lease, commit).await, Err(StoreError::Backend(_))), "another's head");
    assert_eq!(store.load(&key("t1")).await.unwrap().items, items(0..3));
    assert_eq!(store.head(&key("t1")).await.unwrap(), Some(head("t1", 3)));
}

pub(super) async fn a_commit_after_release_is_refused(backend: &dyn Backend) {
    let store = backend.open(&clock());
    let lease = opened(&*store, "t1").await;
    store.release(&lease, None).await.unwrap();
    assert!(matches!(append(&*store, &lease, 0, 0, 1).await, Err(StoreError::Fenced(k)) if k == key("t1")));
    assert!(store.head(&key("t1")).await.unwrap().is_none());
}

pub(super) async fn a_commit_by_a_zombie_changes_nothing(backend: &dyn Backend) {
    let clock = clock();
    let store = backend.open(&clock);
    let zombie = opened(&*store, "t1").await;
    append(&*store, &zombie, 0, 0, 3).await.unwrap();
    clock.advance(TTL);
    let heir = claim(&*store, &slack()).await.unwrap();
    let (head, added) = (head("t1", 1), items(50..51));
    let consumed = [OperationId::from("open t1")];
    let later = [Later { at: NOON, operation: says("t1", "ghost") }];
    let commit = Commit {
        head: &head,
        keep: 0,
        append: &added,
        consumed: &consumed,
        later: &later,
        audit: &[],
        tickets: &[],
    };
    assert!(matches!(store.commit(&zombie, commit).await, Err(StoreError::Fenced(_))));
    assert_eq!(store.load(&key("t1")).await.unwrap().items, items(0..3));
    assert_eq!(unread_ids(&*store, &heir).await, ["open t1"], "nothing was consumed");
    assert!(store.fire_due(clock.now()).await.unwrap().is_empty(), "nothing was put off");
    append(&*store, &heir, 3, 3, 4).await.unwrap();
}

pub(super) async fn the_newest_sessions_are_listed_first(backend: &dyn Backend) {
    let clock = clock();
    let store = backend.open(&clock);
    for session in ["t1", "t2", "t3", "t1"] {
        clock.advance(Duration::from_secs(1));
        store.push(says(session, &format!("{:?} {session}", clock.now()))).await.unwrap();
        let lease = claim(&*store, &only(session)).await.unwrap();
        let mut head = head(session, 0);
        head.title = Some(format!("about {session}"));
        head.turns = 3;
        let commit =
            Commit { head: &head, keep: 0, append: &[], consumed: &[], later: &[], audit: &[], tickets: &[] };
        store.commit(&lease, commit).await.unwrap();
        store.release(&lease, None).await.unwrap();
    }
    let listed = store.find(&Find::newest(2)).await.unwrap();
    let keys: Vec<_> = listed.iter().map(|line| line.key.as_str()).collect();
    assert_eq!(keys, ["t1", "t3"]);
    assert_eq!(listed[0].title.as_deref(), Some("about t1"));
    assert_eq!((listed[0].turns, listed[0].updated_at), (3, clock.now()));
}

pub(super) async fn all_is_there_after_a_reopening(backend: &dyn Backend) {
    let clock = clock();
    let store = backend.open(&clock);
    let lease = opened(&*store, "t1").await;
    append(&*store, &lease, 0, 0, 20).await.unwrap();
    consume(&*store, &lease, &["open t1"]).await;
    store.push(says("t1", "b")).await.unwrap();
    drop(store);

    let store = backend.open(&clock);
    assert_eq!(store.load(&key("t1")).await.unwrap().items, items(0..20));
    assert!(claim(&*store, &slack()).await.is_none(), "the lease outlives the process that took it");
    assert_eq!(unread_ids(&*store, &lease).await, ["b"]);
    clock.advance(TTL);
    let heir = claim(&*store, &slack()).await.unwrap();
    assert!(heir.fence > lease.fence, "fences grow over a restart");
    assert_eq!(unread_ids(&*store, &heir).await, ["b"]);
}
