//! The transcript: our own persisted message types, which outlive any provider's.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ids::{CallId, PersonId};
use crate::clock::Timestamp;

/// One entry of a session's transcript.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "item", rename_all = "snake_case")]
pub enum Item {
    /// What a person said.
    User {
        /// Who, and under which name the model knows them.
        author: PersonId,
        /// Display name.
        name: String,
        /// The words.
        text: String,
        /// Whether they began a turn; if not, they came while one was in hand.
        #[serde(default = "yes")]
        opens: bool,
        /// When they said it; unknown in older sessions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<Timestamp>,
    },
    /// Words of others that were in the thread before we were called: data, never instruction.
    Overheard {
        /// In the order in which they were said.
        lines: Vec<Heard>,
    },
    /// What the loop itself tells the model (hints, guards). Never counts as a person's message.
    Synthetic {
        /// The words.
        text: String,
    },
    /// A summary that stands for items cut from the transcript.
    Summary {
        /// The words.
        text: String,
        /// How many items it replaced.
        replaced: u64,
        /// How many turns began in them.
        #[serde(default)]
        turns: u64,
    },
    /// What the model answered in one step.
    Assistant {
        /// Visible text; may be empty when there are calls.
        text: String,
        /// Reasoning, to be sent back as the provider wants it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        thoughts: Vec<Thought>,
        /// Tool calls that it asked for, in order.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        calls: Vec<ProposedCall>,
        /// Which model said it.
        model: String,
    },
    /// The result of one call; every call of an assistant item has exactly one.
    ToolResult {
        /// The call that it answers.
        call: CallId,
        /// The tool's name.
        tool: String,
        /// Text for the model, already capped.
        output: String,
        /// Whether the tool did what was asked.
        success: bool,
    },
}

/// Items saved before this was known all began a turn.
fn yes() -> bool {
    true
}

/// One line somebody said before we were called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// Display name of who said it.
    pub name: String,
    /// The words.
    pub text: String,
}

/// Reasoning that a provider wants back unchanged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thought {
    /// The reasoning text; empty when the provider hides it.
    pub text: String,
    /// The provider's signature over it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
}

/// A tool call as the model asked for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProposedCall {
    /// The provider's id of the call.
    pub id: CallId,
    /// The tool's name as the model wrote it.
    pub tool: String,
    /// The arguments; a JSON string holding the raw text if they were not valid JSON.
    pub arguments: Value,
}
