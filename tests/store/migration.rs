//! A file of an earlier release: it is brought up to date once, and nothing in it is lost.

use std::path::Path;
use std::sync::Arc;

use ml_intern::protocol::{Account, Item, Period, Reservation, Reserved, Scope, SessionHead};
use ml_intern::store::embedded::{DATABASE, Embedded, SCHEMA_VERSION};
use ml_intern::store::{Find, Inbox, Ledger, Pushed, Sessions};
use rusqlite::{Connection, params};

use super::{NOON, claim, clock, head, items, key, says, slack, unread_ids};

/// The tables as the first release made them.
const FIRST: &str = include_str!("schema_1.sql");

/// A store as the first release left it: one session with a history, one unread operation, one
/// consumed one, and a notice.
fn old_file(dir: &Path) {
    let db = Connection::open(dir.join(DATABASE)).unwrap();
    db.pragma_update(None, "journal_mode", "wal").unwrap();
    db.execute_batch(FIRST).unwrap();
    let head = serde_json::to_string(&old_head()).unwrap();
    db.execute(
        "INSERT INTO sessions (id, key, door, queue, waiting_since, unread, last_seq, items, turns,
           updated_at, title, head)
         VALUES (1, 't1', 'slack', 0, 5, 1, 2, 3, 1, ?2, 'the old days', ?1)",
        params![head, NOON.0],
    )
    .unwrap();
    for (n, item) in old_items().iter().enumerate() {
        let body = serde_json::to_string(item.as_ref()).unwrap();
        db.execute("INSERT INTO items VALUES (1, ?1, ?2)", params![n as i64, body]).unwrap();
    }
    db.execute("INSERT INTO operations (id, session, consumed_at) VALUES ('read', 1, ?1)", [NOON.0]).unwrap();
    let waiting = serde_json::to_string(&says("t1", "waiting")).unwrap();
    db.execute("INSERT INTO operations (id, session, body) VALUES ('waiting', 1, ?1)", [waiting]).unwrap();
    db.execute(
        "INSERT INTO deliveries (id, destination, due, outcome, detail) VALUES ('n1', 'x', 0, 'sent', '1')",
        [],
    )
    .unwrap();
}

fn old_items() -> Vec<Arc<Item>> {
    let author = "U1".into();
    let text = "Launch the probe".to_owned();
    let said = Item::User { author, name: "Ada".to_owned(), text, opens: true, at: None };
    [vec![Arc::new(said)], items(1..3)].concat()
}

fn old_head() -> SessionHead {
    let mut head = head("t1", 3);
    head.title = Some("the old days".to_owned());
    head.turns = 1;
    head
}

#[tokio::test]
async fn a_store_of_the_first_release_goes_on_where_it_was() {
    let dir = tempfile::tempdir().unwrap();
    old_file(dir.path());
    for _ in 0..2 {
        let store = Embedded::open(dir.path(), clock()).unwrap();
        let loaded = store.load(&key("t1")).await.unwrap();
        assert_eq!((loaded.head, loaded.items), (Some(old_head()), old_items()));
        assert_eq!(store.find(&Find::newest(10)).await.unwrap()[0].title.as_deref(), Some("the old days"));
        for words in ["old days", "launch the probe"] {
            assert_eq!(store.find(&Find::words(words, 9)).await.unwrap().len(), 1, "{words}");
        }
        assert_eq!(store.push(says("t1", "read")).await.unwrap(), Pushed::Seen);
        assert!(store.delivery("n1").await.unwrap().is_some());
        let lease = claim(&*store, &slack()).await.unwrap();
        assert_eq!(unread_ids(&*store, &lease).await, ["waiting"]);
        store.release(&lease, None).await.unwrap();
        let account = Account { scope: Scope::Team, period: Period::Whole };
        let reservation = Reservation {
            id: "r1".to_owned(),
            session: key("t1"),
            purpose: "some/model".to_owned(),
            amount: 5,
            accounts: vec![(account.clone(), Some(5))],
            at: NOON,
        };
        assert_eq!(store.reserve(reservation).await.unwrap(), Reserved::Held);
        assert_eq!(store.balances(&[account]).await.unwrap()[0].reserved, 5);
        assert!(store.audit(0, 10).await.unwrap().is_empty());
    }
    let db = Connection::open(dir.path().join(DATABASE)).unwrap();
    let version: u32 = db.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(version, SCHEMA_VERSION);
}

#[test]
fn an_old_file_and_a_new_one_have_the_same_tables() {
    let tables = |dir: &Path| -> Vec<String> {
        drop(Embedded::open(dir, clock()).unwrap());
        let db = Connection::open(dir.join(DATABASE)).unwrap();
        let mut statement =
            db.prepare("SELECT coalesce(sql, name) FROM sqlite_schema ORDER BY name").unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    };
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    old_file(old.path());
    assert_eq!(tables(old.path()), tables(new.path()));
}
