//! Reads what went wrong out of genai's errors, wherever it hid it.
//!
//! Owns [`Fault`]: status, the provider's wish to wait, its body, or how the connection failed. Never
//! decides what to do about it; that is `classify`. Start at [`Fault::read`].

use std::error::Error as _;
use std::time::Duration;

use genai::webc::StreamTimeout;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::header::HeaderMap;
use serde_json::Value;

use crate::clock::Timestamp;

/// What went wrong with one call.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Fault {
    /// The provider answered, but with an error.
    Refused {
        /// HTTP status; `None` for an error inside a stream that began well.
        status: Option<u16>,
        /// How long it wishes us to wait.
        after: Option<Duration>,
        /// What it wrote: JSON where it was JSON, else a string.
        body: Value,
    },
    /// No connection could be made.
    Unreachable,
    /// Nothing came in time.
    Slow(Phase),
    /// The connection broke, or the answer ended before its end.
    Broken,
    /// It answered something that is no answer.
    Garbled,
    /// The request could not even be sent.
    Unsendable,
}

/// Which time-out struck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Until the first byte.
    FirstByte,
    /// Between two pieces.
    Idle,
    /// For the whole answer.
    Total,
}

impl Fault {
    /// Reads one of genai's errors. `now` turns dates in `Retry-After` into waits.
    pub(super) fn read(error: &genai::Error, now: Timestamp) -> Self {
        use genai::Error as E;
        match error {
            E::HttpError { status, body, headers, .. } => Self::refused(status.as_u16(), body, headers, now),
            E::WebModelCall { webc_error, .. } | E::WebAdapterCall { webc_error, .. } => {
                Self::read_web(webc_error, now)
            }
            E::WebStream { error, .. } => {
                // Statuses of streamed calls are only in here.
                if let Some(inner) = error.downcast_ref::<genai::Error>() {
                    Self::read(inner, now)
                } else if let Some(inner) = error.downcast_ref::<reqwest::Error>() {
                    Self::read_connection(inner)
                } else if let Some(timeout) = error.downcast_ref::<StreamTimeout>() {
                    Self::Slow(match timeout {
                        StreamTimeout::Headers => Phase::FirstByte,
                        StreamTimeout::Read => Phase::Idle,
                    })
                } else {
                    Self::Broken
                }
            }
            E::ChatResponse { body, .. } => Self::in_stream(body.clone()),
            E::ChatResponseGeneration { .. }
            | E::StreamParse { .. }
            | E::NoChatResponse { .. }
            | E::InvalidJsonResponseElement { .. }
            | E::JsonValueExt(_)
            | E::SerdeJson(_) => Self::Garbled,
            _ => Self::Unsendable,
        }
    }

    /// An error event inside a stream, or inside an answer whose status said that all was well.
    pub(super) fn in_stream(body: Value) -> Self {
        Self::Refused { status: None, after: retry_info(&body), body }
    }

    fn refused(status: u16, body: &str, headers: &HeaderMap, now: Timestamp) -> Self {
        let body = serde_json::from_str(body).unwrap_or_else(|_| Value::String(body.to_owned()));
        let after = retry_after(headers, now).or_else(|| retry_info(&body));
        Self::Refused { status: Some(status), after, body }
    }

    fn read_web(error: &genai::webc::Error, now: Timestamp) -> Self {
        use genai::webc::Error as E;
        match error {
            E::ResponseFailedStatus { status, body, headers } => {
                Self::refused(status.as_u16(), body, headers, now)
            }
            E::Reqwest(error) => Self::read_connection(error),
            E::ResponseFailedNotJson { .. } | E::ResponseFailedInvalidJson { .. } | E::JsonValueExt(_) => {
                Self::Garbled
            }
        }
    }

    fn read_connection(error: &reqwest::Error) -> Self {
        if error.is_builder() {
            Self::Unsendable
        } else if error.is_connect() {
            Self::Unreachable
        } else if error.is_timeout() {
            Self::Slow(Phase::Total)
        } else if error.is_decode() && error.source().is_none() {
            Self::Garbled
        } else {
            Self::Broken
        }
    }
}

/// `retry-after-ms`, else `retry-after` in seconds or as a date.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    if let Some(millis) = text("retry-after-ms").and_then(|text| text.parse::<f64>().ok()) {
        return duration(millis / 1000.0);
    }
    let wish = text("retry-after")?;
    if let Ok(seconds) = wish.parse::<f64>() {
        return duration(seconds);
    }
    let date = DateTimeParser::new().parse_timestamp(wish).ok()?;
    Some(Timestamp(date.as_millisecond()).since(now))
}

/// Google writes the wish into the body: `error.details[].retryDelay`, such as `"34s"`.
fn retry_info(body: &Value) -> Option<Duration> {
    let body = body.get(0).unwrap_or(body);
    let details = body.get("error").unwrap_or(body).get("details")?.as_array()?;
    let delay = details.iter().find_map(|detail| detail.get("retryDelay")?.as_str())?;
    duration(delay.strip_suffix('s')?.parse().ok()?)
}

fn duration(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn wish(name: &'static str, value: &str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        // 2015-10-21T07:28:00Z
        retry_after(&headers, Timestamp(1_445_412_480_000))
    }

    #[test]
    fn every_spelling_of_a_wish_to_wait_is_read() {
        assert_eq!(wish("retry-after", "7"), Some(Duration::from_secs(7)));
        assert_eq!(wish("retry-after", "0.5"), Some(Duration::from_millis(500)));
        assert_eq!(wish("retry-after-ms", "250"), Some(Duration::from_millis(250)));
        assert_eq!(wish("retry-after", "Wed, 21 Oct 2015 07:28:30 GMT"), Some(Duration::from_secs(30)));
        assert_eq!(wish("retry-after", "Wed, 21 Oct 2015 07:00:00 GMT"), Some(Duration::ZERO));
        for nonsense in ["soon", "-3", "NaN", "inf"] {
            assert_eq!(wish("retry-after", nonsense), None, "{nonsense}");
        }
        let body = json!([{"error": {"details": [{"@type": "x"}, {"retryDelay": "34.5s"}]}}]);
        assert_eq!(retry_info(&body), Some(Duration::from_millis(34_500)));
    }
}
