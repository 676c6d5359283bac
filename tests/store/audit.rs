//! What the audit log promises: a decision is recorded with its effect or not at all, in one chain that
//! only grows.

use ml_intern::protocol::{Act, AuditEntry, AuditRecord, Cost};
use ml_intern::store::audit::{Break, Chain};
use ml_intern::store::embedded::DATABASE;
use ml_intern::store::{Commit, Lease, Store, StoreError};

use super::{Backend, NOON, OneFile, TTL, claim, clock, head, key, only, says, slack};

fn decision(session: &str, act: Act, tool: &str) -> AuditEntry {
    AuditEntry {
        at: NOON,
        session: key(session),
        turn: Some("turn-1".into()),
        act,
        by: Some("U1".into()),
        approval: Some("a1".into()),
        call: None,
        digest: Some("0f".repeat(32)),
        tool: Some(tool.to_owned()),
        operation: None,
        cost: Cost::AtMost(2_000_000),
        reason: None,
    }
}

async fn decide(store: &dyn Store, lease: &Lease, audit: &[AuditEntry]) -> Result<(), StoreError> {
    let head = head(lease.session.as_str(), 0);
    store
        .commit(
            lease,
            Commit { head: &head, keep: 0, append: &[], consumed: &[], later: &[], audit, tickets: &[] },
        )
        .await
}

async fn opened(store: &dyn Store, session: &str) -> Lease {
    store.push(says(session, &format!("open {session}"))).await.unwrap();
    claim(store, &only(session)).await.unwrap()
}

/// Reads the whole log in small pieces.
async fn whole(store: &dyn Store) -> Vec<AuditRecord> {
    let mut all: Vec<AuditRecord> = Vec::new();
    loop {
        let piece = store.audit(all.last().map_or(0, |last| last.seq), 7).await.unwrap();
        if piece.is_empty() {
            return all;
        }
        assert!(piece.len() <= 7);
        all.extend(piece);
    }
}

pub(super) async fn decisions_are_saved_with_their_step_and_chained(backend: &dyn Backend) {
    let store = backend.open(&clock());
    assert!(whole(&*store).await.is_empty());
    let lease = opened(&*store, "t1").await;
    let made = [decision("t1", Act::Asked, "bash"), decision("t1", Act::Approved, "bash")];
    decide(&*store, &lease, &made).await.unwrap();
    decide(&*store, &lease, &[]).await.unwrap();
    decide(&*store, &lease, &[decision("t1", Act::Forbidden, "write")]).await.unwrap();
    drop(store);
    let store = backend.open(&clock());
    decide(&*store, &lease, &[decision("t1", Act::Setting, "yolo")]).await.unwrap();
    let all = whole(&*store).await;
    let seen: Vec<_> = all.iter().map(|record| (record.seq, record.entry.act)).collect();
    assert_eq!(seen, [(1, Act::Asked), (2, Act::Approved), (3, Act::Forbidden), (4, Act::Setting)]);
    assert_eq!(all[0].entry, made[0]);
    let mut chain = Chain::new();
    chain.follow(&all).unwrap();
    assert_eq!(chain.seq(), 4);
    assert_eq!(store.audit(3, 10).await.unwrap(), all[3..]);
    assert!(store.audit(4, 10).await.unwrap().is_empty());
    assert!(store.audit(u64::MAX, 10).await.unwrap().is_empty());
}

pub(super) async fn decisions_of_a_refused_commit_are_not_recorded(backend: &dyn Backend) {
    let clock = clock();
    let store = backend.open(&clock);
    let zombie = opened(&*store, "t1").await;
    clock.advance(TTL);
    let heir = claim(&*store, &slack()).await.unwrap();
    let ghost = decide(&*store, &zombie, &[decision("t1", Act::Approved, "bash")]).await;
    assert!(matches!(ghost, Err(StoreError::Fenced(_))));
    assert!(whole(&*store).await.is_empty());
    decide(&*store, &heir, &[decision("t1", Act::Rejected, "bash")]).await.unwrap();
    assert_eq!(whole(&*store).await.len(), 1);
}

pub(super) async fn many_sessions_write_one_chain(backend: &dyn Backend) {
    // Two handles, as two processes have them.
    let stores = [backend.open(&clock()), backend.open(&clock())];
    let mut tasks = Vec::new();
    for n in 0..10 {
        let store = stores[n % 2].clone();
        tasks.push(tokio::spawn(async move {
            let name = format!("t{n}");
            let lease = opened(&*store, &name).await;
            for _ in 0..5 {
                let made = [decision(&name, Act::Asked, "bash"), decision(&name, Act::Approved, "bash")];
                decide(&*store, &lease, &made).await.unwrap();
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let all = whole(&*stores[0]).await;
    assert_eq!(all.len(), 100);
    Chain::new().follow(&all).unwrap();
    for pair in all.chunks(2) {
        assert_eq!(pair[0].entry.session, pair[1].entry.session, "what one save holds stands together");
    }
}

#[tokio::test]
async fn the_file_refuses_every_change_of_a_record() {
    let file = OneFile::fresh();
    let store = file.open(&clock());
    let lease = opened(&*store, "t1").await;
    let made = ["a", "b", "c"].map(|tool| decision("t1", Act::Approved, tool));
    decide(&*store, &lease, &made).await.unwrap();
    let raw = rusqlite::Connection::open(file.dir.path().join(DATABASE)).unwrap();
    let copied = "SELECT seq, entry, previous, hash FROM audit WHERE seq = 2";
    for attack in [
        "UPDATE audit SET entry = '{}' WHERE seq = 2".to_owned(),
        "UPDATE OR IGNORE audit SET seq = 9 WHERE seq = 3".to_owned(),
        "DELETE FROM audit WHERE seq = 3".to_owned(),
        "DELETE FROM audit".to_owned(),
        format!("INSERT OR REPLACE INTO audit {copied}"),
        "INSERT INTO audit VALUES (9, '{}', (SELECT hash FROM audit WHERE seq = 3), 'x')".to_owned(),
        "INSERT INTO audit VALUES (4, '{}', 'not the last hash', 'x')".to_owned(),
    ] {
        let refused = raw.execute(&attack, []).unwrap_err().to_string();
        assert!(refused.contains("audit log"), "{attack}: {refused}");
    }
    let all = whole(&*store).await;
    Chain::new().follow(&all).unwrap();
    // Whoever owns the file can drop the trigger; then the chain tells.
    raw.execute_batch(
        "DROP TRIGGER audit_is_not_rewritten;
         UPDATE audit SET entry = replace(entry, 'U1', 'U2') WHERE seq = 2;",
    )
    .unwrap();
    let all = whole(&*store).await;
    assert_eq!(Chain::new().follow(&all), Err(Break::Changed { seq: 2 }));
    raw.execute("UPDATE audit SET entry = 'gone' WHERE seq = 3", []).unwrap();
    let unreadable = store.audit(2, 10).await.unwrap_err().to_string();
    assert!(unreadable.contains("record 3 of the audit log"), "{unreadable}");
}
