//! Stopping what runs: noticing that somebody wants it, and letting it end by itself.
//!
//! Never applies anything: what a stop does to a session is in `apply`. Start at [`stop_arrives`].

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::bells::Bell;
use super::worker::Worker;
use crate::protocol::{Operation, OperationKind};
use crate::store::{Lease, StoreError};

/// Runs `work` to its end; when `stopped` resolves first, it is cancelled and ends soon.
pub(super) async fn until_stopped<T>(
    work: impl Future<Output = T>,
    cancel: &CancellationToken,
    stopped: impl Future<Output = ()>,
) -> T {
    tokio::pin!(work);
    tokio::select! {
        biased;
        done = &mut work => done,
        () = stopped => {
            cancel.cancel();
            work.await
        }
    }
}

/// Resolves when somebody wants the session stopped, or the lease is lost.
pub(super) async fn stop_arrives(worker: &Worker, lease: &Lease, bell: &Bell, lost: &CancellationToken) {
    loop {
        tokio::select! {
            () = lost.cancelled() => return,
            () = bell.heard() => {}
        }
        // A store that cannot be read just now is asked again: the wake-up comes only once.
        let unread = loop {
            match worker.0.store.unread(lease).await {
                Ok(unread) => break unread,
                Err(StoreError::Fenced(_)) => return,
                Err(_) => tokio::time::sleep(Duration::from_millis(300)).await,
            }
        };
        if unread.iter().any(stops) {
            return;
        }
    }
}

/// Whether an operation ends the turn in hand.
pub(super) fn stops(operation: &Operation) -> bool {
    matches!(operation.kind, OperationKind::Stop | OperationKind::New)
}
