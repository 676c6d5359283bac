//! What read, write and edit share: limits, marks, opening and replacing files safely.
//!
//! Functions here block; tools call them through [`blocking`].

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use nix::fcntl::OFlag;

use super::computer::{Computer, Local};
use super::marks::{Known, Marks, Stamp};
use crate::agent::tool::ToolError;
use crate::config::ToolsConfig;
use crate::protocol::SessionKey;
use crate::secret::Secret;

/// A larger file is not edited in one piece.
pub(super) const LARGEST_EDIT: u64 = 10 * 1024 * 1024;

/// What the file tools share.
pub struct Files {
    pub(super) config: ToolsConfig,
    pub(super) secrets: Vec<Secret>,
    pub(super) marks: Marks,
    pub(super) computer: Arc<dyn Computer>,
}

impl Files {
    /// Limits and permissions, and secrets that reading must not show; on this machine.
    #[must_use]
    pub fn new(config: ToolsConfig, secrets: Vec<Secret>) -> Self {
        let computer = Arc::new(Local::new(config.clone(), &BTreeMap::new(), secrets.clone()));
        Self::on(computer, config, secrets)
    }

    /// The same, on that computer.
    pub(super) fn on(computer: Arc<dyn Computer>, config: ToolsConfig, secrets: Vec<Secret>) -> Self {
        Self { config, secrets, marks: Marks::default(), computer }
    }

    /// Why the session may not change this existing file yet, if it may not.
    pub(super) fn unseen(&self, session: &SessionKey, path: &Path, stamp: &Stamp) -> Option<&'static str> {
        match self.marks.known(session, path, stamp) {
            Known::AsItIs => None,
            Known::Changed => {
                Some("the file has changed since you read it; read it again before you change it")
            }
            Known::Unread => Some(
                "you have not read this file in this session (or the program was restarted since); read it first",
            ),
        }
    }
}

/// Runs file work off the async threads.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ToolError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| ToolError::Broken(error.into()))
}

/// Opens a regular file for reading. `path` was resolved; a link that has come to stand there
/// since is not followed, and a pipe or device does not block.
///
/// # Errors
/// As the system says; `InvalidInput` if it is no regular file or has moved.
pub(super) fn open(path: &Path) -> io::Result<(File, Metadata)> {
    let flags = (OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let about = file.metadata()?;
    if !about.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    still_there(&file, path)?;
    Ok((file, about))
}

/// Where the system can tell, makes sure that no folder on the way was swapped for a link.
fn still_there(file: &File, path: &Path) -> io::Result<()> {
    use std::os::fd::AsRawFd;
    match fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())) {
        Ok(real) if real != path => {
            Err(io::Error::new(io::ErrorKind::InvalidInput, "it moved while it was opened"))
        }
        _ => Ok(()),
    }
}

/// Replaces (or makes) the file at `path` in one step: a crash leaves the old or the new content,
/// never half of it. Makes missing folders; keeps the permissions of the file that was there.
///
/// # Errors
/// As the system says; the old file is untouched then.
pub(super) fn replace(path: &Path, content: &[u8]) -> io::Result<Metadata> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let no_folder = || io::Error::new(io::ErrorKind::InvalidInput, "it has no folder");
    let folder = path.parent().ok_or_else(no_folder)?;
    fs::create_dir_all(folder)?;
    moved(folder)?;
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let draft = folder.join(format!(".ml-intern-{}-{number}.tmp", std::process::id()));
    let result = write_draft(&draft, path, content).and_then(|()| {
        moved(folder)?;
        fs::rename(&draft, path)
    });
    if let Err(error) = result {
        let _ = fs::remove_file(&draft);
        return Err(error);
    }
    // The rename itself lasts once the folder is on disk.
    File::open(folder)?.sync_all()?;
    fs::symlink_metadata(path)
}

fn write_draft(draft: &Path, path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(draft)?;
    if let Ok(before) = fs::symlink_metadata(path) {
        if !before.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
        }
        file.set_permissions(fs::Permissions::from_mode(before.permissions().mode() & 0o777))?;
    }
    file.write_all(content)?;
    file.sync_all()
}

/// Refuses a folder that is no longer where it was when the path was resolved.
fn moved(folder: &Path) -> io::Result<()> {
    if folder.canonicalize()? == folder {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "its folder moved while it was written"))
}

/// The language of a file by its name, for highlighting.
pub(super) fn language(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, end)| end) {
        Some("py") => "python",
        Some("sh" | "bash") => "sh",
        Some("json" | "ipynb") => "json",
        Some("yaml" | "yml") => "yaml",
        Some("md") => "markdown",
        Some("rs") => "rust",
        Some("js" | "ts") => "javascript",
        Some("toml") => "toml",
        _ => "text",
    }
}
