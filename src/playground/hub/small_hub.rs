//! The small Hub as tests and the command line hold it: start it, look at it, break it, stop it.
//!
//! Owns [`SmallHub`]. Start at [`SmallHub::start`].

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::buckets::Buckets;
use super::cut::{CutListener, Scissors};
use super::faults::HubFault;
use super::http;
use super::jobs::Jobs;
use super::options::HubOptions;
use super::seed::RepoSeed;
use super::shared::{Addresses, Hub, HubCall, Service, Shared};
use super::spaces::Spaces;
use super::state::{Change, State};
use super::world::furnish;

/// A running Hub, with the services around it. Stops when dropped.
#[derive(Debug)]
pub struct SmallHub {
    hub: Hub,
    tasks: Vec<JoinHandle<()>>,
}

impl SmallHub {
    /// Binds to loopback and starts serving.
    ///
    /// # Errors
    /// The port is taken, or the world that it holds cannot be read.
    pub async fn start(options: HubOptions) -> anyhow::Result<Self> {
        let mut listeners = Vec::new();
        for service in Service::ALL {
            let port = if service == Service::Hub { options.port } else { 0 };
            let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, port))
                .await
                .with_context(|| format!("port {port} on loopback, for {service:?}"))?;
            let address = format!("http://{}", listener.local_addr()?);
            listeners.push((service, listener, address));
        }
        let at = |service: Service| {
            listeners.iter().find(|it| it.0 == service).map(|it| it.2.clone()).unwrap_or_default()
        };
        let addresses = Addresses {
            hub: at(Service::Hub),
            cdn: at(Service::Cdn),
            viewer: at(Service::Viewer),
            arxiv: at(Service::Arxiv),
            ar5iv: at(Service::Ar5iv),
            scholar: at(Service::Scholar),
            gradio: at(Service::Gradio),
            spaces: at(Service::Spaces),
        };
        let mut state = State::new(&options);
        furnish(&mut state, options.clock.now())?;
        let hub = Shared::new(state, options.clock, options.limits, addresses);
        let mut tasks: Vec<JoinHandle<()>> =
            listeners.into_iter().map(|(service, listener, _)| serve(&hub, service, listener)).collect();
        tasks.push(tokio::spawn(Spaces::follow(hub.clone(), hub.changes.subscribe())));
        Ok(Self { hub, tasks })
    }

    /// Stops serving and waits for the servers to end.
    pub async fn shutdown(mut self) {
        self.hub.stop.cancel();
        self.hub.faults.clear();
        for mut task in self.tasks.drain(..) {
            if tokio::time::timeout(Duration::from_secs(2), &mut task).await.is_err() {
                task.abort();
            }
        }
    }

    /// The Hub's address: `http://127.0.0.1:PORT`, what `HF_ENDPOINT` would be.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.hub.addresses.hub
    }

    /// Where the services around it answer.
    #[must_use]
    pub fn addresses(&self) -> &Addresses {
        &self.hub.addresses
    }

    /// What `services.spaces_url` would be.
    #[must_use]
    pub fn spaces_url(&self) -> String {
        format!("{}/{{space}}", self.hub.addresses.spaces)
    }

    /// Jobs, scheduled jobs and credits.
    #[must_use]
    pub fn jobs(&self) -> &Arc<Jobs> {
        &self.hub.jobs
    }

    /// Spaces: how they come up, where they stand.
    #[must_use]
    pub fn spaces(&self) -> &Arc<Spaces> {
        &self.hub.spaces
    }

    /// Buckets.
    #[must_use]
    pub fn buckets(&self) -> &Buckets {
        &self.hub.buckets
    }

    /// All that a client needs, as one JSON object: what `ml-intern playground --json` prints as `hub`.
    #[must_use]
    pub fn card(&self) -> Value {
        let at = self.addresses();
        json!({"url": at.hub, "dataset_viewer_url": at.viewer, "spaces_url": self.spaces_url(), "arxiv_url": at.arxiv,
            "ar5iv_url": at.ar5iv, "semantic_scholar_url": at.scholar, "gradio_url": at.gradio,
            "token": self.token(super::BOT)})
    }

    /// The first token of `name` that may change things, else the first one.
    #[must_use]
    pub fn token(&self, name: &str) -> String {
        self.look(|state| {
            let account = state.accounts.iter().find(|it| it.name == name);
            let tokens = account.map(|it| it.tokens.as_slice()).unwrap_or_default();
            let best =
                tokens.iter().find(|(_, role)| *role == super::TokenRole::Write).or_else(|| tokens.first());
            best.map(|(token, _)| token.clone()).unwrap_or_default()
        })
    }

    /// Looks at the whole state; nothing changes while `look` runs.
    pub fn look<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        self.hub.look(look)
    }

    /// Every request to the Hub and the services around it, in order.
    #[must_use]
    pub fn calls(&self) -> Vec<HubCall> {
        self.hub.calls()
    }

    /// `GET /path` of every request to one service, in order.
    #[must_use]
    pub fn lines(&self, service: Service) -> Vec<String> {
        self.calls().iter().filter(|it| it.service == service).map(HubCall::line).collect()
    }

    /// Waits until `look` finds something in the log, or `within` (real time) is over.
    pub async fn until<T>(
        &self,
        within: Duration,
        mut look: impl FnMut(&[HubCall]) -> Option<T>,
    ) -> Option<T> {
        let mut version = self.hub.version.subscribe();
        let search = async {
            loop {
                version.mark_unchanged();
                if let Some(found) = look(&self.hub.calls()) {
                    return Some(found);
                }
                version.changed().await.ok()?;
            }
        };
        tokio::time::timeout(within, search).await.ok().flatten()
    }

    /// Puts a repo there without asking; one of the same name is replaced. Returns its newest commit.
    pub fn seed(&self, repo: RepoSeed) -> String {
        let now = self.hub.clock.now();
        self.hub.with(|state| repo.put(state, now))
    }

    /// Lets the viewer answer `endpoint` (`/splits`) for a dataset with this, whatever its files say.
    pub fn answer_viewer(&self, dataset: &str, endpoint: &str, status: u16, body: Value) {
        self.hub.with(|state| {
            let answers = state.registered.entry(dataset.to_owned()).or_default();
            answers.insert(endpoint.to_owned(), (status, body));
        });
    }

    /// What happens to repos from now on.
    #[must_use]
    pub fn changes(&self) -> tokio::sync::broadcast::Receiver<Change> {
        self.hub.changes.subscribe()
    }

    /// Puts a fault in force.
    pub fn fault(&self, fault: HubFault) {
        self.hub.faults.add(fault);
    }

    /// Faults still in force.
    #[must_use]
    pub fn faults(&self) -> Vec<HubFault> {
        self.hub.faults.list()
    }

    /// Ends all faults; what they held goes on.
    pub fn clear_faults(&self) {
        self.hub.faults.clear();
    }
}

fn serve(hub: &Hub, service: Service, listener: TcpListener) -> JoinHandle<()> {
    let router = http::router(hub, service).into_make_service_with_connect_info::<Scissors>();
    let stop = hub.stop.clone();
    tokio::spawn(async move {
        let served =
            axum::serve(CutListener(listener), router).with_graceful_shutdown(stop.cancelled_owned());
        if let Err(error) = served.await {
            tracing::error!(%error, ?service, "a service of the small Hub ended");
        }
    })
}

impl Drop for SmallHub {
    fn drop(&mut self) {
        self.hub.stop.cancel();
        for task in &self.tasks {
            task.abort();
        }
    }
}
