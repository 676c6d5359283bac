//! Commands of the chat: what `/word` means.
//!
//! Owns the table and its reading. Never acts.

use crate::protocol::{OperationKind, Role, Setting};

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
    /// Switch auto-approval over.
    ToggleYolo,
    /// Show the commands.
    Help,
    /// Leave.
    Quit,
    /// It cannot be done; the text says why.
    Refused(String),
}

const COMMANDS: [(&str, &str, &str); 13] = [
    ("/help", "", "show this"),
    ("/new", "", "start a new conversation"),
    ("/clear", "", "the same, and empty the screen"),
    ("/undo", "", "drop the last request and all that came of it"),
    ("/retry", "", "try a failed request again"),
    ("/resume", "", "go on with a request that was cut off"),
    ("/fork", "[number]", "go on from here, or from an earlier request, in a new session"),
    ("/compact", "", "shorten the conversation now"),
    ("/model", "[id|default]", "show the model, or use another one from the next step on"),
    ("/effort", "[level|off]", "show or set reasoning effort: minimal, low, medium, high, xhigh, max"),
    ("/yolo", "", "switch auto-approval on or off"),
    ("/status", "", "how this session stands"),
    ("/quit", "", "leave; /exit and Ctrl+D do too"),
];

const EFFORTS: [&str; 6] = ["minimal", "low", "medium", "high", "xhigh", "max"];

/// The commands, as a table.
#[must_use]
pub fn help() -> String {
    let rows = COMMANDS.iter().map(|(name, argument, what)| format!("  {name:<9} {argument:<13} {what}\n"));
    rows.collect::<String>()
        + "  Ctrl+C stops the turn; twice within a second leaves.\n  \
           At a question: y, n, a (always), e (edit), or words that tell the agent what to do instead."
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
    if !line.starts_with('/') {
        return Typed::Say(line.to_owned());
    }
    let (word, argument) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    command(&word.to_lowercase(), argument.trim()).unwrap_or_else(|| {
        let known = COMMANDS.iter().map(|(name, ..)| *name).chain(["/exit"]);
        let near =
            known.min_by_key(|name| strsim::osa_distance(name, &word.to_lowercase())).unwrap_or("/help");
        Typed::Refused(format!("There is no command {word}; did you mean {near}? /help shows all."))
    })
}

fn command(word: &str, argument: &str) -> Option<Typed> {
    let set = |setting| Typed::Operation(OperationKind::Set { setting });
    Some(match (word, argument) {
        ("/help", _) => Typed::Help,
        ("/new", _) => Typed::Operation(OperationKind::New),
        ("/clear", _) => Typed::Clear,
        ("/undo", _) => Typed::Operation(OperationKind::Undo),
        ("/compact", _) => Typed::Operation(OperationKind::Compact),
        ("/fork", "") => Typed::Operation(OperationKind::Fork { turn: None }),
        ("/fork", turn) => match turn.parse() {
            Ok(turn) if turn > 0 => Typed::Operation(OperationKind::Fork { turn: Some(turn) }),
            _ => Typed::Refused("/fork takes the number of a request, counted from 1.".to_owned()),
        },
        ("/resume", "") => Typed::Operation(OperationKind::Resume),
        ("/resume", _) => Typed::Refused(
            "To go on with another session, leave and run `ml-intern session resume ID`.".to_owned(),
        ),
        ("/retry", _) => Typed::Operation(OperationKind::Retry),
        ("/status", _) | ("/model" | "/effort", "") => Typed::Operation(OperationKind::Status),
        ("/model", "default") => set(Setting::Model { role: Role::Main, id: None }),
        ("/model", id) if id.contains(char::is_whitespace) => {
            Typed::Refused("A model id has no spaces: provider/model.".to_owned())
        }
        ("/model", id) => set(Setting::Model { role: Role::Main, id: Some(id.to_owned()) }),
        ("/effort", "off") => set(Setting::Effort { level: None }),
        ("/effort", level) if EFFORTS.contains(&level.to_lowercase().as_str()) => {
            set(Setting::Effort { level: Some(level.to_lowercase()) })
        }
        ("/effort", _) => Typed::Refused(format!("The levels are {}, or off.", EFFORTS.join(", "))),
        ("/yolo", _) => Typed::ToggleYolo,
        ("/quit" | "/exit", _) => Typed::Quit,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let table = [
            ("   ", Typed::Nothing),
            ("Exit", Typed::Quit),
            ("/QUIT", Typed::Quit),
            (" train it ", Typed::Say("train it".to_owned())),
            ("/undo", Typed::Operation(OperationKind::Undo)),
            ("/Model  Org/Name:fast ", model("Org/Name:fast")),
            ("/model", Typed::Operation(OperationKind::Status)),
            ("/effort HIGH", effort("high")),
            (
                "/effort off",
                Typed::Operation(OperationKind::Set { setting: Setting::Effort { level: None } }),
            ),
            ("/yolo", Typed::ToggleYolo),
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
        assert!(refused("/model a b").contains("no spaces"));
    }

    #[test]
    fn the_help_names_every_command() {
        for (name, ..) in COMMANDS {
            assert!(help().contains(name));
            assert!(
                !matches!(read(name), Typed::Refused(_) | Typed::Say(_)),
                "{name} is in the table but not read"
            );
        }
    }
}
