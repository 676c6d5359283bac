//! The Slack front door.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::secret::Secret;

/// The Slack front door.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SlackConfig {
    /// Web API base, ending in `/api`.
    pub api_url: String,
    /// Bot token, `xoxb-…`.
    pub bot_token: Option<Secret>,
    /// App-level token, `xapp-…`, for Socket Mode.
    pub app_token: Option<Secret>,
    /// Signing secret, for deliveries over HTTP.
    pub signing_secret: Option<Secret>,
    /// How events arrive. `auto`: Socket Mode if there is an app token, else HTTP.
    pub mode: SlackMode,
    /// Socket Mode connections of this process (Slack allows 10 for all processes together).
    pub connections: u8,
    /// Channel ids where the bot listens; empty for every channel it was invited to.
    pub channels: Vec<String>,
    /// User ids who may talk to it; empty for everyone in those channels.
    pub people: Vec<String>,
    /// Stream answers natively. Off: post and update.
    pub stream: bool,
    /// Let people of other organisations (Slack Connect) talk to it.
    pub allow_external: bool,
}

/// How events arrive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SlackMode {
    /// Socket Mode if there is an app token, else HTTP.
    #[default]
    Auto,
    /// Socket Mode.
    Socket,
    /// Events API, interactivity and commands over HTTP.
    Http,
}

impl Default for SlackConfig {
    fn default() -> Self {
        Self {
            api_url: "https://slack.com/api".to_owned(),
            bot_token: None,
            app_token: None,
            signing_secret: None,
            mode: SlackMode::Auto,
            connections: 2,
            channels: Vec::new(),
            people: Vec::new(),
            stream: true,
            allow_external: false,
        }
    }
}
