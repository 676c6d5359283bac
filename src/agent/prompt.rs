//! The words that the loop itself puts before the model. The texts live in `prompts/`.
//!
//! The stable part of the system prompt comes first and facts of the session after it, so that
//! providers can cache it across sessions and steps.

use std::sync::Arc;

use super::Session;
use super::tool::{Ownership, Place};
use crate::protocol::{Door, Ending};

const SYSTEM: &str = include_str!("../../prompts/system.md");
const CUT_BY_LENGTH: &str = include_str!("../../prompts/cut_by_length.md");
/// What the summary model is told.
pub(super) const SUMMARY: &str = include_str!("../../prompts/summary.md");

/// The system prompt of this session; the same at every step.
#[must_use]
pub fn system(session: &Session, place: &Place) -> Arc<str> {
    let door = match place.door {
        Door::Slack => "a Slack thread. Answers are shown as Markdown; very long ones become a file",
        Door::Terminal => "a terminal",
    };
    let folder = match place.ownership {
        Ownership::Session => "a folder of this session's own, empty when it began",
        Ownership::Person => "the person's own folder: be careful with what was there before",
    };
    let began = jiff::Timestamp::from_millisecond(session.head.created_at.0)
        .map(|moment| moment.strftime("%A, %-d %B %Y, %H:%M UTC").to_string())
        .unwrap_or_default();
    format!(
        "{SYSTEM}\n# This session\n- It lives in {door}.\n- It began on {began}.\n- Files and commands: {folder}. Relative paths start there.\n"
    )
    .into()
}

pub(super) fn cut_by_length(names: &[&str]) -> String {
    CUT_BY_LENGTH.replace("{names}", &names.join(", "))
}

pub(super) fn limit_reached(limit: u32) -> String {
    format!(
        "I stopped here because one request may take at most {limit} model calls and this one used them \
         all. The work so far is kept. Say \"go on\" to continue, or tell me what to do differently."
    )
}

pub(super) fn filtered() -> Ending {
    Ending::Failed {
        error: "The provider withheld the model's answer.".to_owned(),
        hint: Some("Rephrase the request, or switch to another model.".to_owned()),
        retry: true,
    }
}

pub(super) fn too_long_hint() -> String {
    "The conversation no longer fits the model's window, and shortening it did not help. Start over in a \
     new thread (or with `!new`), or switch to a model with a larger window."
        .to_owned()
}
