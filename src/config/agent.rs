//! The agent's own settings: models by role, and when a transcript is shortened.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Effort;
use crate::protocol::{Role, Usd};

/// Models by role. What is not set is as for the main model (`model_name`, `reasoning_effort`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RolesConfig {
    /// The agent itself. Its model and effort are `model_name` and `reasoning_effort`.
    pub main: Ceiling,
    /// Looking things up in a context of its own.
    pub research: RoleConfig,
    /// Summaries when a transcript outgrows its window: a cheaper model will do.
    pub summary: RoleConfig,
    /// Judging results and texts.
    pub judge: RoleConfig,
    /// Small chores: titles, digests.
    pub routine: RoleConfig,
}

/// What a model of a role may cost at most, in dollars per million tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Ceiling {
    /// Prompt tokens; null for no ceiling.
    pub max_input_usd: Option<Usd>,
    /// Completion tokens; null for no ceiling.
    pub max_output_usd: Option<Usd>,
}

/// The model of one role.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RoleConfig {
    /// The model, `provider/model`; null for the main one.
    pub model: Option<String>,
    /// Reasoning effort; null for the main one's.
    pub effort: Option<Effort>,
    /// What it may cost at most per million prompt tokens, in dollars; null for no ceiling.
    pub max_input_usd: Option<Usd>,
    /// What it may cost at most per million completion tokens, in dollars; null for no ceiling.
    pub max_output_usd: Option<Usd>,
}

impl RolesConfig {
    /// Model, effort and ceiling of a role as configured here; `None` where the main ones stand.
    #[must_use]
    pub fn of(&self, role: Role) -> (Option<&str>, Option<Effort>, Ceiling) {
        let role = match role {
            Role::Main => return (None, None, self.main),
            Role::Research => &self.research,
            Role::Summary => &self.summary,
            Role::Judge => &self.judge,
            Role::Routine => &self.routine,
        };
        let ceiling = Ceiling { max_input_usd: role.max_input_usd, max_output_usd: role.max_output_usd };
        (role.model.as_deref(), role.effort, ceiling)
    }
}

/// When and how a transcript is shortened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MemoryConfig {
    /// Share of the model's window, in percent, above which a transcript is shortened.
    #[schemars(range(min = 10, max = 95))]
    pub compact_at_percent: u8,
    /// Share of the window, in percent, that stays word for word at the end; less where the rest would
    /// not fit otherwise.
    #[schemars(range(min = 1, max = 80))]
    pub keep_percent: u8,
    /// The longest item, in tokens, that stays word for word when a transcript is shortened.
    pub longest_item_tokens: u64,
}

impl Default for MemoryConfig {
    fn default() -> Self {
        Self { compact_at_percent: 85, keep_percent: 25, longest_item_tokens: 50_000 }
    }
}
