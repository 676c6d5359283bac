//! Takes tickets that are due, and follows each in a task of its own.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::follow::{Follow, Shared};
use super::sandboxes;
use super::source::Sources;
use crate::protocol::{Door, Work};
use crate::runtime::Board;
use crate::store::{Result, StoreError, Watch};

/// Tickets that are taken at once.
const ROUND: u32 = 32;
/// Jobs that one process follows at once; the rest waits for another, or for one that ends.
const MOST: usize = 500;
/// Between two looks for tickets that are due. A look that finds none writes nothing.
const LOOK: Duration = Duration::from_secs(2);
/// How long a ticket rests after its follower failed.
const REST: Duration = Duration::from_secs(20);

/// Where each front door shows external work.
#[derive(Clone, Default)]
pub struct Boards(Arc<RwLock<HashMap<Door, Arc<dyn Board>>>>);

impl Boards {
    /// From now on work of this door's sessions is shown there.
    pub fn put(&self, door: Door, board: Arc<dyn Board>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(door, board);
    }

    /// Every door that can show work in this process.
    #[must_use]
    pub fn doors(&self) -> Vec<Door> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).keys().copied().collect()
    }

    /// Where work of this door's sessions is shown, if it can be in this process.
    #[must_use]
    pub fn of(&self, door: Door) -> Option<Arc<dyn Board>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&door).cloned()
    }
}

/// Follows all jobs whose tickets are due.
pub struct Supervisor {
    shared: Arc<Shared>,
    sources: Arc<dyn Sources>,
    boards: Boards,
}

impl Supervisor {
    /// A supervisor of jobs at these providers.
    #[must_use]
    pub fn new(shared: Arc<Shared>, sources: Arc<dyn Sources>, boards: Boards) -> Self {
        Self { shared, sources, boards }
    }

    /// Follows what is due until `stop` fires; then gives all tickets back.
    pub async fn run(&self, stop: CancellationToken) {
        let followers = TaskTracker::new();
        loop {
            if let Err(error) = self.take_up(&followers, &stop).await {
                tracing::error!(%error, "external work could not be taken up");
            }
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(LOOK.min(self.shared.pace.beat * 2)) => {}
            }
        }
        followers.close();
        followers.wait().await;
    }

    /// Takes up what is due now, of sessions whose door shows work in this process.
    async fn take_up(&self, followers: &TaskTracker, stop: &CancellationToken) -> Result<()> {
        for door in self.boards.doors() {
            self.take_up_behind(door, followers, stop).await?;
        }
        Ok(())
    }

    async fn take_up_behind(
        &self,
        door: Door,
        followers: &TaskTracker,
        stop: &CancellationToken,
    ) -> Result<()> {
        loop {
            let room = MOST.saturating_sub(followers.len());
            let limit = ROUND.min(u32::try_from(room).unwrap_or(ROUND));
            if limit == 0 || stop.is_cancelled() {
                return Ok(());
            }
            let watches = self.shared.store.claim_watches(door, limit, self.shared.pace.hold).await?;
            let taken = watches.len();
            for watch in watches {
                self.follow(watch, followers, stop).await?;
            }
            if taken < limit as usize {
                return Ok(());
            }
        }
    }

    async fn follow(&self, watch: Watch, followers: &TaskTracker, stop: &CancellationToken) -> Result<()> {
        let job = match watch.ticket.work.clone() {
            Work::Job(job) => job,
            Work::Sandbox(sandbox) => {
                return sandboxes::look(&self.shared, self.sources.as_ref(), watch, &sandbox).await;
            }
        };
        let source = self.sources.of(&watch.ticket.requester).await;
        let board = self.boards.of(watch.ticket.origin.door);
        let (shared, stop) = (self.shared.clone(), stop.clone());
        followers.spawn(async move {
            let back = watch.clone();
            let follow = Follow::new(shared.clone(), watch, job, (source, board));
            match follow.run(stop).await {
                Ok(()) => {}
                Err(StoreError::Lost(ticket)) => tracing::debug!(%ticket, "another process follows it"),
                Err(error) => {
                    tracing::error!(ticket = %back.ticket.id, %error, "a job is not followed for a while");
                    rest(&shared, &back).await;
                }
            }
        });
        Ok(())
    }
}

/// Gives a ticket back for a while; if even that fails it is due when its hold runs out.
async fn rest(shared: &Shared, watch: &Watch) {
    let ticket = &watch.ticket.id;
    // What its follower saved last stays: only the time changes.
    if let Err(error) = shared.store.renew_watch(watch, REST).await {
        tracing::debug!(%ticket, %error, "a ticket could not be given back");
    }
}
