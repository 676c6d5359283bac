//! The Hub: whose account works there, and limits of jobs and sandboxes.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::secret::Secret;

/// The Hub: whose account works there, and limits of jobs and sandboxes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HubConfig {
    /// Whose token is used for a person's requests.
    pub account: HubAccount,
    /// Tokens of people, by their id at the front door.
    pub tokens: BTreeMap<String, Secret>,
    /// Who pays for jobs when the model names nobody: a user or an organisation. Null: the account of
    /// the token.
    pub namespace: Option<String>,
    /// Minutes after which a sandbox that nobody has used is deleted.
    pub sandbox_idle_minutes: u32,
    /// The Space that sandboxes are made from.
    pub sandbox_template: String,
    /// Seconds between two looks at a running job, and between two updates of its card; at least 1.
    pub job_look_s: u64,
    /// Seconds without a log line after which people are told that a job stands still.
    pub job_stall_s: u64,
    /// Megabytes of a job's log that are kept; of more, the beginning and the end.
    pub job_log_mb: u64,
}

/// Whose token is used for a person's requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HubAccount {
    /// The bot's, for everybody.
    Bot,
    /// The person's own, if they gave one; else the bot's.
    #[default]
    PersonOrBot,
    /// The person's own; without one there is none.
    Person,
}

impl Default for HubConfig {
    fn default() -> Self {
        Self {
            account: HubAccount::default(),
            tokens: BTreeMap::new(),
            namespace: None,
            sandbox_idle_minutes: 45,
            sandbox_template: "burtenshaw/sandbox".to_owned(),
            job_look_s: 10,
            job_stall_s: 900,
            job_log_mb: 64,
        }
    }
}
