//! What the Hub can answer with instead of what was asked for.

use std::time::Duration;

use reqwest::Response;
use reqwest::header::{HeaderMap, RETRY_AFTER};

/// Characters of the Hub's own words that are kept.
const WORDS: usize = 200;

/// Why the Hub did not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HubError {
    /// It says no.
    #[error("the Hub refused ({status}): {message}")]
    Refused {
        /// The status.
        status: u16,
        /// Its words, short.
        message: String,
    },
    /// It asks to wait.
    #[error("the Hub asks to wait")]
    Limited {
        /// How long, if it says.
        after: Option<Duration>,
    },
    /// It could not be reached, or did not answer in time.
    #[error("the Hub could not be reached: {0}")]
    Unreachable(String),
    /// A file is too large to be committed in one piece.
    #[error("the Hub takes {path} only by LFS, for it is too large")]
    TooLarge {
        /// Which.
        path: String,
    },
    /// Its answer makes no sense to us.
    #[error("the Hub's answer makes no sense: {0}")]
    Strange(&'static str),
}

impl HubError {
    pub(super) fn unreachable(error: &reqwest::Error) -> Self {
        // Never the address: it may hold what was asked for.
        let why = match error {
            _ if error.is_timeout() => "no answer in time",
            _ if error.is_connect() => "no connection",
            _ if error.is_decode() => "the answer was cut off or is no JSON",
            _ => "the connection broke",
        };
        Self::Unreachable(why.to_owned())
    }

    pub(super) fn limited(headers: &HeaderMap) -> Self {
        let seconds = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
        Self::Limited { after: seconds.map(Duration::from_secs) }
    }

    pub(super) async fn refused(response: Response) -> Self {
        let status = response.status().as_u16();
        let header = response.headers().get("x-error-message").and_then(|value| value.to_str().ok());
        let header = header.map(str::to_owned);
        let body: Option<serde_json::Value> = response.json().await.ok();
        let said = header.or_else(|| Some(body?["error"].as_str()?.to_owned())).unwrap_or_default();
        Self::Refused { status, message: crate::text::first_line(&said, WORDS).into_owned() }
    }

    /// Whether the same may work later without anybody doing something about it.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Refused { status, .. } => *status >= 500,
            Self::Limited { .. } | Self::Unreachable(_) => true,
            Self::TooLarge { .. } | Self::Strange(_) => false,
        }
    }
}
