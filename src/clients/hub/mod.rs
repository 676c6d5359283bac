//! The Hugging Face Hub, as one account sees it.
//!
//! Sends what the official client sends (`tests/wire/hub` holds the two side by side). The token goes to the
//! configured address and to no other. Nothing is logged. Every future ends its request when it is dropped.
//!
//! What every part of the API (one file each) is made of:
//!
//! - [`ask::Ask`]: a request. `Ask::post(&["api", "jobs", namespace]).query("tail", "5").json(&body)`; every
//!   segment is percent-encoded whole, `.repo(kind, id)` and `.file(path)` are several, path tricks are refused.
//! - [`Hub::json`] (typed answer, ETag cache for GET), [`Hub::done`] (no answer wanted), [`Hub::pages`]
//!   (listings by `Link`), [`Hub::whole`] (headers and bytes), [`Hub::send`] (unread body), [`Hub::stream`]
//!   (no total time-out, but one for silence; `.lines()`, `.events()` for server-sent events). All of them
//!   cap what they read, repeat reads with back-off, and repeat changes only after "too many requests".
//! - [`HubError`]: what went wrong, told apart as people need it.
//!
//! Start at [`Hub`].

mod account;
pub mod ask;
mod buckets;
mod cache;
mod collections;
mod commit;
mod content;
mod discussions;
mod error;
mod files;
pub mod jobs;
mod lfs;
mod repo;
mod repos;
pub mod send;
pub mod spaces;
pub mod stream;
mod tree;

use std::path::PathBuf;

pub use self::account::{Account, Organisation};
pub use self::collections::{Collection, CollectionItem};
pub use self::commit::{Change, Committed, Destination, NewCommit};
pub use self::content::Content;
pub use self::discussions::{Changes, Discussion, Happening, Person, Status, Topic, Wanted};
pub use self::error::{HubError, Missing};
pub use self::files::{FileFacts, Piece, Span};
pub use self::lfs::{Unwatched, Watch};
pub use self::repo::{Repo, RepoKind};
pub use self::repos::{Created, Gate, NewRepo, RepoInfo, Sibling, Visibility};
pub use self::send::{Listed, Patience};
pub use self::tree::{Author, Depth, Entry, EntryKind, LfsFacts, LoggedCommit, PullRequests, Ref, Refs};
use crate::random::Random;
use crate::secret::Secret;

/// The Hub, as one account sees it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Hub {
    http: reqwest::Client,
    endpoint: String,
    token: Option<Secret>,
    patience: Patience,
    random: Random,
    cache: Option<cache::Cache>,
}

impl Hub {
    /// The Hub at this address, for the account of this token.
    ///
    /// # Errors
    /// Only if TLS cannot be set up on this machine.
    pub fn new(endpoint: &str, token: Option<Secret>) -> anyhow::Result<Self> {
        Ok(Self {
            http: crate::clients::http::by_hand()?,
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            token,
            patience: Patience::default(),
            random: Random::system(),
            cache: None,
        })
    }

    /// The same Hub, with answers to reads kept in this folder by their ETag.
    #[must_use]
    pub fn keeping(self, folder: PathBuf) -> Self {
        Self { cache: Some(cache::Cache::new(folder)), ..self }
    }

    /// The same Hub, tried as often and as long as this says.
    #[must_use]
    pub fn with_patience(self, patience: Patience) -> Self {
        Self { patience, ..self }
    }

    /// The same Hub, with its back-off spread by this.
    #[must_use]
    pub fn with_random(self, random: Random) -> Self {
        Self { random, ..self }
    }

    /// The same Hub, for the account of this token, or for nobody.
    #[must_use]
    pub fn with_token(&self, token: Option<Secret>) -> Self {
        Self { token, ..self.clone() }
    }

    /// Its address, without a slash at the end.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Where people see a repository.
    #[must_use]
    pub fn page(&self, repo: &Repo) -> String {
        repo.page(&self.endpoint)
    }
}
