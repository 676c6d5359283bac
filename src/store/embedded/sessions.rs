//! The saved truth on SQLite: one row per session, one row per item. What a commit costs depends on
//! what it changes, never on how long the history is. Start at [`save`].

use std::sync::Arc;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, params};

use super::error::signed;
use super::find::{self, Said};
use super::queue::{requeue, standing};
use super::{Embedded, audit, erase, tickets};
use crate::clock::Timestamp;
use crate::protocol::{AuditEntry, Item, OperationId, SessionHead, SessionKey, TicketChange};
use crate::store::{Commit, Find, Lease, Listed, Loaded, Result, Sessions, StoreError};

/// A commit as it is written: everything already in the form that the file keeps.
struct Step {
    lease: Lease,
    head: String,
    title: Option<String>,
    turns: i64,
    wants: bool,
    keep: i64,
    append: Vec<String>,
    said: Said,
    channel: Option<String>,
    consumed: Vec<OperationId>,
    later: Vec<DueRow>,
    audit: Vec<AuditEntry>,
    tickets: Vec<TicketChange>,
}

struct DueRow {
    id: OperationId,
    at: Timestamp,
    body: String,
}

impl Step {
    fn new(lease: &Lease, commit: &Commit<'_>) -> Result<Self> {
        let size = commit.keep.saturating_add(commit.append.len() as u64);
        if commit.head.key != lease.session {
            return Err(StoreError::Backend(format!(
                "a commit under the lease of session {} carries the head of {}",
                lease.session, commit.head.key
            )));
        }
        if commit.head.history_size != size {
            return Err(StoreError::Backend(format!(
                "a commit to session {} says that it has {} items, but leaves {size}",
                lease.session, commit.head.history_size
            )));
        }
        let text = |item: &Arc<Item>| Ok(serde_json::to_string(item.as_ref())?);
        let due = |later: &crate::store::Later| {
            let body = serde_json::to_string(&later.operation)?;
            Ok(DueRow { id: later.operation.id.clone(), at: later.at, body })
        };
        Ok(Self {
            lease: lease.clone(),
            head: serde_json::to_string(commit.head)?,
            title: commit.head.title.clone(),
            turns: signed(commit.head.turns),
            wants: commit.head.wants_work(),
            keep: signed(commit.keep),
            append: commit.append.iter().map(text).collect::<Result<_>>()?,
            said: Said::of(commit.append.iter().map(AsRef::as_ref)),
            channel: commit.head.origin.channel.clone(),
            consumed: commit.consumed.to_vec(),
            later: commit.later.iter().map(due).collect::<Result<_>>()?,
            audit: commit.audit.to_vec(),
            tickets: commit.tickets.to_vec(),
        })
    }
}

fn save(db: &Connection, step: Step, now: Timestamp) -> Result<()> {
    let id = standing(db, &step.lease)?;
    let (items, title): (i64, Option<String>) = db
        .prepare_cached("SELECT items, title FROM sessions WHERE id = ?1")?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if step.keep > items {
        return Err(StoreError::Backend(format!(
            "a commit to session {} keeps {} items of {items}",
            step.lease.session, step.keep
        )));
    }
    if step.keep < items {
        db.prepare_cached("DELETE FROM items WHERE session = ?1 AND position >= ?2")?
            .execute(params![id, step.keep])?;
        find::cut(db, id, step.keep)?;
    }
    find::add(db, id, step.keep, &step.said)?;
    if title != step.title {
        find::entitle(db, id, step.title.as_deref())?;
    }
    let mut insert = db.prepare_cached("INSERT INTO items (session, position, body) VALUES (?1, ?2, ?3)")?;
    let mut size = step.keep;
    for body in &step.append {
        insert.execute(params![id, size, body])?;
        size += 1;
    }
    let mut consume = db.prepare_cached(
        "UPDATE operations SET consumed_at = ?3, body = NULL
         WHERE id = ?1 AND session = ?2 AND consumed_at IS NULL",
    )?;
    let mut consumed = 0;
    for operation in &step.consumed {
        consumed += consume.execute(params![operation.as_str(), id, now.0])?;
    }
    db.prepare_cached(
        "UPDATE sessions SET head = ?2, title = ?3, turns = ?4, wants = ?5, items = ?6, updated_at = ?7,
           unread = unread - ?8, channel = ?9 WHERE id = ?1",
    )?
    .execute(params![
        id,
        step.head,
        step.title,
        step.turns,
        step.wants,
        size,
        now.0,
        consumed as i64,
        step.channel
    ])?;
    let mut wait = db.prepare_cached(
        "INSERT INTO later (id, at, body) VALUES (?1, ?2, ?3)
         ON CONFLICT (id) DO UPDATE SET at = excluded.at, body = excluded.body",
    )?;
    for due in &step.later {
        wait.execute(params![due.id.as_str(), due.at.0, due.body])?;
    }
    audit::append(db, step.audit)?;
    tickets::change(db, &step.tickets, now)?;
    requeue(db, id, now)
}

fn row_and_head(db: &Connection, key: &SessionKey) -> Result<Option<(i64, Option<SessionHead>)>> {
    let row: Option<(i64, Option<String>)> = db
        .prepare_cached("SELECT id, head FROM sessions WHERE key = ?1")?
        .query_row([key.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((id, head)) = row else { return Ok(None) };
    let head = head.map(|text| serde_json::from_str(&text)).transpose()?;
    Ok(Some((id, head)))
}

fn load(db: &Connection, key: &SessionKey) -> Result<Loaded> {
    let Some((id, head)) = row_and_head(db, key)? else {
        return Ok(Loaded { head: None, items: Vec::new() });
    };
    let mut statement = db.prepare_cached("SELECT body FROM items WHERE session = ?1 ORDER BY position")?;
    let bodies = statement.query_map([id], |row| row.get::<_, String>(0))?;
    let items = bodies.map(|body| Ok(Arc::new(serde_json::from_str(&body?)?))).collect::<Result<_>>()?;
    Ok(Loaded { head, items })
}

#[async_trait]
impl Sessions for Embedded {
    async fn load(&self, key: &SessionKey) -> Result<Loaded> {
        let key = key.clone();
        self.read(move |db| load(db, &key)).await
    }

    async fn exists(&self, key: &SessionKey) -> Result<bool> {
        let key = key.clone();
        self.read(move |db| {
            let mut known = db.prepare_cached("SELECT 1 FROM sessions WHERE key = ?1")?;
            Ok(known.exists([key.as_str()])?)
        })
        .await
    }

    async fn head(&self, key: &SessionKey) -> Result<Option<SessionHead>> {
        let key = key.clone();
        self.read(move |db| Ok(row_and_head(db, &key)?.and_then(|(_, head)| head))).await
    }

    async fn commit(&self, lease: &Lease, commit: Commit<'_>) -> Result<()> {
        let step = Step::new(lease, &commit)?;
        let now = self.clock.now();
        self.write(move |db| save(db, step, now)).await
    }

    async fn find(&self, wanted: &Find) -> Result<Vec<Listed>> {
        let wanted = wanted.clone();
        self.read(move |db| find::find(db, &wanted)).await
    }

    async fn keys(&self, beginning: &str, limit: u32) -> Result<Vec<SessionKey>> {
        let beginning = beginning.to_owned();
        self.read(move |db| find::keys(db, &beginning, limit)).await
    }

    async fn written(&self, key: &SessionKey) -> Result<Option<Timestamp>> {
        let key = key.clone();
        self.read(move |db| {
            let at = db
                .prepare_cached("SELECT updated_at FROM sessions WHERE key = ?1")?
                .query_row([key.as_str()], |row| row.get(0).map(Timestamp))
                .optional()?;
            Ok(at)
        })
        .await
    }

    async fn idle(&self, before: Timestamp, skip: u32, limit: u32) -> Result<Vec<SessionKey>> {
        let now = self.clock.now();
        self.read(move |db| erase::idle(db, before, now, (skip, limit))).await
    }

    async fn delete(&self, lease: &Lease) -> Result<()> {
        let (lease, now) = (lease.clone(), self.clock.now());
        self.write(move |db| erase::erase(db, &lease, now)).await?;
        self.fold().await
    }
}
