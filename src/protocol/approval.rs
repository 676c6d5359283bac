//! A question to people about one or more calls, and its answer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ids::{ApprovalId, CallId, PersonId, TurnId};
use crate::clock::Timestamp;

/// What people are asked. The button carries only `id`; all else is saved here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApprovalRequest {
    /// Names the question.
    pub id: ApprovalId,
    /// The turn that waits for it.
    pub turn: TurnId,
    /// What would run.
    pub calls: Vec<AskedCall>,
    /// SHA-256 over tools, canonical arguments, resolved content and cost, in hex.
    pub digest: String,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// When it stops counting.
    pub expires_at: Timestamp,
    /// Who may answer.
    pub approvers: Approvers,
}

/// One call that people are asked about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AskedCall {
    /// The call.
    pub call: CallId,
    /// The tool.
    pub tool: String,
    /// The arguments as they would run.
    pub arguments: Value,
    /// One line: what it does.
    pub title: String,
    /// What to read before answering: the command or script; may be long.
    pub preview: String,
    /// Language of the preview for highlighting: `sh`, `python`, `json`, …
    pub language: String,
    /// Why people are asked, one short sentence each.
    pub reasons: Vec<String>,
    /// Worst-case cost in micro-dollars; `None` if it costs nothing or is unknown (then a reason says so).
    pub cost: Option<u64>,
    /// What "approve for this session" would allow; `None` if it may not be allowed so.
    pub alike: Option<Alike>,
    /// The one argument that people edit as text (a command, a script); `None` edits all as JSON.
    pub editable: Option<String>,
}

/// A class of calls that a person can allow for the rest of the session.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Alike {
    /// The key that later calls are compared by.
    pub key: String,
    /// In words: "shell commands in this thread's workspace".
    pub words: String,
}

/// Who may answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "who", rename_all = "snake_case")]
pub enum Approvers {
    /// Anyone who may talk to the agent here.
    Anyone,
    /// These people.
    Listed {
        /// Their ids.
        people: Vec<PersonId>,
    },
}

impl Approvers {
    /// Whether `person` may answer.
    #[must_use]
    pub fn include(&self, person: &PersonId) -> bool {
        match self {
            Self::Anyone => true,
            Self::Listed { people } => people.contains(person),
        }
    }
}

/// A person's answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// Run it.
    Approve,
    /// Run it, and do not ask again in this session for calls that are alike.
    ApproveForSession,
    /// Do not run it.
    Reject {
        /// What the model should know.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Run it with these arguments instead.
    Edit {
        /// New arguments for the calls named; others run as asked.
        arguments: BTreeMap<CallId, Value>,
    },
}

/// How a question ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "decision", rename_all = "snake_case")]
pub enum Decision {
    /// A person decided.
    Decided {
        /// Who.
        by: PersonId,
        /// Their name.
        name: String,
        /// What.
        verdict: Verdict,
        /// When.
        at: Timestamp,
    },
    /// Nobody decided in time.
    Expired {
        /// When.
        at: Timestamp,
    },
    /// The conversation went on, or the turn was stopped.
    Abandoned {
        /// By whom.
        name: String,
        /// When.
        at: Timestamp,
    },
}
