//! One Space: what it was given, where it stands, and what the Hub tells of it.
//!
//! ```text
//! BUILDING --built--> APP_STARTING --server answers--> RUNNING --idle--> SLEEPING --request--> APP_STARTING
//!    |                     |-------server ends---------> RUNTIME_ERROR
//!    '--BUILD_ERROR        any --pause--> PAUSED --restart--> BUILDING
//! ```

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use serde_json::{Value, json};

use crate::clock::Timestamp;

use super::super::wire::iso;
use super::app::App;

/// Seconds after which free hardware goes to sleep.
const FREE_SLEEP: u64 = 172_800;
/// Most lines of each log.
const LINES: usize = 5_000;

/// A Space's stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpaceStage {
    /// Its repo has nothing that could run.
    NoAppFile,
    /// Its image is being built.
    Building,
    /// It could not be built.
    BuildError,
    /// Its server was started and does not answer yet.
    AppStarting,
    /// It runs.
    Running,
    /// Its server ended, or never answered.
    RuntimeError,
    /// Somebody paused it.
    Paused,
    /// Nobody used it for long; the next request wakes it.
    Sleeping,
}

impl SpaceStage {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::NoAppFile => "NO_APP_FILE",
            Self::Building => "BUILDING",
            Self::BuildError => "BUILD_ERROR",
            Self::AppStarting => "APP_STARTING",
            Self::Running => "RUNNING",
            Self::RuntimeError => "RUNTIME_ERROR",
            Self::Paused => "PAUSED",
            Self::Sleeping => "SLEEPING",
        }
    }
}

/// A secret or a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Setting {
    pub value: String,
    pub description: Option<String>,
    pub updated: Timestamp,
}

/// Lines with their time; the oldest go first.
#[derive(Debug, Default)]
pub(super) struct SpaceLog {
    lines: VecDeque<(Timestamp, String)>,
    dropped: usize,
}

impl SpaceLog {
    pub(super) fn push(&mut self, at: Timestamp, line: String) {
        if self.lines.len() >= LINES {
            self.lines.pop_front();
            self.dropped += 1;
        }
        self.lines.push_back((at, line));
    }

    /// Lines from this number on, and the number after them.
    pub(super) fn from(&self, number: usize) -> (Vec<(Timestamp, String)>, usize) {
        let skip = number.saturating_sub(self.dropped);
        let lines = self.lines.iter().skip(skip).cloned().collect();
        (lines, self.dropped + self.lines.len())
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Space {
    pub id: String,
    pub secrets: BTreeMap<String, Setting>,
    pub variables: BTreeMap<String, Setting>,
    pub volumes: Option<Vec<Value>>,
    pub requested: String,
    pub current: Option<String>,
    /// Seconds.
    pub sleep_after: Option<u64>,
    pub stage: SpaceStage,
    pub message: Option<String>,
    /// The commit that is built.
    pub head: Option<String>,
    pub files: Vec<(String, Bytes)>,
    /// When it will be built, if that takes time.
    pub waits: Option<Timestamp>,
    pub used: Timestamp,
    pub build_log: SpaceLog,
    pub run_log: SpaceLog,
    pub app: Option<App>,
    /// Port of its server on loopback, while it answers.
    pub port: Option<u16>,
}

impl Space {
    /// A Space as it was asked for when its repo was made.
    pub(super) fn asked(id: &str, asked: &Value, now: Timestamp) -> Self {
        let settings = |name: &str| {
            let each = asked[name].as_array().into_iter().flatten().filter_map(|it| {
                let value = it["value"].as_str().unwrap_or_default().to_owned();
                let description = it["description"].as_str().map(str::to_owned);
                Some((it["key"].as_str()?.to_owned(), Setting { value, description, updated: now }))
            });
            each.collect()
        };
        Self {
            id: id.to_owned(),
            secrets: settings("secrets"),
            variables: settings("variables"),
            volumes: asked["volumes"].as_array().cloned(),
            requested: asked["hardware"].as_str().unwrap_or("cpu-basic").to_owned(),
            current: None,
            sleep_after: asked["sleepTimeSeconds"].as_u64(),
            stage: SpaceStage::NoAppFile,
            message: None,
            head: None,
            files: Vec::new(),
            waits: None,
            used: now,
            build_log: SpaceLog::default(),
            run_log: SpaceLog::default(),
            app: None,
            port: None,
        }
    }

    /// The same Space under another name, to be built again: its address is another one.
    pub(super) fn renamed(mut self, id: &str) -> Self {
        self.stop_app();
        self.id = id.to_owned();
        self.head = None;
        self
    }

    /// The one word that stands for it in an address: `{space}` of `spaces_url`.
    pub(super) fn word(id: &str) -> String {
        let word = id.to_lowercase().replace(|it: char| !it.is_ascii_alphanumeric(), "-");
        word.trim_matches('-').to_owned()
    }

    pub(super) fn file(&self, path: &str) -> Option<&[u8]> {
        self.files.iter().find(|(name, _)| name == path).map(|(_, content)| content.as_ref())
    }

    /// Whether there is anything that could run.
    pub(super) fn has_app(&self) -> bool {
        ["Dockerfile", "app.py", "index.html", super::app::SERVER].iter().any(|it| self.file(it).is_some())
    }

    pub(super) fn stop_app(&mut self) {
        self.app = None;
        self.port = None;
    }

    pub(super) fn begin_build(&mut self, now: Timestamp) {
        self.stop_app();
        self.stage = SpaceStage::Building;
        self.message = None;
        self.waits = None;
        self.build_log = SpaceLog::default();
        let commit = self.head.as_deref().unwrap_or_default();
        self.build_log
            .push(now, format!("===== Build Queued at {} / Commit SHA: {commit} =====\n", iso(now)));
    }

    pub(super) fn run(&mut self, port: Option<u16>) {
        self.stage = SpaceStage::Running;
        self.message = None;
        self.current = Some(self.requested.clone());
        self.port = port;
    }

    pub(super) fn fail(&mut self, stage: SpaceStage, message: &str) {
        self.stop_app();
        self.stage = stage;
        self.message = Some(message.to_owned());
        self.waits = None;
    }

    pub(super) fn pause(&mut self) {
        self.stop_app();
        self.stage = SpaceStage::Paused;
        self.waits = None;
    }

    fn sleeps_after(&self) -> Option<u64> {
        self.sleep_after.or_else(|| (self.requested == "cpu-basic").then_some(FREE_SLEEP))
    }

    /// Whether nobody has used it for longer than it stays awake.
    pub(super) fn is_idle(&self, now: Timestamp) -> bool {
        let limit = self.sleeps_after().map(std::time::Duration::from_secs);
        self.stage == SpaceStage::Running && limit.is_some_and(|it| now.since(self.used) >= it)
    }

    pub(super) fn sleep(&mut self) {
        self.stop_app();
        self.stage = SpaceStage::Sleeping;
    }

    /// The answer of `GET …/runtime`.
    pub(super) fn tell(&self) -> Value {
        let domain = format!("{}.hf.space", Self::word(&self.id));
        let replicas = u8::from(self.stage == SpaceStage::Running);
        let mut told = json!({
            "stage": self.stage.word(),
            "hardware": {"current": self.current, "requested": self.requested},
            "storage": null, "gcTimeout": self.sleeps_after(),
            "replicas": {"current": replicas, "requested": 1}, "devMode": false,
            "domains": [{"domain": domain, "isCustom": false, "stage": "READY"}],
        });
        if let Some(message) = &self.message {
            told["errorMessage"] = message.clone().into();
        }
        if let Some(volumes) = &self.volumes {
            told["volumes"] = volumes.clone().into();
        }
        told
    }
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn a_space_is_one_word_in_an_address() {
        for (id, word) in
            [("alice/sandbox-8d1f41fe", "alice-sandbox-8d1f41fe"), ("Acme/My_Space.v2", "acme-my-space-v2")]
        {
            assert_eq!(Space::word(id), word);
        }
    }

    #[test]
    fn a_new_space_tells_what_it_was_asked_for() {
        let asked = json!({
            "hardware": "t4-small", "sleepTimeSeconds": 2700,
            "secrets": [{"key": "K", "value": "V"}], "variables": [{"key": "A", "value": "B", "description": "d"}]
        });
        let space = Space::asked("alice/s", &asked, Timestamp(5));
        assert_eq!(space.secrets["K"].value, "V");
        assert_eq!(space.variables["A"].description.as_deref(), Some("d"));
        let told = space.tell();
        assert_eq!(told["hardware"], json!({"current": null, "requested": "t4-small"}));
        assert_eq!((&told["gcTimeout"], &told["stage"]), (&json!(2700), &json!("NO_APP_FILE")));
        assert!(!told.to_string().contains('V'));
    }
}
