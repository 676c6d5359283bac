//! The file: where it lies, who may read it, what is in it. Owns directory, permissions, connection
//! settings; what its tables are is in [`super::migrations`]. Start at [`connect_writer`].

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::migrations::{MIGRATIONS, SCHEMA_VERSION};
use crate::store::{Result, StoreError};

/// Name of the database file in the store's directory.
pub const DATABASE: &str = "ml-intern.db";

/// How long to wait for another process that is writing.
pub(super) const BUSY: Duration = Duration::from_secs(10);

/// Prepared statements kept per connection.
const STATEMENTS: usize = 64;

/// Makes directory and file if there are none, readable by their owner only; gives the file's path.
pub(super) fn prepare(dir: &Path) -> Result<PathBuf> {
    prepare_dir(dir)?;
    let path = dir.join(DATABASE);
    let mut options = fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(&path).map_err(|error| cannot("open", &path, &error))?;
    // SQLite gives its side files the permissions of the main one.
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .map_err(|error| cannot("protect", &path, &error))?;
    drop(file);
    // The name of a new file must be on disk before anything in it is promised to be.
    #[cfg(unix)]
    fs::File::open(dir).and_then(|opened| opened.sync_all()).map_err(|error| cannot("sync", dir, &error))?;
    Ok(path)
}

/// Makes the directory. An existing one with something in it keeps its permissions: it may be
/// somebody else's, and the files are protected in any case.
pub(super) fn prepare_dir(dir: &Path) -> Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir).map_err(|error| cannot("make", dir, &error))?;
    #[cfg(unix)]
    if fs::read_dir(dir).map_err(|error| cannot("read", dir, &error))?.next().is_none() {
        fs::set_permissions(dir, std::os::unix::fs::PermissionsExt::from_mode(0o700))
            .map_err(|error| cannot("protect", dir, &error))?;
    }
    Ok(())
}

fn cannot(what: &str, path: &Path, error: &io::Error) -> StoreError {
    StoreError::Backend(format!("cannot {what} {}: {error}", path.display()))
}

/// The one connection that writes, its schema up to date.
pub(super) fn connect_writer(path: &Path) -> Result<Connection> {
    let mut connection = connect(path)?;
    // Two processes that turn the log on at once get `busy` without any waiting by SQLite.
    let mut tries = 0;
    while let Err(error) = connection.pragma_update(None, "journal_mode", "wal") {
        tries += 1;
        if error.sqlite_error_code() != Some(ErrorCode::DatabaseBusy) || tries > 200 {
            return Err(error.into());
        }
        std::thread::sleep(Duration::from_millis(25));
    }
    connection.pragma_update(None, "synchronous", "full")?;
    // On macOS a plain sync stops at the drive's cache; elsewhere this changes nothing.
    connection.pragma_update(None, "fullfsync", "on")?;
    connection.pragma_update(None, "checkpoint_fullfsync", "on")?;
    connection.pragma_update(None, "foreign_keys", "on")?;
    // What is deleted or replaced is overwritten with zeros.
    connection.pragma_update(None, "secure_delete", "on")?;
    connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
    connection.pragma_update(None, "cache_size", -4096)?;
    let found = migrate(&mut connection, path)?;
    // Files of those schemas may hold remains of what was deleted before deletion meant overwriting.
    if (1..3).contains(&found)
        && let Err(error) = connection.execute_batch("VACUUM")
    {
        tracing::warn!(%error, "remains of deleted records may be left in the store");
    }
    Ok(connection)
}

/// One more connection that only reads.
pub(super) fn connect_reader(path: &Path) -> Result<Connection> {
    let connection = connect(path)?;
    connection.pragma_update(None, "query_only", "on")?;
    connection.pragma_update(None, "cache_size", -1024)?;
    Ok(connection)
}

fn connect(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// Gives the schema that was found.
fn migrate(connection: &mut Connection, path: &Path) -> Result<u32> {
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let found: u32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > SCHEMA_VERSION {
        return Err(StoreError::Backend(format!(
            "{} was written by a newer ml-intern (schema {found}, this one knows up to {SCHEMA_VERSION}); \
             update ml-intern, or use another directory with `store.data_dir`",
            path.display()
        )));
    }
    for step in MIGRATIONS.iter().skip(found as usize) {
        transaction.execute_batch(step)?;
    }
    if found < SCHEMA_VERSION {
        transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    }
    transaction.commit()?;
    Ok(found)
}
