//! A repo: its commits, references, gate and discussions. Pure state, no HTTP.
//!
//! Owns [`Repo`]. Never asks who may; that is `access`. Start at [`Repo::commit_to`].

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use super::discussions::Discussion;
use super::git::{Commit, Entry, Files};
use super::state::Kind;
use crate::clock::Timestamp;

/// How a gate opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// By asking.
    Auto,
    /// By being let in.
    Manual,
}

impl Gate {
    pub fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Manual => "manual",
        }
    }
}

/// A tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    pub commit: String,
    pub message: String,
}

/// A repo.
#[derive(Debug)]
pub struct Repo {
    pub object_id: String,
    pub kind: Kind,
    /// `namespace/name`.
    pub id: String,
    pub private: bool,
    pub gate: Option<Gate>,
    /// Who was let through the gate.
    pub let_in: BTreeSet<String>,
    pub made: Timestamp,
    pub downloads: u64,
    pub likes: u64,
    /// Contents that git keeps, by hash.
    pub blobs: HashMap<String, Bytes>,
    pub commits: HashMap<String, Arc<Commit>>,
    pub branches: BTreeMap<String, String>,
    pub tags: BTreeMap<String, Tag>,
    /// Heads of pull requests, by number.
    pub pulls: BTreeMap<u64, String>,
    pub discussions: Vec<Discussion>,
    /// What a Space was asked for; null for others.
    pub asked: Value,
}

/// What a commit changes, as it is committed.
#[derive(Debug)]
pub struct Draft<'a> {
    /// Files after it.
    pub files: BTreeMap<String, Entry>,
    pub title: &'a str,
    pub message: &'a str,
    pub author: &'a str,
    pub at: Timestamp,
}

impl Repo {
    pub fn new(object_id: String, kind: Kind, id: &str, made: Timestamp) -> Self {
        Self {
            object_id,
            kind,
            id: id.to_owned(),
            private: false,
            gate: None,
            let_in: BTreeSet::new(),
            made,
            downloads: 0,
            likes: 0,
            blobs: HashMap::new(),
            commits: HashMap::new(),
            branches: BTreeMap::new(),
            tags: BTreeMap::new(),
            pulls: BTreeMap::new(),
            discussions: Vec::new(),
            asked: Value::Null,
        }
    }

    pub fn namespace(&self) -> &str {
        self.id.split_once('/').map_or("", |(namespace, _)| namespace)
    }

    pub fn commit(&self, id: &str) -> Option<&Arc<Commit>> {
        self.commits.get(id)
    }

    /// The commit's hash behind a branch, tag, full reference, or hash (whole, or 7 digits and more).
    pub fn resolve(&self, revision: &str) -> Option<String> {
        if let Some(commit) = self.branches.get(revision) {
            return Some(commit.clone());
        }
        if let Some(tag) = self.tags.get(revision) {
            return Some(tag.commit.clone());
        }
        if let Some(branch) = revision.strip_prefix("refs/heads/") {
            return self.branches.get(branch).cloned();
        }
        if let Some(tag) = revision.strip_prefix("refs/tags/") {
            return self.tags.get(tag).map(|it| it.commit.clone());
        }
        if let Some(number) = revision.strip_prefix("refs/pr/") {
            return self.pulls.get(&number.parse().ok()?).cloned();
        }
        let hash = (7..=40).contains(&revision.len()) && revision.bytes().all(|it| it.is_ascii_hexdigit());
        if !hash {
            return None;
        }
        self.commits.keys().find(|it| it.starts_with(revision)).cloned()
    }

    /// Files at a revision.
    pub fn files(&self, revision: &str) -> Option<Files> {
        Some(self.commit(&self.resolve(revision)?)?.files.clone())
    }

    /// Splits `revision/path`: both may have slashes. The revision is the shortest that is known; if
    /// none is, its first segment.
    pub fn split(&self, rest: &str) -> (String, String) {
        let ends = rest.match_indices('/').map(|(at, _)| at).chain([rest.len()]);
        for end in ends {
            if self.resolve(&rest[..end]).is_some() {
                return (rest[..end].to_owned(), rest[end..].trim_start_matches('/').to_owned());
            }
        }
        let (revision, path) = rest.split_once('/').unwrap_or((rest, ""));
        if let Some(inner) = rest.strip_prefix("refs/") {
            let mut parts = inner.splitn(3, '/');
            let name =
                format!("refs/{}/{}", parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            return (name, parts.next().unwrap_or_default().to_owned());
        }
        (revision.to_owned(), path.to_owned())
    }

    /// The head of what can be committed to: a branch, or `refs/pr/N`.
    pub fn head(&self, reference: &str) -> Option<&String> {
        match reference.strip_prefix("refs/pr/") {
            Some(number) => self.pulls.get(&number.parse().ok()?),
            None => self.branches.get(reference.strip_prefix("refs/heads/").unwrap_or(reference)),
        }
    }

    /// Points a branch or a pull request at a commit.
    pub fn point(&mut self, reference: &str, commit: &str) {
        match reference.strip_prefix("refs/pr/").and_then(|it| it.parse().ok()) {
            Some(number) => self.pulls.insert(number, commit.to_owned()),
            None => {
                let branch = reference.strip_prefix("refs/heads/").unwrap_or(reference);
                self.branches.insert(branch.to_owned(), commit.to_owned())
            }
        };
    }

    /// Puts a commit on top of what `reference` points at (or begins it) and returns its hash.
    pub fn commit_to(&mut self, reference: &str, draft: Draft<'_>) -> String {
        let parents = self.head(reference).cloned().into_iter().collect();
        let commit = self.keep(parents, draft);
        self.point(reference, &commit);
        commit
    }

    /// Keeps a commit that no reference points at yet.
    pub fn keep(&mut self, parents: Vec<String>, draft: Draft<'_>) -> String {
        let commit = Commit::new(parents, draft.files, (draft.title, draft.message), draft.author, draft.at);
        let id = commit.id.clone();
        self.commits.insert(id.clone(), Arc::new(commit));
        id
    }

    /// Keeps a content and returns its entry.
    pub fn put(&mut self, content: &[u8]) -> Entry {
        let entry = Entry::regular(content);
        self.blobs.entry(entry.oid.clone()).or_insert_with(|| Bytes::copy_from_slice(content));
        entry
    }

    /// Commits from this one back to the first, newest first, each once.
    pub fn history(&self, commit: &str) -> Vec<Arc<Commit>> {
        let mut found = Vec::new();
        let mut seen = BTreeSet::new();
        let mut next = vec![commit.to_owned()];
        while let Some(id) = next.pop() {
            if !seen.insert(id.clone()) {
                continue;
            }
            if let Some(commit) = self.commits.get(&id) {
                // The first parent is looked at first, so that the line of a branch stays together.
                next.extend(commit.parents.iter().rev().cloned());
                found.push(commit.clone());
            }
        }
        found
    }

    /// When any reference last got a commit.
    pub fn last_modified(&self) -> Timestamp {
        let main = self.branches.get("main").and_then(|it| self.commits.get(it));
        main.map_or(self.made, |it| it.at)
    }

    /// The newest commit, from `head` back, that changed `path` (a file, or a folder ending in `/`).
    pub fn last_touched(&self, head: &str, path: &str) -> Option<Arc<Commit>> {
        let part = |commit: &Commit| -> Vec<(String, String)> {
            if path.ends_with('/') {
                let inside = commit.files.range(path.to_owned()..).take_while(|(it, _)| it.starts_with(path));
                inside.map(|(name, entry)| (name.clone(), entry.oid.clone())).collect()
            } else {
                commit.files.get(path).map(|it| (path.to_owned(), it.oid.clone())).into_iter().collect()
            }
        };
        let mut at = self.commits.get(head)?.clone();
        loop {
            let now = part(&at);
            let same = at.parents.iter().filter_map(|it| self.commits.get(it)).find(|it| part(it) == now);
            match same {
                Some(parent) => at = parent.clone(),
                None => return Some(at),
            }
        }
    }
}
