//! The card of a question about money alone: going on past a sum, a model of unknown price. Pure.
//!
//! Says what was spent in plain lines, and has no more than a yes and a no.

use super::markdown::{cut, escape_mrkdwn, one_line};
use crate::protocol::ApprovalRequest;
use crate::slack::say;

/// Whether a question is about money alone, without a call that would run.
#[must_use]
pub fn is_about_money(request: &ApprovalRequest) -> bool {
    request.grant.is_some()
}

/// The headline, escaped.
#[must_use]
pub fn headline(request: &ApprovalRequest) -> String {
    let titles: Vec<String> = request.calls.iter().map(|call| one_line(&call.title, 200)).collect();
    say::go_on(&escape_mrkdwn(&titles.join("; ")))
}

/// What was spent so far, a line each, escaped.
#[must_use]
pub fn so_far(request: &ApprovalRequest) -> String {
    let lines: Vec<&str> = request.calls.iter().flat_map(|call| call.preview.lines()).collect();
    escape_mrkdwn(&cut(&lines.join("\n"), 2_000))
}
