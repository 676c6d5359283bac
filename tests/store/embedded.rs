//! What only the one-file backend promises: who may read it, who holds it, how writes are grouped,
//! and what several processes on one file see.

use std::sync::Arc;
use std::time::Instant;

use ml_intern::clock::Clock;
use ml_intern::store::embedded::{DATABASE, Embedded, SCHEMA_VERSION};
use ml_intern::store::{Inbox, Pushed, Sessions, StoreError};

use super::{claim, clock, key, says, slack, unread_ids};

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_can_read_what_is_kept() {
    use std::os::unix::fs::PermissionsExt;
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("deep").join("data");
    let _hold = Embedded::hold(&dir, "serve").unwrap();
    let store = Embedded::open(&dir, clock()).unwrap();
    store.push(says("t1", "a")).await.unwrap();
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&dir), 0o700);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&dir).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        names.push(path.file_name().unwrap().to_string_lossy().into_owned());
    }
    names.sort();
    assert_eq!(names, ["ml-intern.db", "ml-intern.db-shm", "ml-intern.db-wal", "serve.lock"]);
}

#[cfg(unix)]
#[test]
fn an_open_file_of_an_earlier_day_is_closed_to_others() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    drop(Embedded::open(dir.path(), clock()).unwrap());
    let file = dir.path().join(DATABASE);
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
    let _store = Embedded::open(dir.path(), clock()).unwrap();
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_newer_schema_is_refused_in_plain_words() {
    let dir = tempfile::tempdir().unwrap();
    drop(Embedded::open(dir.path(), clock()).unwrap());
    let raw = rusqlite::Connection::open(dir.path().join(DATABASE)).unwrap();
    raw.pragma_update(None, "user_version", SCHEMA_VERSION + 1).unwrap();
    let error = Embedded::open(dir.path(), clock()).err().unwrap().to_string();
    assert!(error.contains("newer ml-intern") && error.contains("store.data_dir"), "{error}");
    let version: u32 = raw.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(version, SCHEMA_VERSION + 1, "it was left alone");
}

#[test]
fn a_file_that_is_no_database_is_refused_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join(DATABASE);
    let text = "dear diary, ".repeat(1000);
    std::fs::write(&file, &text).unwrap();
    let error = Embedded::open(dir.path(), clock()).err().unwrap().to_string();
    assert!(error.contains("damaged or is no database"), "{error}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
}

#[test]
fn a_second_holder_is_told_who_holds_it_and_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let hold = Embedded::hold(dir.path(), "ml-intern serve").unwrap();
    let Err(StoreError::Locked(text)) = Embedded::hold(dir.path(), "ml-intern serve") else {
        panic!("two hold one store")
    };
    let pid = std::process::id().to_string();
    for part in [pid.as_str(), "ml-intern serve", "stop that process", "store.data_dir"] {
        assert!(text.contains(part), "{part:?} is missing from {text:?}");
    }
    drop(Embedded::open(dir.path(), clock()).unwrap());
    drop(hold);
    Embedded::hold(dir.path(), "ml-intern serve").unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_pushes_at_once_share_few_syncs() {
    let dir = tempfile::tempdir().unwrap();
    let store = Embedded::open(dir.path(), Clock::system()).unwrap();
    let before = store.stats();
    let pushes = (0..400).map(|n| {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.push(says(&format!("t{}", n % 40), &format!("op{n}"))).await })
    });
    for pushed in futures::future::join_all(pushes).await {
        assert_eq!(pushed.unwrap().unwrap(), Pushed::New);
    }
    let after = store.stats();
    assert_eq!(after.writes - before.writes, 400);
    let transactions = after.transactions - before.transactions;
    assert!((1..=100).contains(&transactions), "400 pushes took {transactions} transactions");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_write_spoils_none_of_its_neighbours() {
    let dir = tempfile::tempdir().unwrap();
    let store = Embedded::open(dir.path(), clock()).unwrap();
    store.push(says("t1", "a")).await.unwrap();
    let lease = claim(&*store, &slack()).await.unwrap();
    let writes = (0..100).map(|n| {
        let (store, lease) = (Arc::clone(&store), lease.clone());
        tokio::spawn(async move {
            if n % 2 == 0 {
                store.push(says("t2", &format!("op{n}"))).await.map(|_| ())
            } else {
                let stale = ml_intern::store::Lease { fence: lease.fence + 7, ..lease };
                store.renew(&stale, super::TTL).await.map(|_| ())
            }
        })
    });
    let results: Vec<_> = futures::future::join_all(writes).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 50);
    assert!(results.iter().filter_map(|r| r.as_ref().err()).all(|e| matches!(e, StoreError::Fenced(_))));
    let lease = claim(&*store, &slack()).await.unwrap();
    assert_eq!(unread_ids(&*store, &lease).await.len(), 50);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_handles_on_one_file_share_its_sessions() {
    let dir = tempfile::tempdir().unwrap();
    let clock = clock();
    let serve = Embedded::open(dir.path(), clock.clone()).unwrap();
    let terminal = Embedded::open(dir.path(), clock.clone()).unwrap();
    let pushes = (0..100).map(|n| {
        let store = Arc::clone(if n % 2 == 0 { &serve } else { &terminal });
        // Every operation reaches both handles: one of the two takes it.
        tokio::spawn(async move { store.push(says("t1", &format!("op{}", n / 2))).await.unwrap() })
    });
    let pushed: Vec<_> = futures::future::join_all(pushes).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(pushed.iter().filter(|pushed| **pushed == Pushed::New).count(), 50);
    let wanted = slack();
    let (one, two) = tokio::join!(claim(&*serve, &wanted), claim(&*terminal, &wanted));
    assert!(one.is_some() != two.is_some(), "two processes hold one session");
    let lease = one.or(two).unwrap();
    assert_eq!(unread_ids(&*terminal, &lease).await.len(), 50);
}

#[tokio::test]
async fn a_closed_store_says_so_and_leaves_no_log_behind() {
    let dir = tempfile::tempdir().unwrap();
    let store = Embedded::open(dir.path(), clock()).unwrap();
    store.push(says("t1", "a")).await.unwrap();
    store.close().await;
    store.close().await;
    let error = store.push(says("t1", "b")).await.unwrap_err().to_string();
    assert!(error.contains("closed"), "{error}");
    drop(store);
    let wal = dir.path().join(format!("{DATABASE}-wal"));
    assert!(wal.metadata().map_or(0, |file| file.len()) == 0, "the log was not folded in");
    let store = Embedded::open(dir.path(), clock()).unwrap();
    assert_eq!(store.push(says("t1", "a")).await.unwrap(), Pushed::Seen);
}

#[tokio::test]
async fn a_claim_among_a_hundred_thousand_sessions_costs_what_it_costs_among_ten() {
    let dir = tempfile::tempdir().unwrap();
    let store = Embedded::open(dir.path(), clock()).unwrap();
    for n in 0..10 {
        store.push(says(&format!("first{n}"), &format!("op{n}"))).await.unwrap();
    }
    let mut raw = rusqlite::Connection::open(dir.path().join(DATABASE)).unwrap();
    let filling = raw.transaction().unwrap();
    {
        // Half of them wait, half are idle.
        let mut row = filling
            .prepare(
                "INSERT INTO sessions (key, door, queue, unread, waiting_since)
                 VALUES (?1, 'slack', iif(?2 % 2, 0, NULL), ?2 % 2, iif(?2 % 2, 9e15, NULL))",
            )
            .unwrap();
        for n in 0..100_000 {
            row.execute(rusqlite::params![format!("many{n}"), n]).unwrap();
        }
    }
    filling.commit().unwrap();
    let start = Instant::now();
    for n in 0..10 {
        assert_eq!(claim(&*store, &slack()).await.unwrap().session, key(&format!("first{n}")));
    }
    let spent = start.elapsed();
    // A scan and sort of 50,000 rows takes tens of milliseconds each; a look into an index, and the
    // sync of the disk after it, a few.
    assert!(spent.as_millis() < 2_000, "ten claims took {spent:?}");
    assert_eq!(store.busy(&slack()).await.unwrap(), 50_010);
    assert!(store.head(&key("many7")).await.unwrap().is_none());
}
