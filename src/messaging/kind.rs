//! The port that every kind of destination fills.

use std::time::Duration;

use async_trait::async_trait;

use crate::protocol::Notice;

/// Somewhere notices can go.
#[async_trait]
pub trait DestinationKind: Send + Sync {
    /// What this kind is called in the configuration (`slack`).
    fn provider(&self) -> &'static str;

    /// Sends one notice, once. Gives the provider's name for what was sent.
    ///
    /// # Errors
    /// [`SendError`] says whether trying again can help.
    async fn send(&self, notice: &Notice) -> Result<String, SendError>;
}

/// Why a notice did not arrive.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Trying again may help.
    #[error("{reason}")]
    Again {
        /// How long the other side wants us to wait, if it said so.
        after: Option<Duration>,
        /// What happened.
        reason: String,
    },
    /// It will never arrive as things are.
    #[error("{0}")]
    Final(String),
}
