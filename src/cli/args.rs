//! The command line: what can be typed, and the help about it.
//!
//! Owns the clap tree. Decides nothing. Start at [`Args`].

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use super::audit::AuditCommand;
use super::exit;
use super::session::SessionCommand;

const EXAMPLES: &str = "\
Examples:
  ml-intern                                   chat
  ml-intern \"Fine-tune a classifier on imdb\"  work on one request, then leave
  git diff | ml-intern -                      the request comes from standard input
  ml-intern --ask --json \"…\"                  refuse what needs approval; events as JSON lines
  ml-intern playground                        try it in a local Slack workspace, with no account
  ml-intern serve                             be the bot of a real workspace";

fn after_help() -> String {
    format!("{EXAMPLES}\n\n{}", exit::TABLE)
}

/// The machine-learning engineer that lives in your team's Slack, and in this terminal.
#[derive(Debug, Parser)]
#[command(name = "ml-intern", bin_name = "ml-intern", version, max_term_width = 100, after_help = after_help())]
#[command(override_usage = "ml-intern [OPTIONS] [PROMPT]\n       ml-intern [OPTIONS] <COMMAND>")]
pub struct Args {
    /// What to do. Without it, a chat opens; `-` reads it from standard input
    #[arg(value_name = "PROMPT")]
    pub prompt: Option<String>,

    /// Something else than talking to the agent
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Flags of every command.
    #[command(flatten)]
    pub flags: Flags,
}

/// Flags that hold everywhere.
#[derive(Debug, Clone, Default, ClapArgs)]
pub struct Flags {
    /// The model, as provider/model
    #[arg(short, long, global = true, value_name = "ID")]
    pub model: Option<String>,

    /// Model calls per turn; -1 for no limit
    #[arg(long, global = true, value_name = "N", allow_negative_numbers = true)]
    pub max_iterations: Option<i64>,

    /// Wait for whole answers instead of streaming them
    #[arg(long, global = true)]
    pub no_stream: bool,

    /// A configuration file, in place of configs/*.json
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Where sessions and work folders are kept
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,

    /// Go on with this session (its id is shown at the start)
    #[arg(long, global = true, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    pub session: Option<String>,

    /// Without a chat: refuse what needs approval, instead of approving it
    #[arg(long, global = true)]
    pub ask: bool,

    /// Let bash, read, write and edit act in a Hugging Face sandbox
    #[arg(long, global = true)]
    pub sandbox_tools: bool,

    /// JSON on standard output: one event per line, or one report
    #[arg(long, global = true)]
    pub json: bool,

    /// Log more to standard error; again for more still
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Be the Slack bot of a workspace
    #[command(after_help = "\
Socket Mode needs SLACK_BOT_TOKEN and SLACK_APP_TOKEN; events over HTTP need SLACK_BOT_TOKEN and
SLACK_SIGNING_SECRET. `ml-intern manifest` prints the app to create, `ml-intern doctor` checks it.
SIGTERM or Ctrl+C: no new work is taken, steps in hand may end for server.drain_s (20 s), what is
left is suspended and resumed at the next start; 8 s later at most the process is gone.
A second signal leaves at once.

The embedded store serves one `serve` at a time, so one process has all roles unless you say less.

Examples:
  ml-intern serve
  ml-intern serve --bind 0.0.0.0:8787 --roles listen")]
    Serve(ServeArgs),
    /// Open a local Slack workspace in the browser, with the bot in it; no account, no key
    #[command(after_help = "\
Without a model key a scripted model plays a short story with the real tools; with a key the real
model answers.

Examples:
  ml-intern playground
  ml-intern playground --no-bot --json        the workspace alone, for any Slack client")]
    Playground(PlaygroundArgs),
    /// Check configuration, data, Slack and the model, and say what to do
    #[command(after_help = "Exit code 1 if any check failed.")]
    Doctor,
    /// List, read, delete and carry on sessions: to a file and back, into a copy, into this terminal
    Session {
        /// What about them.
        #[command(subcommand)]
        what: SessionCommand,
    },
    /// Check or export the record of decisions: who allowed what, and when
    Audit {
        /// What about it.
        #[command(subcommand)]
        what: AuditCommand,
    },
    /// Check, show or describe the configuration
    Config {
        /// What about it.
        #[command(subcommand)]
        what: ConfigCommand,
    },
    /// Print the Slack app manifest that this build needs
    #[command(after_help = "\
Paste it at https://api.slack.com/apps, \"Create New App\", \"From a manifest\".

Examples:
  ml-intern manifest
  ml-intern manifest --mode http --url https://bot.example.com --format json")]
    Manifest(ManifestArgs),
    /// Print completions for a shell
    #[command(after_help = "\
Example:
  ml-intern completions bash > ~/.local/share/bash-completion/completions/ml-intern")]
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// Flags of `serve`.
#[derive(Debug, Clone, ClapArgs)]
pub struct ServeArgs {
    /// What this process does; all of it by default
    #[arg(long, value_enum, value_delimiter = ',', value_name = "ROLES",
          default_values_t = [Role::Listen, Role::Work, Role::Tick])]
    pub roles: Vec<Role>,

    /// Address for health, metrics and Slack over HTTP
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub bind: Option<String>,

    /// How the log is written
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub log_format: Option<Log>,
}

/// What a process of `serve` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// Take in what Slack sends.
    Listen,
    /// Work on sessions.
    Work,
    /// Deliver notices, and expire what was not answered in time.
    Tick,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Log {
    /// Lines for people.
    Text,
    /// One JSON object per line.
    Json,
}

/// Flags of `playground`.
#[derive(Debug, Clone, ClapArgs)]
pub struct PlaygroundArgs {
    /// The workspace alone, without the bot
    #[arg(long)]
    pub no_bot: bool,

    /// Port of the page; a free one by default
    #[arg(long, default_value_t = 0)]
    pub port: u16,

    /// Open the page in the browser (the default, unless --json)
    #[arg(long, overrides_with = "no_open")]
    pub open: bool,

    /// Do not open the browser
    #[arg(long, overrides_with = "open")]
    pub no_open: bool,

    /// Play the scripted demonstration even if a model key is configured
    #[arg(long)]
    pub demo: bool,
}

/// What to do about the configuration.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum ConfigCommand {
    /// Load it, say which files were read, and everything that is wrong
    Check,
    /// Print it as JSON, secrets masked
    Show {
        /// Print where each key came from, instead
        #[arg(long)]
        origins: bool,
    },
    /// Print the JSON Schema of a configuration file
    Schema,
}

/// Flags of `manifest`.
#[derive(Debug, Clone, ClapArgs)]
pub struct ManifestArgs {
    /// The notation
    #[arg(long, value_enum, default_value_t = Notation::Yaml)]
    pub format: Notation,

    /// How events reach the bot
    #[arg(long, value_enum, default_value_t = Delivery::Socket)]
    pub mode: Delivery,

    /// Public address of this bot, for --mode http
    #[arg(long, value_name = "URL", required_if_eq("mode", "http"))]
    pub url: Option<String>,
}

/// A notation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Notation {
    /// YAML.
    Yaml,
    /// JSON.
    Json,
}

/// How events reach the bot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Delivery {
    /// Socket Mode: no public address needed.
    Socket,
    /// The Events API over HTTP.
    Http,
}

/// The command that a prompt of one word was probably meant to be.
#[must_use]
pub fn mistyped_command(prompt: &str) -> Option<&'static str> {
    const COMMANDS: [&str; 8] =
        ["serve", "playground", "doctor", "session", "audit", "config", "manifest", "completions"];
    let one_word =
        !prompt.is_empty() && prompt.chars().all(|letter| letter.is_ascii_alphabetic() || letter == '-');
    if !one_word {
        return None;
    }
    COMMANDS.into_iter().find(|command| strsim::osa_distance(&prompt.to_lowercase(), command) <= 2)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_tree_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn flags_hold_before_and_behind_a_command() {
        let args =
            Args::try_parse_from(["ml-intern", "-m", "a/b", "serve", "--max-iterations", "-1"]).unwrap();
        assert_eq!(args.flags.model.as_deref(), Some("a/b"));
        assert_eq!(args.flags.max_iterations, Some(-1));
        assert!(matches!(args.command, Some(Command::Serve(_))));
    }

    #[test]
    fn a_prompt_is_whatever_is_no_command() {
        let prompt = |words: &[&str]| {
            Args::try_parse_from([&["ml-intern"], words].concat()).map(|args| args.prompt).map_err(drop)
        };
        assert_eq!(prompt(&["train it"]), Ok(Some("train it".to_owned())));
        assert_eq!(prompt(&["-"]), Ok(Some("-".to_owned())));
        assert_eq!(prompt(&["--json", "", "-v"]), Ok(Some(String::new())));
        assert_eq!(prompt(&["--", "--odd"]), Ok(Some("--odd".to_owned())));
        assert_eq!(prompt(&["two", "prompts"]), Err(()));
        assert_eq!(prompt(&[]), Ok(None));
    }

    #[test]
    fn a_slip_of_the_pen_is_no_prompt() {
        assert_eq!(mistyped_command("serv"), Some("serve"));
        assert_eq!(mistyped_command("Docter"), Some("doctor"));
        assert_eq!(mistyped_command("hello"), None);
        assert_eq!(mistyped_command("serve the model"), None);
    }
}
