//! A question to people about one or more calls, and its answer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ids::{ApprovalId, CallId, PersonId, TurnId};
use super::money::Cost;
use super::operation::Actor;
use crate::clock::Timestamp;

/// What people are asked. The button carries only `id`; all else is saved here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApprovalRequest {
    /// Names the question.
    pub id: ApprovalId,
    /// The turn that waits for it.
    pub turn: TurnId,
    /// What would run.
    pub calls: Vec<AskedCall>,
    /// SHA-256 over tools, canonical arguments, resolved content and cost, in hex.
    pub digest: String,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// When it stops counting.
    pub expires_at: Timestamp,
    /// Who may answer.
    pub approvers: Approvers,
    /// How many different people must say yes.
    #[serde(default = "one")]
    pub needed: u32,
    /// Who has said yes so far, while more must.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub votes: Vec<Vote>,
    /// Since when people can read what an edit made of it: a yes from before that was to something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub readable_from: Option<Timestamp>,
    /// When people are reminded, if they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remind_at: Option<Timestamp>,
    /// What happens when its time is up.
    #[serde(default)]
    pub on_expiry: OnExpiry,
    /// What a yes allows beside the calls; a question about no call at all is about this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<Grant>,
}

fn one() -> u32 {
    1
}

/// On which terms people were asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedOf {
    /// How many different people had to say yes.
    pub needed: u32,
    /// Who could.
    pub approvers: Approvers,
}

/// One of several people who must say yes has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vote {
    /// Who.
    pub by: PersonId,
    /// Their name.
    pub name: String,
    /// When.
    pub at: Timestamp,
}

/// What happens when nobody answers in time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnExpiry {
    /// The calls do not run; the agent goes on without them.
    #[default]
    GoOn,
    /// The turn ends.
    Stop,
}

/// What a yes allows beside calls. Amounts in micro-dollars.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "grant", rename_all = "snake_case")]
pub enum Grant {
    /// The session may spend up to this before people are asked again.
    SpendUntil {
        /// The sum of the session's spending.
        micros: u64,
    },
    /// Auto-approval may go on up to this.
    YoloCap {
        /// The new cap.
        micros: u64,
    },
    /// External work may run longer.
    Longer {
        /// Which.
        ticket: super::ids::TicketId,
        /// How much longer, in seconds.
        seconds: u64,
        /// What that costs at most; `None` if nobody knows.
        micros: Option<u64>,
    },
    /// A model whose price nobody knows may be used in this session.
    UnknownPrice {
        /// The model's id.
        model: String,
    },
}

/// One call that people are asked about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AskedCall {
    /// The call.
    pub call: CallId,
    /// The tool.
    pub tool: String,
    /// Its operation, if it has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// The arguments as they would run.
    pub arguments: Value,
    /// What the model had proposed, where a person has changed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposed: Option<Value>,
    /// What changed against the model's proposal (or against the last run), as a unified diff.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
    /// Whether only a person's own yes counts: no setting of the session and no headless run covers it.
    #[serde(default)]
    pub always: bool,
    /// One line: what it does.
    pub title: String,
    /// What to read before answering: the command or script; may be long.
    pub preview: String,
    /// Language of the preview for highlighting: `sh`, `python`, `json`, …
    pub language: String,
    /// Why people are asked, one short sentence each.
    pub reasons: Vec<String>,
    /// Worst-case cost.
    #[serde(default)]
    pub cost: Cost,
    /// What was looked up before people were asked, label and value, in order. Not part of the digest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<(String, String)>,
    /// What people should know before they say yes, one short sentence each. Not part of the digest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Whether facts and warnings were looked up for these very arguments.
    #[serde(default)]
    pub examined: bool,
    /// What "approve for this session" would allow; `None` if it may not be allowed so.
    pub alike: Option<Alike>,
    /// The one argument that people edit as text (a command, a script); `None` edits all as JSON.
    pub editable: Option<String>,
}

/// A class of calls that a person can allow for the rest of the session.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Alike {
    /// The key that later calls are compared by.
    pub key: String,
    /// In words: "shell commands in this thread's workspace".
    pub words: String,
}

/// Who may answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "who", rename_all = "snake_case")]
pub enum Approvers {
    /// Anyone who may talk to the agent here.
    Anyone,
    /// Anyone who may talk to the agent here, but not this person.
    AnyoneBut {
        /// Who asked.
        person: PersonId,
    },
    /// These people, and the members of these user groups.
    Listed {
        /// Their ids.
        people: Vec<PersonId>,
        /// Ids of user groups.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        groups: Vec<String>,
    },
    /// Only who is in every one of these.
    All {
        /// Each must include the person.
        of: Vec<Approvers>,
    },
}

impl Approvers {
    /// Whether this person may answer.
    #[must_use]
    pub fn include(&self, person: &Actor) -> bool {
        match self {
            Self::Anyone => true,
            Self::AnyoneBut { person: not } => person.id != *not,
            Self::Listed { people, groups } => {
                people.contains(&person.id) || person.groups.iter().any(|group| groups.contains(group))
            }
            Self::All { of } => of.iter().all(|each| each.include(person)),
        }
    }
}

/// A person's answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// Run it.
    Approve,
    /// Run it, and do not ask again in this session for calls that are alike.
    ApproveForSession,
    /// Do not run it.
    Reject {
        /// What the model should know.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Run it with these arguments instead.
    Edit {
        /// New arguments for the calls named; others run as asked.
        arguments: BTreeMap<CallId, Value>,
    },
}

/// How a question ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "decision", rename_all = "snake_case")]
pub enum Decision {
    /// A person decided.
    Decided {
        /// Who.
        by: PersonId,
        /// Their name.
        name: String,
        /// What.
        verdict: Verdict,
        /// When.
        at: Timestamp,
    },
    /// Nobody decided in time.
    Expired {
        /// When.
        at: Timestamp,
    },
    /// The conversation went on, or the turn was stopped.
    Abandoned {
        /// By whom.
        name: String,
        /// When.
        at: Timestamp,
    },
}
