//! What the Hub can answer with instead of what was asked for.
//!
//! Owns [`HubError`] and how an answer becomes one. Never holds an address with what was asked for, and
//! never a token. Start at [`HubError`].

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};

/// Characters of the Hub's own words that are kept.
const WORDS: usize = 300;
/// Seconds that the Hub can ask to wait; more counts as this much.
const LONGEST_WAIT: u64 = 24 * 60 * 60;

/// Why the Hub did not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HubError {
    /// There is none, or none that this account may see: the Hub does not tell the two apart.
    #[error("{what}: {message}")]
    NotFound {
        /// Of what.
        what: Missing,
        /// Its words, short.
        message: String,
    },
    /// Its owner gives access one by one, and has not given it to this account.
    #[error("{repo} is gated, and this account has no access yet: ask for it at {link}")]
    Gated {
        /// Which.
        repo: String,
        /// Where access is asked for.
        link: String,
    },
    /// There is no token, or the Hub does not take it.
    #[error("the Hub does not take this account's token (none, wrong or expired): {message}")]
    Unauthorized {
        /// Its words, short.
        message: String,
    },
    /// This account may not do it.
    #[error("this account may not do that on the Hub: {message}")]
    Forbidden {
        /// Its words, short.
        message: String,
    },
    /// It costs, and there is no money left.
    #[error("the Hub wants to be paid first: {message}. Credits are bought at {link}")]
    Payment {
        /// Its words, short.
        message: String,
        /// Where credits are bought.
        link: String,
    },
    /// It is there already, or has changed meanwhile.
    #[error("the Hub says that this conflicts with what is there: {message}")]
    Conflict {
        /// Its words, short.
        message: String,
    },
    /// It says no.
    #[error("the Hub refused ({status}): {message}")]
    Refused {
        /// The status.
        status: u16,
        /// Its words, short.
        message: String,
    },
    /// It asks to wait.
    #[error("the Hub asks to wait{}", after.map_or_else(String::new, |after| format!(" {} s", after.as_secs())))]
    Limited {
        /// How long, if it says.
        after: Option<Duration>,
    },
    /// It could not be reached, or did not answer in time.
    #[error("the Hub could not be reached: {0}")]
    Unreachable(String),
    /// Larger than what is taken.
    #[error("{what} is larger than {limit} bytes")]
    TooLarge {
        /// What.
        what: String,
        /// Bytes that are taken.
        limit: u64,
    },
    /// A name that cannot be part of an address.
    #[error("{0}")]
    BadName(String),
    /// A file of ours could not be read or written.
    #[error("{0}")]
    Local(String),
    /// Its answer makes no sense to us.
    #[error("the Hub's answer makes no sense: {0}")]
    Strange(&'static str),
}

/// Of what there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// A repository.
    Repo,
    /// A branch, tag or commit of a repository.
    Revision,
    /// A file or folder of a repository.
    Entry,
    /// Something else (a job, a discussion, a paper).
    Other,
}

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Repo => "no such repository, or none that this account may see",
            Self::Revision => "no such branch, tag or commit in the repository",
            Self::Entry => "no such file or folder at this revision",
            Self::Other => "the Hub has no such thing",
        })
    }
}

/// What an error needs to know of the request.
pub(super) struct Asked<'a> {
    /// The Hub's address.
    pub(super) endpoint: &'a str,
    /// Name and page of the repository that was asked about.
    pub(super) repo: Option<(&'a str, String)>,
}

impl HubError {
    pub(super) fn unreachable(error: &reqwest::Error) -> Self {
        // Never the address: it may hold what was asked for.
        let why = match error {
            _ if error.is_timeout() => "no answer in time",
            _ if error.is_connect() => "no connection",
            _ if error.is_decode() => "the answer was cut off",
            _ => "the connection broke",
        };
        Self::Unreachable(why.to_owned())
    }

    /// What an answer that is no success means.
    pub(super) fn of(status: StatusCode, headers: &HeaderMap, body: &[u8], asked: &Asked<'_>) -> Self {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let message = words(header("x-error-message"), body, status);
        match (header("x-error-code"), status.as_u16()) {
            (Some("RepoNotFound"), _) => Self::NotFound { what: Missing::Repo, message },
            (Some("RevisionNotFound"), _) => Self::NotFound { what: Missing::Revision, message },
            (Some("EntryNotFound"), _) => Self::NotFound { what: Missing::Entry, message },
            (Some("GatedRepo"), _) => {
                let (repo, link) = asked
                    .repo
                    .as_ref()
                    .map_or(("it", asked.endpoint.to_owned()), |(repo, page)| (repo, page.clone()));
                Self::Gated { repo: repo.to_owned(), link }
            }
            (_, 401) => Self::Unauthorized { message },
            (_, 402) => Self::Payment { message, link: format!("{}/settings/billing", asked.endpoint) },
            (_, 403) => Self::Forbidden { message },
            (_, 404) => Self::NotFound { what: Missing::Other, message },
            (_, 409 | 412) => Self::Conflict { message },
            (_, 429) => Self::Limited { after: wait(headers) },
            (_, status) => Self::Refused { status, message },
        }
    }

    /// Whether the same may work later without anybody doing something about it.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Refused { status, .. } => *status >= 500,
            Self::Limited { .. } | Self::Unreachable(_) => true,
            _ => false,
        }
    }
}

fn words(header: Option<&str>, body: &[u8], status: StatusCode) -> String {
    let parsed: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let said = header.map(str::to_owned).or_else(|| {
        let parsed = parsed?;
        let error = parsed.get("error").or_else(|| parsed.get("message"))?;
        Some(error.as_str().map_or_else(|| error.to_string(), str::to_owned))
    });
    let said = said.or_else(|| {
        // A short plain text is an answer; a page of HTML is none.
        let text = std::str::from_utf8(body).ok()?.trim();
        (!text.is_empty() && !text.starts_with(['<', '{', '['])).then(|| text.to_owned())
    });
    let said = said.unwrap_or_else(|| status.canonical_reason().unwrap_or("no reason given").to_owned());
    crate::text::first_line(&said, WORDS).into_owned()
}

/// How long the Hub asks to wait: `Retry-After`, or the `t` of `RateLimit: "api";r=0;t=55`.
fn wait(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let retry = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let seconds: Option<u64> = retry.or_else(|| {
        text("ratelimit")?.split(';').find_map(|part| part.trim().strip_prefix("t=")?.parse().ok())
    });
    seconds.map(|seconds| Duration::from_secs(seconds.min(LONGEST_WAIT)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn each_refusal_has_its_own_name() {
        let asked =
            Asked { endpoint: "https://hub", repo: Some(("alice/m", "https://hub/alice/m".to_owned())) };
        let of = |status: u16, pairs: &[(&'static str, &str)], body: &str| {
            HubError::of(StatusCode::from_u16(status).unwrap(), &headers(pairs), body.as_bytes(), &asked)
        };
        let json = r#"{"error":"said"}"#;
        let code = |code: &'static str| [("x-error-code", code)];
        let missing = |what| HubError::NotFound { what, message: "said".to_owned() };
        assert_eq!(of(404, &code("RepoNotFound"), json), missing(Missing::Repo));
        assert_eq!(of(401, &code("RepoNotFound"), json), missing(Missing::Repo));
        assert_eq!(of(404, &code("RevisionNotFound"), json), missing(Missing::Revision));
        assert_eq!(of(404, &code("EntryNotFound"), json), missing(Missing::Entry));
        assert_eq!(of(404, &[], json), missing(Missing::Other));
        assert_eq!(
            of(403, &code("GatedRepo"), json),
            HubError::Gated { repo: "alice/m".to_owned(), link: "https://hub/alice/m".to_owned() }
        );
        assert_eq!(of(401, &[], json), HubError::Unauthorized { message: "said".to_owned() });
        assert_eq!(of(403, &[], json), HubError::Forbidden { message: "said".to_owned() });
        assert_eq!(of(409, &[], json), HubError::Conflict { message: "said".to_owned() });
        let link = "https://hub/settings/billing".to_owned();
        assert_eq!(of(402, &[], json), HubError::Payment { message: "said".to_owned(), link });
        assert_eq!(of(503, &[], "busy"), HubError::Refused { status: 503, message: "busy".to_owned() });
        assert_eq!(
            of(502, &[], "<html>oops"),
            HubError::Refused { status: 502, message: "Bad Gateway".to_owned() }
        );
    }

    #[test]
    fn the_wait_is_read_from_either_header() {
        for (pairs, seconds) in [
            (&[("retry-after", "7"), ("ratelimit", "\"api\";r=0;t=55")][..], Some(7)),
            (&[("ratelimit", "\"api\";r=0;t=55")], Some(55)),
            (&[("retry-after", "soon")], None),
            (&[("retry-after", "18446744073709551615")], Some(LONGEST_WAIT)),
            (&[("ratelimit", "\"api\";r=0;t=18446744073709551615")], Some(LONGEST_WAIT)),
            (&[], None),
        ] {
            assert_eq!(wait(&headers(pairs)), seconds.map(Duration::from_secs));
        }
    }
}
