//! The session as it is saved: all but its transcript, which only grows.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::approval::Alike;
use super::ids::SessionKey;
use super::operation::Origin;
use super::plan::PlanItem;
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
    /// How many items the transcript has.
    pub history_size: u64,
    /// What the presenter must remember between workers (handles of posted messages). Only the
    /// front door reads it.
    pub presentation: Value,
}

/// What people set in one session.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// The model; `None` uses the configured one.
    pub model: Option<String>,
    /// Reasoning effort; `None` uses the configured one.
    pub effort: Option<String>,
    /// Auto-approve what policy lets it.
    pub yolo: bool,
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
            history_size: 0,
            presentation: Value::Null,
        }
    }

    /// Whether a worker has something to do, unread operations aside.
    #[must_use]
    pub fn wants_work(&self) -> bool {
        self.turn.as_ref().is_some_and(Turn::wants_work)
    }
}
