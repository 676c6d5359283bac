//! Deleting sessions, and forgetting what has done its service. Owns the table `graves`.
//!
//! A grave is a hash with nothing to be read out of it: of a deleted session's key, with its last
//! fence, so that no worker of its past can write to a session that is opened in the same place later;
//! and of each operation that it was still known by, so that a redelivery opens nothing.
//! Start at [`erase`].

use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};

use super::error::signed;
use super::find;
use super::money::{self, Close};
use super::queue::standing;
use crate::clock::Timestamp;
use crate::protocol::{OperationId, SessionKey};
use crate::store::{Lease, Result};

/// Rows forgotten by one transaction.
const BATCH: i64 = 256;

const IDLE: &str = "SELECT key FROM sessions WHERE head IS NOT NULL AND updated_at < ?1
   AND queue IS NULL AND lease_until <= ?2 ORDER BY updated_at, id LIMIT ?3 OFFSET ?4";

/// Everything that is kept only to recognise repetitions, as one bounded deletion each.
const FORGOTTEN: [&str; 3] = [
    "DELETE FROM deliveries WHERE id IN (
       SELECT id FROM deliveries WHERE outcome IS NOT NULL AND due < ?1 ORDER BY due LIMIT ?2)",
    "DELETE FROM reservations WHERE seq IN (
       SELECT seq FROM reservations WHERE closed_at IS NOT NULL AND closed_at < ?1
       ORDER BY closed_at LIMIT ?2)",
    "DELETE FROM graves WHERE name IN (SELECT name FROM graves WHERE at < ?1 ORDER BY at LIMIT ?2)",
];

fn name(kind: &str, text: &str) -> Vec<u8> {
    Sha256::digest(format!("{kind} {text}")).to_vec()
}

fn name_of_operation(id: &str) -> Vec<u8> {
    name("operation", id)
}

fn name_of_session(key: &SessionKey) -> Vec<u8> {
    name("session", key.as_str())
}

/// Whether this operation was for a session that has been deleted.
pub(super) fn is_buried(db: &Connection, id: &OperationId) -> Result<bool> {
    let mut known = db.prepare_cached("SELECT 1 FROM graves WHERE name = ?1")?;
    Ok(known.exists([name_of_operation(id.as_str())])?)
}

/// The fence from which a new session with this key goes on.
pub(super) fn last_fence(db: &Connection, key: &SessionKey) -> Result<i64> {
    let fence = db
        .prepare_cached("SELECT fence FROM graves WHERE name = ?1")?
        .query_row([name_of_session(key)], |row| row.get(0))
        .optional()?;
    Ok(fence.unwrap_or(0))
}

pub(super) fn erase(db: &Connection, lease: &Lease, now: Timestamp) -> Result<()> {
    let id = standing(db, lease)?;
    let mut bury =
        db.prepare_cached("INSERT OR REPLACE INTO graves (name, fence, at) VALUES (?1, ?2, ?3)")?;
    let operations: Vec<String> = db
        .prepare_cached("SELECT id FROM operations WHERE session = ?1")?
        .query_map([id], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for operation in &operations {
        bury.execute(params![name_of_operation(operation), 0, now.0])?;
    }
    bury.execute(params![name_of_session(&lease.session), signed(lease.fence), now.0])?;
    // Nobody will ever tell what these cost: their whole amount counts.
    for open in money::open(db, &lease.session)? {
        money::close(db, &open.id, Close::Settled(open.amount), now)?;
    }
    find::cut_all(db, id)?;
    db.prepare_cached("DELETE FROM later WHERE json_valid(body) AND json_extract(body, '$.session') = ?1")?
        .execute([lease.session.as_str()])?;
    for table in ["operations", "items"] {
        db.prepare_cached(&format!("DELETE FROM {table} WHERE session = ?1"))?.execute([id])?;
    }
    db.prepare_cached("DELETE FROM sessions WHERE id = ?1")?.execute([id])?;
    Ok(())
}

pub(super) fn idle(
    db: &Connection,
    before: Timestamp,
    now: Timestamp,
    page: (u32, u32),
) -> Result<Vec<SessionKey>> {
    let (skip, limit) = page;
    let mut statement = db.prepare_cached(IDLE)?;
    let rows =
        statement.query_map(params![before.0, now.0, limit, skip], |row| row.get(0).map(SessionKey))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// One bounded round; how many records it forgot.
pub(super) fn forget(db: &Connection, before: Timestamp) -> Result<usize> {
    let mut forgotten = 0;
    for sql in FORGOTTEN {
        forgotten += db.prepare_cached(sql)?.execute(params![before.0, BATCH])?;
    }
    Ok(forgotten)
}
