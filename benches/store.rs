//! What the embedded store costs, in counts and ratios. Owns no promise; those are in `tests/store`.
//!
//! `cargo bench --bench store [-- DIR]`; DIR lies on the disk to be measured (default: the
//! temporary directory). Writes are durable, so the disk's sync decides: compare ratios.

#[path = "store/ledger.rs"]
mod ledger;
#[path = "store/search.rs"]
mod search;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use ml_intern::clock::Clock;
use ml_intern::protocol::operation::{Actor, Door, OperationKind, Origin};
use ml_intern::protocol::{Item, Operation, OperationId, SessionHead, SessionKey};
use ml_intern::store::embedded::Embedded;
use ml_intern::store::{Claimable, Commit, Inbox, Lease, Sessions};
use serde_json::{Value, json};

const TTL: Duration = Duration::from_secs(3600);

fn origin() -> Origin {
    Origin::new(Door::Slack, json!({"channel": "C0123456789", "thread": "1760000000.000100"}))
}

fn says(session: &str, id: String, clock: &Clock) -> Operation {
    Operation {
        id: OperationId(id),
        session: SessionKey::from(session),
        origin: origin(),
        actor: Actor::new("U0123456789", "Ada"),
        at: clock.now(),
        kind: OperationKind::Say { text: "please train it again ".repeat(10), handle: Value::Null },
    }
}

/// `total` pushes by `pushers` at once, to 100 sessions.
async fn pushes(store: &Arc<Embedded>, clock: &Clock, pushers: usize, total: usize) -> Result<()> {
    let before = store.stats();
    let start = Instant::now();
    let tasks = (0..pushers).map(|pusher| {
        let (store, clock) = (Arc::clone(store), clock.clone());
        tokio::spawn(async move {
            let mut waits = Vec::with_capacity(total / pushers);
            for n in 0..total / pushers {
                let operation =
                    says(&format!("thread {}", n % 100), format!("{pushers}-{pusher}-{n}"), &clock);
                let asked = Instant::now();
                store.push(operation).await?;
                waits.push(asked.elapsed());
            }
            anyhow::Ok(waits)
        })
    });
    let mut waits = Vec::with_capacity(total);
    for done in futures::future::join_all(tasks).await {
        waits.extend(done??);
    }
    let spent = start.elapsed();
    waits.sort_unstable();
    let syncs = store.stats().transactions - before.transactions;
    let at = |share: usize| waits.get(waits.len() * share / 100).copied().unwrap_or_default();
    println!(
        "pushers {pushers:>4}: {:>7.0} pushes/s, {:>6.1} pushes per sync, p50 {:?}, p99 {:?}",
        waits.len() as f64 / spent.as_secs_f64(),
        waits.len() as f64 / syncs.max(1) as f64,
        at(50),
        at(99),
    );
    Ok(())
}

/// What a commit adds.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// Items whose words can be searched.
    Said,
    /// Items whose words cannot.
    Noted,
}

fn item(kind: Kind, number: u64) -> Arc<Item> {
    let text = format!("item {number} {}", words(number, 100));
    Arc::new(match kind {
        Kind::Noted => Item::Synthetic { text },
        Kind::Said => {
            Item::Assistant { text, thoughts: Vec::new(), calls: Vec::new(), model: "some/model".to_owned() }
        }
    })
}

/// `count` words out of 5,000, other ones for each seed; a few of them are in every text.
fn words(seed: u64, count: u64) -> String {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut text = String::from("train the model");
    for _ in 0..count {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        text.push_str(&format!(" w{:x}", (state >> 33) % 5_000));
    }
    text
}

async fn step(
    store: &Embedded,
    lease: &Lease,
    clock: &Clock,
    (keep, add): (u64, u64),
    kind: Kind,
) -> Result<()> {
    let mut head = SessionHead::new(lease.session.clone(), origin(), clock.now());
    head.history_size = keep + add;
    let append: Vec<_> = (0..add).map(|n| item(kind, keep + n)).collect();
    let commit =
        Commit { head: &head, keep, append: &append, consumed: &[], later: &[], audit: &[], tickets: &[] };
    Ok(store.commit(lease, commit).await?)
}

/// A commit of two items behind a history of `size`; gives the median.
async fn commits(store: &Embedded, clock: &Clock, size: u64, kind: Kind) -> Result<Duration> {
    let name = format!("history of {size}, searchable: {}", kind == Kind::Said);
    store.push(says(&name, name.clone(), clock)).await?;
    let claimable = Claimable::Only(SessionKey::from(name.as_str()));
    let lease = store.claim(&claimable, TTL).await?.context("nobody else claims here")?;
    let mut filled = 0;
    while filled < size {
        let add = (size - filled).min(1000);
        step(store, &lease, clock, (filled, add), kind).await?;
        filled += add;
    }
    let mut waits = Vec::new();
    for n in 0..200 {
        let start = Instant::now();
        step(store, &lease, clock, (size + n * 2, 2), kind).await?;
        waits.push(start.elapsed());
    }
    Ok(median(waits))
}

fn median(mut waits: Vec<Duration>) -> Duration {
    waits.sort_unstable();
    waits.get(waits.len() / 2).copied().unwrap_or_default()
}

#[tokio::main]
async fn main() -> Result<()> {
    let parent = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).map(PathBuf::from);
    let dir = match parent {
        Some(parent) => tempfile::tempdir_in(parent)?,
        None => tempfile::tempdir()?,
    };
    let clock = Clock::system();
    let store = Embedded::open(dir.path(), clock.clone())?;
    for (pushers, total) in [(1, 1_000), (16, 8_000), (256, 25_600)] {
        pushes(&store, &clock, pushers, total).await?;
    }
    for kind in [Kind::Noted, Kind::Said] {
        let mut first = None;
        for size in [10, 1_000, 100_000] {
            let median = commits(&store, &clock, size, kind).await?;
            let base = *first.get_or_insert(median);
            println!(
                "commit of two items ({}) behind {size:>6}: median {median:?}, {:.2} times the first",
                if kind == Kind::Said { "searchable" } else { "not searchable" },
                median.as_secs_f64() / base.as_secs_f64()
            );
        }
    }
    ledger::payments(&store).await?;
    ledger::decisions(&store, &clock).await?;
    store.close().await;
    drop(store);
    search::searches(&dir.path().join("search"), &clock).await
}
