//! Calls that people changed before they ran, and calls that changed after people said yes.
//!
//! Owns what the model is told about both. Never changes a call itself.

use super::Session;
use crate::protocol::{Call, Item, ToolOutcome};

/// Why people are asked a second time.
pub(super) const CHANGED: &str = "What was approved has changed since, so that yes no longer counts.";

/// The model knows the arguments that it wrote; if a person wrote others, the result says which.
pub(super) fn told_of_edit(call: &Call, change: Option<&str>, mut outcome: ToolOutcome) -> ToolOutcome {
    if call.edited {
        let change = change.map(|diff| format!(" What changed:\n{diff}")).unwrap_or_default();
        outcome.output = format!(
            "(A person edited this call before approving it. Its arguments were then: {}{change})\n{}",
            call.proposed.arguments, outcome.output
        );
    }
    outcome
}

/// The arguments that the model wrote, where a person has changed them since.
pub(super) fn written_by_model<'s>(session: &'s Session, call: &Call) -> Option<&'s serde_json::Value> {
    let last = session.items().iter().rev().find_map(|item| match &**item {
        Item::Assistant { calls, .. } => Some(calls),
        _ => None,
    })?;
    last.iter()
        .find(|written| call.edited && written.id == call.proposed.id)
        .map(|written| &written.arguments)
}
