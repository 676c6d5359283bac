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

pub mod ask;
mod cache;
mod error;
pub mod jobs;
mod repo;
pub mod send;
pub mod stream;

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use self::ask::Ask;
pub use self::error::{HubError, Missing};
pub use self::repo::{Repo, RepoKind};
pub use self::send::Patience;
use crate::random::Random;
use crate::secret::Secret;

/// Bytes of a file that the Hub looks at to decide how it wants it.
const SAMPLE: usize = 512;
/// Bytes of a file that the Hub takes without LFS.
const REGULAR: u64 = 10 * 1024 * 1024;

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

/// Who may see a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// Its owner.
    Private,
    /// Everybody.
    Public,
}

impl Visibility {
    /// The Hub's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Public => "public",
        }
    }
}

/// Whether a repository is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Created {
    /// It was made now.
    New,
    /// It was there before, and is as it was.
    Before,
}

/// A file to commit.
#[derive(Debug, Clone)]
pub struct NewFile<'a> {
    /// Where in the repository.
    pub path: &'a str,
    /// What is in it.
    pub content: &'a [u8],
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

    /// Where people see a dataset.
    #[must_use]
    pub fn dataset_page(&self, repo: &str) -> String {
        format!("{}/datasets/{repo}", self.endpoint)
    }

    /// The account's name.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn whoami(&self) -> Result<String, HubError> {
        let answer: Value = self.json(&Ask::get(&["api", "whoami-v2"])).await?;
        answer["name"].as_str().map(str::to_owned).ok_or(HubError::Strange("whoami names nobody"))
    }

    /// Who may see this dataset; `None` if there is none (or none that we may see).
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn visibility(&self, repo: &str) -> Result<Option<Visibility>, HubError> {
        let ask = Ask::get(&["api", "datasets"]).repo(RepoKind::Dataset, repo);
        match self.json::<Value>(&ask).await {
            Ok(answer) => {
                let private = answer["private"].as_bool();
                // What is not said to be private is treated as seen by all.
                Ok(Some(if private == Some(true) { Visibility::Private } else { Visibility::Public }))
            }
            Err(HubError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes a private dataset, unless there is one of this name: that one stays as its owner has it.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn create_private_dataset(&self, repo: &str) -> Result<Created, HubError> {
        let (owner, name) =
            repo.split_once('/').ok_or(HubError::Strange("a dataset's name is owner/name"))?;
        let body = json!({ "name": name, "organization": owner, "visibility": "private", "type": "dataset" });
        match self.done(&Ask::post(&["api", "repos", "create"]).json(&body)).await {
            Ok(()) => Ok(Created::New),
            Err(HubError::Conflict { .. }) => Ok(Created::Before),
            Err(error) => Err(error),
        }
    }

    /// Sets who may see a dataset.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn set_visibility(&self, repo: &str, visibility: Visibility) -> Result<(), HubError> {
        let ask = Ask::put(&["api", "datasets"]).repo(RepoKind::Dataset, repo).then("settings");
        self.done(&ask.json(&json!({ "visibility": visibility.as_str() }))).await
    }

    /// Whether a file is in a dataset.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn has_file(&self, repo: &str, path: &str) -> Result<bool, HubError> {
        let ask = Ask::head(&["datasets"]).repo(RepoKind::Dataset, repo).file("resolve/main").file(path);
        match self.done(&ask.elsewhere(ask::Elsewhere::Show)).await {
            Ok(()) => Ok(true),
            Err(HubError::NotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Commits small files to a dataset's main branch.
    ///
    /// # Errors
    /// As [`HubError`] says; `TooLarge` for a file that the Hub takes only by LFS (over 10 MB).
    pub async fn commit(&self, repo: &str, summary: &str, files: &[NewFile<'_>]) -> Result<(), HubError> {
        let asked: Vec<Value> = files
            .iter()
            .map(|file| {
                let sample = STANDARD.encode(&file.content[..file.content.len().min(SAMPLE)]);
                json!({ "path": file.path, "sample": sample, "size": file.content.len() })
            })
            .collect();
        let at = Ask::post(&["api", "datasets"]).repo(RepoKind::Dataset, repo);
        let ask = at.clone().file("preupload/main").json(&json!({ "files": asked })).reads();
        let modes: Value = self.json(&ask).await?;
        let by_lfs = modes["files"].as_array().into_iter().flatten().find(|it| it["uploadMode"] == "lfs");
        if let Some(file) = by_lfs {
            let what = file["path"].as_str().unwrap_or_default().to_owned();
            return Err(HubError::TooLarge { what, limit: REGULAR });
        }
        let header = json!({ "key": "header", "value": { "summary": summary, "description": "" } });
        let mut body = format!("{header}\n");
        for file in files {
            let content = STANDARD.encode(file.content);
            let value = json!({ "content": content, "path": file.path, "encoding": "base64" });
            body.push_str(&json!({ "key": "file", "value": value }).to_string());
            body.push('\n');
        }
        self.done(&at.file("commit/main").body("application/x-ndjson", body)).await
    }
}
