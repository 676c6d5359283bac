//! A Slack door on a strict workspace, with nobody who works behind it: what the tests below share.

use std::sync::Arc;
use std::time::Duration;

use ml_intern::clock::{Clock, Timestamp};
use ml_intern::config::SlackConfig;
use ml_intern::playground::{Message, Options, Workspace};
use ml_intern::protocol::{
    Actor, ApprovalId, ApprovalRequest, Approvers, AskedCall, CallId, Event, Operation, PersonId,
    SessionHead, Turn, TurnId, Usage,
};
use ml_intern::random::Random;
use ml_intern::runtime::intake::Intake;
use ml_intern::runtime::present::{Opening, Presenter};
use ml_intern::secret::Secret;
use ml_intern::slack::SlackDoor;
use ml_intern::slack::place::Place;
use ml_intern::store::embedded::Embedded;
use ml_intern::store::{Claimable, Inbox, Store};
use serde_json::json;

pub const CHANNEL: &str = "ml-experiments";
pub const PATIENCE: Duration = Duration::from_secs(15);

/// A workspace, a store, a door between them, and a thread that alice opened.
pub struct Hall {
    pub slack: Workspace,
    pub store: Arc<Embedded>,
    pub door: SlackDoor,
    pub root: String,
    began: Timestamp,
    _folder: tempfile::TempDir,
}

impl Hall {
    pub async fn open() -> Self {
        Self::with(Options::new(Clock::system()), |_| {}).await
    }

    pub async fn with(options: Options, configure: fn(&mut SlackConfig)) -> Self {
        ml_intern::clients::http::install_tls();
        let slack = Workspace::start(options).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let store = Embedded::open(folder.path(), Clock::system()).unwrap();
        let mut config = SlackConfig {
            api_url: slack.api_url(),
            bot_token: Some(Secret::new(slack.bot_token())),
            app_token: Some(Secret::new(slack.app_token())),
            signing_secret: Some(Secret::new(slack.signing_secret())),
            connections: 1,
            ..SlackConfig::default()
        };
        configure(&mut config);
        let intake = Intake::new(store.clone() as Arc<dyn Store>);
        let door = SlackDoor::connect(&config, Vec::new(), intake, Clock::system(), Random::seeded(1))
            .await
            .unwrap();
        let root = slack.person("alice").says(CHANNEL, None, "about the model").await.unwrap();
        let began = Clock::system().now();
        Self { slack, store, door, root, began, _folder: folder }
    }

    pub fn place(&self) -> Place {
        Place {
            team: self.door.identity().team.clone(),
            channel: self.slack.channel_id(CHANNEL),
            thread_ts: self.root.clone(),
            opened_by: self.slack.person("alice").id(),
        }
    }

    /// The session of the thread, with a turn in hand.
    pub fn head(&self) -> SessionHead {
        let place = self.place();
        let mut head = SessionHead::new(place.session(), place.origin(), Clock::system().now());
        head.title = Some("about the model".into());
        head.turn = Some(Turn::begun(turn(), Actor::new(self.alice(), "Alice"), self.began));
        head
    }

    pub fn alice(&self) -> PersonId {
        PersonId(self.slack.person("alice").id())
    }

    pub async fn presenter(&self, opening: Opening) -> Arc<dyn Presenter> {
        self.door.presenters().open(&self.head(), opening).await
    }

    /// A presenter that was told that the turn began.
    pub async fn begun(&self) -> Arc<dyn Presenter> {
        let presenter = self.presenter(Opening::Fresh).await;
        presenter.show(&self.processing());
        presenter
    }

    pub fn processing(&self) -> Event {
        Event::Processing { turn: turn(), requester: self.alice(), message: "working".into() }
    }

    /// The bot's messages in the thread.
    pub fn posts(&self) -> Vec<Message> {
        self.slack.thread(CHANNEL, &self.root).into_iter().filter(|message| message.bot).collect()
    }

    /// Waits until the bot shows anything in the thread.
    pub async fn shows_something(&self) {
        self.comes_true("the bot shows something", || !self.posts().is_empty()).await;
    }

    /// Waits until something holds, however busy the machine is.
    pub async fn comes_true(&self, what: &str, holds: impl Fn() -> bool) {
        for _ in 0..1_000 {
            if holds() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("it never came true that {what}:\n{}", self.transcript());
    }

    /// Those that end the turn.
    pub fn finals(&self) -> Vec<Message> {
        self.posts().into_iter().filter(|post| kind(post) == "ml_intern_final").collect()
    }

    pub fn transcript(&self) -> String {
        self.slack.transcript(CHANNEL, &self.root)
    }

    /// Methods called, in order, as often as they were.
    pub fn calls(&self, method: &str) -> usize {
        self.slack.calls().iter().filter(|call| call.method == method).count()
    }

    /// Operations that wait in the store for this session.
    pub async fn unread(&self, place: &Place) -> Vec<Operation> {
        let claimable = Claimable::Only(place.session());
        let Some(lease) = self.store.claim(&claimable, Duration::from_secs(30)).await.unwrap() else {
            return Vec::new();
        };
        let unread = self.store.unread(&lease).await.unwrap();
        self.store.release(&lease, None).await.unwrap();
        unread
    }
}

pub fn kind(message: &Message) -> String {
    let kind =
        message.metadata.as_ref().and_then(|metadata| metadata["event_type"].as_str().map(str::to_owned));
    kind.unwrap_or_default()
}

pub fn turn() -> TurnId {
    TurnId("turn-1".into())
}

pub fn text(content: &str) -> Event {
    Event::AssistantChunk { content: content.into() }
}

pub fn complete(answer: &str) -> Event {
    Event::TurnComplete {
        turn: turn(),
        history_size: 2,
        final_response: Some(answer.into()),
        elapsed_ms: 65_000,
        steps: 2,
        usage: Usage { input_tokens: 1_200, output_tokens: 300, cost: 12_300, ..Usage::default() },
        limit_reached: false,
    }
}

pub fn tool_call(id: &str, title: &str) -> Event {
    Event::ToolCall {
        tool: "bash".into(),
        title: title.into(),
        arguments: json!({ "command": "true" }),
        tool_call_id: CallId(id.into()),
    }
}

pub fn tool_output(id: &str, output: &str) -> Event {
    Event::ToolOutput {
        tool: "bash".into(),
        tool_call_id: CallId(id.into()),
        output: output.into(),
        success: true,
    }
}

/// A question about one shell command.
pub fn question(id: &str, command: &str) -> ApprovalRequest {
    ApprovalRequest {
        id: ApprovalId(id.into()),
        turn: turn(),
        calls: vec![AskedCall {
            call: CallId("c1".into()),
            tool: "bash".into(),
            arguments: json!({ "command": command, "timeout": 60 }),
            title: "delete the checkpoints".into(),
            preview: command.into(),
            language: "sh".into(),
            reasons: vec!["It changes files.".into()],
            cost: ml_intern::protocol::Cost::Free,
            operation: None,
            proposed: None,
            diff: None,
            always: false,
            facts: Vec::new(),
            warnings: Vec::new(),
            examined: false,
            alike: None,
            editable: Some("command".into()),
        }],
        digest: "d".into(),
        asked_at: Clock::system().now(),
        expires_at: Timestamp(1_800_000_000_000),
        approvers: Approvers::Anyone,
        needed: 1,
        votes: Vec::new(),
        readable_from: None,
        remind_at: None,
        on_expiry: ml_intern::protocol::OnExpiry::GoOn,
        grant: None,
    }
}
