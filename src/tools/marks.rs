//! Which files each session has read, and how they were then: a file is changed only by somebody
//! who has seen it as it is.
//!
//! Kept in memory only: after a restart the model is told to read again. Bounded.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::UNIX_EPOCH;

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
    files: BTreeMap<PathBuf, Stamp>,
}

/// How a file was when it was seen: its size and when it was changed, as the machine that has it says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp(String);

impl Stamp {
    /// Of a file on this machine.
    pub fn of(about: &Metadata) -> Self {
        let changed = about.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        Self(format!("{}:{}", about.len(), changed.unwrap_or_default().as_nanos()))
    }

    /// As another machine says it.
    pub fn told(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// As it is told to another machine.
    pub fn as_str(&self) -> &str {
        &self.0
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
    pub fn note(&self, session: &SessionKey, path: &Path, stamp: &Stamp) {
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
        entry.files.insert(path.to_owned(), stamp.clone());
    }

    /// Whether the session has read a file of this path, as it is now or as it was.
    pub fn has(&self, session: &SessionKey, path: &Path) -> bool {
        let inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.sessions.get(session).is_some_and(|session| session.files.contains_key(path))
    }

    /// Whether the session knows the file as it is now.
    pub fn known(&self, session: &SessionKey, path: &Path, stamp: &Stamp) -> Known {
        let inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match inner.sessions.get(session).and_then(|session| session.files.get(path)) {
            Some(seen) if seen == stamp => Known::AsItIs,
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
        let about = Stamp::of(&std::fs::metadata(&path).unwrap());
        assert_eq!(marks.known(&"s".into(), &path, &about), Known::Unread);
        marks.note(&"s".into(), &path, &about);
        assert_eq!(marks.known(&"s".into(), &path, &about), Known::AsItIs);
        assert_eq!(marks.known(&"other".into(), &path, &about), Known::Unread);
        std::fs::write(&path, "three").unwrap();
        assert_eq!(
            marks.known(&"s".into(), &path, &Stamp::of(&std::fs::metadata(&path).unwrap())),
            Known::Changed
        );
    }

    #[test]
    fn the_session_used_longest_ago_is_forgotten_first() {
        let (room, marks) = (Room::new(), Marks::default());
        let about = Stamp::of(&std::fs::metadata(room.root()).unwrap());
        for number in 0..=MOST_SESSIONS {
            marks.note(&format!("s{number}").into(), room.root(), &about);
        }
        assert_eq!(marks.known(&"s0".into(), room.root(), &about), Known::Unread);
        assert_eq!(marks.known(&"s1".into(), room.root(), &about), Known::AsItIs);
    }
}
