//! What was asked lately, kept in memory: bounded by weight, the least used goes first, nothing is used for ever.
//!
//! Start at [`Recent`].

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::clock::{Clock, Timestamp};

/// Values by key, up to a weight. Cheap to clone; clones share what is kept.
#[derive(Debug, Clone)]
pub struct Recent<V> {
    shelf: Arc<Mutex<Shelf<V>>>,
    clock: Clock,
    most: usize,
    fresh: Duration,
}

#[derive(Debug)]
struct Shelf<V> {
    kept: HashMap<String, Kept<V>>,
    weight: usize,
    uses: u64,
}

#[derive(Debug)]
struct Kept<V> {
    value: V,
    weight: usize,
    since: Timestamp,
    used: u64,
}

impl<V: Clone> Recent<V> {
    /// Keeps values of at most this weight together (in whatever unit they are put in with), each for `fresh`.
    #[must_use]
    pub fn new(clock: Clock, most: usize, fresh: Duration) -> Self {
        let shelf = Shelf { kept: HashMap::new(), weight: 0, uses: 0 };
        Self { shelf: Arc::new(Mutex::new(shelf)), clock, most, fresh }
    }

    /// What is kept under this key, while it is fresh.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<V> {
        let now = self.clock.now();
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        shelf.uses += 1;
        let uses = shelf.uses;
        let kept = shelf.kept.get_mut(key)?;
        if now.since(kept.since) >= self.fresh {
            shelf.drop_key(key);
            return None;
        }
        kept.used = uses;
        Some(kept.value.clone())
    }

    /// Keeps a value; others go if there is no room. One that is too heavy alone is not kept.
    pub fn put(&self, key: &str, value: V, weight: usize) {
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        shelf.drop_key(key);
        if weight > self.most {
            return;
        }
        while shelf.weight + weight > self.most {
            let oldest = shelf.kept.iter().min_by_key(|(_, kept)| kept.used).map(|(key, _)| key.clone());
            match oldest {
                Some(oldest) => shelf.drop_key(&oldest),
                None => break,
            }
        }
        shelf.uses += 1;
        let kept = Kept { value, weight, since: self.clock.now(), used: shelf.uses };
        shelf.weight += weight;
        shelf.kept.insert(key.to_owned(), kept);
    }
}

impl<V> Shelf<V> {
    fn drop_key(&mut self, key: &str) {
        if let Some(gone) = self.kept.remove(key) {
            self.weight -= gone.weight;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_used_goes_first_and_the_old_is_not_used() {
        let clock = Clock::manual(Timestamp(0));
        let recent = Recent::new(clock.clone(), 3, Duration::from_secs(60));
        for key in ["a", "b", "c"] {
            recent.put(key, key.to_owned(), 1);
        }
        assert_eq!(recent.get("a").as_deref(), Some("a"));
        recent.put("d", "d".to_owned(), 1);
        assert_eq!(recent.get("b"), None, "b was used least");
        assert!(recent.get("a").is_some() && recent.get("c").is_some() && recent.get("d").is_some());
        recent.put("heavy", "x".to_owned(), 4);
        assert_eq!(recent.get("heavy"), None);
        recent.put("wide", "x".to_owned(), 3);
        assert!(recent.get("wide").is_some() && recent.get("a").is_none());
        clock.advance(Duration::from_secs(60));
        assert_eq!(recent.get("wide"), None);
        recent.put("e", "e".to_owned(), 3);
        assert!(recent.get("e").is_some(), "what went made room");
    }
}
