//! Slack channels as destinations: the text of a notice, and `chat.postMessage`.
//!
//! The wire is behind [`SlackPost`], so that the process-wide scheduler of outgoing calls can be
//! put there. Never pings anyone: whatever a model wrote, mentions arrive as plain text.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::kind::{DestinationKind, SendError};
use super::mrkdwn::to_mrkdwn;
use crate::config::messaging::SlackDestination;
use crate::protocol::{Notice, Severity};
use crate::secret::Secret;
use crate::text::{cut, escape_slack};

/// Slack cuts longer texts without a word.
const LONGEST_TEXT: usize = 39_000;

/// How long one exchange may take.
const EXCHANGE: Duration = Duration::from_secs(10);

/// The door to `chat.postMessage`.
#[async_trait]
pub trait SlackPost: Send + Sync {
    /// Posts `body` with this bot's token. Gives Slack's whole answer, `ok: false` included.
    ///
    /// # Errors
    /// Only if there is no answer to read.
    async fn post(&self, token: &Secret, body: Value) -> Result<Value, PostError>;
}

/// Why Slack gave no answer that can be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// Too many calls.
    #[error("Slack asks us to slow down")]
    RateLimited {
        /// Slack's `Retry-After`, if it sent one.
        after: Option<Duration>,
    },
    /// No connection, a time-out, a 5xx, or a body that is not JSON.
    #[error("Slack could not be reached: {0}")]
    Unreachable(String),
    /// Another HTTP status.
    #[error("Slack answered with HTTP status {0}")]
    Refused(u16),
}

/// [`SlackPost`] straight over HTTP.
#[derive(Debug, Clone)]
pub struct HttpSlackPost {
    client: reqwest::Client,
    url: String,
}

impl HttpSlackPost {
    /// `api_url` is the base of the Web API (`https://slack.com/api`).
    ///
    /// # Errors
    /// Only if TLS cannot be set up on this machine.
    pub fn new(api_url: &str) -> anyhow::Result<Self> {
        Ok(Self {
            client: crate::clients::http::client(Some(EXCHANGE))?,
            url: format!("{}/chat.postMessage", api_url.trim_end_matches('/')),
        })
    }
}

#[async_trait]
impl SlackPost for HttpSlackPost {
    async fn post(&self, token: &Secret, body: Value) -> Result<Value, PostError> {
        // reqwest's error names the address, which holds no secret, but its cause may be long.
        let unreachable = |error: reqwest::Error| PostError::Unreachable(error.without_url().to_string());
        let answer = self
            .client
            .post(&self.url)
            .bearer_auth(token.reveal())
            .header("content-type", "application/json; charset=utf-8")
            .body(body.to_string())
            .send()
            .await
            .map_err(unreachable)?;
        let status = answer.status().as_u16();
        match status {
            200..=299 => answer.json().await.map_err(unreachable),
            429 => {
                let after = answer
                    .headers()
                    .get("retry-after")
                    .and_then(|value| value.to_str().ok()?.trim().parse().ok());
                Err(PostError::RateLimited { after: after.map(Duration::from_secs) })
            }
            500.. => Err(PostError::Unreachable(format!("HTTP status {status}"))),
            _ => Err(PostError::Refused(status)),
        }
    }
}

/// One Slack channel.
pub struct SlackChannel {
    destination: SlackDestination,
    post: Arc<dyn SlackPost>,
}

impl SlackChannel {
    /// A channel as configured, reached through `post`.
    #[must_use]
    pub fn new(destination: SlackDestination, post: Arc<dyn SlackPost>) -> Self {
        Self { destination, post }
    }

    fn body(&self, notice: &Notice) -> Value {
        let mut body = json!({
            "channel": self.destination.channel.trim(),
            "text": notice_text(notice),
            "mrkdwn": true,
            "unfurl_links": false,
            "unfurl_media": false,
        });
        for (field, value) in
            [("username", &self.destination.username), ("icon_emoji", &self.destination.icon_emoji)]
        {
            if let Some(value) = value {
                body[field] = json!(value);
            }
        }
        body
    }
}

#[async_trait]
impl DestinationKind for SlackChannel {
    fn provider(&self) -> &'static str {
        "slack"
    }

    async fn send(&self, notice: &Notice) -> Result<String, SendError> {
        let answer = self.post.post(&self.destination.token, self.body(notice)).await.map_err(|error| {
            let reason = error.to_string();
            match error {
                PostError::RateLimited { after } => SendError::Again { after, reason },
                PostError::Unreachable(_) => SendError::Again { after: None, reason },
                PostError::Refused(_) => SendError::Final(reason),
            }
        })?;
        if answer["ok"] == true {
            return Ok(answer["ts"].as_str().unwrap_or_default().to_owned());
        }
        let again = |reason: &str| SendError::Again { after: None, reason: format!("Slack said {reason}") };
        Err(match answer["error"].as_str() {
            Some(
                passing @ ("ratelimited"
                | "rate_limited"
                | "internal_error"
                | "service_unavailable"
                | "fatal_error"),
            ) => again(passing),
            Some(error) => SendError::Final(explain(error)),
            None => again("nothing that can be read"),
        })
    }
}

/// Slack's error, with what to do about the common ones.
fn explain(error: &str) -> String {
    let what_to_do = match error {
        "channel_not_found" => ": check the channel's id, and that the bot can see it",
        "not_in_channel" => ": invite the bot to the channel",
        "is_archived" => ": the channel is archived",
        "invalid_auth" | "not_authed" | "token_revoked" | "account_inactive" | "token_expired" => {
            ": the destination's token is not valid any more"
        }
        "missing_scope" => ": the token lacks the scope chat:write",
        _ => "",
    };
    format!("Slack said {error}{what_to_do}")
}

/// The whole text of a notice in mrkdwn: severity and title, message, metadata, link.
#[must_use]
pub fn notice_text(notice: &Notice) -> String {
    let tag = match notice.severity {
        Severity::Info => "[INFO]",
        Severity::Success => "[SUCCESS]",
        Severity::Warning => "[WARNING]",
        Severity::Error => "[ERROR]",
    };
    let mut text = match &notice.title {
        Some(title) => format!("{tag} {}", title.trim().replace('\n', " ")),
        None => tag.to_owned(),
    };
    let mut foot = String::new();
    for (key, value) in &notice.metadata {
        foot.push_str(&format!("\n{key}: {}", cut(&value.replace('\n', " "), 500)));
    }
    let link =
        notice.link.as_deref().filter(|link| link.starts_with("http")).map_or_else(String::new, |link| {
            format!("\n<{}|Open the conversation>", escape_slack(link).replace('|', "%7C"))
        });
    text.push('\n');
    text.push_str(&notice.message);
    let head = to_mrkdwn(&quiet(&text));
    let foot = format!("{}{link}", to_mrkdwn(&quiet(&foot)));
    let room = LONGEST_TEXT.saturating_sub(foot.chars().count());
    format!("{}{foot}", cut_closed(head.trim_end(), room))
}

/// Cuts, and closes a fence that the cut left open, so that the lines below stay outside it.
fn cut_closed(text: &str, max: usize) -> String {
    let short = cut(text, max.saturating_sub(4)).into_owned();
    if short.matches("```").count() % 2 == 1 { format!("{short}\n```") } else { short }
}

/// Breaks mentions of people, groups and channels before conversion; links stay.
fn quiet(text: &str) -> String {
    text.replace("<!", "&lt;!").replace("<@", "&lt;@")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(title: Option<&str>, message: &str) -> Notice {
        Notice {
            title: title.map(str::to_owned),
            severity: Severity::Warning,
            message: message.to_owned(),
            metadata: vec![("k".to_owned(), "v".to_owned())],
            link: None,
        }
    }

    #[test]
    fn a_notice_reads_from_severity_to_metadata() {
        assert_eq!(notice_text(&notice(Some("Title"), "**Body**")), "[WARNING] Title\n*Body*\nk: v");
        assert_eq!(notice_text(&notice(None, "Body")), "[WARNING]\nBody\nk: v");
        let linked =
            Notice { link: Some("https://x.slack.com/p1?a=1&b=2".to_owned()), ..notice(None, "Body") };
        assert_eq!(
            notice_text(&linked),
            "[WARNING]\nBody\nk: v\n<https://x.slack.com/p1?a=1&amp;b=2|Open the conversation>"
        );
    }

    #[test]
    fn a_notice_pings_nobody() {
        let text = notice_text(&notice(Some("<!channel>"), "<@U1> `<!here>` [x](!everyone) <!subteam^S1|t>"));
        assert!(!text.contains("<!") && !text.contains("<@"), "{text}");
        assert_eq!(
            text,
            "[WARNING] &lt;!channel&gt;\n&lt;@U1&gt; `&lt;!here>` [x](!everyone) &lt;!subteam^S1|t&gt;\nk: v"
        );
    }

    #[test]
    fn a_long_notice_is_cut_and_keeps_its_foot() {
        let text = notice_text(&notice(None, &format!("```\n{}", "é".repeat(50_000))));
        assert!(text.chars().count() <= LONGEST_TEXT);
        assert!(text.ends_with("é…\n```\nk: v"), "{}", &text[text.len() - 40..]);
        let whole = "x".repeat(1_204);
        assert!(notice_text(&notice(None, &whole)).contains(&whole));
    }
}
