//! What stands in a folder: for people who ask for a folder, and for paths that are nearly right.

use std::path::Path;

use crate::text::count;
use crate::text::nearest;

/// Entries looked at, and entries shown.
const LOOKED_AT: usize = 5_000;
const SHOWN: usize = 200;

/// One entry of a folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    /// Folders come first.
    pub is_file: bool,
    /// Its name.
    pub name: String,
}

/// What is in a folder of this machine, up to a bound.
pub(super) fn entries(folder: &Path) -> std::io::Result<Vec<Entry>> {
    let entries = std::fs::read_dir(folder)?.take(LOOKED_AT).filter_map(Result::ok);
    Ok(entries
        .map(|entry| Entry {
            is_file: !entry.file_type().is_ok_and(|kind| kind.is_dir()),
            name: entry.file_name().to_string_lossy().into_owned(),
        })
        .collect())
}

/// The names in the folder that `path` would be in; `None` if there is no such folder.
pub(super) fn beside(path: &Path) -> Option<Vec<String>> {
    let folder = path.parent().filter(|folder| folder.is_dir())?;
    Some(entries(folder).unwrap_or_default().into_iter().map(|entry| entry.name).collect())
}

/// The entries of a folder, folders first, each on a line.
pub(super) fn list(mut entries: Vec<Entry>, name: &str) -> String {
    entries.sort();
    let total = entries.len();
    let mut out = format!(
        "`{name}` is a folder with {}:\n",
        if total == 1 { "1 entry".to_owned() } else { format!("{total} entries") }
    );
    for entry in entries.iter().take(SHOWN) {
        let end = if entry.is_file { "" } else { "/" };
        out.push_str(&format!("{}{end}\n", entry.name.escape_debug()));
    }
    if total > SHOWN {
        out.push_str(&format!(
            "… and {}; list a folder within, or use `ls` with a pattern\n",
            count(total - SHOWN, "more name")
        ));
    }
    out.trim_end().to_owned()
}

/// `No file …`, and what else is there with a name like it. `beside` are the names where it would be.
pub(super) fn missing(path: &Path, name: &str, beside: Option<&[String]>) -> String {
    let Some(beside) = beside else {
        return format!("There is no file `{name}`, nor the folder that it would be in.");
    };
    let wanted = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let near = nearest(&wanted, beside.iter().map(String::as_str));
    if near.is_empty() {
        return format!("There is no file `{name}`.");
    }
    format!("There is no file `{name}`. In that folder there is: {}.", near.join(", "))
}
