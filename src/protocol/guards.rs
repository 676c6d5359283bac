//! What the loop remembers of a turn in order to notice when the model goes round in circles, and of a
//! session's memory: how much of the window is in use, and how large the window turned out to be.
//!
//! Small and bounded, because it is saved at every step. Never judges anything.

use serde::{Deserialize, Serialize};

use super::ids::CallId;

/// What guards remember between the steps of one turn.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Guards {
    /// Whether the calls of the last answer are still to be looked at.
    pub unseen: bool,
    /// The last calls with their results, oldest first; as many as the longest pattern needs.
    pub recent: Vec<Sign>,
    /// The repetition that the model was told of, while it lasts.
    pub told_of: Option<u64>,
    /// Calls of the step in hand whose arguments could not be taken.
    pub malformed: Vec<CallId>,
    /// Malformed calls of one tool in a row.
    pub streak: Streak,
    /// Answers in a row that the output limit cut, so that their calls were lost.
    pub cut: u32,
    /// Answers in a row that stopped while the plan was unfinished.
    pub nudged: u32,
    /// Answers in a row that said nothing.
    pub empty: u32,
    /// Requests in a row that the provider found too long.
    pub overflows: u32,
}

/// One call with its result, as short as it can be compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sign {
    /// The tool's name.
    pub tool: String,
    /// Hash over tool, canonical arguments and canonical result.
    pub hash: u64,
}

/// Malformed calls of one tool in a row.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Streak {
    /// The tool.
    pub tool: String,
    /// How many.
    pub length: u32,
    /// How many there were when the model was last told.
    pub told: u32,
}

/// What is known of a session's use of its model's window.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// How many items the transcript had when `context_tokens` was counted; 0 if it was not.
    pub measured: u64,
    /// A window that turned out to be smaller than assumed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learned: Option<Learned>,
}

/// The window of a model, as its refusal of a request showed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Learned {
    /// The model.
    pub model: String,
    /// Its window, in tokens: never more than this.
    pub window: u64,
}
