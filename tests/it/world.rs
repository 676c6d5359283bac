//! A place to act in: a strict Slack workspace, a scripted model, and the real bot between them.
//!
//! A test reads like a script of what people do. [`World::finish`] fails it if a scripted reply was
//! never used, if the model got a request that no provider would take, or if something pinged people.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ml_intern::app::serve::Serving;
use ml_intern::app::{App, AppParts, Roles};
use ml_intern::clock::Clock;
use ml_intern::config::Config;
use ml_intern::model::Delivery;
use ml_intern::playground::model::{Reply, Script, ScriptedModel};
use ml_intern::playground::{Delivery as Reach, Message, Options, Redelivery, Workspace};
use ml_intern::random::Random;
use ml_intern::secret::Secret;
use ml_intern::slack::SlackDoor;
use serde_json::{Value, json};

/// How long anything may take before a script gives up on it.
const PATIENCE: Duration = Duration::from_secs(20);
/// Where the scripts take place.
pub const CHANNEL: &str = "ml-experiments";

/// Everything a script needs.
pub struct World {
    pub slack: Workspace,
    pub model: ScriptedModel,
    config: Config,
    folder: tempfile::TempDir,
    bot: Option<(Arc<App>, Serving)>,
}

/// A script's wishes.
pub struct Setup {
    pub script: Script,
    pub options: Options,
    /// Changes the configuration before the bot starts.
    pub configure: fn(&mut Config),
}

impl Setup {
    pub fn new(script: Script) -> Self {
        let options = Options { redelivery: Redelivery::UntilAcked, ..Options::new(Clock::system()) };
        Self { script, options, configure: |_| {} }
    }
}

/// A bash call, as the model writes it.
pub fn bash(command: &str) -> Reply {
    Reply::calls([("bash", json!({ "command": command }))])
}

impl World {
    /// The usual world with these replies, in order.
    pub async fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        Self::with(Setup::new(Script::Queue(replies.into_iter().collect()))).await
    }

    pub async fn with(setup: Setup) -> Self {
        Self::configured(setup, |_| {}).await
    }

    /// The same, with a change of the configuration that knows more.
    pub async fn configured(setup: Setup, change: impl FnOnce(&mut Config)) -> Self {
        ml_intern::clients::http::install_tls();
        let slack = Workspace::start(setup.options).await.unwrap();
        let model = ScriptedModel::start(setup.script).await.unwrap();
        let mut config =
            Config { model_name: "vllm/scripted".into(), reasoning_effort: None, ..Config::default() };
        config.models.vllm.base_url = model.url();
        config.slack.api_url = slack.api_url();
        config.slack.bot_token = Some(Secret::new(slack.bot_token()));
        config.slack.app_token = Some(Secret::new(slack.app_token()));
        config.slack.signing_secret = Some(Secret::new(slack.signing_secret()));
        config.slack.connections = 1;
        config.server.bind = "127.0.0.1:0".into();
        config.server.drain_s = 2;
        config.approvals.approvers = vec![slack.person("bob").id()];
        (setup.configure)(&mut config);
        change(&mut config);
        let mut world = Self { slack, model, config, folder: tempfile::tempdir().unwrap(), bot: None };
        world.start_bot().await;
        world
    }

    /// Starts the bot on the world's data, as a process would.
    pub async fn start_bot(&mut self) {
        let config = self.config.clone();
        let secrets = [
            &config.slack.bot_token,
            &config.slack.app_token,
            &config.slack.signing_secret,
            &config.models.huggingface.api_key,
        ];
        let parts = AppParts {
            secrets: secrets.into_iter().flatten().cloned().collect(),
            data_dir: self.folder.path().to_owned(),
            environment: BTreeMap::from([("PATH".to_owned(), std::env::var("PATH").unwrap())]),
            clock: Clock::system(),
            random: Random::system(),
            delivery: Delivery::Streamed,
            config,
        };
        let app = Arc::new(App::open(parts).unwrap());
        let door = Arc::new(
            SlackDoor::connect(
                &app.config().slack,
                app.config().approvals.groups(),
                app.intake(),
                app.clock().clone(),
                app.random().clone(),
            )
            .await
            .unwrap(),
        );
        let http = self.config.slack.app_token.is_none();
        let serving = app.clone().serve(door, Roles::all()).await.unwrap();
        if !http {
            assert!(self.slack.connected(1, PATIENCE).await, "the bot never connected");
        }
        self.bot = Some((app, serving));
    }

    /// Ends the bot in good order.
    pub async fn stop_bot(&mut self) {
        let (app, serving) = self.bot.take().expect("the bot runs");
        serving.stop().await;
        app.close().await;
    }

    /// Ends the bot and starts it again on the same data.
    pub async fn restart(&mut self) {
        self.stop_bot().await;
        self.start_bot().await;
    }

    /// Changes the configuration of the next start.
    pub fn configure(&mut self, change: fn(&mut Config)) {
        change(&mut self.config);
    }

    /// Waits until so many different messages of people were acknowledged.
    pub async fn until_acked(&self, messages: usize) {
        let deadline = std::time::Instant::now() + PATIENCE;
        let acked = || self.slack.ack_times().iter().filter(|it| it.after.is_some()).count();
        // A mention comes as two events, a reply as one.
        while acked() < messages + 1 {
            assert!(std::time::Instant::now() < deadline, "{} acknowledgements", acked());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// A person mentions the bot in the channel; gives the thread that opens.
    pub async fn mention(&self, who: &str, text: &str) -> Thread<'_> {
        let root = self.slack.person(who).mentions(CHANNEL, text).await.unwrap();
        Thread { world: self, root }
    }

    /// Checks what must hold at the end of every script.
    pub async fn finish(mut self) {
        assert_eq!(self.model.violations(), Vec::<String>::new(), "requests that no provider would take");
        assert_eq!(self.model.left(), 0, "scripted replies that were never asked for");
        let bot_pings = self.slack.look(|state| {
            let of_bot = state.messages.values().filter(|message| message.bot);
            of_bot.flat_map(|message| message.pings.clone()).collect::<Vec<_>>()
        });
        assert_eq!(bot_pings, Vec::<String>::new(), "the bot pinged people");
        let streaming = self.slack.look(|state| state.messages.values().filter(|it| it.streaming).count());
        assert_eq!(streaming, 0, "a stream was left open");
        let refused: Vec<String> = self
            .slack
            .calls()
            .iter()
            .filter(|call| ["invalid_blocks", "invalid_arguments", "unknown_method"].contains(&call.error()))
            .map(|call| format!("{} {}", call.method, call.answer))
            .collect();
        assert_eq!(refused, Vec::<String>::new(), "calls that Slack refuses by their form");
        if self.bot.is_some() {
            self.stop_bot().await;
        }
    }
}

/// One thread of the channel.
pub struct Thread<'a> {
    world: &'a World,
    pub root: String,
}

impl Thread<'_> {
    /// Waits until `look` finds something in the thread's messages.
    pub async fn until<T>(&self, what: &str, mut look: impl FnMut(&[Message]) -> Option<T>) -> T {
        let channel = self.world.slack.channel_id(CHANNEL);
        let found = self
            .world
            .slack
            .until(PATIENCE, |state| {
                let thread: Vec<Message> = state.in_thread(&channel, &self.root).cloned().collect();
                look(&thread)
            })
            .await;
        found.unwrap_or_else(|| panic!("never saw {what} in:\n{}", self.transcript()))
    }

    /// The card that asks people, with its buttons; gives its time stamp.
    pub async fn card(&self) -> String {
        self.until("an approval card", |messages| {
            messages.iter().rev().find(|message| has_button(message, "Approve")).map(|it| it.ts.clone())
        })
        .await
    }

    /// Waits for words of the bot in the thread.
    pub async fn hears(&self, words: &str) {
        self.until(&format!("the bot say “{words}”"), |messages| {
            messages.iter().any(|message| message.bot && shown(message).contains(words)).then_some(())
        })
        .await;
    }

    /// Waits until the answer with these words is complete: footer there, nothing streaming.
    pub async fn answered(&self, words: &str) {
        self.until(&format!("the whole answer “{words}”"), |messages| {
            let done = |it: &&Message| it.bot && !it.streaming && shown(it).contains(words) && is_final(it);
            messages.iter().find(done).map(drop)
        })
        .await;
    }

    /// Waits until the thread shows that nobody works on it, and gives what people see then.
    pub async fn settled(&self) -> String {
        let channel = self.world.slack.channel_id(CHANNEL);
        let quiet = self
            .world
            .slack
            .until(PATIENCE, |state| {
                let here =
                    |it: &&ml_intern::playground::Status| it.channel == channel && it.thread_ts == self.root;
                state.statuses.iter().filter(here).all(|it| it.session_status == "active").then_some(())
            })
            .await;
        assert!(quiet.is_some(), "the thread still says that work goes on:\n{}", self.transcript());
        without_dates(&self.transcript())
    }

    /// A person clicks a button of a message.
    pub async fn click(&self, who: &str, ts: &str, label: &str) {
        self.world.slack.person(who).clicks(CHANNEL, ts, label).await.unwrap();
    }

    pub async fn reply(&self, who: &str, text: &str) -> String {
        self.world.slack.person(who).replies(CHANNEL, &self.root, text).await.unwrap()
    }

    pub fn messages(&self) -> Vec<Message> {
        self.world.slack.thread(CHANNEL, &self.root)
    }

    pub fn transcript(&self) -> String {
        self.world.slack.transcript(CHANNEL, &self.root)
    }

    /// Final answers in the thread.
    pub fn answers(&self) -> usize {
        self.messages().iter().filter(|it| is_final(it)).count()
    }
}

/// Slack's dates with their moments taken out.
fn without_dates(text: &str) -> String {
    let mut parts = text.split("<!date^");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.split_once('>').map_or(part, |(_, rest)| rest);
        out.push_str("<a date>");
        out.push_str(rest);
    }
    out
}

/// Everything a message shows, as one text.
pub fn shown(message: &Message) -> String {
    let blocks = serde_json::to_string(&message.blocks).unwrap();
    let tasks = serde_json::to_string(&message.chunks).unwrap();
    format!("{}\n{}\n{blocks}\n{tasks}", message.text, message.markdown_text.clone().unwrap_or_default())
}

/// Whether it is marked as the final answer of a turn.
pub fn is_final(message: &Message) -> bool {
    message.metadata.as_ref().is_some_and(|metadata| metadata["event_type"] == "ml_intern_final")
}

pub fn has_button(message: &Message, label: &str) -> bool {
    fn within(value: &Value, label: &str) -> bool {
        match value {
            Value::Object(map) => {
                (map.get("type").is_some_and(|kind| kind == "button") && map["text"]["text"] == label)
                    || map.values().any(|inner| within(inner, label))
            }
            Value::Array(list) => list.iter().any(|inner| within(inner, label)),
            _ => false,
        }
    }
    message.blocks.iter().any(|block| within(block, label))
}

/// The same world over signed HTTP instead of Socket Mode needs the bot's address before it starts.
pub fn over_http(options: Options, base: &str) -> Options {
    let at = |path: &str| format!("{base}/slack/{path}");
    Options {
        delivery: Reach::Http {
            events: at("events"),
            interactivity: at("interactivity"),
            commands: at("commands"),
        },
        ..options
    }
}

impl World {
    /// Puts a file where the sessions' folders should be, so that none can be made.
    pub fn block_folders(&self) {
        std::fs::write(self.folder.path().join("workspaces"), "in the way").unwrap();
    }

    /// Takes it away again.
    pub fn unblock_folders(&self) {
        std::fs::remove_file(self.folder.path().join("workspaces")).unwrap();
    }

    /// Where the bot keeps everything.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Whether a file with this name is in any session's folder.
    pub fn find(&self, name: &str) -> bool {
        let folders = std::fs::read_dir(self.folder.path().join("workspaces")).unwrap().flatten();
        folders.into_iter().any(|folder| folder.path().join(name).exists())
    }

    /// What the files hold that took the output that was too long.
    pub fn spill_files(&self) -> Vec<String> {
        let folders = std::fs::read_dir(self.folder.path().join("workspaces")).unwrap().flatten();
        let outputs = folders.filter_map(|it| std::fs::read_dir(it.path().join(".ml-intern/output")).ok());
        outputs.flatten().flatten().map(|file| std::fs::read_to_string(file.path()).unwrap()).collect()
    }

    /// A thread whose root is known.
    pub fn thread(&self, root: &str) -> Thread<'_> {
        Thread { world: self, root: root.to_owned() }
    }

    /// The modal that is open before a person; gives its id.
    pub async fn modal(&self, who: &str) -> String {
        let user = self.slack.person(who).id();
        let view = self
            .slack
            .until(PATIENCE, |state| state.views.iter().find(|it| it.user == user).map(|it| it.id.clone()))
            .await;
        view.expect("no modal opened")
    }

    /// Waits until a process with this in its command line runs in the bot's workspaces.
    pub async fn until_running(&self, words: &str) {
        self.until_processes(words, |count| count > 0).await;
    }

    /// Waits until no such process is left.
    pub async fn until_gone(&self, words: &str) {
        self.until_processes(words, |count| count == 0).await;
    }

    async fn until_processes(&self, words: &str, enough: impl Fn(usize) -> bool) {
        let deadline = std::time::Instant::now() + PATIENCE;
        while !enough(self.processes(words)) {
            assert!(
                std::time::Instant::now() < deadline,
                "processes with “{words}”: {}",
                self.processes(words)
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Processes whose folder lies in this world's data and whose command line holds `words`.
    fn processes(&self, words: &str) -> usize {
        let ours = |pid: &str| {
            let cwd = std::fs::read_link(format!("/proc/{pid}/cwd")).ok()?;
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            (cwd.starts_with(self.folder.path()) && line.contains(words)).then_some(())
        };
        let entries = std::fs::read_dir("/proc").unwrap().flatten();
        entries.filter_map(|entry| ours(&entry.file_name().to_string_lossy())).count()
    }
}
