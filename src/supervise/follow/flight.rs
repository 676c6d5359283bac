//! What is under way beside a follower's loop, and waiting for it. Every wait can be dropped without losing
//! anything.

use std::future::pending;

use futures::StreamExt;
use futures::future::BoxFuture;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::{ask, show};
use crate::protocol::SessionKey;
use crate::supervise::source::{JobFacts, LogLine, LogLines, SourceError};

/// What is under way beside the loop: at most one of each.
#[derive(Default)]
pub(super) struct Flight {
    pub(super) look: Option<BoxFuture<'static, std::result::Result<JobFacts, SourceError>>>,
    pub(super) log: Log,
    pub(super) shown: Option<BoxFuture<'static, show::Shown>>,
    pub(super) act: Option<BoxFuture<'static, ask::Acted>>,
}

/// The connection to a log.
#[derive(Default)]
pub(super) enum Log {
    #[default]
    Closed,
    Opening(BoxFuture<'static, std::result::Result<LogLines, SourceError>>),
    Open(LogLines),
}

/// What happened to a log.
pub(super) enum Heard {
    Line(LogLine),
    /// It was opened.
    Opened,
    /// The provider closed it.
    Closed,
    Failed(SourceError),
}

impl Log {
    /// The next thing that happens to it; never, while it is closed. Dropping the wait loses nothing.
    pub(super) async fn next(&mut self) -> Heard {
        match self {
            Self::Closed => pending().await,
            Self::Opening(opening) => match opening.await {
                Ok(lines) => {
                    *self = Self::Open(lines);
                    Heard::Opened
                }
                Err(error) => {
                    *self = Self::Closed;
                    Heard::Failed(error)
                }
            },
            Self::Open(lines) => match lines.next().await {
                Some(Ok(line)) => Heard::Line(line),
                Some(Err(error)) => {
                    *self = Self::Closed;
                    Heard::Failed(error)
                }
                None => {
                    *self = Self::Closed;
                    Heard::Closed
                }
            },
        }
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self, Self::Open(_))
    }

    pub(super) fn is_closed(&self) -> bool {
        matches!(self, Self::Closed)
    }
}

/// Waits for what is under way, and takes it away when it is done.
pub(super) async fn done<T>(under_way: &mut Option<BoxFuture<'static, T>>) -> T {
    let Some(future) = under_way else { return pending().await };
    let value = future.await;
    *under_way = None;
    value
}

/// Waits until something may be new about this session. A wake-up that was missed counts as one.
pub(super) async fn woken(wakes: &mut Receiver<SessionKey>, session: &SessionKey) {
    loop {
        match wakes.recv().await {
            Ok(key) if key == *session => return,
            Ok(_) => {}
            Err(RecvError::Lagged(_)) => return,
            Err(RecvError::Closed) => pending().await,
        }
    }
}
