//! `playground`: a local Slack workspace with the bot in it and a small Hub beside it, from one command.
//!
//! Owns putting the bot on both by its real clients, and the demonstration model that answers when no
//! key is configured. Its data is its own: nothing of the person's is touched.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;

use super::args::{Flags, PlaygroundArgs};
use super::exit::Exit;
use super::print_out;
use super::serve::Signals;
use super::terminal::parts;
use crate::app::{App, Roles};
use crate::clock::Clock;
use crate::config::{Config, HubAccount, Loaded, SlackMode, ToolRuntime, WhoApproves};
use crate::model::{Model, Providers};
use crate::playground::hub::{self, HubOptions, SmallHub};
use crate::playground::model::{Script, ScriptedModel};
use crate::playground::{Budgets, Options, Workspace, story};
use crate::secret::Secret;
use crate::slack::SlackDoor;

/// The id of the demonstration model.
const DEMONSTRATION: &str = "vllm/demonstration";

/// Plays until Ctrl+C.
///
/// # Errors
/// The port is taken, or the data folder cannot be used.
pub async fn run(what: &PlaygroundArgs, loaded: &Loaded, flags: &Flags) -> anyhow::Result<Exit> {
    let mut signals = Signals::listen()?;
    let mut options = Options::new(Clock::system());
    options.port = what.port;
    options.budgets = Budgets::AsSlack;
    let workspace = Workspace::start(options).await.context("the local workspace cannot start")?;
    let small_hub = SmallHub::start(HubOptions::playground(Clock::system()))
        .await
        .context("the small Hub cannot start")?;
    let around = (&workspace, &small_hub);
    let bot = if what.no_bot { None } else { Some(Bot::start(around, what, loaded, flags).await?) };
    print_out(&if flags.json {
        let mut card = workspace.card();
        card["hub"] = small_hub.card();
        format!("{card}\n")
    } else {
        let bot = match &bot {
            Some(bot) => format!(
                "{} In a channel, write: @ml-intern learn to tell the reviews on our Hub apart, and say how good it gets",
                bot.who
            ),
            None => format!("No bot is in it. API: {}  (tokens: --json)", workspace.api_url()),
        };
        format!(
            "A local Slack workspace is open at\n\n  {}\n\n{bot}\nIts Hub is {}: nothing reaches the real one. \
             Ctrl+C ends both.\n",
            workspace.page_url(),
            small_hub.url()
        )
    })?;
    if what.open || !(what.no_open || flags.json) {
        open_browser(&workspace.page_url());
    }
    match &bot {
        Some(bot) => tokio::select! {
            () = signals.next() => {}
            () = bot.serving.ended() => eprintln!("ml-intern: the bot ended by itself; run with -v to see why"),
        },
        None => signals.next().await,
    }
    if let Some(bot) = bot {
        tokio::select! {
            () = bot.stop() => {}
            () = signals.next() => return Ok(Exit::Interrupted),
        }
    }
    workspace.shutdown().await;
    small_hub.shutdown().await;
    Ok(Exit::Finished)
}

/// The bot in the workspace.
struct Bot {
    app: Arc<App>,
    serving: crate::app::serve::Serving,
    model: Option<ScriptedModel>,
    folder: PathBuf,
    who: String,
}

impl Bot {
    async fn start(
        (workspace, small_hub): (&Workspace, &SmallHub),
        what: &PlaygroundArgs,
        loaded: &Loaded,
        flags: &Flags,
    ) -> anyhow::Result<Self> {
        let mut parts = parts(loaded, flags);
        connect(&mut parts.config, workspace);
        parts.data_dir = fresh(&loaded.config.data_dir().join("playground"))?;
        let model = if what.demo || !answers(&loaded.config)? {
            Some(demonstrate(&mut parts.config).await?)
        } else {
            None
        };
        connect_hub(&mut parts.config, small_hub, workspace);
        let who = match &model {
            Some(_) => {
                workspace.notice(story::NOTICE);
                demonstrated(what, &loaded.config)
            }
            None => format!("{} answers.", parts.config.model_name),
        };
        let folder = parts.data_dir.clone();
        let slack = parts.config.slack.clone();
        let app = Arc::new(App::open(parts)?);
        let door = SlackDoor::connect(
            &slack,
            app.config().approvals.groups(),
            app.intake(),
            app.clock().clone(),
            app.random().clone(),
        )
        .await?;
        let serving = app.clone().serve(Arc::new(door), Roles::all()).await?;
        Ok(Self { app, serving, model, folder, who })
    }

    async fn stop(self) {
        self.serving.stop().await;
        self.app.close().await;
        if let Some(model) = self.model {
            model.shutdown().await;
        }
        if let Err(error) = tokio::fs::remove_dir_all(&self.folder).await {
            tracing::warn!(%error, folder = %self.folder.display(), "the playground's data could not be removed");
        }
    }
}

/// Points the bot at the workspace, and away from every real one.
fn connect(config: &mut Config, workspace: &Workspace) {
    config.slack.api_url = workspace.api_url();
    config.slack.bot_token = Some(Secret::new(workspace.bot_token()));
    config.slack.app_token = Some(Secret::new(workspace.app_token()));
    config.slack.signing_secret = Some(Secret::new(workspace.signing_secret()));
    config.slack.mode = SlackMode::Socket;
    config.slack.channels.clear();
    config.slack.people.clear();
    config.approvals.who = WhoApproves::Listed;
    config.approvals.approvers = workspace.look(|state| {
        let may = state.people.iter().filter(|person| !person.title.contains("may not approve"));
        may.map(|person| person.id.clone()).collect()
    });
    // Destinations name real channels with real tokens.
    config.messaging.enabled = false;
    config.messaging.destinations.clear();
    config.server.bind = "127.0.0.1:0".to_owned();
    config.server.drain_s = 3;
}

/// Points the bot at the small Hub, with a token that is good there and nowhere else.
fn connect_hub(config: &mut Config, small_hub: &SmallHub, workspace: &Workspace) {
    let addresses = small_hub.addresses();
    let services = &mut config.services;
    services.hf_endpoint.clone_from(&addresses.hub);
    services.dataset_viewer_url.clone_from(&addresses.viewer);
    services.spaces_url = small_hub.spaces_url();
    services.arxiv_url.clone_from(&addresses.arxiv);
    services.ar5iv_url.clone_from(&addresses.ar5iv);
    services.semantic_scholar_url.clone_from(&addresses.scholar);
    services.semantic_scholar_key = None;
    services.gradio_url.clone_from(&addresses.gradio);
    services.gradio_search_url.clone_from(&addresses.gradio);
    let token = Secret::new(&small_hub.token(hub::BOT));
    config.hub.namespace = Some(hub::ORG.to_owned());
    config.hub.tokens =
        workspace.look(|it| it.people.iter().map(|person| (person.id.clone(), token.clone())).collect());
    if config.model_name == DEMONSTRATION {
        config.hub.account = HubAccount::PersonOrBot;
        config.models.huggingface.api_key = Some(token);
    } else {
        // The key is a real one, for models: it stays where it is good, and never comes here.
        config.hub.account = HubAccount::Person;
        config.share_traces = false;
    }
}

/// Whether the configured model can be called at all.
fn answers(config: &Config) -> anyhow::Result<bool> {
    let http = crate::clients::http::client(None)?;
    Ok(Providers::new(&config.models, http, Clock::system())?.check(&config.model_name).is_ok())
}

/// Who answers in place of a model, and how to have the model.
fn demonstrated(what: &PlaygroundArgs, config: &Config) -> String {
    const WHO: &str = "A scripted demonstration model answers";
    if what.demo {
        return format!("{WHO}, as --demo asks.");
    }
    let keys = [
        ("ANTHROPIC_API_KEY", "anthropic", &config.models.anthropic.api_key),
        ("OPENAI_API_KEY", "openai", &config.models.openai.api_key),
        ("GEMINI_API_KEY", "gemini", &config.models.gemini.api_key),
    ];
    let model = &config.model_name;
    match keys.into_iter().find(|(.., key)| key.is_some()) {
        Some((name, provider, _)) => format!(
            "{WHO}: {name} is set, but {model} needs another key. Name a model of yours: -m {provider}/MODEL."
        ),
        None => format!("{WHO}: no key for {model} is configured."),
    }
}

async fn demonstrate(config: &mut Config) -> anyhow::Result<ScriptedModel> {
    let model = ScriptedModel::start(Script::Answering(Box::new(story::next))).await?;
    // Its trials act in sandboxes of the small Hub, as those of a team would on the real one.
    config.tool_runtime = ToolRuntime::Sandbox;
    config.hub.job_look_s = 2;
    config.model_name = DEMONSTRATION.to_owned();
    config.models.vllm.base_url = model.url();
    config.models.vllm.api_key = None;
    Ok(model)
}

/// An empty folder of this process, removed when it ends in order.
fn fresh(root: &Path) -> anyhow::Result<PathBuf> {
    let folder = root.join(std::process::id().to_string());
    if folder.exists() {
        std::fs::remove_dir_all(&folder)
            .with_context(|| format!("{} cannot be emptied", folder.display()))?;
    }
    Ok(folder)
}

/// Opens the page; if there is no browser, the address was printed.
fn open_browser(url: &str) {
    let command = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let quiet = std::process::Stdio::null;
    let child =
        std::process::Command::new(command).arg(url).stdin(quiet()).stdout(quiet()).stderr(quiet()).spawn();
    if let Err(error) = child {
        tracing::info!(%error, "no browser could be opened");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_bot_works_on_the_small_hub_and_no_real_key_comes_there() {
        let small_hub = SmallHub::start(HubOptions::playground(Clock::system())).await.unwrap();
        let workspace = Workspace::start(Options::new(Clock::system())).await.unwrap();
        let real = Some(Secret::new("hf_real"));
        let mut config = Config::default();
        config.models.huggingface.api_key = real.clone();
        connect_hub(&mut config, &small_hub, &workspace);
        assert_eq!(
            (config.models.huggingface.api_key, config.hub.account),
            (real.clone(), HubAccount::Person)
        );
        assert!(!config.share_traces);
        let people = workspace.look(|it| it.people.len());
        assert_eq!(config.hub.tokens.len(), people);
        let token = small_hub.token(hub::BOT);
        assert!(config.hub.tokens.values().all(|it| it.reveal() == token));
        let services = serde_json::to_value(&config.services).unwrap();
        let real_ones = services
            .as_object()
            .unwrap()
            .iter()
            .filter(|(_, it)| it.as_str().is_some_and(|it| it.starts_with("https://")));
        assert_eq!(real_ones.map(|it| it.0.as_str()).collect::<Vec<_>>(), ["github_api_url"]);

        let mut config = Config { model_name: DEMONSTRATION.to_owned(), ..Config::default() };
        config.models.huggingface.api_key = real;
        connect_hub(&mut config, &small_hub, &workspace);
        assert_eq!(config.models.huggingface.api_key.unwrap().reveal(), token);
    }

    #[test]
    fn whoever_sees_the_script_is_told_how_to_have_the_model() {
        let what = |demo| PlaygroundArgs { no_bot: false, port: 0, open: false, no_open: true, demo };
        let mut config = Config::default();
        assert!(demonstrated(&what(false), &config).contains("no key for "));
        assert!(demonstrated(&what(true), &config).contains("--demo"));
        config.models.openai.api_key = Some(Secret::new("sk-1"));
        let said = demonstrated(&what(false), &config);
        assert!(said.contains("OPENAI_API_KEY is set") && said.contains("-m openai/MODEL"), "{said}");
        assert!(!said.contains("sk-1"));
    }
}
