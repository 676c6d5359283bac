//! The configured rules about approvals, as the agent judges by them.
//!
//! Only translates: what makes no sense was refused when the configuration was loaded.

use std::time::Duration;

use crate::agent::Toolbox;
use crate::agent::rules::{Approvals, CallRule, Conditions, Demand, Floor, Pattern, Voters, Who};
use crate::config::{ApprovalRule, ApprovalsConfig, RuleVerdict, WhoApproves};
use crate::protocol::PersonId;

/// The whole section.
pub(super) fn approvals(config: &ApprovalsConfig) -> Approvals {
    Approvals {
        ttl: Duration::from_secs(config.expires_after_s),
        remind_before: config.remind_before_s.map(Duration::from_secs),
        on_expiry: config.on_expiry,
        by: voters(config.who, &config.approvers, &config.approver_groups),
        rules: config.rules.iter().enumerate().map(|(at, rule)| call_rule(at, rule, config)).collect(),
    }
}

/// Says in the log which rules name a tool that there is not: they would never be met.
pub(super) fn look_for_idle_rules(approvals: &Approvals, toolbox: &Toolbox) {
    let specs = toolbox.specs();
    for rule in &approvals.rules {
        if let Some(tool) = &rule.when.tool
            && !specs.iter().any(|spec| tool.fits(&spec.name))
        {
            tracing::warn!(rule = %rule.name, "this approval rule names a tool that there is not");
        }
    }
}

fn call_rule(at: usize, rule: &ApprovalRule, config: &ApprovalsConfig) -> CallRule {
    let pattern = |text: &Option<String>| text.as_deref().map(Pattern::new);
    let listed = |own: &[String], all: &[String]| {
        let none = rule.approvers.is_empty() && rule.approver_groups.is_empty();
        if none { all.to_vec() } else { own.to_vec() }
    };
    let people = listed(&rule.approvers, &config.approvers);
    let groups = listed(&rule.approver_groups, &config.approver_groups);
    CallRule {
        name: rule.label(at),
        when: Conditions {
            tool: pattern(&rule.tool),
            operation: pattern(&rule.operation),
            arguments: rule.arguments.iter().map(|(name, text)| (name.clone(), Pattern::new(text))).collect(),
            cost_over: rule.cost_over_usd.map(|sum| sum.0),
            channel: rule.channel.clone(),
            person: rule.person.clone().map(PersonId),
            user_group: rule.user_group.clone(),
        },
        demand: Demand {
            floor: rule.verdict.map(|verdict| match verdict {
                RuleVerdict::Ask => Floor::Ask,
                RuleVerdict::AlwaysAsk => Floor::AlwaysAsk,
                RuleVerdict::Never => Floor::Never,
            }),
            who: rule.who.map(|who| voters(who, &people, &groups)),
            needed: rule.needed,
            ttl: rule.expires_after_s.map(Duration::from_secs),
            remind_before: rule.remind_before_s.map(Duration::from_secs),
            on_expiry: rule.on_expiry,
        },
    }
}

fn voters(who: WhoApproves, people: &[String], groups: &[String]) -> Voters {
    Voters {
        who: match who {
            WhoApproves::RequesterAndListed => Who::RequesterAndListed,
            WhoApproves::Listed => Who::Listed,
            WhoApproves::AnyoneButRequester => Who::AnyoneButRequester,
            WhoApproves::Anyone => Who::Anyone,
        },
        people: people.iter().cloned().map(PersonId).collect(),
        groups: groups.to_vec(),
    }
}
