//! What searching costs among 10,000 sessions; what taking back what was said, and a deletion, cost there.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result};
use ml_intern::clock::Clock;
use ml_intern::protocol::{OperationId, SessionHead, SessionKey};
use ml_intern::store::embedded::{DATABASE, Embedded};
use ml_intern::store::{Claimable, Commit, Find, Inbox, Sessions};

use super::{Kind, TTL, item, median, origin, says};

/// Sessions, and items of each: half of them can be searched.
const SESSIONS: u64 = 10_000;
const ITEMS: u64 = 20;

async fn session(store: &Embedded, clock: &Clock, number: u64) -> Result<()> {
    let name = format!("thread {number}");
    store.push(says(&name, name.clone(), clock)).await?;
    let key = SessionKey::from(name.as_str());
    let lease = store.claim(&Claimable::Only(key.clone()), TTL).await?.context("nobody else claims here")?;
    let mut head = SessionHead::new(key, origin(), clock.now());
    head.title = Some(format!("Request number {number}"));
    head.history_size = ITEMS;
    let kind = |n: u64| if n.is_multiple_of(2) { Kind::Said } else { Kind::Noted };
    let append: Vec<_> = (0..ITEMS).map(|n| item(kind(n), number * ITEMS + n)).collect();
    let consumed = [OperationId(name)];
    let commit = Commit {
        head: &head,
        keep: 0,
        append: &append,
        consumed: &consumed,
        later: &[],
        audit: &[],
        tickets: &[],
    };
    store.commit(&lease, commit).await?;
    Ok(store.release(&lease, None).await?)
}

pub(super) async fn searches(dir: &Path, clock: &Clock) -> Result<()> {
    let store = Embedded::open(dir, clock.clone())?;
    for first in (0..SESSIONS).step_by(200) {
        let some = (first..first + 200).map(|number| {
            let (store, clock) = (Arc::clone(&store), clock.clone());
            tokio::spawn(async move { session(&store, &clock, number).await })
        });
        for done in futures::future::join_all(some).await {
            done??;
        }
    }
    let raw = rusqlite::Connection::open(dir.join(DATABASE))?;
    let bytes = |sql: &str| raw.query_row(sql, [], |row| row.get::<_, i64>(0));
    let all = bytes("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")?;
    let text = bytes("SELECT sum(length(words)) FROM said")?;
    println!(
        "{SESSIONS} sessions of {ITEMS} items: {} MB, of which {} MB for searching",
        all >> 20,
        text >> 20
    );
    for (what, words) in [
        ("no words, the newest", ""),
        ("a word of one session", "7777"),
        ("a word of some", "wabc"),
        ("two words of some", "wabc w1f"),
        ("a word of all", "train"),
        ("three words of all", "train the model"),
        ("a word of none", "nowhere"),
    ] {
        let find = Find::words(words, 20);
        let mut waits = Vec::new();
        let mut found = 0;
        for _ in 0..9 {
            let start = Instant::now();
            found = store.find(&find).await?.len();
            waits.push(start.elapsed());
        }
        println!("find {what}: {found} given, median {:?}", median(waits));
    }
    let mut waits = Vec::new();
    for number in 50..100 {
        let key = SessionKey(format!("thread {number}"));
        let lease = store.seize(&key, TTL).await?.context("nobody holds it")?;
        let head = SessionHead::new(key, origin(), clock.now());
        let start = Instant::now();
        let commit =
            Commit { head: &head, keep: 0, append: &[], consumed: &[], later: &[], audit: &[], tickets: &[] };
        store.commit(&lease, commit).await?;
        waits.push(start.elapsed());
    }
    println!("a commit that cuts all {ITEMS} items of a session: median {:?}", median(waits));
    let mut waits = Vec::new();
    for number in 0..50 {
        let key = SessionKey(format!("thread {number}"));
        let lease = store.seize(&key, TTL).await?.context("nobody holds it")?;
        let start = Instant::now();
        store.delete(&lease).await?;
        waits.push(start.elapsed());
    }
    println!("deleting a session of them: median {:?}", median(waits));
    store.close().await;
    Ok(())
}
