//! The Hugging Face Hub: who we are, a dataset of ours, its visibility, and small files committed to it.
//!
//! Sends what the official client sends (`tests/wire/hub.rs` holds the two side by side). The token goes to
//! the configured host and to no other: a redirect elsewhere loses it. Never retries, never logs a body.
//! Start at [`Hub`].

mod error;

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

pub use self::error::HubError;
use crate::secret::Secret;

/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Bytes of a file that the Hub looks at to decide how it wants it.
const SAMPLE: usize = 512;

/// The Hub, as one account sees it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Hub {
    http: reqwest::Client,
    endpoint: String,
    token: Option<Secret>,
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
        let http = crate::clients::http::client(Some(TIMEOUT))?;
        Ok(Self { http, endpoint: endpoint.trim_end_matches('/').to_owned(), token })
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
        let answer = json_of(self.send(self.request(Method::GET, "/api/whoami-v2")).await?).await?;
        answer["name"].as_str().map(str::to_owned).ok_or(HubError::Strange("whoami names nobody"))
    }

    /// Who may see this dataset; `None` if there is none (or none that we may see).
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn visibility(&self, repo: &str) -> Result<Option<Visibility>, HubError> {
        let request = self.request(Method::GET, &format!("/api/datasets/{repo}"));
        match self.send(request).await {
            Ok(response) => {
                let private = json_of(response).await?["private"].as_bool();
                // What is not said to be private is treated as seen by all.
                Ok(Some(if private == Some(true) { Visibility::Private } else { Visibility::Public }))
            }
            Err(HubError::Refused { status: 404, .. }) => Ok(None),
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
        match self.send(self.request(Method::POST, "/api/repos/create").json(&body)).await {
            Ok(_) => Ok(Created::New),
            Err(HubError::Refused { status: 409, .. }) => Ok(Created::Before),
            Err(error) => Err(error),
        }
    }

    /// Sets who may see a dataset.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn set_visibility(&self, repo: &str, visibility: Visibility) -> Result<(), HubError> {
        let request = self.request(Method::PUT, &format!("/api/datasets/{repo}/settings"));
        self.send(request.json(&json!({ "visibility": visibility.as_str() }))).await.map(drop)
    }

    /// Whether a file is in a dataset.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn has_file(&self, repo: &str, path: &str) -> Result<bool, HubError> {
        let request = self.request(Method::HEAD, &format!("/datasets/{repo}/resolve/main/{path}"));
        match self.send(request).await {
            Ok(_) => Ok(true),
            Err(HubError::Refused { status: 404, .. }) => Ok(false),
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
        let request = self.request(Method::POST, &format!("/api/datasets/{repo}/preupload/main"));
        let modes = json_of(self.send(request.json(&json!({ "files": asked }))).await?).await?;
        let by_lfs = modes["files"].as_array().into_iter().flatten().find(|it| it["uploadMode"] == "lfs");
        if let Some(file) = by_lfs {
            return Err(HubError::TooLarge { path: file["path"].as_str().unwrap_or_default().to_owned() });
        }
        let header = json!({ "key": "header", "value": { "summary": summary, "description": "" } });
        let mut body = format!("{header}\n");
        for file in files {
            let content = STANDARD.encode(file.content);
            let value = json!({ "content": content, "path": file.path, "encoding": "base64" });
            body.push_str(&json!({ "key": "file", "value": value }).to_string());
            body.push('\n');
        }
        let request = self
            .request(Method::POST, &format!("/api/datasets/{repo}/commit/main"))
            .header(reqwest::header::CONTENT_TYPE, "application/x-ndjson");
        self.send(request.body(body)).await.map(drop)
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.endpoint));
        match &self.token {
            Some(token) => request.bearer_auth(token.reveal()),
            None => request,
        }
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, HubError> {
        let response = request.send().await.map_err(|error| HubError::unreachable(&error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        if response.status() == StatusCode::TOO_MANY_REQUESTS {
            return Err(HubError::limited(response.headers()));
        }
        Err(HubError::refused(response).await)
    }
}

async fn json_of(response: Response) -> Result<Value, HubError> {
    response.json().await.map_err(|error| HubError::unreachable(&error))
}
