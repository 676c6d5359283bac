//! What a crash left behind: calls that were marked `Started` by a process that is gone; and what an orderly
//! end takes back, so that nothing is left behind.

use super::{
    Session, Toolbox,
    approve::state_change,
    tool::{Effect, Place},
};
use crate::protocol::{Call, CallStatus, Event, Item, TurnState};

/// Makes a freshly loaded session fit to go on. A call that only reads may run again; any other gets
/// a result that says its outcome is unknown. Without a place nothing is known of any call. Gives the
/// events that tell people.
pub fn recover(session: &mut Session, toolbox: &Toolbox, place: Option<&Place>) -> Vec<Event> {
    let Some(turn) = session.head.turn.as_mut() else { return Vec::new() };
    let (TurnState::Calling { calls } | TurnState::Waiting { calls, .. }) = &mut turn.state else {
        return Vec::new();
    };
    let mut results = Vec::new();
    let mut events = Vec::new();
    for call in calls.iter_mut().filter(|call| call.status == CallStatus::Started) {
        let only_reads = place
            .and_then(|place| toolbox.assess(&call.proposed, place).ok())
            .is_some_and(|assessment| assessment.effect == Effect::Reads);
        if only_reads {
            call.status = CallStatus::Allowed;
            continue;
        }
        call.status = CallStatus::Done;
        events.push(state_change(&call.proposed, "unknown"));
        results.push(Item::ToolResult {
            call: call.proposed.id.clone(),
            tool: call.proposed.tool.clone(),
            output: "Outcome unknown: the process was interrupted while this call ran, so it may have run \
                     fully, partly or not at all. It was not repeated. Check what it left behind before \
                     you decide whether to run it again."
                .to_owned(),
            success: false,
        });
    }
    for result in results {
        session.push(result);
    }
    events
}

/// Takes back the marks of calls that were to run and have not begun: nobody must take them for calls that
/// may have run. Says whether there were any.
pub fn unmark(session: &mut Session) -> bool {
    let ids = std::mem::take(&mut session.in_hand);
    if let Some(TurnState::Calling { calls }) = session.head.turn.as_mut().map(|turn| &mut turn.state) {
        let marked = |call: &&mut Call| call.status == CallStatus::Started && ids.contains(&call.proposed.id);
        for call in calls.iter_mut().filter(marked) {
            call.status = CallStatus::Allowed;
        }
    }
    !ids.is_empty()
}
