//! A session at this terminal, from configuration to exit: chat, or one request.
//!
//! Owns putting the terminal front door on the core. Start at [`run`].

use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio_util::sync::CancellationToken;

use super::args::Flags;
use super::carry;
use super::chat::{self, Chat};
use super::commands::Configured;
use super::conversation::Conversation;
use super::exit::Exit;
use super::headless::{self, Unattended};
use super::interrupts::Interrupts;
use super::lines::{Lines, Source};
use super::live::{self, Parts};
use super::render::Screen;
use super::render::json::JsonScreen;
use super::render::look::{Links, Look};
use super::render::paint::Paint;
use super::render::text::{Detail, TextScreen};
use super::seat::Seat;
use crate::app::{App, AppParts};
use crate::clock::Clock;
use crate::config::{Config, Loaded};
use crate::model::Delivery;
use crate::random::Random;

/// How long steps in hand may take to end when the person leaves.
const LEAVING: Duration = Duration::from_secs(5);

/// What is wanted at the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// A chat.
    Chat,
    /// A chat that goes on with this session, here or of another door.
    Resume(String),
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
    let (id, note) = match &wanted {
        Wanted::Resume(id) => match carry::taken_up(&app, id, cwd).await {
            Ok(Ok(found)) => found,
            other => {
                app.close().await;
                return other.map(|unclear| unclear.err().unwrap_or(Exit::Usage));
            }
        },
        _ => (flags.session.clone().unwrap_or_else(|| app.random().id("")), None),
    };
    let name = loaded.variable("USER").unwrap_or("User");
    let mut seat = Seat::take(app.clone(), id, cwd.to_path_buf(), name.to_owned());
    let stop = CancellationToken::new();
    let ticking = tokio::spawn({
        let (app, stop) = (app.clone(), stop.clone());
        async move { app.tick(stop).await }
    });

    let outcome = match wanted {
        Wanted::Request(prompt) => request(&seat.conversation, prompt, loaded, flags).await,
        Wanted::Chat | Wanted::Resume(_) => converse(&mut seat, loaded, flags, cwd, note).await,
    };
    stop.cancel();
    let _ = tokio::join!(seat.leave(), tokio::time::timeout(LEAVING, ticking));
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
    seat: &mut Seat,
    loaded: &Loaded,
    flags: &Flags,
    cwd: &Path,
    note: Option<String>,
) -> anyhow::Result<Exit> {
    let attended = std::io::stdin().is_terminal();
    let header = header(&seat.conversation, loaded);
    let greeting = format!(
        "{}\nSay what you want done. /help shows commands, Ctrl+C stops, Ctrl+D leaves.",
        header.replace(" · --session", "\n--session")
    );
    let (header, greeting) = match note {
        Some(note) => (format!("{header}\n{note}"), format!("{greeting}\n{note}")),
        None => (header, greeting),
    };
    let editor = loaded.variable("VISUAL").or_else(|| loaded.variable("EDITOR")).map(str::to_owned);
    let yolo = if loaded.config.yolo_mode { Configured::On } else { Configured::Off };
    let data = seat.app().data_dir().to_path_buf();
    let dumb = loaded.variable("TERM") == Some("dumb") || !std::io::stdout().is_terminal();
    if attended && !dumb && !flags.json {
        let parts = Parts {
            look: look(loaded),
            detail: detail(flags),
            interrupts: Interrupts::listen(),
            editor,
            data,
            cwd: cwd.to_path_buf(),
            secrets: loaded.secrets(),
            yolo,
            models: model_ids(&loaded.config),
            greeting,
        };
        return live::run(seat, parts).await;
    }
    let mut screen = screen(loaded, flags);
    if flags.json || !attended {
        eprintln!("{header}");
    } else {
        screen.remark(&greeting);
    }
    let mut chat = Chat {
        screen,
        lines: Lines::start(if attended { Source::Dumb } else { Source::Piped })
            .context("nothing can be read from this terminal")?,
        interrupts: Interrupts::listen(),
        editor,
        scratch: data.join("edits"),
        yolo,
        attended,
    };
    chat::run(seat, &mut chat).await
}

/// The models that the configuration names, the usual one first.
fn model_ids(config: &Config) -> Vec<String> {
    let roles = &config.roles;
    let of_roles = [&roles.research, &roles.summary, &roles.judge, &roles.routine];
    let named =
        of_roles.into_iter().filter_map(|role| role.model.as_ref()).chain(config.budgets.prices.keys());
    let mut ids = vec![config.model_name.clone()];
    for id in named {
        if !ids.contains(id) {
            ids.push(id.clone());
        }
    }
    ids
}

fn screen(loaded: &Loaded, flags: &Flags) -> Box<dyn Screen> {
    let out = Box::new(std::io::stdout());
    if flags.json {
        return Box::new(JsonScreen::new(out));
    }
    Box::new(TextScreen::new(out, look(loaded), detail(flags)))
}

fn look(loaded: &Loaded) -> Look {
    let terminal = std::io::stdout().is_terminal();
    let paint = Paint::for_terminal(terminal, loaded.variable("NO_COLOR"), loaded.variable("TERM"));
    let links = Links::known(|name| loaded.variable(name));
    Look::new(paint, live::size().0, links)
}

fn detail(flags: &Flags) -> Detail {
    if flags.verbose > 0 { Detail::Full } else { Detail::Brief }
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
