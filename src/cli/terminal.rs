//! A session at this terminal, from configuration to exit: chat, or one request.
//!
//! Owns putting the terminal front door on the core. Start at [`run`].

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio_util::sync::CancellationToken;

use super::args::Flags;
use super::chat::{self, Chat};
use super::conversation::Conversation;
use super::exit::Exit;
use super::front::Front;
use super::headless::{self, Unattended};
use super::interrupts::Interrupts;
use super::lines::{Lines, Source};
use super::render::Screen;
use super::render::json::JsonScreen;
use super::render::paint::Paint;
use super::render::text::{Detail, TextScreen};
use crate::app::{App, AppParts};
use crate::clock::Clock;
use crate::config::Loaded;
use crate::model::Delivery;
use crate::random::Random;
use crate::store::Claimable;

/// How long steps in hand may take to end when the person leaves.
const LEAVING: Duration = Duration::from_secs(5);

/// What is wanted at the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// A chat.
    Chat,
    /// One request.
    Request(String),
}

/// What the core is made of, from a configuration.
#[must_use]
pub fn parts(loaded: &Loaded, flags: &Flags) -> AppParts {
    AppParts {
        data_dir: loaded.config.data_dir(),
        config: loaded.config.clone(),
        environment: loaded.tool_environment().clone(),
        secrets: loaded.secrets(),
        clock: Clock::system(),
        random: Random::system(),
        delivery: if flags.no_stream { Delivery::Whole } else { Delivery::Streamed },
    }
}

/// Runs a session until its end.
///
/// # Errors
/// The store, the terminal or a client cannot be used.
pub async fn run(wanted: Wanted, loaded: &Loaded, flags: &Flags, cwd: &Path) -> anyhow::Result<Exit> {
    let app = Arc::new(App::open(parts(loaded, flags))?);
    let front = Front::new();
    let id = flags.session.clone().unwrap_or_else(|| app.random().id(""));
    let name = loaded.variable("USER").unwrap_or("User");
    let conversation = Conversation::new(id, app.intake(), front.clone(), cwd, name);

    let (stop, suspend) = (CancellationToken::new(), CancellationToken::new());
    let worker = app.terminal(Arc::new(front), cwd.to_path_buf(), suspend.clone());
    let working = tokio::spawn({
        let (key, stop) = (conversation.key(), stop.clone());
        async move { worker.run(Claimable::Only(key), stop).await }
    });
    let ticking = tokio::spawn({
        let (app, stop) = (app.clone(), stop.clone());
        async move { app.tick(stop).await }
    });

    let outcome = match wanted {
        Wanted::Request(prompt) => request(&conversation, prompt, loaded, flags).await,
        Wanted::Chat => converse(&conversation, &app, loaded, flags).await,
    };
    stop.cancel();
    suspend.cancel();
    // A step that does not end in time is resumed when the session is opened again.
    let _ = tokio::time::timeout(LEAVING, async { tokio::join!(working, ticking) }).await;
    let _ = tokio::time::timeout(LEAVING, app.flush_notices()).await;
    app.close().await;
    outcome
}

async fn request(
    conversation: &Conversation,
    prompt: String,
    loaded: &Loaded,
    flags: &Flags,
) -> anyhow::Result<Exit> {
    eprintln!("{}", header(conversation, loaded));
    let unattended = if flags.ask { Unattended::Refuse } else { Unattended::Approve };
    let mut screen = screen(loaded, flags);
    headless::run(conversation, prompt, unattended, screen.as_mut()).await
}

async fn converse(
    conversation: &Conversation,
    app: &App,
    loaded: &Loaded,
    flags: &Flags,
) -> anyhow::Result<Exit> {
    let attended = std::io::stdin().is_terminal();
    let mut screen = screen(loaded, flags);
    if flags.json || !attended {
        eprintln!("{}", header(conversation, loaded));
    } else {
        screen.remark(&header(conversation, loaded));
        screen.remark("Say what you want done. /help shows commands, Ctrl+C stops, Ctrl+D leaves.");
    }
    let dumb = loaded.variable("TERM") == Some("dumb") || !std::io::stdout().is_terminal();
    let source = match (attended, dumb || flags.json) {
        (false, _) => Source::Piped,
        (true, true) => Source::Dumb,
        (true, false) => Source::Editor { history: app.data_dir().join("history") },
    };
    let mut chat = Chat {
        screen,
        lines: Lines::start(source).context("nothing can be read from this terminal")?,
        interrupts: Interrupts::listen(),
        editor: loaded.variable("VISUAL").or_else(|| loaded.variable("EDITOR")).map(str::to_owned),
        scratch: scratch(app),
        yolo: loaded.config.yolo_mode,
        attended,
    };
    chat::run(conversation, &mut chat).await
}

fn scratch(app: &App) -> PathBuf {
    app.data_dir().join("edits")
}

fn screen(loaded: &Loaded, flags: &Flags) -> Box<dyn Screen> {
    let out = Box::new(std::io::stdout());
    if flags.json {
        return Box::new(JsonScreen::new(out));
    }
    let paint = Paint::for_terminal(
        std::io::stdout().is_terminal(),
        loaded.variable("NO_COLOR"),
        loaded.variable("TERM"),
    );
    Box::new(TextScreen::new(out, paint, if flags.verbose > 0 { Detail::Full } else { Detail::Brief }))
}

fn header(conversation: &Conversation, loaded: &Loaded) -> String {
    let config = &loaded.config;
    let limit = match config.max_iterations {
        -1 => "no limit".to_owned(),
        most => format!("at most {most} model calls a turn"),
    };
    let version = env!("CARGO_PKG_VERSION");
    format!("ml-intern {version} · {} · {limit} · --session {}", config.model_name, conversation.id)
}
