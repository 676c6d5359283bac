//! What goes into a repository: bytes at hand, or a file on disk that is never held whole in memory.
//!
//! Owns [`Content`], its hash, and its body as a stream that counts what was taken of it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use super::HubError;

/// Bytes that are read at once.
const CHUNK: usize = 1024 * 1024;
/// Bytes of a file that the Hub looks at to decide how it wants it.
pub(super) const SAMPLE: usize = 512;

/// What is in a file to come.
#[derive(Debug, Clone)]
pub enum Content {
    /// Bytes at hand.
    Bytes(Bytes),
    /// A file on this machine. If it changes while it is uploaded, the upload fails.
    File(PathBuf),
}

/// What a content was when it was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Looked {
    pub(super) size: u64,
    pub(super) sample: Vec<u8>,
    changed: Option<std::time::SystemTime>,
}

impl Content {
    /// Its bytes.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub async fn size(&self) -> Result<u64, HubError> {
        Ok(self.look().await?.size)
    }

    /// All of it, if it is not larger than `limit` bytes.
    ///
    /// # Errors
    /// If a file cannot be read; `TooLarge` if it is larger.
    pub async fn read(&self, limit: u64) -> Result<Bytes, HubError> {
        match self {
            Self::Bytes(bytes) if bytes.len() as u64 > limit => {
                Err(HubError::TooLarge { what: "the content".to_owned(), limit })
            }
            Self::Bytes(bytes) => Ok(bytes.clone()),
            Self::File(path) => {
                let mut all = Vec::new();
                let read = open(path).await?.take(limit + 1).read_to_end(&mut all).await;
                read.map_err(|error| local(path, &error))?;
                if all.len() as u64 > limit {
                    return Err(HubError::TooLarge { what: path.display().to_string(), limit });
                }
                Ok(all.into())
            }
        }
    }

    /// Its size and its beginning.
    pub(super) async fn look(&self) -> Result<Looked, HubError> {
        match self {
            Self::Bytes(bytes) => Ok(Looked {
                size: bytes.len() as u64,
                sample: bytes[..bytes.len().min(SAMPLE)].to_vec(),
                changed: None,
            }),
            Self::File(path) => {
                let file = open(path).await?;
                let facts = file.metadata().await.map_err(|error| local(path, &error))?;
                if !facts.is_file() {
                    return Err(HubError::Local(format!("{} is no file", path.display())));
                }
                let mut sample = Vec::new();
                let read = file.take(SAMPLE as u64).read_to_end(&mut sample).await;
                read.map_err(|error| local(path, &error))?;
                Ok(Looked { size: facts.len(), sample, changed: facts.modified().ok() })
            }
        }
    }

    /// Fails if it is no longer what it was.
    pub(super) async fn still(&self, looked: &Looked) -> Result<(), HubError> {
        if self.look().await? == *looked {
            return Ok(());
        }
        let Self::File(path) = self else { return Ok(()) };
        Err(HubError::Local(format!("{} changed while it was uploaded; upload it again", path.display())))
    }

    /// Its SHA-256 in hex, by which LFS knows it. Dropping the future ends it.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub async fn sha256(&self) -> Result<String, HubError> {
        let mut hash = Sha256::new();
        match self {
            Self::Bytes(bytes) => {
                for from in (0..bytes.len()).step_by(8 * CHUNK) {
                    let piece = bytes.slice(from..bytes.len().min(from + 8 * CHUNK));
                    hash = fed(hash, piece).await?;
                }
            }
            Self::File(path) => {
                let mut file = open(path).await?;
                loop {
                    let mut piece = Vec::with_capacity(8 * CHUNK);
                    let read = (&mut file).take(8 * CHUNK as u64).read_to_end(&mut piece).await;
                    if read.map_err(|error| local(path, &error))? == 0 {
                        break;
                    }
                    hash = fed(hash, piece.into()).await?;
                }
            }
        }
        Ok(hex::encode(hash.finalize()))
    }

    /// `length` bytes from `from` as a request's body; `taken` counts them as they are sent.
    pub(super) fn body(&self, from: u64, length: u64, taken: Arc<AtomicU64>) -> reqwest::Body {
        let state = Reading { content: self.clone(), file: None, at: from, left: length, taken };
        reqwest::Body::wrap_stream(futures::stream::try_unfold(state, Reading::next))
    }
}

/// A body that is being sent.
struct Reading {
    content: Content,
    file: Option<File>,
    at: u64,
    left: u64,
    taken: Arc<AtomicU64>,
}

impl Reading {
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, std::io::Error> {
        if self.left == 0 {
            return Ok(None);
        }
        let length = self.left.min(CHUNK as u64);
        let short = || std::io::Error::other("the file is shorter than it was");
        let piece = match &self.content {
            Content::Bytes(bytes) => {
                let from = usize::try_from(self.at).map_err(|_| short())?;
                let to = from + usize::try_from(length).map_err(|_| short())?;
                if to > bytes.len() {
                    return Err(short());
                }
                bytes.slice(from..to)
            }
            Content::File(path) => {
                let file = match &mut self.file {
                    Some(file) => file,
                    None => {
                        let mut file = opened(path).await?;
                        file.seek(std::io::SeekFrom::Start(self.at)).await?;
                        self.file.insert(file)
                    }
                };
                let mut piece = Vec::with_capacity(usize::try_from(length).unwrap_or(CHUNK));
                file.take(length).read_to_end(&mut piece).await?;
                if piece.len() as u64 != length {
                    return Err(short());
                }
                Bytes::from(piece)
            }
        };
        self.at += length;
        self.left -= length;
        self.taken.fetch_add(length, Ordering::Relaxed);
        Ok(Some((piece, self)))
    }
}

/// Hashing is too much work for a thread that others wait for.
async fn fed(mut hash: Sha256, piece: Bytes) -> Result<Sha256, HubError> {
    let work = tokio::task::spawn_blocking(move || {
        hash.update(&piece);
        hash
    });
    work.await.map_err(|_| HubError::Local("hashing was stopped".to_owned()))
}

/// The id that Git gives a content.
pub(super) fn git_oid(content: &[u8]) -> String {
    let mut hash = Sha1::new();
    hash.update(format!("blob {}\0", content.len()));
    hash.update(content);
    hex::encode(hash.finalize())
}

async fn open(path: &std::path::Path) -> Result<File, HubError> {
    opened(path).await.map_err(|error| local(path, &error))
}

/// A link in the file's place is not followed, and a pipe does not block.
async fn opened(path: &std::path::Path) -> std::io::Result<File> {
    let flags = (nix::fcntl::OFlag::O_NOFOLLOW | nix::fcntl::OFlag::O_NONBLOCK).bits();
    tokio::fs::OpenOptions::new().read(true).custom_flags(flags).open(path).await
}

fn local(path: &std::path::Path, error: &std::io::Error) -> HubError {
    HubError::Local(format!("{} cannot be read: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn bytes_and_files_hash_the_same_and_as_git_does() {
        assert_eq!(git_oid(b"hello world\n"), "3b18e512dba79e4c8300dd08aeb37f8e728b8dad");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let data: Vec<u8> = (0..9_000_000u32).map(|n| (n % 251) as u8).collect();
        std::fs::write(&path, &data).unwrap();
        let file = Content::File(path.clone());
        let bytes = Content::Bytes(data.into());
        assert_eq!(file.sha256().await.unwrap(), bytes.sha256().await.unwrap());
        assert_eq!(
            Content::Bytes(Bytes::new()).sha256().await.unwrap(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        let looked = file.look().await.unwrap();
        assert_eq!((looked.size, looked.sample.len()), (9_000_000, SAMPLE));
        file.still(&looked).await.unwrap();
        std::fs::write(&path, b"other").unwrap();
        let error = file.still(&looked).await.unwrap_err();
        assert!(matches!(&error, HubError::Local(why) if why.contains("changed")), "{error}");
        assert!(matches!(file.read(4).await, Err(HubError::TooLarge { limit: 4, .. })));
    }
}
