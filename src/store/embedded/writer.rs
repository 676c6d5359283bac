//! The one thread that writes. Owns group commit: whatever waits while the disk is syncing becomes
//! the next transaction. Never answers before the commit is on disk. Start at [`Writer::write`].

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::schema;
use crate::store::{Result, StoreError};

/// Writes that may wait; beyond, whoever writes waits for room.
const WAITING: usize = 1024;

/// The most writes saved by one transaction.
const GROUP: usize = 512;

/// How long folding the log waits for whoever is reading.
const FOLD_WAIT: Duration = Duration::from_millis(100);

/// What the writer has done since it was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Writes asked for, refused ones included.
    pub writes: u64,
    /// Transactions that changed something: each is one sync of the disk.
    pub transactions: u64,
}

#[derive(Default)]
struct Counts {
    writes: AtomicU64,
    transactions: AtomicU64,
}

enum Message {
    Work(Box<dyn Job>),
    Fold(oneshot::Sender<Result<bool>>),
    Close,
}

/// The way to the writing thread.
pub(super) struct Writer {
    sender: Option<mpsc::Sender<Message>>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
    counts: Arc<Counts>,
}

impl Writer {
    pub(super) fn start(connection: Connection) -> Result<Self> {
        let (sender, receiver) = mpsc::channel(WAITING);
        let counts = Arc::new(Counts::default());
        let counted = Arc::clone(&counts);
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || run(&connection, receiver, &counted))
            .map_err(|error| StoreError::Backend(format!("cannot start the writing thread: {error}")))?;
        Ok(Self { sender: Some(sender), thread: Arc::new(Mutex::new(Some(thread))), counts })
    }

    /// Runs `work` in the writer's next transaction; gives its result once that is on disk. An error
    /// of `work` undoes what `work` did and nothing else.
    pub(super) async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Write { work: Some(work), result: None, reply };
        let sender = self.sender.as_ref().ok_or_else(closed)?;
        sender.send(Message::Work(Box::new(job))).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }

    /// Folds the write-ahead log into the file and empties it, after everything handed over so far.
    /// `false` if somebody who reads or writes was in the way.
    pub(super) async fn fold(&self) -> Result<bool> {
        let (reply, answer) = oneshot::channel();
        let sender = self.sender.as_ref().ok_or_else(closed)?;
        sender.send(Message::Fold(reply)).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }

    pub(super) async fn close(&self) {
        if let Some(sender) = &self.sender {
            // An error says that it was closed before; then only its end is waited for.
            let _ = sender.send(Message::Close).await;
        }
        let thread = Arc::clone(&self.thread);
        let _ = tokio::task::spawn_blocking(move || join(&thread)).await;
    }

    pub(super) fn stats(&self) -> Stats {
        Stats {
            writes: self.counts.writes.load(Ordering::Relaxed),
            transactions: self.counts.transactions.load(Ordering::Relaxed),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.sender = None;
        join(&self.thread);
    }
}

fn join(thread: &Mutex<Option<JoinHandle<()>>>) {
    // The lock is kept while joining, so that a second caller also waits for the end.
    let mut thread = thread.lock().unwrap_or_else(PoisonError::into_inner);
    if thread.take().is_some_and(|handle| handle.join().is_err()) {
        tracing::error!("the store's writing thread had panicked");
    }
}

fn closed() -> StoreError {
    StoreError::Backend("the store is closed".to_owned())
}

/// A write without its types.
trait Job: Send {
    /// Does the work inside the open transaction; whether it succeeded.
    fn apply(&mut self, connection: &Connection) -> bool;
    /// Tells whoever waits. `lost` says why the whole transaction failed, if it did.
    fn answer(self: Box<Self>, lost: Option<&str>);
}

struct Write<T, F> {
    work: Option<F>,
    result: Option<Result<T>>,
    reply: oneshot::Sender<Result<T>>,
}

impl<T: Send, F: FnOnce(&Connection) -> Result<T> + Send> Job for Write<T, F> {
    fn apply(&mut self, connection: &Connection) -> bool {
        let Some(work) = self.work.take() else { return false };
        let result = work(connection);
        let succeeded = result.is_ok();
        self.result = Some(result);
        succeeded
    }

    fn answer(self: Box<Self>, lost: Option<&str>) {
        let result = match (self.result, lost) {
            (Some(Err(error)), _) => Err(error),
            (_, Some(lost)) => Err(StoreError::Backend(lost.to_owned())),
            (Some(result), None) => result,
            (None, None) => Err(closed()),
        };
        // Whoever asked may have gone away; the write stands all the same.
        let _ = self.reply.send(result);
    }
}

fn run(connection: &Connection, mut receiver: mpsc::Receiver<Message>, counts: &Counts) {
    let mut group = Vec::with_capacity(GROUP);
    let mut folds = Vec::new();
    while let Some(message) = receiver.blocking_recv() {
        let mut next = Some(message);
        while let Some(message) = next {
            match message {
                Message::Work(job) => group.push(job),
                Message::Fold(reply) => folds.push(reply),
                Message::Close => receiver.close(),
            }
            next = if group.len() < GROUP { receiver.try_recv().ok() } else { None };
        }
        if !group.is_empty() {
            save(connection, &mut group, counts);
        }
        for reply in folds.drain(..) {
            // Whoever asked may have gone away.
            let _ = reply.send(fold(connection));
        }
    }
    // Another process may be reading the log; whoever closes last folds it in.
    if let Err(error) = fold(connection) {
        tracing::debug!(%error, "the write-ahead log was left in place");
    }
}

/// Whether the whole log was folded in and emptied. Never waits for long: everybody who writes would.
fn fold(connection: &Connection) -> Result<bool> {
    connection.busy_timeout(FOLD_WAIT)?;
    let busy = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, bool>(0));
    connection.busy_timeout(schema::BUSY)?;
    Ok(!busy?)
}

fn save(connection: &Connection, group: &mut Vec<Box<dyn Job>>, counts: &Counts) {
    let size = group.len() as u64;
    let before = connection.total_changes();
    let lost = transact(connection, group).err().map(|error| match error {
        StoreError::Backend(text) => text,
        other => other.to_string(),
    });
    if let Some(reason) = &lost {
        tracing::error!(%reason, writes = size, "a transaction of the store was lost");
        if !connection.is_autocommit()
            && let Err(error) = connection.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "a failed transaction could not be rolled back");
        }
    }
    counts.writes.fetch_add(size, Ordering::Relaxed);
    metrics::counter!("ml_intern_store_writes_total").increment(size);
    if lost.is_none() && connection.total_changes() != before {
        counts.transactions.fetch_add(1, Ordering::Relaxed);
        metrics::counter!("ml_intern_store_transactions_total").increment(1);
    }
    for job in group.drain(..) {
        job.answer(lost.as_deref());
    }
}

fn transact(connection: &Connection, group: &mut [Box<dyn Job>]) -> Result<()> {
    run_cached(connection, "BEGIN IMMEDIATE")?;
    for job in group {
        run_cached(connection, "SAVEPOINT one")?;
        if !job.apply(connection) {
            // On some failures, a full disk among them, SQLite undoes the whole transaction itself.
            if connection.is_autocommit() {
                return Err(StoreError::Backend(
                    "another write of the same transaction failed and undid all of it; try again".to_owned(),
                ));
            }
            run_cached(connection, "ROLLBACK TO one")?;
        }
        run_cached(connection, "RELEASE one")?;
    }
    run_cached(connection, "COMMIT")
}

fn run_cached(connection: &Connection, sql: &str) -> Result<()> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(text: String) -> impl FnOnce(&Connection) -> Result<i64> + Send + 'static {
        move |db| {
            Ok(db.prepare_cached("INSERT INTO later (id, at, body) VALUES (?1, 0, ?1)")?.insert([text])?)
        }
    }

    fn count(db: &Connection) -> Result<usize> {
        Ok(db.query_row("SELECT count(*) FROM later", [], |row| row.get::<_, i64>(0))? as usize)
    }

    #[tokio::test]
    async fn what_was_answered_before_the_disk_filled_up_is_there_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = schema::prepare(dir.path()).unwrap();
        let writer = Writer::start(schema::connect_writer(&path).unwrap()).unwrap();
        writer.write(|db| Ok(db.pragma_update(None, "max_page_count", 40)?)).await.unwrap();
        let writes = (0..200).map(|n| writer.write(add(format!("{n} {}", "x".repeat(n * 20)))));
        let answers = futures::future::join_all(writes).await;
        let saved = answers.iter().filter(|answer| answer.is_ok()).count();
        let refused: Vec<_> = answers.into_iter().filter_map(Result::err).collect();
        assert!(!refused.is_empty(), "the disk never filled up");
        assert!(refused.iter().any(|error| error.to_string().contains("the disk is full")), "{refused:?}");
        assert_eq!(writer.write(count).await.unwrap(), saved);
        // Once there is room, it goes on.
        writer.write(|db| Ok(db.pragma_update(None, "max_page_count", 100_000)?)).await.unwrap();
        writer.write(add("x".repeat(100_000))).await.unwrap();
        assert_eq!(writer.write(count).await.unwrap(), saved + 1);
    }

    #[tokio::test]
    async fn a_write_nobody_waits_for_any_more_is_saved_all_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let path = schema::prepare(dir.path()).unwrap();
        let writer = Writer::start(schema::connect_writer(&path).unwrap()).unwrap();
        {
            let mut write = Box::pin(writer.write(add("left alone".to_owned())));
            assert!(futures::poll!(&mut write).is_pending());
        }
        assert_eq!(writer.write(count).await.unwrap(), 1);
        drop(writer);
        let reader = schema::connect_reader(&path).unwrap();
        assert_eq!(count(&reader).unwrap(), 1);
    }
}
