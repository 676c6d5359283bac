//! What a transcript tells of its turns: where each begins and ends, for undo and fork. Pure.
//!
//! Turns are counted from 1 by the requests that open one ([`Item::User`]); those that a summary stands
//! for keep their numbers. What the loop itself says never counts. Start at [`part`] and [`last_turn`].

use std::sync::Arc;

use crate::protocol::{Item, PlanItem};

/// The first turns of a transcript, whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// How many turns.
    pub turns: u64,
    /// How many items they take.
    pub length: usize,
}

/// Why a transcript cannot be parted where somebody wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoPart {
    /// Nobody has been answered yet.
    #[error("there is no finished request here yet")]
    Nothing,
    /// There are not so many turns, or the last of them is still in hand.
    #[error("the last finished request here is number {last}")]
    TooLate {
        /// The last one that is finished.
        last: u64,
    },
    /// The turn ends inside a summary.
    #[error(
        "the history was shortened since, and what came right after that request is only in a summary; \
         the earliest request that can be parted from is number {earliest}"
    )]
    Summarised {
        /// The earliest that ends outside of one.
        earliest: u64,
    },
}

/// How far the work on a transcript's last turn is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Last {
    /// It has ended.
    Over,
    /// It is still in hand.
    InHand,
}

/// The transcript up to the end of this turn; `None` for the last one that has ended.
///
/// # Errors
/// Says where it can be parted instead.
pub fn part(items: &[Arc<Item>], last: Last, turn: Option<u64>) -> Result<Part, NoPart> {
    let (mut parts, all) = ends(items);
    if last == Last::InHand && parts.last().is_some_and(|part| part.turns == all) {
        parts.pop();
    }
    let latest = *parts.last().ok_or(NoPart::Nothing)?;
    let wanted = turn.unwrap_or(latest.turns);
    if wanted > latest.turns {
        return Err(NoPart::TooLate { last: latest.turns });
    }
    let earliest = parts.first().map_or(latest.turns, |part| part.turns);
    parts.into_iter().find(|part| part.turns == wanted).ok_or(NoPart::Summarised { earliest })
}

/// Every turn that ends outside of a summary, and how many turns there are.
fn ends(items: &[Arc<Item>]) -> (Vec<Part>, u64) {
    let mut parts = Vec::new();
    let mut turns = 0;
    for (at, item) in items.iter().enumerate() {
        match **item {
            Item::User { opens: true, .. } => {
                if turns > 0 {
                    parts.push(Part { turns, length: at });
                }
                turns += 1;
            }
            // The turn before ends somewhere in here.
            Item::Summary { turns: more, .. } => turns += more,
            _ => {}
        }
    }
    if turns > 0 {
        parts.push(Part { turns, length: items.len() });
    }
    (parts, turns)
}

/// How many turns began in these items, those behind summaries included.
#[must_use]
pub fn count(items: &[Arc<Item>]) -> u64 {
    ends(items).1
}

/// Where the last turn begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastTurn {
    /// There is none.
    None,
    /// At this item; what people added while it was in hand belongs to it.
    At(usize),
    /// Inside a summary: it cannot be taken out alone.
    Summarised,
}

/// Where the last turn begins.
#[must_use]
pub fn last_turn(items: &[Arc<Item>]) -> LastTurn {
    for (at, item) in items.iter().enumerate().rev() {
        match **item {
            Item::User { opens: true, .. } => return LastTurn::At(at),
            Item::Summary { turns, .. } if turns > 0 => return LastTurn::Summarised,
            _ => {}
        }
    }
    LastTurn::None
}

/// The plan as these items leave it: what the last call that was answered well has set. `None` if no call
/// in them has set one.
#[must_use]
pub fn plan_after(items: &[Arc<Item>]) -> Option<Vec<PlanItem>> {
    let mut well = Vec::new();
    for item in items.iter().rev() {
        match &**item {
            Item::ToolResult { call, tool, success: true, .. } if tool == "plan_tool" => well.push(call),
            Item::Assistant { calls, .. } => {
                let set = calls.iter().rev().filter(|call| well.contains(&&call.id));
                let plan =
                    set.filter_map(|call| serde_json::from_value(call.arguments["todos"].clone()).ok());
                if let Some(plan) = plan.into_iter().next() {
                    return Some(plan);
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
#[path = "past_tests.rs"]
mod tests;
