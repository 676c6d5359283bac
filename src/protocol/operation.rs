//! What enters a session. An operation's id comes from its cause, so a redelivery is harmless.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::approval::Verdict;
use super::ids::{ApprovalId, OperationId, PersonId, SessionKey, TicketId};
use super::role::Role;
use crate::clock::Timestamp;

/// One thing that somebody (or the clock) wants of a session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// Made from the cause; the store drops a second one with the same id.
    pub id: OperationId,
    /// The session it is for.
    pub session: SessionKey,
    /// Where that session lives; opens it if it does not exist yet.
    pub origin: Origin,
    /// Who wants it.
    pub actor: Actor,
    /// When it happened.
    pub at: Timestamp,
    /// What is wanted.
    pub kind: OperationKind,
}

/// A front door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Door {
    /// A Slack thread or direct message.
    Slack,
    /// The interactive chat or a headless run.
    Terminal,
}

/// Where a session lives. Only the front door itself reads `place`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Origin {
    /// The front door.
    pub door: Door,
    /// What that door needs to find the place again.
    pub place: Value,
    /// The channel it is in, where the door has channels: budgets and rules name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
}

impl Origin {
    /// A place behind a door, in no channel.
    #[must_use]
    pub fn new(door: Door, place: Value) -> Self {
        Self { door, place, channel: None }
    }
}

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// Their id at the front door.
    pub id: PersonId,
    /// The name to show.
    pub name: String,
    /// The user groups they belong to, of those that rules name; looked up by the front door.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// Groups of those that rules name whose members could not be read just now. Rules take the person
    /// for a member; where members may answer, they are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unsure: Vec<String>,
    /// Their time zone by its IANA name, if the front door knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
}

impl Actor {
    /// A person by id and name.
    #[must_use]
    pub fn new(id: impl Into<PersonId>, name: impl Into<String>) -> Self {
        Self { id: id.into(), name: name.into(), groups: Vec::new(), unsure: Vec::new(), zone: None }
    }
}

/// What is wanted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum OperationKind {
    /// A person says something to the agent.
    Say {
        /// The words, as the agent should read them.
        text: String,
        /// What the front door needs to find this message again; opaque to all others.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        handle: Value,
    },
    /// A person answers an approval.
    Decide {
        /// Which question.
        approval: ApprovalId,
        /// The answer.
        verdict: Verdict,
    },
    /// The time of an approval is up.
    Expire {
        /// Which question.
        approval: ApprovalId,
    },
    /// It is time to remind people of an approval.
    Remind {
        /// Which question.
        approval: ApprovalId,
    },
    /// Stop the turn in hand.
    Stop,
    /// Try the failed turn again.
    Retry,
    /// Drop the last request and everything after it.
    Undo,
    /// Shorten the transcript now.
    Compact,
    /// Start over in the same place.
    New,
    /// Go on with an interrupted turn, or say that there is none.
    Resume,
    /// Change one setting of the session.
    Set {
        /// Which, and to what.
        setting: Setting,
    },
    /// Tell how the session stands.
    Status,
    /// Tell what was spent.
    Usage,
    /// List models and roles.
    Models,
    /// Go on from here (or from the end of an earlier turn) in a new place.
    Fork {
        /// The turn after which to part, counted from 1; `None` for now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        turn: Option<u64>,
    },
    /// Begin this new session with what another one has said so far.
    Adopt {
        /// The other session.
        source: SessionKey,
        /// How many of its turns; `None` for all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        turns: Option<u64>,
    },
    /// External work has ended.
    Settle {
        /// Which.
        ticket: TicketId,
        /// What to hand to the model.
        output: String,
        /// Whether the work succeeded.
        success: bool,
        /// What it really cost, in micro-dollars; `None` leaves what was set aside.
        #[serde(default)]
        cost: Option<u64>,
    },
    /// A person wants something of external work.
    Job {
        /// Of which.
        ticket: TicketId,
        /// What.
        wish: JobWish,
    },
    /// List runs of the registry that these words name.
    Runs {
        /// The words; none lists the newest.
        words: String,
    },
    /// The process goes away; save and say so.
    Shutdown,
}

/// What a person wants of external work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobWish {
    /// End it now.
    Stop,
    /// Its whole log, as a file.
    Logs,
    /// Let it run as long again; people are asked.
    Longer,
}

/// A setting of one session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "setting", rename_all = "snake_case")]
pub enum Setting {
    /// The model to use from the next step on; `None` goes back to the configured one.
    Model {
        /// What for.
        #[serde(default)]
        role: Role,
        /// `provider/model`.
        id: Option<String>,
    },
    /// Auto-approve what policy lets it.
    Yolo {
        /// On or off.
        on: bool,
        /// How much may be spent so, in micro-dollars; `None` for the configured cap.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cap: Option<u64>,
    },
    /// Reasoning effort; `None` goes back to the configured one.
    Effort {
        /// `minimal`, `low`, `medium`, `high`, `xhigh` or `max`; `none` sends none.
        level: Option<String>,
    },
}

/// The levels of reasoning effort, the lowest first.
pub const EFFORTS: [&str; 6] = ["minimal", "low", "medium", "high", "xhigh", "max"];

impl OperationKind {
    /// What people mean by `model WORDS`, at every front door: nothing lists; `[role] ID` changes,
    /// `[role] default` goes back. `None` if that is no such thing.
    #[must_use]
    pub fn of_model_words(words: &str) -> Option<Self> {
        let words: Vec<&str> = words.split_whitespace().collect();
        let (role, id) = match words[..] {
            [] => return Some(Self::Models),
            [word] if Role::named(word).is_some() => return Some(Self::Models),
            [id] => (Role::Main, id),
            [role, id] => (Role::named(role)?, id),
            _ => return None,
        };
        let id = Some(id.to_owned()).filter(|id| !id.eq_ignore_ascii_case("default"));
        Some(Self::Set { setting: Setting::Model { role, id } })
    }

    /// What people mean by `effort WORDS`: nothing lists; a level, `off` or `default` changes it.
    #[must_use]
    pub fn of_effort_words(words: &str) -> Option<Self> {
        let level = match words.trim().to_ascii_lowercase().as_str() {
            "" => return Some(Self::Models),
            "off" | "none" => Some("none".to_owned()),
            "default" => None,
            level => Some((*EFFORTS.iter().find(|known| **known == level)?).to_owned()),
        };
        Some(Self::Set { setting: Setting::Effort { level } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_about_models_mean_the_same_at_every_door() {
        let model = |role, id: Option<&str>| {
            Some(OperationKind::Set { setting: Setting::Model { role, id: id.map(str::to_owned) } })
        };
        let effort = |level: Option<&str>| {
            Some(OperationKind::Set { setting: Setting::Effort { level: level.map(str::to_owned) } })
        };
        for (words, meant) in [
            ("", Some(OperationKind::Models)),
            ("research", Some(OperationKind::Models)),
            ("a/b:fast", model(Role::Main, Some("a/b:fast"))),
            ("Default", model(Role::Main, None)),
            ("main a/b", model(Role::Main, Some("a/b"))),
            ("Summary  a/B", model(Role::Summary, Some("a/B"))),
            ("judge default", model(Role::Judge, None)),
            ("a b", None),
            ("summary a b", None),
        ] {
            assert_eq!(OperationKind::of_model_words(words), meant, "{words}");
        }
        for (words, meant) in [
            (" ", Some(OperationKind::Models)),
            ("XHigh", effort(Some("xhigh"))),
            ("off", effort(Some("none"))),
            ("default", effort(None)),
            ("huge", None),
        ] {
            assert_eq!(OperationKind::of_effort_words(words), meant, "{words}");
        }
    }
}
