//! Sandboxes as a session meets them: made on a Hub that has Spaces, used by the tools, lost, deleted.

mod alike;
mod creation;
mod dashboard;
mod faults;
mod owners;
mod server;
pub mod space_hub;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use ml_intern::agent::tool::{Assessment, CallContext, Ownership, Place, Progress, Tool, ToolError};
use ml_intern::clients::dataset_viewer::DatasetViewer;
use ml_intern::clients::docs::Docs;
use ml_intern::clients::hub::{Hub, Patience};
use ml_intern::clients::papers::{Manners, Papers};
use ml_intern::clock::{Clock, Timestamp};
use ml_intern::config::{HubAccount, HubConfig, ServicesConfig, ToolsConfig};
use ml_intern::protocol::{Actor, Door, PersonId, ToolOutcome};
use ml_intern::random::Random;
use ml_intern::secret::Secret;
use ml_intern::tools::hub::sandbox::{Pace, Sandboxes};
use ml_intern::tools::hub::{Accounts, HubAccess, HubKit, Unreadable};
use ml_intern::tools::{Supplies, builtin};
use serde_json::{Value, json};
use space_hub::{SpaceHub, TOKEN};
use tokio_util::sync::CancellationToken;

/// Everybody has given this token, if there is one.
struct Everybody(Option<Secret>);

#[async_trait]
impl Accounts for Everybody {
    async fn token(&self, _person: &PersonId) -> Result<Option<Secret>, Unreadable> {
        Ok(self.0.clone())
    }
}

#[derive(Default)]
pub struct Lines(Mutex<Vec<String>>);

impl Progress for Lines {
    fn line(&self, text: &str) {
        self.0.lock().unwrap().push(text.to_owned());
    }
}

/// A session with tools, on this machine or in a sandbox.
pub struct Desk {
    pub hub: SpaceHub,
    pub folder: tempfile::TempDir,
    pub clock: Clock,
    pub lines: Arc<Lines>,
    pub cancel: CancellationToken,
    pub sandboxes: Arc<Sandboxes>,
    tools: Vec<Arc<dyn Tool>>,
}

/// Where the tools act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Where {
    Here,
    Sandbox,
}

/// So quick that nobody has to wait for a test.
fn pace() -> Pace {
    let quick = Duration::from_millis(20);
    Pace {
        look: quick,
        run_within: Duration::from_secs(5),
        knock: quick,
        answer_within: Duration::from_secs(10),
        again: [quick; 2],
        read_again: [quick; 2],
    }
}

impl Desk {
    pub async fn new() -> Self {
        ml_intern::clients::http::install_tls();
        let hub = SpaceHub::start().await;
        Self::at(hub, tempfile::tempdir().unwrap(), Where::Sandbox, Some(TOKEN))
    }

    pub async fn here() -> Self {
        let hub = SpaceHub::start().await;
        Self::at(hub, tempfile::tempdir().unwrap(), Where::Here, Some(TOKEN))
    }

    pub async fn of_somebody(token: Option<&str>) -> Self {
        ml_intern::clients::http::install_tls();
        Self::at(SpaceHub::start().await, tempfile::tempdir().unwrap(), Where::Sandbox, token)
    }

    /// Where people act with tokens of their own.
    pub async fn of_people() -> Self {
        ml_intern::clients::http::install_tls();
        let folder = tempfile::tempdir().unwrap();
        Self::by(SpaceHub::start().await, folder, Where::Sandbox, (Some(TOKEN), HubAccount::Person))
    }

    /// The same session after the program was started anew and people gave another token.
    pub fn with_token_of_people(self, token: &str) -> Self {
        Self::by(self.hub, self.folder, Where::Sandbox, (Some(token), HubAccount::Person))
    }

    /// The same session after the program was started anew, an hour of the clock by no means later.
    pub fn restarted(self) -> Self {
        Self::at(self.hub, self.folder, Where::Sandbox, Some(TOKEN))
    }

    fn at(hub: SpaceHub, folder: tempfile::TempDir, place: Where, token: Option<&str>) -> Self {
        Self::by(hub, folder, place, (token, HubAccount::Bot))
    }

    fn by(
        hub: SpaceHub,
        folder: tempfile::TempDir,
        place: Where,
        (token, whose): (Option<&str>, HubAccount),
    ) -> Self {
        let clock = Clock::manual(Timestamp(1_795_600_000_000));
        let random = Random::system();
        let client = Hub::new(&hub.url, None).unwrap().with_patience(Patience::none());
        let token = token.map(Secret::new);
        let access = HubAccess::new(client, token.clone(), Arc::new(Everybody(token)), whose);
        let services =
            ServicesConfig { spaces_url: format!("{}/at/{{space}}", hub.url), ..ServicesConfig::default() };
        let config = HubConfig::default();
        let book = folder.path().join("sandboxes");
        let parts = (clock.clone(), random.clone());
        let sandboxes = Sandboxes::new(book, access.clone(), (&services, &config), parts).with_pace(pace());
        let sandboxes = Arc::new(sandboxes);
        std::fs::create_dir_all(folder.path().join("work")).unwrap();
        let kit = HubKit {
            access,
            docs: Docs::new(&services).unwrap(),
            papers: Papers::new(&services, Manners::default(), &clock, &random).unwrap(),
            viewer: DatasetViewer::new(
                &services.dataset_viewer_url,
                DatasetViewer::usual_patience(),
                &clock,
                &random,
            )
            .unwrap(),
            runs: Arc::new(ml_intern::tools::hub::runs::NoRuns),
            services,
            config,
            confirm_cpu_jobs: true,
            output_cap: 25_000,
            cache: folder.path().join("cache"),
            secrets: Vec::new(),
            sandboxes: (place == Where::Sandbox).then(|| sandboxes.clone()),
            clock: clock.clone(),
            random,
        };
        let environment = BTreeMap::from([("PATH".to_owned(), std::env!("PATH").to_owned())]);
        let tools = builtin(Supplies {
            config: ToolsConfig::default(),
            environment,
            secrets: Vec::new(),
            gateway: None,
            hub: Some(kit),
        });
        Self { hub, folder, clock, lines: Arc::default(), cancel: CancellationToken::new(), sandboxes, tools }
    }

    pub fn place(&self) -> Place {
        Place {
            session: "s".into(),
            door: Door::Slack,
            channel: None,
            workspace: self.folder.path().join("work"),
            ownership: Ownership::Session,
        }
    }

    pub fn context(&self) -> CallContext {
        CallContext {
            call: "call_1".into(),
            turn: "t1".into(),
            place: self.place(),
            requester: Actor::new("U1", "Ann"),
            approved_by: Vec::new(),
            model: "anthropic/claude".to_owned(),
            progress: self.lines.clone(),
            cancel: self.cancel.clone(),
        }
    }

    /// The same call by somebody else.
    pub async fn call_by(&self, person: Actor, name: &str, arguments: Value) -> ToolOutcome {
        let context = CallContext { requester: person, ..self.context() };
        self.tool(name).call(arguments, context).await.unwrap()
    }

    pub fn tool(&self, name: &str) -> Arc<dyn Tool> {
        self.tools.iter().find(|tool| tool.spec().name == name).unwrap().clone()
    }

    pub fn assess(&self, name: &str, arguments: &Value) -> Assessment {
        self.tool(name).assess(arguments, &self.place()).unwrap()
    }

    pub async fn try_call(&self, name: &str, arguments: Value) -> Result<ToolOutcome, ToolError> {
        self.tool(name).call(arguments, self.context()).await
    }

    pub async fn call(&self, name: &str, arguments: Value) -> ToolOutcome {
        self.try_call(name, arguments).await.unwrap()
    }

    /// Makes a sandbox; gives its Space.
    pub async fn with_sandbox(&self) -> String {
        let made = self.call("sandbox_create", json!({})).await;
        assert!(made.success, "{}", made.output);
        self.hub.look(|shelf| shelf.spaces.keys().next().cloned()).unwrap()
    }

    pub fn said(&self) -> Vec<String> {
        self.lines.0.lock().unwrap().clone()
    }
}
