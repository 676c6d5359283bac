//! What to cut from a transcript: pure, so that every rule about it can be read and tested here.
//!
//! ```text
//! first request | older work ...... | this turn's request | its work ...... | tail
//!   stays       | becomes a summary |   stays             | summary         | stays
//! ```
//!
//! Cuts only where every call before the cut has its result, oldest first, and no more than is needed.
//! The request of the last turn stays in its place, so that undo still finds where that turn began.

use std::ops::Range;
use std::sync::Arc;

use super::weigh::Weights;
use crate::protocol::Item;

/// What a summary is taken to weigh before it is written, in tokens.
const SUMMARY: u64 = 1_200;
/// Words that people added to the turn in hand: so many stay, the newest.
const KEPT_WORDS: usize = 8;

/// What a cut is to reach, in estimated tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Aim {
    /// What all items together may weigh afterwards.
    pub goal: u64,
    /// What stays word for word at the end, if it can.
    pub keep: u64,
    /// A cut that weighs less than this is not worth it.
    pub least: u64,
}

/// The stretches to replace by one summary each, oldest first; none if that would not help.
#[must_use]
pub fn plan(items: &[Arc<Item>], weights: &Weights, aim: &Aim) -> Vec<Range<usize>> {
    let start = items.iter().position(|item| is_request(item)).map_or(0, |at| at + 1);
    let end = boundary_from(items, tail(items, weights, start, aim));
    let allowance = SUMMARY.min(aim.goal / 8);
    let mut excess = weights.total().saturating_sub(aim.goal);
    let mut stretches = Vec::new();
    for gap in gaps(&(start..end), &kept_words(items, weights, &(start..end), aim.keep / 4)) {
        let gain = weights.between(&gap).saturating_sub(allowance);
        if excess == 0 {
            break;
        }
        if gain == 0 || is_summary_only(items, &gap) {
            continue;
        }
        let gap = if gain > excess {
            let enough = boundary_from(items, weights.passed(gap.start, excess + allowance));
            gap.start..enough.min(gap.end)
        } else {
            gap
        };
        excess = excess.saturating_sub(weights.between(&gap).saturating_sub(allowance));
        stretches.push(gap);
    }
    let cut: u64 = stretches.iter().map(|stretch| weights.between(stretch)).sum();
    if cut < aim.least { Vec::new() } else { stretches }
}

/// The first place at or behind `at` where the transcript may be parted: no call before it has its
/// result behind it.
#[must_use]
pub fn boundary_from(items: &[Arc<Item>], at: usize) -> usize {
    let rest = items.get(at..).unwrap_or_default();
    let same_step = rest.iter().take_while(|item| !matches!(***item, Item::Assistant { .. }));
    let results = same_step.enumerate().filter(|(_, item)| matches!(***item, Item::ToolResult { .. }));
    results.last().map_or(at, |(offset, _)| at + offset + 1).min(items.len())
}

/// Where the tail begins: as much as may be kept, and the last step whole if it is not too large.
fn tail(items: &[Arc<Item>], weights: &Weights, start: usize, aim: &Aim) -> usize {
    let at = boundary_from(items, weights.tail(start, aim.keep));
    if at < items.len() {
        return at;
    }
    let last = items.iter().rposition(|item| matches!(**item, Item::Assistant { .. }));
    last.filter(|last| *last >= start && weights.between(&(*last..items.len())) <= aim.goal / 2).unwrap_or(at)
}

/// Words of people that stay although the work around them is cut: the last turn's request, and the
/// newest of what was added to it.
fn kept_words(items: &[Arc<Item>], weights: &Weights, range: &Range<usize>, most: u64) -> Vec<usize> {
    let opener = items.iter().rposition(|item| is_request(item));
    let mut kept = Vec::new();
    let mut weight = 0;
    for at in (range.start.max(opener.map_or(0, |opener| opener + 1))..range.end).rev() {
        if matches!(*items[at], Item::User { .. }) {
            weight += weights.between(&(at..at + 1));
            if kept.len() >= KEPT_WORDS || weight > most {
                break;
            }
            kept.push(at);
        }
    }
    kept.extend(opener.filter(|opener| range.contains(opener)));
    kept.reverse();
    kept
}

/// What lies between the kept ones.
fn gaps(range: &Range<usize>, kept: &[usize]) -> Vec<Range<usize>> {
    let mut gaps = Vec::with_capacity(kept.len() + 1);
    let mut from = range.start;
    for at in kept {
        gaps.push(from..*at);
        from = at + 1;
    }
    gaps.push(from..range.end);
    gaps.retain(|gap| !gap.is_empty());
    gaps
}

fn is_request(item: &Item) -> bool {
    matches!(item, Item::User { opens: true, .. })
}

/// A summary of a summary helps nobody.
fn is_summary_only(items: &[Arc<Item>], gap: &Range<usize>) -> bool {
    items[gap.clone()].iter().all(|item| matches!(**item, Item::Summary { .. }))
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
