//! What enters a session. An operation's id comes from its cause, so a redelivery is harmless.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::approval::Verdict;
use super::ids::{ApprovalId, OperationId, PersonId, SessionKey};
use crate::clock::Timestamp;

/// One thing that somebody (or the clock) wants of a session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// Made from the cause; the store drops a second one with the same id.
    pub id: OperationId,
    /// The session it is for.
    pub session: SessionKey,
    /// Where that session lives; opens it if it does not exist yet.
    pub origin: Origin,
    /// Who wants it.
    pub actor: Actor,
    /// When it happened.
    pub at: Timestamp,
    /// What is wanted.
    pub kind: OperationKind,
}

/// A front door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Door {
    /// A Slack thread or direct message.
    Slack,
    /// The interactive chat or a headless run.
    Terminal,
}

/// Where a session lives. Only the front door itself reads `place`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Origin {
    /// The front door.
    pub door: Door,
    /// What that door needs to find the place again.
    pub place: Value,
}

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// Their id at the front door.
    pub id: PersonId,
    /// The name to show.
    pub name: String,
}

/// What is wanted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum OperationKind {
    /// A person says something to the agent.
    Say {
        /// The words, as the agent should read them.
        text: String,
        /// What the front door needs to find this message again; opaque to all others.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        handle: Value,
    },
    /// A person answers an approval.
    Decide {
        /// Which question.
        approval: ApprovalId,
        /// The answer.
        verdict: Verdict,
    },
    /// The time of an approval is up.
    Expire {
        /// Which question.
        approval: ApprovalId,
    },
    /// Stop the turn in hand.
    Stop,
    /// Try the failed turn again.
    Retry,
    /// Drop the last request and everything after it.
    Undo,
    /// Shorten the transcript now.
    Compact,
    /// Start over in the same place.
    New,
    /// Go on with an interrupted turn, or say that there is none.
    Resume,
    /// Change one setting of the session.
    Set {
        /// Which, and to what.
        setting: Setting,
    },
    /// Tell how the session stands.
    Status,
    /// External work has ended.
    Settle {
        /// The ticket's name.
        ticket: String,
        /// What to hand to the model.
        output: String,
        /// Whether the work succeeded.
        success: bool,
    },
    /// The process goes away; save and say so.
    Shutdown,
}

/// A setting of one session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "setting", rename_all = "snake_case")]
pub enum Setting {
    /// The model to use from the next step on; `None` goes back to the configured one.
    Model {
        /// `provider/model`.
        id: Option<String>,
    },
    /// Auto-approve what policy lets it.
    Yolo {
        /// On or off.
        on: bool,
    },
    /// Reasoning effort; `None` sends none.
    Effort {
        /// `minimal`, `low`, `medium`, `high`, `xhigh` or `max`.
        level: Option<String>,
    },
}
