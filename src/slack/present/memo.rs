//! What must be remembered between workers: where things were posted. Saved in the session's head.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::protocol::{ApprovalId, TurnId};

/// Handles of posted messages. Read leniently: an older shape is worth less than a new start.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memo {
    /// Cards of questions that are open, by approval.
    pub cards: BTreeMap<ApprovalId, String>,
    /// The turn whose end was last posted.
    pub ended: Option<TurnId>,
    /// The message that shows progress where streaming is refused, and its turn.
    pub progress: Option<(TurnId, String)>,
    /// The agent session has its title.
    pub titled: bool,
}

impl Memo {
    /// From the session's head.
    #[must_use]
    pub fn read(saved: &Value) -> Self {
        Self::deserialize(saved).unwrap_or_default()
    }

    /// For the session's head.
    #[must_use]
    pub fn write(&self) -> Value {
        serde_json::to_value(self).unwrap_or(Value::Null)
    }
}
