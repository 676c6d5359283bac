//! What can be configured: one struct per section, defaults in one place, unknown keys refused.
//!
//! The only reader of the environment. Start at [`Config`]; layering is in [`load`].

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod agent;
mod approvals;
mod budgets;
pub mod check;
pub mod error;
pub mod files;
mod hub;
pub mod layers;
pub mod load;
pub mod messaging;
pub mod model;
pub mod places;
pub mod schema;
mod secrets;
mod services;
pub mod slack;
pub mod substitute;
mod validate;
mod validate_approvals;
pub mod variables;

pub use agent::{Ceiling, MemoryConfig, RoleConfig, RolesConfig};
pub use approvals::{ApprovalRule, ApprovalsConfig, RuleVerdict, WhoApproves};
pub use budgets::{BudgetsConfig, Limits, PriceConfig};
pub use error::{ConfigError, Origin, Problem};
pub use files::{FileUse, Outcome};
pub use hub::{HubAccount, HubConfig};
pub use load::{Loaded, Overrides, Sources, process_environment};
pub use messaging::{AutoEvent, Destination, MessagingConfig};
pub use model::{Endpoint, ModelConfig};
pub use services::ServicesConfig;
pub use slack::{SlackConfig, SlackMode};

/// Everything that can be configured. Names that ml-intern had keep their meaning.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The main model, `provider/model`. Ids without a known provider go to the Hugging Face router.
    pub model_name: String,
    /// Auto-approve what policy lets it, in every session. Scheduled work always asks.
    pub yolo_mode: bool,
    /// Model calls per turn; -1 for no limit.
    pub max_iterations: i64,
    /// Ask before jobs on CPU hardware too.
    pub confirm_cpu_jobs: bool,
    /// Reasoning effort: minimal, low, medium, high, xhigh, max; null sends none.
    pub reasoning_effort: Option<Effort>,
    /// Where bash, read, write and edit act.
    pub tool_runtime: ToolRuntime,
    /// MCP servers by name, as in ml-intern's file. Kept for the MCP room.
    #[serde(rename = "mcpServers")]
    pub mcp_servers: BTreeMap<String, serde_json::Value>,
    /// Keep sessions on disk. They always are here; the key is accepted so that files carry over.
    pub save_sessions: bool,
    /// Ignored, with a warning: traces never go to a shared dataset.
    pub session_dataset_repo: Option<String>,
    /// Upload each conversation, redacted, to a private dataset of the Hugging Face account whose token is
    /// configured, after every turn. Off unless set (ml-intern's default was on).
    pub share_traces: bool,
    /// The dataset for shared traces, owner/name; `{hf_user}` stands for the account. Null:
    /// `{hf_user}/ml-intern-sessions`.
    pub personal_trace_repo_template: Option<String>,
    /// Accepted so that files carry over: every step is saved.
    pub auto_save_interval: i64,
    /// Accepted so that files carry over.
    pub heartbeat_interval_s: i64,
    /// Accepted so that files carry over: it has had no effect since ml-intern removed its tool.
    pub auto_file_upload: bool,
    /// Named destinations for notices.
    pub messaging: MessagingConfig,
    /// Providers, their base URLs, keys and time-outs.
    pub models: ModelConfig,
    /// The Slack front door.
    pub slack: SlackConfig,
    /// Models by role, besides the main one.
    pub roles: RolesConfig,
    /// When a transcript is shortened.
    pub memory: MemoryConfig,
    /// Limits on what is spent.
    pub budgets: BudgetsConfig,
    /// Approvals.
    pub approvals: ApprovalsConfig,
    /// Tools that act on this machine.
    pub tools: ToolsConfig,
    /// Where data lives.
    pub store: StoreConfig,
    /// `serve`: addresses and limits.
    pub server: ServerConfig,
    /// Other people's services.
    pub services: ServicesConfig,
    /// The Hub: whose account works there, and limits of jobs and sandboxes.
    pub hub: HubConfig,
}

/// Reasoning effort.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Effort {
    /// As little as the model can.
    Minimal,
    /// Little.
    Low,
    /// Some.
    Medium,
    /// Much.
    High,
    /// More.
    Xhigh,
    /// As much as the model can.
    Max,
}

impl Effort {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Minimal => "minimal",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Xhigh => "xhigh",
            Self::Max => "max",
        }
    }
}

/// Where bash, read, write and edit act.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ToolRuntime {
    /// On this machine, in the session's workspace.
    #[default]
    Local,
    /// In a Hugging Face sandbox.
    Sandbox,
}

/// Tools that act on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ToolsConfig {
    /// Seconds a command may run when the model names no time-out.
    pub bash_timeout_s: u64,
    /// The longest time-out the model may ask for.
    pub bash_max_timeout_s: u64,
    /// Characters of output that reach the model; the rest is kept in a file.
    pub output_cap_chars: usize,
    /// Let file tools leave the workspace.
    pub allow_outside_workspace: bool,
    /// Environment variables that commands may see besides PATH, HOME, LANG and the like.
    pub pass_environment: Vec<String>,
}

/// Where data lives.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StoreConfig {
    /// The data folder; null for the platform's.
    pub data_dir: Option<PathBuf>,
    /// Days after which a session that nobody has used is deleted, its files too; null keeps all.
    pub retention_days: Option<u32>,
}

/// `serve`: addresses and limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ServerConfig {
    /// Address for health, metrics and Slack's HTTP deliveries.
    pub bind: String,
    /// Sessions worked on at the same time.
    pub max_sessions_at_work: usize,
    /// Seconds for steps in hand to finish or be suspended at SIGTERM.
    pub drain_s: u64,
    /// How `serve` writes its log.
    pub log_format: LogFormat,
}

/// How a log is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            model_name: "moonshotai/Kimi-K2.6".to_owned(),
            yolo_mode: false,
            max_iterations: 300,
            confirm_cpu_jobs: true,
            reasoning_effort: Some(Effort::High),
            tool_runtime: ToolRuntime::Local,
            mcp_servers: BTreeMap::new(),
            save_sessions: true,
            session_dataset_repo: None,
            share_traces: false,
            personal_trace_repo_template: None,
            auto_save_interval: 1,
            heartbeat_interval_s: 60,
            auto_file_upload: false,
            messaging: MessagingConfig::default(),
            models: ModelConfig::default(),
            slack: SlackConfig::default(),
            roles: RolesConfig::default(),
            memory: MemoryConfig::default(),
            budgets: BudgetsConfig::default(),
            approvals: ApprovalsConfig::default(),
            tools: ToolsConfig::default(),
            store: StoreConfig::default(),
            server: ServerConfig::default(),
            services: ServicesConfig::default(),
            hub: HubConfig::default(),
        }
    }
}

impl Default for ToolsConfig {
    fn default() -> Self {
        Self {
            bash_timeout_s: 120,
            bash_max_timeout_s: 36_000,
            output_cap_chars: 25_000,
            allow_outside_workspace: false,
            pass_environment: Vec::new(),
        }
    }
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            bind: "127.0.0.1:8787".to_owned(),
            max_sessions_at_work: 32,
            drain_s: 20,
            log_format: LogFormat::Text,
        }
    }
}
