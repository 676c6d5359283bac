//! What every route of the small Hub holds: the state behind its lock, the log, faults, addresses.
//!
//! Never decides anything. Start at [`Shared::with`].

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, Timestamp};

use super::super::shared::lock;
use super::buckets::Buckets;
use super::faults::Faults;
use super::jobs::Jobs;
use super::options::Limits;
use super::spaces::Spaces;
use super::state::{Change, State};

/// Most calls kept in the log; the oldest go first.
const CALLS_KEPT: usize = 20_000;

/// The services around the Hub, each on its own port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Service {
    /// The Hub itself.
    Hub,
    /// Where large files are: another origin, which must not be sent the token.
    Cdn,
    /// The dataset viewer.
    Viewer,
    /// arXiv's HTML.
    Arxiv,
    /// ar5iv's HTML.
    Ar5iv,
    /// Semantic Scholar.
    Scholar,
    /// Gradio's site and its search.
    Gradio,
    /// Where Spaces answer.
    Spaces,
}

impl Service {
    pub(super) const ALL: [Self; 8] = [
        Self::Hub,
        Self::Cdn,
        Self::Viewer,
        Self::Arxiv,
        Self::Ar5iv,
        Self::Scholar,
        Self::Gradio,
        Self::Spaces,
    ];
}

/// Where each service answers: `http://127.0.0.1:PORT`, without a slash at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    pub hub: String,
    pub cdn: String,
    pub viewer: String,
    pub arxiv: String,
    pub ar5iv: String,
    pub scholar: String,
    pub gradio: String,
    /// Each Space at `/{space}`, its owner and name as one word.
    pub spaces: String,
}

/// One request, as it came and as it was answered. Tokens are not kept: only whose they were.
#[derive(Debug, Clone, PartialEq)]
pub struct HubCall {
    /// Which service was asked.
    pub service: Service,
    /// HTTP method.
    pub method: String,
    /// Path and query, as they came.
    pub path: String,
    /// User name of the token's owner; `?` if nobody's; `None` if no token came.
    pub caller: Option<String>,
    /// Headers but the token, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, if it was JSON (lines of JSON: an array); else how many bytes it had.
    pub body: Value,
    /// When, by the Hub's clock.
    pub at: Timestamp,
    /// HTTP status of the answer; 0 if the connection was broken instead.
    pub status: u16,
}

impl HubCall {
    /// The value of a header, by its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
    }

    /// `GET /api/whoami-v2`.
    #[must_use]
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// See the module.
#[derive(Debug)]
pub struct Shared {
    state: Mutex<State>,
    calls: Mutex<VecDeque<HubCall>>,
    pub faults: Faults,
    pub clock: Clock,
    pub limits: Limits,
    pub jobs: Arc<Jobs>,
    pub spaces: Arc<Spaces>,
    pub buckets: Buckets,
    pub addresses: Addresses,
    /// What happened to repos, for parts that follow it.
    pub changes: broadcast::Sender<Change>,
    pub version: watch::Sender<u64>,
    pub stop: CancellationToken,
}

/// What routes take as their state.
pub type Hub = Arc<Shared>;

impl Shared {
    pub fn new(state: State, clock: Clock, limits: Limits, addresses: Addresses) -> Hub {
        let stop = CancellationToken::new();
        Arc::new(Self {
            state: Mutex::new(state),
            calls: Mutex::default(),
            faults: Faults::default(),
            jobs: Jobs::new(clock.clone(), addresses.hub.clone(), stop.clone()),
            spaces: Spaces::new(clock.clone(), addresses.hub.clone(), stop.clone()),
            buckets: Buckets::default(),
            clock,
            limits,
            addresses,
            changes: broadcast::channel(1024).0,
            version: watch::channel(0).0,
            stop,
        })
    }

    /// Works on the state, then lets its changes leave. Never call it from inside itself.
    pub fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        let mut state = lock(&self.state);
        let result = work(&mut state);
        for change in state.changes.drain(..) {
            // Nobody listening is not an error.
            let _ = self.changes.send(change);
        }
        drop(state);
        self.version.send_modify(|it| *it += 1);
        result
    }

    /// Looks at the state.
    pub fn look<T>(&self, work: impl FnOnce(&State) -> T) -> T {
        work(&lock(&self.state))
    }

    pub fn log(&self, call: HubCall) {
        let mut calls = lock(&self.calls);
        if calls.len() >= CALLS_KEPT {
            calls.pop_front();
        }
        calls.push_back(call);
        drop(calls);
        self.version.send_modify(|it| *it += 1);
    }

    pub fn calls(&self) -> Vec<HubCall> {
        lock(&self.calls).iter().cloned().collect()
    }
}
