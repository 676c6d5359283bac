//! The following of jobs, put together: whose account a job is looked at with, who is told, where logs lie.
//!
//! Never follows one itself: that is the room `supervise`.

use std::sync::Arc;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::App;
use crate::messaging::Gateway;
use crate::protocol::{Actor, Door, Notice, Severity};
use crate::runtime::Board;
use crate::supervise::source::{JobSource, Sources};
use crate::supervise::sweep::Tell;
use crate::supervise::{HubJobs, Pace, Shared, Supervisor, Sweep};
use crate::tools::hub::HubAccess;
use crate::tools::hub::sandbox::Sandboxes;

/// Bytes of a megabyte of a kept log.
const MEGABYTE: u64 = 1024 * 1024;

/// Jobs as the people who asked for them see them.
struct Accounts {
    access: HubAccess,
    /// The namespace that pays when nobody names one.
    namespace: Option<String>,
    /// Where tools act in sandboxes.
    sandboxes: Option<Arc<Sandboxes>>,
}

#[async_trait]
impl Sources for Accounts {
    async fn of(&self, person: &Actor) -> Arc<dyn JobSource> {
        Arc::new(HubJobs::new(self.access.of(person).await, self.access.token(person).await))
    }

    async fn own(&self) -> Option<(Arc<dyn JobSource>, Vec<String>)> {
        let (hub, token) = self.access.bot()?;
        let account = match hub.account().await {
            Ok(account) => account,
            Err(error) => {
                tracing::debug!(%error, "the bot's account cannot be asked for its namespaces");
                return None;
            }
        };
        let mut namespaces = vec![account.name.clone()];
        namespaces.extend(self.namespace.clone().filter(|name| *name != account.name));
        Some((Arc::new(HubJobs::new(hub, Some(token))), namespaces))
    }

    async fn sandbox_is_gone(&self, space: &str) -> bool {
        match &self.sandboxes {
            Some(sandboxes) => matches!(sandboxes.in_space(space).await, Ok(None)),
            // Nobody here knows; whoever does will say.
            None => false,
        }
    }

    async fn end_sandbox(&self, space: &str) -> bool {
        let Some(sandboxes) = &self.sandboxes else { return false };
        let ended = match sandboxes.in_space(space).await {
            Ok(Some(record)) => sandboxes.end(&record).await,
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        match ended {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(space, error = format!("{error:#}"), "a sandbox could not be deleted");
                false
            }
        }
    }
}

/// Tells the destinations that hear of what happens by itself.
struct Owners {
    gateway: Arc<Gateway>,
}

#[async_trait]
impl Tell for Owners {
    async fn tell(&self, key: &str, text: &str) {
        tracing::warn!(text, "a job that nobody follows");
        for destination in self.gateway.for_events() {
            let notice = Notice {
                title: Some("A job that nobody follows".to_owned()),
                severity: Severity::Warning,
                message: text.to_owned(),
                metadata: Vec::new(),
                link: None,
            };
            if let Err(error) =
                self.gateway.notify(destination, notice, &format!("{key}:{destination}")).await
            {
                tracing::warn!(%error, destination, "nobody could be told of a job that nobody follows");
            }
        }
    }
}

impl App {
    /// From now on jobs of this door's sessions are followed by this process, and shown there.
    pub fn show_jobs(&self, door: Door, board: Arc<dyn Board>) {
        self.boards.put(door, board);
    }

    /// Follows jobs and looks for those that nobody follows, until `stop` fires.
    pub async fn watch_jobs(&self, stop: CancellationToken, pace: Pace) {
        let shared = Arc::new(Shared {
            store: self.store(),
            intake: self.intake(),
            clock: self.clock.clone(),
            folder: self.data_dir.join("jobs"),
            secrets: self.secrets.clone(),
            stall_s: self.config.hub.job_stall_s,
            log_bytes: self.config.hub.job_log_mb.saturating_mul(MEGABYTE),
            pace,
        });
        let sources: Arc<dyn Sources> = Arc::new(Accounts {
            access: self.hub.clone(),
            namespace: self.config.hub.namespace.clone(),
            sandboxes: self.sandboxes.clone(),
        });
        let sweep = Sweep {
            shared: shared.clone(),
            sources: sources.clone(),
            boards: self.boards.clone(),
            owner: Arc::new(Owners { gateway: self.gateway.clone() }),
        };
        let supervisor = Supervisor::new(shared, sources, self.boards.clone());
        tokio::join!(supervisor.run(stop.clone()), sweep.run(stop));
    }
}
