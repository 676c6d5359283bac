//! Where bash, read, write and edit act: this machine, or a sandbox. One seam, so that a tool is written once.
//!
//! A [`Computer`] looks at files, puts them and runs commands; what the tools say of it, what must have been read
//! before, how an edit is matched and what people are asked is theirs. Start at [`Computer`]; [`Local`] is this
//! machine, [`Remote`] the session's sandbox.

mod local;
mod remote;
mod run;

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;

use super::listing::Entry;
use super::marks::Stamp;
use super::workspace::Wish;
use crate::agent::tool::{BadArguments, CallContext, Place, Risk, ToolError};
use crate::protocol::approval::Alike;
use crate::secret::Secret;

pub(super) use local::Local;
pub(super) use remote::Remote;

/// A machine that files and commands are on.
#[async_trait]
pub(super) trait Computer: Send + Sync {
    /// How tools speak of it to the model.
    fn words(&self) -> &Words;

    /// How long commands may run there.
    fn limits(&self) -> Limits;

    /// What a wish for this path would do, as far as it can be told quickly.
    fn aim(&self, place: &Place, given: &str, wish: Wish) -> Result<Aim, BadArguments>;

    /// What a command in this folder would do, as far as it can be told quickly.
    fn aim_command(&self, place: &Place, folder: &str) -> Result<Aim, BadArguments>;

    /// The file of this path, where it may be touched: it is found again at the time of the call, because the world
    /// may have changed since people were asked.
    async fn reach(&self, context: &CallContext, given: &str, wish: Wish) -> Result<At, Trouble>;

    /// What stands there, and as much of its content as is wanted.
    async fn look(&self, context: &CallContext, at: &At, wanted: Wanted) -> Result<Found, Trouble>;

    /// Replaces or makes the file in one step. `seen` is how it stood there; where the machine can, it refuses if
    /// that has changed. Missing folders are made.
    async fn put(
        &self,
        context: &CallContext,
        at: &At,
        content: Vec<u8>,
        seen: Option<&Stamp>,
    ) -> Result<Written, Trouble>;

    /// Runs a command to its end. Says its last line as progress, and ends it when the turn is stopped.
    async fn run(&self, context: &CallContext, run: Run) -> Result<Ran, Trouble>;
}

/// How tools speak of a computer to the model.
#[derive(Debug, Clone)]
pub(super) struct Words {
    /// `in the workspace`.
    pub place: &'static str,
    /// What a command there should know, in sentences.
    pub commands: &'static str,
}

/// How long commands may run, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    /// Where the model says nothing.
    pub usual: u64,
    /// At most.
    pub most: u64,
}

/// What a wish would do.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Aim {
    /// The path as people and the model read it.
    pub name: String,
    /// The whole path, as far as it is known.
    pub path: PathBuf,
    /// Whether people must be asked.
    pub risk: Risk,
    /// What "approve for this session" would allow.
    pub alike: Option<Alike>,
    /// Whether something stands there, where that can be told quickly.
    pub exists: Option<bool>,
}

/// A path that may be touched.
#[derive(Debug, Clone)]
pub(super) struct At {
    /// The whole path.
    pub path: PathBuf,
    /// As people and the model read it.
    pub name: String,
    /// What must not be shown of what stands there, besides what is configured.
    pub secrets: Vec<Secret>,
}

/// How much of a file is wanted.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wanted {
    /// Nothing of it; and of a folder no names.
    Facts,
    /// Some lines of text.
    Lines(Range),
    /// All of it, if it has no more bytes than this.
    Whole {
        /// Bytes at most.
        most: u64,
    },
}

/// Some lines of a text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Range {
    /// The first one, counted from 1.
    pub offset: u64,
    /// How many at most.
    pub limit: u64,
    /// How many characters at most, roughly; whoever shows them cuts exactly.
    pub characters: usize,
    /// Characters of one line at most.
    pub width: usize,
}

/// What stands at a path.
#[derive(Debug)]
pub(super) enum Found {
    /// Nothing.
    Missing {
        /// The names where it would be, if there is such a folder.
        beside: Option<Vec<String>>,
    },
    /// A folder.
    Folder(Vec<Entry>),
    /// Neither file nor folder.
    Other,
    /// A file.
    File {
        /// Its whole path there, under which marks remember it.
        key: PathBuf,
        /// How it is now.
        stamp: Stamp,
        /// Its size.
        bytes: u64,
        /// What was wanted of it.
        content: Content,
    },
}

/// What was wanted of a file.
#[derive(Debug)]
pub(super) enum Content {
    /// Nothing.
    Nothing,
    /// It is no text.
    Binary,
    /// It has more bytes than were wanted.
    TooLarge,
    /// Some lines.
    Lines(Lines),
    /// All of it.
    Whole(Vec<u8>),
}

/// Lines of a text: those wanted and, if there are more, at least one more.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Lines {
    /// How many lines were passed before the first one wanted.
    pub passed: u64,
    /// The lines, without their ends.
    pub lines: Vec<Line>,
}

/// One line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// What is kept of it.
    pub text: String,
    /// How many characters more it has.
    pub missing: u64,
}

/// A file that was put.
#[derive(Debug)]
pub(super) struct Written {
    /// Its whole path there, under which marks remember it.
    pub key: PathBuf,
    /// How it is now.
    pub stamp: Stamp,
    /// What the machine found wrong with it.
    pub notes: Vec<String>,
}

/// A command to run.
#[derive(Debug)]
pub(super) struct Run {
    /// As one would type it.
    pub command: String,
    /// Where.
    pub folder: String,
    /// How long it may take.
    pub limit: Duration,
}

/// A command that ran.
#[derive(Debug)]
pub(super) struct Ran {
    /// What it wrote, capped, with a note where something was left out.
    pub output: String,
    /// How it ended.
    pub end: End,
    /// How many processes it left in the background, which were ended with it.
    pub left: usize,
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// With this exit code.
    Code(i32),
    /// By this signal.
    Signal(i32),
    /// Its time was up.
    TimedOut,
    /// Nobody knows, because.
    Lost(String),
}

/// Why a computer did not do it.
#[derive(Debug)]
pub(super) enum Trouble {
    /// A reason that follows the file's name: `permission denied`.
    Cannot(String),
    /// Whole sentences for the model.
    Told(String),
    /// The call itself has no outcome.
    Tool(ToolError),
}

impl From<ToolError> for Trouble {
    fn from(error: ToolError) -> Self {
        Self::Tool(error)
    }
}

impl From<BadArguments> for Trouble {
    fn from(error: BadArguments) -> Self {
        Self::Tool(error.into())
    }
}

impl Trouble {
    /// The text for the model, where there is one: `name was not …: reason.`
    ///
    /// # Errors
    /// Where the call has no outcome.
    pub fn text(self, name: &str, what: &str) -> Result<String, ToolError> {
        match self {
            Self::Cannot(why) => Ok(format!("`{name}` {what}: {why}")),
            Self::Told(text) => Ok(text),
            Self::Tool(error) => Err(error),
        }
    }
}
