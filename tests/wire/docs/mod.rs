//! The tools for documentation against sites on loopback, beside what ml-intern was recorded to send.

mod api;
mod explore;
mod fetch;
mod site;
mod small_hub;

use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use ml_intern::agent::tool::{CallContext, Ownership, Place, Progress, Tool, ToolError};
use ml_intern::clients::dataset_viewer::DatasetViewer;
use ml_intern::clients::docs::Docs;
use ml_intern::clients::hub::Hub;
use ml_intern::clients::papers::{Manners, Papers};
use ml_intern::clock::{Clock, Timestamp};
use ml_intern::config::{HubAccount, HubConfig, ServicesConfig};
use ml_intern::protocol::{Actor, Door, PersonId, ToolOutcome};
use ml_intern::random::Random;
use ml_intern::secret::Secret;
use ml_intern::tools::hub::{Accounts, HubAccess, HubKit, Unreadable, tools};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use self::site::{Seen, Site};

/// The token that the recorded calls were made with.
const TOKEN: &str = "hf_testtoken";

struct NoAccounts;

#[async_trait]
impl Accounts for NoAccounts {
    async fn token(&self, _: &PersonId) -> Result<Option<Secret>, Unreadable> {
        Ok(None)
    }
}

#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

impl Progress for Lines {
    fn line(&self, text: &str) {
        self.0.lock().unwrap().push(text.to_owned());
    }
}

/// A Hub, Gradio's site, and the tools that ask them.
struct Desk {
    hub: Site,
    gradio: Site,
    tools: Vec<Arc<dyn Tool>>,
    clock: Clock,
    folder: tempfile::TempDir,
    cancel: CancellationToken,
    lines: Arc<Lines>,
}

impl Desk {
    async fn new() -> Self {
        Self::with(Some(TOKEN), 25_000).await
    }

    async fn with(token: Option<&str>, cap: usize) -> Self {
        let (hub, gradio) = (Site::with_trl().await, Site::start().await);
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::manual(Timestamp(1_800_000_000_000));
        let tools = tools(&kit(&hub.url, &gradio.url, token, cap, folder.path(), &clock));
        Self { hub, gradio, tools, clock, folder, cancel: CancellationToken::new(), lines: Arc::default() }
    }

    /// The same tools as another process would have them.
    fn again(&mut self) {
        self.tools = tools(&kit(
            &self.hub.url,
            &self.gradio.url,
            Some(TOKEN),
            25_000,
            self.folder.path(),
            &self.clock,
        ));
    }

    fn context(&self) -> CallContext {
        let place = Place {
            session: "s".into(),
            door: Door::Slack,
            channel: None,
            workspace: self.folder.path().to_owned(),
            ownership: Ownership::Session,
        };
        CallContext {
            call: "call_1".into(),
            turn: "t1".into(),
            place,
            requester: Actor::new("U1", "Ann"),
            approved_by: Vec::new(),
            model: "m".to_owned(),
            progress: self.lines.clone(),
            cancel: self.cancel.clone(),
        }
    }

    fn tool(&self, name: &str) -> &Arc<dyn Tool> {
        self.tools.iter().find(|tool| tool.spec().name == name).unwrap()
    }

    async fn call(&self, name: &str, arguments: Value) -> Result<ToolOutcome, ToolError> {
        self.tool(name).assess(&arguments, &self.context().place)?;
        self.tool(name).call(arguments, self.context()).await
    }

    /// What the model reads, with the sites' addresses as words.
    async fn says(&self, name: &str, arguments: Value) -> String {
        let text = match self.call(name, arguments).await {
            Ok(outcome) if outcome.success => outcome.output,
            Ok(outcome) => format!("FAILED: {}", outcome.output),
            Err(ToolError::Arguments(why)) => format!("WRONG: {why}"),
            Err(error) => format!("ERROR: {error}"),
        };
        let bare = |url: &str| url.trim_start_matches("http://").to_owned();
        let text = text.replace(&bare(&self.hub.url), "hub").replace(&bare(&self.gradio.url), "gradio");
        assert!(!text.contains(TOKEN), "no token reaches the model: {text}");
        text
    }
}

fn kit(hub: &str, gradio: &str, token: Option<&str>, cap: usize, folder: &Path, clock: &Clock) -> HubKit {
    let services = ServicesConfig {
        hf_endpoint: hub.to_owned(),
        gradio_url: gradio.to_owned(),
        gradio_search_url: gradio.to_owned(),
        ..ServicesConfig::default()
    };
    let client = Hub::new(hub, None).unwrap();
    let access =
        HubAccess::new(client, token.map(Secret::new), Arc::new(NoAccounts), HubAccount::PersonOrBot);
    HubKit {
        runs: std::sync::Arc::new(ml_intern::tools::hub::runs::NoRuns),
        sandboxes: None,
        access,
        docs: Docs::new(&services).unwrap(),
        papers: Papers::new(&services, Manners::default(), clock, &Random::seeded(1)).unwrap(),
        viewer: DatasetViewer::new(
            &services.dataset_viewer_url,
            DatasetViewer::usual_patience(),
            clock,
            &Random::seeded(1),
        )
        .unwrap(),
        services,
        config: HubConfig::default(),
        confirm_cpu_jobs: true,
        output_cap: cap,
        cache: folder.join("cache"),
        secrets: Vec::new(),
        clock: clock.clone(),
        random: Random::seeded(1),
    }
}

/// A request with the token, as recorded.
fn with_token(path: &str) -> Seen {
    Seen { authorization: Some(format!("Bearer {TOKEN}")), ..without_token(path) }
}

fn without_token(path: &str) -> Seen {
    Seen { line: format!("GET {path}"), authorization: None, headers: Default::default(), body: Value::Null }
}
