//! The words that the loop itself puts before the model. The texts live in `prompts/`.
//!
//! The system prompt has a stable part first (the same for every session of a build with the same
//! tools, so that providers can cache it across sessions), then the facts of this session, which stay
//! the same from step to step. What a tool needs taught is taught only where that tool exists.

use std::sync::Arc;

use super::budget::MoneyRules;
use super::tool::{Ownership, Place};
use super::{Session, Toolbox};
use crate::clock::Timestamp;
use crate::protocol::Door;
use crate::protocol::money::dollars;

const SYSTEM: &str = include_str!("../../prompts/system.md");
const TRAINING: &str = include_str!("../../prompts/training.md");
const SLACK: &str = include_str!("../../prompts/door_slack.md");
const TERMINAL: &str = include_str!("../../prompts/door_terminal.md");
/// About how many bytes a system prompt has.
pub(super) const SYSTEM_BYTES: usize = SYSTEM.len() + TRAINING.len() + SLACK.len() + 500;
/// What the summary model is told.
pub(super) const SUMMARY: &str = include_str!("../../prompts/summary.md");

/// What is taught only where a tool of this name is offered, in this order.
const WITH_TOOLS: [(&str, &str); 5] = [
    ("research", include_str!("../../prompts/with/research.md")),
    ("hf_papers", include_str!("../../prompts/with/hf_papers.md")),
    ("sandbox_create", include_str!("../../prompts/with/sandbox_create.md")),
    ("hf_jobs", include_str!("../../prompts/with/hf_jobs.md")),
    // There is no tool for it: jobs report to it.
    ("hf_jobs", include_str!("../../prompts/with/trackio.md")),
];

/// The system prompt of this session; the same at every step.
#[must_use]
pub fn system(session: &Session, place: &Place, toolbox: &Toolbox, money: &MoneyRules) -> Arc<str> {
    let mut text = String::with_capacity(12_000);
    text.push_str(SYSTEM);
    text.push('\n');
    text.push_str(TRAINING);
    for (tool, lesson) in WITH_TOOLS {
        if toolbox.find(tool).is_some() {
            text.push('\n');
            text.push_str(lesson);
        }
    }
    text.push_str("\n# This session\n");
    text.push_str(match place.door {
        Door::Slack => SLACK,
        Door::Terminal => TERMINAL,
    });
    let folder = match place.ownership {
        Ownership::Session => "a folder of this session's own, empty when it began",
        Ownership::Person => "the person's own folder: be careful with what was there before",
    };
    text.push_str(&format!("- Files and commands: {folder}. Relative paths start there.\n"));
    text.push_str(&format!("- You have {} tools; there are no others.\n", toolbox.specs().len()));
    text.push_str(&budget(money));
    text.push_str(&format!(
        "- It began on {}.\n",
        spoken(session.head.created_at, session.head.zone.as_deref())
    ));
    text.into()
}

/// What the model is told of the session's money. What was spent is not in it: it would change at
/// every step.
fn budget(money: &MoneyRules) -> String {
    let mut line = match money.session_limit {
        Some(limit) => format!("- Money: this session may spend {} in all.", dollars(limit)),
        None => "- Money: people, channels and the team may have budgets; a call that none pays says so."
            .to_owned(),
    };
    if money.warn_at > 0 {
        line.push_str(&format!(
            " People are asked at {} and each time that doubles.",
            dollars(money.warn_at)
        ));
    }
    line.push('\n');
    line
}

/// What the model is told when a turn begins on another day than the one before.
#[must_use]
pub fn another_day(before: Timestamp, now: Timestamp, zone: Option<&str>) -> Option<String> {
    let day = |at| zoned(at, zone).map(|moment| moment.date());
    (day(before)? != day(now)?).then(|| format!("It is now {}.", spoken(now, zone)))
}

fn zoned(at: Timestamp, zone: Option<&str>) -> Option<jiff::Zoned> {
    let moment = jiff::Timestamp::from_millisecond(at.0).ok()?;
    let zone = zone.and_then(|name| jiff::tz::TimeZone::get(name).ok()).unwrap_or(jiff::tz::TimeZone::UTC);
    Some(moment.to_zoned(zone))
}

/// A moment in words, in this zone (UTC if it is unknown): `Wednesday, 25 November 2026, 18:30 (Europe/Paris)`.
fn spoken(at: Timestamp, zone: Option<&str>) -> String {
    zoned(at, zone).map_or_else(String::new, |moment| {
        let name = moment.time_zone().iana_name().unwrap_or("UTC").to_owned();
        format!("{} ({name})", moment.strftime("%A, %-d %B %Y, %H:%M"))
    })
}

pub(super) fn limit_reached(limit: u32) -> String {
    format!(
        "I stopped here because one request may take at most {limit} model calls and this one used them \
         all. The work so far is kept. Say \"go on\" to continue, or tell me what to do differently."
    )
}

pub(super) fn too_long_hint() -> String {
    "The conversation no longer fits the model's window, and shortening it did not help. Start over in a \
     new thread (or with `!new`), or switch to a model with a larger window."
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    // 2026-11-25 23:30 UTC
    const LATE: Timestamp = Timestamp(1_795_649_400_000);

    #[test]
    fn moments_are_told_in_the_reader_s_zone() {
        assert_eq!(spoken(LATE, None), "Wednesday, 25 November 2026, 23:30 (UTC)");
        assert_eq!(spoken(LATE, Some("Europe/Paris")), "Thursday, 26 November 2026, 00:30 (Europe/Paris)");
        assert_eq!(spoken(LATE, Some("No/Where")), "Wednesday, 25 November 2026, 23:30 (UTC)");
    }

    #[test]
    fn a_new_day_is_told_once_it_has_begun_where_the_person_is() {
        let later = Timestamp(LATE.0 + 45 * 60 * 1000);
        assert_eq!(another_day(LATE, later, Some("Europe/Paris")), None);
        assert_eq!(
            another_day(LATE, later, None).as_deref(),
            Some("It is now Thursday, 26 November 2026, 00:15 (UTC).")
        );
    }

    #[test]
    fn the_budget_is_told_as_it_is_configured() {
        let five = 5 * crate::protocol::money::DOLLAR;
        let told = budget(&MoneyRules { session_limit: Some(2 * five), warn_at: five, yolo_cap: five });
        assert_eq!(
            told,
            "- Money: this session may spend $10.00 in all. People are asked at $5.00 and each time that doubles.\n"
        );
        let told = budget(&MoneyRules { session_limit: None, warn_at: 0, yolo_cap: five });
        assert!(told.contains("may have budgets") && !told.contains("doubles"), "{told}");
    }

    #[test]
    fn lessons_are_for_tools_that_exist() {
        for (tool, lesson) in WITH_TOOLS {
            assert!(lesson.starts_with("# ") && lesson.ends_with('\n'), "{tool}");
            for name in ["research", "hf_papers", "sandbox_create", "hf_jobs", "trackio"] {
                assert!(!SYSTEM.contains(&format!("`{name}`")) && !TRAINING.contains(&format!("`{name}`")));
            }
        }
    }
}
