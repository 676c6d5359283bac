//! Answers of the Hub kept on disk by their ETag, so that they are asked for but not sent again.
//!
//! Owns the folder: one file per address and account, written whole or not at all, readable by us alone,
//! the oldest deleted when there is too much. A file that makes no sense counts as none. Never decides
//! that an answer is fresh: the Hub is always asked. Start at [`Cache::get`].

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use reqwest::StatusCode;
use reqwest::header::{ETAG, HeaderMap, HeaderValue, LINK};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::send::Whole;
use crate::secret::Secret;

/// Bytes of one answer that are worth keeping.
const ENTRY: usize = 4 * 1024 * 1024;
/// Bytes of the folder.
const FOLDER: u64 = 64 * 1024 * 1024;
/// Answers written between two looks at the folder's size.
const LOOKS: u64 = 64;

/// A folder of kept answers. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Cache {
    folder: PathBuf,
    written: Arc<AtomicU64>,
}

/// What is kept.
pub(super) struct Kept {
    pub(super) etag: String,
    pub(super) whole: Whole,
}

#[derive(Serialize, Deserialize)]
struct Head {
    etag: String,
    link: Option<String>,
    length: usize,
}

impl Cache {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder, written: Arc::default() }
    }

    /// The name of what is kept of an address for an account; neither can be read from it.
    pub(super) fn key(url: &str, token: Option<&Secret>) -> String {
        let mut hash = Sha256::new();
        hash.update(url.as_bytes());
        hash.update([0]);
        hash.update(token.map_or("", Secret::reveal).as_bytes());
        hex::encode(&hash.finalize()[..20])
    }

    /// What is kept under a key.
    pub(super) async fn get(&self, key: &str) -> Option<Kept> {
        let path = self.folder.join(key);
        let bytes = tokio::fs::read(path).await.ok()?;
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let head: Head = serde_json::from_slice(&bytes[..end]).ok()?;
        let body = Bytes::from(bytes).slice(end + 1..);
        if body.len() != head.length {
            return None;
        }
        let mut headers = HeaderMap::new();
        if let Some(link) = head.link.and_then(|link| HeaderValue::from_str(&link).ok()) {
            headers.insert(LINK, link);
        }
        Some(Kept { etag: head.etag, whole: Whole { status: StatusCode::OK, headers, body } })
    }

    /// Keeps an answer that has an ETag. What cannot be written is not kept.
    pub(super) async fn put(&self, key: &str, whole: &Whole) {
        let Some(etag) = whole.header(ETAG.as_str()).map(str::to_owned) else { return };
        if whole.body.len() > ENTRY || whole.status != StatusCode::OK {
            return;
        }
        let head =
            Head { etag, link: whole.header(LINK.as_str()).map(str::to_owned), length: whole.body.len() };
        let Ok(head) = serde_json::to_string(&head) else { return };
        let (folder, key, body) = (self.folder.clone(), key.to_owned(), whole.body.clone());
        let looks = self.written.fetch_add(1, Ordering::Relaxed).is_multiple_of(LOOKS);
        tokio::task::spawn_blocking(move || {
            if let Err(error) = write(&folder, &key, &head, &body) {
                tracing::debug!(%error, "an answer of the Hub is not kept");
            }
            if looks {
                prune(&folder, FOLDER);
            }
        })
        .await
        .ok();
    }
}

fn write(folder: &Path, key: &str, head: &str, body: &[u8]) -> std::io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    // Two writers of one key write two files; the last rename wins, and each file is whole.
    let part = folder.join(format!("{key}.{:?}.part", std::thread::current().id()));
    let mut file =
        std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part)?;
    file.write_all(head.as_bytes())?;
    file.write_all(b"\n")?;
    file.write_all(body)?;
    std::fs::rename(&part, folder.join(key))
}

/// Deletes the oldest until the folder is at most `limit` bytes.
fn prune(folder: &Path, limit: u64) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut files: Vec<_> = entries
        .flatten()
        .filter_map(|entry| {
            let facts = entry.metadata().ok()?;
            facts.is_file().then(|| Some((facts.modified().ok()?, facts.len(), entry.path())))?
        })
        .collect();
    files.sort();
    let mut total: u64 = files.iter().map(|(_, size, _)| size).sum();
    for (_, size, path) in files {
        if total <= limit {
            break;
        }
        if std::fs::remove_file(path).is_ok() {
            total -= size;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(etag: &'static str, body: &str) -> Whole {
        let mut headers = HeaderMap::new();
        headers.insert(ETAG, HeaderValue::from_static(etag));
        headers.insert(LINK, HeaderValue::from_static("<https://h/2>; rel=\"next\""));
        Whole { status: StatusCode::OK, headers, body: Bytes::from(body.to_owned()) }
    }

    #[tokio::test]
    async fn an_answer_is_kept_per_account_and_comes_back_whole() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().join("hub"));
        let (alice, nobody) = (Secret::new("hf_alice"), None);
        let key = Cache::key("https://h/api", Some(&alice));
        assert_ne!(key, Cache::key("https://h/api", nobody), "accounts see different things");
        assert!(cache.get(&key).await.is_none());
        cache.put(&key, &whole("\"1\"", "[1]\n[2]")).await;
        let kept = cache.get(&key).await.unwrap();
        assert_eq!((kept.etag.as_str(), &kept.whole.body[..]), ("\"1\"", &b"[1]\n[2]"[..]));
        assert_eq!(kept.whole.header("link"), Some("<https://h/2>; rel=\"next\""));
        let path = folder.path().join("hub").join(&key);
        let mut cut = std::fs::read(&path).unwrap();
        cut.pop();
        std::fs::write(&path, cut).unwrap();
        assert!(cache.get(&key).await.is_none(), "half an answer is none");
    }

    #[test]
    fn the_oldest_go_when_there_is_too_much() {
        let folder = tempfile::tempdir().unwrap();
        for (name, age) in [("old", 30), ("middle", 20), ("new", 10)] {
            let path = folder.path().join(name);
            std::fs::write(&path, [0; 100]).unwrap();
            let file = std::fs::File::options().write(true).open(&path).unwrap();
            file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1000 - age)).unwrap();
        }
        prune(folder.path(), 250);
        let left: Vec<bool> =
            ["old", "middle", "new"].iter().map(|name| folder.path().join(name).exists()).collect();
        assert_eq!(left, [false, true, true]);
    }
}
