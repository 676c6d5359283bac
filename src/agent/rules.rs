//! Rules about calls: which calls each is about, what it demands of them, and what all demands come to.
//!
//! Pure; configuration is turned into these types in `app`. All rules that match count, and of what they
//! say the strictest holds: a rule can raise what a tool says of itself, never lower it. Never asks
//! anybody. Start at [`Approvals::terms`].

use std::time::Duration;

use serde_json::Value;

use super::tool::Assessment;
use crate::protocol::{Actor, Approvers, OnExpiry, PersonId, ProposedCall, SessionHead, Turn};

/// How people are asked, unless a rule says otherwise, and the rules.
#[derive(Debug, Clone, PartialEq)]
pub struct Approvals {
    /// How long a question stands.
    pub ttl: Duration,
    /// How long before its end people are reminded, if they are.
    pub remind_before: Option<Duration>,
    /// What happens at its end.
    pub on_expiry: OnExpiry,
    /// Who may answer.
    pub by: Voters,
    /// Rules for certain calls.
    pub rules: Vec<CallRule>,
}

/// Who may answer, before it is known who asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voters {
    /// How they go together.
    pub who: Who,
    /// Who is listed.
    pub people: Vec<PersonId>,
    /// User groups whose members are listed.
    pub groups: Vec<String>,
}

/// Who may answer a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// The person who asked, and the listed approvers.
    RequesterAndListed,
    /// Only the listed approvers.
    Listed,
    /// Anyone who may talk to the agent there, but not the person who asked.
    AnyoneButRequester,
    /// Anyone who may talk to the agent there.
    Anyone,
}

/// One rule.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CallRule {
    /// What people call it.
    pub name: String,
    /// Which calls it is about.
    pub when: Conditions,
    /// What it demands of them.
    pub demand: Demand,
}

/// Which calls a rule is about; all conditions that are given must hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Conditions {
    /// The tool.
    pub tool: Option<Pattern>,
    /// The tool's operation; a call without one never matches.
    pub operation: Option<Pattern>,
    /// Arguments, by dotted name.
    pub arguments: Vec<(String, Pattern)>,
    /// Calls that may cost more than this, in micro-dollars; calls of unknown cost do.
    pub cost_over: Option<u64>,
    /// The channel; a session in no channel never matches.
    pub channel: Option<String>,
    /// Who asked.
    pub person: Option<PersonId>,
    /// A user group that the person who asked belongs to, or may belong to.
    pub user_group: Option<String>,
}

/// What a rule demands.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Demand {
    /// The least verdict.
    pub floor: Option<Floor>,
    /// Who may answer.
    pub who: Option<Voters>,
    /// How many different people must say yes.
    pub needed: Option<u32>,
    /// How long the question stands.
    pub ttl: Option<Duration>,
    /// How long before its end people are reminded.
    pub remind_before: Option<Duration>,
    /// What happens at its end.
    pub on_expiry: Option<OnExpiry>,
}

/// The least verdict that a rule lets pass; later is stricter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Floor {
    /// People are asked, unless the session allows it.
    Ask,
    /// People are asked each time.
    AlwaysAsk,
    /// It may not run.
    Never,
}

/// What all rules together demand of one call, or of all calls of one question.
#[derive(Debug, Clone, PartialEq)]
pub struct Terms {
    /// The least verdict.
    pub floor: Option<Floor>,
    /// Why, one short sentence for each rule.
    pub reasons: Vec<String>,
    /// How many different people must say yes.
    pub needed: u32,
    /// Who may answer: only who is in every one of these.
    pub who: Vec<Voters>,
    /// How long the question stands.
    pub ttl: Duration,
    /// How long before its end people are reminded, if they are.
    pub remind_before: Option<Duration>,
    /// What happens at its end.
    pub on_expiry: OnExpiry,
}

impl Default for Approvals {
    /// A day, an hour before its end a reminder; whoever asked answers.
    fn default() -> Self {
        Self {
            ttl: Duration::from_secs(24 * 60 * 60),
            remind_before: Some(Duration::from_secs(60 * 60)),
            on_expiry: OnExpiry::GoOn,
            by: Voters { who: Who::RequesterAndListed, people: Vec::new(), groups: Vec::new() },
            rules: Vec::new(),
        }
    }
}

impl Approvals {
    /// What is demanded of a call; the defaults where no rule says anything.
    #[must_use]
    pub fn terms(&self, call: &ProposedCall, assessment: &Assessment, session: &SessionHead) -> Terms {
        let matching: Vec<&CallRule> =
            self.rules.iter().filter(|rule| rule.when.hold(call, assessment, session)).collect();
        let demands = || matching.iter().map(|rule| &rule.demand);
        let mut who: Vec<Voters> = Vec::new();
        for voters in demands().filter_map(|demand| demand.who.as_ref()) {
            if !who.contains(voters) {
                who.push(voters.clone());
            }
        }
        if who.is_empty() {
            who.push(self.by.clone());
        }
        Terms {
            floor: demands().filter_map(Demand::floor).max(),
            reasons: matching.iter().filter_map(|rule| rule.reason()).collect(),
            needed: demands().filter_map(|demand| demand.needed).max().unwrap_or(1).max(1),
            who,
            ttl: demands().filter_map(|demand| demand.ttl).min().unwrap_or(self.ttl),
            remind_before: demands().filter_map(|it| it.remind_before).max().or(self.remind_before),
            on_expiry: strictest(demands().filter_map(|it| it.on_expiry)).unwrap_or(self.on_expiry),
        }
    }

    /// What a question about no call is held to.
    #[must_use]
    pub fn plain(&self) -> Terms {
        Terms {
            floor: None,
            reasons: Vec::new(),
            needed: 1,
            who: vec![self.by.clone()],
            ttl: self.ttl,
            remind_before: self.remind_before,
            on_expiry: self.on_expiry,
        }
    }
}

impl Terms {
    /// What two calls of one question demand together.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        for voters in other.who {
            if !self.who.contains(&voters) {
                self.who.push(voters);
            }
        }
        for reason in other.reasons {
            if !self.reasons.contains(&reason) {
                self.reasons.push(reason);
            }
        }
        Self {
            floor: self.floor.max(other.floor),
            needed: self.needed.max(other.needed),
            ttl: self.ttl.min(other.ttl),
            remind_before: self.remind_before.max(other.remind_before),
            on_expiry: strictest([self.on_expiry, other.on_expiry]).unwrap_or_default(),
            ..self
        }
    }

    /// Who may answer, now that it is known at whose word the turn acts.
    #[must_use]
    pub fn approvers(&self, turn: &Turn) -> Approvers {
        let mut of: Vec<Approvers> = self.who.iter().map(|voters| voters.given(turn)).collect();
        match of.len() {
            1 => of.remove(0),
            _ => Approvers::All { of },
        }
    }
}

impl Voters {
    fn given(&self, turn: &Turn) -> Approvers {
        let requester = &turn.requester;
        let mut people = self.people.clone();
        match self.who {
            Who::Anyone => return Approvers::Anyone,
            Who::AnyoneButRequester => {
                let but = |person: &Actor| Approvers::AnyoneBut { person: person.id.clone() };
                let mut of: Vec<Approvers> = turn.speakers().map(but).collect();
                return if of.len() == 1 { of.remove(0) } else { Approvers::All { of } };
            }
            Who::Listed => {}
            Who::RequesterAndListed => {
                if !people.contains(&requester.id) {
                    people.insert(0, requester.id.clone());
                }
            }
        }
        Approvers::Listed { people, groups: self.groups.clone() }
    }
}

impl CallRule {
    /// Why people are asked, if this rule has them asked or says how.
    fn reason(&self) -> Option<String> {
        let demand = &self.demand;
        let wants = match (demand.floor(), demand.needed) {
            (Some(Floor::Never), _) => "does not allow it".to_owned(),
            (_, Some(needed)) if needed > 1 => format!("wants {needed} people to agree"),
            (Some(_), _) => "wants people to be asked".to_owned(),
            (None, _) => return None,
        };
        Some(format!("The rule “{}” {wants}.", self.name))
    }
}

impl Demand {
    /// The least verdict. A rule that says who must agree, or how many, means that they are asked each
    /// time, unless it says otherwise: a setting of one person's does not stand for them.
    fn floor(&self) -> Option<Floor> {
        let by_whom = self.who.is_some() || self.needed.is_some_and(|needed| needed > 1);
        self.floor.or_else(|| by_whom.then_some(Floor::AlwaysAsk))
    }
}

impl Conditions {
    fn hold(&self, call: &ProposedCall, assessment: &Assessment, session: &SessionHead) -> bool {
        let spoke =
            |is: &dyn Fn(&Actor) -> bool| session.turn.as_ref().is_some_and(|turn| turn.speakers().any(is));
        let fits = |pattern: &Option<Pattern>, text: Option<&str>| {
            pattern.as_ref().is_none_or(|pattern| text.is_some_and(|text| pattern.fits(text)))
        };
        fits(&self.tool, Some(&call.tool))
            && fits(&self.operation, assessment.operation.as_deref())
            && self.arguments.iter().all(|(name, pattern)| has(&call.arguments, name, pattern))
            && self.cost_over.is_none_or(|over| assessment.cost.bound().is_none_or(|bound| bound > over))
            && self.channel.as_ref().is_none_or(|channel| session.origin.channel.as_ref() == Some(channel))
            && self.person.as_ref().is_none_or(|person| spoke(&|it| it.id == *person))
            && self.user_group.as_ref().is_none_or(|group| spoke(&|it| may_be_in(it, group)))
    }
}

/// Whether a person belongs to a group; if that could not be found out, they are taken to.
fn may_be_in(person: &Actor, group: &String) -> bool {
    person.groups.contains(group) || person.unsure.contains(group)
}

/// Whether the argument with this dotted name fits. Of a list, one item suffices.
fn has(arguments: &Value, name: &str, pattern: &Pattern) -> bool {
    let fits = |value: &Value| match value {
        Value::Array(items) => items.iter().any(|item| pattern.fits(&as_text(item))),
        other => pattern.fits(&as_text(other)),
    };
    if let Some(value) = arguments.get(name) {
        return fits(value);
    }
    match name.split_once('.') {
        Some((first, rest)) => match arguments.get(first) {
            Some(Value::Array(items)) => items.iter().any(|item| has(item, rest, pattern)),
            Some(inner) => has(inner, rest, pattern),
            None => false,
        },
        None => false,
    }
}

fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn strictest(choices: impl IntoIterator<Item = OnExpiry>) -> Option<OnExpiry> {
    choices.into_iter().max_by_key(|choice| *choice == OnExpiry::Stop)
}

/// A text in which `*` stands for any run of characters, line breaks included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(Vec<String>);

impl Pattern {
    /// The pattern that is written so.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.split('*').map(str::to_owned).collect())
    }

    /// Whether it stands for the whole of `text`.
    #[must_use]
    pub fn fits(&self, text: &str) -> bool {
        let [first, middle @ .., last] = self.0.as_slice() else {
            return self.0.first().is_none_or(|only| only == text);
        };
        let Some(mut rest) =
            text.strip_prefix(first.as_str()).and_then(|rest| rest.strip_suffix(last.as_str()))
        else {
            return false;
        };
        for part in middle {
            match rest.find(part.as_str()) {
                Some(at) => rest = &rest[at + part.len()..],
                None => return false,
            }
        }
        true
    }
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
