//! Carrying sessions about: to a file and back, into a copy, from Slack into this terminal.
//!
//! Owns `session export`, `import`, `fork` and what `session resume` opens. Never changes the session that
//! something is taken from. Start at [`run`].

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use async_trait::async_trait;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::args::Flags;
use super::conversation::session_key;
use super::exit::Exit;
use super::seat::id_of;
use super::session::{self, CarryCommand};
use super::terminal::parts;
use crate::app::App;
use crate::config::Loaded;
use crate::protocol::{
    Actor, Door, Event, Heard, Item, Operation, OperationKind, Origin, SessionHead, SessionKey, Turn,
};
use crate::runtime::past::{self, Last};
use crate::runtime::{Branch, Opening, PresentError, Presenter, Presenters};
use crate::store::{Claimable, Commit};
use crate::trace::{self, Export, Imported};

/// A file beyond this many bytes is not read.
const LARGEST: u64 = 256 * 1024 * 1024;
/// How long a store may be held while a session is written.
const LEASE: Duration = Duration::from_secs(60);

/// Runs one of the commands.
///
/// # Errors
/// If the session or the file is not there, or cannot be read or written.
pub async fn run(what: &CarryCommand, loaded: &Loaded, flags: &Flags, cwd: &Path) -> anyhow::Result<Exit> {
    let app = App::open(parts(loaded, flags))?;
    let outcome = match what {
        CarryCommand::Export { id, output } => export(&app, id, output.as_deref()).await,
        CarryCommand::Import { file } => import(&app, file, flags, cwd).await,
        CarryCommand::Fork { id, turn } => fork(&app, id, *turn, flags, cwd).await,
    };
    app.close().await;
    outcome
}

/// The terminal session in which that session goes on: itself, or a new one that adopts it. Gives its id, and
/// a line for the person if it is a new one.
///
/// # Errors
/// As [`session::named`]; or if there is nothing to go on with.
pub async fn taken_up(
    app: &App,
    id: &str,
    cwd: &Path,
) -> anyhow::Result<Result<(String, Option<String>), Exit>> {
    let key = match session::named(app.store().as_ref(), id).await? {
        Ok(key) => key,
        Err(exit) => return Ok(Err(exit)),
    };
    if let Some(id) = id_of(&key) {
        return Ok(Ok((id.to_owned(), None)));
    }
    let head = app.store().head(&key).await?.context("nothing was said there yet")?;
    let copy = adopt(app, &key, None, cwd).await?;
    let title = head.title.as_deref().unwrap_or("a conversation");
    let line = format!(
        "This goes on from “{title}” in Slack, as a new session; the thread itself stays as it is, and is \
         not told."
    );
    Ok(Ok((copy, Some(line))))
}

async fn export(app: &App, id: &str, output: Option<&Path>) -> anyhow::Result<Exit> {
    let key = match session::named(app.store().as_ref(), id).await? {
        Ok(key) => key,
        Err(exit) => return Ok(exit),
    };
    let loaded = app.store().load(&key).await?;
    let head = loaded.head.context("nothing was said there yet")?;
    let (session, started) = trace::conversation(&head, &loaded.items);
    let text =
        trace::export(Export { session: &session, started, items: &loaded.items, secrets: app.secrets() });
    ensure!(!text.is_empty(), "nothing was said there yet");
    match output {
        None => super::print_out(&text)?,
        Some(path) => {
            write_private(path, text.as_bytes())
                .with_context(|| format!("{} cannot be written", path.display()))?;
            eprintln!("{} written to {}", crate::text::count(text.lines().count(), "line"), path.display());
        }
    }
    Ok(Exit::Finished)
}

/// Writes a file that only its owner may read, whole or not at all.
fn write_private(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let beside = path.with_extension(format!("{}.part", std::process::id()));
    let mut file =
        std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    let written = file.write_all(content).and_then(|()| file.sync_all());
    match written.and_then(|()| std::fs::rename(&beside, path)) {
        Ok(()) => Ok(()),
        Err(error) => {
            let _ = std::fs::remove_file(&beside);
            Err(error)
        }
    }
}

async fn import(app: &App, file: &Path, flags: &Flags, cwd: &Path) -> anyhow::Result<Exit> {
    let about = std::fs::metadata(file).with_context(|| format!("{} cannot be read", file.display()))?;
    ensure!(about.len() <= LARGEST, "{} is larger than {} MB", file.display(), LARGEST / (1024 * 1024));
    let bytes = std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let imported = trace::import(&String::from_utf8_lossy(&bytes))
        .with_context(|| format!("{} cannot be imported", file.display()))?;
    let id = app.random().id("");
    let (items, skipped) = (imported.items.len(), imported.skipped.words());
    keep(app, &id, imported, cwd).await?;
    if flags.json {
        let report = json!({ "session": id, "items": items, "left_out": skipped });
        super::print_out(&format!("{report}\n"))?;
        return Ok(Exit::Finished);
    }
    skipped.iter().for_each(|line| eprintln!("{line}"));
    super::print_out(&format!(
        "Imported {} as session {id}.\nGo on with: ml-intern session resume {id}\n",
        crate::text::count(items, "item")
    ))?;
    Ok(Exit::Finished)
}

/// Saves what was imported as a new session.
async fn keep(app: &App, id: &str, imported: Imported, cwd: &Path) -> anyhow::Result<()> {
    let (store, now) = (app.store(), app.clock().now());
    let operation = operation(app, id, "import", OperationKind::Status, cwd);
    let (key, cause) = (operation.session.clone(), operation.id.clone());
    let started = imported.started.unwrap_or(now);
    let items: Vec<Arc<Item>> = imported.items.into_iter().map(Arc::new).collect();
    let mut head = SessionHead::new(key.clone(), operation.origin.clone(), started);
    head.title = imported.title;
    head.history_size = items.len() as u64;
    head.turns = past::count(&items);
    head.plan = past::plan_after(&items).unwrap_or_default();
    store.push(operation).await?;
    let lease = store.claim(&Claimable::Only(key), LEASE).await?.context("the store is busy")?;
    let consumed = &[cause];
    let commit =
        Commit { head: &head, keep: 0, append: &items, consumed, later: &[], audit: &[], tickets: &[] };
    store.commit(&lease, commit).await?;
    store.release(&lease, None).await?;
    Ok(())
}

async fn fork(app: &App, id: &str, turn: Option<u64>, flags: &Flags, cwd: &Path) -> anyhow::Result<Exit> {
    let key = match session::named(app.store().as_ref(), id).await? {
        Ok(key) => key,
        Err(exit) => return Ok(exit),
    };
    let copy = adopt(app, &key, turn, cwd).await?;
    super::print_out(&if flags.json {
        format!("{}\n", json!({ "session": copy, "parent": key }))
    } else {
        format!("Forked as session {copy}.\nGo on with: ml-intern session resume {copy}\n")
    })?;
    Ok(Exit::Finished)
}

/// Makes a new terminal session that begins with what another one has said; gives its id.
async fn adopt(app: &App, source: &SessionKey, turn: Option<u64>, cwd: &Path) -> anyhow::Result<String> {
    let loaded = app.store().load(source).await?;
    let head = loaded.head.context("nothing was said there yet")?;
    let last = if head.turn.as_ref().is_none_or(Turn::is_over) { Last::Over } else { Last::InHand };
    let part = past::part(&loaded.items, last, turn)?;
    let id = app.random().id("");
    let kind = OperationKind::Adopt { source: source.clone(), turns: Some(part.turns) };
    let operation = operation(app, &id, "fork", kind, cwd);
    let key = operation.session.clone();
    app.intake().submit(operation).await?;
    let worker = app.terminal(Arc::new(Unseen), cwd.to_path_buf(), CancellationToken::new());
    worker.drain(Claimable::Only(key.clone())).await;
    let made = app.store().head(&key).await?;
    ensure!(made.is_some_and(|head| head.parent.as_ref() == Some(source)), "the copy could not be made");
    Ok(id)
}

fn operation(app: &App, id: &str, cause: &str, kind: OperationKind, cwd: &Path) -> Operation {
    Operation {
        id: format!("{cause}:{id}").into(),
        session: session_key(id),
        origin: Origin::new(Door::Terminal, json!({ "workspace": cwd })),
        actor: Actor::new("local", "User"),
        at: app.clock().now(),
        kind,
    }
}

/// Shows nothing: what these commands do is told when it is done.
struct Unseen;

#[async_trait]
impl Presenters for Unseen {
    async fn open(&self, _: &SessionHead, _: Opening) -> Arc<dyn Presenter> {
        Arc::new(Self)
    }

    async fn heard(&self, _: &SessionHead, _: &Operation) -> Vec<Heard> {
        Vec::new()
    }

    async fn link(&self, _: &SessionHead) -> Option<String> {
        None
    }

    async fn branch(&self, _: &SessionHead, _: &Operation) -> Result<Option<Branch>, PresentError> {
        Ok(None)
    }
}

#[async_trait]
impl Presenter for Unseen {
    fn show(&self, _: &Event) {}

    async fn settle(&self) -> Result<Value, PresentError> {
        Ok(Value::Null)
    }
}
