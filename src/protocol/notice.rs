//! A notice for a named destination.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How urgent a notice is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// For information.
    #[default]
    Info,
    /// Something went well.
    Success,
    /// Somebody should look.
    Warning,
    /// Something failed.
    Error,
}

/// What is sent to a destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Shown first; `None` shows the severity alone.
    pub title: Option<String>,
    /// How urgent.
    pub severity: Severity,
    /// Markdown.
    pub message: String,
    /// Key and value, shown below.
    pub metadata: Vec<(String, String)>,
    /// Where the conversation is, if it can be linked.
    pub link: Option<String>,
}
