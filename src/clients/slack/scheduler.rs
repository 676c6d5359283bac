//! The outgoing scheduler: everything that this process sends to Slack goes through one of these.
//!
//! Keeps to the budgets, lets approvals and answers go ahead of progress, honours Retry-After, and
//! tries again what may be tried again. Dropping a call while it waits takes it out of the queue.
//! Start at [`Scheduler::call`].

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;

use super::api::SlackApi;
use super::budget::Budgets;
use super::error::SlackError;
use super::method::Method;
use crate::random::Random;

/// How many calls may wait at once. More of them wait outside; progress is turned away.
const QUEUE: usize = 4_096;
/// How often a lost request is tried again.
const TRIES: u32 = 6;
/// The first wait after a lost request; doubled each time.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// Who goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Answers to a click that die in seconds (modals); never wait.
    Instant,
    /// What people wait for: approvals, answers, errors, private lines.
    Final,
    /// Short remarks, notices, look-ups.
    Normal,
    /// How the work goes; may be late or left out.
    Progress,
}

/// What to do when a call does not go through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// It must arrive: waits as long as Slack asks, and repeats a lost request where that shows
    /// people nothing twice. A lost request that might, comes back as `Transport`: look, then decide.
    MustArrive,
    /// Waits at most this long for its place, and is not repeated.
    Within(Duration),
}

/// One call on its way out.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// The method.
    pub method: Method,
    /// Who goes first.
    pub priority: Priority,
    /// The channel that it is for, if any.
    pub channel: Option<String>,
    /// Its arguments.
    pub arguments: Value,
    /// What to do when it does not go through.
    pub retry: Retry,
}

/// The scheduler. Cheap to clone; clones share the budgets.
#[derive(Clone)]
pub struct Scheduler(Arc<Inner>);

struct Inner {
    api: Arc<SlackApi>,
    random: Random,
    room: Semaphore,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    budgets: Budgets,
    next: u64,
    waiting: BTreeMap<(Priority, u64), (Method, Option<String>)>,
}

/// A place in the queue, given back when dropped.
struct Place<'a> {
    inner: &'a Inner,
    key: (Priority, u64),
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.inner.state().waiting.remove(&self.key);
        self.inner.changed.notify_waiters();
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Scheduler {
    /// A scheduler over this API.
    #[must_use]
    pub fn new(api: Arc<SlackApi>, random: Random) -> Self {
        Self(Arc::new(Inner {
            api,
            random,
            room: Semaphore::new(QUEUE),
            state: Mutex::default(),
            changed: Notify::new(),
        }))
    }

    /// The API beneath, for calls that keep to no budget (start-up checks).
    #[must_use]
    pub fn api(&self) -> &Arc<SlackApi> {
        &self.0.api
    }

    /// Sends a call when its turn has come.
    ///
    /// # Errors
    /// As [`SlackApi::call`]; `RateLimited` too when it could not go within the patience of
    /// [`Retry::Within`].
    pub async fn call(&self, outgoing: Outgoing) -> Result<Value, SlackError> {
        let result = self.attempt(&outgoing).await;
        let outcome = match &result {
            Ok(_) => "ok",
            Err(SlackError::RateLimited { .. }) => "rate_limited",
            Err(SlackError::Api { .. }) => "refused",
            Err(SlackError::Transport(_)) => "lost",
        };
        metrics::counter!("slack_calls_total", "method" => outgoing.method.name(), "outcome" => outcome)
            .increment(1);
        if let Err(error) = &result {
            tracing::debug!(method = outgoing.method.name(), %error, "a Slack call did not go through");
        }
        result
    }

    async fn attempt(&self, outgoing: &Outgoing) -> Result<Value, SlackError> {
        let deadline = match outgoing.retry {
            Retry::MustArrive => None,
            Retry::Within(patience) => Some(Instant::now() + patience),
        };
        let mut tries = 0;
        loop {
            self.admit(outgoing, deadline).await?;
            match self.0.api.call(outgoing.method, &outgoing.arguments).await {
                Err(SlackError::RateLimited { retry_after }) => {
                    self.slow_down(outgoing, retry_after);
                    if deadline.is_some_and(|deadline| Instant::now() + retry_after > deadline) {
                        return Err(SlackError::RateLimited { retry_after });
                    }
                }
                Err(SlackError::Transport(why))
                    if deadline.is_none() && outgoing.method.is_idempotent() && tries < TRIES =>
                {
                    let wait = self.0.random.jitter(FIRST_WAIT * 2_u32.saturating_pow(tries));
                    tries += 1;
                    tracing::debug!(
                        method = outgoing.method.name(),
                        why,
                        ?wait,
                        "a lost request is sent again"
                    );
                    tokio::time::sleep(wait).await;
                }
                done => return done,
            }
        }
    }

    fn slow_down(&self, outgoing: &Outgoing, retry_after: Duration) {
        metrics::counter!("slack_rate_limited_total", "method" => outgoing.method.name()).increment(1);
        let until = Instant::now() + retry_after;
        self.0.state().budgets.pause(outgoing.method, outgoing.channel.as_deref(), until);
    }

    /// Waits for a free place, in the order of priority.
    async fn admit(&self, outgoing: &Outgoing, deadline: Option<Instant>) -> Result<(), SlackError> {
        if outgoing.priority == Priority::Instant {
            return Ok(());
        }
        let _room = match deadline {
            None => self.0.room.acquire().await.ok(),
            Some(_) => match self.0.room.try_acquire() {
                Ok(room) => Some(room),
                Err(_) => return Err(SlackError::RateLimited { retry_after: Duration::from_secs(1) }),
            },
        };
        let place = self.enqueue(outgoing);
        loop {
            let changed = self.0.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let now = Instant::now();
            let wait = match self.try_take(&place, now) {
                Turn::Go => return Ok(()),
                Turn::Wait(wait) => wait,
            };
            if let Some(deadline) = deadline.filter(|deadline| now + wait > *deadline) {
                // Behind others the wait is unknown, so it is spent; behind a budget it would be in vain.
                if wait > Duration::ZERO || now >= deadline {
                    return Err(SlackError::RateLimited { retry_after: wait });
                }
            }
            let until = if wait > Duration::ZERO { now + wait } else { now + Duration::from_millis(250) };
            tokio::select! {
                () = tokio::time::sleep_until(until) => {}
                () = &mut changed => {}
            }
        }
    }

    fn enqueue(&self, outgoing: &Outgoing) -> Place<'_> {
        let mut state = self.0.state();
        let key = (outgoing.priority, state.next);
        state.next += 1;
        state.waiting.insert(key, (outgoing.method, outgoing.channel.clone()));
        Place { inner: &self.0, key }
    }

    /// Takes the budget if nobody who is ready and ahead wants the same.
    fn try_take(&self, place: &Place<'_>, now: Instant) -> Turn {
        let mut state = self.0.state();
        let state = &mut *state;
        let Some((method, channel)) = state.waiting.get(&place.key).cloned() else { return Turn::Go };
        let wait = state.budgets.wait(method, channel.as_deref(), now);
        if wait > Duration::ZERO {
            return Turn::Wait(wait);
        }
        let ahead = state.waiting.range(..place.key).any(|(_, (other, place))| {
            let same =
                *other == method || (other.makes_message() && method.makes_message() && *place == channel);
            same && state.budgets.wait(*other, place.as_deref(), now) == Duration::ZERO
        });
        if ahead {
            return Turn::Wait(Duration::ZERO);
        }
        state.budgets.take(method, channel.as_deref(), now);
        Turn::Go
    }
}

enum Turn {
    Go,
    /// Until the budget allows it; zero if only others are ahead.
    Wait(Duration),
}
