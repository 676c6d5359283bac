//! What the session's money allows: caps, warnings, and the words about both. Pure.
//!
//! Never spends and never asks anybody itself; [`super::purse`] is whose money it is, `paid` the one way
//! to a model. Amounts are micro-dollars.

use super::purse::Standing;
use crate::protocol::{Period, Scope};

/// What configuration says of money, for the loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MoneyRules {
    /// People are asked when a session has spent this much, and each time that doubles; 0 never asks.
    pub warn_at: u64,
    /// How much a session may spend on auto-approval before it pauses, where people set no other cap.
    pub yolo_cap: u64,
}

impl Default for MoneyRules {
    fn default() -> Self {
        Self { warn_at: 5_000_000, yolo_cap: 5_000_000 }
    }
}

/// Why an account pays no more, and what to do about it.
#[must_use]
pub fn short_words(account: &Standing, wanted: u64) -> (String, String) {
    let limit = account.limit.unwrap_or_default();
    let mut reason = format!(
        "{} is used up: {} of {} spent",
        budget_name(&account.account.scope, &account.account.period),
        dollars(account.balance.spent),
        dollars(limit),
    );
    if account.balance.reserved > 0 {
        reason.push_str(&format!(", {} set aside for what runs now", dollars(account.balance.reserved)));
    }
    reason.push_str(&format!("; this would take up to {}.", dollars(wanted)));
    let hint = match &account.resets {
        Some(when) => format!("It starts again at {when}. "),
        None => String::new(),
    } + "Whoever runs me can raise it in the configuration (`budgets`).";
    (reason, hint)
}

/// A budget by the name that people know it by.
#[must_use]
pub fn budget_name(scope: &Scope, period: &Period) -> String {
    let whose = match scope {
        Scope::Session(_) => "the budget of this session",
        Scope::Person(_) => "your budget",
        Scope::Channel(_) => "the budget of this channel",
        Scope::Team => "the team's budget",
    };
    match period {
        Period::Whole => whose.to_owned(),
        Period::Day(_) => format!("{whose} for today"),
        Period::Month(_) => format!("{whose} for this month"),
    }
}

/// Micro-dollars as people read them: cents, and more digits only where cents would show nothing.
#[must_use]
pub fn dollars(micros: u64) -> String {
    let cents = micros.div_ceil(10_000);
    if micros > 0 && micros < 10_000 {
        return "under $0.01".to_owned();
    }
    format!("${}.{:02}", cents / 100, cents % 100)
}
