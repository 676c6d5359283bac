//! The one way to a model: money is set aside before a call and settled after it.
//!
//! Owns [`Agent::paid_answer`], which every call of any role goes through, and what an aborted call is
//! taken to have cost. Never decides whether people must be asked first: that is `budget`.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::budget::short_words;
use super::compact::weigh::{tokens_in, weight, written};
use super::purse::{Payers, Pledge, PurseError, Wish};
use super::{Agent, Session};
use crate::model::{Completion, Delta, DeltaSink, ModelError, Request};
use crate::protocol::{Cost, Price, Usage};

/// Tokens that an answer is assumed to have before it comes: most are shorter, and what is not used is
/// given back as soon as the answer is there.
const ASSUMED_OUTPUT: u64 = 8_000;

/// A call to a model.
pub struct Asking<'a> {
    /// What is asked.
    pub request: &'a Request,
    /// How long the prompt is about, in tokens.
    pub prompt_tokens: u64,
    /// Where the pieces of the answer go.
    pub deltas: &'a dyn DeltaSink,
}

impl Agent {
    /// Asks a model: reserves what it may cost, asks, settles with what it did cost, and adds tokens and
    /// cost to the session and its turn.
    ///
    /// # Errors
    /// As the model's; [`ModelError::Stop`] when a budget has not enough left or the ledger fails.
    pub(super) async fn paid_answer(
        &self,
        session: &mut Session,
        asking: Asking<'_>,
        cancel: &CancellationToken,
    ) -> Result<Completion, ModelError> {
        let facts = self.model.facts(&asking.request.model).await;
        let price = facts.price.unwrap_or(Price::FREE);
        let prompt = Usage { input_tokens: asking.prompt_tokens, ..Usage::default() };
        let whole = Usage { output_tokens: ASSUMED_OUTPUT.min(facts.window), ..prompt };
        let estimate = price.of(&whole);
        if facts.price.is_none() {
            allowed(session, &asking.request.model)?;
        }
        let held = match self.set_aside(session, &asking.request.model, estimate).await {
            Ok(held) => held,
            Err(error) => {
                let (model, cost) = (&asking.request.model, Cost::AtMost(estimate));
                self.note_over(session, None, model, cost, error.to_string());
                return Err(error);
            }
        };
        let meter = Meter::new(asking.deltas);
        let mut answer = self.model.answer(asking.request, &meter, cancel).await;
        // What tries that failed half-way used was used, too.
        let wasted = price.of(&meter.wasted(asking.prompt_tokens));
        let cost = match &mut answer {
            Ok(completion) => {
                completion.usage = facts.priced(&completion.usage);
                completion.usage.cost = completion.usage.cost.saturating_add(wasted);
                add_usage(session, &completion.usage);
                completion.usage.cost
            }
            Err(error) => {
                let known = Usage { output_tokens: meter.seen_tokens(), ..prompt };
                let ended = meter.ended(error);
                let cost = wasted.saturating_add(match ended {
                    Ended::Refused => 0,
                    Ended::Failed => price.of(&prompt),
                    Ended::Partly => price.of(&known),
                    Ended::Unknown => estimate,
                });
                let unpriced = u64::from(facts.price.is_none() && ended != Ended::Refused);
                add_usage(session, &Usage { cost, unpriced, ..Usage::default() });
                cost
            }
        };
        if let Some(id) = held {
            self.close_pledge(&id, cost).await;
        }
        answer
    }

    /// Sets money aside for a model call; gives the pledge's id, or `None` if it costs nothing.
    pub(super) async fn set_aside(
        &self,
        session: &Session,
        model: &str,
        amount: u64,
    ) -> Result<Option<String>, ModelError> {
        if amount == 0 {
            return Ok(None);
        }
        let turn = session.head.turn.as_ref();
        let (turn, step) = turn.map_or(("none", 0), |turn| (turn.id.as_str(), turn.steps));
        let id = format!("model:{turn}:{step}:{}", self.random.id(""));
        let wish = Wish { id: id.clone(), payers: Payers::of(session), purpose: model.to_owned(), amount };
        match self.purse.reserve(&wish).await {
            Ok(Pledge::Held) => Ok(Some(id)),
            Ok(Pledge::Short(account)) => {
                let who = session.head.turn.as_ref().map(|turn| turn.requester.name.as_str());
                let (reason, hint) = short_words(&account, amount, who);
                Err(ModelError::Stop { reason: format!("I stopped before asking the model: {reason}"), hint })
            }
            Err(error) => Err(unusable(&error)),
        }
    }

    /// Settles a pledge, or gives it back if nothing was spent. What cannot be written now is settled by
    /// the next worker that takes the session up.
    pub(super) async fn close_pledge(&self, id: &str, cost: u64) {
        let closed = if cost == 0 { self.purse.release(id).await } else { self.purse.settle(id, cost).await };
        if let Err(error) = closed {
            tracing::error!(%error, pledge = id, "what a call cost could not be written down yet");
        }
    }
}

/// Adds to what the session and its turn used.
pub(super) fn add_usage(session: &mut Session, usage: &Usage) {
    session.head.usage.add(usage);
    if let Some(turn) = session.head.turn.as_mut() {
        turn.usage.add(usage);
    }
}

/// Whether people let this session use a model whose price nobody knows. The main model was asked about
/// before it came to this; one of another role is left out until somebody says yes to it.
fn allowed(session: &Session, model: &str) -> Result<(), ModelError> {
    if session.head.settings.unpriced.contains(model) {
        return Ok(());
    }
    Err(ModelError::Stop {
        reason: format!("What `{model}` costs is not known, and nobody has said that it may be used here."),
        hint:
            "Choose it for the session once (`!model`) to be asked, or name its price in the configuration, \
               under `budgets.prices`."
                .to_owned(),
    })
}

fn unusable(error: &PurseError) -> ModelError {
    ModelError::Stop {
        reason: format!("I stopped before asking the model: {error}."),
        hint: "Whoever runs me finds the reason in the log (a full disk, or missing permissions).".to_owned(),
    }
}

/// About how many tokens a prompt has that no provider has counted yet.
pub(super) fn all_tokens(request: &Request) -> u64 {
    let tools: usize = request
        .tools
        .iter()
        .map(|tool| tool.name.len() + tool.description.len() + written(&tool.parameters))
        .sum();
    let items: u64 = request.items.iter().map(|item| weight(item)).sum();
    tokens_in(request.system.len() + tools).saturating_add(items)
}

/// How a call without an answer ended, as far as money goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// The provider took nothing: it said no, or was never asked.
    Refused,
    /// It was asked and gave nothing, more than once; the prompt may have been read.
    Failed,
    /// It gave a part.
    Partly,
    /// It was cut off before anything came; an answer may have been on its way.
    Unknown,
}

/// Passes pieces on and measures them, so that an aborted call is not taken for a free one.
struct Meter<'a> {
    inner: &'a dyn DeltaSink,
    seen: AtomicU64,
    wasted_bytes: AtomicU64,
    wasted_tries: AtomicU64,
    remarked: AtomicBool,
}

impl<'a> Meter<'a> {
    fn new(inner: &'a dyn DeltaSink) -> Self {
        let zero = AtomicU64::default;
        Self {
            inner,
            seen: zero(),
            wasted_bytes: zero(),
            wasted_tries: zero(),
            remarked: AtomicBool::new(false),
        }
    }

    fn seen_tokens(&self) -> u64 {
        self.seen.load(Ordering::Relaxed).div_ceil(4)
    }

    fn wasted(&self, prompt_tokens: u64) -> Usage {
        Usage {
            input_tokens: prompt_tokens.saturating_mul(self.wasted_tries.load(Ordering::Relaxed)),
            output_tokens: self.wasted_bytes.load(Ordering::Relaxed).div_ceil(4),
            ..Usage::default()
        }
    }

    fn ended(&self, error: &ModelError) -> Ended {
        match error {
            _ if self.seen.load(Ordering::Relaxed) > 0 => Ended::Partly,
            ModelError::Cancelled => Ended::Unknown,
            _ if self.remarked.load(Ordering::Relaxed) => Ended::Failed,
            _ => Ended::Refused,
        }
    }
}

#[async_trait]
impl DeltaSink for Meter<'_> {
    async fn send(&self, delta: Delta) {
        match &delta {
            Delta::Text(text) | Delta::Thought(text) => {
                self.seen.fetch_add(text.len() as u64, Ordering::Relaxed);
            }
            Delta::Restart => {
                let seen = self.seen.swap(0, Ordering::Relaxed);
                self.wasted_bytes.fetch_add(seen, Ordering::Relaxed);
                self.wasted_tries.fetch_add(1, Ordering::Relaxed);
            }
            Delta::Remark(_) => self.remarked.store(true, Ordering::Relaxed),
        }
        self.inner.send(delta).await;
    }
}
