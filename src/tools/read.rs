//! `read`: a page of a text file with line numbers, or the names in a folder.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::computer::{At, Content, Found, Lines, Range, Wanted};
use super::files::Files;
use super::listing;
use super::workspace::Wish;
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
            description: format!(
                "Read a text file {}, with line numbers (the number and the tab after it are not part of the file). \
                 Long files come in pages: go on with `offset`. Lines over {LINE} characters are cut. Read a file \
                 before you write or edit it. A folder gives the names in it.",
                self.files.computer.words().place
            ),
            parameters: parameters::<Arguments>(),
        }
    }

    fn assess(&self, value: &Value, place: &Place) -> Result<Assessment, BadArguments> {
        let read = Arguments::checked(value)?;
        let aim = self.files.computer.aim(place, &read.path, Wish::Look)?;
        let preview = if aim.risk == Risk::Free { String::new() } else { aim.path.display().to_string() };
        Ok(Assessment {
            risk: aim.risk,
            preview,
            editable: Some("path".to_owned()),
            ..Assessment::reads(format!("Read {}", aim.name))
        })
    }

    async fn call(&self, value: Value, context: CallContext) -> Result<ToolOutcome, ToolError> {
        let read = Arguments::checked(&value)?;
        let computer = &self.files.computer;
        let at = match computer.reach(&context, &read.path, Wish::Look).await {
            Ok(at) => at,
            Err(trouble) => return Ok(ToolOutcome::failed(trouble.text(&read.path, "cannot be read")?)),
        };
        let range = Range {
            offset: read.offset.unwrap_or(1),
            limit: read.limit.unwrap_or(LINES),
            characters: self.files.config.output_cap_chars.saturating_mul(PAGE_CAPS),
            width: LINE,
        };
        Ok(match computer.look(&context, &at, Wanted::Lines(range)).await {
            Ok(found) => self.told(&context, &at, range, found),
            Err(trouble) => ToolOutcome::failed(trouble.text(&at.name, "cannot be read")?),
        })
    }
}

impl Read {
    fn told(&self, context: &CallContext, at: &At, range: Range, found: Found) -> ToolOutcome {
        let name = &at.name;
        match found {
            Found::Missing { beside } => {
                ToolOutcome::failed(listing::missing(&at.path, name, beside.as_deref()))
            }
            Found::Folder(entries) => ToolOutcome::done(listing::list(entries, name)),
            Found::Other => ToolOutcome::failed(format!("`{name}` cannot be read: it is not a regular file")),
            Found::File { key, stamp, content: Content::Lines(lines), .. } => {
                self.files.marks.note(&context.place.session, &key, &stamp);
                let page = page(&lines, range);
                let text = if page.is_empty() { "(the file is empty)" } else { &page };
                let secrets = [self.files.secrets.as_slice(), &at.secrets].concat();
                ToolOutcome::done(redact_known(text, &secrets).into_owned())
            }
            Found::File { bytes, .. } => ToolOutcome::failed(format!(
                "`{name}` is not text ({}, {bytes} bytes). Use bash with a program that understands it.",
                kind(&at.path)
            )),
        }
    }
}

fn kind(path: &Path) -> String {
    path.extension()
        .map_or_else(|| "binary".to_owned(), |end| format!("a binary .{} file", end.to_string_lossy()))
}

/// One page as `cat -n` shows it, within the cap.
fn page(found: &Lines, range: Range) -> String {
    let (mut out, mut room) = (String::new(), range.characters);
    for (number, line) in (range.offset..).zip(&found.lines) {
        let cut = match line.missing {
            0 => String::new(),
            missing => format!("… [{missing} more characters in this line]"),
        };
        let text = format!("{number:>6}\t{}{cut}\n", line.text);
        let size = text.chars().count();
        if number >= range.offset.saturating_add(range.limit) || (size > room && !out.is_empty()) {
            return out + &format!("[more lines follow: go on with offset={number}]");
        }
        room = room.saturating_sub(size);
        out.push_str(&text);
    }
    if out.is_empty() && found.passed > 0 {
        return format!(
            "[the file has only {} lines; offset={} is past its end]",
            found.passed, range.offset
        );
    }
    out.truncate(out.trim_end_matches('\n').len());
    out
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
