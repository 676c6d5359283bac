//! Which model does what: roles, their efforts, and what a model of a role may cost.
//!
//! Owns [`Agent::model_for`] (a choice, pure) and [`Agent::affordable`] (the same, with its price held
//! against the ceiling). Never calls a model. What people set in the session goes before the
//! configuration, and what a role does not say is as for the main model.

use std::collections::BTreeMap;

use super::{Agent, Session};
use crate::model::{Facts, ModelError};
use crate::protocol::{Amount, Role};

/// What sends no effort at all, where an effort is named.
pub const NO_EFFORT: &str = "none";

/// What configuration says of each role.
pub type RoleRules = BTreeMap<Role, RoleRule>;

/// What configuration says of one role.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoleRule {
    /// Its model; `None` for the main one.
    pub model: Option<String>,
    /// Its reasoning effort; `None` for the main one's.
    pub effort: Option<String>,
    /// What its model may cost.
    pub ceiling: Ceiling,
}

/// The most that a model may cost, in micro-dollars per million tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ceiling {
    /// Prompt tokens; `None` for no ceiling.
    pub input: Option<u64>,
    /// Completion tokens; `None` for no ceiling.
    pub output: Option<u64>,
}

/// The model of a role in one session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// The role.
    pub role: Role,
    /// The model's id.
    pub model: String,
    /// The reasoning effort to ask for; `None` sends none.
    pub effort: Option<String>,
    /// What it may cost.
    pub ceiling: Ceiling,
}

impl Ceiling {
    /// Why a model with these facts may not be used; `None` if it may. An unknown price is over every
    /// ceiling.
    #[must_use]
    pub fn refuses(&self, facts: &Facts) -> Option<String> {
        if *self == Self::default() {
            return None;
        }
        let Some(price) = facts.price else { return Some("nobody knows what it costs".to_owned()) };
        let over = |price: u64, most: Option<u64>| most.is_some_and(|most| price > most);
        (over(price.input, self.input) || over(price.output, self.output))
            .then(|| format!("it costs {price}"))
    }

    /// In words: `$1.00 in and $5.00 out per million tokens`.
    #[must_use]
    pub fn words(&self) -> String {
        let part = |most: Option<u64>, way: &str| most.map(|most| format!("{} {way}", Amount(most)));
        let parts: Vec<String> =
            [part(self.input, "in"), part(self.output, "out")].into_iter().flatten().collect();
        format!("{} per million tokens", parts.join(" and "))
    }
}

impl Agent {
    /// The main model of this session.
    #[must_use]
    pub fn model_of(&self, session: &Session) -> String {
        self.model_for(Role::Main, session).model
    }

    /// The model of a role in this session, whatever it costs.
    #[must_use]
    pub fn model_for(&self, role: Role, session: &Session) -> Chosen {
        let settings = &session.head.settings;
        let rule = self.rules.roles.get(&role).cloned().unwrap_or_default();
        let main = settings.model.clone().unwrap_or_else(|| self.rules.model.clone());
        let own = settings.models.get(&role).filter(|_| role != Role::Main).cloned().or(rule.model);
        let effort = match role {
            Role::Main => None,
            _ => rule.effort,
        };
        let effort = effort.or_else(|| settings.effort.clone()).or_else(|| self.rules.effort.clone());
        Chosen {
            role,
            model: own.filter(|_| role != Role::Main).unwrap_or(main),
            effort: effort.filter(|level| level != NO_EFFORT),
            ceiling: rule.ceiling,
        }
    }

    /// The model of a role that may be used: its own, or, where that costs more than the role may, the
    /// main one if that fits.
    ///
    /// # Errors
    /// [`ModelError::Stop`] with what it costs, the ceiling, and what to do.
    pub async fn affordable(&self, role: Role, session: &Session) -> Result<Chosen, ModelError> {
        let chosen = self.model_for(role, session);
        let Some(why) = self.over_ceiling(&chosen).await else { return Ok(chosen) };
        let main = self.model_for(Role::Main, session);
        if role != Role::Main && main.model != chosen.model {
            let instead = Chosen { role, ceiling: chosen.ceiling, ..main };
            if self.over_ceiling(&instead).await.is_none() {
                tracing::warn!(
                    role = role.as_str(),
                    model = chosen.model,
                    why,
                    "the main model is used instead"
                );
                return Ok(instead);
            }
        }
        Err(too_dear(&chosen, &why))
    }

    /// Why a chosen model costs too much for its role; `None` if it does not.
    pub(super) async fn over_ceiling(&self, chosen: &Chosen) -> Option<String> {
        if chosen.ceiling == Ceiling::default() {
            return None;
        }
        chosen.ceiling.refuses(&self.model.facts(&chosen.model).await)
    }
}

/// The refusal of a model that costs too much.
pub(super) fn too_dear(chosen: &Chosen, why: &str) -> ModelError {
    let Chosen { role, model, ceiling, .. } = chosen;
    let role = role.as_str();
    ModelError::Stop {
        reason: format!(
            "`{model}` may not be used as the {role} model: {why}, and the ceiling is {}.",
            ceiling.words()
        ),
        hint: format!(
            "Choose another with `!model {role} ID`, or raise `roles.{role}.max_input_usd` and `max_output_usd` in the \
             configuration; a price that nobody knows can be named in `budgets.prices`."
        ),
    }
}
