//! The command line: chat, headless runs, `serve`, `playground`, `doctor`, `session`, `audit`,
//! `config`, `manifest`.
//!
//! Owns what is typed and what is printed. Every command uses the same core (`app`). Start at
//! [`main`]; [`args`] is the tree, [`exit`] the numbers, [`conversation`] one session at the terminal.

pub mod args;
pub mod ask;
pub mod audit;
pub mod board;
mod carry;
pub mod chat;
pub mod commands;
pub mod configuration;
pub mod confirm;
pub mod conversation;
pub mod doctor;
pub mod exit;
pub mod front;
pub mod headless;
pub mod interrupts;
pub mod lines;
pub mod live;
pub mod manifest;
pub mod playground;
pub mod render;
pub mod seat;
pub mod serve;
pub mod session;
pub mod sharing;
pub mod slash;
pub mod terminal;
mod token;

use std::io::{Read, Write};

use anyhow::Context;
use clap::{CommandFactory, Parser};

use self::args::{Args, Command, Flags, Log};
use self::exit::Exit;
use self::terminal::Wanted;
use crate::config::{ConfigError, Loaded, LogFormat};
use crate::telemetry::{self, Format, Logging, Quiet};

/// Standard input beyond this many bytes is no prompt.
const PROMPT_MOST: u64 = 1024 * 1024;

/// Runs the program: arguments in, exit code out. Errors are printed.
#[must_use]
pub fn main() -> Exit {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // `--help` and `--version` come this way too, and go to standard output.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage } else { Exit::Finished };
        }
    };
    match run(args) {
        Ok(exit) => exit,
        Err(error) => {
            eprintln!("ml-intern: {error:#}");
            Exit::Failed
        }
    }
}

fn run(args: Args) -> anyhow::Result<Exit> {
    let Args { prompt, command, flags } = args;
    match (command, prompt) {
        (None, Some(prompt)) => at_the_terminal(Some(prompt), &flags),
        (None, None) => at_the_terminal(None, &flags),
        (Some(_), Some(prompt)) => {
            eprintln!(
                "ml-intern: `{prompt}` stands before a command; a prompt and a command do not go together"
            );
            Ok(Exit::Usage)
        }
        (Some(command), None) => command_of(command, &flags),
    }
}

fn command_of(command: Command, flags: &Flags) -> anyhow::Result<Exit> {
    let cwd = working_directory()?;
    match command {
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Args::command(), "ml-intern", &mut script);
            print_out(&String::from_utf8_lossy(&script))?;
            Ok(Exit::Finished)
        }
        Command::Manifest(what) => manifest::run(&what),
        Command::Config { what } => configuration::run(what, configuration::load(flags, None, &cwd), flags),
        Command::Doctor => {
            let loaded = configuration::load(flags, None, &cwd);
            if let Ok(loaded) = &loaded {
                log(loaded, flags, Quiet::Terminal, Format::Text);
            }
            in_runtime(doctor::run(loaded, flags))
        }
        Command::Serve(what) => {
            let Some(loaded) = usable(configuration::load(flags, what.bind.clone(), &cwd)) else {
                return Ok(Exit::Usage);
            };
            let format = match what.log_format {
                Some(Log::Json) => Format::Json,
                Some(Log::Text) => Format::Text,
                None if loaded.config.server.log_format == LogFormat::Json => Format::Json,
                None => Format::Text,
            };
            log(&loaded, flags, Quiet::Service, format);
            in_runtime(serve::run(&what, &loaded, flags))
        }
        Command::Session { what } => {
            let Some(loaded) = usable(configuration::load(flags, None, &cwd)) else { return Ok(Exit::Usage) };
            log(&loaded, flags, Quiet::Terminal, Format::Text);
            in_runtime(session::run(what, &loaded, flags, &cwd))
        }
        Command::Audit { what } => {
            let Some(loaded) = usable(configuration::load(flags, None, &cwd)) else { return Ok(Exit::Usage) };
            log(&loaded, flags, Quiet::Terminal, Format::Text);
            in_runtime(audit::run(what, &loaded, flags))
        }
        Command::Playground(what) => {
            let Some(loaded) = usable(configuration::load(flags, None, &cwd)) else { return Ok(Exit::Usage) };
            log(&loaded, flags, Quiet::Terminal, Format::Text);
            in_runtime(playground::run(&what, &loaded, flags))
        }
    }
}

fn at_the_terminal(prompt: Option<String>, flags: &Flags) -> anyhow::Result<Exit> {
    let wanted = match prompt.as_deref() {
        None => Wanted::Chat,
        Some("-") => match standard_input() {
            Ok(prompt) => Wanted::Request(prompt),
            Err(error) => {
                eprintln!("ml-intern: {error:#}");
                return Ok(Exit::Usage);
            }
        },
        Some(prompt) => Wanted::Request(prompt.to_owned()),
    };
    if let Wanted::Request(prompt) = &wanted {
        if prompt.trim().is_empty() {
            eprintln!("ml-intern: the prompt is empty; say what to do, or leave it out for a chat");
            return Ok(Exit::Usage);
        }
        if let Some(command) = args::mistyped_command(prompt) {
            eprintln!("ml-intern: did you mean the command `{command}`? A prompt has more than one word.");
            return Ok(Exit::Usage);
        }
    }
    let cwd = working_directory()?;
    let Some(loaded) = usable(configuration::load(flags, None, &cwd)) else { return Ok(Exit::Usage) };
    log(&loaded, flags, Quiet::Terminal, Format::Text);
    in_runtime(terminal::run(wanted, &loaded, flags, &cwd))
}

/// The configuration, if it can be used; if not, says why.
fn usable(loaded: Result<Loaded, ConfigError>) -> Option<Loaded> {
    match loaded {
        Ok(loaded) => Some(loaded),
        Err(error) => {
            eprintln!("{}", configuration::refusal(&error));
            None
        }
    }
}

fn standard_input() -> anyhow::Result<String> {
    let mut text = String::new();
    let read = std::io::stdin().lock().take(PROMPT_MOST + 1).read_to_string(&mut text);
    let read = read.context("the prompt cannot be read from standard input")?;
    anyhow::ensure!(read as u64 <= PROMPT_MOST, "the prompt is longer than {PROMPT_MOST} bytes");
    Ok(text)
}

/// Writes a report to standard output. A reader that has seen enough (`| head`) is no error.
///
/// # Errors
/// Standard output cannot be written to.
fn print_out(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(error).context("standard output cannot be written to")
        }
        _ => Ok(()),
    }
}

fn working_directory() -> anyhow::Result<std::path::PathBuf> {
    std::env::current_dir().context("the working directory is gone")
}

fn log(loaded: &Loaded, flags: &Flags, quiet: Quiet, format: Format) {
    telemetry::install(&Logging {
        verbosity: flags.verbose,
        quiet,
        filter: loaded.variable("RUST_LOG").map(str::to_owned),
        format,
        secrets: loaded.secret_values(),
    });
}

fn in_runtime(work: impl Future<Output = anyhow::Result<Exit>>) -> anyhow::Result<Exit> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(work);
    // Blocking reads (a terminal) must not hold the process.
    runtime.shutdown_timeout(std::time::Duration::from_millis(200));
    outcome
}
