//! The loop, with no IO of its own: turn, step, dispatch, policy, approvals.
//!
//! Runs with nothing but a scripted model and toy tools. Never sees a retryable error, never knows a
//! front door or a store. Start at [`Agent::advance`]: it moves a session forward by one saved step.
//! [`tool`] is the port that tools fill; [`rules`] says what is demanded of a call, [`policy`] what may
//! run; [`approve`] makes questions to people, [`answer`] takes
//! their answers; [`away`] is about calls whose work goes on outside.

use std::sync::Arc;

use crate::clock::Clock;
use crate::model::Model;
use crate::protocol::Event;
use crate::random::Random;

pub mod answer;
pub mod approve;
pub mod away;
pub mod budget;
pub mod canonical;
pub mod compact;
pub mod dispatch;
mod edited;
mod examine;
pub mod grant;
pub mod guard;
mod paid;
mod pledges;
pub mod policy;
pub mod prompt;
pub mod purse;
pub mod recover;
pub mod results;
pub mod roles;
pub mod rules;
pub mod session;
pub mod step;
mod switch;
pub mod tool;
pub mod toolbox;
mod weigh;

#[cfg(test)]
mod tests;

pub use compact::MemoryRules;
pub use rules::{Approvals, Who};
pub use session::Session;
pub use switch::Unswitched;
pub use toolbox::Toolbox;

/// Where events go. Never blocks.
pub trait EventSink: Send + Sync {
    /// Shows one event.
    fn show(&self, event: &Event);
}

/// What the loop is made of. One per process, shared by all sessions.
pub struct Agent {
    /// Answers requests; has already retried what can be retried.
    pub model: Arc<dyn Model>,
    /// What the model can do.
    pub toolbox: Toolbox,
    /// Whose money pays.
    pub purse: Arc<dyn purse::Purse>,
    /// Limits and defaults.
    pub rules: Rules,
    /// Time.
    pub clock: Clock,
    /// Ids.
    pub random: Random,
}

/// Limits and defaults of the loop, from configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// The model when the session names none.
    pub model: String,
    /// Reasoning effort when the session names none.
    pub effort: Option<String>,
    /// Models, efforts and ceilings by role, where they differ from the main ones.
    pub roles: roles::RoleRules,
    /// Model calls per turn; `None` for no limit.
    pub max_iterations: Option<u32>,
    /// Auto-approve in every session what policy lets it.
    pub yolo: bool,
    /// Whether text is streamed.
    pub delivery: crate::model::Delivery,
    /// How people are asked, and the rules about which calls.
    pub approvals: Approvals,
    /// When and how far a transcript is shortened.
    pub memory: MemoryRules,
    /// Caps and warnings.
    pub money: budget::MoneyRules,
}

/// What the caller does after one advance. The caller saves in either case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advance {
    /// Save, then call again.
    Again,
    /// The turn waits for people or has ended.
    Paused,
}
