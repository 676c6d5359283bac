//! The truth of the small Hub: accounts, organisations, repos, large files, and what is about to be told.
//!
//! Owns [`State`] and its parts. Never speaks HTTP. Start at [`State::new`].

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use serde_json::Value;

use super::collections::Collection;
use super::docs::Library;
use super::options::{AccountSeed, HubOptions, OrgSeed};
use super::papers::Paper;
use super::repo::Repo;
use super::viewer::Registered;

/// Kinds of repos.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A model.
    Model,
    /// A dataset.
    Dataset,
    /// A Space.
    Space,
}

impl Kind {
    pub(super) const ALL: [Self; 3] = [Self::Model, Self::Dataset, Self::Space];

    /// `model`, `dataset`, `space`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Dataset => "dataset",
            Self::Space => "space",
        }
    }

    /// As paths of the API have it.
    #[must_use]
    pub fn plural(self) -> &'static str {
        match self {
            Self::Model => "models",
            Self::Dataset => "datasets",
            Self::Space => "spaces",
        }
    }

    /// What stands before the name in a repo's address.
    #[must_use]
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Model => "",
            Self::Dataset => "datasets/",
            Self::Space => "spaces/",
        }
    }

    /// The kind that a word names; without a word, a model.
    pub(super) fn read(word: Option<&str>) -> Option<Self> {
        match word {
            None => Some(Self::Model),
            Some(word) => Self::ALL.into_iter().find(|it| it.word() == word || it.plural() == word),
        }
    }
}

/// What happened to a repo, for parts that follow it.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// It was made; a Space with what it was asked for (`sdk`, `hardware`, `sleepTimeSeconds`,
    /// `secrets`, `variables`, and `duplicated_from` if it is a copy), else null.
    Created {
        /// Kind.
        kind: Kind,
        /// `namespace/name`.
        id: String,
        /// Fields of the request.
        asked: Value,
    },
    /// A reference of it has another commit.
    Committed {
        /// Kind.
        kind: Kind,
        /// `namespace/name`.
        id: String,
        /// Branch, or `refs/pr/N`.
        reference: String,
    },
    /// It has another name.
    Moved {
        /// Kind.
        kind: Kind,
        /// Before.
        from: String,
        /// After.
        to: String,
    },
    /// It is gone.
    Deleted {
        /// Kind.
        kind: Kind,
        /// `namespace/name`.
        id: String,
    },
}

/// Everything that the Hub knows.
#[derive(Debug, Default)]
pub struct State {
    /// People.
    pub accounts: Vec<AccountSeed>,
    /// Organisations.
    pub orgs: Vec<OrgSeed>,
    pub(super) repos: BTreeMap<(Kind, String), Repo>,
    /// Old names of repos.
    pub(super) moved: HashMap<(Kind, String), String>,
    /// Large files, by the SHA-256 of their content.
    pub(super) large: HashMap<String, Bytes>,
    /// Parts of large files on their way, by SHA-256.
    pub(super) parts: HashMap<String, BTreeMap<u32, Bytes>>,
    pub(super) collections: Vec<Collection>,
    pub(super) papers: Vec<Paper>,
    pub(super) docs: Vec<Library>,
    /// What tests say that the viewer answers, by dataset.
    pub(super) registered: HashMap<String, Registered>,
    pub(super) changes: Vec<Change>,
    ids: u64,
}

impl State {
    pub(super) fn new(options: &HubOptions) -> Self {
        Self { accounts: options.accounts.clone(), orgs: options.orgs.clone(), ..Self::default() }
    }

    /// An object id as the Hub's database makes them: 24 hex digits, never twice.
    pub(super) fn fresh_id(&mut self) -> String {
        self.ids += 1;
        format!("6728{:020x}", self.ids)
    }

    /// Whether a user or an organisation has this name.
    #[must_use]
    pub fn has_namespace(&self, name: &str) -> bool {
        self.accounts.iter().any(|it| it.name == name) || self.orgs.iter().any(|it| it.name == name)
    }

    /// The commit that a branch, tag, reference or hash names.
    #[must_use]
    pub fn commit_of(&self, kind: Kind, id: &str, revision: &str) -> Option<String> {
        self.repos.get(&(kind, id.to_owned()))?.resolve(revision)
    }

    /// Content of a file, whichever way it was uploaded.
    #[must_use]
    pub fn file(&self, kind: Kind, id: &str, revision: &str, path: &str) -> Option<Bytes> {
        let repo = self.repos.get(&(kind, id.to_owned()))?;
        let entry = repo.commit(&repo.resolve(revision)?)?.files.get(path)?.clone();
        self.content(repo, &entry)
    }

    /// Content behind an entry.
    pub(super) fn content(&self, repo: &Repo, entry: &super::git::Entry) -> Option<Bytes> {
        match &entry.large {
            Some(sha256) => self.large.get(sha256).cloned(),
            None => repo.blobs.get(&entry.oid).cloned(),
        }
    }

    /// Names of the repos of a kind, in order.
    #[must_use]
    pub fn repo_ids(&self, kind: Kind) -> Vec<String> {
        self.repos.keys().filter(|(it, _)| *it == kind).map(|(_, id)| id.clone()).collect()
    }

    /// Whether a repo is private.
    #[must_use]
    pub fn is_private(&self, kind: Kind, id: &str) -> Option<bool> {
        self.repos.get(&(kind, id.to_owned())).map(|it| it.private)
    }
}
