//! What a sandbox can answer with instead of what was asked for.

/// Why the sandbox did not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SandboxError {
    /// There is no such Space, or this account does not see it.
    #[error("there is no such sandbox (any more)")]
    Missing,
    /// Its server does not take our key: it is not the server that was put there.
    #[error("the sandbox does not take our key")]
    WrongKey,
    /// Its server has no key yet and answers nobody.
    #[error("the sandbox has no key of its own yet")]
    NoKey,
    /// The Space does not pass requests on: it is being built, starts, sleeps, or is out of order.
    #[error("the sandbox is not ready (status {status})")]
    NotReady {
        /// What came.
        status: u16,
    },
    /// Its server says no.
    #[error("the sandbox refused ({status}): {message}")]
    Refused {
        /// The status.
        status: u16,
        /// Its words, short.
        message: String,
    },
    /// No connection came about: nothing was sent.
    #[error("the sandbox could not be reached: no connection")]
    NoConnection,
    /// The connection broke, or no answer came in time: the request may have arrived.
    #[error("the connection to the sandbox was lost: {0}")]
    Lost(&'static str),
    /// Something answered that is not a sandbox.
    #[error("what answered is no sandbox")]
    Strange,
    /// Its answer is larger than what is taken.
    #[error("the sandbox's answer is larger than {0} bytes")]
    TooLarge(usize),
}

impl SandboxError {
    pub(super) fn unreachable(error: &reqwest::Error) -> Self {
        // Never the address: it names the account.
        match error {
            _ if error.is_connect() => Self::NoConnection,
            _ if error.is_timeout() => Self::Lost("no answer in time"),
            _ => Self::Lost("the connection broke"),
        }
    }

    /// Whether asking again may help without anybody doing something about it.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::NotReady { .. } | Self::NoConnection | Self::Lost(_) | Self::Strange => true,
            Self::Refused { status, .. } => *status >= 500,
            Self::Missing | Self::WrongKey | Self::NoKey | Self::TooLarge(_) => false,
        }
    }

    /// Whether the request may have reached the sandbox and been done.
    #[must_use]
    pub fn may_have_arrived(&self) -> bool {
        match self {
            Self::Lost(_) | Self::Strange | Self::TooLarge(_) => true,
            // A gateway that gave up waiting had passed it on.
            Self::NotReady { status } => matches!(*status, 500 | 502 | 504),
            Self::Refused { status, .. } => *status >= 500,
            Self::Missing | Self::WrongKey | Self::NoKey | Self::NoConnection => false,
        }
    }
}
