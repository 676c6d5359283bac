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
        let mut removed = std::fs::remove_dir_all(&folder);
        if removed.as_ref().is_err_and(|error| error.kind() == std::io::ErrorKind::PermissionDenied) {
            // Commands may leave folders that nobody may write to; they are ours all the same.
            open_up(&folder);
            removed = std::fs::remove_dir_all(&folder);
        }
        match removed {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot remove the folder {}", folder.display()))
            }
            _ => Ok(()),
        }
    }
}

/// Makes every folder below writable for us. Links are never followed.
fn open_up(folder: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            if !std::fs::symlink_metadata(&folder).is_ok_and(|found| found.is_dir()) {
                continue;
            }
            std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700)).ok();
            let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
            folders.extend(
                entries.filter(|it| it.file_type().is_ok_and(|kind| kind.is_dir())).map(|it| it.path()),
            );
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
    Place {
        session: head.key.clone(),
        door: head.origin.door,
        channel: head.origin.channel.clone(),
        workspace,
        ownership,
    }
}

fn make_private(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_folder_that_nobody_may_write_to_is_opened_up_and_links_are_left_alone() {
        use std::os::unix::fs::PermissionsExt;
        let data = tempfile::tempdir().unwrap();
        let (inside, outside) = (data.path().join("a/b/c"), data.path().join("outside"));
        std::fs::create_dir_all(&inside).unwrap();
        std::fs::create_dir(&outside).unwrap();
        std::os::unix::fs::symlink(&outside, data.path().join("a/link")).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let lock =
            |path: &Path| std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o555)).unwrap();
        for path in [&inside, &data.path().join("a/b"), &outside] {
            lock(path);
        }
        open_up(&data.path().join("a"));
        assert_eq!((mode(&inside), mode(&data.path().join("a/b"))), (0o700, 0o700));
        assert_eq!(mode(&outside), 0o555, "what a link leads to is not ours");
    }
}
