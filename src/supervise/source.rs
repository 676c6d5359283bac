//! The ports to what is followed: a job at its provider, as one account sees it.
//!
//! [`hub`](super::hub) fills them for Hugging Face; tests and the bench fill them with scripts. Never says what is
//! done with an answer.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::BoxStream;

pub use crate::clients::hub::jobs::{LogLine, LogPoint};
use crate::clock::Timestamp;
use crate::protocol::{Actor, Stage};

/// Which job.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobName {
    /// The account or organisation that pays.
    pub namespace: String,
    /// Its id there.
    pub id: String,
}

/// How a job stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobFacts {
    /// Where it stands.
    pub stage: Stage,
    /// The provider's remark.
    pub message: Option<String>,
    /// When it began to run, if the provider says.
    pub started: Option<Timestamp>,
    /// When it ended, if the provider says.
    pub finished: Option<Timestamp>,
}

/// A job of ours that a sweep found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Which.
    pub name: JobName,
    /// Where people see it.
    pub url: String,
    /// What it is called.
    pub title: String,
    /// The session that began it, as its label names it.
    pub session: Option<String>,
    /// The hardware.
    pub flavour: String,
    /// Seconds that it may run, if the provider says.
    pub timeout_s: Option<u64>,
    /// All its labels.
    pub labels: std::collections::BTreeMap<String, String>,
    /// When it was asked for.
    pub created: Option<Timestamp>,
}

/// Why a source did not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// There is no such job (any more).
    #[error("there is no such job any more")]
    Gone,
    /// It may work later.
    #[error("{why}")]
    Later {
        /// Why not now.
        why: String,
        /// How long the provider asks to wait.
        after: Option<Duration>,
    },
    /// It will not work by itself.
    #[error("{0}")]
    Refused(String),
}

/// New lines of a log, as they come.
pub type LogLines = BoxStream<'static, Result<LogLine, SourceError>>;

/// A job's provider.
#[async_trait]
pub trait JobSource: Send + Sync {
    /// How the job stands.
    async fn look(&self, job: &JobName) -> Result<JobFacts, SourceError>;
    /// The lines of its log behind this point. Ends when the provider closes it.
    async fn log(&self, job: &JobName, from: LogPoint) -> Result<LogLines, SourceError>;
    /// Ends it. Ending one that has ended is no error.
    async fn cancel(&self, job: &JobName) -> Result<(), SourceError>;
    /// Begins the same work anew, for so many seconds, under this label; finds what was begun under the label
    /// before instead of beginning it twice.
    async fn again(&self, job: &JobName, seconds: u64, label: &str) -> Result<JobName, SourceError>;
    /// The newest commit of a model's repository, if it can be looked up.
    async fn commit(&self, repo: &str) -> Option<String>;
    /// Jobs of ours in this namespace that have not ended.
    async fn ours(&self, namespace: &str) -> Result<Vec<Found>, SourceError>;
    /// What this hardware costs in micro-dollars an hour; `None` if nobody knows.
    async fn price(&self, _flavour: &str) -> Option<u64> {
        None
    }
}

/// Providers, as whoever asked for a job sees them.
#[async_trait]
pub trait Sources: Send + Sync {
    /// The provider by this person's account.
    async fn of(&self, person: &Actor) -> Arc<dyn JobSource>;
    /// The provider by the bot's own account, with the namespaces that it pays for; `None` without one.
    async fn own(&self) -> Option<(Arc<dyn JobSource>, Vec<String>)>;
    /// Whether the sandbox in this Space is there no more.
    async fn sandbox_is_gone(&self, _space: &str) -> bool {
        false
    }
    /// Deletes the sandbox in this Space; whether it is gone now.
    async fn end_sandbox(&self, space: &str) -> bool {
        self.sandbox_is_gone(space).await
    }
}
