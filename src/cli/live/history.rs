//! What was typed before, kept in a file that only its owner can read.
//!
//! Owns [`History`]. Each entry is kept once, at its last use; secrets are taken out before anything is
//! written. Never draws.

use std::path::PathBuf;

use crate::secret::Secret;
use crate::text::redact;

/// Entries kept; the oldest go first.
const MOST: usize = 1_000;
/// An entry longer than this is not kept: nobody looks for it line by line.
const LONGEST: usize = 16 * 1024;

/// What was typed before, oldest first.
#[derive(Debug, Default)]
pub struct History {
    entries: Vec<String>,
    file: Option<PathBuf>,
    secrets: Vec<Secret>,
}

impl History {
    /// The history in this file; empty if there is none yet. Blocks for as long as reading takes.
    #[must_use]
    pub fn open(file: PathBuf, secrets: Vec<Secret>) -> Self {
        let entries = read(&file);
        Self { entries, file: Some(file), secrets }
    }

    /// How many entries there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.entries.len()
    }

    /// The entry at this place, counted from the oldest.
    #[must_use]
    pub fn get(&self, at: usize) -> Option<&str> {
        self.entries.get(at).map(String::as_str)
    }

    /// The newest entry before `before` that contains these words.
    #[must_use]
    pub fn find(&self, words: &str, before: usize) -> Option<usize> {
        let words = words.to_lowercase();
        let end = before.min(self.entries.len());
        self.entries[..end].iter().rposition(|entry| entry.to_lowercase().contains(&words))
    }

    /// Keeps an entry as the newest one; gives what remains to be written, so that it can be written
    /// where blocking is allowed.
    pub fn add(&mut self, text: &str) -> Option<Unwritten> {
        let text = redact(text.trim(), &self.secrets).into_owned();
        if text.is_empty() || text.len() > LONGEST {
            return None;
        }
        push(&mut self.entries, text.clone());
        self.file.clone().map(|file| Unwritten { file, text })
    }
}

/// An entry that is not in the file yet.
#[derive(Debug)]
pub struct Unwritten {
    file: PathBuf,
    text: String,
}

impl Unwritten {
    /// Writes the entry behind what other chats have written meanwhile. Blocks.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(self) -> std::io::Result<()> {
        let mut entries = read(&self.file);
        push(&mut entries, self.text);
        let body: String = entries.iter().map(|entry| escaped(entry) + "\n").collect();
        let fresh = self.file.with_extension(format!("new-{}", std::process::id()));
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        std::io::Write::write_all(&mut options.open(&fresh)?, body.as_bytes())?;
        std::fs::rename(fresh, self.file)
    }
}

fn push(entries: &mut Vec<String>, text: String) {
    entries.retain(|entry| *entry != text);
    entries.push(text);
    let over = entries.len().saturating_sub(MOST);
    entries.drain(..over);
}

fn read(file: &std::path::Path) -> Vec<String> {
    let bytes = std::fs::read(file).unwrap_or_default();
    // Earlier versions wrote a first line of their own.
    let text = String::from_utf8_lossy(&bytes);
    text.lines().filter(|line| !line.is_empty() && *line != "#V2").map(unescaped).collect()
}

fn escaped(entry: &str) -> String {
    entry.replace('\\', "\\\\").replace('\n', "\\n")
}

fn unescaped(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match (letter, letter == '\\') {
            (_, true) => match letters.next() {
                Some('n') => out.push('\n'),
                Some(other) => out.push(other),
                None => out.push('\\'),
            },
            (letter, false) => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_survive_without_their_secrets_and_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("history");
        let mut first = History::open(file.clone(), vec![Secret::new("hunter2-hunter2")]);
        for text in [
            "one",
            "two\nlines \\n",
            "one",
            "  ",
            "key hunter2-hunter2 and hf_abcdefghijklmnopqrstuvwxyz012345",
        ] {
            if let Some(unwritten) = first.add(text) {
                unwritten.write().unwrap();
            }
        }
        let again = History::open(file.clone(), Vec::new());
        assert_eq!(again.count(), 3);
        assert_eq!((again.get(0), again.get(1)), (Some("two\nlines \\n"), Some("one")));
        let kept = std::fs::read_to_string(&file).unwrap();
        assert!(!kept.contains("hunter2") && !kept.contains("hf_abc"), "{kept}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn two_chats_keep_each_others_entries() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("history");
        let (mut one, mut two) = (History::open(file.clone(), vec![]), History::open(file.clone(), vec![]));
        one.add("from one").unwrap().write().unwrap();
        two.add("from two").unwrap().write().unwrap();
        assert_eq!(History::open(file, vec![]).count(), 2);
    }

    #[test]
    fn searching_goes_back_from_where_it_was() {
        let mut history = History::default();
        for text in ["Train a", "eval", "train b"] {
            history.add(text);
        }
        assert_eq!(history.find("train", 3), Some(2));
        assert_eq!(history.find("train", 2), Some(0));
        assert_eq!(history.find("train", 0), None);
    }
}
