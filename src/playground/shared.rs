//! What every part of the running workspace holds: the state behind its lock, the log of calls,
//! faults, budgets, tokens, and the wires on which changes leave.
//!
//! Never decides anything about Slack. Start at [`Shared::with`]: it locks, works, and then lets
//! changes and parcels leave in the order in which they happened.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde_json::Value;
use tokio::sync::{Notify, broadcast, watch};
use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, Timestamp};

use super::delivery::{AckRecord, Parcel, Redelivery};
use super::faults::Faults;
use super::options::Budgets;
use super::socket::Hub;
use super::state::{Change, State};

/// Most calls kept in the log; the oldest go first.
const CALLS_KEPT: usize = 20_000;
/// Most parcels waiting for the bot; later ones are dropped, as Slack drops what nobody takes.
const PARCELS_KEPT: usize = 50_000;
/// Most acknowledgements remembered.
const ACKS_KEPT: usize = 200_000;

/// One call of the Web API, as it came and as it was answered.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CallRecord {
    /// Method name.
    pub method: String,
    /// Arguments, without the token.
    pub args: Value,
    /// When, by the workspace's clock.
    pub at: Timestamp,
    /// HTTP status of the answer.
    pub status: u16,
    /// The answer.
    pub answer: Value,
}

impl CallRecord {
    /// Whether Slack would have said `ok`.
    #[must_use]
    pub fn ok(&self) -> bool {
        self.answer["ok"] == true
    }

    /// Slack's error name, or empty.
    #[must_use]
    pub fn error(&self) -> &str {
        self.answer["error"].as_str().unwrap_or_default()
    }
}

/// The secrets of one workspace, made anew at each start.
#[derive(Clone)]
pub struct Secrets {
    pub bot_token: String,
    pub app_token: String,
    pub signing_secret: String,
    pub control_token: String,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(…)")
    }
}

impl Secrets {
    pub fn fresh() -> Self {
        let random = || uuid::Uuid::new_v4().simple().to_string();
        let digits = || format!("{:012}", fastrand::u64(0..1_000_000_000_000));
        Self {
            bot_token: format!("xoxb-{}-{}-{}", digits(), digits(), &random()[..24]),
            app_token: format!("xapp-1-A0PLAYGRND-{}-{}{}", digits(), random(), random()),
            signing_secret: random(),
            control_token: format!("pg-{}{}", random(), random()),
        }
    }
}

/// See the module.
#[derive(Debug)]
pub struct Shared {
    state: Mutex<State>,
    calls: Mutex<VecDeque<CallRecord>>,
    acks: Mutex<VecDeque<AckRecord>>,
    windows: Mutex<HashMap<String, VecDeque<Timestamp>>>,
    pub faults: Mutex<Faults>,
    pub secrets: Secrets,
    pub scopes: Vec<String>,
    pub budgets: Budgets,
    pub redelivery: Redelivery,
    pub ack_within: std::time::Duration,
    pub hub: Hub,
    pub clock: Clock,
    pub changes: broadcast::Sender<Change>,
    pub parcels_waiting: Notify,
    pub version: watch::Sender<u64>,
    pub stop: CancellationToken,
    pub port: u16,
}

/// A lock whose holder panicked still holds good data here.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a workspace is told at its start, besides its state.
pub struct Setup {
    pub scopes: Vec<String>,
    pub budgets: Budgets,
    pub redelivery: Redelivery,
    pub ack_within: std::time::Duration,
    pub port: u16,
}

impl Shared {
    pub fn new(state: State, setup: Setup) -> Arc<Self> {
        let clock = state.clock.clone();
        Arc::new(Self {
            state: Mutex::new(state),
            calls: Mutex::default(),
            acks: Mutex::default(),
            windows: Mutex::default(),
            faults: Mutex::default(),
            secrets: Secrets::fresh(),
            scopes: setup.scopes,
            budgets: setup.budgets,
            redelivery: setup.redelivery,
            ack_within: setup.ack_within,
            hub: Hub::default(),
            clock,
            changes: broadcast::channel(4096).0,
            parcels_waiting: Notify::new(),
            version: watch::channel(0).0,
            stop: CancellationToken::new(),
            port: setup.port,
        })
    }

    /// Works on the state, then lets its changes leave. Never call it from inside itself.
    pub fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        let mut state = lock(&self.state);
        let result = work(&mut state);
        let listening = self.changes.receiver_count() > 0;
        let changed = !state.changes.is_empty();
        for change in state.changes.drain(..) {
            if listening {
                // Nobody listening any more is not an error.
                let _ = self.changes.send(change);
            }
        }
        if state.parcels.len() > PARCELS_KEPT {
            state.parcels.truncate(PARCELS_KEPT);
        }
        let waiting = !state.parcels.is_empty();
        drop(state);
        if waiting {
            self.parcels_waiting.notify_one();
        }
        if changed {
            self.version.send_modify(|it| *it += 1);
        }
        result
    }

    /// The next parcel for the bot, if one waits.
    pub fn next_parcel(&self) -> Option<Parcel> {
        lock(&self.state).parcels.pop_front()
    }

    /// Looks at the state without changing it.
    pub fn look<T>(&self, work: impl FnOnce(&State) -> T) -> T {
        let mut state = lock(&self.state);
        state.expire_streams();
        work(&state)
    }

    pub fn log(&self, record: CallRecord) {
        let mut calls = lock(&self.calls);
        if calls.len() >= CALLS_KEPT {
            calls.pop_front();
        }
        calls.push_back(record);
        drop(calls);
        self.version.send_modify(|it| *it += 1);
    }

    pub fn calls(&self) -> Vec<CallRecord> {
        lock(&self.calls).iter().cloned().collect()
    }

    pub fn acknowledged(&self, record: AckRecord) {
        let mut acks = lock(&self.acks);
        if acks.len() >= ACKS_KEPT {
            acks.pop_front();
        }
        acks.push_back(record);
        drop(acks);
        self.version.send_modify(|it| *it += 1);
    }

    pub fn acks(&self) -> Vec<AckRecord> {
        lock(&self.acks).iter().cloned().collect()
    }

    /// Spends one call of a budget of `limit` within `window`; else the seconds to wait.
    pub fn spend(
        &self,
        key: &str,
        limit: usize,
        window: std::time::Duration,
        now: Timestamp,
    ) -> Result<(), u64> {
        let mut windows = lock(&self.windows);
        let spent = windows.entry(key.to_owned()).or_default();
        while spent.front().is_some_and(|it| now.since(*it) >= window) {
            spent.pop_front();
        }
        if let Some(oldest) = spent.front().filter(|_| spent.len() >= limit) {
            let left = window.saturating_sub(now.since(*oldest));
            return Err(left.as_secs() + u64::from(left.subsec_nanos() > 0));
        }
        spent.push_back(now);
        Ok(())
    }
}
