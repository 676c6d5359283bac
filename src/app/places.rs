//! Where sessions act: a folder of their own, or the terminal's current directory.

use std::path::{Path, PathBuf};

use anyhow::Context;
use sha2::{Digest, Sha256};

use crate::agent::tool::{Ownership, Place};
use crate::protocol::{SessionHead, SessionKey};
use crate::runtime::Places;

/// A folder per session under one root; readable by its owner only.
#[derive(Debug, Clone)]
pub struct SessionFolders(pub PathBuf);

impl SessionFolders {
    /// The folders of a bot that keeps its data here.
    #[must_use]
    pub fn of(data_dir: &Path) -> Self {
        Self(data_dir.join("workspaces"))
    }

    /// Where this session's folder is, made or not.
    #[must_use]
    pub fn folder(&self, key: &SessionKey) -> PathBuf {
        // A key may hold anything; its hash is a safe name and always the same.
        self.0.join(hex::encode(&Sha256::digest(key.as_str())[..12]))
    }

    /// Removes a session's folder with all that is in it, spill files too. Links are removed, never
    /// followed. None there is no error. Blocks.
    ///
    /// # Errors
    /// Names the folder and why it could not be removed; some of it may be gone.
    pub fn remove(&self, key: &SessionKey) -> anyhow::Result<()> {
        let folder = self.folder(key);
        match std::fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot remove the folder {}", folder.display()))
            }
            _ => Ok(()),
        }
    }
}

impl Places for SessionFolders {
    fn place(&self, head: &SessionHead) -> anyhow::Result<Place> {
        let workspace = self.folder(&head.key);
        make_private(&workspace)
            .with_context(|| format!("cannot make the folder {}", workspace.display()))?;
        Ok(place(head, workspace, Ownership::Session))
    }
}

/// The person's own folder.
#[derive(Debug, Clone)]
pub struct WorkingDirectory(pub PathBuf);

impl Places for WorkingDirectory {
    fn place(&self, head: &SessionHead) -> anyhow::Result<Place> {
        Ok(place(head, self.0.clone(), Ownership::Person))
    }
}

fn place(head: &SessionHead, workspace: PathBuf, ownership: Ownership) -> Place {
    Place { session: head.key.clone(), door: head.origin.door, workspace, ownership }
}

fn make_private(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}
