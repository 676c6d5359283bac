//! `read`: a page of a text file with line numbers, or the names in a folder.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::files::{Files, blocking, open};
use super::listing;
use super::workspace::{Target, Wish, allow, resolve, risk, shown};
use crate::agent::tool::{
    Assessment, BadArguments, CallContext, Place, Risk, Tool, ToolError, arguments, parameters,
};
use crate::protocol::{ToolOutcome, ToolSpec};
use crate::text::redact_known;

/// Lines of a page when the model names no limit.
const LINES: u64 = 2_000;
/// Characters of one line.
const LINE: usize = 4_000;
/// A page holds this many times the cap of a command's output.
const PAGE_CAPS: usize = 2;

/// The `read` tool.
pub struct Read {
    files: Arc<Files>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Arguments {
    /// The file, relative to the workspace or absolute. A folder gives the names in it.
    path: String,
    /// The first line to show, counted from 1.
    #[serde(default)]
    #[schemars(range(min = 1))]
    offset: Option<u64>,
    /// How many lines to show at most; 2000 if left out.
    #[serde(default)]
    #[schemars(range(min = 1))]
    limit: Option<u64>,
}

impl Arguments {
    fn checked(value: &Value) -> Result<Self, BadArguments> {
        let read: Self = arguments(value)?;
        for (name, number) in [("offset", read.offset), ("limit", read.limit)] {
            if number == Some(0) {
                return Err(BadArguments(format!("`{name}` must be 1 or more")));
            }
        }
        Ok(read)
    }
}

impl Read {
    /// Shares marks with the tools that write.
    #[must_use]
    pub fn new(files: Arc<Files>) -> Self {
        Self { files }
    }
}

#[async_trait]
impl Tool for Read {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "read".to_owned(),
            description: "Read a text file of the workspace, with line numbers (the number and the tab after it \
                          are not part of the file). Long files come in pages: go on with `offset`. Lines over \
                          4000 characters are cut. Read a file before you write or edit it. A folder gives the \
                          names in it."
                .to_owned(),
            parameters: parameters::<Arguments>(),
        }
    }

    fn assess(&self, value: &Value, place: &Place) -> Result<Assessment, BadArguments> {
        let read = Arguments::checked(value)?;
        let target = resolve(&place.workspace, &read.path)?;
        let name = shown(&place.workspace, &target.path);
        let risk = risk(place, &target, Wish::Look, self.files.outside);
        let preview = if risk == Risk::Free { String::new() } else { target.path.display().to_string() };
        Ok(Assessment {
            risk,
            preview,
            editable: Some("path".to_owned()),
            ..Assessment::reads(format!("Read {name}"))
        })
    }

    async fn call(&self, value: Value, context: CallContext) -> Result<ToolOutcome, ToolError> {
        let read = Arguments::checked(&value)?;
        let files = Arc::clone(&self.files);
        blocking(move || {
            let target = resolve(context.workspace(), &read.path)?;
            allow(&context.place, &target, Wish::Look, files.outside)?;
            look(&files, &context, &target, &read)
        })
        .await?
    }
}

fn look(
    files: &Files,
    context: &CallContext,
    target: &Target,
    read: &Arguments,
) -> Result<ToolOutcome, ToolError> {
    let path = &target.path;
    let name = shown(context.workspace(), path);
    if path.is_dir() {
        return Ok(match listing::list(path, &name) {
            Ok(list) => ToolOutcome::done(list),
            Err(error) => ToolOutcome::failed(format!("`{name}` cannot be listed: {error}")),
        });
    }
    let page = open(path).and_then(|(file, about)| {
        let cap = files.config.output_cap_chars.saturating_mul(PAGE_CAPS);
        let file = BufReader::new(Stoppable { file, cancel: &context.cancel });
        let page = page(file, read.offset.unwrap_or(1), read.limit.unwrap_or(LINES), cap)?;
        Ok((page, about))
    });
    if context.cancel.is_cancelled() {
        return Err(ToolError::Cancelled);
    }
    Ok(match page {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            ToolOutcome::failed(listing::missing(path, &name))
        }
        Err(error) => ToolOutcome::failed(format!("`{name}` cannot be read: {error}")),
        Ok((None, about)) => ToolOutcome::failed(format!(
            "`{name}` is not text ({}, {} bytes). Use bash with a program that understands it.",
            kind(path),
            about.len()
        )),
        Ok((Some(page), about)) => {
            files.marks.note(&context.place.session, path, &about);
            let text =
                if page.is_empty() && about.len() == 0 { "(the file is empty)".to_owned() } else { page };
            ToolOutcome::done(redact_known(&text, &files.secrets).into_owned())
        }
    })
}

/// A file whose reading ends when the turn is stopped, however far the page is into it.
struct Stoppable<'a> {
    file: File,
    cancel: &'a CancellationToken,
}

impl io::Read for Stoppable<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.cancel.is_cancelled() {
            return Err(io::Error::other("stopped"));
        }
        self.file.read(buffer)
    }
}

fn kind(path: &Path) -> String {
    path.extension()
        .map_or_else(|| "binary".to_owned(), |end| format!("a binary .{} file", end.to_string_lossy()))
}

/// One page as `cat -n` shows it; `None` if this is no text. Memory stays bounded whatever the
/// length of lines and file.
fn page(mut file: impl BufRead, offset: u64, limit: u64, cap: usize) -> io::Result<Option<String>> {
    if file.fill_buf()?.iter().take(8_192).any(|b| *b == 0) {
        return Ok(None);
    }
    let mut out = String::new();
    let (mut number, mut room) = (0_u64, cap);
    loop {
        let wanted = number + 1 >= offset;
        let Some(line) = next_line(&mut file, if wanted { LINE } else { 0 })? else {
            break;
        };
        number += 1;
        if !wanted {
            continue;
        }
        let text = String::from_utf8_lossy(&line.kept);
        let kept: String = text.chars().take(LINE).collect();
        let missing = line.characters.saturating_sub(kept.chars().count() as u64);
        let cut =
            if missing > 0 { format!("… [{missing} more characters in this line]") } else { String::new() };
        let line = format!("{number:>6}\t{kept}{cut}\n");
        let size = line.chars().count();
        if number >= offset.saturating_add(limit) || (size > room && !out.is_empty()) {
            out.push_str(&format!("[more lines follow: go on with offset={number}]"));
            return Ok(Some(out));
        }
        room = room.saturating_sub(size);
        out.push_str(&line);
    }
    if out.is_empty() && number > 0 {
        return Ok(Some(format!("[the file has only {number} lines; offset={offset} is past its end]")));
    }
    out.truncate(out.trim_end_matches('\n').len());
    Ok(Some(out))
}

struct Line {
    /// The first bytes of it.
    kept: Vec<u8>,
    /// How many characters it has in all.
    characters: u64,
}

/// The next line without its end, keeping only as many bytes as `keep` characters can have.
fn next_line(file: &mut impl BufRead, keep: usize) -> io::Result<Option<Line>> {
    let mut line = Line { kept: Vec::new(), characters: 0 };
    let mut any = false;
    loop {
        let buffer = file.fill_buf()?;
        if buffer.is_empty() {
            return Ok(any.then_some(line));
        }
        any = true;
        let end = buffer.iter().position(|b| *b == b'\n');
        let piece = &buffer[..end.unwrap_or(buffer.len())];
        let room = (keep * 4).saturating_sub(line.kept.len());
        line.kept.extend_from_slice(&piece[..piece.len().min(room)]);
        line.characters += piece.iter().filter(|b| (**b & 0xC0) != 0x80).count() as u64;
        let used = piece.len() + usize::from(end.is_some());
        file.consume(used);
        if end.is_some() {
            return Ok(Some(line));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::*;
    use crate::config::ToolsConfig;
    use crate::secret::Secret;
    use crate::tools::workspace::fixture::Room;

    fn tool() -> Read {
        Read::new(Arc::new(Files::new(ToolsConfig::default(), vec![Secret::new("xoxb-hidden-value")])))
    }

    async fn read(room: &Room, arguments: Value) -> ToolOutcome {
        tool().call(arguments, room.context()).await.unwrap()
    }

    #[tokio::test]
    async fn a_file_comes_with_line_numbers_and_in_pages() {
        let room = Room::new();
        fs::write(room.path("a.txt"), "one\ntwo\n\nfour").unwrap();
        assert_eq!(
            read(&room, json!({"path": "a.txt"})).await.output,
            "     1\tone\n     2\ttwo\n     3\t\n     4\tfour"
        );
        let page = read(&room, json!({"path": "a.txt", "offset": 2, "limit": 1})).await;
        assert_eq!(page.output, "     2\ttwo\n[more lines follow: go on with offset=3]");
        let past = read(&room, json!({"path": "a.txt", "offset": 9})).await;
        assert_eq!(past.output, "[the file has only 4 lines; offset=9 is past its end]");
        fs::write(room.path("empty"), "").unwrap();
        assert_eq!(read(&room, json!({"path": "empty"})).await.output, "(the file is empty)");
    }

    #[tokio::test]
    async fn long_lines_and_long_files_are_cut_and_say_so() {
        let room = Room::new();
        fs::write(room.path("wide"), format!("{}\nnext\n", "é".repeat(5_000))).unwrap();
        let wide = read(&room, json!({"path": "wide"})).await.output;
        assert!(wide.contains("é… [1000 more characters in this line]\n     2\tnext"), "{wide}");
        fs::write(room.path("long"), "0123456789\n".repeat(10_000)).unwrap();
        let long = read(&room, json!({"path": "long", "limit": 10_000})).await.output;
        assert!(long.chars().count() < 51_000 && long.contains("go on with offset="), "{}", long.len());
        let default = read(&room, json!({"path": "long"})).await.output;
        assert!(default.ends_with("offset=2001]"), "{}", &default[default.len() - 60..]);
    }

    #[tokio::test]
    async fn a_stop_ends_reading() {
        let room = Room::new();
        fs::write(room.path("a.txt"), "one").unwrap();
        room.cancel.cancel();
        let stopped = tool().call(json!({"path": "a.txt"}), room.context()).await;
        assert!(matches!(stopped, Err(ToolError::Cancelled)));
    }

    #[tokio::test]
    async fn what_cannot_be_read_says_why() {
        let room = Room::new();
        fs::write(room.path("train.py"), "x").unwrap();
        fs::write(room.path("model.bin"), [0_u8, 1, 2]).unwrap();
        fs::create_dir(room.path("data")).unwrap();
        let missing = read(&room, json!({"path": "trian.py"})).await;
        assert!(!missing.success && missing.output.contains("there is: train.py"), "{}", missing.output);
        let binary = read(&room, json!({"path": "model.bin"})).await;
        assert!(!binary.success && binary.output.contains("is not text (a binary .bin file, 3 bytes)"));
        let folder = read(&room, json!({"path": "."})).await;
        assert_eq!(folder.output, "`.` is a folder with 3 entries:\ndata/\nmodel.bin\ntrain.py");
        let pipe = room.path("pipe");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert!(read(&room, json!({"path": "pipe"})).await.output.contains("not a regular file"));
    }

    #[tokio::test]
    async fn reading_stays_in_the_workspace_and_hides_configured_secrets() {
        let room = Room::new();
        fs::write(room.path("env"), "T=xoxb-hidden-value\n").unwrap();
        assert_eq!(read(&room, json!({"path": "env"})).await.output, "     1\tT=[REDACTED]");
        for path in ["/etc/passwd", "../x", "/proc/self/environ"] {
            let assessed = tool().assess(&json!({"path": path}), &room.place()).unwrap();
            assert!(matches!(assessed.risk, Risk::Never { .. }), "{path}");
            let error = tool().call(json!({"path": path}), room.context()).await.unwrap_err();
            assert!(matches!(error, ToolError::Arguments(_)), "{error}");
        }
        assert!(tool().assess(&json!({"path": "a", "offset": 0}), &room.place()).is_err());
        assert!(tool().assess(&json!({"path": "a", "lines": 1}), &room.place()).is_err());
    }
}
