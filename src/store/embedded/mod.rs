//! The embedded backend: every port of the store on one SQLite file, `ml-intern.db`.
//!
//! Owns the file, its schema and its threads: one writer ([`writer`]) that saves all waiting writes
//! with one sync of the disk, and a few read connections ([`readers`]) off the async threads. Never
//! interprets what it keeps, beyond the columns that decide who may be claimed ([`queue`]).
//! Start at [`Embedded::open`]; several processes may have the file open, of which one may
//! [`Embedded::hold`] it.

mod audit;
mod erase;
mod error;
mod find;
mod hold;
mod inbox;
mod ledger;
mod migrations;
mod money;
mod queue;
mod readers;
mod schema;
mod sessions;
mod tickets;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::broadcast;

use self::readers::Readers;
use self::writer::Writer;
use super::{Result, Signals};
use crate::clock::Clock;
use crate::protocol::SessionKey;

pub use self::hold::Hold;
pub use self::migrations::SCHEMA_VERSION;
pub use self::schema::DATABASE;
pub use self::writer::Stats;

/// Wake-ups kept for a receiver that lags; one that lags further looks at everything it holds.
const WAKE_UPS: usize = 1024;

/// How often, and with what pause, folding the write-ahead log is tried.
const FOLDS: u32 = 20;
const FOLD_PAUSE: Duration = Duration::from_millis(150);

/// A store in one file of one directory. Dropping it saves what was handed over and ends its thread.
pub struct Embedded {
    clock: Clock,
    writer: Writer,
    readers: Readers,
    wakes: broadcast::Sender<SessionKey>,
}

impl Embedded {
    /// Opens the store in `dir`, making directory and file (readable by their owner only) if there
    /// are none, and bringing an older schema up to date. Blocks: call it at startup.
    ///
    /// # Errors
    /// `Backend`, in plain words, if the file cannot be opened, is damaged, or was written by a
    /// newer program.
    pub fn open(dir: &Path, clock: Clock) -> Result<Arc<Self>> {
        let path = schema::prepare(dir)?;
        let connection = schema::connect_writer(&path)?;
        let writer = Writer::start(connection)?;
        let (wakes, _) = broadcast::channel(WAKE_UPS);
        Ok(Arc::new(Self { clock, writer, readers: Readers::new(path), wakes }))
    }

    /// Claims the store in `dir` for this process until the result is dropped or the process dies.
    /// Only `serve` needs it: terminals share the file, and leases keep sessions apart.
    ///
    /// # Errors
    /// `Locked` if another process holds it; the text says which, and what to do.
    pub fn hold(dir: &Path, purpose: &str) -> Result<Hold> {
        schema::prepare_dir(dir)?;
        Hold::take(dir, purpose)
    }

    /// Saves everything handed over so far, folds the write-ahead log into the file and ends the
    /// writer. Later writes are refused.
    pub async fn close(&self) {
        self.writer.close().await;
    }

    /// What the writer has done since it was opened.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.writer.stats()
    }

    async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        self.writer.write(work).await
    }

    /// Folds the write-ahead log into the file and empties it, so that nothing that was deleted is left
    /// in it. Whoever reads for long can be in the way: then it is tried again for some seconds.
    async fn fold(&self) -> Result<()> {
        for _ in 0..FOLDS {
            if self.writer.fold().await? {
                return Ok(());
            }
            tokio::time::sleep(FOLD_PAUSE).await;
        }
        tracing::warn!(
            "somebody reads the store all the time; deleted words stay in its write-ahead log until later"
        );
        Ok(())
    }

    async fn read<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        self.readers.read(work).await
    }
}

impl Signals for Embedded {
    fn wake(&self, key: &SessionKey) {
        // An error only says that nobody watches.
        let _ = self.wakes.send(key.clone());
    }

    fn watch(&self) -> broadcast::Receiver<SessionKey> {
        self.wakes.subscribe()
    }
}
