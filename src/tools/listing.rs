//! What stands in a folder: for people who ask for a folder, and for paths that are nearly right.

use std::path::Path;

use crate::text::count;
use crate::text::nearest;

/// Entries looked at, and entries shown.
const LOOKED_AT: usize = 5_000;
const SHOWN: usize = 200;

/// The entries of a folder, folders first, each on a line.
pub(super) fn list(folder: &Path, name: &str) -> std::io::Result<String> {
    let mut entries: Vec<(bool, String)> = std::fs::read_dir(folder)?
        .take(LOOKED_AT)
        .filter_map(Result::ok)
        .map(|entry| {
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            (!is_folder, entry.file_name().to_string_lossy().into_owned())
        })
        .collect();
    entries.sort();
    let total = entries.len();
    let mut out = format!(
        "`{name}` is a folder with {}:\n",
        if total == 1 { "1 entry".to_owned() } else { format!("{total} entries") }
    );
    for (is_file, entry) in entries.iter().take(SHOWN) {
        out.push_str(&format!("{}{}\n", entry.escape_debug(), if *is_file { "" } else { "/" }));
    }
    if total > SHOWN {
        out.push_str(&format!(
            "… and {}; list a folder within, or use `ls` with a pattern\n",
            count(total - SHOWN, "more name")
        ));
    }
    Ok(out.trim_end().to_owned())
}

/// `No file …`, and what else is there with a name like it.
pub(super) fn missing(path: &Path, name: &str) -> String {
    let wanted = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let Some(folder) = path.parent().filter(|folder| folder.is_dir()) else {
        return format!("There is no file `{name}`, nor the folder that it would be in.");
    };
    let names: Vec<String> = std::fs::read_dir(folder)
        .map(|entries| {
            let entries = entries.take(LOOKED_AT).filter_map(Result::ok);
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
        })
        .unwrap_or_default();
    let near = nearest(&wanted, names.iter().map(String::as_str));
    if near.is_empty() {
        return format!("There is no file `{name}`.");
    }
    format!("There is no file `{name}`. In that folder there is: {}.", near.join(", "))
}
