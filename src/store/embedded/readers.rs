//! The connections that read. Owns a small pool; each read runs on a blocking thread, never on one
//! of the async runtime's. Sees every write that was answered. Start at [`Readers::read`].

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::schema;
use crate::store::{Result, StoreError};

/// Reads that run at the same time.
const CONNECTIONS: usize = 4;

/// A pool of read connections, opened when first needed.
pub(super) struct Readers {
    pool: Arc<Pool>,
    permits: Arc<Semaphore>,
}

struct Pool {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Pool {
    fn take(&self) -> Result<Connection> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(|| schema::connect_reader(&self.path), Ok)
    }

    fn put_back(&self, connection: Connection) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
    }
}

impl Readers {
    pub(super) fn new(path: PathBuf) -> Self {
        let pool = Pool { path, idle: Mutex::new(Vec::with_capacity(CONNECTIONS)) };
        Self { pool: Arc::new(pool), permits: Arc::new(Semaphore::new(CONNECTIONS)) }
    }

    /// Runs `work` on one snapshot of the database.
    pub(super) async fn read<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        let failed = |error: &dyn std::fmt::Display| StoreError::Backend(format!("a read was lost: {error}"));
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|error| failed(&error))?;
        let pool = Arc::clone(&self.pool);
        tokio::task::spawn_blocking(move || {
            let connection = pool.take()?;
            let snapshot = connection.unchecked_transaction()?;
            let result = work(&snapshot);
            snapshot.finish()?;
            pool.put_back(connection);
            drop(permit);
            result
        })
        .await
        .map_err(|error| failed(&error))?
    }
}
