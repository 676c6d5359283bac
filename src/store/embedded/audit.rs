//! The audit log on SQLite: one row per record, sealed in the transaction that saves what was decided.
//! The schema's triggers refuse every change of a row. Start at [`append`].

use rusqlite::{Connection, OptionalExtension, params};

use super::error::{signed, unsigned};
use crate::protocol::{AuditEntry, AuditRecord};
use crate::store::audit::seal;
use crate::store::{Result, StoreError};

const LAST: &str = "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1";

const AFTER: &str = "SELECT seq, entry, previous, hash FROM audit WHERE seq > ?1 ORDER BY seq LIMIT ?2";

/// Seals entries behind the last record. What it costs does not depend on the length of the log.
pub(super) fn append(db: &Connection, entries: Vec<AuditEntry>) -> Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    let last: Option<(i64, String)> =
        db.prepare_cached(LAST)?.query_row([], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let (mut seq, mut previous) = last.map_or((0, String::new()), |(seq, hash)| (unsigned(seq), hash));
    let mut insert =
        db.prepare_cached("INSERT INTO audit (seq, entry, previous, hash) VALUES (?1, ?2, ?3, ?4)")?;
    for entry in entries {
        seq += 1;
        let record = seal(seq, &previous, entry);
        let text = serde_json::to_string(&record.entry)?;
        insert.execute(params![signed(seq), text, record.previous, record.hash])?;
        previous = record.hash;
    }
    Ok(())
}

pub(super) fn after(db: &Connection, seq: u64, limit: u32) -> Result<Vec<AuditRecord>> {
    let mut statement = db.prepare_cached(AFTER)?;
    let rows = statement.query_map(params![signed(seq), limit], |row| {
        Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?, row.get(3)?))
    })?;
    rows.map(|row| {
        let (seq, entry, previous, hash) = row?;
        let seq = unsigned(seq);
        let entry = serde_json::from_str(&entry).map_err(|error| {
            StoreError::Unreadable(format!("record {seq} of the audit log cannot be read: {error}"))
        })?;
        Ok(AuditRecord { seq, entry, previous, hash })
    })
    .collect()
}
