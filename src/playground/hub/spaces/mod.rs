//! Spaces of the small Hub: settings, hardware, stages, logs, and the sandbox server that was committed,
//! run for real behind an edge that asks for a token.
//!
//! Owns [`Spaces`], the state beside each Space's repo. Never commits anything; repos are `repo`'s. `space`
//! is one Space and its stages, `app` runs its server, `edge` is its address, `routes` and `settings` are
//! the API. Start at [`Spaces`]; tests choose with [`Spaces::builds`] how Spaces come up.

mod app;
mod edge;
mod routes;
mod settings;
mod space;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, Timestamp};

use super::super::shared::lock;
use super::shared::Hub;
use super::state::{Change, Kind, State};
use space::Space;

pub(super) use edge::router as edge_router;
pub(super) use routes::{affordable, doors, runtime_of};
pub use space::SpaceStage;

/// How often a Space that takes its time is looked at, by real time.
const LOOK: Duration = Duration::from_millis(20);

/// How Spaces come up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Builds {
    /// Built at once; `RUNNING` as soon as its server answers.
    AtOnce,
    /// `BUILDING` until [`Spaces::built`].
    ByHand,
    /// `BUILDING` for so long, by the Hub's clock.
    Take(Duration),
    /// `BUILD_ERROR`, with this message.
    Fail(String),
    /// Built, and `RUNTIME_ERROR` with this message.
    Crash(String),
}

/// What there is of Spaces besides their repos.
#[derive(Debug)]
pub struct Spaces {
    desk: Mutex<Desk>,
    clock: Clock,
    address: String,
    stop: CancellationToken,
}

#[derive(Debug)]
struct Desk {
    spaces: BTreeMap<String, Space>,
    builds: Builds,
}

/// What a Space's repo says.
struct Repo {
    head: Option<String>,
    files: Vec<(String, Bytes)>,
    asked: serde_json::Value,
}

impl Spaces {
    pub(super) fn new(clock: Clock, address: String, stop: CancellationToken) -> Arc<Self> {
        let desk = Mutex::new(Desk { spaces: BTreeMap::new(), builds: Builds::AtOnce });
        Arc::new(Self { desk, clock, address, stop })
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        lock(&self.desk)
    }

    /// How every build from now on goes. At first: [`Builds::AtOnce`].
    pub fn builds(&self, how: Builds) {
        self.desk().builds = how;
    }

    /// Ends the build of a Space that is built by hand.
    pub fn built(self: &Arc<Self>, id: &str) {
        let mut desk = self.desk();
        if let Some(space) = desk.spaces.get_mut(id)
            && space.stage == SpaceStage::Building
        {
            space.waits = None;
            self.start(space);
        }
    }

    /// Where a Space stands; `None` if the Hub has not looked at it yet or it is gone.
    #[must_use]
    pub fn stage(&self, id: &str) -> Option<SpaceStage> {
        self.desk().spaces.get(id).map(|it| it.stage)
    }

    /// Value of a secret, which no answer tells.
    #[must_use]
    pub fn secret(&self, id: &str, key: &str) -> Option<String> {
        self.desk().spaces.get(id)?.secrets.get(key).map(|it| it.value.clone())
    }

    /// Ends a Space's server with this message, as if it had crashed.
    pub fn crash(&self, id: &str, message: &str) {
        if let Some(space) = self.desk().spaces.get_mut(id) {
            space.fail(SpaceStage::RuntimeError, message);
        }
    }

    /// Follows what happens to repos, so that a Space is rebuilt and ended without anybody asking.
    pub(super) async fn follow(hub: Hub, mut changes: tokio::sync::broadcast::Receiver<Change>) {
        loop {
            let change = tokio::select! {
                () = hub.stop.cancelled() => return,
                change = changes.recv() => change,
            };
            match change {
                Ok(
                    Change::Created { kind: Kind::Space, id, .. }
                    | Change::Committed { kind: Kind::Space, id, .. }
                    | Change::Deleted { kind: Kind::Space, id },
                ) => settle(&hub, &id),
                Ok(Change::Moved { kind: Kind::Space, from, to }) => {
                    {
                        let mut desk = hub.spaces.desk();
                        if let Some(space) = desk.spaces.remove(&from) {
                            desk.spaces.insert(to.clone(), space.renamed(&to));
                        }
                    }
                    settle(&hub, &to);
                }
                Ok(_) | Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {}
                Err(tokio::sync::broadcast::error::RecvError::Closed) => return,
            }
        }
    }
}

/// Brings what is known of a Space in line with its repo and the time: made, rebuilt, asleep, gone.
pub(super) fn settle(hub: &Hub, id: &str) {
    let repo = hub.look(|state| read(state, id));
    let spaces = &hub.spaces;
    let now = spaces.clock.now();
    let mut desk = spaces.desk();
    let Some(repo) = repo else {
        desk.spaces.remove(id);
        return;
    };
    let builds = desk.builds.clone();
    let space = desk.spaces.entry(id.to_owned()).or_insert_with(|| Space::asked(id, &repo.asked, now));
    if space.head != repo.head {
        space.head = repo.head;
        space.files = repo.files;
        spaces.build(space, &builds, now);
    }
    if space.is_idle(now) {
        space.sleep();
    }
}

fn read(state: &State, id: &str) -> Option<Repo> {
    let repo = state.repos.get(&(Kind::Space, id.to_owned()))?;
    let head = repo.resolve("main");
    let commit = head.as_ref().and_then(|head| repo.commit(head));
    let files = commit.into_iter().flat_map(|commit| commit.files.iter());
    let files = files.filter_map(|(path, entry)| Some((path.clone(), state.content(repo, entry)?)));
    Some(Repo { head: head.clone(), files: files.collect(), asked: repo.asked.clone() })
}

impl Spaces {
    /// Builds a Space anew.
    fn build(self: &Arc<Self>, space: &mut Space, how: &Builds, now: Timestamp) {
        space.begin_build(now);
        match how {
            _ if !space.has_app() => space.stage = SpaceStage::NoAppFile,
            Builds::AtOnce => self.start(space),
            Builds::ByHand => {}
            Builds::Take(pause) => {
                let ready = now.plus(*pause);
                space.waits = Some(ready);
                tokio::spawn(wait(self.clone(), space.id.clone(), ready));
            }
            Builds::Fail(message) => space.fail(SpaceStage::BuildError, message),
            Builds::Crash(message) => space.fail(SpaceStage::RuntimeError, message),
        }
    }

    /// Starts a Space's server, or lets it run without one.
    fn start(self: &Arc<Self>, space: &mut Space) {
        space.stop_app();
        space.used = self.clock.now();
        match app::program(space, &self.address) {
            Ok(Some((program, port))) => {
                space.stage = SpaceStage::AppStarting;
                space.app = Some(app::run(self, &space.id, program, port));
            }
            Ok(None) => space.run(None),
            Err(error) => space.fail(SpaceStage::RuntimeError, &error.to_string()),
        }
    }
}

/// Waits until a Space is built by the Hub's clock.
async fn wait(spaces: Arc<Spaces>, id: String, ready: Timestamp) {
    while spaces.clock.now() < ready {
        tokio::select! {
            () = spaces.stop.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
    }
    let mut desk = spaces.desk();
    // It may have been built again meanwhile, or be gone.
    if let Some(space) = desk.spaces.get_mut(&id)
        && space.waits == Some(ready)
    {
        space.waits = None;
        spaces.start(space);
    }
}
