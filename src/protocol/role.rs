//! What a model is used for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a model is used for. Each may have a model of its own; all default to `main`.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The agent itself.
    #[default]
    Main,
    /// Looking things up in a context of its own.
    Research,
    /// Summaries when a transcript outgrows its window.
    Summary,
    /// Judging results and texts.
    Judge,
    /// Small chores: titles, digests.
    Routine,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Main, Self::Research, Self::Summary, Self::Judge, Self::Routine];

    /// As configuration and people write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Research => "research",
            Self::Summary => "summary",
            Self::Judge => "judge",
            Self::Routine => "routine",
        }
    }

    /// The role that people mean by this word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str().eq_ignore_ascii_case(word))
    }
}
