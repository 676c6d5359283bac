//! The columns of a session that decide who may claim it. Owns every change to them, always inside
//! the writer's transaction, so that a claim is one look into an index.
//!
//! ```text
//!            operation arrives, head wants work            claim
//! nothing to do ------------------------------> ready <------------> deferred (leased, set aside)
//!       ^                                         release, time passes      |
//!       +----------------- all consumed, head wants nothing ----------------+
//! ```

use rusqlite::{Connection, OptionalExtension, named_params, params};

use super::erase::{is_buried, last_fence};
use crate::clock::Timestamp;
use crate::protocol::{Door, Operation};
use crate::store::{Lease, Pushed, Result, StoreError};

/// How a door is written in the file.
pub(super) fn door_name(door: Door) -> &'static str {
    match door {
        Door::Slack => "slack",
        Door::Terminal => "terminal",
    }
}

/// The door that is written so.
pub(super) fn door_named(name: &str) -> Option<Door> {
    [Door::Slack, Door::Terminal].into_iter().find(|door| door_name(*door) == name)
}

/// Puts an operation into the inbox unless its id was ever there; ends a session's being set aside.
pub(super) fn arrive(db: &Connection, operation: &Operation, body: &str, now: Timestamp) -> Result<Pushed> {
    if db.prepare_cached("SELECT 1 FROM operations WHERE id = ?1")?.exists([operation.id.as_str()])?
        || is_buried(db, &operation.id)?
    {
        return Ok(Pushed::Seen);
    }
    let key = operation.session.as_str();
    let known: Option<i64> = db
        .prepare_cached("SELECT id FROM sessions WHERE key = ?1")?
        .query_row([key], |row| row.get(0))
        .optional()?;
    let session = match known {
        Some(id) => id,
        None => db
            .prepare_cached("INSERT INTO sessions (key, door, updated_at, fence) VALUES (?1, ?2, ?3, ?4)")?
            .insert(params![
                key,
                door_name(operation.origin.door),
                now.0,
                last_fence(db, &operation.session)?
            ])?,
    };
    let seq = db
        .prepare_cached("INSERT INTO operations (id, session, body) VALUES (?1, ?2, ?3)")?
        .insert(params![operation.id.as_str(), session, body])?;
    db.prepare_cached(
        "UPDATE sessions SET unread = unread + 1, last_seq = ?2, not_before = 0 WHERE id = ?1",
    )?
    .execute(params![session, seq])?;
    requeue(db, session, now)?;
    Ok(Pushed::New)
}

/// Puts a session where it belongs after its columns changed.
pub(super) fn requeue(db: &Connection, session: i64, now: Timestamp) -> Result<()> {
    db.prepare_cached(
        "UPDATE sessions SET
           queue = CASE WHEN unread = 0 AND wants = 0 THEN NULL
                        WHEN max(lease_until, not_before) > :now THEN 1 ELSE 0 END,
           claimable_at = max(lease_until, not_before),
           waiting_since = CASE WHEN unread = 0 AND wants = 0 THEN NULL
                                ELSE coalesce(waiting_since, :now) END
         WHERE id = :id",
    )?
    .execute(named_params! { ":id": session, ":now": now.0 })?;
    Ok(())
}

/// The row of the session, if this lease is the newest one and was not given back.
///
/// A lease whose time is up but which nobody took over still stands: the fence alone decides.
pub(super) fn standing(db: &Connection, lease: &Lease) -> Result<i64> {
    db.prepare_cached("SELECT id FROM sessions WHERE key = ?1 AND fence = ?2 AND lease_until > 0")?
        .query_row(params![lease.session.as_str(), super::error::signed(lease.fence)], |row| row.get(0))
        .optional()?
        .ok_or_else(|| StoreError::Fenced(lease.session.clone()))
}
