//! What makes no sense about approvals: rules that could never be met, or never be answered.
//!
//! Owns the sentences. Every one names its rule by the name that people gave it. Start at [`approvals`].

use super::approvals::{ApprovalRule, ApprovalsConfig, WhoApproves};

/// Everything wrong with the section; `say` takes a dotted path and a sentence.
pub(super) fn approvals(config: &ApprovalsConfig, mut say: impl FnMut(&str, String)) {
    if config.expires_after_s == 0 {
        say("approvals.expires_after_s", "0 was given, but at least 1 is expected".to_owned());
    }
    ids(&config.approvers, "UW", "a Slack user id (U…)", |id, wanted| {
        say("approvals.approvers", format!("{id:?} was given, but {wanted} is expected"));
    });
    ids(&config.approver_groups, "S", "the id of a user group (S…)", |id, wanted| {
        say("approvals.approver_groups", format!("{id:?} was given, but {wanted} is expected"));
    });
    if config.who == WhoApproves::Listed && config.approvers.is_empty() && config.approver_groups.is_empty() {
        say(
            "approvals.who",
            "it is `listed`, but nobody is listed: no question could be answered".to_owned(),
        );
    }
    for (at, rule) in config.rules.iter().enumerate() {
        let (path, name) = (format!("approvals.rules.{at}"), rule.label(at));
        one(rule, config, |message| say(&path, format!("the rule “{name}” {message}")));
    }
}

fn one(rule: &ApprovalRule, config: &ApprovalsConfig, mut say: impl FnMut(String)) {
    if !rule.has_condition() {
        say("says nothing of which calls it is about; give a condition (`\"tool\": \"*\"` for all calls)"
            .into());
    }
    if !rule.has_demand() {
        say("demands nothing; give `verdict`, `who`, `needed`, `expires_after_s` or `on_expiry`".into());
    }
    for (key, text) in [("tool", &rule.tool), ("operation", &rule.operation)] {
        let odd = |letter: char| !(letter.is_alphanumeric() || " _-.*/:".contains(letter));
        if let Some(text) = text.as_ref().filter(|text| text.is_empty() || text.contains(odd)) {
            say(format!("has {text:?} as `{key}`: a name is expected, in which only `*` stands for others"));
        }
    }
    for name in rule.arguments.keys().filter(|name| name.split('.').any(str::is_empty)) {
        say(format!("names the argument {name:?}: a name is expected, or names with dots between them"));
    }
    let of = [
        ("channel", &rule.channel, "CGD", "a channel's id (C…, G… or D…)"),
        ("person", &rule.person, "UW", "a Slack user id (U…)"),
        ("user_group", &rule.user_group, "S", "the id of a user group (S…)"),
    ];
    for (key, id, letters, wanted) in of {
        ids(id.as_slice(), letters, wanted, |id, wanted| {
            say(format!("has {id:?} as `{key}`, but {wanted} is expected"));
        });
    }
    ids(&rule.approvers, "UW", "a Slack user id (U…)", |id, wanted| {
        say(format!("has {id:?} among `approvers`, but {wanted} is expected"));
    });
    ids(&rule.approver_groups, "S", "the id of a user group (S…)", |id, wanted| {
        say(format!("has {id:?} among `approver_groups`, but {wanted} is expected"));
    });
    if rule.expires_after_s == Some(0) {
        say("has 0 as `expires_after_s`, but at least 1 is expected".into());
    }
    voters(rule, config, say);
}

/// Whether anybody could answer.
fn voters(rule: &ApprovalRule, config: &ApprovalsConfig, mut say: impl FnMut(String)) {
    let own = !rule.approvers.is_empty() || !rule.approver_groups.is_empty();
    if own && !matches!(rule.who, Some(WhoApproves::Listed | WhoApproves::RequesterAndListed)) {
        say("lists approvers, but `who` is neither `listed` nor `requester_and_listed`".into());
    }
    if rule.needed == Some(0) {
        say("has 0 as `needed`, but at least 1 is expected; to ask nobody, leave the rule out".into());
    }
    let (people, groups) = if own {
        (&rule.approvers, &rule.approver_groups)
    } else {
        (&config.approvers, &config.approver_groups)
    };
    let mut distinct = people.clone();
    distinct.sort();
    distinct.dedup();
    let most = match rule.who.unwrap_or(config.who) {
        WhoApproves::Listed if groups.is_empty() => distinct.len(),
        WhoApproves::RequesterAndListed if groups.is_empty() => distinct.len() + 1,
        _ => return,
    };
    if most == 0 && rule.who.is_some() {
        say("lets only listed people answer, but nobody is listed".into());
    } else if let Some(needed) =
        rule.needed.filter(|needed| usize::try_from(*needed).is_ok_and(|it| it > most))
    {
        say(format!("needs {needed} people to agree, but at most {most} may answer"));
    }
}

/// Calls `wrong` for each that is no id of this kind. A terminal's one person is `local`.
fn ids(given: &[String], letters: &str, wanted: &str, mut wrong: impl FnMut(&str, &str)) {
    for id in given {
        let local = letters.contains('U') && id == "local";
        let formed = id.len() > 1
            && id.starts_with(|first: char| letters.contains(first))
            && id.chars().all(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit());
        if !local && !formed {
            wrong(id, wanted);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(section: serde_json::Value) -> Vec<String> {
        let config: ApprovalsConfig = serde_json::from_value(section).unwrap();
        let mut said = Vec::new();
        approvals(&config, |path, message| said.push(format!("{path}: {message}")));
        said
    }

    #[test]
    fn rules_that_make_sense_pass() {
        let rules = json!([
            {"name": "big", "tool": "hf_jobs", "cost_over_usd": 100, "needed": 2, "who": "listed",
             "approvers": ["U1", "U2"], "expires_after_s": 3600, "remind_before_s": 600, "on_expiry": "stop"},
            {"tool": "bash", "arguments": {"command": "*rm -rf*", "a.b": "x"}, "verdict": "always_ask"},
            {"channel": "C0PROD", "verdict": "never"},
            {"user_group": "S1", "who": "listed", "approver_groups": ["S2"], "needed": 5},
            {"person": "U7", "who": "anyone_but_requester"},
        ]);
        assert_eq!(said(json!({ "rules": rules })), Vec::<String>::new());
        assert_eq!(said(json!({})), Vec::<String>::new());
    }

    #[test]
    fn each_slip_is_said_with_the_rule_that_has_it() {
        let rules = json!([
            {"name": "empty"},
            {"tool": "ba?h", "needed": 0},
            {"name": "few", "tool": "*", "who": "listed", "approvers": ["U1", "U1"], "needed": 2},
            {"name": "nobody", "tool": "*", "who": "listed"},
            {"name": "forms", "channel": "#prod", "person": "alice", "user_group": "ml", "arguments": {"a..b": "x"},
             "verdict": "ask", "approvers": ["bob"]},
        ]);
        assert_eq!(
            said(json!({ "rules": rules })),
            [
                "approvals.rules.0: the rule “empty” says nothing of which calls it is about; give a condition (`\"tool\": \"*\"` for all calls)",
                "approvals.rules.0: the rule “empty” demands nothing; give `verdict`, `who`, `needed`, `expires_after_s` or `on_expiry`",
                "approvals.rules.1: the rule “number 2” has \"ba?h\" as `tool`: a name is expected, in which only `*` stands for others",
                "approvals.rules.1: the rule “number 2” has 0 as `needed`, but at least 1 is expected; to ask nobody, leave the rule out",
                "approvals.rules.2: the rule “few” needs 2 people to agree, but at most 1 may answer",
                "approvals.rules.3: the rule “nobody” lets only listed people answer, but nobody is listed",
                "approvals.rules.4: the rule “forms” names the argument \"a..b\": a name is expected, or names with dots between them",
                "approvals.rules.4: the rule “forms” has \"#prod\" as `channel`, but a channel's id (C…, G… or D…) is expected",
                "approvals.rules.4: the rule “forms” has \"alice\" as `person`, but a Slack user id (U…) is expected",
                "approvals.rules.4: the rule “forms” has \"ml\" as `user_group`, but the id of a user group (S…) is expected",
                "approvals.rules.4: the rule “forms” has \"bob\" among `approvers`, but a Slack user id (U…) is expected",
                "approvals.rules.4: the rule “forms” lists approvers, but `who` is neither `listed` nor `requester_and_listed`",
            ]
        );
    }

    #[test]
    fn defaults_that_nobody_could_answer_are_refused() {
        let said =
            said(json!({"who": "listed", "expires_after_s": 0, "approvers": [], "approver_groups": []}));
        assert_eq!(said.len(), 2, "{said:?}");
    }
}
