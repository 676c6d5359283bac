//! One request until its answer, as it is saved after every step.

use serde::{Deserialize, Serialize};

use super::approval::{ApprovalRequest, AskedOf};
use super::guards::Guards;
use super::ids::{CallId, TurnId};
use super::message::ProposedCall;
use super::operation::Actor;
use super::usage::Usage;
use crate::clock::Timestamp;

/// One request until its answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Turn {
    /// Names the turn.
    pub id: TurnId,
    /// Who asked.
    pub requester: Actor,
    /// Others who said something while it was in hand: what it does is at their word, too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub joined: Vec<Actor>,
    /// When.
    pub started_at: Timestamp,
    /// Model calls made so far.
    pub steps: u32,
    /// Tokens and cost so far.
    pub usage: Usage,
    /// Whether any call was refused by a person or by policy.
    #[serde(default)]
    pub refused: bool,
    /// What guards remember of its steps.
    #[serde(default)]
    pub guards: Guards,
    /// Where it stands.
    pub state: TurnState,
}

/// Where a turn stands.
///
/// ```text
///            model answers with calls                 people are asked
/// Thinking ---------------------------> Calling ---------------------------> Waiting
///    ^  |                                |   ^                                  |
///    |  | answer, stop, error, limit     |   | decided, expired                 | stop, new message
///    |  v                                |   +----------------------------------+------> Over
///    | Over <------- stop ---------------+
///    |                                   |   only external work is left
///    |                                   +---------------------------> Away (until it ends, or somebody speaks)
///    +------------- all calls have results ------------------------------+
/// ```
#[expect(clippy::large_enum_variant, reason = "there is one for each session in hand, never a list of them")]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum TurnState {
    /// The model is to be called.
    Thinking,
    /// Calls of the last step are being judged, run or recorded.
    Calling {
        /// All calls of the step, in the model's order.
        calls: Vec<Call>,
    },
    /// The turn waits for people.
    Waiting {
        /// All calls of the step, in the model's order.
        calls: Vec<Call>,
        /// What they are asked.
        approval: ApprovalRequest,
        /// Whether the question is known to have reached them.
        told: bool,
    },
    /// The turn waits for external work.
    Away {
        /// All calls of the step, in the model's order.
        calls: Vec<Call>,
        /// Whether that is known to have reached people.
        told: bool,
    },
    /// The turn has ended.
    Over {
        /// How.
        ending: Ending,
        /// When.
        at: Timestamp,
        /// Whether the ending is known to have reached people.
        told: bool,
    },
}

/// One tool call of the step in hand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// As the model asked for it, or as a person edited it.
    pub proposed: ProposedCall,
    /// What was done about it.
    pub status: CallStatus,
    /// Set when a person edited the arguments: told to the model with the result.
    #[serde(default)]
    pub edited: bool,
    /// Digest over what people approved; if it is no longer what would run, they are asked again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved: Option<String>,
    /// Whether people were told, when asked, that it goes past what auto-approval may spend.
    #[serde(default)]
    pub named_cap: bool,
    /// What the model is told if it goes on before the call's external work has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meanwhile: Option<String>,
    /// Names of those who said yes to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approved_by: Vec<String>,
    /// On which terms they were asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_of: Option<AskedOf>,
}

/// What was done about a call.
///
/// ```text
/// Proposed -> Allowed -> Started -> Done
///    |  \-> Asked -^  \     \-> Away -> Done (its external work has ended, or the turn goes on without it)
///    |                 \-----\-> Done (outcome unknown, after a crash)
///    +--> Done (refused or invalid: the result says so)
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallStatus {
    /// Not judged yet.
    Proposed,
    /// May run.
    Allowed,
    /// People are asked.
    Asked,
    /// Marked before it runs; found so after a crash, its outcome is unknown.
    Started,
    /// What it began goes on outside; a ticket watches that.
    Away,
    /// Its result is in the transcript.
    Done,
}

/// How a turn ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "ending", rename_all = "snake_case")]
pub enum Ending {
    /// The model answered.
    Finished {
        /// The answer.
        text: Option<String>,
    },
    /// The iteration limit was met; the text says so.
    LimitReached {
        /// An honest message.
        text: String,
    },
    /// Somebody stopped it.
    Interrupted {
        /// Who, if a person did.
        by: Option<String>,
    },
    /// It failed.
    Failed {
        /// In plain words.
        error: String,
        /// What to do about it.
        hint: Option<String>,
        /// Whether trying again may help.
        retry: bool,
    },
}

impl Turn {
    /// A turn that begins.
    #[must_use]
    pub fn begun(id: TurnId, requester: Actor, started_at: Timestamp) -> Self {
        Self {
            id,
            requester,
            joined: Vec::new(),
            started_at,
            steps: 0,
            usage: Usage::default(),
            refused: false,
            guards: Guards::default(),
            state: TurnState::Thinking,
        }
    }

    /// Everyone at whose word it does what it does: who asked, and who added something.
    pub fn speakers(&self) -> impl Iterator<Item = &Actor> {
        std::iter::once(&self.requester).chain(&self.joined)
    }

    /// Whether a worker has something to do for it.
    #[must_use]
    pub fn wants_work(&self) -> bool {
        self.is_untold() || matches!(self.state, TurnState::Thinking | TurnState::Calling { .. })
    }

    /// Whether it stands where people must be told, and they may not know yet.
    #[must_use]
    pub fn is_untold(&self) -> bool {
        matches!(
            self.state,
            TurnState::Waiting { told: false, .. }
                | TurnState::Away { told: false, .. }
                | TurnState::Over { told: false, .. }
        )
    }

    /// Whether it has ended.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.state, TurnState::Over { .. })
    }

    /// The call with this id, in the step in hand.
    #[must_use]
    pub fn call(&self, id: &CallId) -> Option<&Call> {
        match &self.state {
            TurnState::Calling { calls }
            | TurnState::Waiting { calls, .. }
            | TurnState::Away { calls, .. } => calls.iter().find(|call| call.proposed.id == *id),
            TurnState::Thinking | TurnState::Over { .. } => None,
        }
    }

    /// The question it waits for.
    #[must_use]
    pub fn approval(&self) -> Option<&ApprovalRequest> {
        match &self.state {
            TurnState::Waiting { approval, .. } => Some(approval),
            _ => None,
        }
    }
}
