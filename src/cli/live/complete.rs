//! What Tab offers: commands, what goes behind them, and files behind an `@`.
//!
//! Owns [`offer`], which is pure, and [`files`], which looks into the working directory. Never changes
//! the text.

use std::path::Path;

use super::super::slash::{COMMANDS, EFFORTS};
use crate::protocol::Role;

/// At most this many are offered; typing on narrows them down.
const MOST: usize = 50;

/// What is known of the world.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// Ids of models.
    pub models: Vec<String>,
    /// Ids of sessions with their titles, newest first.
    pub sessions: Vec<(String, String)>,
    /// How many turns this session has.
    pub turns: u64,
}

/// One thing that can be put in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What is put in.
    pub text: String,
    /// What it is.
    pub note: String,
}

/// What can be put in, and where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offer {
    /// Where the part begins that a choice replaces, in bytes.
    pub from: usize,
    /// The choices, best first.
    pub choices: Vec<Choice>,
}

/// What Tab asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// This.
    Offer(Offer),
    /// Files whose path begins so; the part begins at `from`.
    Files {
        /// Where the path begins.
        from: usize,
        /// What was typed of it.
        path: String,
    },
}

/// What goes behind the text before the cursor.
#[must_use]
pub fn offer(before: &str, known: &Known) -> Wanted {
    let from = before
        .rfind(char::is_whitespace)
        .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
    let part = &before[from..];
    if let Some(path) = part.strip_prefix('@') {
        return Wanted::Files { from: from + 1, path: path.to_owned() };
    }
    let choices = if from == 0 && part.starts_with('/') {
        matching(part, COMMANDS.iter().map(|(name, _, what)| ((*name).to_owned(), (*what).to_owned())))
    } else if before.starts_with('/') {
        let mut words = before[..from].split_whitespace();
        let command = words.next().unwrap_or_default().to_lowercase();
        arguments(&command, &words.collect::<Vec<_>>(), part, known)
    } else {
        Vec::new()
    };
    Wanted::Offer(Offer { from, choices })
}

fn arguments(command: &str, before: &[&str], part: &str, known: &Known) -> Vec<Choice> {
    let models = || known.models.iter().map(|id| (id.clone(), String::new()));
    let fixed = |words: &'static [(&'static str, &'static str)]| {
        words.iter().map(|(word, what)| ((*word).to_owned(), (*what).to_owned()))
    };
    match (command, before) {
        ("/model", []) => {
            let roles =
                Role::ALL.iter().map(|role| (role.as_str().to_owned(), "the model of this role".to_owned()));
            matching(part, models().chain(roles).chain(fixed(&[("default", "the configured one")])))
        }
        ("/model", [role]) if Role::named(role).is_some() => {
            matching(part, models().chain(fixed(&[("default", "the configured one")])))
        }
        ("/effort", []) => {
            let levels = EFFORTS.iter().map(|level| ((*level).to_owned(), String::new()));
            matching(part, levels.chain(fixed(&[("off", "as configured")])))
        }
        ("/resume", []) => matching(part, known.sessions.iter().cloned()),
        ("/fork", []) => {
            let turns = (1..=known.turns).rev().map(|turn| (turn.to_string(), format!("after turn {turn}")));
            matching(part, turns)
        }
        ("/yolo", []) => matching(part, fixed(&[("on", "what policy lets it runs unasked"), ("off", "")])),
        ("/share-traces", []) => matching(part, fixed(&[("public", ""), ("private", "")])),
        _ => Vec::new(),
    }
}

fn matching(part: &str, all: impl Iterator<Item = (String, String)>) -> Vec<Choice> {
    let part = part.to_lowercase();
    all.filter(|(text, _)| text.to_lowercase().starts_with(&part))
        .take(MOST)
        .map(|(text, note)| Choice { text, note })
        .collect()
}

/// The files below `root` whose path begins so. Blocks. Hidden ones only when their dot was typed.
#[must_use]
pub fn files(root: &Path, path: &str) -> Vec<Choice> {
    let (folder, name) = path.rsplit_once('/').map_or(("", path), |(folder, name)| (folder, name));
    // What was typed stays below the working directory.
    if Path::new(folder).is_absolute() || folder.split('/').any(|part| part == "..") || path.starts_with('/')
    {
        return Vec::new();
    }
    let Ok(entries) = std::fs::read_dir(root.join(folder)) else { return Vec::new() };
    let mut choices: Vec<Choice> = entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let found = entry.file_name().into_string().ok()?;
            let shown = found.starts_with(name) && (!found.starts_with('.') || name.starts_with('.'));
            if !shown || found.contains(char::is_control) {
                return None;
            }
            let end = if entry.path().is_dir() { "/" } else { "" };
            let above = if folder.is_empty() { String::new() } else { format!("{folder}/") };
            Some(Choice { text: format!("{above}{found}{end}"), note: String::new() })
        })
        .collect();
    choices.sort_by(|one, other| one.text.cmp(&other.text));
    choices.truncate(MOST);
    choices
}

/// The longest text that all choices begin with.
#[must_use]
pub fn common(choices: &[Choice]) -> &str {
    let Some((first, others)) = choices.split_first() else { return "" };
    let mut end = first.text.len();
    for other in others {
        let same = first.text.chars().zip(other.text.chars()).take_while(|(one, two)| one == two);
        end = end.min(same.map(|(letter, _)| letter.len_utf8()).sum());
    }
    &first.text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(before: &str) -> (usize, Vec<String>) {
        let known = Known {
            models: vec!["org/big".into(), "org/small".into()],
            sessions: vec![("abc1".into(), "train".into()), ("xyz2".into(), String::new())],
            turns: 3,
        };
        match offer(before, &known) {
            Wanted::Offer(offer) => {
                (offer.from, offer.choices.into_iter().map(|choice| choice.text).collect())
            }
            Wanted::Files { from, path } => (from, vec![format!("file {path}")]),
        }
    }

    #[test]
    fn tab_offers_what_can_come_next() {
        let table: [(&str, usize, &[&str]); 12] = [
            ("/mo", 0, &["/model"]),
            ("/co", 0, &["/continue", "/compact"]),
            ("/nothing", 0, &[]),
            ("/model org/s", 7, &["org/small"]),
            ("/model summary org/b", 15, &["org/big"]),
            ("/effort m", 8, &["minimal", "medium", "max"]),
            ("/resume a", 8, &["abc1"]),
            ("/fork ", 6, &["3", "2", "1"]),
            ("/yolo ", 6, &["on", "off"]),
            ("plain words", 6, &[]),
            ("look at @src/ma", 9, &["file src/ma"]),
            ("/help x", 6, &[]),
        ];
        for (before, from, expected) in table {
            let (at, texts) = texts(before);
            assert_eq!(
                (at, texts.iter().map(String::as_str).collect::<Vec<_>>()),
                (from, expected.to_vec()),
                "{before}"
            );
        }
    }

    #[test]
    fn files_are_offered_below_the_working_directory_only() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("src/deep")).unwrap();
        std::fs::write(root.path().join("src/main.py"), "").unwrap();
        std::fs::write(root.path().join(".env"), "").unwrap();
        let texts =
            |path: &str| files(root.path(), path).into_iter().map(|choice| choice.text).collect::<Vec<_>>();
        assert_eq!(texts(""), ["src/"]);
        assert_eq!(texts("."), [".env"]);
        assert_eq!(texts("src/"), ["src/deep/", "src/main.py"]);
        assert_eq!(texts("src/m"), ["src/main.py"]);
        assert!(texts("../").is_empty() && texts("/").is_empty() && texts("/etc/").is_empty());
    }

    #[test]
    fn what_all_choices_share_is_put_in_at_once() {
        let choice = |text: &str| Choice { text: text.into(), note: String::new() };
        assert_eq!(common(&[choice("train.py"), choice("trace.log")]), "tra");
        assert_eq!(common(&[]), "");
    }
}
