//! What can be answered with instead of documentation.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};

/// Characters of the other side's own words that are kept.
const WORDS: usize = 200;

/// Why there is no documentation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocsError {
    /// There is no such page.
    #[error("there is no such page (404)")]
    NotFound,
    /// Not for this account.
    #[error("this account may not read it ({status}){}", said(.message))]
    Denied {
        /// 401 or 403.
        status: u16,
        /// Its words, short.
        message: String,
    },
    /// Too many requests.
    #[error("too many requests (429){}", wait(*.after))]
    Limited {
        /// How long to wait, if it says.
        after: Option<Duration>,
    },
    /// Another status.
    #[error("it answered {status}{}", said(.message))]
    Refused {
        /// The status.
        status: u16,
        /// Its words, short.
        message: String,
    },
    /// It redirects to a host that we do not ask.
    #[error("it redirects to {host}, which is no host of documentation")]
    Elsewhere {
        /// Which.
        host: String,
    },
    /// It is larger than we take.
    #[error("it is larger than {} MB", .most / (1024 * 1024))]
    TooLarge {
        /// Bytes that we take.
        most: usize,
    },
    /// It is a page for browsers and not text.
    #[error("it is a web page, not documentation as text")]
    Web,
    /// No answer.
    #[error("it could not be reached: {0}")]
    Unreachable(&'static str),
    /// An answer that makes no sense to us.
    #[error("its answer makes no sense: {0}")]
    Strange(&'static str),
}

fn said(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(": {message}") }
}

fn wait(after: Option<Duration>) -> String {
    after.map_or_else(String::new, |after| format!("; it asks to wait {} s", after.as_secs()))
}

impl DocsError {
    pub(super) fn unreachable(error: &reqwest::Error) -> Self {
        Self::Unreachable(match error {
            _ if error.is_timeout() => "no answer in time",
            _ if error.is_connect() => "no connection",
            _ => "the connection broke",
        })
    }

    pub(super) fn refused(status: StatusCode, headers: &HeaderMap, body: &str) -> Self {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let said = serde_json::from_str::<serde_json::Value>(body).ok();
        let said = said.as_ref().and_then(|said| said["error"].as_str());
        // A web page as an answer says nothing in its first line.
        let said = said.or(header("x-error-message")).or(Some(body).filter(|body| !body.contains('<')));
        let message = crate::text::first_line(said.unwrap_or_default(), WORDS).into_owned();
        match status.as_u16() {
            404 => Self::NotFound,
            status @ (401 | 403) => Self::Denied { status, message },
            429 => {
                let after = header(RETRY_AFTER.as_str()).and_then(|value| value.trim().parse().ok());
                Self::Limited { after: after.map(Duration::from_secs) }
            }
            status => Self::Refused { status, message },
        }
    }
}
