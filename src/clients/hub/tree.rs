//! What a repository holds: files and folders, branches, tags, commits.

use serde::Deserialize;
use serde_json::json;

use super::ask::{Ask, encode};
use super::send::Listed;
use super::{Created, Hub, HubError, Repo};

/// A file or folder at a revision.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Entry {
    /// Which of the two.
    #[serde(rename = "type")]
    pub kind: EntryKind,
    /// Its path from the root.
    pub path: String,
    /// Its bytes; zero for a folder.
    #[serde(default)]
    pub size: u64,
    /// Its Git id: of a small file, that of its content.
    #[serde(default)]
    pub oid: String,
    /// What LFS knows of it, if it is kept there.
    #[serde(default)]
    pub lfs: Option<LfsFacts>,
}

/// A file or a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EntryKind {
    /// A file.
    File,
    /// A folder.
    Directory,
    /// Something newer than this program.
    #[serde(other)]
    Other,
}

/// What LFS knows of a file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LfsFacts {
    /// SHA-256 of its content.
    pub oid: String,
    /// Its bytes.
    #[serde(default)]
    pub size: u64,
}

/// Whether folders are opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// All of them.
    All,
    /// None: what is in them is not listed.
    One,
}

/// Branches, tags and pull requests.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Refs {
    /// Branches.
    pub branches: Vec<Ref>,
    /// Tags.
    pub tags: Vec<Ref>,
    /// Pull requests, if they were asked for.
    pub pull_requests: Vec<Ref>,
}

/// A name of a commit.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ref {
    /// Short: `main`.
    #[serde(default)]
    pub name: String,
    /// Whole: `refs/heads/main`.
    #[serde(rename = "ref")]
    pub full: String,
    /// The commit.
    #[serde(default)]
    pub target_commit: String,
}

/// Whether pull requests are listed among the refs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PullRequests {
    /// Yes.
    Listed,
    /// No.
    LeftOut,
}

/// A commit of a repository's history.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LoggedCommit {
    /// Its id.
    pub id: String,
    /// Its first line.
    #[serde(default)]
    pub title: String,
    /// The rest of what it says.
    #[serde(default)]
    pub message: String,
    /// When, as the Hub writes times.
    #[serde(default)]
    pub date: String,
    /// By whom.
    #[serde(default)]
    pub authors: Vec<Author>,
}

/// Who made a commit.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Author {
    /// Their account.
    #[serde(default)]
    pub user: String,
}

impl Hub {
    fn at(&self, repo: &Repo) -> (Ask, Ask, Ask) {
        let with = |ask: Ask| ask.repo(repo.kind, &repo.id);
        let segments = ["api", repo.kind.plural()];
        (with(Ask::get(&segments)), with(Ask::post(&segments)), with(Ask::delete(&segments)))
    }

    /// Files and folders at a revision, under a folder or from the root; `at_most` of them.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn tree(
        &self,
        (repo, revision): (&Repo, &str),
        under: Option<&str>,
        depth: Depth,
        at_most: usize,
    ) -> Result<Listed<Entry>, HubError> {
        let ask = self.at(repo).0.then("tree").then(revision);
        let ask = match under.map(|path| path.trim_matches('/')).filter(|path| !path.is_empty()) {
            Some(path) => ask.file(path),
            None => ask,
        };
        let recursive = if depth == Depth::All { "true" } else { "false" };
        self.pages(&ask.query("recursive", recursive).query("expand", "false"), at_most).await
    }

    /// What stands at these paths at a revision; paths with nothing there are left out.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn paths(&self, repo: &Repo, revision: &str, paths: &[&str]) -> Result<Vec<Entry>, HubError> {
        let mut body: Vec<String> = paths.iter().map(|path| format!("paths={}", encode(path))).collect();
        body.push("expand=false".to_owned());
        let ask = self.at(repo).1.then("paths-info").then(revision);
        self.json(&ask.body("application/x-www-form-urlencoded", body.join("&")).reads()).await
    }

    /// Branches and tags.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn refs(&self, repo: &Repo, pull_requests: PullRequests) -> Result<Refs, HubError> {
        let ask = self.at(repo).0.then("refs");
        self.json(&match pull_requests {
            PullRequests::Listed => ask.query("include_prs", "1"),
            PullRequests::LeftOut => ask,
        })
        .await
    }

    /// The history of a revision, newest first; `at_most` commits.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn commits(
        &self,
        repo: &Repo,
        revision: &str,
        at_most: usize,
    ) -> Result<Listed<LoggedCommit>, HubError> {
        self.pages(&self.at(repo).0.then("commits").then(revision), at_most).await
    }

    /// Makes a branch that begins at a revision, or at the newest commit.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn create_branch(
        &self,
        repo: &Repo,
        branch: &str,
        from: Option<&str>,
    ) -> Result<Created, HubError> {
        let body = from.map_or_else(|| json!({}), |from| json!({ "startingPoint": from }));
        Created::of(self.done(&self.at(repo).1.then("branch").then(branch).json(&body)).await)
    }

    /// Deletes a branch.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn delete_branch(&self, repo: &Repo, branch: &str) -> Result<(), HubError> {
        self.done(&self.at(repo).2.then("branch").then(branch)).await
    }

    /// Names a revision.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn create_tag(
        &self,
        (repo, revision): (&Repo, &str),
        tag: &str,
        message: Option<&str>,
    ) -> Result<Created, HubError> {
        let mut body = json!({ "tag": tag });
        if let Some(message) = message {
            body["message"] = json!(message);
        }
        Created::of(self.done(&self.at(repo).1.then("tag").then(revision).json(&body)).await)
    }

    /// Takes a name from a revision.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn delete_tag(&self, repo: &Repo, tag: &str) -> Result<(), HubError> {
        self.done(&self.at(repo).2.then("tag").then(tag)).await
    }
}
