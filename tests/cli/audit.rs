//! `audit verify` and `audit export`, on a log that is whole and on one that somebody laid hands on.

use std::path::PathBuf;
use std::time::Duration;

use ml_intern::clock::{Clock, Timestamp};
use ml_intern::protocol::operation::{Actor, Door, OperationKind, Origin};
use ml_intern::protocol::{Act, AuditEntry, Cost, Operation, SessionHead};
use ml_intern::store::embedded::{DATABASE, Embedded};
use ml_intern::store::{Claimable, Commit, Inbox, Sessions};
use serde_json::{Value, json};

use super::desk::{Desk, Ran};

/// 2026-11-01, noon, UTC.
const NOON: Timestamp = Timestamp(1_793_534_400_000);

/// A desk whose log has one decision a day, for so many days.
async fn desk_with_log(days: u64) -> (Desk, PathBuf) {
    let config = json!({ "store": {"data_dir": "data"} }).to_string();
    let desk = Desk::new().file("configs/ml-intern.json", &config);
    let dir = desk.cwd.path().join("data");
    let store = Embedded::open(&dir, Clock::system()).unwrap();
    let origin = Origin::new(Door::Terminal, Value::Null);
    let opening = Operation {
        id: "open".into(),
        session: "terminal:1".into(),
        origin: origin.clone(),
        actor: Actor::new("local", "Ada"),
        at: NOON,
        kind: OperationKind::Status,
    };
    store.push(opening).await.unwrap();
    let only = Claimable::Only("terminal:1".into());
    let lease = store.claim(&only, Duration::from_secs(60)).await.unwrap().unwrap();
    let audit: Vec<AuditEntry> = (0..days)
        .map(|day| AuditEntry {
            at: NOON.plus(Duration::from_secs(day * 24 * 60 * 60)),
            session: "terminal:1".into(),
            turn: None,
            act: Act::Approved,
            by: Some("local".into()),
            approval: None,
            call: None,
            digest: None,
            tool: Some("bash".to_owned()),
            operation: None,
            cost: Cost::Free,
            reason: None,
        })
        .collect();
    let head = SessionHead::new("terminal:1".into(), origin, NOON);
    let commit =
        Commit { head: &head, keep: 0, append: &[], consumed: &[], later: &[], audit: &audit, tickets: &[] };
    store.commit(&lease, commit).await.unwrap();
    store.close().await;
    (desk, dir)
}

fn lines(ran: &Ran) -> Vec<Value> {
    assert_eq!(ran.code, Some(0), "{ran:?}");
    ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What somebody who owns the file can do to it.
fn tamper(dir: &std::path::Path, sql: &str) {
    let raw = rusqlite::Connection::open(dir.join(DATABASE)).unwrap();
    raw.execute_batch("DROP TRIGGER audit_stays; DROP TRIGGER audit_is_not_rewritten;").unwrap();
    raw.execute_batch(sql).unwrap();
}

#[tokio::test]
async fn a_whole_log_is_0_and_its_end_can_be_kept_elsewhere() {
    let (desk, _) = desk_with_log(3).await;
    let ran = desk.run(&["audit", "verify"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let (first, last) = ran.out.trim_end().split_once('\n').unwrap();
    assert_eq!(first, "The record of decisions is whole, up to this one:");
    assert!(last.starts_with("3:") && last.len() == 66, "{last}");
    assert_eq!(desk.run(&["audit", "verify", "--expect", last]).await.code, Some(0));
    let report = lines(&desk.run(&["audit", "verify", "--json"]).await).remove(0);
    assert_eq!(report, json!({"ok": true, "records": 3, "hash": &last[2..]}));
    let (desk, _) = desk_with_log(0).await;
    assert_eq!(desk.run(&["audit", "verify"]).await.out, "The record of decisions is empty.\n");
}

#[tokio::test]
async fn a_log_that_was_changed_is_1_and_the_place_is_named() {
    for (sql, word) in [
        ("UPDATE audit SET entry = replace(entry, 'local', 'mallory') WHERE seq = 2", "record 2 was changed"),
        ("DELETE FROM audit WHERE seq = 2", "record 3 stands where record 2 belongs"),
        ("UPDATE audit SET entry = '{' WHERE seq = 3", "record 3 of the audit log cannot be read"),
    ] {
        let (desk, dir) = desk_with_log(4).await;
        tamper(&dir, sql);
        let ran = desk.run(&["audit", "verify"]).await;
        assert_eq!(ran.code, Some(1), "{sql}: {ran:?}");
        assert!(ran.out.contains("is broken") && ran.out.contains(word), "{sql}: {ran:?}");
        let ran = desk.run(&["audit", "verify", "--json"]).await;
        let report: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!((ran.code, &report["ok"]), (Some(1), &json!(false)));
    }
}

#[tokio::test]
async fn an_end_that_was_cut_off_shows_by_what_was_kept_elsewhere() {
    let (desk, dir) = desk_with_log(4).await;
    let last = desk.run(&["audit", "verify"]).await.out.lines().nth(1).unwrap().to_owned();
    tamper(&dir, "DELETE FROM audit WHERE seq = 4");
    assert_eq!(desk.run(&["audit", "verify"]).await.code, Some(0), "the rest is whole");
    let ran = desk.run(&["audit", "verify", "--expect", &last[..18]]).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.out.contains("record 4 with the hash") && ran.out.contains("is not there"), "{ran:?}");
    assert_eq!(desk.run(&["audit", "verify", "--expect", "4"]).await.code, Some(2));
}

#[tokio::test]
async fn records_are_exported_from_a_day_on() {
    let (desk, _) = desk_with_log(5).await;
    let seqs = |lines: Vec<Value>| lines.iter().map(|line| line["seq"].as_u64().unwrap()).collect::<Vec<_>>();
    let all = lines(&desk.run(&["audit", "export"]).await);
    assert_eq!(all[0]["entry"]["act"], "approved");
    assert_eq!(seqs(all), [1, 2, 3, 4, 5]);
    for (since, expected) in
        [("2026-11-03", &[3, 4, 5][..]), ("2026-11-03T12:00:00.001Z", &[4, 5]), ("2027-01-01", &[])]
    {
        let some = lines(&desk.run(&["audit", "export", "--since", since]).await);
        assert_eq!(seqs(some), expected, "{since}");
    }
    let wrong = desk.run(&["audit", "export", "--since", "yesterday"]).await;
    assert!(wrong.code == Some(2) && wrong.err.contains("write a day as"), "{wrong:?}");
}
