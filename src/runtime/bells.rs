//! Which session in hand a wake-up is for.
//!
//! A session in hand waits for its own bell, so that one new operation wakes one task, however many
//! sessions are worked on. Never says what came: whoever is woken looks. Start at [`Bells::hang`].

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::sync::broadcast::{Receiver, error::RecvError};

use crate::protocol::SessionKey;

type Hung = HashMap<SessionKey, Arc<Notify>>;

/// The bells of the sessions that one worker holds. Clones share them.
#[derive(Clone, Default)]
pub(super) struct Bells(Arc<Mutex<Hung>>);

/// The bell of one session in hand; comes down with this value.
pub(super) struct Bell {
    bells: Bells,
    session: SessionKey,
    rung: Arc<Notify>,
}

impl Bells {
    /// A bell for this session; what rings it before it is heard is not lost.
    pub(super) fn hang(&self, session: SessionKey) -> Bell {
        let rung = Arc::new(Notify::new());
        self.lock().insert(session.clone(), rung.clone());
        Bell { bells: self.clone(), session, rung }
    }

    /// Rings for every wake-up, until it is dropped.
    pub(super) async fn ring(&self, mut wakes: Receiver<SessionKey>) {
        loop {
            match wakes.recv().await {
                Ok(session) => {
                    if let Some(rung) = self.lock().get(&session) {
                        rung.notify_one();
                    }
                }
                // Nobody knows whom those were for.
                Err(RecvError::Lagged(_)) => self.lock().values().for_each(|rung| rung.notify_one()),
                Err(RecvError::Closed) => std::future::pending().await,
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Hung> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bell {
    /// Waits until it has rung since it was last heard.
    pub(super) async fn heard(&self) {
        self.rung.notified().await;
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        let mut hung = self.bells.lock();
        // A worker that lost its lease may claim the session again before this one is done.
        if hung.get(&self.session).is_some_and(|rung| Arc::ptr_eq(rung, &self.rung)) {
            hung.remove(&self.session);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;
    use tokio::sync::broadcast;

    #[tokio::test]
    async fn a_wake_up_rings_one_bell_and_a_missed_one_rings_all() {
        let (wakes, heard) = broadcast::channel(2);
        let bells = Bells::default();
        let (one, two) = (bells.hang("one".into()), bells.hang("two".into()));
        let ringing = tokio::spawn({
            let bells = bells.clone();
            async move { bells.ring(heard).await }
        });
        wakes.send("one".into()).unwrap();
        one.heard().await;
        assert!(two.heard().now_or_never().is_none());
        for _ in 0..5 {
            wakes.send("three".into()).unwrap();
        }
        one.heard().await;
        two.heard().await;
        ringing.abort();
    }

    #[test]
    fn the_newer_bell_of_a_session_stays_when_the_older_comes_down() {
        let bells = Bells::default();
        let older = bells.hang("one".into());
        let newer = bells.hang("one".into());
        drop(older);
        assert!(bells.lock().contains_key(&SessionKey::from("one")));
        drop(newer);
        assert!(bells.lock().is_empty());
    }
}
