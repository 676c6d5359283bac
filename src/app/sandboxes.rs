//! Sandboxes that nobody uses, and what is left of those that were never finished, are deleted.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::App;
use crate::runtime::now_and_then;
use crate::tools::hub::sandbox::Sandboxes;

/// Between two sweeps.
const EVERY: Duration = Duration::from_secs(60);

impl App {
    /// Sweeps now and every minute, until `stop` fires.
    pub(super) async fn sweep_sandboxes(&self, stop: &CancellationToken) {
        let Some(sandboxes) = &self.sandboxes else { return };
        now_and_then((Duration::ZERO, EVERY), stop, || async {
            for gone in sandboxes.sweep().await {
                let (space, session) = (&gone.space, &gone.session);
                tracing::info!(space, %session, why = ?gone.why, "deleted a sandbox");
            }
        })
        .await;
    }

    /// The sandboxes of all sessions, where tools act in them: for those who watch over external work.
    #[must_use]
    pub fn sandboxes(&self) -> Option<&Arc<Sandboxes>> {
        self.sandboxes.as_ref()
    }
}
