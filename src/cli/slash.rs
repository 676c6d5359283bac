//! Commands of the chat: what `/word` means.
//!
//! Owns the table and its reading. Never acts.

use super::sharing::Wish;
use crate::protocol::money::DOLLAR;
pub use crate::protocol::operation::EFFORTS;
use crate::protocol::{JobWish, OperationKind, Role};

/// What a typed line means.
#[derive(Debug, Clone, PartialEq)]
pub enum Typed {
    /// Nothing.
    Nothing,
    /// Words for the agent.
    Say(String),
    /// Something that the session does.
    Operation(OperationKind),
    /// A new conversation on an empty screen.
    Clear,
    /// Auto-approval on or off (the other of the two if neither is said), up to so many micro-dollars.
    Yolo {
        /// On or off.
        on: Option<bool>,
        /// The cap.
        cap: Option<u64>,
    },
    /// List sessions in which these words occur; all of them without words.
    Sessions(String),
    /// Go on with another session: by its number in the last list, or by (the start of) its id.
    Resume(String),
    /// Something of a running job: of the one with this id, or of the only one.
    Job {
        /// What.
        wish: JobWish,
        /// Of which; empty for the only one.
        id: String,
    },
    /// Show the plan.
    Plan,
    /// Where traces are shared, and with whom.
    ShareTraces(Wish),
    /// Whose account works on the Hub.
    Token(Asked),
    /// Show the commands.
    Help,
    /// Leave.
    Quit,
    /// It cannot be done; the text says why.
    Refused(String),
}

/// What was asked about the Hub token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// Whose it is.
    Whose,
    /// To take one, which the terminal does not: it has the configured one. What was typed goes no further.
    ToTakeOne,
}

/// Name, argument and purpose of every command.
pub const COMMANDS: [(&str, &str, &str); 22] = [
    ("/help", "", "show this"),
    ("/new", "", "start a new conversation"),
    ("/clear", "", "the same, and empty the screen"),
    ("/undo", "", "drop the last request and what came of it"),
    ("/retry", "", "try the last request again, if it failed"),
    ("/continue", "", "go on with a request that was cut off"),
    ("/compact", "", "shorten the conversation now"),
    ("/sessions", "[words]", "list sessions, or those with these words"),
    ("/resume", "[number|id]", "go on with another session"),
    ("/fork", "[turn]", "go on from here or a turn, in a new session"),
    ("/plan", "", "show the plan"),
    ("/model", "[role] [id]", "list models, or use one; `default` goes back"),
    ("/effort", "[level|off]", "minimal, low, medium, high, xhigh, max"),
    ("/yolo", "[on|off] [$]", "auto-approval, up to so many dollars"),
    ("/usage", "", "what was spent"),
    ("/status", "", "how this session stands"),
    ("/runs", "[words]", "what was trained and measured"),
    ("/job", "stop|logs|extend [id]", "do this to a running job"),
    ("/share-traces", "[public|private]", "where traces go, and who may see them"),
    ("/token", "", "whose account works on the Hugging Face Hub"),
    ("/quit", "", "leave; /exit and Ctrl+D do too"),
    ("/exit", "", "leave"),
];

/// The commands, as a table.
#[must_use]
pub fn help() -> String {
    let shown = COMMANDS.iter().filter(|(name, ..)| *name != "/exit");
    let rows = shown.map(|(name, argument, what)| format!("  {name:<13} {argument:<16} {what}\n"));
    rows.collect::<String>()
        + "  Ctrl+C stops the turn; twice within a second leaves.\n  \
           Tab completes commands and @files; Ctrl+R searches what was typed before.\n  \
           Alt+Enter, or a backslash at the end, goes on in a new line.\n  \
           At a question: y, n, a (always), e (edit), or what to do instead."
}

/// Reads a line.
#[must_use]
pub fn read(line: &str) -> Typed {
    let line = line.trim();
    match line.to_lowercase().as_str() {
        "" => return Typed::Nothing,
        "exit" | "quit" => return Typed::Quit,
        _ => {}
    }
    if !is_command(line) {
        return Typed::Say(line.to_owned());
    }
    let (word, argument) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    command(&word.to_lowercase(), argument.trim()).unwrap_or_else(|| {
        let known = COMMANDS.iter().map(|(name, ..)| *name);
        let near =
            known.min_by_key(|name| strsim::osa_distance(name, &word.to_lowercase())).unwrap_or("/help");
        Typed::Refused(format!("There is no command {word}; did you mean {near}? /help shows all."))
    })
}

fn job(words: &str) -> Typed {
    let (what, id) = words.split_once(char::is_whitespace).unwrap_or((words, ""));
    let wish = match what {
        "" => return Typed::Operation(OperationKind::Status),
        "stop" => JobWish::Stop,
        "logs" => JobWish::Logs,
        "extend" => JobWish::Longer,
        _ => {
            return Typed::Refused(
                "Write /job stop, /job logs or /job extend; /status lists what runs.".to_owned(),
            );
        }
    };
    Typed::Job { wish, id: id.trim().to_owned() }
}

/// Whether a line is a command; a path (`/data/train.csv is broken`) is not.
fn is_command(line: &str) -> bool {
    let word = line.split_whitespace().next().unwrap_or_default();
    word.strip_prefix('/').is_some_and(|rest| !rest.contains('/'))
}

fn command(word: &str, argument: &str) -> Option<Typed> {
    Some(match (word, argument) {
        ("/help", _) => Typed::Help,
        ("/new", _) => Typed::Operation(OperationKind::New),
        ("/clear", _) => Typed::Clear,
        ("/undo", _) => Typed::Operation(OperationKind::Undo),
        ("/compact", _) => Typed::Operation(OperationKind::Compact),
        ("/retry", _) => Typed::Operation(OperationKind::Retry),
        ("/continue", _) => Typed::Operation(OperationKind::Resume),
        ("/status", _) => Typed::Operation(OperationKind::Status),
        ("/usage", _) => Typed::Operation(OperationKind::Usage),
        ("/runs", words) => Typed::Operation(OperationKind::Runs { words: words.to_owned() }),
        ("/job", words) => job(words),
        ("/plan", _) => Typed::Plan,
        ("/token", "") => Typed::Token(Asked::Whose),
        ("/token", _) => Typed::Token(Asked::ToTakeOne),
        ("/share-traces", "") => Typed::ShareTraces(Wish::Tell),
        ("/share-traces", "public") => Typed::ShareTraces(Wish::Public),
        ("/share-traces", "private") => Typed::ShareTraces(Wish::Private),
        ("/share-traces", _) => Typed::Refused("/share-traces, or with `public` or `private`.".to_owned()),
        ("/sessions", words) => Typed::Sessions(words.to_owned()),
        ("/resume", "") => Typed::Sessions(String::new()),
        ("/resume", which) => Typed::Resume(which.to_owned()),
        ("/fork", "") => Typed::Operation(OperationKind::Fork { turn: None }),
        ("/fork", turn) => match turn.parse::<u64>() {
            Ok(turn) if turn > 0 => Typed::Operation(OperationKind::Fork { turn: Some(turn) }),
            _ => Typed::Refused("Name the turn by its number, counted from 1: /fork 2.".to_owned()),
        },
        ("/model", words) => match OperationKind::of_model_words(words) {
            Some(kind) => Typed::Operation(kind),
            None => Typed::Refused(format!(
                "Write /model ID, /model ROLE ID or /model ROLE default. The roles are {}.",
                Role::ALL.map(Role::as_str).join(", ")
            )),
        },
        ("/effort", words) => match OperationKind::of_effort_words(words) {
            Some(kind) => Typed::Operation(kind),
            None => Typed::Refused(format!("The levels are {}, or off, or default.", EFFORTS.join(", "))),
        },
        ("/yolo", argument) => yolo(argument),
        ("/quit" | "/exit", _) => Typed::Quit,
        _ => return None,
    })
}

fn yolo(argument: &str) -> Typed {
    let mut words = argument.split_whitespace().peekable();
    let on = match words.peek().map(|word| word.to_lowercase()).as_deref() {
        Some("on") => Some(true),
        Some("off") => Some(false),
        _ => None,
    };
    if on.is_some() {
        words.next();
    }
    let rest: Vec<&str> = words.collect();
    match (on, rest.as_slice()) {
        (on, []) => Typed::Yolo { on, cap: None },
        // A cap alone switches it on.
        (None | Some(true), [sum]) => match micros(sum) {
            Some(cap) => Typed::Yolo { on: Some(true), cap: Some(cap) },
            None => Typed::Refused(format!("{sum} is no sum in dollars: /yolo on 5, or /yolo on 2.50.")),
        },
        _ => Typed::Refused("/yolo, /yolo on [dollars], or /yolo off.".to_owned()),
    }
}

/// Micro-dollars of `5`, `$5` or `2.50`; at most a million dollars.
fn micros(sum: &str) -> Option<u64> {
    let sum = sum.trim_start_matches('$');
    let (whole, part) = sum.split_once('.').unwrap_or((sum, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(part) || part.len() > 6 {
        return None;
    }
    let micros: u64 = format!("{part:0<6}").parse().ok()?;
    let whole: u64 = whole.parse().ok().filter(|whole| *whole <= 1_000_000)?;
    Some(whole * DOLLAR + micros)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Setting;

    #[test]
    fn lines_are_read_as_people_mean_them() {
        let effort = |level: &str| {
            Typed::Operation(OperationKind::Set {
                setting: Setting::Effort { level: Some(level.to_owned()) },
            })
        };
        let model = |id: &str| {
            Typed::Operation(OperationKind::Set {
                setting: Setting::Model { role: Role::Main, id: Some(id.to_owned()) },
            })
        };
        let role_model = |role, id: Option<&str>| {
            let id = id.map(str::to_owned);
            Typed::Operation(OperationKind::Set { setting: Setting::Model { role, id } })
        };
        let table = [
            ("   ", Typed::Nothing),
            ("Exit", Typed::Quit),
            ("/QUIT", Typed::Quit),
            (" train it ", Typed::Say("train it".to_owned())),
            ("/undo", Typed::Operation(OperationKind::Undo)),
            ("/Model  Org/Name:fast ", model("Org/Name:fast")),
            ("/model", Typed::Operation(OperationKind::Models)),
            ("/model summary org/small", role_model(Role::Summary, Some("org/small"))),
            ("/model Judge default", role_model(Role::Judge, None)),
            ("/fork", Typed::Operation(OperationKind::Fork { turn: None })),
            ("/fork 3", Typed::Operation(OperationKind::Fork { turn: Some(3) })),
            ("/resume", Typed::Sessions(String::new())),
            ("/resume 2", Typed::Resume("2".to_owned())),
            ("/sessions two words", Typed::Sessions("two words".to_owned())),
            ("/share-traces", Typed::ShareTraces(Wish::Tell)),
            ("/token", Typed::Token(Asked::Whose)),
            ("/token hf_abc", Typed::Token(Asked::ToTakeOne)),
            ("/share-traces public", Typed::ShareTraces(Wish::Public)),
            ("/usage", Typed::Operation(OperationKind::Usage)),
            ("/data/x.csv is broken", Typed::Say("/data/x.csv is broken".to_owned())),
            ("/effort HIGH", effort("high")),
            ("/effort off", effort("none")),
            ("/yolo", Typed::Yolo { on: None, cap: None }),
            ("/yolo off", Typed::Yolo { on: Some(false), cap: None }),
            ("/yolo on 2.50", Typed::Yolo { on: Some(true), cap: Some(2_500_000) }),
            ("/yolo $7", Typed::Yolo { on: Some(true), cap: Some(7_000_000) }),
        ];
        for (line, typed) in table {
            assert_eq!(read(line), typed, "{line}");
        }
    }

    #[test]
    fn what_cannot_be_done_is_said() {
        let refused = |line: &str| match read(line) {
            Typed::Refused(why) => why,
            other => panic!("{line}: {other:?}"),
        };
        assert_eq!(
            refused("/comapct"),
            "There is no command /comapct; did you mean /compact? /help shows all."
        );
        assert!(refused("/effort huge").contains("minimal, low"));
        assert!(refused("/model a b").contains("main, research, summary"));
        assert!(refused("/model a b c").contains("/model ROLE ID"));
        for sum in ["/yolo on 1e9", "/yolo on -5", "/yolo on 99999999", "/yolo on 0.0000001", "/yolo on $"] {
            assert!(refused(sum).contains("dollars"), "{sum}");
        }
        assert!(refused("/yolo off 5").contains("/yolo off"));
        assert!(refused("/fork 0").contains("counted from 1"));
    }

    #[test]
    fn the_help_names_every_command() {
        assert!(help().lines().all(|line| line.chars().count() < 80), "it fits a terminal: {}", help());
        for (name, ..) in COMMANDS {
            assert!(help().contains(name));
            assert!(
                !matches!(read(name), Typed::Refused(_) | Typed::Say(_)),
                "{name} is in the table but not read"
            );
        }
    }
}
