//! Which calls a rule is about, and what several rules come to.

use serde_json::json;

use super::super::policy::{Autonomy, Judgement, judge};
use super::super::tool::Risk;
use super::*;
use crate::clock::Timestamp;
use crate::protocol::approval::Alike;
use crate::protocol::money::DOLLAR;
use crate::protocol::{Cost, Door, Origin, Settings, Turn};

fn voters(who: Who, people: &[&str], groups: &[&str]) -> Voters {
    Voters {
        who,
        people: people.iter().map(|id| (*id).into()).collect(),
        groups: groups.iter().map(|id| (*id).to_owned()).collect(),
    }
}

fn approvals(rules: Vec<CallRule>) -> Approvals {
    Approvals {
        ttl: Duration::from_secs(100),
        remind_before: Some(Duration::from_secs(10)),
        on_expiry: OnExpiry::GoOn,
        by: voters(Who::RequesterAndListed, &["lead"], &[]),
        rules,
    }
}

fn session() -> SessionHead {
    let origin = Origin { channel: Some("C1".into()), ..Origin::new(Door::Slack, Value::Null) };
    let mut head = SessionHead::new("s".into(), origin, Timestamp(0));
    let requester =
        Actor { groups: vec!["S1".into()], unsure: vec!["S2".into()], ..Actor::new("alice", "Alice") };
    head.turn = Some(Turn::begun("t".into(), requester, Timestamp(0)));
    head
}

fn call() -> ProposedCall {
    let arguments = json!({
        "command": "python train.py\n--epochs 3", "gpu": 2, "wait": true,
        "job": {"flavour": "a100-large", "tags": ["prod", "nlp"], "steps": [{"run": "x"}, {"run": "y"}]},
        "a.b": "dotted",
    });
    ProposedCall { id: "c".into(), tool: "hf_jobs".into(), arguments }
}

fn job(cost: Cost) -> Assessment {
    Assessment {
        operation: Some("run".into()),
        cost,
        risk: Risk::Ask { reason: "it spends money".into() },
        alike: Some(Alike { key: "jobs".into(), words: "jobs".into() }),
        ..Assessment::changes("a job")
    }
}

fn rule(when: Conditions, demand: Demand) -> CallRule {
    CallRule { name: "r".into(), when, demand }
}

#[test]
fn a_star_stands_for_any_run_of_characters() {
    for (pattern, text, fits) in [
        ("bash", "bash", true),
        ("bash", "bash2", false),
        ("*", "", true),
        ("*", "a\nb", true),
        ("rm *", "rm -rf x", true),
        ("rm *", "srm x", false),
        ("*rm*", "sudo rm\nx", true),
        ("a*b*c", "a-b-b-c", true),
        ("a*b*c", "acb", false),
        ("ab*ba", "aba", false),
        ("a**b", "ab", true),
        ("", "", true),
        ("", "x", false),
        ("*é*", "café!", true),
    ] {
        assert_eq!(Pattern::new(pattern).fits(text), fits, "{pattern} on {text:?}");
    }
}

#[test]
fn every_condition_is_looked_at_and_all_must_hold() {
    let pattern = |text: &str| Some(Pattern::new(text));
    let argument = |name: &str, text: &str| Conditions {
        arguments: vec![(name.to_owned(), Pattern::new(text))],
        ..Conditions::default()
    };
    let table: Vec<(Conditions, bool)> = vec![
        (Conditions { tool: pattern("hf_*"), ..Conditions::default() }, true),
        (Conditions { tool: pattern("bash"), ..Conditions::default() }, false),
        (Conditions { operation: pattern("run"), ..Conditions::default() }, true),
        (Conditions { operation: pattern("scheduled*"), ..Conditions::default() }, false),
        (argument("command", "python*epochs 3"), true),
        (argument("gpu", "2"), true),
        (argument("wait", "true"), true),
        (argument("job.flavour", "a100*"), true),
        (argument("job.flavour", "t4*"), false),
        (argument("job.tags", "prod"), true),
        (argument("job.tags", "test"), false),
        (argument("job.steps.run", "y"), true),
        (argument("a.b", "dotted"), true),
        (argument("missing", "*"), false),
        (argument("job.missing.deep", "*"), false),
        (Conditions { cost_over: Some(DOLLAR), ..Conditions::default() }, true),
        (Conditions { cost_over: Some(2 * DOLLAR), ..Conditions::default() }, false),
        (Conditions { channel: Some("C1".into()), ..Conditions::default() }, true),
        (Conditions { channel: Some("C2".into()), ..Conditions::default() }, false),
        (Conditions { person: Some("alice".into()), ..Conditions::default() }, true),
        (Conditions { person: Some("bob".into()), ..Conditions::default() }, false),
        (Conditions { user_group: Some("S1".into()), ..Conditions::default() }, true),
        (Conditions { user_group: Some("S2".into()), ..Conditions::default() }, true),
        (Conditions { user_group: Some("S3".into()), ..Conditions::default() }, false),
        (Conditions { tool: pattern("*"), channel: Some("C2".into()), ..Conditions::default() }, false),
    ];
    for (when, holds) in table {
        assert_eq!(when.hold(&call(), &job(Cost::AtMost(2 * DOLLAR)), &session()), holds, "{when:?}");
    }
    let over = Conditions { cost_over: Some(1_000 * DOLLAR), ..Conditions::default() };
    assert!(over.hold(&call(), &job(Cost::Unknown("no price".into())), &session()), "unknown is over");
    let nothing = Conditions { cost_over: Some(0), ..Conditions::default() };
    assert!(!nothing.hold(&call(), &job(Cost::Free), &session()));
}

#[test]
fn of_what_several_rules_say_the_strictest_holds() {
    let first = Demand {
        floor: Some(Floor::Ask),
        needed: Some(2),
        ttl: Some(Duration::from_secs(500)),
        who: Some(voters(Who::Listed, &["lead", "boss"], &["S9"])),
        ..Demand::default()
    };
    let second = Demand {
        floor: Some(Floor::AlwaysAsk),
        ttl: Some(Duration::from_secs(300)),
        remind_before: Some(Duration::from_secs(60)),
        on_expiry: Some(OnExpiry::Stop),
        who: Some(voters(Who::AnyoneButRequester, &[], &[])),
        ..Demand::default()
    };
    let elsewhere = rule(
        Conditions { tool: Some(Pattern::new("bash")), ..Conditions::default() },
        Demand { floor: Some(Floor::Never), ..Demand::default() },
    );
    let rules = vec![rule(Conditions::default(), first), elsewhere, rule(Conditions::default(), second)];
    let terms = approvals(rules).terms(&call(), &job(Cost::Free), &session());
    assert_eq!((terms.floor, terms.needed), (Some(Floor::AlwaysAsk), 2));
    assert_eq!((terms.ttl.as_secs(), terms.remind_before), (300, Some(Duration::from_secs(60))));
    assert_eq!(terms.on_expiry, OnExpiry::Stop);
    let approvers = terms.approvers(&Turn::begun("t".into(), Actor::new("boss", "Boss"), Timestamp(0)));
    let may = |id: &str, groups: &[&str]| {
        let groups = groups.iter().map(|id| (*id).to_owned()).collect();
        approvers.include(&Actor { groups, ..Actor::new(id, id) })
    };
    assert!(may("lead", &[]) && may("carol", &["S9"]));
    assert!(!may("boss", &[]), "listed, but the one who asked");
    assert!(!may("carol", &["S8"]));
    let unsure = Actor { unsure: vec!["S9".into()], ..Actor::new("carol", "Carol") };
    assert!(!approvers.include(&unsure), "whoever may not be a member may not answer");
}

#[test]
fn without_a_rule_the_defaults_hold() {
    let terms = approvals(Vec::new()).terms(&call(), &job(Cost::Free), &session());
    assert_eq!((terms.floor, terms.needed, terms.ttl.as_secs()), (None, 1, 100));
    let approvers = terms.approvers(&Turn::begun("t".into(), Actor::new("alice", "Alice"), Timestamp(0)));
    assert!(approvers.include(&Actor::new("alice", "")) && approvers.include(&Actor::new("lead", "")));
    assert!(!approvers.include(&Actor::new("mallory", "")));
}

#[test]
fn a_rule_raises_and_never_lowers() {
    let free = Assessment::changes("x");
    let ask = job(Cost::Free);
    let always = Assessment { risk: Risk::Always { reason: "it repeats".into() }, ..ask.clone() };
    let never = Assessment { risk: Risk::Never { reason: "it leaves".into() }, ..ask.clone() };
    let granted = Settings { allowed: ask.alike.clone().into_iter().collect(), ..Settings::default() };
    let demand = |floor| Demand { floor: Some(floor), ..Demand::default() };
    let two = Demand { needed: Some(2), ..Demand::default() };
    let two_unless_allowed = Demand { needed: Some(2), floor: Some(Floor::Ask), ..Demand::default() };
    let later = Demand { ttl: Some(Duration::from_secs(1)), ..Demand::default() };
    // What the tool says, what the rule says, and the verdicts: plain, class allowed, auto-approval.
    let table = [
        (&free, Demand::default(), ["allow", "allow", "allow"]),
        (&free, demand(Floor::Ask), ["ask", "ask", "allow"]),
        (&free, demand(Floor::AlwaysAsk), ["ask", "ask", "ask"]),
        (&free, demand(Floor::Never), ["forbid", "forbid", "forbid"]),
        (&ask, Demand::default(), ["ask", "allow", "allow"]),
        (&ask, demand(Floor::Ask), ["ask", "allow", "allow"]),
        (&ask, demand(Floor::AlwaysAsk), ["ask", "ask", "ask"]),
        (&ask, two, ["ask", "ask", "ask"]),
        (&ask, two_unless_allowed, ["ask", "allow", "allow"]),
        (&ask, later, ["ask", "allow", "allow"]),
        (&ask, demand(Floor::Never), ["forbid", "forbid", "forbid"]),
        (&always, demand(Floor::Ask), ["ask", "ask", "ask"]),
        (&never, demand(Floor::Ask), ["forbid", "forbid", "forbid"]),
    ];
    for (assessment, demand, expected) in table {
        let terms = approvals(vec![rule(Conditions::default(), demand.clone())]).terms(
            &call(),
            assessment,
            &session(),
        );
        let verdicts = [
            (Settings::default(), Autonomy::Asks),
            (granted.clone(), Autonomy::Asks),
            (Settings::default(), Autonomy::Approves),
        ]
        .map(|(settings, autonomy)| match judge(assessment, &terms, &settings, autonomy) {
            Judgement::Allow => "allow",
            Judgement::Ask(_) => "ask",
            Judgement::Forbid(_) => "forbid",
        });
        assert_eq!(verdicts, expected, "{:?} with {demand:?}", assessment.risk);
    }
}

#[test]
fn whoever_adds_words_to_a_turn_counts_as_one_who_asked() {
    let but = Demand {
        who: Some(Voters { who: Who::AnyoneButRequester, people: Vec::new(), groups: Vec::new() }),
        ..Demand::default()
    };
    let new = Conditions { user_group: Some("SNEW".into()), ..Conditions::default() };
    let approvals = approvals(vec![rule(new, but)]);
    let mut turn = Turn::begun("t".into(), Actor::new("ada", "Ada"), Timestamp(0));
    let mut head = session();
    head.turn = Some(turn.clone());
    assert_eq!(approvals.terms(&call(), &job(Cost::Free), &head).floor, None, "nobody new has a say in it");
    turn.joined.push(Actor { groups: vec!["SNEW".into()], ..Actor::new("newt", "Newt") });
    head.turn = Some(turn.clone());
    let terms = approvals.terms(&call(), &job(Cost::Free), &head);
    assert_eq!(terms.floor, Some(Floor::AlwaysAsk));
    let approvers = terms.approvers(&turn);
    for (who, may) in [("ada", false), ("newt", false), ("lead", true)] {
        assert_eq!(approvers.include(&Actor::new(who, who)), may, "{who}");
    }
}
