//! What people were shown when they were asked, so that nothing else is done in its name.
//!
//! A call's arguments name a file of the workspace, or a pattern: what they stand for may change between
//! question and call. Kept in memory, for one call each, a bounded number; after a restart there is none, and
//! the call goes ahead as its arguments say.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::protocol::SessionKey;

/// Seals that are kept.
const MOST: usize = 256;

/// What was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Seal {
    /// A file of the workspace with this SHA-256.
    Content(String),
    /// These files of the repository.
    Files(Vec<String>),
}

/// The seals of one process.
#[derive(Default)]
pub(super) struct Seals(Mutex<VecDeque<(String, Seal)>>);

impl Seals {
    /// Remembers what was shown for a call.
    pub(super) fn put(&self, session: &SessionKey, arguments: &Value, seal: Seal) {
        let key = key(session, arguments);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(other, _)| *other != key);
        if kept.len() >= MOST {
            kept.pop_front();
        }
        kept.push_back((key, seal));
    }

    /// What was shown for a call, if it was; it counts once.
    pub(super) fn take(&self, session: &SessionKey, arguments: &Value) -> Option<Seal> {
        let key = key(session, arguments);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept.iter().position(|(other, _)| *other == key)?;
        kept.remove(at).map(|(_, seal)| seal)
    }
}

fn key(session: &SessionKey, arguments: &Value) -> String {
    hex::encode(Sha256::digest(format!("{session}\0{arguments}")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_seal_is_for_one_call_and_there_are_not_too_many() {
        let seals = Seals::default();
        let session: SessionKey = "s".into();
        let seal = |n: usize| Seal::Content(n.to_string());
        for n in 0..=MOST {
            seals.put(&session, &json!({ "n": n }), seal(n));
        }
        assert_eq!(seals.take(&session, &json!({ "n": 0 })), None, "the oldest went");
        assert_eq!(seals.take(&"other".into(), &json!({ "n": 1 })), None);
        assert_eq!(seals.take(&session, &json!({ "n": 1 })), Some(seal(1)));
        assert_eq!(seals.take(&session, &json!({ "n": 1 })), None, "it counts once");
    }
}
