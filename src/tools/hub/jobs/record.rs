//! The script that last began a job in this session, kept so that people can be shown what changed since.
//!
//! It is a file of the workspace's own folder: it goes when the session goes.

use std::io::Read as _;
use std::path::Path;

use super::plan::LARGEST;
use crate::tools::files;
use crate::tools::spill;
use crate::tools::workspace::INTERNAL;

/// Its name.
const NAME: &str = "last-job.py";

/// The last script, if one was kept.
pub(super) async fn last(workspace: &Path) -> Option<String> {
    let path = workspace.canonicalize().ok()?.join(INTERNAL).join("output").join(NAME);
    let read = move || {
        let (file, _) = files::open(&path).ok()?;
        let mut text = String::new();
        file.take(LARGEST as u64 + 1).read_to_string(&mut text).ok()?;
        Some(text)
    };
    files::blocking(read).await.ok()?
}

/// Keeps a script. Without it people are shown no difference; that is all.
pub(super) async fn keep(workspace: &Path, text: &str) {
    if let Err(error) = spill::keep(workspace, NAME, text.as_bytes()).await {
        tracing::debug!(%error, "the last script could not be kept");
    }
}
