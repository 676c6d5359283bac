//! One file of a repository: what it is, and what is in it.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::StatusCode;

use super::ask::{Ask, Elsewhere};
use super::{Hub, HubError, Repo, RepoKind};

/// How long a download may say nothing.
const IDLE: Duration = Duration::from_secs(60);

/// What is known of a file before it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFacts {
    /// Its bytes, if the Hub says.
    pub size: Option<u64>,
    /// The id of its content: SHA-256 if it is kept by LFS, else Git's.
    pub etag: Option<String>,
    /// The commit that the revision stands for.
    pub commit: Option<String>,
}

/// A piece of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The bytes.
    pub bytes: Bytes,
    /// Bytes of the whole file, if the Hub says.
    pub total: Option<u64>,
    /// Whether the file goes on after them.
    pub more: bool,
    /// The commit that the revision stands for, if the Hub says.
    pub commit: Option<String>,
}

/// Which piece of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first byte.
    pub from: u64,
    /// How many bytes at most.
    pub at_most: usize,
}

/// The address of a file's content; models stand at the root.
fn resolve(ask: Ask, (repo, revision): (&Repo, &str), path: &str) -> Ask {
    let ask = if repo.kind == RepoKind::Model { ask } else { ask.then(repo.kind.plural()) };
    ask.repo(repo.kind, &repo.id).then("resolve").then(revision).file(path)
}

impl Hub {
    /// Where people see a file.
    #[must_use]
    pub fn file_page(&self, (repo, revision): (&Repo, &str), path: &str) -> String {
        let path: Vec<String> = path.split('/').map(super::ask::encode).collect();
        format!("{}/blob/{}/{}", repo.page(&self.endpoint), super::ask::encode(revision), path.join("/"))
    }

    /// What is known of a file.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn file_facts(
        &self,
        (repo, revision): (&Repo, &str),
        path: &str,
    ) -> Result<FileFacts, HubError> {
        let ask = resolve(Ask::head(&[]), (repo, revision), path);
        // For what is kept elsewhere, the answer that says where holds the facts.
        let whole = self.whole(&ask.elsewhere(Elsewhere::Show)).await?;
        let number = |name: &str| whole.header(name).and_then(|value| value.parse().ok());
        let text = |name: &str| whole.header(name).map(|value| unquoted(value).to_owned());
        Ok(FileFacts {
            size: number("x-linked-size")
                .or_else(|| number("content-length").filter(|_| whole.status.is_success())),
            etag: text("x-linked-etag").or_else(|| text("etag")),
            commit: text("x-repo-commit"),
        })
    }

    /// Whether a file is in a repository.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn has_file(&self, at: (&Repo, &str), path: &str) -> Result<bool, HubError> {
        match self.file_facts(at, path).await {
            Ok(_) => Ok(true),
            Err(HubError::NotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// A piece of a file. What is kept at another host is fetched there, without the token.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn read_file(
        &self,
        (repo, revision): (&Repo, &str),
        path: &str,
        span: Span,
    ) -> Result<Piece, HubError> {
        let mut ask = resolve(Ask::get(&[]), (repo, revision), path).elsewhere(Elsewhere::Follow);
        if span.from > 0 {
            ask = ask.header("range", format!("bytes={}-", span.from));
        }
        let mut body = self.stream(ask, IDLE).await?;
        if span.from > 0 && body.status() != StatusCode::PARTIAL_CONTENT {
            return Err(HubError::Strange("it sends the whole file where a part was asked for"));
        }
        let number = |name: &str| -> Option<&str> { body.headers().get(name)?.to_str().ok() };
        let of_range = || number("content-range")?.rsplit_once('/')?.1.parse().ok();
        let total = of_range().or_else(|| number("content-length")?.parse().ok());
        let commit = number("x-repo-commit").map(str::to_owned);
        let mut bytes = BytesMut::new();
        let mut more = false;
        while let Some(chunk) = body.chunk().await? {
            let room = span.at_most - bytes.len();
            bytes.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if chunk.len() > room {
                more = true;
                break;
            }
        }
        Ok(Piece { bytes: bytes.freeze(), total, more, commit })
    }
}

/// An ETag without its quotes and its mark of weakness.
fn unquoted(etag: &str) -> &str {
    etag.trim_start_matches("W/").trim_matches('"')
}
