//! Listing: the files of a repository with their sizes, page by page.

use std::fmt::Write as _;

use super::Checked;
use crate::clients::hub::{Depth, Entry, EntryKind, Hub, HubError, Missing};
use crate::protocol::ToolOutcome;
use crate::text::count;
use crate::tools::hub::repo_words::{bytes, told};

/// Entries that are asked of the Hub.
const MOST: usize = 20_000;
/// Entries of one page.
const PAGE: usize = 500;

pub(super) async fn list(
    hub: &Hub,
    at: &Checked,
    (under, offset): (Option<&str>, usize),
    cap: usize,
) -> ToolOutcome {
    let repo = &at.repo;
    let listed = match hub.tree((repo, &at.revision), under, Depth::All, MOST).await {
        Ok(listed) => listed,
        Err(error) => return refused(hub, at, under, &error).await,
    };
    let mut files: Vec<&Entry> = listed.items.iter().filter(|entry| entry.kind == EntryKind::File).collect();
    files.sort_by(|one, two| one.path.cmp(&two.path));
    let total: u64 = files.iter().map(|file| file.size).sum();
    let more = if listed.more { " or more" } else { "" };
    let mut text = format!(
        "{repo} at {}{}: {}{more}, {} in all.\n{}/tree/{}\n",
        at.revision,
        under.map(|under| format!(", under {under}/")).unwrap_or_default(),
        count(files.len(), "file"),
        bytes(total),
        hub.page(repo),
        at.revision,
    );
    if offset >= files.len() && offset > 0 {
        let _ = write!(text, "\nNothing is left after {offset}.");
        return ToolOutcome::done(text);
    }
    let mut shown = 0;
    for file in files.iter().skip(offset).take(PAGE) {
        let lfs = if file.lfs.is_some() { ", LFS" } else { "" };
        let line = format!("\n{} ({}{lfs})", file.path.escape_debug(), bytes(file.size));
        if text.len() + line.len() + 200 > cap.max(1_000) {
            break;
        }
        text.push_str(&line);
        shown += 1;
    }
    let left = files.len() - offset - shown;
    if left > 0 {
        let next = offset + shown;
        let _ =
            write!(text, "\n\n[{left} more: call again with `offset` {next}, or name a folder in `path`]");
    }
    if listed.more {
        let _ = write!(text, "\n\n[the Hub has more than {MOST} entries here: name a folder in `path`]");
    }
    ToolOutcome::done(text)
}

/// A folder that is none may be a file.
async fn refused(hub: &Hub, at: &Checked, under: Option<&str>, error: &HubError) -> ToolOutcome {
    if let (HubError::NotFound { what: Missing::Entry | Missing::Other, .. }, Some(path)) = (error, under)
        && let Ok(found) = hub.paths(&at.repo, &at.revision, &[path]).await
        && let Some(entry) = found.iter().find(|entry| entry.kind == EntryKind::File)
    {
        return ToolOutcome::done(format!(
            "`{path}` is a file ({}), not a folder; operation read shows what is in it.",
            bytes(entry.size)
        ));
    }
    told(error, &at.repo)
}
