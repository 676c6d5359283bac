//! What a Slack call can end with, as callers branch on it. Never holds a body or a token.

use std::time::Duration;

use serde_json::Value;
use slack_morphism::errors::SlackClientError;

/// How a call failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SlackError {
    /// Too many requests, or the caller's patience was shorter than the wait for a free place.
    #[error("Slack's limits ask to wait {retry_after:?}")]
    RateLimited {
        /// How long.
        retry_after: Duration,
    },
    /// Slack read the request and refused it.
    #[error("Slack refused: {error}")]
    Api {
        /// Slack's name of the error.
        error: String,
        /// What it says is wrong, field by field, if it says so.
        detail: Option<String>,
    },
    /// The request, or its answer, was lost; it may have taken effect.
    #[error("Slack could not be reached: {0}")]
    Transport(String),
}

/// Errors after which a token will never work again.
const TOKEN_DEAD: [&str; 8] = [
    "not_authed",
    "invalid_auth",
    "account_inactive",
    "user_removed_from_team",
    "team_disabled",
    "token_revoked",
    "token_expired",
    "not_allowed_token_type",
];

/// Errors that say that nobody can be told in this place any more.
const PLACE_GONE: [&str; 7] = [
    "channel_not_found",
    "is_archived",
    "not_in_channel",
    "restricted_action",
    "cannot_reply_to_message",
    "thread_not_found",
    "is_inactive",
];

impl SlackError {
    /// Slack's name of the error, if it is one of Slack's.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Api { error, .. } => Some(error),
            Self::RateLimited { .. } | Self::Transport(_) => None,
        }
    }

    /// Whether the token will never work again.
    #[must_use]
    pub fn token_is_dead(&self) -> bool {
        self.code().is_some_and(|code| TOKEN_DEAD.contains(&code))
    }

    /// Whether nobody can be told in this place any more.
    #[must_use]
    pub fn place_is_gone(&self) -> bool {
        self.token_is_dead() || self.code().is_some_and(|code| PLACE_GONE.contains(&code))
    }

    /// Whether a plainer form of the same message may be taken.
    #[must_use]
    pub fn form_is_refused(&self) -> bool {
        self.code().is_some_and(|code| {
            code.starts_with("invalid_blocks")
                || code.starts_with("markdown_text")
                || ["msg_too_long", "msg_blocks_too_long", "invalid_arguments", "block_mismatch"]
                    .contains(&code)
                || ["invalid_metadata_format", "metadata_too_large", "invalid_chunks", "internal_error"]
                    .contains(&code)
        })
    }

    /// From the crate's error, without the body that it carries.
    pub(super) fn from_client(error: &SlackClientError) -> Self {
        match error {
            SlackClientError::ApiError(api) if api.code == "ratelimited" || api.code == "rate_limited" => {
                Self::RateLimited { retry_after: Duration::from_secs(1) }
            }
            SlackClientError::ApiError(api) => Self::Api {
                error: api.code.clone(),
                detail: api.http_response_body.as_deref().and_then(complaints),
            },
            SlackClientError::RateLimitError(limit) => {
                Self::RateLimited { retry_after: limit.retry_after.unwrap_or(Duration::from_secs(1)) }
            }
            SlackClientError::HttpError(http) => Self::Transport(format!("HTTP {}", http.status_code)),
            SlackClientError::HttpProtocolError(_) => Self::Transport("the connection failed".to_owned()),
            SlackClientError::ProtocolError(_) => Self::Transport("the answer was not readable".to_owned()),
            SlackClientError::EndOfStream(_)
            | SlackClientError::SystemError(_)
            | SlackClientError::SocketModeProtocolError(_) => {
                Self::Transport("the connection was lost".to_owned())
            }
        }
    }
}

/// The complaints of `response_metadata.messages` (they name fields, not contents), and the scopes
/// that are missing.
fn complaints(body: &str) -> Option<String> {
    let body: Value = serde_json::from_str(body).ok()?;
    let mut lines: Vec<String> = body["response_metadata"]["messages"]
        .as_array()
        .map(|messages| messages.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        .unwrap_or_default();
    if let Some(needed) = body["needed"].as_str() {
        lines.push(format!("missing scope: {needed}"));
    }
    (!lines.is_empty()).then(|| lines.join("; ").chars().take(500).collect())
}
