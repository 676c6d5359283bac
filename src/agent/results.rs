//! Results of calls in the transcript. Every call gets exactly one, right behind the step that asked for it.

use super::approve::state_change;
use super::{EventSink, Session};
use crate::protocol::{CallStatus, Event, Item, ProposedCall, ToolOutcome, TurnState};

/// Gives every call of the step that has no result yet one that says `words`.
pub fn close_open_calls(session: &mut Session, words: &str) -> Vec<Event> {
    // Ids may come again in a later step: what was marked and never ran must not be found there.
    session.in_hand.clear();
    let Some(TurnState::Calling { calls } | TurnState::Waiting { calls, .. } | TurnState::Away { calls, .. }) =
        session.head.turn.as_mut().map(|turn| &mut turn.state)
    else {
        return Vec::new();
    };
    let mut open = Vec::new();
    for call in calls.iter_mut().filter(|call| call.status != CallStatus::Done) {
        call.status = CallStatus::Done;
        open.push(call.proposed.clone());
    }
    let mut events = Vec::new();
    for call in open {
        events.push(state_change(&call, "cancelled"));
        session.push(Item::ToolResult {
            call: call.id,
            tool: call.tool,
            output: words.to_owned(),
            success: false,
        });
    }
    events
}

pub(super) fn push_result(
    session: &mut Session,
    call: &ProposedCall,
    outcome: &ToolOutcome,
    sink: &dyn EventSink,
) {
    sink.show(&result(session, call, outcome));
}

/// Puts the result of a call into the transcript; gives the event that shows it.
pub(super) fn result(session: &mut Session, call: &ProposedCall, outcome: &ToolOutcome) -> Event {
    session.push(Item::ToolResult {
        call: call.id.clone(),
        tool: call.tool.clone(),
        output: outcome.output.clone(),
        success: outcome.success,
    });
    Event::ToolOutput {
        tool: call.tool.clone(),
        tool_call_id: call.id.clone(),
        output: outcome.output.clone(),
        success: outcome.success,
    }
}
