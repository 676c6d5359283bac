//! Killed in the middle of writing: whatever was acknowledged is there afterwards.
//!
//! The parent runs this test binary again as a child that only pushes, and kills it without warning.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use ml_intern::clock::Clock;
use ml_intern::protocol::operation::Door;
use ml_intern::store::embedded::{DATABASE, Embedded};
use ml_intern::store::{Claimable, Inbox, Pushed, StoreError};

use super::{TTL, says, unread_ids};

/// Tells the child where to write, and that it is one.
const CHILD_DIR: &str = "STORE_CRASH_CHILD_DIR";

/// What the child prints before the id of each acknowledged push.
const ACKNOWLEDGED: &str = "acknowledged ";

fn child(dir: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["store::crash::every_acknowledged_push_survives_sigkill", "--exact", "--nocapture"])
        .env(CHILD_DIR, dir)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Pushes for ever, on eight tasks, saying what was acknowledged. Ends only by being killed (or by
/// its parent going away, which breaks the pipe).
fn push_until_killed(dir: &Path) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let _hold = Embedded::hold(dir, "crash child").unwrap();
    let store = Embedded::open(dir, Clock::system()).unwrap();
    let pid = std::process::id();
    runtime.block_on(async {
        let pushers = (0..8).map(|pusher| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                for n in 0_u64.. {
                    let id = format!("{pid}-{pusher}-{n}");
                    assert_eq!(store.push(says("t1", &id)).await.unwrap(), Pushed::New);
                    if writeln!(std::io::stdout(), "{ACKNOWLEDGED}{id}").is_err() {
                        return;
                    }
                }
            })
        });
        futures::future::join_all(pushers).await;
    });
}

#[test]
fn every_acknowledged_push_survives_sigkill() {
    #[expect(clippy::disallowed_methods, reason = "how this test knows that it is its own child")]
    let guarded = std::env::var_os(CHILD_DIR);
    if let Some(dir) = guarded {
        return push_until_killed(Path::new(&dir));
    }
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged = HashSet::new();
    for round in 1..=5_usize {
        let mut child = child(dir.path());
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (mut mine, mut killed) = (0, false);
        // Read to the end of the pipe: what was said before the kill was said.
        for line in lines {
            let line = line.unwrap();
            if let Some((_, id)) = line.split_once(ACKNOWLEDGED) {
                acknowledged.insert(id.to_owned());
                mine += 1;
            }
            if mine >= 40 * round + 3 && !killed {
                child.kill().unwrap();
                killed = true;
            }
        }
        assert!(killed, "the child ended by itself in round {round}");
        child.wait().unwrap();
        let raw = rusqlite::Connection::open(dir.path().join(DATABASE)).unwrap();
        let check: String = raw.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(check, "ok");
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        // The dead hold nothing.
        let _hold = Embedded::hold(dir.path(), "heir").unwrap();
        let store = Embedded::open(dir.path(), Clock::system()).unwrap();
        let lease = store.claim(&Claimable::Behind(Door::Slack), TTL).await.unwrap().unwrap();
        let kept: HashSet<_> = unread_ids(&*store, &lease).await.into_iter().collect();
        let lost: Vec<_> = acknowledged.difference(&kept).collect();
        assert!(lost.is_empty(), "{} of {} were lost: {lost:?}", lost.len(), acknowledged.len());
        assert!(acknowledged.len() >= 5 * 43);
    });
}

/// What the child says first, once it has written something.
fn first_acknowledged(child: &mut Child) -> (String, std::io::Lines<BufReader<std::process::ChildStdout>>) {
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let id = lines.by_ref().find_map(|line| Some(line.unwrap().split_once(ACKNOWLEDGED)?.1.to_owned()));
    (id.unwrap(), lines)
}

#[test]
fn a_living_process_holds_the_store_yet_shares_its_file() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = child(dir.path());
    let (id, rest) = first_acknowledged(&mut child);
    let Err(StoreError::Locked(text)) = Embedded::hold(dir.path(), "second serve") else {
        panic!("two processes hold one store")
    };
    assert!(text.contains(&format!("process {} (crash child)", child.id())), "{text}");
    let drain = std::thread::spawn(move || rest.count());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        // A terminal at work beside it, while the other process writes without a pause.
        let store = Embedded::open(dir.path(), Clock::system()).unwrap();
        assert_eq!(store.push(says("t1", &id)).await.unwrap(), Pushed::Seen);
        for n in 0..20 {
            assert_eq!(store.push(says("t2", &format!("ours {n}"))).await.unwrap(), Pushed::New);
        }
        let claimable = Claimable::Only(super::key("t2"));
        let lease = store.claim(&claimable, TTL).await.unwrap().unwrap();
        assert_eq!(unread_ids(&*store, &lease).await.len(), 20);
    });
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(drain.join().unwrap() > 0, "it had stopped writing");
    Embedded::hold(dir.path(), "second serve").expect("death frees the hold");
}
