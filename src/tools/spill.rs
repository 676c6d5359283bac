//! Output of any length in bounded memory: its beginning and end are kept, all of it goes to a file.
//!
//! The file is in the workspace's `.ml-intern/output`, where `read` can page through it. Secrets,
//! configured ones and what looks like one, are taken out on the way, also where they are cut by the pieces
//! that output comes in.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use tokio::fs;
use tokio::io::AsyncWriteExt;

use super::workspace::INTERNAL;
use crate::secret::Secret;
use crate::text::Flow;

/// A spill file grows to this many bytes at most.
const LARGEST_FILE: u64 = 64 * 1024 * 1024;
/// Characters of a line of progress.
const PROGRESS_LINE: usize = 200;

/// Collects output.
pub(super) struct Capture {
    head_room: usize,
    tail_room: usize,
    head: String,
    head_length: usize,
    tail: VecDeque<char>,
    total: u64,
    /// Bytes that are not a whole character yet.
    bytes: Vec<u8>,
    /// Takes secrets out.
    flow: Flow,
    spill: Spill,
    place: PathBuf,
    name: String,
}

enum Spill {
    None,
    Open { file: fs::File, written: u64 },
    Full(fs::File),
    Failed(String),
}

/// What was collected.
pub(super) struct Captured {
    /// For the model, with a note if something was left out.
    pub text: String,
}

impl Capture {
    /// Keeps `cap` characters for the model: a quarter from the beginning, the rest from the end.
    /// What does not fit goes to a file named after `name` under `workspace`.
    pub(super) fn new(cap: usize, workspace: &Path, name: &str, secrets: &[Secret]) -> Self {
        let name: String = name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' })
            .take(80)
            .collect();
        Self {
            head_room: cap / 4,
            tail_room: (cap - cap / 4).max(1),
            head: String::new(),
            head_length: 0,
            tail: VecDeque::new(),
            total: 0,
            bytes: Vec::new(),
            flow: Flow::new(secrets.into()),
            spill: Spill::None,
            place: workspace.join(INTERNAL).join("output"),
            name: format!("{name}.txt"),
        }
    }

    /// Takes the next piece.
    pub(super) async fn push(&mut self, piece: &[u8]) {
        self.bytes.extend_from_slice(piece);
        let whole = whole_characters(&self.bytes);
        let text = self.flow.push(&String::from_utf8_lossy(&self.bytes[..whole]));
        self.bytes.drain(..whole);
        self.keep(&text).await;
    }

    /// The end: everything held back comes out.
    pub(super) async fn finish(mut self) -> Captured {
        let rest = std::mem::take(&mut self.bytes);
        let mut text = self.flow.push(&String::from_utf8_lossy(&rest));
        text.push_str(&self.flow.finish());
        self.keep(&text).await;
        let tail: String = self.tail.iter().collect();
        let kept = (self.head_length + self.tail.len()) as u64;
        if kept >= self.total {
            return Captured { text: format!("{}{tail}", self.head) };
        }
        let whole = match &mut self.spill {
            Spill::Open { file, .. } => {
                let _ = file.flush().await;
                format!("all of it is in {INTERNAL}/output/{}, which `read` can page through", self.name)
            }
            Spill::Full(file) => {
                let _ = file.flush().await;
                let megabytes = LARGEST_FILE / (1024 * 1024);
                format!("its first {megabytes} MB are in {INTERNAL}/output/{}, the rest is lost", self.name)
            }
            Spill::Failed(error) => format!("it could not be kept in a file: {error}"),
            Spill::None => "it was not kept".to_owned(),
        };
        let note = format!("[… {} of {} characters left out; {whole} …]", self.total - kept, self.total);
        Captured { text: format!("{}\n\n{note}\n\n{tail}", self.head) }
    }

    /// The last line so far that is not blank, for people who watch.
    pub(super) fn last_line(&self) -> Option<String> {
        let mut line: Vec<char> = Vec::new();
        let recent = self.tail.iter().rev().copied().chain(self.head.chars().rev()).take(4 * PROGRESS_LINE);
        for c in recent {
            match c {
                '\n' | '\r' if line.iter().any(|c| !c.is_whitespace()) => break,
                '\n' | '\r' => line.clear(),
                other => line.push(other),
            }
        }
        let line: String = line.into_iter().rev().filter(|c| !c.is_control()).take(PROGRESS_LINE).collect();
        let line = line.trim();
        (!line.is_empty()).then(|| line.to_owned())
    }

    async fn keep(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        let length = text.chars().count();
        let fits = self.total + length as u64 <= (self.head_room + self.tail_room) as u64;
        if !fits && matches!(self.spill, Spill::None) {
            self.open().await;
        }
        self.spill(text).await;
        self.total += length as u64;
        for c in text.chars() {
            if self.head_length < self.head_room {
                self.head.push(c);
                self.head_length += 1;
                continue;
            }
            if self.tail.len() == self.tail_room {
                self.tail.pop_front();
            }
            self.tail.push_back(c);
        }
    }

    /// Begins the file with what was kept so far, which is still everything.
    async fn open(&mut self) {
        let sofar: String = self.head.chars().chain(self.tail.iter().copied()).collect();
        self.spill = match create(&self.place, &self.name).await {
            Ok(file) => Spill::Open { file, written: 0 },
            Err(error) => Spill::Failed(error.to_string()),
        };
        self.spill(&sofar).await;
    }

    async fn spill(&mut self, text: &str) {
        let Spill::Open { file, written } = &mut self.spill else {
            return;
        };
        if let Err(error) = file.write_all(text.as_bytes()).await {
            self.spill = Spill::Failed(error.to_string());
            return;
        }
        *written += text.len() as u64;
        if *written >= LARGEST_FILE
            && let Spill::Open { file, .. } = std::mem::replace(&mut self.spill, Spill::None)
        {
            self.spill = Spill::Full(file);
        }
    }
}

/// Writes a small file of ours beside spilled output, in place of what was there.
///
/// # Errors
/// As the system says, or because something of a command's stands in the way.
pub(super) async fn keep(workspace: &Path, name: &str, content: &[u8]) -> std::io::Result<()> {
    let place = fs::canonicalize(workspace).await?.join(INTERNAL).join("output");
    let mut file = create(&place, name).await?;
    file.write_all(content).await?;
    file.flush().await
}

async fn create(place: &Path, name: &str) -> std::io::Result<fs::File> {
    let not_plain = || std::io::Error::other(format!("{INTERNAL} is not a plain folder"));
    // A command may have put a link there; what it leads to is none of ours.
    let own = place.parent().ok_or_else(not_plain)?;
    if fs::symlink_metadata(own).await.is_ok_and(|about| !about.is_dir()) {
        return Err(not_plain());
    }
    fs::create_dir_all(place).await?;
    if fs::canonicalize(place).await? != *place {
        return Err(not_plain());
    }
    // The folder may be in somebody's repository.
    let ignore = fs::OpenOptions::new().write(true).create_new(true).open(own.join(".gitignore")).await;
    if let Ok(mut ignore) = ignore {
        ignore.write_all(b"*\n").await?;
        ignore.flush().await?;
    }
    let path = place.join(name);
    match fs::remove_file(&path).await {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).await
}

/// How many of these bytes are whole characters (or can never become one).
fn whole_characters(bytes: &[u8]) -> usize {
    for back in 1..=bytes.len().min(3) {
        let start = bytes.len() - back;
        let wanted = match bytes[start] {
            0xC2..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xF4 => 4,
            0x80..=0xBF => continue,
            _ => return bytes.len(),
        };
        return if back < wanted { start } else { bytes.len() };
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::workspace::fixture::Room;

    async fn capture(room: &Room, cap: usize, secrets: &[Secret], pieces: &[&[u8]]) -> String {
        let mut capture = Capture::new(cap, room.root(), "call/1", secrets);
        for piece in pieces {
            capture.push(piece).await;
        }
        capture.finish().await.text
    }

    fn spilled(room: &Room) -> Option<String> {
        std::fs::read_to_string(room.path(".ml-intern/output/call_1.txt")).ok()
    }

    #[tokio::test]
    async fn what_fits_is_kept_whole_and_nothing_is_written() {
        let room = Room::new();
        assert_eq!(capture(&room, 8, &[], &[b"abcd", b"efgh"]).await, "abcdefgh");
        assert_eq!(spilled(&room), None);
    }

    #[tokio::test]
    async fn what_does_not_fit_is_in_the_file_whole() {
        let room = Room::new();
        let text = capture(&room, 8, &[], &[b"abcdef", b"ghijk", b"lmnop"]).await;
        assert_eq!(
            text,
            "ab\n\n[… 8 of 16 characters left out; all of it is in .ml-intern/output/call_1.txt, which `read` can \
             page through …]\n\nklmnop"
        );
        assert_eq!(spilled(&room).unwrap(), "abcdefghijklmnop");
        assert_eq!(std::fs::read_to_string(room.path(".ml-intern/.gitignore")).unwrap(), "*\n");
    }

    #[tokio::test]
    async fn secrets_and_characters_survive_any_cut() {
        let room = Room::new();
        let secrets = [Secret::new("s3cret-token"), Secret::new("tiny")];
        let text = "é s3cret-token ü s3cret-toke tiny s3cret-token";
        for size in 1..text.len() {
            let pieces: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
            let shown = capture(&room, 1_000, &secrets, &pieces).await;
            assert_eq!(shown, "é [REDACTED] ü s3cret-toke tiny [REDACTED]", "{size}");
        }
        assert_eq!(capture(&room, 100, &[], &[&[0xff, b'a', 0xe2, 0x82]]).await, "\u{fffd}a\u{fffd}");
    }

    #[tokio::test]
    async fn a_link_in_the_place_of_the_folder_is_not_followed() {
        let (room, elsewhere) = (Room::new(), Room::new());
        std::os::unix::fs::symlink(elsewhere.root(), room.path(".ml-intern")).unwrap();
        let text = capture(&room, 4, &[], &[b"abcdefgh"]).await;
        assert!(text.contains("could not be kept"), "{text}");
        assert_eq!(std::fs::read_dir(elsewhere.root()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn progress_is_the_last_line_that_says_something() {
        let room = Room::new();
        let mut capture = Capture::new(100, room.root(), "c", &[]);
        assert_eq!(capture.last_line(), None);
        capture.push(b"one\n 10%\r 20%\n\n").await;
        assert_eq!(capture.last_line().as_deref(), Some("20%"));
    }
}
