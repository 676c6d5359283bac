//! Which files each session has read, and how they were then: a file is changed only by somebody
//! who has seen it as it is.
//!
//! Kept in memory only: after a restart the model is told to read again. Bounded.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use crate::protocol::SessionKey;

/// Sessions remembered; beyond them the one marked longest ago is forgotten.
const MOST_SESSIONS: usize = 512;
/// Files remembered per session; beyond them all are forgotten, and must be read again.
const MOST_FILES: usize = 4_096;

/// What was read by whom.
#[derive(Debug, Default)]
pub struct Marks(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    count: u64,
    sessions: BTreeMap<SessionKey, Session>,
}

#[derive(Debug, Default)]
struct Session {
    used: u64,
    files: BTreeMap<PathBuf, Seen>,
}

/// How a file was when it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    bytes: u64,
    modified: Option<SystemTime>,
}

impl Seen {
    fn of(about: &Metadata) -> Self {
        Self { bytes: about.len(), modified: about.modified().ok() }
    }
}

/// Whether a session knows a file as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// It has read it, and it has not changed since.
    AsItIs,
    /// It has read it, but it has changed since.
    Changed,
    /// It has not read it (or that is forgotten).
    Unread,
}

impl Marks {
    /// Notes that the session has seen the file as it is now.
    pub fn note(&self, session: &SessionKey, path: &Path, about: &Metadata) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.count += 1;
        let count = inner.count;
        if inner.sessions.len() >= MOST_SESSIONS && !inner.sessions.contains_key(session) {
            let oldest =
                inner.sessions.iter().min_by_key(|(_, session)| session.used).map(|(key, _)| key.clone());
            if let Some(oldest) = oldest {
                inner.sessions.remove(&oldest);
            }
        }
        let entry = inner.sessions.entry(session.clone()).or_default();
        entry.used = count;
        if entry.files.len() >= MOST_FILES {
            entry.files.clear();
        }
        entry.files.insert(path.to_owned(), Seen::of(about));
    }

    /// Whether the session knows the file as it is now.
    pub fn known(&self, session: &SessionKey, path: &Path, about: &Metadata) -> Known {
        let inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match inner.sessions.get(session).and_then(|session| session.files.get(path)) {
            Some(seen) if *seen == Seen::of(about) => Known::AsItIs,
            Some(_) => Known::Changed,
            None => Known::Unread,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::workspace::fixture::Room;

    #[test]
    fn each_session_knows_what_it_read_until_it_changes() {
        let (room, marks) = (Room::new(), Marks::default());
        let path = room.path("a");
        std::fs::write(&path, "one").unwrap();
        let about = std::fs::metadata(&path).unwrap();
        assert_eq!(marks.known(&"s".into(), &path, &about), Known::Unread);
        marks.note(&"s".into(), &path, &about);
        assert_eq!(marks.known(&"s".into(), &path, &about), Known::AsItIs);
        assert_eq!(marks.known(&"other".into(), &path, &about), Known::Unread);
        std::fs::write(&path, "three").unwrap();
        assert_eq!(marks.known(&"s".into(), &path, &std::fs::metadata(&path).unwrap()), Known::Changed);
    }

    #[test]
    fn the_session_used_longest_ago_is_forgotten_first() {
        let (room, marks) = (Room::new(), Marks::default());
        let about = std::fs::metadata(room.root()).unwrap();
        for number in 0..=MOST_SESSIONS {
            marks.note(&format!("s{number}").into(), room.root(), &about);
        }
        assert_eq!(marks.known(&"s0".into(), room.root(), &about), Known::Unread);
        assert_eq!(marks.known(&"s1".into(), room.root(), &about), Known::AsItIs);
    }
}
