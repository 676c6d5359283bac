//! The inbox on SQLite: pushes, claims, leases, and operations that wait for their time.
//! Which session is claimable is decided by [`super::queue`]. Start at [`claim_behind`].

use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, params};

use super::error::unsigned;
use super::queue::{arrive, door_name, requeue, standing};
use super::{Embedded, erase};
use crate::clock::Timestamp;
use crate::protocol::{Door, Operation, SessionKey};
use crate::store::{Claimable, Inbox, Lease, Pushed, Result};

/// How long the id of a consumed operation is remembered, so that a redelivery is known as one.
const REMEMBERED: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Rows touched by one round of housekeeping.
const BATCH: i64 = 256;

const PROMOTE: &str = "UPDATE sessions SET queue = 0 WHERE id IN (
   SELECT id FROM sessions WHERE door = ?1 AND queue = 1 AND claimable_at <= ?2
   ORDER BY claimable_at LIMIT ?3)";

const OLDEST: &str = "SELECT id, key, fence FROM sessions WHERE door = ?1 AND queue = 0
   ORDER BY waiting_since, id LIMIT 1";

const ONE: &str = "SELECT id, key, fence FROM sessions WHERE key = ?1 AND queue IS NOT NULL
   AND lease_until <= ?2 AND not_before <= ?2";

const FREE: &str = "SELECT id, key, fence FROM sessions WHERE key = ?1 AND lease_until <= ?2";

const UNREAD: &str = "SELECT body FROM operations WHERE session = ?1 AND consumed_at IS NULL ORDER BY seq";

const DUE: &str = "SELECT id, body FROM later WHERE at <= ?1 ORDER BY at LIMIT ?2";

const FORGET: &str = "DELETE FROM operations WHERE seq IN (
   SELECT seq FROM operations WHERE consumed_at IS NOT NULL AND consumed_at <= ?1
   ORDER BY consumed_at LIMIT ?2)";

const BUSY_WAITING: &str = "SELECT (SELECT count(*) FROM sessions WHERE door = ?1 AND queue = 0)
   + (SELECT count(*) FROM sessions WHERE door = ?1 AND queue = 1)";

const BUSY_HELD: &str = "SELECT count(*) FROM sessions WHERE door = ?1 AND lease_until > 0
   AND lease_until > ?2 AND queue IS NULL";

const BUSY_ONE: &str = "SELECT count(*) FROM sessions WHERE key = ?1
   AND (queue IS NOT NULL OR lease_until > ?2)";

struct Found {
    id: i64,
    key: SessionKey,
    fence: i64,
}

impl Found {
    fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { id: row.get(0)?, key: SessionKey(row.get(1)?), fence: row.get(2)? })
    }
}

fn claim_behind(db: &Connection, door: Door, now: Timestamp) -> Result<Option<Found>> {
    let door = door_name(door);
    db.prepare_cached(PROMOTE)?.execute(params![door, now.0, BATCH])?;
    Ok(db.prepare_cached(OLDEST)?.query_row([door], Found::read).optional()?)
}

fn look_up(db: &Connection, sql: &str, key: &SessionKey, now: Timestamp) -> Result<Option<Found>> {
    Ok(db.prepare_cached(sql)?.query_row(params![key.as_str(), now.0], Found::read).optional()?)
}

fn lease(db: &Connection, found: Found, until: Timestamp) -> Result<Lease> {
    let fence = found.fence + 1;
    db.prepare_cached(
        "UPDATE sessions SET fence = ?2, lease_until = ?3, claimable_at = ?3, queue = 1, not_before = 0,
           claimed_seq = last_seq WHERE id = ?1",
    )?
    .execute(params![found.id, fence, until.0])?;
    Ok(Lease { session: found.key, fence: unsigned(fence), expires_at: until })
}

/// Gives a session back. It is set aside only if nothing arrived since it was claimed: an operation
/// that came in between may never have been seen by whoever sets it aside.
fn give_back(db: &Connection, id: i64, not_before: Option<Timestamp>, now: Timestamp) -> Result<()> {
    db.prepare_cached(
        "UPDATE sessions SET lease_until = 0, waiting_since = NULL,
           not_before = CASE WHEN EXISTS (
             SELECT 1 FROM operations WHERE session = ?1 AND consumed_at IS NULL AND seq > claimed_seq
           ) THEN 0 ELSE ?2 END
         WHERE id = ?1",
    )?
    .execute(params![id, not_before.map_or(0, |at| at.0)])?;
    requeue(db, id, now)
}

/// One bounded round: the sessions that got something, and whether more may be due.
fn fire(db: &Connection, now: Timestamp) -> Result<(Vec<SessionKey>, bool)> {
    let due: Vec<(String, String)> = db
        .prepare_cached(DUE)?
        .query_map(params![now.0, BATCH], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let mut woken = Vec::new();
    for (id, body) in &due {
        db.prepare_cached("DELETE FROM later WHERE id = ?1")?.execute([id])?;
        let operation: Operation = match serde_json::from_str(body) {
            Ok(operation) => operation,
            Err(error) => {
                // Kept back, it would be read again at every tick and hold up all that is due later.
                tracing::error!(%id, %error, "dropped a delayed operation that cannot be read");
                continue;
            }
        };
        if arrive(db, &operation, body, now)? == Pushed::New && !woken.contains(&operation.session) {
            woken.push(operation.session);
        }
    }
    let more = due.len() as i64 == BATCH;
    Ok((woken, more))
}

fn forget(db: &Connection, now: Timestamp) -> Result<()> {
    let limit = Timestamp(now.0.saturating_sub(i64::try_from(REMEMBERED.as_millis()).unwrap_or(i64::MAX)));
    db.prepare_cached(FORGET)?.execute(params![limit.0, BATCH])?;
    Ok(())
}

#[async_trait]
impl Inbox for Embedded {
    async fn push(&self, operation: Operation) -> Result<Pushed> {
        let body = serde_json::to_string(&operation)?;
        let now = self.clock.now();
        self.write(move |db| arrive(db, &operation, &body, now)).await
    }

    async fn claim(&self, claimable: &Claimable, ttl: Duration) -> Result<Option<Lease>> {
        let (claimable, clock) = (claimable.clone(), self.clock.clone());
        self.write(move |db| {
            // Asked here and not before the wait for the writer, so that the lease lasts `ttl`.
            let now = clock.now();
            let found = match &claimable {
                Claimable::Behind(door) => claim_behind(db, *door, now)?,
                Claimable::Only(key) => look_up(db, ONE, key, now)?,
            };
            found.map(|found| lease(db, found, now.plus(ttl))).transpose()
        })
        .await
    }

    async fn unread(&self, lease: &Lease) -> Result<Vec<Operation>> {
        let lease = lease.clone();
        self.read(move |db| {
            let session = standing(db, &lease)?;
            let mut statement = db.prepare_cached(UNREAD)?;
            let bodies = statement.query_map([session], |row| row.get::<_, String>(0))?;
            bodies.map(|body| Ok(serde_json::from_str(&body?)?)).collect()
        })
        .await
    }

    async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<Lease> {
        let (lease, clock) = (lease.clone(), self.clock.clone());
        self.write(move |db| {
            let id = standing(db, &lease)?;
            let now = clock.now();
            let until = now.plus(ttl);
            db.prepare_cached("UPDATE sessions SET lease_until = ?2 WHERE id = ?1")?
                .execute(params![id, until.0])?;
            requeue(db, id, now)?;
            Ok(Lease { expires_at: until, ..lease })
        })
        .await
    }

    async fn release(&self, lease: &Lease, not_before: Option<Timestamp>) -> Result<()> {
        let (lease, now) = (lease.clone(), self.clock.now());
        self.write(move |db| match standing(db, &lease) {
            Ok(id) => give_back(db, id, not_before, now),
            Err(crate::store::StoreError::Fenced(_)) => Ok(()),
            Err(error) => Err(error),
        })
        .await
    }

    async fn fire_due(&self, now: Timestamp) -> Result<Vec<SessionKey>> {
        let mut woken = Vec::new();
        loop {
            let (some, more) = self.write(move |db| fire(db, now)).await?;
            woken.extend(some);
            if !more {
                break;
            }
        }
        self.write(move |db| forget(db, now)).await?;
        woken.sort();
        woken.dedup();
        Ok(woken)
    }

    async fn seize(&self, key: &SessionKey, ttl: Duration) -> Result<Option<Lease>> {
        let (key, clock) = (key.clone(), self.clock.clone());
        self.write(move |db| {
            let now = clock.now();
            look_up(db, FREE, &key, now)?.map(|found| lease(db, found, now.plus(ttl))).transpose()
        })
        .await
    }

    async fn prune(&self, before: Timestamp) -> Result<u64> {
        let mut forgotten = 0;
        loop {
            match self.write(move |db| erase::forget(db, before)).await? {
                0 => return Ok(forgotten),
                some => forgotten += some as u64,
            }
        }
    }

    /// Sessions that are set aside count too: they still have something to do.
    async fn busy(&self, claimable: &Claimable) -> Result<u64> {
        let (claimable, now) = (claimable.clone(), self.clock.now());
        self.read(move |db| {
            let count = |sql: &str, values: &[&dyn rusqlite::ToSql]| -> Result<i64> {
                Ok(db.prepare_cached(sql)?.query_row(values, |row| row.get(0))?)
            };
            let busy = match &claimable {
                Claimable::Behind(door) => {
                    let door = door_name(*door);
                    count(BUSY_WAITING, &[&door])? + count(BUSY_HELD, &[&door, &now.0])?
                }
                Claimable::Only(key) => count(BUSY_ONE, &[&key.as_str(), &now.0])?,
            };
            Ok(unsigned(busy))
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How SQLite means to run it, one line per step.
    fn plan(db: &Connection, sql: &str, values: &[&dyn rusqlite::ToSql]) -> Vec<String> {
        let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let lines = statement.query_map(values, |row| row.get::<_, String>(3)).unwrap();
        lines.map(std::result::Result::unwrap).collect()
    }

    #[test]
    fn no_query_of_the_hot_path_scans_a_table_or_sorts() {
        let dir = tempfile::tempdir().unwrap();
        let path = super::super::schema::prepare(dir.path()).unwrap();
        let db = super::super::schema::connect_writer(&path).unwrap();
        let cases: [(&str, &[&dyn rusqlite::ToSql]); 10] = [
            (PROMOTE, &[&"slack", &5, &BATCH]),
            (OLDEST, &[&"slack"]),
            (ONE, &[&"key", &5]),
            (FREE, &[&"key", &5]),
            (UNREAD, &[&1]),
            (DUE, &[&5, &BATCH]),
            (FORGET, &[&5, &BATCH]),
            (BUSY_WAITING, &[&"slack"]),
            (BUSY_HELD, &[&"slack", &5]),
            (BUSY_ONE, &[&"key", &5]),
        ];
        for (sql, values) in cases {
            for line in plan(&db, sql, values) {
                assert!(!line.contains("TEMP B-TREE"), "{sql}\nsorts: {line}");
                assert!(!line.starts_with("SCAN") || line == "SCAN CONSTANT ROW", "{sql}\nscans: {line}");
            }
        }
    }
}
