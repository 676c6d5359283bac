//! Commits of several files at once: added, replaced, copied, deleted; to a branch or as a pull request.
//!
//! Owns the order of requests of the official client: ask how each file is wanted, send large ones by LFS,
//! then one commit. Files that are there already as they are, are left out; so are those that the repository
//! ignores, and they are named. Nothing is changed before the last request. A commit whose answer was lost is
//! not sent again: whether it was made is unknown.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::ask::Ask;
use super::content::{Content, Looked, git_oid};
use super::lfs::{Large, Watch};
use super::{Hub, HubError, Repo, files::Span};

/// Files of one request that asks how they are wanted.
const ASKED: usize = 256;
/// Bytes of all files of one commit that go without LFS.
const REGULAR: u64 = 64 * 1024 * 1024;
/// How long the commit itself may take.
const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(300);

/// A change of one path.
#[derive(Debug, Clone)]
pub enum Change {
    /// A file is there with this content.
    Put {
        /// Where.
        path: String,
        /// What is in it.
        content: Content,
    },
    /// A file is gone.
    DeleteFile {
        /// Where.
        path: String,
    },
    /// A folder is gone with all that is in it.
    DeleteFolder {
        /// Where.
        path: String,
    },
    /// A file is there as another one of the repository is.
    Copy {
        /// The other.
        from: String,
        /// Where.
        to: String,
    },
}

/// Where a commit goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination {
    /// Onto the revision.
    Revision,
    /// Into a new pull request against it.
    PullRequest,
}

/// A commit to make.
#[derive(Debug, Clone)]
pub struct NewCommit {
    /// The repository.
    pub repo: Repo,
    /// The branch, or a pull request's `refs/pr/1`.
    pub revision: String,
    /// Where it goes.
    pub into: Destination,
    /// Its first line.
    pub summary: String,
    /// The rest of what it says.
    pub description: String,
    /// The commit that it must follow; if another came meanwhile, that is a conflict.
    pub parent: Option<String>,
    /// What it changes.
    pub changes: Vec<Change>,
}

/// A commit that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// Its id; of a commit that would have changed nothing, the id of the one that is there.
    pub oid: String,
    /// Whether there was something to change.
    pub changed: bool,
    /// The pull request's page, if one was made.
    pub pull_request: Option<String>,
    /// Paths that were left out because the repository's `.gitignore` ignores them.
    pub ignored: Vec<String>,
}

impl Committed {
    /// The number of the pull request that was made.
    #[must_use]
    pub fn pull_request_num(&self) -> Option<u64> {
        self.pull_request.as_ref()?.trim_end_matches('/').rsplit('/').next()?.parse().ok()
    }
}

#[derive(Deserialize)]
struct Modes {
    files: Vec<Mode>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Mode {
    path: String,
    #[serde(default)]
    upload_mode: String,
    #[serde(default)]
    should_ignore: bool,
    #[serde(default)]
    oid: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Made {
    #[serde(default)]
    commit_oid: String,
    #[serde(default)]
    pull_request_url: Option<String>,
}

/// A file to put, and what was found out about it.
struct Put<'a> {
    path: &'a str,
    content: &'a Content,
    looked: Looked,
    mode: Option<Mode>,
    sha256: Option<String>,
}

impl Put<'_> {
    fn is_ignored(&self) -> bool {
        self.mode.as_ref().is_some_and(|mode| mode.should_ignore)
    }

    fn is_large(&self) -> bool {
        self.looked.size > 0 && self.mode.as_ref().is_some_and(|mode| mode.upload_mode == "lfs")
    }
}

impl Hub {
    /// Makes a commit. `watch` is told how large files go.
    ///
    /// # Errors
    /// As [`HubError`] says; `Conflict` if the revision has moved past `parent`.
    pub async fn commit(&self, new: &NewCommit, watch: &dyn Watch) -> Result<Committed, HubError> {
        let at = (&new.repo, new.revision.as_str());
        let mut puts = Vec::new();
        for change in &new.changes {
            if let Change::Put { path, content } = change {
                let looked = content.look().await?;
                puts.push(Put { path, content, looked, mode: None, sha256: None });
            }
        }
        self.ask_modes(new, &mut puts).await?;
        for put in puts.iter_mut().filter(|put| put.is_large()) {
            put.sha256 = Some(put.content.sha256().await?);
        }
        let large: Vec<Large<'_>> = puts.iter().filter(|put| put.is_large()).filter_map(large).collect();
        self.upload_large(at, &large, watch).await?;
        let ignored: Vec<String> =
            puts.iter().filter(|put| put.is_ignored()).map(|put| put.path.to_owned()).collect();
        let mut lines: Vec<Value> = Vec::new();
        let mut room = REGULAR;
        let mut puts = puts.iter();
        for change in &new.changes {
            let line = match change {
                Change::Put { path, .. } => match puts.next() {
                    Some(put) => put_line(path, put, &mut room).await?,
                    None => None,
                },
                Change::DeleteFile { path } => Some(line("deletedFile", &json!({ "path": path }))),
                Change::DeleteFolder { path } => Some(line("deletedFolder", &json!({ "path": path }))),
                Change::Copy { from, to } => Some(self.copy_line(at, from, to, &mut room).await?),
            };
            lines.extend(line);
        }
        if lines.is_empty() {
            let oid = self.info(&new.repo, Some(&new.revision)).await?.sha.unwrap_or_default();
            return Ok(Committed { oid, changed: false, pull_request: None, ignored });
        }
        Ok(Committed { ignored, ..self.send_commit(new, &lines).await? })
    }

    /// Asks the Hub how it wants each file.
    async fn ask_modes(&self, new: &NewCommit, puts: &mut [Put<'_>]) -> Result<(), HubError> {
        for group in puts.chunks_mut(ASKED) {
            let files: Vec<Value> = group
                .iter()
                .map(|put| {
                    let sample = STANDARD.encode(&put.looked.sample);
                    json!({ "path": put.path, "sample": sample, "size": put.looked.size })
                })
                .collect();
            let ask = to(new, "preupload").json(&json!({ "files": files })).reads();
            let modes: Modes = self.json(&ask).await?;
            for mode in modes.files {
                if let Some(put) = group.iter_mut().find(|put| put.path == mode.path) {
                    put.mode = Some(mode);
                }
            }
            if group.iter().any(|put| put.mode.is_none()) {
                return Err(HubError::Strange("it does not say how it wants a file"));
            }
        }
        Ok(())
    }

    /// The line that copies a file: by its LFS id, or with its content if it is small.
    async fn copy_line(
        &self,
        (repo, revision): (&Repo, &str),
        from: &str,
        to: &str,
        room: &mut u64,
    ) -> Result<Value, HubError> {
        let found = self.paths(repo, revision, &[from]).await?;
        let Some(entry) = found.into_iter().find(|entry| entry.path == from) else {
            let what = super::Missing::Entry;
            return Err(HubError::NotFound { what, message: from.to_owned() });
        };
        if let Some(lfs) = entry.lfs {
            return Ok(line("lfsFile", &json!({ "path": to, "algo": "sha256", "oid": lfs.oid })));
        }
        let at_most = usize::try_from(*room).unwrap_or(usize::MAX);
        let piece = self.read_file((repo, revision), from, Span { from: 0, at_most }).await?;
        if piece.more {
            return Err(too_much());
        }
        *room -= piece.bytes.len() as u64;
        Ok(file_line(to, &piece.bytes))
    }

    async fn send_commit(&self, new: &NewCommit, lines: &[Value]) -> Result<Committed, HubError> {
        let mut header = json!({ "summary": new.summary, "description": new.description });
        if let Some(parent) = &new.parent {
            header["parentCommit"] = json!(parent);
        }
        let mut body = line("header", &header).to_string();
        body.push('\n');
        for line in lines {
            body.push_str(&line.to_string());
            body.push('\n');
        }
        let ask = to(new, "commit").body("application/x-ndjson", body).timeout(TIMEOUT);
        let made: Made = self.json(&ask).await?;
        let (oid, pull_request) = (made.commit_oid, made.pull_request_url);
        Ok(Committed { oid, changed: true, pull_request, ignored: Vec::new() })
    }
}

fn to(new: &NewCommit, what: &str) -> Ask {
    let ask = Ask::post(&["api", new.repo.kind.plural()]).repo(new.repo.kind, &new.repo.id);
    let ask = ask.then(what).then(&new.revision);
    if new.into == Destination::PullRequest { ask.query("create_pr", "1") } else { ask }
}

fn large<'a>(put: &'a Put<'a>) -> Option<Large<'a>> {
    let same = put.is_ignored() || put.mode.as_ref().is_some_and(|mode| mode.oid == put.sha256);
    let oid = put.sha256.clone()?;
    (!same).then_some(Large { path: put.path, content: put.content, oid, size: put.looked.size })
}

/// The line that puts a file; `None` if it is there as it is, or the Hub wants it left out.
async fn put_line(path: &str, put: &Put<'_>, room: &mut u64) -> Result<Option<Value>, HubError> {
    let Some(mode) = &put.mode else { return Ok(None) };
    if mode.should_ignore {
        return Ok(None);
    }
    put.content.still(&put.looked).await?;
    if let Some(oid) = &put.sha256 {
        let value = json!({ "path": path, "algo": "sha256", "oid": oid, "size": put.looked.size });
        return Ok((mode.oid.as_ref() != Some(oid)).then(|| line("lfsFile", &value)));
    }
    let content = put.content.read(*room).await.map_err(|error| match error {
        HubError::TooLarge { .. } => too_much(),
        error => error,
    })?;
    *room -= content.len() as u64;
    let same = mode.oid.as_ref().is_some_and(|oid| *oid == git_oid(&content));
    Ok((!same).then(|| file_line(path, &content)))
}

fn too_much() -> HubError {
    HubError::TooLarge { what: "all that one commit holds without LFS".to_owned(), limit: REGULAR }
}

fn file_line(path: &str, content: &[u8]) -> Value {
    line("file", &json!({ "content": STANDARD.encode(content), "path": path, "encoding": "base64" }))
}

fn line(key: &str, value: &Value) -> Value {
    json!({ "key": key, "value": value })
}
