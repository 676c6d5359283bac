//! Named destinations for notices.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::secret::Secret;

/// Named destinations for notices, as in ml-intern's file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MessagingConfig {
    /// Off: nothing is sent.
    pub enabled: bool,
    /// Which events send a notice by themselves.
    pub auto_event_types: Vec<AutoEvent>,
    /// Destinations by name (lowercase letters, digits, `.`, `_`, `-`).
    pub destinations: BTreeMap<String, Destination>,
}

impl Default for MessagingConfig {
    fn default() -> Self {
        Self {
            enabled: false,
            auto_event_types: vec![AutoEvent::ApprovalRequired, AutoEvent::Error, AutoEvent::TurnComplete],
            destinations: BTreeMap::new(),
        }
    }
}

/// An event that sends a notice by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AutoEvent {
    /// People are asked.
    ApprovalRequired,
    /// A turn failed.
    Error,
    /// A turn ended well.
    TurnComplete,
}

/// One destination; `provider` says which kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "provider", rename_all = "snake_case")]
pub enum Destination {
    /// A Slack channel.
    Slack(SlackDestination),
}

/// A Slack channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlackDestination {
    /// Bot token.
    pub token: Secret,
    /// Channel id.
    pub channel: String,
    /// Let the `notify` tool send here.
    #[serde(default)]
    pub allow_agent_tool: bool,
    /// Let events send here by themselves.
    #[serde(default)]
    pub allow_auto_events: bool,
    /// Name to post under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Emoji to post with, `:name:`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon_emoji: Option<String>,
}
