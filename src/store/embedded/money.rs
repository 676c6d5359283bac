//! Money on SQLite: what is set aside, what is spent, per account. Owns the tables `accounts` and
//! `reservations`; every change of both is one transaction of the one writer of the file, so that
//! no two wishes are granted from the same money. Start at [`reserve`].

use rusqlite::{Connection, OptionalExtension, params};

use super::error::{signed, unsigned};
use crate::clock::Timestamp;
use crate::protocol::{Account, Balance, Reservation, Reserved, SessionKey};
use crate::store::{Result, StoreError};

/// The most that one reservation or cost can be, in micro-dollars: a billion dollars. Some 9,000 of
/// them fit into SQLite's integers; sums stay at the end of those.
const MOST: u64 = 1_000_000_000_000_000;

pub(super) const OPEN: &str =
    "SELECT body FROM reservations WHERE session = ?1 AND closed_at IS NULL ORDER BY seq";

/// How a reservation ends.
#[derive(Clone, Copy)]
pub(super) enum Close {
    /// With a cost in micro-dollars.
    Settled(u64),
    /// Without any.
    GivenBack,
}

/// Where a reservation stands.
enum Standing {
    Unknown,
    Open(Reservation),
    Closed,
}

fn standing(db: &Connection, id: &str) -> Result<Standing> {
    let row: Option<(bool, String)> = db
        .prepare_cached("SELECT closed_at IS NOT NULL, body FROM reservations WHERE id = ?1")?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    match row {
        None => Ok(Standing::Unknown),
        Some((true, _)) => Ok(Standing::Closed),
        Some((false, body)) => Ok(Standing::Open(serde_json::from_str(&body)?)),
    }
}

pub(super) fn reserve(db: &Connection, wish: &Reservation) -> Result<Reserved> {
    if matches!(standing(db, &wish.id)?, Standing::Open(_)) {
        return Ok(Reserved::Held);
    }
    for (account, limit) in &wish.accounts {
        let Some(limit) = *limit else { continue };
        let balance = balance(db, account)?;
        if balance.committed().saturating_add(wish.amount) > limit {
            return Ok(Reserved::Over { account: account.clone(), limit, balance });
        }
    }
    if wish.amount > MOST {
        return Err(StoreError::Backend(format!(
            "{} micro-dollars for {} are more than a reservation can be ({MOST})",
            wish.amount, wish.purpose
        )));
    }
    let mut set_aside = db.prepare_cached(
        "INSERT INTO accounts (name, reserved) VALUES (?1, ?2)
         ON CONFLICT (name) DO UPDATE SET reserved = min(reserved, ?3 - ?2) + ?2",
    )?;
    for account in payers(wish) {
        set_aside.execute(params![account, signed(wish.amount), i64::MAX])?;
    }
    keep(db, wish)?;
    Ok(Reserved::Held)
}

/// Writes it down as open; a closed one with its id is replaced.
fn keep(db: &Connection, wish: &Reservation) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO reservations (id, session, body) VALUES (?1, ?2, ?3)
         ON CONFLICT (id) DO UPDATE SET session = ?2, body = ?3, closed_at = NULL, cost = NULL",
    )?
    .execute(params![wish.id, wish.session.as_str(), serde_json::to_string(wish)?])?;
    Ok(())
}

pub(super) fn close(db: &Connection, id: &str, how: Close, now: Timestamp) -> Result<()> {
    match (standing(db, id)?, how) {
        (Standing::Open(open), how) => end(db, &open, open.amount, how, now),
        (Standing::Closed, _) | (Standing::Unknown, Close::GivenBack) => Ok(()),
        (Standing::Unknown, Close::Settled(_)) => {
            Err(StoreError::Backend(format!("no money was ever set aside under the id {id:?}")))
        }
    }
}

/// Money that was spent without having been set aside.
pub(super) fn spend(db: &Connection, spent: &Reservation, now: Timestamp) -> Result<()> {
    match standing(db, &spent.id)? {
        Standing::Closed => Ok(()),
        Standing::Open(open) => end(db, &open, open.amount, Close::Settled(spent.amount), now),
        Standing::Unknown => {
            keep(db, spent)?;
            end(db, spent, 0, Close::Settled(spent.amount), now)
        }
    }
}

fn end(db: &Connection, open: &Reservation, aside: u64, how: Close, now: Timestamp) -> Result<()> {
    let cost = match how {
        Close::Settled(cost) => Some(signed(cost.min(MOST))),
        Close::GivenBack => None,
    };
    let mut book = db.prepare_cached(
        "INSERT INTO accounts (name, spent) VALUES (?1, ?3) ON CONFLICT (name) DO UPDATE SET
           reserved = max(reserved - ?2, 0), spent = min(spent, ?4 - ?3) + ?3",
    )?;
    for account in payers(open) {
        book.execute(params![account, signed(aside), cost.unwrap_or(0), i64::MAX])?;
    }
    db.prepare_cached("UPDATE reservations SET closed_at = ?2, cost = ?3 WHERE id = ?1")?
        .execute(params![open.id, now.0, cost])?;
    Ok(())
}

/// The names of the accounts that pay, each once.
fn payers(reservation: &Reservation) -> Vec<String> {
    let mut names: Vec<String> =
        reservation.accounts.iter().map(|(account, _)| account.to_string()).collect();
    names.sort();
    names.dedup();
    names
}

pub(super) fn balance(db: &Connection, account: &Account) -> Result<Balance> {
    let row = db
        .prepare_cached("SELECT spent, reserved FROM accounts WHERE name = ?1")?
        .query_row([account.to_string()], |row| {
            Ok(Balance { spent: unsigned(row.get(0)?), reserved: unsigned(row.get(1)?) })
        })
        .optional()?;
    Ok(row.unwrap_or_default())
}

pub(super) fn open(db: &Connection, session: &SessionKey) -> Result<Vec<Reservation>> {
    let mut statement = db.prepare_cached(OPEN)?;
    let bodies = statement.query_map([session.as_str()], |row| row.get::<_, String>(0))?;
    bodies.map(|body| Ok(serde_json::from_str(&body?)?)).collect()
}
