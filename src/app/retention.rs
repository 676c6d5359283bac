//! Deleting sessions: by age, in a slow sweep, and on request.
//!
//! Owns what belongs to a deletion beside the store's part: the session's own folder. Never touches a
//! person's folder (where a terminal session worked), and never a session that waits, works or is
//! held. Start at [`erase`] and [`Retention::sweep`].

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::SessionFolders;
use crate::clock::{Clock, Timestamp};
use crate::protocol::{SessionKey, Turn};
use crate::runtime::now_and_then;
use crate::store::{Lease, Store};

/// After the start, before the first sweep: a short run at the terminal is no time for housekeeping.
const FIRST: Duration = Duration::from_secs(60);

/// Between two sweeps.
const EVERY: Duration = Duration::from_secs(60 * 60);

/// Between two deletions of a sweep, so that sessions at work never wait for it.
const PAUSE: Duration = Duration::from_millis(20);

/// Records that only serve to recognise repetitions are kept this long.
const REMEMBERED: Duration = Duration::from_secs(30 * DAY);

/// Seconds of a day.
const DAY: u64 = 24 * 60 * 60;

/// How long a deletion may take before somebody else may hold the session.
const LEASE: Duration = Duration::from_secs(120);

/// Sessions looked at in one go.
const PAGE: u32 = 100;

/// What one sweep did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Sessions that were deleted.
    pub sessions: u64,
    /// Sessions that should have been and could not; the next sweep tries again.
    pub failed: u64,
    /// Records that were forgotten.
    pub records: u64,
}

/// Deletes sessions that nobody has used for so many days, and forgets old records.
pub struct Retention {
    /// Where sessions are kept.
    pub store: Arc<dyn Store>,
    /// Their folders.
    pub folders: SessionFolders,
    /// Time.
    pub clock: Clock,
    /// Days without use after which a session goes; `None` keeps all.
    pub days: Option<u32>,
}

/// Deletes a session that is held under this lease, and its folder. The folder goes first: should the
/// process die in between, the session is still there to be deleted again.
///
/// # Errors
/// Some of the folder could not be removed, or the lease was lost, or the store failed; the session is
/// still there then.
pub async fn erase(store: &dyn Store, folders: &SessionFolders, lease: &Lease) -> anyhow::Result<()> {
    let (folders, key) = (folders.clone(), lease.session.clone());
    tokio::task::spawn_blocking(move || folders.remove(&key)).await??;
    store.delete(lease).await?;
    Ok(())
}

impl Retention {
    /// Sweeps now and then, until `stop` fires.
    pub async fn run(&self, stop: CancellationToken) {
        now_and_then((FIRST, EVERY), &stop, || async {
            match self.sweep().await {
                Ok(swept) if swept == Swept::default() => {}
                Ok(Swept { sessions, failed, records }) => {
                    tracing::info!(sessions, failed, records, "deleted what was kept long enough");
                }
                Err(error) => {
                    tracing::error!(error = format!("{error:#}"), "old sessions were not deleted");
                }
            }
        })
        .await;
    }

    /// Deletes what is due now.
    ///
    /// # Errors
    /// The store failed. One session that cannot be deleted is counted and logged, and holds up none.
    pub async fn sweep(&self) -> anyhow::Result<Swept> {
        let mut swept = Swept::default();
        if let Some(days) = self.days {
            let before = self.ago(Duration::from_secs(u64::from(days) * DAY));
            // Those that stay are skipped, or the next page would be the same one.
            let mut stay = 0;
            loop {
                let page = self.store.idle(before, stay, PAGE).await?;
                if page.is_empty() {
                    break;
                }
                for key in page {
                    match self.delete_if_idle(&key, before).await {
                        Ok(true) => swept.sessions += 1,
                        Ok(false) => stay += 1,
                        Err(error) => {
                            stay += 1;
                            swept.failed += 1;
                            tracing::error!(session = %key, error = format!("{error:#}"), "an old session was not deleted");
                        }
                    }
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
        swept.records = self.store.prune(self.ago(REMEMBERED)).await?;
        Ok(swept)
    }

    fn ago(&self, by: Duration) -> Timestamp {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        Timestamp(self.clock.now().0.saturating_sub(by))
    }

    /// Looks again under the lease: somebody may have come in between.
    async fn delete_if_idle(&self, key: &SessionKey, before: Timestamp) -> anyhow::Result<bool> {
        let Some(lease) = self.store.seize(key, LEASE).await? else { return Ok(false) };
        let unused = self.store.unread(&lease).await?.is_empty()
            && self.store.head(key).await?.is_some_and(|head| {
                let rests = head.turn.as_ref().is_none_or(Turn::is_over);
                rests && !head.wants_work()
            })
            && self.store.written(key).await?.is_some_and(|at| at < before);
        let outcome = if unused { erase(self.store.as_ref(), &self.folders, &lease).await } else { Ok(()) };
        if !unused || outcome.is_err() {
            self.store.release(&lease, None).await?;
        }
        outcome.map(|()| unused)
    }
}
