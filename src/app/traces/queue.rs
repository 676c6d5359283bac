//! What is still to be uploaded: one small file for each session, so that a restart forgets none.
//!
//! A session that is wanted again replaces what was wanted before. Start at [`Queue::want`].

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tokio::fs;
use tokio::io::AsyncWriteExt;
use tokio::sync::Mutex;

use crate::protocol::SessionKey;

/// The files. Processes that share them may upload a wish twice, which changes nothing.
pub(super) struct Queue {
    folder: PathBuf,
    /// Held while a file is written, or compared and taken away.
    writing: Mutex<()>,
}

/// That a session is to be uploaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Wanted {
    /// Which.
    pub(super) session: SessionKey,
    /// Tells this wish from a later one.
    pub(super) mark: String,
}

impl Queue {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder, writing: Mutex::default() }
    }

    /// Keeps a wish durably.
    pub(super) async fn want(&self, wanted: &Wanted) -> anyhow::Result<()> {
        let _alone = self.writing.lock().await;
        fs::create_dir_all(&self.folder).await?;
        let path = self.path(&wanted.session);
        let beside = path.with_extension("new");
        let mut file = fs::File::create(&beside).await?;
        file.write_all(&serde_json::to_vec(wanted)?).await?;
        file.sync_all().await?;
        fs::rename(&beside, &path).await?;
        Ok(())
    }

    /// All wishes.
    pub(super) async fn all(&self) -> Vec<Wanted> {
        let mut found = Vec::new();
        let Ok(mut entries) = fs::read_dir(&self.folder).await else { return found };
        while let Ok(Some(entry)) = entries.next_entry().await {
            let path = entry.path();
            if path.extension().is_some_and(|kind| kind == "json") {
                found.extend(read(&path).await);
            }
        }
        found
    }

    /// Takes a wish away that was fulfilled, unless there is a later one.
    pub(super) async fn done(&self, wanted: &Wanted) {
        let _alone = self.writing.lock().await;
        let path = self.path(&wanted.session);
        if read(&path).await.as_ref() == Some(wanted)
            && let Err(error) = fs::remove_file(&path).await
        {
            tracing::warn!(%error, "an upload that is done will be done again");
        }
    }

    fn path(&self, session: &SessionKey) -> PathBuf {
        use sha2::{Digest, Sha256};
        let name = hex::encode(&Sha256::digest(session.as_str())[..12]);
        self.folder.join(name).with_extension("json")
    }
}

async fn read(path: &Path) -> Option<Wanted> {
    serde_json::from_slice(&fs::read(path).await.ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_latest_wish_of_a_session_stands_until_it_is_fulfilled() {
        let folder = tempfile::tempdir().unwrap();
        let wish = |mark: &str| Wanted { session: "slack:T/C:1".into(), mark: mark.to_owned() };
        let queue = Queue::new(folder.path().join("traces"));
        assert!(queue.all().await.is_empty());
        queue.want(&wish("1")).await.unwrap();
        queue.want(&wish("2")).await.unwrap();
        queue.done(&wish("1")).await;
        let queue = Queue::new(folder.path().join("traces"));
        assert_eq!(queue.all().await, [wish("2")], "a restart forgets none");
        queue.done(&wish("2")).await;
        assert!(queue.all().await.is_empty());
    }
}
