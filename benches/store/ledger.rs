//! What money and decisions cost: reservations with their settling, and records of the audit log.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use ml_intern::clock::Clock;
use ml_intern::protocol::{
    Account, Act, AuditEntry, Cost, Period, Reservation, Reserved, Scope, SessionHead, SessionKey,
};
use ml_intern::store::embedded::Embedded;
use ml_intern::store::{Claimable, Commit, Inbox, Ledger, Sessions};

use super::{TTL, median, origin, says};

/// A model call's reservation: session, person, channel and team, of which three have limits.
fn wish(id: String, session: &str, clock: &Clock) -> Reservation {
    let month = || Period::Month("2026-11".to_owned());
    let limit = Some(1_000_000_000_000);
    let accounts = [
        (Scope::Session(session.into()), Period::Whole, None),
        (Scope::Person("U0123456789".into()), month(), limit),
        (Scope::Channel("C0123456789".to_owned()), month(), limit),
        (Scope::Team, month(), limit),
    ];
    let accounts =
        accounts.into_iter().map(|(scope, period, limit)| (Account { scope, period }, limit)).collect();
    let purpose = "some/model".to_owned();
    Reservation { id, session: session.into(), purpose, amount: 20_000, accounts, at: clock.now() }
}

/// Model calls that set money aside and settle it, so many at a time.
pub(super) async fn payments(store: &Arc<Embedded>) -> Result<()> {
    let clock = Clock::system();
    for (payers, total) in [(1, 500), (16, 4_000), (256, 12_800)] {
        let before = store.stats();
        let start = Instant::now();
        let tasks = (0..payers).map(|payer| {
            let (store, clock) = (Arc::clone(store), clock.clone());
            tokio::spawn(async move {
                for n in 0..total / payers {
                    let id = format!("{payers}-{payer}-{n}");
                    let held = store.reserve(wish(id.clone(), &format!("thread {payer}"), &clock)).await?;
                    ensure!(held == Reserved::Held, "the limits are far away");
                    store.settle(&id, 12_345).await?;
                }
                Ok(())
            })
        });
        for done in futures::future::join_all(tasks).await {
            done??;
        }
        let syncs = store.stats().transactions - before.transactions;
        println!(
            "payers {payers:>4}: {:>6.0} calls/s set aside and settled on four accounts, {:>5.1} per sync",
            total as f64 / start.elapsed().as_secs_f64(),
            total as f64 / syncs.max(1) as f64
        );
    }
    Ok(())
}

/// Commits with no decision, and with one, behind a short and a long log.
pub(super) async fn decisions(store: &Embedded, clock: &Clock) -> Result<()> {
    let key = SessionKey::from("decisions");
    store.push(says(key.as_str(), "decisions".to_owned(), clock)).await?;
    let lease = store.claim(&Claimable::Only(key.clone()), TTL).await?.context("nobody else claims here")?;
    let entry = AuditEntry {
        at: clock.now(),
        session: key.clone(),
        turn: Some("0199a1b2c3d4".into()),
        act: Act::Approved,
        by: Some("U0123456789".into()),
        approval: Some("0199a1b2c3d5".into()),
        call: Some("call_0123456789".into()),
        digest: Some("0f".repeat(32)),
        tool: Some("bash".to_owned()),
        operation: None,
        cost: Cost::AtMost(1_500_000),
        reason: None,
    };
    let head = SessionHead::new(key, origin(), clock.now());
    for fill in [0, 100_000] {
        for _ in 0..fill / 1_000 {
            let audit = vec![entry.clone(); 1_000];
            let commit = Commit {
                head: &head,
                keep: 0,
                append: &[],
                consumed: &[],
                later: &[],
                audit: &audit,
                tickets: &[],
            };
            store.commit(&lease, commit).await?;
        }
        for count in [0, 1, 10] {
            let audit = vec![entry.clone(); count];
            let mut waits = Vec::new();
            for _ in 0..200 {
                let start = Instant::now();
                let commit = Commit {
                    head: &head,
                    keep: 0,
                    append: &[],
                    consumed: &[],
                    later: &[],
                    audit: &audit,
                    tickets: &[],
                };
                store.commit(&lease, commit).await?;
                waits.push(start.elapsed());
            }
            println!("commit with {count:>2} decisions behind {fill:>6} records: median {:?}", median(waits));
        }
    }
    let start = Instant::now();
    let (mut chain, mut read) = (ml_intern::store::audit::Chain::new(), 0_u64);
    loop {
        let records = store.audit(chain.seq(), 1_000).await?;
        if records.is_empty() {
            break;
        }
        chain.follow(&records)?;
        read += records.len() as u64;
    }
    println!("verifying: {:.0} records/s", read as f64 / start.elapsed().as_secs_f64());
    Ok(())
}
