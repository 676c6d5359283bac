//! What the session's money allows: caps, warnings, and the words about both. Pure.
//!
//! Never spends and never asks anybody itself; [`super::purse`] is whose money it is, `paid` the one way
//! to a model, `pledges` what calls of tools cost. Amounts are micro-dollars. Start at [`doubt`] (before a
//! call of a tool) and [`due`] (before a call of a model).

use super::policy::Need;
use super::purse::Standing;
use crate::protocol::money::{DOLLAR, dollars};
use crate::protocol::{Cost, Grant, Period, Scope, Settings};

/// What configuration says of money, for the loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MoneyRules {
    /// People are asked when a session has spent this much, and each time that doubles; 0 never asks.
    pub warn_at: u64,
    /// How much a session may spend on auto-approval before it pauses, where people set no other cap.
    pub yolo_cap: u64,
    /// What one session may spend, if that is limited; the ledger keeps to it, the model is told.
    pub session_limit: Option<u64>,
}

impl Default for MoneyRules {
    fn default() -> Self {
        Self { warn_at: 5 * DOLLAR, yolo_cap: 5 * DOLLAR, session_limit: None }
    }
}

/// How far auto-approval reaches in one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    /// The cap on what the session spends.
    pub cap: u64,
    /// What it has spent, and what its calls that were allowed already may cost.
    pub spent: u64,
}

impl Reach {
    fn left(self) -> u64 {
        self.cap.saturating_sub(self.spent)
    }
}

/// Why a call must be asked about because of its cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    /// Nobody knows what it costs.
    UnknownCost(String),
    /// It goes past what auto-approval may spend.
    PastCap(String),
}

impl Doubt {
    /// The sentence that people read.
    #[must_use]
    pub fn words(&self) -> &str {
        match self {
            Self::UnknownCost(words) | Self::PastCap(words) => words,
        }
    }
}

/// Whether a call must be asked about because of its cost. `reach` is there while auto-approval is on.
#[must_use]
pub fn doubt(cost: &Cost, need: Need, reach: Option<Reach>) -> Option<Doubt> {
    match (cost, reach) {
        (Cost::Unknown(why), _) => Some(Doubt::UnknownCost(format!(
            "What it costs is not known: {}.",
            why.trim().trim_end_matches('.')
        ))),
        (Cost::AtMost(cost), Some(reach)) if need >= Need::Yes && *cost > reach.left() => {
            Some(Doubt::PastCap(format!(
                "It may cost up to {}, and auto-approval has {} left of its {}.",
                dollars(*cost),
                dollars(reach.left()),
                dollars(reach.cap),
            )))
        }
        _ => None,
    }
}

/// What the session spends before people are asked whether to go on; `None` if they never are.
#[must_use]
pub fn threshold(settings: &Settings, rules: &MoneyRules) -> Option<u64> {
    (rules.warn_at > 0).then(|| rules.warn_at.max(settings.spend_until))
}

/// The first of `threshold`, its double, and so on, that is more than what is spent.
#[must_use]
pub fn next_threshold(spent: u64, threshold: u64) -> u64 {
    let mut next = threshold.max(1);
    while next <= spent {
        next = next.saturating_mul(2);
        if next == u64::MAX {
            break;
        }
    }
    next
}

/// What people must be asked before the session spends more, if anything: the grant that a yes gives.
#[must_use]
pub fn due(spent: u64, settings: &Settings, yolo: bool, rules: &MoneyRules) -> Option<Grant> {
    let cap = settings.yolo_cap.unwrap_or(rules.yolo_cap);
    if yolo && spent > 0 && spent >= cap {
        return Some(Grant::YoloCap { micros: raised(cap, spent, rules.yolo_cap) });
    }
    let threshold = threshold(settings, rules)?;
    (spent >= threshold).then(|| Grant::SpendUntil { micros: next_threshold(spent, threshold) })
}

/// The cap, raised by the configured one (at least a dollar) until it is more than what is spent.
fn raised(cap: u64, spent: u64, by: u64) -> u64 {
    let by = by.max(DOLLAR);
    let times = spent.saturating_sub(cap) / by + 1;
    cap.saturating_add(by.saturating_mul(times))
}

/// What a yes changes.
pub fn grant(settings: &mut Settings, grant: &Grant) {
    match grant {
        Grant::SpendUntil { micros } => settings.spend_until = settings.spend_until.max(*micros),
        Grant::YoloCap { micros } => {
            settings.yolo_cap = Some(*micros);
            // Who let it spend so much without being asked does not want to be asked before that.
            settings.spend_until = settings.spend_until.max(*micros);
        }
        Grant::UnknownPrice { model } => {
            settings.unpriced.insert(model.clone());
        }
        // Of one piece of work, not of the session.
        Grant::Longer { .. } => {}
    }
}

/// Why an account pays no more, and what to do about it. `who` asked for what is to run.
#[must_use]
pub fn short_words(account: &Standing, wanted: u64, who: Option<&str>) -> (String, String) {
    let limit = account.limit.unwrap_or_default();
    let name = budget_name(&account.account.scope, &account.account.period, who);
    let mut reason =
        format!("{name} has not enough left: {} of {} spent", dollars(account.balance.spent), dollars(limit));
    if account.balance.reserved > 0 {
        reason.push_str(&format!(", {} set aside for what runs now", dollars(account.balance.reserved)));
    }
    reason.push_str(&format!(", and this may take up to {}.", dollars(wanted)));
    let again =
        account.resets.as_ref().map(|when| format!("It starts again at {when}. ")).unwrap_or_default();
    (reason, again + "Whoever runs me can raise it in the configuration, under `budgets`.")
}

/// A budget by the name that people know it by.
#[must_use]
pub fn budget_name(scope: &Scope, period: &Period, who: Option<&str>) -> String {
    let whose = match scope {
        Scope::Session(_) => "the budget of this session".to_owned(),
        Scope::Person(_) => format!("the budget of {}", who.unwrap_or("who asked")),
        Scope::Channel(_) => "the budget of this channel".to_owned(),
        Scope::Team => "the team's budget".to_owned(),
    };
    match period {
        Period::Whole => whose,
        Period::Day(_) => format!("{whose} for today"),
        Period::Month(_) => format!("{whose} for this month"),
    }
}

#[cfg(test)]
#[path = "budget_tests.rs"]
mod tests;
