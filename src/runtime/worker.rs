//! The worker: claims runnable sessions under a lease, moves each forward, saves, releases.
//!
//! Owns claiming, waking, and how many sessions are worked on at a time; what happens to one session
//! in hand is in `hold`. Start at [`Worker::run`]; tests call [`Worker::drain`].

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast::{self, error::TryRecvError};
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::bells::Bells;
use super::present::Presenters;
use crate::agent::Agent;
use crate::agent::tool::Place;
use crate::protocol::{Door, SessionHead};
use crate::store::{Claimable, Lease, Store};

/// Where a session's calls act; made when it is first worked on.
pub trait Places: Send + Sync {
    /// The place of this session; its folder exists.
    ///
    /// # Errors
    /// When the folder cannot be made.
    fn place(&self, head: &SessionHead) -> anyhow::Result<Place>;
}

/// How a worker works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Sessions in hand at the same time.
    pub at_work: usize,
    /// How long a lease stands unless renewed; it is renewed three times in that span.
    pub lease: Duration,
    /// How often to look for work that no wake-up told of.
    pub look: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { at_work: 32, lease: Duration::from_secs(30), look: Duration::from_secs(1) }
    }
}

/// One worker. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Worker(pub(super) Arc<Parts>, pub(super) Bells);

/// What a worker is made of.
pub struct Parts {
    /// Where sessions are.
    pub store: Arc<dyn Store>,
    /// What moves them.
    pub agent: Arc<Agent>,
    /// Who shows them, by front door.
    pub presenters: HashMap<Door, Arc<dyn Presenters>>,
    /// Where their calls act.
    pub places: Arc<dyn Places>,
    /// How it works.
    pub pace: Pace,
    /// Fires when steps in hand must be let go (the end of the drain time).
    pub suspend: CancellationToken,
}

impl Worker {
    /// A worker of these parts.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts), Bells::default())
    }

    /// Works on claimable sessions until `stop` fires; then finishes the steps in hand, or lets them
    /// go when `suspend` fires, and returns.
    pub async fn run(&self, claimable: Claimable, stop: CancellationToken) {
        tokio::select! {
            () = self.1.ring(self.0.store.watch()) => {}
            () = self.work(claimable, stop) => {}
        }
    }

    async fn work(&self, claimable: Claimable, stop: CancellationToken) {
        let tracker = TaskTracker::new();
        let room = Arc::new(Semaphore::new(self.0.pace.at_work));
        let released = Arc::new(Notify::new());
        let mut wakes = self.0.store.watch();
        loop {
            let Some(permit) = self.permit(&room, &stop).await else { break };
            match self.claim(&claimable).await {
                Some(lease) => {
                    let (worker, released, stop) = (self.clone(), released.clone(), stop.clone());
                    tracker.spawn(async move {
                        worker.hold(lease, &stop).await;
                        drop(permit);
                        // What arrived while it was held can be claimed now.
                        released.notify_one();
                    });
                }
                None => {
                    drop(permit);
                    if !self.rest(&mut wakes, &released, &stop).await {
                        break;
                    }
                }
            }
        }
        tracker.close();
        tracker.wait().await;
    }

    /// Works until nothing claimable is left, then returns. What waits for people stays waiting.
    pub async fn drain(&self, claimable: Claimable) {
        let stop = CancellationToken::new();
        let work = self.run(claimable.clone(), stop.clone());
        let watch = async {
            loop {
                match self.0.store.busy(&claimable).await {
                    Ok(0) => break,
                    _ => tokio::time::sleep(Duration::from_millis(5)).await,
                }
            }
            stop.cancel();
        };
        tokio::join!(work, watch);
    }

    async fn permit(
        &self,
        room: &Arc<Semaphore>,
        stop: &CancellationToken,
    ) -> Option<tokio::sync::OwnedSemaphorePermit> {
        tokio::select! {
            biased;
            () = stop.cancelled() => None,
            permit = room.clone().acquire_owned() => permit.ok(),
        }
    }

    async fn claim(&self, claimable: &Claimable) -> Option<Lease> {
        match self.0.store.claim(claimable, self.0.pace.lease).await {
            Ok(lease) => lease,
            Err(error) => {
                tracing::error!(%error, "could not look for work");
                None
            }
        }
    }

    async fn rest(
        &self,
        wakes: &mut broadcast::Receiver<crate::protocol::SessionKey>,
        released: &Notify,
        stop: &CancellationToken,
    ) -> bool {
        tokio::select! {
            biased;
            () = stop.cancelled() => false,
            _ = wakes.recv() => {
                // One look serves all wake-ups that have come until now.
                while !matches!(wakes.try_recv(), Err(TryRecvError::Empty | TryRecvError::Closed)) {}
                true
            }
            () = released.notified() => true,
            () = tokio::time::sleep(self.0.pace.look) => true,
        }
    }
}
