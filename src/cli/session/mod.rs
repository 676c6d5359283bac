//! `session`: what has been said, found, read and deleted.
//!
//! Owns the subcommands and what a session is called at the terminal. The store's own commands are
//! [`list`], [`show`] and [`delete`]. Start at [`run`]; a further subcommand is a variant of
//! [`SessionCommand`] and one file.

pub mod delete;
pub mod list;
pub mod show;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Subcommand;
use clap::builder::NonEmptyStringValueParser;

use super::args::Flags;
use super::carry;
use super::conversation::session_key;
use super::exit::Exit;
use super::render::clean;
use super::terminal::{self, Wanted};
use crate::clock::{Clock, Timestamp};
use crate::config::Loaded;
use crate::protocol::SessionKey;
use crate::store::Store;
use crate::store::embedded::{DATABASE, Embedded};

/// Sessions named by an error that asks which one is meant.
const CANDIDATES: u32 = 10;

/// What to do with sessions.
#[derive(Debug, Clone, Subcommand)]
pub enum SessionCommand {
    /// List sessions, the one used last first
    #[command(after_help = "\
Words are looked for in titles and in what was said, not in what tools gave. Each must occur, alone or
as a part of another.

Examples:
  ml-intern session list
  ml-intern session list --search \"imdb learning\" --limit 5
  ml-intern session list --json | jq -r .id")]
    List {
        /// Only sessions in which these words were said
        #[arg(long, value_name = "WORDS")]
        search: Option<String>,
        /// Only sessions of this Slack channel, by its id
        #[arg(long, value_name = "CHANNEL")]
        channel: Option<String>,
        /// How many to list
        #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
        /// How many to leave out before
        #[arg(long, value_name = "N", default_value_t = 0)]
        skip: u32,
    },
    /// Print what was said and done in a session
    #[command(after_help = "\
An id is what `session list` shows, or as much of its beginning as no other has.
With --json: the session's head, then its items, one JSON object per line.

Examples:
  ml-intern session show 0199a2
  ml-intern session show slack:T0123:C0456:1760000000.000100 --json")]
    Show {
        /// Which session
        #[arg(value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
        id: String,
    },
    /// Delete a session for good: what was said, and the folder it worked in
    #[command(after_help = "\
What was said is overwritten in the database, and a Slack session's work folder is removed. A folder
of your own that a terminal session worked in stays as it is. Sums of money and the record of
decisions stay; they hold none of its words. Messages in Slack stay where they are, and so do traces
that were shared or exported.

Examples:
  ml-intern session delete 0199a2
  ml-intern session delete 0199a2 --yes")]
    Delete {
        /// Which session
        #[arg(value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
        id: String,
        /// Do not ask
        #[arg(short, long)]
        yes: bool,
    },
    /// Open a chat that goes on with a session; one of Slack goes on here as a copy
    #[command(after_help = "\
Example:
  ml-intern session resume slack:T0123:C0456:1760000000.000100")]
    Resume {
        /// Which session
        #[arg(value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
        id: String,
    },
    /// To a file and back, or into a copy.
    #[command(flatten)]
    Carry(CarryCommand),
}

/// To a file and back, or into a copy.
#[derive(Debug, Clone, Subcommand)]
pub enum CarryCommand {
    /// Write the conversation as Claude-Code JSONL, secrets taken out
    Export {
        /// Which session
        #[arg(value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
        id: String,
        /// Write it there instead of to standard output
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Read such a file (ours, or Claude Code's) as a new session
    Import {
        /// The file
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Copy a conversation into a new session of this terminal
    Fork {
        /// Which session
        #[arg(value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
        id: String,
        /// The last request to copy, counted from 1; all of them without it
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
        turn: Option<u64>,
    },
}

/// Does one of the `session` commands.
///
/// # Errors
/// The store cannot be used, or standard output is gone.
pub async fn run(what: SessionCommand, loaded: &Loaded, flags: &Flags, cwd: &Path) -> anyhow::Result<Exit> {
    let dir = loaded.config.data_dir();
    let store = match &what {
        SessionCommand::Resume { id } => {
            return terminal::run(Wanted::Resume(id.clone()), loaded, flags, cwd).await;
        }
        SessionCommand::Carry(what) => return carry::run(what, loaded, flags, cwd).await,
        _ => open(&dir).await?,
    };
    let outcome = on_the_store(what, store.as_ref(), &dir, flags).await;
    store.close().await;
    outcome
}

/// What needs nothing but the store.
async fn on_the_store(
    what: SessionCommand,
    store: &Embedded,
    dir: &Path,
    flags: &Flags,
) -> anyhow::Result<Exit> {
    match what {
        SessionCommand::List { search, channel, limit, skip } => {
            let words = search.unwrap_or_default();
            let find = crate::store::Find { words, door: None, channel, skip, limit };
            list::run(store, &find, flags).await
        }
        SessionCommand::Show { id } => match named(store, &id).await? {
            Ok(key) => show::run(store, &key, flags).await,
            Err(exit) => Ok(exit),
        },
        SessionCommand::Delete { id, yes } => match named(store, &id).await? {
            Ok(key) => {
                let consent = if yes { delete::Consent::Given } else { delete::Consent::Ask };
                delete::run(store, dir, &key, consent).await
            }
            Err(exit) => Ok(exit),
        },
        // These need more than the store: `run` has them done.
        SessionCommand::Resume { .. } | SessionCommand::Carry(_) => Ok(Exit::Finished),
    }
}

/// The store in this folder.
///
/// # Errors
/// There is none, or it cannot be used.
pub async fn open(dir: &Path) -> anyhow::Result<Arc<Embedded>> {
    anyhow::ensure!(
        dir.join(DATABASE).exists(),
        "nothing was ever kept in {}; name another folder with --data-dir or store.data_dir",
        dir.display()
    );
    let dir = dir.to_owned();
    Ok(tokio::task::spawn_blocking(move || Embedded::open(&dir, Clock::system())).await??)
}

/// A session as people name it: a terminal session by its id alone.
#[must_use]
pub fn id(key: &SessionKey) -> &str {
    let whole = key.as_str();
    let prefix = session_key("");
    whole.strip_prefix(prefix.as_str()).unwrap_or(whole)
}

/// The session that is meant by a key, a terminal session's id, or the beginning of either. If none
/// or several are, says so on standard error and gives the exit code.
///
/// # Errors
/// The store failed.
pub async fn named(store: &dyn Store, given: &str) -> anyhow::Result<Result<SessionKey, Exit>> {
    for exact in [SessionKey::from(given), session_key(given)] {
        if store.exists(&exact).await? {
            return Ok(Ok(exact));
        }
    }
    let mut found = store.keys(given, CANDIDATES).await?;
    found.extend(store.keys(session_key(given).as_str(), CANDIDATES).await?);
    found.dedup();
    match found.as_slice() {
        [] => eprintln!("ml-intern: there is no session {given:?}; `ml-intern session list` shows them"),
        [one] => return Ok(Ok(one.clone())),
        several => {
            eprintln!(
                "ml-intern: {given:?} is the beginning of several sessions; type more of one of these:"
            );
            for key in several {
                let title = store.head(key).await?.and_then(|head| head.title).unwrap_or_default();
                eprintln!("  {}  {}", id(key), clean::line(&title, 60));
            }
        }
    }
    Ok(Err(Exit::Usage))
}

/// A time as it is shown: in this machine's zone, to the minute.
#[must_use]
pub fn shown_time(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.0).map_or_else(
        |_| "?".to_owned(),
        |time| time.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_session_is_named_by_its_id_alone() {
        assert_eq!(id(&session_key("0199")), "0199");
        assert_eq!(id(&"slack:T1:C1:1.2".into()), "slack:T1:C1:1.2");
    }
}
