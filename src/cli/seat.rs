//! One person at one terminal: the session in hand, its worker, and the way to another session.
//!
//! Owns [`Seat`]. A worker here works on one session only; whoever changes sessions lets it finish its
//! step, or let go of it, first. Never draws.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::board::FrontBoard;
use super::conversation::{Conversation, session_key};
use super::front::Front;
use crate::app::App;
use crate::protocol::{Door, SessionKey};
use crate::store::{Claimable, Find, Listed};

/// How long a step in hand may take to end when the person leaves a session.
const LEAVING: Duration = Duration::from_secs(5);
/// How many sessions are listed.
const LISTED: u32 = 20;
/// Of ids that begin alike, two are enough to know that more must be typed.
const FOUND: u32 = 2;

/// One person at one terminal.
pub struct Seat {
    app: Arc<App>,
    cwd: PathBuf,
    name: String,
    /// The session in hand.
    pub conversation: Conversation,
    work: Work,
    listed: Vec<Listed>,
    /// Whether a number alone picks a session: the last line listed them.
    pub picking: Picking,
}

/// Whether a number alone picks a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Picking {
    /// It does.
    Yes,
    /// It is words for the agent.
    No,
}

/// The worker of one session.
struct Work {
    stop: CancellationToken,
    suspend: CancellationToken,
    task: JoinHandle<()>,
}

impl Seat {
    /// Takes a session in hand; a new one if there is none with this id.
    #[must_use]
    pub fn take(app: Arc<App>, id: String, cwd: PathBuf, name: String) -> Self {
        let (conversation, work) = begin(&app, id, &cwd, &name);
        Self { app, cwd, name, conversation, work, listed: Vec::new(), picking: Picking::No }
    }

    /// The program.
    #[must_use]
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Takes another session in hand.
    pub async fn change(&mut self, id: String) {
        self.leave().await;
        (self.conversation, self.work) = begin(&self.app, id, &self.cwd, &self.name);
    }

    /// Lets the session go. A step that does not end in time is resumed when it is opened again.
    pub async fn leave(&mut self) {
        self.work.stop.cancel();
        self.work.suspend.cancel();
        if !self.work.task.is_finished() {
            let _ = tokio::time::timeout(LEAVING, &mut self.work.task).await;
        }
    }

    /// The newest sessions, or those in which the words occur; they can be picked by their number from now
    /// on.
    ///
    /// # Errors
    /// The store failed.
    pub async fn list(&mut self, words: &str) -> anyhow::Result<&[Listed]> {
        let find = Find { words: words.to_owned(), ..Find::newest(LISTED) };
        self.listed = self.app.store().find(&find).await?;
        Ok(&self.listed)
    }

    /// The session that is meant: a number in the last list, an id, or the start of one.
    ///
    /// # Errors
    /// There is none, or more than one; or the store failed.
    pub async fn find(&mut self, which: &str) -> anyhow::Result<SessionKey> {
        if let Ok(number) = which.parse::<usize>() {
            if self.listed.is_empty() {
                self.list("").await?;
            }
            if let Some(found) = number.checked_sub(1).and_then(|at| self.listed.get(at)) {
                return Ok(found.key.clone());
            }
        }
        for key in [session_key(which), SessionKey::from(which)] {
            if self.app.store().head(&key).await?.is_some() {
                return Ok(key);
            }
        }
        let found = self.app.store().keys(session_key(which).as_str(), FOUND).await?;
        match found.as_slice() {
            [one] => Ok(one.clone()),
            [] => anyhow::bail!("There is no session {which}; /sessions lists them."),
            _ => anyhow::bail!("Several sessions begin with {which}; type more of the id."),
        }
    }
}

/// The id of a session of this terminal, as `--session` takes it; `None` for those of other doors.
#[must_use]
pub fn id_of(key: &SessionKey) -> Option<&str> {
    key.as_str().strip_prefix("terminal:")
}

fn begin(app: &Arc<App>, id: String, cwd: &std::path::Path, name: &str) -> (Conversation, Work) {
    let front = Front::of(session_key(&id));
    let conversation = Conversation::new(id, app.intake(), front.clone(), cwd, name);
    let (stop, suspend) = (CancellationToken::new(), CancellationToken::new());
    let board = FrontBoard {
        front: front.clone(),
        session: conversation.key(),
        folder: app.data_dir().join("jobs").join("files"),
    };
    app.show_jobs(Door::Terminal, Arc::new(board));
    let worker = app.terminal(Arc::new(front), cwd.to_path_buf(), suspend.clone());
    let task = tokio::spawn({
        let (key, stop) = (conversation.key(), stop.clone());
        async move { worker.run(Claimable::Only(key), stop).await }
    });
    (conversation, Work { stop, suspend, task })
}
