//! What SQLite's errors mean, in plain words. Owns the conversions; decides nothing.

use rusqlite::ErrorCode;

use crate::store::StoreError;

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let words = match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => "the disk is full; free some space, nothing of this write was saved",
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                "another process kept the database busy for too long; try again"
            }
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                "the database file is damaged or is no database; restore a copy or move it away"
            }
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
                "the database file may not be written to; check who owns it"
            }
            Some(ErrorCode::CannotOpen) => "the database file could not be opened",
            Some(ErrorCode::SystemIoFailure) => "the disk failed to read or write",
            _ => return Self::Backend(error.to_string()),
        };
        Self::Backend(format!("{words} ({error})"))
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::Backend(format!("a saved record does not read as this version writes it: {error}"))
    }
}

/// A count or fence as SQLite keeps it.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A count or fence as SQLite gave it.
pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_in_plain_words() {
        let full = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(13), None);
        let StoreError::Backend(text) = StoreError::from(full) else { panic!("not a backend error") };
        assert!(text.starts_with("the disk is full"), "{text}");
        let busy = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(5), None);
        assert!(StoreError::from(busy).to_string().contains("another process kept the database busy"));
    }
}
