//! The ledger on SQLite: money is in [`super::money`], the audit log in [`super::audit`], the outbox of
//! notices here. A delivery is open until it was sent or given up; while somebody tries, it is merely
//! due later, so a crash in between makes it due again. Start at [`take_due`].

use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, params};

use super::money::{self, Close};
use super::{Embedded, audit};
use crate::clock::Timestamp;
use crate::protocol::{Account, AuditRecord, Balance, Reservation, Reserved, SessionKey};
use crate::store::{Delivered, Delivery, Ledger, Pushed, Result, StoreError};

const DUE: &str = "SELECT id, destination, notice, attempts FROM deliveries
   WHERE outcome IS NULL AND due <= ?1 ORDER BY due LIMIT ?2";

const SENT: &str = "sent";
const FAILED: &str = "failed";

fn take_due(db: &Connection, now: Timestamp, limit: u32, until: Timestamp) -> Result<Vec<Delivery>> {
    let mut statement = db.prepare_cached(DUE)?;
    let rows: Vec<(String, String, String, u32)> = statement
        .query_map(params![now.0, limit], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let mut taken = Vec::with_capacity(rows.len());
    for (id, destination, notice, attempts) in rows {
        let notice = match serde_json::from_str(&notice) {
            Ok(notice) => notice,
            Err(error) => {
                // One that cannot be read must not hold up the others for ever.
                let error = format!("the saved notice cannot be read: {error}");
                settle(db, &id, &Delivered::Failed { error })?;
                continue;
            }
        };
        let attempts = attempts.saturating_add(1);
        db.prepare_cached("UPDATE deliveries SET attempts = ?2, due = ?3 WHERE id = ?1")?
            .execute(params![id, attempts, until.0])?;
        taken.push(Delivery { id, destination, notice, attempts });
    }
    Ok(taken)
}

/// The first outcome stands; what comes after it changes nothing.
fn settle(db: &Connection, id: &str, outcome: &Delivered) -> Result<()> {
    let mut close = db.prepare_cached(
        "UPDATE deliveries SET outcome = ?2, detail = ?3, notice = NULL WHERE id = ?1 AND outcome IS NULL",
    )?;
    match outcome {
        Delivered::Sent { external_id } => close.execute(params![id, SENT, external_id])?,
        Delivered::Failed { error } => close.execute(params![id, FAILED, error])?,
        Delivered::Again { at, error } => db
            .prepare_cached("UPDATE deliveries SET due = ?2, detail = ?3 WHERE id = ?1 AND outcome IS NULL")?
            .execute(params![id, at.0, error])?,
    };
    Ok(())
}

fn outcome(db: &Connection, id: &str) -> Result<Option<Delivered>> {
    let row: Option<(String, String)> = db
        .prepare_cached("SELECT outcome, detail FROM deliveries WHERE id = ?1 AND outcome IS NOT NULL")?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    row.map(|(outcome, detail)| match outcome.as_str() {
        SENT => Ok(Delivered::Sent { external_id: detail }),
        FAILED => Ok(Delivered::Failed { error: detail }),
        other => Err(StoreError::Backend(format!("delivery {id} has the unknown outcome {other:?}"))),
    })
    .transpose()
}

#[async_trait]
impl Ledger for Embedded {
    async fn enqueue(&self, delivery: Delivery, due: Timestamp) -> Result<Pushed> {
        let notice = serde_json::to_string(&delivery.notice)?;
        self.write(move |db| {
            let added = db
                .prepare_cached(
                    "INSERT INTO deliveries (id, destination, attempts, due, notice)
                     VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (id) DO NOTHING",
                )?
                .execute(params![delivery.id, delivery.destination, delivery.attempts, due.0, notice])?;
            Ok(if added == 0 { Pushed::Seen } else { Pushed::New })
        })
        .await
    }

    async fn claim_deliveries(&self, now: Timestamp, limit: u32, ttl: Duration) -> Result<Vec<Delivery>> {
        self.write(move |db| take_due(db, now, limit, now.plus(ttl))).await
    }

    async fn settle_delivery(&self, id: &str, outcome: Delivered) -> Result<()> {
        let id = id.to_owned();
        self.write(move |db| settle(db, &id, &outcome)).await
    }

    async fn delivery(&self, id: &str) -> Result<Option<Delivered>> {
        let id = id.to_owned();
        self.read(move |db| outcome(db, &id)).await
    }

    async fn reserve(&self, reservation: Reservation) -> Result<Reserved> {
        self.write(move |db| money::reserve(db, &reservation)).await
    }

    async fn settle(&self, id: &str, cost: u64) -> Result<()> {
        let (id, now) = (id.to_owned(), self.clock.now());
        self.write(move |db| money::close(db, &id, Close::Settled(cost), now)).await
    }

    async fn unreserve(&self, id: &str) -> Result<()> {
        let (id, now) = (id.to_owned(), self.clock.now());
        self.write(move |db| money::close(db, &id, Close::GivenBack, now)).await
    }

    async fn spend(&self, spent: Reservation) -> Result<()> {
        let now = self.clock.now();
        self.write(move |db| money::spend(db, &spent, now)).await
    }

    async fn open_reservations(&self, session: &SessionKey) -> Result<Vec<Reservation>> {
        let session = session.clone();
        self.read(move |db| money::open(db, &session)).await
    }

    async fn balances(&self, accounts: &[Account]) -> Result<Vec<Balance>> {
        let accounts = accounts.to_vec();
        self.read(move |db| accounts.iter().map(|account| money::balance(db, account)).collect()).await
    }

    async fn audit(&self, after: u64, limit: u32) -> Result<Vec<AuditRecord>> {
        self.read(move |db| audit::after(db, after, limit)).await
    }
}
