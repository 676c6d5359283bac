//! The sandboxes of all sessions: found, talked to, ended; those that nobody uses are swept away.
//!
//! Never makes one (that is `make.rs`), nor says what is the matter with one (`matter.rs`). Start at [`Sandboxes`].

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::book::{Book, Phase, Record};
use crate::clients::hub::{Hub, HubError};
use crate::clients::sandbox::Sandbox;
use crate::clock::Clock;
use crate::config::{HubConfig, ServicesConfig};
use crate::protocol::{Actor, SessionKey};
use crate::random::Random;
use crate::secret::Secret;
use crate::tools::hub::HubAccess;

/// A use is written down when the last one that was is older than this.
const USE: Duration = Duration::from_secs(60);

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Between two looks at the Space while it is built.
    pub look: Duration,
    /// Until it must run.
    pub run_within: Duration,
    /// Between two knocks at its server.
    pub knock: Duration,
    /// Until its server must answer.
    pub answer_within: Duration,
    /// Before a deletion is tried again.
    pub again: [Duration; 2],
    /// Before reading is tried again.
    pub read_again: [Duration; 2],
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            look: Duration::from_secs(5),
            run_within: Duration::from_secs(600),
            knock: Duration::from_secs(3),
            answer_within: Duration::from_secs(180),
            again: [Duration::from_secs(1), Duration::from_secs(2)],
            read_again: [Duration::from_secs(3), Duration::from_secs(6)],
        }
    }
}

impl Pace {
    /// The longest that making a sandbox can take, and some.
    fn longest(&self) -> Duration {
        self.run_within + self.answer_within + Duration::from_secs(300)
    }
}

/// The sandboxes of all sessions. One for the whole program.
pub struct Sandboxes {
    pub(super) book: Book,
    pub(super) access: HubAccess,
    pub(super) template: String,
    pub(super) idle: Duration,
    pub(super) clock: Clock,
    pub(super) random: Random,
    pub(super) pace: Pace,
    url: String,
    /// Creations of one account come one after another.
    owners: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

/// What a sweep did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swept {
    /// The Space that was deleted.
    pub space: String,
    /// Whose session it was.
    pub session: SessionKey,
    /// Why.
    pub why: Why,
}

/// Why a sandbox was swept away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Nobody has used it for long.
    Idle,
    /// Whoever made it died over it.
    Unfinished,
    /// It was to be deleted before, and could not be then.
    Due,
}

impl Sandboxes {
    /// The sandboxes that are written down in this folder.
    #[must_use]
    pub fn new(
        folder: PathBuf,
        access: HubAccess,
        (services, config): (&ServicesConfig, &HubConfig),
        (clock, random): (Clock, Random),
    ) -> Self {
        Self {
            book: Book::new(folder),
            access,
            template: config.sandbox_template.clone(),
            idle: Duration::from_secs(u64::from(config.sandbox_idle_minutes) * 60),
            clock,
            random,
            pace: Pace::default(),
            url: services.spaces_url.clone(),
            owners: Mutex::default(),
        }
    }

    /// The same, at another pace.
    #[must_use]
    pub fn with_pace(self, pace: Pace) -> Self {
        Self { pace, ..self }
    }

    /// The session's sandbox, made or being made. Quick: reads one small file. An unreadable record counts as none
    /// here; whoever uses it is told.
    #[must_use]
    pub fn known(&self, session: &SessionKey) -> Option<Record> {
        self.book.of(session).ok().flatten()
    }

    /// The session's sandbox, for this person's use.
    ///
    /// # Errors
    /// Why there is none for them, in sentences for the model.
    pub(in crate::tools) async fn ready(
        &self,
        session: &SessionKey,
        person: &Actor,
    ) -> Result<Record, String> {
        let (book, key) = (self.book.clone(), session.clone());
        let found = tokio::task::spawn_blocking(move || book.of(&key)).await.map_err(|e| e.to_string())?;
        let Some(record) = found.map_err(|error| format!("The sandbox cannot be used: {error:#}."))? else {
            return Err("There is no sandbox in this session yet. Call `sandbox_create` first.".to_owned());
        };
        self.serves(&record, person)?;
        match record.phase {
            Phase::Ready => Ok(record),
            Phase::Broken => Err(format!(
                "The sandbox {} is out of order. Call `sandbox_create` to have it replaced.",
                record.space
            )),
            Phase::Making | Phase::Leaving => {
                Err("Making the sandbox was interrupted. Call `sandbox_create` again.".to_owned())
            }
        }
    }

    /// Whether the sandbox is for this person: the token that it holds must serve nobody but its owner.
    ///
    /// # Errors
    /// Whose it is, in sentences for the model.
    pub(in crate::tools) fn serves(&self, record: &Record, person: &Actor) -> Result<(), String> {
        if self.access.is_bots() || record.by == person.id {
            return Ok(());
        }
        Err(format!(
            "This session's sandbox is {}'s: it holds their token of the Hub. Ask them, or work in a session of your \
             own.",
            record.owner_name()
        ))
    }

    /// Whose token of the Hub the sandbox holds: `Ann's`.
    pub(in crate::tools) fn whose_token(&self, record: &Record) -> String {
        if self.access.is_bots() { "the bot's".to_owned() } else { format!("{}'s", record.owner_name()) }
    }

    /// A line to the sandbox. A token that it was not made with goes there only if its account owns the Space.
    ///
    /// # Errors
    /// Only if TLS cannot be set up on this machine.
    pub(in crate::tools) async fn line_to(&self, record: &Record) -> anyhow::Result<Sandbox> {
        let token = self.access.token(&record.owner()).await;
        let other = token.as_ref().is_some_and(|token| !record.holds(token));
        let token = if other && !matches!(self.owned(record).await, Ok(true)) { None } else { token };
        Ok(Sandbox::new(&self.address(&record.space), token, record.key())?.with_pauses(self.pace.read_again))
    }

    /// What must not be shown of what is in the sandbox: its key, and the token of the Hub that it holds.
    pub(in crate::tools) async fn secrets_in(&self, record: &Record) -> Vec<Secret> {
        self.access.token(&record.owner()).await.into_iter().chain([record.key()]).collect()
    }

    /// Minutes after which a sandbox that nobody uses is deleted.
    #[must_use]
    pub fn idle_minutes(&self) -> u64 {
        self.idle.as_secs() / 60
    }

    /// The sandbox in this Space, as long as it is written down: for those who watch over it.
    ///
    /// # Errors
    /// When records cannot be read: then nobody knows.
    pub async fn in_space(&self, space: &str) -> anyhow::Result<Option<Record>> {
        let book = self.book.clone();
        for record in tokio::task::spawn_blocking(move || book.all()).await?? {
            let record = record?;
            if record.space == space {
                return Ok(Some(record));
            }
        }
        Ok(None)
    }

    /// Where a Space answers.
    fn address(&self, space: &str) -> String {
        let word = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
        self.url.replace("{space}", &space.chars().map(word).collect::<String>())
    }

    /// The Hub, as whoever made the sandbox sees it.
    pub(super) async fn hub_of(&self, record: &Record) -> Hub {
        self.access.of(&record.owner()).await
    }

    /// Notes that it is in use, so that it is not swept away.
    pub(in crate::tools) async fn used(&self, record: &Record) {
        let now = self.clock.now();
        if now.since(record.used_at) < USE {
            return;
        }
        if let Err(error) = self.write(Record { used_at: now, ..record.clone() }).await {
            tracing::warn!(error = format!("{error:#}"), "the use of a sandbox could not be noted");
        }
    }

    pub(super) async fn write(&self, record: Record) -> anyhow::Result<()> {
        let book = self.book.clone();
        tokio::task::spawn_blocking(move || book.put(&record)).await?
    }

    pub(super) async fn strike(&self, record: &Record) -> anyhow::Result<()> {
        let (book, record) = (self.book.clone(), record.clone());
        tokio::task::spawn_blocking(move || book.strike(&record)).await?
    }

    /// Deletes a sandbox, tried three times; it is struck out then. What could not be deleted stays written down
    /// as leaving, and the sweep tries again.
    ///
    /// # Errors
    /// As the Hub says at the last try, or this machine.
    pub async fn end(&self, record: &Record) -> anyhow::Result<()> {
        let leaving = Record { phase: Phase::Leaving, ..record.clone() };
        self.write(leaving.clone()).await?;
        self.delete(&leaving).await?;
        self.strike(&leaving).await
    }

    async fn delete(&self, record: &Record) -> anyhow::Result<()> {
        let hub = self.hub_of(record).await;
        let mut tries = self.pace.again.iter();
        loop {
            let error = match self.delete_once(&hub, &record.space).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            match tries.next() {
                Some(pause) if error.may_pass() => tokio::time::sleep(*pause).await,
                _ => return Err(error.into()),
            }
        }
    }

    async fn delete_once(&self, hub: &Hub, space: &str) -> Result<(), HubError> {
        // To another account than its own the Space does not seem to exist, which must not pass for deleted.
        let account = hub.whoami().await?;
        if space.split_once('/').is_none_or(|(owner, _)| owner != account) {
            return Err(HubError::Forbidden {
                message: format!("{space} is not {account}'s: the token has changed since it was made"),
            });
        }
        hub.delete_space(space).await
    }

    /// Deletes in the background what was begun and shall not be: the call that began it is over.
    pub(super) fn abandon(self: &Arc<Self>, record: Record) {
        let all = Arc::clone(self);
        tokio::spawn(async move {
            if let Err(error) = all.end(&record).await {
                let error = format!("{error:#}");
                tracing::warn!(
                    space = record.space,
                    error,
                    "a sandbox could not be deleted; the sweep will try again"
                );
            }
        });
    }

    /// Deletes every sandbox that nobody has used for long, and every leftover. Run it at the start and then
    /// every minute.
    pub async fn sweep(&self) -> Vec<Swept> {
        let book = self.book.clone();
        let records = match tokio::task::spawn_blocking(move || book.all()).await {
            Ok(Ok(records)) => records,
            Ok(Err(error)) => {
                tracing::warn!(error = format!("{error:#}"), "sandboxes cannot be looked through");
                return Vec::new();
            }
            Err(_) => return Vec::new(),
        };
        let (mut swept, now) = (Vec::new(), self.clock.now());
        for record in records {
            let record = match record {
                Ok(record) => record,
                Err(error) => {
                    tracing::warn!(error = format!("{error:#}"), "a sandbox is left out of the sweep");
                    continue;
                }
            };
            let why = match record.phase {
                Phase::Leaving => Why::Due,
                Phase::Making if now.since(record.made_at) >= self.pace.longest() => Why::Unfinished,
                Phase::Ready | Phase::Broken if now.since(record.used_at) >= self.idle => Why::Idle,
                Phase::Making | Phase::Ready | Phase::Broken => continue,
            };
            match self.end(&record).await {
                Ok(()) => swept.push(Swept { space: record.space, session: record.session, why }),
                Err(error) => {
                    let error = format!("{error:#}");
                    tracing::warn!(space = record.space, error, "a sandbox could not be deleted");
                }
            }
        }
        swept
    }

    /// The turn of this account to make a sandbox.
    pub(super) async fn turn_of(&self, owner: &str) -> tokio::sync::OwnedMutexGuard<()> {
        let lock = {
            let mut owners = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(owners.entry(owner.to_owned()).or_default())
        };
        lock.lock_owned().await
    }
}
