//! Randomness as a parameter: ids and jitter.
//!
//! Owns [`Random`]. Not for cryptography. Start at [`Random::id`].

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Where random numbers come from. Cheap to clone; clones share their sequence.
#[derive(Debug, Clone)]
pub struct Random(Arc<Mutex<fastrand::Rng>>);

impl Random {
    /// A source that nobody can predict from outside.
    #[must_use]
    pub fn system() -> Self {
        Self(Arc::new(Mutex::new(fastrand::Rng::new())))
    }

    /// A source that always gives the same sequence.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(fastrand::Rng::with_seed(seed))))
    }

    /// `prefix` and 20 characters of `a-z0-9`: about 103 bits, unique for our purposes.
    #[must_use]
    pub fn id(&self, prefix: &str) -> String {
        let mut rng = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let tail: String = (0..20)
            .map(|_| {
                let digit = rng.u8(0..36);
                char::from(if digit < 26 { b'a' + digit } else { b'0' + digit - 26 })
            })
            .collect();
        format!("{prefix}{tail}")
    }

    /// A wait between `base` and `base` plus a quarter of it.
    #[must_use]
    pub fn jitter(&self, base: Duration) -> Duration {
        let mut rng = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        base + base.mul_f64(rng.f64() / 4.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_ids() {
        let (one, two) = (Random::seeded(7), Random::seeded(7));
        let first = one.id("t_");
        assert_eq!(first, two.id("t_"));
        assert_ne!(first, one.id("t_"));
        assert_eq!(first.len(), 22);
    }
}
