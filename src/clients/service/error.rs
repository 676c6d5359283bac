//! What a service can answer with instead of what was asked for.

use std::time::Duration;

use jiff::fmt::rfc2822;
use reqwest::Response;
use reqwest::header::{HeaderMap, RETRY_AFTER};

use crate::clock::Timestamp;
use crate::text::{cut, first_line};

/// Characters of a service's own words that are kept.
const WORDS: usize = 200;
/// Bytes of a refusal that are read.
const REFUSAL: usize = 64 * 1024;

/// Why a service did not give what was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServiceError {
    /// It says no.
    #[error("{}", refusal(*.status, message))]
    Refused {
        /// The status.
        status: u16,
        /// Its name for the reason, if it gives one.
        code: Option<String>,
        /// Its words, short; perhaps none.
        message: String,
    },
    /// It asks to wait.
    #[error("{}", wait(*.after))]
    Limited {
        /// How long, if it says.
        after: Option<Duration>,
    },
    /// It could not be reached, or did not answer in time.
    #[error("it could not be reached: {0}")]
    Unreachable(&'static str),
    /// Its answer is larger than we take.
    #[error("its answer is larger than {} MB", *.most / (1024 * 1024))]
    TooLarge {
        /// Bytes that we take.
        most: usize,
    },
    /// Its answer makes no sense to us.
    #[error("its answer makes no sense: {0}")]
    Strange(&'static str),
    /// The call was stopped.
    #[error("stopped")]
    Stopped,
}

fn refusal(status: u16, message: &str) -> String {
    let what = match status {
        404 | 410 => "it has no such thing",
        401 => "it wants to know who asks",
        403 => "it does not allow this",
        402 => "it wants payment",
        300..=399 => "it points elsewhere",
        400..=499 => "it refuses the request",
        _ => "it failed",
    };
    let words = if message.is_empty() { String::new() } else { format!(": {message}") };
    format!("{what} (HTTP {status}){words}")
}

fn wait(after: Option<Duration>) -> String {
    match after {
        Some(after) => format!("it takes no more requests for {} s", after.as_secs().max(1)),
        None => "it takes no more requests for now".to_owned(),
    }
}

impl ServiceError {
    /// Whether there is no such thing there.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Refused { status: 404 | 410, .. })
    }

    /// Whether the same may work later without anybody doing something about it.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Refused { status, .. } => *status >= 500 && *status != 501,
            Self::Limited { .. } | Self::Unreachable(_) => true,
            Self::TooLarge { .. } | Self::Strange(_) | Self::Stopped => false,
        }
    }

    pub(super) fn unreachable(error: &reqwest::Error) -> Self {
        // Never the address: it may hold what was asked for.
        Self::Unreachable(match error {
            _ if error.is_timeout() => "no answer in time",
            _ if error.is_connect() => "no connection",
            _ if error.is_builder() => "its address is none",
            _ => "the connection broke",
        })
    }

    pub(super) fn limited(headers: &HeaderMap, now: Timestamp) -> Self {
        let said = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        Self::Limited { after: said.and_then(|said| pause(said.trim(), now)) }
    }

    pub(super) async fn refused(mut response: Response) -> Self {
        let status = response.status().as_u16();
        let header = |name: &str| {
            let value = response.headers().get(name)?.to_str().ok()?;
            Some(cut(value, WORDS).into_owned())
        };
        let (code, told) = (header("x-error-code"), header("x-error-message"));
        let mut bytes = Vec::new();
        while let Ok(Some(piece)) = response.chunk().await {
            bytes.extend_from_slice(&piece[..piece.len().min(REFUSAL - bytes.len())]);
            if bytes.len() == REFUSAL {
                break;
            }
        }
        // A page for browsers tells nobody anything.
        let body: Option<serde_json::Value> = serde_json::from_slice(&bytes).ok();
        let body = body.and_then(|body| {
            let said = [&body["error"], &body["message"]].into_iter().find_map(|it| it.as_str())?;
            Some(first_line(said, WORDS).into_owned())
        });
        Self::Refused { status, code, message: told.or(body).unwrap_or_default() }
    }
}

/// How long a `Retry-After` says to wait: seconds, or a date.
fn pause(said: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = said.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = rfc2822::parse(said).ok()?.timestamp().as_millisecond();
    Some(Timestamp(date).since(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_read_as_seconds_or_as_a_date() {
        let now = Timestamp(784_111_777_000);
        for (said, wanted) in [
            ("7", Some(7)),
            ("0", Some(0)),
            ("Sun, 06 Nov 1994 08:49:47 GMT", Some(10)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
        ] {
            assert_eq!(pause(said, now), wanted.map(Duration::from_secs), "{said}");
        }
    }

    #[test]
    fn refusals_read_as_sentences() {
        let refused =
            |status, message: &str| ServiceError::Refused { status, code: None, message: message.to_owned() };
        assert_eq!(refused(404, "").to_string(), "it has no such thing (HTTP 404)");
        assert_eq!(refused(500, "boom").to_string(), "it failed (HTTP 500): boom");
        assert!(refused(500, "").may_pass() && !refused(403, "").may_pass() && refused(404, "").is_missing());
    }
}
