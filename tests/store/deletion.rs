//! What the store promises about deletion: the words are gone from its files, nothing of the past comes
//! back, and what must add up stays.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ml_intern::clock::{Clock, Timestamp};
use ml_intern::protocol::{
    Account, Act, AuditEntry, Balance, Cost, Item, OperationId, Period, Reservation, Scope,
};
use ml_intern::store::embedded::Embedded;
use ml_intern::store::{Commit, Delivered, Find, Inbox, Later, Lease, Pushed, Sessions, Store, StoreError};

use super::{Backend, NOON, TTL, claim, clock, head, key, only, says, slack, unread_ids};

/// Words that occur nowhere else; the store keeps some of them in small letters.
const MARKER: &str = "Xylophonquark";

fn user(text: &str) -> Arc<Item> {
    let author = "U1".into();
    Arc::new(Item::User { author, name: "Ada".to_owned(), text: text.to_owned(), opens: true, at: None })
}

fn decision(session: &str) -> AuditEntry {
    AuditEntry {
        at: NOON,
        session: key(session),
        turn: None,
        act: Act::Approved,
        by: Some("U1".into()),
        approval: None,
        call: None,
        digest: None,
        tool: Some("bash".to_owned()),
        operation: None,
        cost: Cost::Free,
        reason: None,
    }
}

fn account(session: &str) -> Account {
    Account { scope: Scope::Session(key(session)), period: Period::Whole }
}

/// A session with a history: it said something, decided something, paid something, waits for a clock,
/// and has an unread message. Held.
async fn full(store: &dyn Store, session: &str, words: &str) -> Lease {
    let op = |name: &str| format!("{name} of {session}");
    store.push(says(session, &op("first"))).await.unwrap();
    let mut unread = says(session, &op("second"));
    unread.kind = ml_intern::protocol::OperationKind::Say {
        text: format!("unread {words}"),
        handle: serde_json::Value::Null,
    };
    store.push(unread.clone()).await.unwrap();
    let lease = claim(store, &only(session)).await.unwrap();
    let mut head = head(session, 2);
    head.title = Some(format!("title {words}"));
    unread.id = OperationId(op("expire"));
    let later = [Later { at: NOON.plus(TTL * 100), operation: unread }];
    let said = [user(&format!("I said {words}a")), user(&format!("and {words}b again"))];
    let consumed = [OperationId(op("first"))];
    let audit = [decision(session)];
    let commit = Commit {
        head: &head,
        keep: 0,
        append: &said,
        consumed: &consumed,
        later: &later,
        audit: &audit,
        tickets: &[],
    };
    store.commit(&lease, commit).await.unwrap();
    let paid = Reservation {
        id: op("step"),
        session: key(session),
        purpose: "some/model".to_owned(),
        amount: 70,
        accounts: vec![(account(session), None)],
        at: NOON,
    };
    store.reserve(paid.clone()).await.unwrap();
    store.settle(&op("step"), 50).await.unwrap();
    // A process died while this one was open.
    store.reserve(Reservation { id: op("next step"), amount: 7, ..paid }).await.unwrap();
    lease
}

pub(super) async fn a_deleted_session_is_gone_and_what_adds_up_stays(backend: &dyn Backend) {
    let clock = clock();
    let store = backend.open(&clock);
    let kept = full(&*store, "kept", "common").await;
    let lease = full(&*store, "gone", "common").await;
    store.delete(&lease).await.unwrap();
    assert!(!store.exists(&key("gone")).await.unwrap());
    let loaded = store.load(&key("gone")).await.unwrap();
    assert!(loaded.head.is_none() && loaded.items.is_empty());
    assert!(store.keys("gone", 9).await.unwrap().is_empty());
    let found = store.find(&Find::words("common", 9)).await.unwrap();
    assert_eq!(found.iter().map(|line| line.key.as_str()).collect::<Vec<_>>(), ["kept"]);
    let balances = store.balances(&[account("gone"), account("kept")]).await.unwrap();
    let (closed, open) = (Balance { spent: 57, reserved: 0 }, Balance { spent: 50, reserved: 7 });
    assert_eq!(balances, [closed, open], "what nobody will settle any more counts as spent");
    assert_eq!(store.audit(0, 10).await.unwrap().len(), 2);
    // The other one lacks nothing: its unread message, its delayed one, its history.
    assert_eq!(unread_ids(&*store, &kept).await, ["second of kept"]);
    assert_eq!(store.load(&key("kept")).await.unwrap().items.len(), 2);
    clock.advance(TTL * 101);
    assert_eq!(store.fire_due(clock.now()).await.unwrap(), [key("kept")], "the deleted one's clock stopped");
}

pub(super) async fn nothing_brings_a_deleted_session_back(backend: &dyn Backend) {
    let clock = clock();
    let store = backend.open(&clock);
    let lease = full(&*store, "t1", "common").await;
    store.delete(&lease).await.unwrap();
    for id in ["first of t1", "second of t1"] {
        assert_eq!(store.push(says("t1", id)).await.unwrap(), Pushed::Seen, "{id} is delivered once more");
    }
    assert!(!store.exists(&key("t1")).await.unwrap());
    assert!(claim(&*store, &slack()).await.is_none());
    for refused in [
        store.delete(&lease).await.err(),
        store.renew(&lease, TTL).await.err(),
        store.unread(&lease).await.err(),
    ] {
        assert!(matches!(refused, Some(StoreError::Fenced(_))), "{refused:?}");
    }
    // Somebody speaks in that place again: it begins from nothing, and the old lease opens nothing.
    assert_eq!(store.push(says("t1", "new words")).await.unwrap(), Pushed::New);
    let fresh = claim(&*store, &only("t1")).await.unwrap();
    assert!(fresh.fence > lease.fence, "a worker of the past could write: {fresh:?}");
    assert_eq!(unread_ids(&*store, &fresh).await, ["new words"]);
    assert!(store.load(&key("t1")).await.unwrap().head.is_none());
    assert!(matches!(store.renew(&lease, TTL).await, Err(StoreError::Fenced(_))));
}

pub(super) async fn only_whoever_holds_a_session_deletes_it(backend: &dyn Backend) {
    let clock = clock();
    let store = backend.open(&clock);
    let zombie = full(&*store, "t1", "common").await;
    assert!(store.seize(&key("t1"), TTL).await.unwrap().is_none(), "it is held");
    clock.advance(TTL);
    let heir = store.seize(&key("t1"), TTL).await.unwrap().unwrap();
    assert!(matches!(store.delete(&zombie).await, Err(StoreError::Fenced(_))));
    assert_eq!(store.load(&key("t1")).await.unwrap().items.len(), 2);
    assert!(store.seize(&key("nobody"), TTL).await.unwrap().is_none());
    // Given back, its unread message is claimable as before.
    assert!(claim(&*store, &slack()).await.is_none());
    store.release(&heir, None).await.unwrap();
    let worker = claim(&*store, &slack()).await.unwrap();
    assert_eq!(unread_ids(&*store, &worker).await, ["second of t1"]);
}

pub(super) async fn a_session_that_rests_can_be_seized_and_rests_afterwards(backend: &dyn Backend) {
    let store = backend.open(&clock());
    store.push(says("t1", "a")).await.unwrap();
    let lease = claim(&*store, &slack()).await.unwrap();
    super::consume(&*store, &lease, &["a"]).await;
    store.release(&lease, None).await.unwrap();
    assert!(claim(&*store, &only("t1")).await.is_none(), "there is nothing to do");
    let lease = store.seize(&key("t1"), TTL).await.unwrap().unwrap();
    assert!(store.seize(&key("t1"), TTL).await.unwrap().is_none());
    store.release(&lease, None).await.unwrap();
    assert_eq!(store.busy(&only("t1")).await.unwrap(), 0);
    assert!(claim(&*store, &slack()).await.is_none());
}

pub(super) async fn idle_sessions_are_those_that_rest_the_oldest_first(backend: &dyn Backend) {
    let clock = clock();
    let store = backend.open(&clock);
    for name in ["old", "older too", "unread", "held", "young"] {
        clock.advance(Duration::from_secs(10));
        store.push(says(name, name)).await.unwrap();
        let lease = claim(&*store, &only(name)).await.unwrap();
        super::consume(&*store, &lease, &[name]).await;
        store.release(&lease, None).await.unwrap();
    }
    store.push(says("unread", "more")).await.unwrap();
    let _held = store.seize(&key("held"), TTL * 100).await.unwrap().unwrap();
    let young = store.written(&key("young")).await.unwrap().unwrap();
    assert_eq!(young, clock.now());
    assert_eq!(store.written(&key("nobody")).await.unwrap(), None);
    let names = async |before: Timestamp, skip, limit| {
        let keys = store.idle(before, skip, limit).await.unwrap();
        keys.into_iter().map(|key| key.0).collect::<Vec<_>>()
    };
    assert_eq!(names(young, 0, 9).await, ["old", "older too"]);
    assert_eq!(names(young, 1, 9).await, ["older too"]);
    assert_eq!(names(young, 0, 1).await, ["old"]);
    assert_eq!(names(young.plus(TTL), 0, 9).await, ["old", "older too", "young"]);
}

pub(super) async fn old_records_are_forgotten_and_open_ones_are_not(backend: &dyn Backend) {
    let clock = clock();
    let store = backend.open(&clock);
    let lease = full(&*store, "t1", "common").await;
    store.delete(&lease).await.unwrap();
    let notice = |id: &str| ml_intern::store::Delivery {
        id: id.to_owned(),
        destination: "team".to_owned(),
        notice: ml_intern::protocol::Notice {
            title: None,
            severity: ml_intern::protocol::Severity::Info,
            message: "hello".to_owned(),
            metadata: Vec::new(),
            link: None,
        },
        attempts: 0,
    };
    for id in ["sent", "open"] {
        store.enqueue(notice(id), NOON).await.unwrap();
    }
    store.settle_delivery("sent", Delivered::Sent { external_id: "1".to_owned() }).await.unwrap();
    assert_eq!(store.prune(NOON).await.unwrap(), 0, "nothing is older than that");
    assert_eq!(store.push(says("t1", "first of t1")).await.unwrap(), Pushed::Seen);
    clock.advance(Duration::from_secs(1));
    // A notice, two reservations, and three graves.
    assert_eq!(store.prune(clock.now()).await.unwrap(), 6);
    assert_eq!(store.delivery("sent").await.unwrap(), None);
    assert_eq!(store.claim_deliveries(clock.now(), 9, TTL).await.unwrap()[0].id, "open");
    assert_eq!(store.balances(&[account("t1")]).await.unwrap()[0].spent, 57, "sums stay");
    assert_eq!(store.prune(clock.now()).await.unwrap(), 0);
}

/// Which files of the store hold the marker, whatever its letters' case.
fn files_with_marker(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let needle = MARKER.to_lowercase().into_bytes();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap().to_ascii_lowercase();
        // The end of the marker must be gone, too, should its beginning be overwritten.
        if bytes.windows(needle.len() - 4).any(|window| window == &needle[4..]) {
            found.push(path.file_name().unwrap().to_string_lossy().into_owned());
        }
    }
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_words_are_in_no_file_after_a_deletion() {
    let dir = tempfile::tempdir().unwrap();
    let store = Embedded::open(dir.path(), Clock::system()).unwrap();
    // Neighbours before and after, so that its pages are shared with others.
    for n in 0..20 {
        let lease = full(&*store, &format!("before {n}"), &format!("xylophone{n} and more")).await;
        Inbox::release(&*store, &lease, None).await.unwrap();
    }
    let lease = full(&*store, "t1", MARKER).await;
    for n in 0..20 {
        full(&*store, &format!("after {n}"), &format!("xylophonz{n} and more")).await;
    }
    // Words that were said, cut, and replaced in the meantime; and a long text.
    for round in 0..6_u64 {
        let mut head = head("t1", 2);
        head.title = Some(format!("{MARKER} {round}"));
        let said = [user(&format!("{MARKER}{round} {}", "filler ".repeat(3_000)))];
        let commit = Commit {
            head: &head,
            keep: 1,
            append: &said,
            consumed: &[],
            later: &[],
            audit: &[],
            tickets: &[],
        };
        store.commit(&lease, commit).await.unwrap();
    }
    assert_eq!(store.find(&Find::words(MARKER, 9)).await.unwrap().len(), 1);
    assert!(!files_with_marker(dir.path()).is_empty(), "the test would prove nothing");
    store.delete(&lease).await.unwrap();
    assert_eq!(files_with_marker(dir.path()), [""; 0]);
    assert!(store.find(&Find::words(MARKER, 9)).await.unwrap().is_empty());
    assert_eq!(store.find(&Find::words("xylophon", 99)).await.unwrap().len(), 40, "the others are found");
    store.close().await;
    assert_eq!(files_with_marker(dir.path()), [""; 0]);
    let raw = rusqlite::Connection::open(dir.path().join(ml_intern::store::embedded::DATABASE)).unwrap();
    let check: String = raw.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_in_the_way_delays_a_deletion_and_does_not_break_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = Embedded::open(dir.path(), Clock::system()).unwrap();
    let lease = full(&*store, "t1", MARKER).await;
    let reader = rusqlite::Connection::open(dir.path().join(ml_intern::store::embedded::DATABASE)).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM items;").unwrap();
    let deleting = tokio::spawn({
        let store = store.clone();
        async move { store.delete(&lease).await }
    });
    tokio::time::sleep(Duration::from_millis(400)).await;
    // Others write meanwhile.
    store.push(says("t2", "b")).await.unwrap();
    assert!(!deleting.is_finished(), "the words are still in the log");
    reader.execute_batch("COMMIT").unwrap();
    deleting.await.unwrap().unwrap();
    assert_eq!(files_with_marker(dir.path()), [""; 0]);
}
