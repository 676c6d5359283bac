//! When people are asked, who may answer, how many must agree, and what happens if nobody does.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::protocol::{OnExpiry, Usd};

/// Approvals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ApprovalsConfig {
    /// Seconds until an unanswered question expires.
    pub expires_after_s: u64,
    /// Seconds before that at which people are reminded; null never reminds.
    pub remind_before_s: Option<u64>,
    /// What happens when nobody answers in time.
    pub on_expiry: OnExpiry,
    /// Slack user ids who may answer besides the requester. Empty: only `who` decides.
    pub approvers: Vec<String>,
    /// Slack user groups whose members may answer besides the requester, by their id (`S…`).
    pub approver_groups: Vec<String>,
    /// Who may answer.
    pub who: WhoApproves,
    /// Rules for certain calls. All that match count; of what they say, the strictest.
    pub rules: Vec<ApprovalRule>,
}

/// Who may answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhoApproves {
    /// The person who asked, and the listed approvers.
    #[default]
    RequesterAndListed,
    /// Only the listed approvers.
    Listed,
    /// Anyone who may talk to the agent there, but not the person who asked.
    AnyoneButRequester,
    /// Anyone who may talk to the agent there.
    Anyone,
}

/// A rule: which calls it is about (all conditions must hold), and what it demands of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ApprovalRule {
    /// A name, shown as the reason.
    pub name: Option<String>,
    /// The tool; `*` stands for any run of characters, here, in the operation and in arguments.
    pub tool: Option<String>,
    /// The tool's operation.
    pub operation: Option<String>,
    /// Arguments by name, each matched as text; dots reach into objects.
    pub arguments: BTreeMap<String, String>,
    /// Only calls that may cost more than this. A call of unknown cost does.
    pub cost_over_usd: Option<Usd>,
    /// The channel's id.
    pub channel: Option<String>,
    /// The id of the person who asked.
    pub person: Option<String>,
    /// A user group that the person who asked belongs to.
    pub user_group: Option<String>,

    /// What is demanded. It can only make a call stricter than the tool itself does. A rule that says
    /// `who` or a `needed` above 1, and no verdict, means `always_ask`.
    pub verdict: Option<RuleVerdict>,
    /// Who may answer; null leaves that to other rules and to the defaults.
    pub who: Option<WhoApproves>,
    /// Who `listed` means in this rule; empty takes the configured approvers.
    pub approvers: Vec<String>,
    /// User groups that `listed` means in this rule.
    pub approver_groups: Vec<String>,
    /// How many different people must say yes.
    pub needed: Option<u32>,
    /// Seconds until the question expires.
    pub expires_after_s: Option<u64>,
    /// Seconds before that at which people are reminded.
    pub remind_before_s: Option<u64>,
    /// What happens when nobody answers in time.
    pub on_expiry: Option<OnExpiry>,
}

/// What a rule demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RuleVerdict {
    /// People are asked, unless the session allows it (auto-approval, "approve for this session").
    Ask,
    /// People are asked each time.
    AlwaysAsk,
    /// It may not run.
    Never,
}

impl ApprovalRule {
    /// What people call the rule that stands at this place of the list.
    #[must_use]
    pub fn label(&self, at: usize) -> String {
        self.name.clone().unwrap_or_else(|| format!("number {}", at + 1))
    }

    /// Whether it says which calls it is about.
    #[must_use]
    pub fn has_condition(&self) -> bool {
        let texts = [&self.tool, &self.operation, &self.channel, &self.person, &self.user_group];
        texts.iter().any(|text| text.is_some()) || !self.arguments.is_empty() || self.cost_over_usd.is_some()
    }

    /// Whether it demands anything.
    #[must_use]
    pub fn has_demand(&self) -> bool {
        let times = [self.expires_after_s, self.remind_before_s];
        self.verdict.is_some()
            || self.who.is_some()
            || self.needed.is_some()
            || self.on_expiry.is_some()
            || times.iter().any(Option::is_some)
    }
}

impl ApprovalsConfig {
    /// Every user group that is named anywhere in the section, each once.
    #[must_use]
    pub fn groups(&self) -> Vec<String> {
        let of_rules = self.rules.iter().flat_map(|rule| rule.approver_groups.iter().chain(&rule.user_group));
        let mut groups: Vec<String> = self.approver_groups.iter().chain(of_rules).cloned().collect();
        groups.sort();
        groups.dedup();
        groups
    }
}

impl Default for ApprovalsConfig {
    fn default() -> Self {
        Self {
            expires_after_s: 24 * 60 * 60,
            remind_before_s: Some(60 * 60),
            on_expiry: OnExpiry::GoOn,
            approvers: Vec::new(),
            approver_groups: Vec::new(),
            who: WhoApproves::default(),
            rules: Vec::new(),
        }
    }
}
