//! The claim of one process on a store. Owns the lock file; never touches the database.
//!
//! The lock belongs to the open file, so the operating system frees it when the process dies,
//! however it dies. The text inside is for people only. Start at [`Hold::take`].

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

use crate::store::{Result, StoreError};

/// Name of the lock file in the store's directory.
const LOCK: &str = "serve.lock";

/// A store held by this process until this is dropped.
#[derive(Debug)]
pub struct Hold {
    _file: File,
}

impl Hold {
    pub(super) fn take(dir: &Path, purpose: &str) -> Result<Self> {
        let path = dir.join(LOCK);
        let broken =
            |error: std::io::Error| StoreError::Backend(format!("cannot lock {}: {error}", path.display()));
        let mut options = OpenOptions::new();
        options.create(true).read(true).write(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path).map_err(broken)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreError::Locked(refusal(dir, &mut file))),
            Err(TryLockError::Error(error)) => return Err(broken(error)),
        }
        file.set_len(0).map_err(broken)?;
        file.rewind().map_err(broken)?;
        writeln!(file, "{} {purpose}", std::process::id()).map_err(broken)?;
        file.sync_data().map_err(broken)?;
        Ok(Self { _file: file })
    }
}

fn refusal(dir: &Path, file: &mut File) -> String {
    let mut text = String::new();
    // Whoever holds it may be about to write its name, or the text may be unreadable here.
    let _ = file.read_to_string(&mut text);
    let holder = match text.trim().split_once(' ') {
        Some((pid, purpose)) => format!("process {pid} ({purpose})"),
        None => "another process".to_owned(),
    };
    format!(
        "the store in {} is held by {holder}; stop that process, or give this one a directory of its own \
         with `store.data_dir`",
        dir.display()
    )
}
