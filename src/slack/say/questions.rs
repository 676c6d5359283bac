//! What the bot says of questions: who may answer and must agree, until when, and how they ended.

use super::date;
use crate::protocol::{Decision, Verdict};

/// How many must agree, and who has. Names must be escaped.
#[must_use]
pub fn agreed(needed: u32, names: &[String]) -> String {
    match names {
        [] => format!("{needed} people must agree"),
        names => format!("{} of {needed} agreed: {}", names.len(), names.join(", ")),
    }
}

/// A cost that nobody knows. `why` must be escaped.
#[must_use]
pub fn unknown_cost(why: &str) -> String {
    format!("Costs an unknown amount: {why}")
}

/// Above what a person changed.
pub const EDITED: &str = "Edited. What changed against what was proposed:";

/// One of a group. `name` must be escaped.
#[must_use]
pub fn members(name: &str) -> String {
    format!("members of {name}")
}

/// Only who is in every one of these may answer.
#[must_use]
pub fn in_all(parts: &[String]) -> String {
    format!("whoever is among each of these: {}", parts.join("; "))
}

/// Nobody may answer.
pub const NOBODY: &str = "nobody (the rules leave no one)";
/// Anyone in the channel.
pub const ANYONE: &str = "anyone here";
/// Anyone in the channel but who asked.
pub const ANYONE_ELSE: &str = "anyone here except who asked";

/// A question is nearly out of time. `who` must be escaped.
#[must_use]
pub fn reminder(who: &str, seconds: i64) -> String {
    format!(
        ":hourglass_flowing_sand: The question above still waits for an answer, {}. {who}.",
        until(seconds)
    )
}

/// Who may answer. `people` must be escaped.
#[must_use]
pub fn may_answer(people: &str) -> String {
    format!("May be answered by {people}")
}

/// Until when an answer counts.
#[must_use]
pub fn until(seconds: i64) -> String {
    format!("until {}", date(seconds))
}

/// What a decided card says. `voters` are all who agreed, escaped; `escape` makes what else people wrote
/// safe; times are Slack dates.
#[must_use]
pub fn decided(decision: &Decision, voters: &[String], escape: impl Fn(&str) -> String) -> String {
    match decision {
        Decision::Decided { name, verdict, at, .. } => {
            let yes = !matches!(verdict, Verdict::Reject { .. });
            let who = if yes && voters.len() > 1 { voters.join(" and ") } else { escape(name) };
            let when = date(at.seconds());
            match verdict {
                Verdict::Approve => format!(":white_check_mark: Approved by {who}, {when}"),
                Verdict::ApproveForSession => {
                    format!(":white_check_mark: Approved for this session by {who}, {when}")
                }
                Verdict::Edit { .. } => format!(":pencil2: Edited and approved by {who}, {when}"),
                Verdict::Reject { reason: None } => format!(":no_entry: Rejected by {who}, {when}"),
                Verdict::Reject { reason: Some(reason) } => {
                    format!(":no_entry: Rejected by {who}, {when}: {}", escape(reason))
                }
            }
        }
        Decision::Expired { at } => {
            format!(":hourglass: Expired {} without an answer; nothing was run", date(at.seconds()))
        }
        Decision::Abandoned { name, at } => {
            format!(
                ":leftwards_arrow_with_hook: Overtaken by {}, {}; nothing was run",
                escape(name),
                date(at.seconds())
            )
        }
    }
}
