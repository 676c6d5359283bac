//! Commands in a thread: `!status`, `!model …`, `!token …`, the word `stop`.

use super::{TokenWish, Words};
use crate::protocol::money::read_dollars;
use crate::protocol::{OperationKind, Setting};
use crate::secret::Secret;

/// What a message says, its mention of us taken out.
pub(super) fn words(text: &str) -> Words {
    let plain = text.trim();
    if plain.trim_end_matches(['.', '!']).eq_ignore_ascii_case("stop") {
        return Words::Command(OperationKind::Stop);
    }
    if let Some(wish) = token_wish(plain) {
        return Words::Token(wish);
    }
    let Some(command) =
        plain.strip_prefix('!').filter(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic()))
    else {
        return Words::Say(plain.to_owned());
    };
    let mut parts = command.split_whitespace();
    let name = parts.next().unwrap_or_default().to_ascii_lowercase();
    let argument = parts.collect::<Vec<_>>().join(" ");
    let alone = argument.is_empty();
    match (name.as_str(), argument.as_str()) {
        ("help", _) => Words::Help,
        ("stop", _) if alone => Words::Command(OperationKind::Stop),
        ("usage", _) if alone => Words::Command(OperationKind::Usage),
        ("status", _) if alone => Words::Command(OperationKind::Status),
        ("new", _) if alone => Words::Command(OperationKind::New),
        ("compact", _) if alone => Words::Command(OperationKind::Compact),
        ("undo", _) if alone => Words::Command(OperationKind::Undo),
        ("retry", _) if alone => Words::Command(OperationKind::Retry),
        ("resume", _) if alone => Words::Command(OperationKind::Resume),
        ("resume", id) if !id.contains(' ') => Words::GoOn(id.trim_matches('`').to_owned()),
        ("runs", words) => {
            let words = super::text::readable(words, &std::collections::BTreeMap::new());
            Words::Command(OperationKind::Runs { words })
        }
        ("sessions", words) => Words::Sessions(words.to_owned()),
        ("fork", "") => Words::Command(OperationKind::Fork { turn: None }),
        ("fork", turn) if turn.parse::<u64>().is_ok_and(|turn| turn > 0) => {
            Words::Command(OperationKind::Fork { turn: turn.parse().ok() })
        }
        ("model", words) => {
            let words = super::text::readable(words, &std::collections::BTreeMap::new());
            OperationKind::of_model_words(&words).map_or_else(|| unclear(&name), Words::Command)
        }
        ("effort", words) => {
            OperationKind::of_effort_words(words).map_or_else(|| unclear(&name), Words::Command)
        }
        ("yolo", state @ ("on" | "off")) => {
            Words::Command(OperationKind::Set { setting: Setting::Yolo { on: state == "on", cap: None } })
        }
        ("yolo", argument) if let Some(cap) = argument.strip_prefix("on ").and_then(read_dollars) => {
            Words::Command(OperationKind::Set { setting: Setting::Yolo { on: true, cap: Some(cap) } })
        }
        _ => unclear(&name),
    }
}

/// What `!token …` wants. Read before anything else, so that nothing of it becomes words for the model.
fn token_wish(text: &str) -> Option<TokenWish> {
    let (command, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    if !command.eq_ignore_ascii_case("!token") {
        return None;
    }
    // Slack's code marks and quotes are part of how people paste.
    let mut words = rest.split_whitespace().map(|word| word.trim_matches(['`', '"', '\'', '“', '”']));
    Some(match (words.next().unwrap_or_default(), words.next()) {
        (_, Some(_)) => TokenWish::Unclear,
        ("", None) => TokenWish::Tell,
        (word, None) => match word.to_ascii_lowercase().as_str() {
            "remove" | "delete" | "forget" => TokenWish::Remove,
            "status" => TokenWish::Tell,
            _ => TokenWish::Give(Secret::new(word)),
        },
    })
}

/// Whether a message is one about a token: nobody else may read what it says.
#[must_use]
pub fn is_about_a_token(text: &str) -> bool {
    token_wish(text.trim()).is_some()
}

fn unclear(name: &str) -> Words {
    Words::Unclear(format!("!{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Role;

    #[test]
    fn commands_are_read_and_other_words_are_left_alone() {
        let set = |setting| Words::Command(OperationKind::Set { setting });
        for (text, expected) in [
            ("stop", Words::Command(OperationKind::Stop)),
            (" STOP! ", Words::Command(OperationKind::Stop)),
            ("!stop", Words::Command(OperationKind::Stop)),
            ("stop the server", Words::Say("stop the server".into())),
            ("!status", Words::Command(OperationKind::Status)),
            ("!STATUS", Words::Command(OperationKind::Status)),
            ("!new", Words::Command(OperationKind::New)),
            ("!compact", Words::Command(OperationKind::Compact)),
            ("!undo", Words::Command(OperationKind::Undo)),
            ("!model", Words::Command(OperationKind::Models)),
            ("!model summary a/b", set(Setting::Model { role: Role::Summary, id: Some("a/b".into()) })),
            ("!model please a/b", Words::Unclear("!model".into())),
            ("!effort", Words::Command(OperationKind::Models)),
            ("!effort off", set(Setting::Effort { level: Some("none".into()) })),
            ("!effort huge", Words::Unclear("!effort".into())),
            ("!model hf/a/b", set(Setting::Model { role: Role::Main, id: Some("hf/a/b".into()) })),
            ("!model default", set(Setting::Model { role: Role::Main, id: None })),
            ("!yolo on", set(Setting::Yolo { on: true, cap: None })),
            ("!yolo off", set(Setting::Yolo { on: false, cap: None })),
            ("!yolo on 20", set(Setting::Yolo { on: true, cap: Some(20_000_000) })),
            ("!yolo on $7.50", set(Setting::Yolo { on: true, cap: Some(7_500_000) })),
            ("!yolo on much", Words::Unclear("!yolo".into())),
            ("!yolo off 20", Words::Unclear("!yolo".into())),
            ("!usage", Words::Command(OperationKind::Usage)),
            ("!usage of water", Words::Unclear("!usage".into())),
            ("!yolo", Words::Unclear("!yolo".into())),
            ("!effort high", set(Setting::Effort { level: Some("high".into()) })),
            ("!resume", Words::Command(OperationKind::Resume)),
            ("!resume `slack:T1:C1:1.2`", Words::GoOn("slack:T1:C1:1.2".into())),
            ("!resume the work", Words::Unclear("!resume".into())),
            ("!sessions", Words::Sessions(String::new())),
            ("!sessions imdb rate", Words::Sessions("imdb rate".into())),
            ("!fork", Words::Command(OperationKind::Fork { turn: None })),
            ("!fork 3", Words::Command(OperationKind::Fork { turn: Some(3) })),
            ("!fork 0", Words::Unclear("!fork".into())),
            ("!fork it", Words::Unclear("!fork".into())),
            ("!token", Words::Token(TokenWish::Tell)),
            ("!Token  status", Words::Token(TokenWish::Tell)),
            ("!token remove", Words::Token(TokenWish::Remove)),
            ("!token `hf_abc`", Words::Token(TokenWish::Give(Secret::new("hf_abc")))),
            ("!token\nhf_abc", Words::Token(TokenWish::Give(Secret::new("hf_abc")))),
            ("!token hf_abc please", Words::Token(TokenWish::Unclear)),
            ("!tokens", Words::Unclear("!tokens".into())),
            ("!help", Words::Help),
            ("!help me", Words::Help),
            ("!frobnicate now", Words::Unclear("!frobnicate".into())),
            ("!new york is nice", Words::Unclear("!new".into())),
            ("!= is a comparison", Words::Say("!= is a comparison".into())),
            ("!", Words::Say("!".into())),
            ("!!!", Words::Say("!!!".into())),
        ] {
            assert_eq!(words(text), expected, "{text}");
        }
    }
}
