//! Leaves out what a model refuses, and remembers that it did.
//!
//! Owns [`Memory`]: what each model takes of a wished effort, and which thoughts of a session are stale.
//! In this process only; whoever starts anew finds it out again. Never waits and never decides what an
//! error means.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use super::effort::{Taken, find_below};
use super::{Model, ModelError, Repairable, Request};
use crate::protocol::{Item, SessionKey, Thought, Usage};

/// The most wishes that are remembered, and the most sessions with stale thoughts; then it starts anew.
const MOST: usize = 1_024;

/// What models were found to refuse.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// By model and wish: what to ask for instead.
    efforts: Mutex<HashMap<(String, String), Option<String>>>,
    /// Thoughts that were refused, by their hash.
    stale: Mutex<HashMap<SessionKey, HashSet<u64>>>,
}

/// What was left out of one call so far.
#[derive(Debug, Default)]
pub(super) struct Healed {
    effort: bool,
    thoughts: bool,
    /// Tokens that finding a lower effort used.
    pub(super) usage: Usage,
}

impl Memory {
    /// Remembers what a model takes of a wish.
    pub(super) fn remember(&self, model: &str, wish: &str, taken: Option<String>) {
        let mut efforts = self.efforts.lock().unwrap_or_else(PoisonError::into_inner);
        if efforts.len() >= MOST {
            efforts.clear();
        }
        efforts.insert((model.to_owned(), wish.to_owned()), taken);
    }

    /// Forgets all of a model's efforts.
    pub(super) fn forget(&self, model: &str) {
        self.efforts.lock().unwrap_or_else(PoisonError::into_inner).retain(|(of, _), _| of != model);
    }

    /// Makes a request what its model is known to take.
    pub(super) fn prepare(&self, request: &mut Request) {
        if let Some(wish) = request.effort.clone() {
            let efforts = self.efforts.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(taken) = efforts.get(&(request.model.clone(), wish)) {
                request.effort.clone_from(taken);
            }
        }
        let stale = self.stale.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(stale) = stale.get(&request.session) {
            leave_out(request, |thought| stale.contains(&hash(thought)));
        }
    }

    /// Leaves the refused part out of the request; gives a remark for people. `wish` is the effort that was
    /// wished for at first. Ends after a few parts, whatever is refused.
    ///
    /// # Errors
    /// [`ModelError::Stop`] when nothing is left to leave out; what a ping meets that no effort can change.
    pub(super) async fn heal<M: Model>(
        &self,
        request: &mut Request,
        wish: &str,
        refusal: (Repairable, String),
        healed: &mut Healed,
        (model, cancel): (&M, &CancellationToken),
    ) -> Result<String, ModelError> {
        let (part, reason) = refusal;
        match part {
            Repairable::Thoughts if !healed.thoughts => {
                healed.thoughts = true;
                if self.strip(request) || request.effort.take().is_some() {
                    return Ok(format!("{reason} Trying again without it."));
                }
            }
            Repairable::Thoughts => {
                if request.effort.take().is_some() {
                    return Ok(format!("{reason} Trying again without reasoning effort."));
                }
            }
            Repairable::Thinking => {
                if request.effort.take().is_some() {
                    self.remember(&request.model, wish, None);
                    return Ok(format!("{reason} Going on without it."));
                }
            }
            Repairable::Effort => {
                if let Some(refused) = request.effort.take() {
                    let first = !std::mem::replace(&mut healed.effort, true);
                    let mut taken = None;
                    if first {
                        let found = find_below(model, &request.model, &refused, cancel).await?;
                        healed.usage.add(&found.usage);
                        if let Taken::Level(level) = found.taken {
                            taken = level;
                        }
                    }
                    self.remember(&request.model, wish, taken.clone());
                    let instead =
                        taken.as_ref().map_or("without it".to_owned(), |level| format!("with `{level}`"));
                    request.effort = taken;
                    return Ok(format!("{reason} Going on {instead}."));
                }
            }
        }
        Err(ModelError::Stop {
            reason,
            hint: "Choose another model with `!model` or `--model`, or start a new session.".to_owned(),
        })
    }

    /// Takes all thoughts out of a request and remembers them as stale; `false` if there were none. The
    /// transcript itself keeps its thoughts.
    fn strip(&self, request: &mut Request) -> bool {
        let mut found = HashSet::new();
        leave_out(request, |thought| {
            found.insert(hash(thought));
            true
        });
        if found.is_empty() {
            return false;
        }
        let mut stale = self.stale.lock().unwrap_or_else(PoisonError::into_inner);
        if stale.len() >= MOST {
            stale.clear();
        }
        stale.entry(request.session.clone()).or_default().extend(found);
        true
    }
}

/// Leaves out the thoughts that `is_stale`; items without any stay shared.
fn leave_out(request: &mut Request, mut is_stale: impl FnMut(&Thought) -> bool) {
    for item in &mut request.items {
        let Item::Assistant { text, thoughts, calls, model } = &**item else { continue };
        let kept: Vec<Thought> = thoughts.iter().filter(|thought| !is_stale(thought)).cloned().collect();
        if kept.len() < thoughts.len() {
            *item = Arc::new(Item::Assistant {
                text: text.clone(),
                thoughts: kept,
                calls: calls.clone(),
                model: model.clone(),
            });
        }
    }
}

fn hash(thought: &Thought) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&thought.text, &thought.signature).hash(&mut hasher);
    hasher.finish()
}
