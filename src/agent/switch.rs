//! Choosing another model: what there is, whether one can be used, and the change itself.
//!
//! Owns [`Agent::list_models`] and [`Agent::switch`]. Both ask providers and may take some seconds; what
//! they find is told once, as lines. A model is taken over only after it has answered, or where its
//! provider was only busy; else the present one stays.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::roles::{Ceiling, Chosen, NO_EFFORT, too_dear};
use super::step::remark;
use super::{Agent, EventSink, Session};
use crate::model::effort::{self, Found, Taken};
use crate::model::{Described, Facts, Host, ModelError, SUGGESTED};
use crate::protocol::{Door, Event, Role, Usage};

/// The most models that are suggested.
const MOST_SUGGESTED: usize = 5;
/// Tokens that finding out what a model takes may use at most, for the budget's sake.
const PING: Usage = Usage {
    input_tokens: 200,
    output_tokens: 400,
    cached_tokens: 0,
    cache_write_tokens: 0,
    reasoning_tokens: 0,
    cost: 0,
    unpriced: 0,
};

/// Why a model was not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unswitched {
    /// Somebody stopped it.
    #[error("it was stopped")]
    Stopped,
    /// It cannot be used.
    #[error("{reason}")]
    Refused {
        /// Why.
        reason: String,
        /// What to do.
        hint: String,
    },
}

impl From<ModelError> for Unswitched {
    fn from(error: ModelError) -> Self {
        match error {
            ModelError::Cancelled => Self::Stopped,
            ModelError::Stop { reason, hint } => Self::Refused { reason, hint },
            other => Self::Refused { reason: other.to_string(), hint: String::new() },
        }
    }
}

/// What asking a model for a word showed.
struct Answered {
    found: Found,
    /// Why it is taken over although it did not answer.
    doubt: Option<String>,
}

impl Agent {
    /// The models of this session by role, what else there is, and how to change them.
    pub async fn list_models(&self, session: &Session) -> Event {
        let sign = sign(session);
        let main = self.model_for(Role::Main, session);
        let mut lines = Vec::new();
        for role in Role::ALL {
            let chosen = self.model_for(role, session);
            let same = role != Role::Main && chosen.model == main.model && chosen.effort == main.effort;
            let mut words = if same { "as main".to_owned() } else { self.line_of(&chosen).await };
            if chosen.ceiling != Ceiling::default() {
                words.push_str(&format!(" · at most {}", chosen.ceiling.words()));
            }
            lines.push((format!("Model for {}", role.as_str()), words));
        }
        for (id, facts) in self.suggestions(&main.model).await {
            lines.push(("You could use".to_owned(), format!("{id} · {}", facts_words(&facts))));
        }
        lines.push((
            "Change it".to_owned(),
            format!("{sign}model [role] ID, {sign}model [role] default, {sign}effort LEVEL"),
        ));
        lines.push((
            "Routing".to_owned(),
            "an id of the router may end with :PROVIDER, :fastest or :cheapest; without, the router chooses"
                .to_owned(),
        ));
        Event::Status { lines }
    }

    async fn line_of(&self, chosen: &Chosen) -> String {
        let facts = self.model.facts(&chosen.model).await;
        let effort =
            chosen.effort.as_deref().map_or("no effort".to_owned(), |level| format!("effort {level}"));
        format!("{} · {effort} · {}", chosen.model, facts_words(&facts))
    }

    /// Models that can be used here and whose price is known.
    async fn suggestions(&self, present: &str) -> Vec<(&'static str, Facts)> {
        let mut found = Vec::new();
        for id in SUGGESTED {
            if found.len() == MOST_SUGGESTED || id == present || self.model.check(id).is_err() {
                continue;
            }
            let facts = self.model.facts(id).await;
            if facts.price.is_some() && facts.tools != Some(false) {
                found.push((id, facts));
            }
        }
        found
    }

    /// Makes `id` the session's model of a role, or goes back to the configured one (`None`). Gives what
    /// people should know of it.
    ///
    /// # Errors
    /// Why the model stays as it is, and what to do.
    pub async fn switch(
        &self,
        session: &mut Session,
        role: Role,
        id: Option<&str>,
        sink: &Arc<dyn EventSink>,
        cancel: &CancellationToken,
    ) -> Result<Event, Unswitched> {
        let Some(id) = id else {
            commit(session, role, None);
            let model = self.model_for(role, session).model;
            return Ok(Event::Remark { text: format!("The {} model is `{model}` again.", role.as_str()) });
        };
        self.model.check(id)?;
        let described = tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(Unswitched::Stopped),
            described = self.model.describe(id) => described,
        };
        let chosen = self.as_if(session, role, id);
        if let Some(why) = chosen.ceiling.refuses(&described.facts) {
            return Err(too_dear(&chosen, &why).into());
        }
        sink.show(&remark(&format!("Asking `{id}` for a word.")));
        let answered = self.ask_for_a_word(session, &chosen, &described, cancel).await?;
        if let (Some(wish), Taken::Level(level)) = (&chosen.effort, &answered.found.taken) {
            self.model.remember_effort(id, wish, level.clone());
        }
        commit(session, role, Some(id));
        Ok(Event::Status { lines: lines(&chosen, &described, &answered) })
    }

    /// What would be chosen for a role if `id` were its model.
    fn as_if(&self, session: &Session, role: Role, id: &str) -> Chosen {
        Chosen { model: id.to_owned(), ..self.model_for(role, session) }
    }

    /// Finds the effort that a model takes, or only whether it answers. Its money goes the way of every call.
    async fn ask_for_a_word(
        &self,
        session: &mut Session,
        chosen: &Chosen,
        described: &Described,
        cancel: &CancellationToken,
    ) -> Result<Answered, ModelError> {
        let facts = described.facts;
        let most = facts.price.map_or(0, |price| price.of(&PING));
        let held = self.set_aside(session, &chosen.model, most).await?;
        let outcome = self.find_effort(chosen, cancel).await;
        let used = match &outcome {
            Ok(found) if found.usage.total_tokens() > 0 => facts.priced(&found.usage),
            _ => Usage::default(),
        };
        session.head.usage.add(&used);
        if let Some(id) = held {
            self.close_pledge(&id, used.cost).await;
        }
        match outcome {
            Ok(Found { taken: Taken::Unsure(why), .. }) if described.host == Host::Own => {
                Err(ModelError::Stop {
                    reason: why,
                    hint: "Start the server, or look at its address in the configuration (`models`)."
                        .to_owned(),
                })
            }
            Ok(found) => {
                let doubt = match &found.taken {
                    Taken::Unsure(why) => Some(why.clone()),
                    Taken::Level(_) => None,
                };
                Ok(Answered { found, doubt })
            }
            Err(error) => Err(error),
        }
    }

    async fn find_effort(&self, chosen: &Chosen, cancel: &CancellationToken) -> Result<Found, ModelError> {
        let mut found = match &chosen.effort {
            Some(wish) => effort::find(&*self.model, &chosen.model, wish, cancel).await?,
            None => Found { taken: Taken::Level(None), usage: Usage::default(), refusal: None },
        };
        // Without an effort nobody has spoken with it yet.
        if found.taken == Taken::Level(None) {
            match self.model.ping(&chosen.model, None, cancel).await {
                Ok(used) => found.usage.add(&used),
                Err(ModelError::Wait { reason, .. }) => found.taken = Taken::Unsure(reason),
                Err(ModelError::Repair { reason, .. } | ModelError::Shrink { reason }) => {
                    return Err(ModelError::Stop { reason, hint: "Choose another model.".to_owned() });
                }
                Err(other) => return Err(other),
            }
        }
        Ok(found)
    }
}

fn commit(session: &mut Session, role: Role, id: Option<&str>) {
    if role == Role::Main {
        // Choosing a model is a reason to look anew at how much it takes.
        session.head.memory.learned = None;
    }
    let settings = &mut session.head.settings;
    match (role, id) {
        (Role::Main, id) => settings.model = id.map(str::to_owned),
        (_, Some(id)) => drop(settings.models.insert(role, id.to_owned())),
        (_, None) => drop(settings.models.remove(&role)),
    }
}

fn lines(chosen: &Chosen, described: &Described, answered: &Answered) -> Vec<(String, String)> {
    let line = |label: &str, words: String| (label.to_owned(), words);
    let mut lines = vec![
        line(
            &format!("Model for {}", chosen.role.as_str()),
            format!("{}, from the next step on", chosen.model),
        ),
        line("Price", price_words(&described.facts)),
        line("Window", window_words(described.facts.window)),
        line("Effort", effort_words(chosen, &answered.found)),
    ];
    if !described.offers.is_empty() {
        lines.push(line("Served by", described.offers.join("; ")));
    }
    if let Some(doubt) = &answered.doubt {
        lines.push(line("Note", format!("It could not be tried just now: {doubt}")));
    }
    lines.extend(described.remarks.iter().map(|remark| line("Note", remark.clone())));
    lines
}

fn effort_words(chosen: &Chosen, found: &Found) -> String {
    let Some(wish) = &chosen.effort else { return NO_EFFORT.to_owned() };
    let said = found.refusal.as_deref().map(|said| format!(" ({said})")).unwrap_or_default();
    match &found.taken {
        Taken::Level(Some(level)) if level == wish => level.clone(),
        Taken::Level(Some(level)) => {
            format!("{level}: {wish} was wished for, and this is the highest it takes{said}")
        }
        Taken::Level(None) => format!("{NO_EFFORT}: it takes none{said}"),
        Taken::Unsure(_) => format!("{wish}, not tried yet"),
    }
}

/// Price and window in one line.
fn facts_words(facts: &Facts) -> String {
    format!("{} · {}", price_words(facts), window_words(facts.window))
}

fn price_words(facts: &Facts) -> String {
    facts.price.map_or_else(|| "price unknown".to_owned(), |price| price.to_string())
}

/// `200k tokens`, `1M tokens`.
fn window_words(tokens: u64) -> String {
    match (tokens / 1_000_000, tokens / 1_000) {
        (0, 0) => format!("{tokens} tokens"),
        (0, thousands) => format!("{thousands}k tokens"),
        (millions, _) => {
            let tenths = tokens % 1_000_000 / 100_000;
            if tenths == 0 { format!("{millions}M tokens") } else { format!("{millions}.{tenths}M tokens") }
        }
    }
}

/// What commands begin with at this front door.
fn sign(session: &Session) -> char {
    match session.head.origin.door {
        Door::Slack => '!',
        Door::Terminal => '/',
    }
}
