//! Tickets and runs on SQLite: who watches which external work, what people ask of it, and the registry.
//! A watch is claimed with a fence that grows with every claim; a write with an older one is refused.
//! Owns the tables `tickets`, `ticket_requests` and `runs`. Start at [`claim`].

use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::Value;

use super::Embedded;
use super::error::signed;
use super::queue::door_name;
use crate::clock::Timestamp;
use crate::protocol::{Door, Run, RunFind, SessionKey, Ticket, TicketChange, TicketId, TicketRequest};
use crate::store::{Result, StoreError, Tickets, Watch, WatchSave};

/// Words of a search that are looked at.
const WORDS: usize = 8;

const DUE: &str = "SELECT id, body, memo, fence, claims FROM tickets
   WHERE closed_at IS NULL AND door = ?3 AND due <= ?1 ORDER BY due LIMIT ?2";

/// Applies what a step changes; part of its commit.
pub(super) fn change(db: &Connection, changes: &[TicketChange], now: Timestamp) -> Result<()> {
    for change in changes {
        match change {
            TicketChange::Open { ticket } => open(db, ticket, now)?,
            TicketChange::Ask { ticket, request } => ask(db, ticket, request, now)?,
        }
    }
    Ok(())
}

/// Opens a ticket; one that was ever opened under its id stays as it is.
fn open(db: &Connection, ticket: &Ticket, now: Timestamp) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO tickets (id, session, door, due, body) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (id) DO NOTHING",
    )?
    .execute(params![
        ticket.id.as_str(),
        ticket.session.as_str(),
        door_name(ticket.origin.door),
        now.0,
        serde_json::to_string(ticket)?
    ])?;
    Ok(())
}

/// Keeps a request, once per id. A ticket that nobody holds is due at once.
fn ask(db: &Connection, ticket: &TicketId, request: &TicketRequest, now: Timestamp) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO ticket_requests (id, ticket, body)
         SELECT ?1, id, ?3 FROM tickets WHERE id = ?2 AND closed_at IS NULL ON CONFLICT (id) DO NOTHING",
    )?
    .execute(params![request.id, ticket.as_str(), serde_json::to_string(request)?])?;
    db.prepare_cached("UPDATE tickets SET due = min(due, ?2) WHERE id = ?1 AND held_until < ?2")?
        .execute(params![ticket.as_str(), now.0])?;
    Ok(())
}

/// Takes up to `limit` due tickets until `until`.
fn claim(
    db: &Connection,
    door: Door,
    (now, until): (Timestamp, Timestamp),
    limit: u32,
) -> Result<Vec<Watch>> {
    let mut statement = db.prepare_cached(DUE)?;
    let rows: Vec<(String, String, Option<String>, u64, u32)> = statement
        .query_map(params![now.0, limit, door_name(door)], |row| {
            let fence: i64 = row.get(3)?;
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, fence.unsigned_abs(), row.get(4)?))
        })?
        .collect::<rusqlite::Result<_>>()?;
    let mut taken = Vec::with_capacity(rows.len());
    for (id, body, memo, fence, claims) in rows {
        let fence = fence + 1;
        db.prepare_cached(
            "UPDATE tickets SET fence = ?2, due = ?3, held_until = ?3, claims = claims + 1 WHERE id = ?1",
        )?
        .execute(params![id, signed(fence), until.0])?;
        let ticket: Ticket = serde_json::from_str(&body)?;
        let memo = memo.map_or(Ok(Value::Null), |memo| serde_json::from_str(&memo))?;
        let requests = requests(db, &ticket.id)?;
        taken.push(Watch { ticket, memo, requests, fence, claims: claims + 1 });
    }
    Ok(taken)
}

/// Requests that no save has answered yet, in the order of arrival.
fn requests(db: &Connection, ticket: &TicketId) -> Result<Vec<TicketRequest>> {
    let mut statement = db.prepare_cached(
        "SELECT body FROM ticket_requests WHERE ticket = ?1 AND answered_at IS NULL ORDER BY seq",
    )?;
    let bodies = statement.query_map([ticket.as_str()], |row| row.get::<_, String>(0))?;
    bodies.map(|body| Ok(serde_json::from_str(&body?)?)).collect()
}

/// Fails if the watch was lost to another process.
fn standing(db: &Connection, ticket: &TicketId, fence: u64) -> Result<()> {
    let found: Option<i64> = db
        .prepare_cached("SELECT fence FROM tickets WHERE id = ?1 AND closed_at IS NULL")?
        .query_row([ticket.as_str()], |row| row.get(0))
        .optional()?;
    if found == Some(signed(fence)) { Ok(()) } else { Err(StoreError::Lost(ticket.clone())) }
}

fn renew(db: &Connection, (ticket, fence): (&TicketId, u64), until: Timestamp) -> Result<()> {
    standing(db, ticket, fence)?;
    db.prepare_cached("UPDATE tickets SET due = ?2, held_until = ?2 WHERE id = ?1")?
        .execute(params![ticket.as_str(), until.0])?;
    Ok(())
}

/// What a watcher saves.
struct Saved {
    memo: String,
    answered: Vec<String>,
    /// Given back until then; held on if there is none.
    due: Option<Timestamp>,
}

fn save(db: &Connection, (ticket, fence): (&TicketId, u64), saved: &Saved, now: Timestamp) -> Result<()> {
    standing(db, ticket, fence)?;
    db.prepare_cached("UPDATE tickets SET memo = ?2 WHERE id = ?1")?
        .execute(params![ticket.as_str(), saved.memo])?;
    for id in &saved.answered {
        db.prepare_cached("UPDATE ticket_requests SET answered_at = ?3 WHERE id = ?1 AND ticket = ?2")?
            .execute(params![id, ticket.as_str(), now.0])?;
    }
    if let Some(due) = saved.due {
        db.prepare_cached("UPDATE tickets SET due = ?2, held_until = 0 WHERE id = ?1")?
            .execute(params![ticket.as_str(), due.0])?;
    }
    Ok(())
}

fn close(db: &Connection, (ticket, fence): (&TicketId, u64), now: Timestamp) -> Result<()> {
    standing(db, ticket, fence)?;
    db.prepare_cached("UPDATE tickets SET closed_at = ?2, held_until = 0 WHERE id = ?1")?
        .execute(params![ticket.as_str(), now.0])?;
    Ok(())
}

/// The ticket with this id, open or closed.
fn ticket(db: &Connection, id: &TicketId) -> Result<Option<Ticket>> {
    let body: Option<String> = db
        .prepare_cached("SELECT body FROM tickets WHERE id = ?1")?
        .query_row([id.as_str()], |row| row.get(0))
        .optional()?;
    body.map(|body| Ok(serde_json::from_str(&body)?)).transpose()
}

/// Open tickets, of one session or of all, oldest first.
fn list(db: &Connection, session: Option<&SessionKey>, limit: u32) -> Result<Vec<Ticket>> {
    let mut statement = db.prepare_cached(
        "SELECT body FROM tickets WHERE closed_at IS NULL AND (?1 IS NULL OR session = ?1)
         ORDER BY rowid LIMIT ?2",
    )?;
    let bodies = statement
        .query_map(params![session.map(SessionKey::as_str), limit], |row| row.get::<_, String>(0))?;
    bodies.map(|body| Ok(serde_json::from_str(&body?)?)).collect()
}

/// Writes a run down; what was written under its id before is replaced.
fn record(db: &Connection, run: &Run) -> Result<()> {
    let words = [
        Some(run.title.as_str()),
        run.dataset.as_deref(),
        run.base_model.as_deref(),
        run.output.as_deref(),
        Some(&run.flavour),
        Some(&run.namespace),
        Some(&run.requester),
        Some(&run.outcome),
        Some(run.id.as_str()),
    ];
    let words: Vec<String> = words
        .into_iter()
        .flatten()
        .chain(run.approved_by.iter().map(String::as_str))
        .map(str::to_lowercase)
        .collect();
    db.prepare_cached(
        "INSERT INTO runs (id, session, started_at, words, body) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (id) DO UPDATE SET words = excluded.words, body = excluded.body",
    )?
    .execute(params![
        run.id.as_str(),
        run.session.as_str(),
        run.started_at.0,
        words.join("\n"),
        serde_json::to_string(run)?
    ])?;
    Ok(())
}

/// The newest runs that fit.
fn runs(db: &Connection, wanted: &RunFind) -> Result<Vec<Run>> {
    let words: Vec<String> = wanted.words.split_whitespace().take(WORDS).map(str::to_lowercase).collect();
    let mut statement = db.prepare_cached(
        "SELECT body, words FROM runs WHERE (?1 IS NULL OR session = ?1) ORDER BY started_at DESC, id",
    )?;
    let mut rows = statement.query(params![wanted.session.as_ref().map(SessionKey::as_str)])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        if found.len() as u64 >= u64::from(wanted.limit) {
            break;
        }
        let text: String = row.get(1)?;
        if words.iter().all(|word| text.contains(word)) {
            let body: String = row.get(0)?;
            let run: Run = serde_json::from_str(&body)?;
            if wanted.channel.is_none() || wanted.channel == run.channel {
                found.push(run);
            }
        }
    }
    Ok(found)
}

#[async_trait]
impl Tickets for Embedded {
    async fn open_ticket(&self, ticket: &Ticket) -> Result<()> {
        let (ticket, now) = (ticket.clone(), self.clock.now());
        self.write(move |db| open(db, &ticket, now)).await
    }

    async fn ask_ticket(&self, ticket: &TicketId, request: TicketRequest) -> Result<()> {
        let (ticket, now) = (ticket.clone(), self.clock.now());
        self.write(move |db| ask(db, &ticket, &request, now)).await
    }

    async fn claim_watches(&self, door: Door, limit: u32, ttl: Duration) -> Result<Vec<Watch>> {
        let now = self.clock.now();
        self.write(move |db| claim(db, door, (now, now.plus(ttl)), limit)).await
    }

    async fn renew_watch(&self, watch: &Watch, ttl: Duration) -> Result<Vec<TicketRequest>> {
        let (id, fence, until) = (watch.ticket.id.clone(), watch.fence, self.clock.now().plus(ttl));
        self.write(move |db| {
            renew(db, (&id, fence), until)?;
            requests(db, &id)
        })
        .await
    }

    async fn save_watch(&self, watch: &Watch, kept: WatchSave<'_>) -> Result<()> {
        let saved = Saved {
            memo: serde_json::to_string(kept.memo)?,
            answered: kept.answered.to_vec(),
            due: kept.due,
        };
        let (id, fence, now) = (watch.ticket.id.clone(), watch.fence, self.clock.now());
        self.write(move |db| save(db, (&id, fence), &saved, now)).await
    }

    async fn close_watch(&self, watch: &Watch) -> Result<()> {
        let (id, fence, now) = (watch.ticket.id.clone(), watch.fence, self.clock.now());
        self.write(move |db| close(db, (&id, fence), now)).await
    }

    async fn ticket(&self, id: &TicketId) -> Result<Option<Ticket>> {
        let id = id.clone();
        self.read(move |db| ticket(db, &id)).await
    }

    async fn open_tickets(&self, session: Option<&SessionKey>, limit: u32) -> Result<Vec<Ticket>> {
        let session = session.cloned();
        self.read(move |db| list(db, session.as_ref(), limit)).await
    }

    async fn record_run(&self, run: &Run) -> Result<()> {
        let run = run.clone();
        self.write(move |db| record(db, &run)).await
    }

    async fn runs(&self, wanted: &RunFind) -> Result<Vec<Run>> {
        let wanted = wanted.clone();
        self.read(move |db| runs(db, &wanted)).await
    }
}
