//! The session as it is saved: all but its transcript, which only grows.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::approval::Alike;
use super::guards::Memory;
use super::ids::SessionKey;
use super::operation::Origin;
use super::plan::PlanItem;
use super::role::Role;
use super::ticket::OpenTicket;
use super::turn::Turn;
use super::usage::Usage;
use crate::clock::Timestamp;

/// Everything saved of a session but its transcript. Small: it is written whole at every step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SessionHead {
    /// Names the session.
    pub key: SessionKey,
    /// Where it lives.
    pub origin: Origin,
    /// When it began.
    pub created_at: Timestamp,
    /// A short name, from its first request.
    pub title: Option<String>,
    /// What people set here.
    pub settings: Settings,
    /// The plan.
    pub plan: Vec<PlanItem>,
    /// The turn in hand, or the last one.
    pub turn: Option<Turn>,
    /// How many turns have begun.
    pub turns: u64,
    /// Tokens and cost of all turns.
    pub usage: Usage,
    /// Tokens of the last prompt and answer, as the provider counted them.
    pub context_tokens: u64,
    /// What is known of the window, and when `context_tokens` was counted.
    #[serde(default)]
    pub memory: Memory,
    /// How many items the transcript has.
    pub history_size: u64,
    /// The session that it began from, if it is a fork or a continuation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<SessionKey>,
    /// The time zone of whoever opened it, by its IANA name, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// External work of this session that has not ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tickets: Vec<OpenTicket>,
    /// What the presenter must remember between workers (handles of posted messages). Only the
    /// front door reads it.
    pub presentation: Value,
}

/// What people set in one session.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// The model; `None` uses the configured one.
    pub model: Option<String>,
    /// Models of the other roles, where they differ from the configured ones.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub models: BTreeMap<Role, String>,
    /// Reasoning effort; `None` uses the configured one.
    pub effort: Option<String>,
    /// Auto-approve what policy lets it.
    pub yolo: bool,
    /// How much the session may spend before auto-approval pauses, in micro-dollars; `None` for the
    /// configured cap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub yolo_cap: Option<u64>,
    /// How much people let the session spend before they are asked again, in micro-dollars.
    #[serde(default)]
    pub spend_until: u64,
    /// Models of unknown price that people let it use.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub unpriced: BTreeSet<String>,
    /// Classes of calls that people allowed for this session.
    pub allowed: BTreeSet<Alike>,
}

impl SessionHead {
    /// A session that was just opened.
    #[must_use]
    pub fn new(key: SessionKey, origin: Origin, now: Timestamp) -> Self {
        Self {
            key,
            origin,
            created_at: now,
            title: None,
            settings: Settings::default(),
            plan: Vec::new(),
            turn: None,
            turns: 0,
            usage: Usage::default(),
            context_tokens: 0,
            memory: Memory::default(),
            history_size: 0,
            parent: None,
            zone: None,
            tickets: Vec::new(),
            presentation: Value::Null,
        }
    }

    /// Whether a worker has something to do, unread operations aside.
    #[must_use]
    pub fn wants_work(&self) -> bool {
        self.turn.as_ref().is_some_and(Turn::wants_work)
    }
}
