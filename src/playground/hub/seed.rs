//! Putting things into a Hub without asking it: what was there before the story begins.
//!
//! Owns [`RepoSeed`]. Never speaks HTTP. Start at [`RepoSeed::new`].

use bytes::Bytes;
use serde_json::Value;

use super::git::{Entry, sha256};
use super::repo::{Draft, Gate};
use super::repos::make;
use super::state::{Kind, State};
use crate::clock::Timestamp;

/// A repo that was there before.
#[derive(Debug, Clone)]
pub struct RepoSeed {
    kind: Kind,
    id: String,
    files: Vec<(String, Bytes, bool)>,
    private: bool,
    gate: Option<Gate>,
    let_in: Vec<String>,
    downloads: u64,
    likes: u64,
    asked: Value,
}

impl RepoSeed {
    /// A public repo with nothing but its first commit. `id` is `namespace/name`.
    #[must_use]
    pub fn new(kind: Kind, id: &str) -> Self {
        Self {
            kind,
            id: id.to_owned(),
            files: Vec::new(),
            private: false,
            gate: None,
            let_in: Vec::new(),
            downloads: 0,
            likes: 0,
            asked: Value::Null,
        }
    }

    /// With a file that git keeps.
    #[must_use]
    pub fn file(mut self, path: &str, content: impl Into<Bytes>) -> Self {
        self.files.push((path.to_owned(), content.into(), false));
        self
    }

    /// With a file that is kept as a large one.
    #[must_use]
    pub fn large(mut self, path: &str, content: impl Into<Bytes>) -> Self {
        self.files.push((path.to_owned(), content.into(), true));
        self
    }

    /// Seen by its owners only.
    #[must_use]
    pub fn private(self) -> Self {
        Self { private: true, ..self }
    }

    /// Behind a gate, which these people have passed.
    #[must_use]
    pub fn gated(self, gate: Gate, let_in: &[&str]) -> Self {
        Self { gate: Some(gate), let_in: let_in.iter().map(|it| (*it).to_owned()).collect(), ..self }
    }

    /// Downloaded and liked so often.
    #[must_use]
    pub fn known(self, downloads: u64, likes: u64) -> Self {
        Self { downloads, likes, ..self }
    }

    /// What a Space was asked for when it was made: `sdk`, `hardware` and so on.
    #[must_use]
    pub fn asked(self, asked: Value) -> Self {
        Self { asked, ..self }
    }

    /// Puts it there; one of the same name is replaced. Returns its newest commit.
    pub(super) fn put(self, state: &mut State, at: Timestamp) -> String {
        let author = self.id.split_once('/').map_or("", |it| it.0).to_owned();
        let key = (self.kind, self.id.clone());
        state.repos.remove(&key);
        let mut entries = Vec::new();
        for (path, content, large) in &self.files {
            if *large {
                let hash = sha256(content);
                entries.push((path.clone(), Entry::large(&hash, content.len() as u64)));
                state.large.insert(hash, content.clone());
            }
        }
        let Ok(repo) = make(state, (self.kind, &self.id), &author, at, self.asked) else {
            return String::new();
        };
        (repo.private, repo.gate) = (self.private, self.gate);
        (repo.downloads, repo.likes) = (self.downloads, self.likes);
        repo.let_in = self.let_in.into_iter().collect();
        for (path, content, large) in self.files {
            if !large {
                entries.push((path, repo.put(&content)));
            }
        }
        let mut files = repo.files("main").map(|it| (*it).clone()).unwrap_or_default();
        files.extend(entries);
        repo.commit_to("main", Draft { files, title: "Add files", message: "", author: &author, at })
    }
}
