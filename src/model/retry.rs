//! Waits and tries again, and leaves out what a model refuses.
//!
//! Owns [`Retrying`]: above it nobody sees a passing error. It never decides what an error means.
//! Every wait is announced and can be cancelled at once.
//!
//! ```text
//! try --ok----------------------------------> answer
//!  |--Wait, steps left--> announce, wait ---> try (Restart first, if pieces were shown)
//!  |--Wait, none left--> Stop
//!  |--Repair, something to leave out--> leave it out (`heal`) --> try
//!  '--Shrink, Stop, Cancelled--> as they are
//! ```

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::protocol::Usage;
use crate::random::Random;

use super::heal::{Healed, Memory};
use super::{Completion, Delta, DeltaSink, Described, Facts, Model, ModelError, Request, Trouble};

/// How long to wait before each further try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// After overload, server errors, lost connections.
    pub transient: Vec<Duration>,
    /// After "too many requests".
    pub rate_limit: Vec<Duration>,
    /// The longest wait that a provider may wish for.
    pub longest: Duration,
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            transient: [5, 15, 30].map(Duration::from_secs).to_vec(),
            rate_limit: [30, 60].map(Duration::from_secs).to_vec(),
            longest: Duration::from_secs(600),
        }
    }
}

/// A model that waits out passing trouble.
#[derive(Debug)]
pub struct Retrying<M> {
    inner: M,
    schedule: Schedule,
    random: Random,
    memory: Memory,
}

impl<M: Model> Retrying<M> {
    /// Wraps `inner`; `random` spreads the waits of many sessions.
    pub fn new(inner: M, schedule: Schedule, random: Random) -> Self {
        Self { inner, schedule, random, memory: Memory::default() }
    }

    /// How long to wait before the next try; `None` when there is none.
    fn wait(&self, kind: Trouble, after: Option<Duration>, failures: usize) -> Option<Duration> {
        let steps = match kind {
            Trouble::RateLimit => &self.schedule.rate_limit,
            Trouble::Transient => &self.schedule.transient,
        };
        let step = *steps.get(failures)?;
        Some(after.map_or_else(|| self.random.jitter(step), |wish| wish.min(self.schedule.longest)))
    }
}

#[async_trait]
impl<M: Model> Model for Retrying<M> {
    async fn answer(
        &self,
        request: &Request,
        deltas: &dyn DeltaSink,
        cancel: &CancellationToken,
    ) -> Result<Completion, ModelError> {
        let mut request = request.clone();
        let wish = request.effort.clone().unwrap_or_default();
        self.memory.prepare(&mut request);
        let (mut rate_limits, mut troubles, mut tries) = (0, 0, 0);
        let mut healed = Healed::default();
        let watched = Watched { inner: deltas, shown: AtomicBool::new(false) };
        loop {
            tries += 1;
            let outcome = tokio::select! {
                biased;
                () = cancel.cancelled() => Err(ModelError::Cancelled),
                outcome = self.inner.answer(&request, &watched, cancel) => outcome,
            };
            match outcome {
                Err(ModelError::Wait { reason, kind, after }) => {
                    let failures = match kind {
                        Trouble::RateLimit => &mut rate_limits,
                        Trouble::Transient => &mut troubles,
                    };
                    let Some(wait) = self.wait(kind, after, *failures) else {
                        return Err(exhausted(&reason, kind, tries));
                    };
                    *failures += 1;
                    watched.restart().await;
                    watched.send(Delta::Remark(format!("{reason} Trying again in {}.", spoken(wait)))).await;
                    tokio::select! {
                        biased;
                        () = cancel.cancelled() => return Err(ModelError::Cancelled),
                        () = tokio::time::sleep(wait) => {}
                    }
                }
                Err(ModelError::Repair { reason, part }) => {
                    // Leaving something out is no further try: it uses up no step of the schedule.
                    let at = (&self.inner, cancel);
                    let refusal = (part, reason);
                    let remark = self.memory.heal(&mut request, &wish, refusal, &mut healed, at).await?;
                    watched.restart().await;
                    watched.send(Delta::Remark(remark)).await;
                }
                Ok(mut completion) => {
                    completion.usage.add(&healed.usage);
                    return Ok(completion);
                }
                other => return other,
            }
        }
    }

    fn check(&self, model: &str) -> Result<(), ModelError> {
        self.inner.check(model)
    }

    async fn facts(&self, model: &str) -> Facts {
        self.inner.facts(model).await
    }

    async fn describe(&self, model: &str) -> Described {
        self.inner.describe(model).await
    }

    async fn ping(
        &self,
        model: &str,
        effort: Option<&str>,
        cancel: &CancellationToken,
    ) -> Result<Usage, ModelError> {
        self.inner.ping(model, effort, cancel).await
    }

    fn remember_effort(&self, model: &str, wish: &str, taken: Option<String>) {
        self.memory.remember(model, wish, taken);
    }

    fn forget_efforts(&self, model: &str) {
        self.memory.forget(model);
    }
}

fn exhausted(reason: &str, kind: Trouble, tries: u32) -> ModelError {
    let times = if tries == 1 { "one try".to_owned() } else { format!("{tries} tries") };
    let hint = match kind {
        Trouble::RateLimit => {
            "Wait some minutes and try again, or choose another model with `!model` or `--model`."
        }
        Trouble::Transient => {
            "Try again in a while; if it lasts, look at the provider's status page (or whether your own server \
             runs), or choose another model with `!model` or `--model`."
        }
    };
    ModelError::Stop { reason: format!("{reason} (given up after {times})"), hint: hint.to_owned() }
}

fn spoken(wait: Duration) -> String {
    let seconds = wait.as_secs_f64().ceil();
    if seconds < 120.0 { format!("{seconds} s") } else { format!("{} min", (seconds / 60.0).ceil()) }
}

/// Remembers whether people have been shown pieces of the present try.
struct Watched<'a> {
    inner: &'a dyn DeltaSink,
    shown: AtomicBool,
}

impl Watched<'_> {
    /// Takes back what the failed try showed, if anything.
    async fn restart(&self) {
        if self.shown.swap(false, Ordering::SeqCst) {
            self.inner.send(Delta::Restart).await;
        }
    }
}

#[async_trait]
impl DeltaSink for Watched<'_> {
    async fn send(&self, delta: Delta) {
        if matches!(delta, Delta::Text(_) | Delta::Thought(_)) {
            self.shown.store(true, Ordering::SeqCst);
        }
        self.inner.send(delta).await;
    }
}

#[cfg(test)]
#[path = "retry_tests.rs"]
mod tests;
