//! Where sessions act: a folder of their own, or the terminal's current directory.

use std::path::{Path, PathBuf};

use anyhow::Context;
use sha2::{Digest, Sha256};

use crate::agent::tool::{Ownership, Place};
use crate::protocol::SessionHead;
use crate::runtime::Places;

/// A folder per session under one root; readable by its owner only.
#[derive(Debug, Clone)]
pub struct SessionFolders(pub PathBuf);

impl Places for SessionFolders {
    fn place(&self, head: &SessionHead) -> anyhow::Result<Place> {
        // A key may hold anything; its hash is a safe name and always the same.
        let name = hex::encode(&Sha256::digest(head.key.as_str())[..12]);
        let workspace = self.0.join(name);
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
