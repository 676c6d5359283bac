//! A sandbox: commands and files on a machine that is a Space, over the sandbox's HTTP API.
//!
//! Two keys: the Hub's token gets a request past the Space's door, the sandbox's own key past its server's. Both go
//! to the sandbox's address and to no other. Reads are tried again when the connection breaks; what may have changed
//! something is sent once, and the error says whether it can have arrived. Start at [`Sandbox`].

mod error;
mod key;

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::{RequestBuilder, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

pub use self::error::SandboxError;
pub use self::key::new_key;
use crate::secret::Secret;

/// How long one request may take. Commands are waited for in several requests.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Bytes of an answer that are taken: the largest file that is edited, as base64, and some.
const CAP: usize = 24 * 1024 * 1024;
/// How long one request waits for a command.
const WAIT: Duration = Duration::from_secs(5);
/// The pauses before reading is tried again.
const PAUSES: [Duration; 2] = [Duration::from_secs(3), Duration::from_secs(6)];

/// A sandbox. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Sandbox {
    http: reqwest::Client,
    url: String,
    hub: Option<Secret>,
    key: Secret,
    pauses: [Duration; 2],
}

/// What the sandbox answers. What a route does not say is empty.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Answer {
    /// Whether it was done.
    pub success: bool,
    /// What there is to show.
    pub output: String,
    /// Why it was not done.
    pub error: String,
    /// The command goes on.
    pub running: bool,
    /// Nobody knows this command.
    pub unknown: bool,
    /// The command's exit code; a signal's number below nought.
    pub exit_code: Option<i32>,
    /// The command's time was up.
    pub timed_out: bool,
    /// What stands at the path: `file`, `folder`, `binary`, `missing`, `other`.
    pub kind: String,
    /// Its real path.
    pub path: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// How the file is now; another one after each change.
    pub stamp: String,
    /// The file has changed since the stamp that was sent.
    pub changed: bool,
    /// The names where a missing file would be.
    pub names: Option<Vec<String>>,
    /// The names in a folder; folders end with a slash.
    pub entries: Vec<String>,
    /// Lines passed before the first one shown.
    pub passed: u64,
    /// Lines shown.
    pub lines: u64,
    /// Characters missing from lines that were cut, by the line's number.
    pub cut: BTreeMap<u64, u64>,
    /// The whole content in base64.
    pub content: String,
    /// What is wrong with a Python file that was written.
    pub warnings: Vec<String>,
}

/// A command to start.
#[derive(Debug, Clone)]
pub struct Command<'a> {
    /// Names it, so that it is never run twice.
    pub id: &'a str,
    /// As one would type it.
    pub command: &'a str,
    /// Where.
    pub folder: &'a str,
    /// How long it may take.
    pub limit: Duration,
    /// Characters of output that are wanted.
    pub output: usize,
}

impl Sandbox {
    /// The sandbox at this address.
    ///
    /// # Errors
    /// Only if TLS cannot be set up on this machine.
    pub fn new(url: &str, hub: Option<Secret>, key: Secret) -> anyhow::Result<Self> {
        let http = crate::clients::http::client(None)?;
        Ok(Self { http, url: url.trim_end_matches('/').to_owned(), hub, key, pauses: PAUSES })
    }

    /// The same, with these pauses before reading is tried again.
    #[must_use]
    pub fn with_pauses(self, pauses: [Duration; 2]) -> Self {
        Self { pauses, ..self }
    }

    /// Whether its server answers at all, tried once. Needs no key of the sandbox's.
    ///
    /// # Errors
    /// As [`SandboxError`] says.
    pub async fn health(&self) -> Result<(), SandboxError> {
        let request = self.http.get(format!("{}/api/health", self.url));
        let answer: Value = self.answer(self.past_the_door(request)).await?;
        if answer["status"] == "ok" { Ok(()) } else { Err(SandboxError::Strange) }
    }

    /// Whether something is at a path, tried once: answered only to the key.
    ///
    /// # Errors
    /// As [`SandboxError`] says.
    pub async fn exists(&self, path: &str) -> Result<bool, SandboxError> {
        Ok(self.once("exists", &json!({ "path": path })).await?.output == "true")
    }

    /// Starts a command and waits for it a little.
    ///
    /// # Errors
    /// As [`SandboxError`] says; [`SandboxError::may_have_arrived`] tells whether it can have been started.
    pub async fn start(&self, command: &Command<'_>) -> Result<Answer, SandboxError> {
        let body = json!({
            "command": command.command,
            "work_dir": command.folder,
            "timeout": command.limit.as_secs(),
            "id": command.id,
            "wait": WAIT.as_secs(),
            "max_chars": command.output,
        });
        self.once("bash", &body).await
    }

    /// Waits a little longer for a command that was started.
    ///
    /// # Errors
    /// As [`SandboxError`] says.
    pub async fn follow(&self, id: &str) -> Result<Answer, SandboxError> {
        self.patiently("bash", &json!({ "id": id, "wait": WAIT.as_secs() })).await
    }

    /// Ends a command and all that it started.
    ///
    /// # Errors
    /// As [`SandboxError`] says.
    pub async fn kill(&self, id: &str) -> Result<(), SandboxError> {
        self.once("kill", &json!({ "id": id })).await.map(drop)
    }

    /// Reads: what of it, the body says.
    ///
    /// # Errors
    /// As [`SandboxError`] says.
    pub async fn read(&self, body: &Value) -> Result<Answer, SandboxError> {
        self.patiently("read", body).await
    }

    /// Replaces or makes a file. With `seen`, only if the file still has that stamp (`none`: if there is none).
    ///
    /// # Errors
    /// As [`SandboxError`] says; [`SandboxError::may_have_arrived`] tells whether it can have been written.
    pub async fn write(&self, path: &str, content: &[u8], seen: &str) -> Result<Answer, SandboxError> {
        let mut body = json!({ "path": path, "seen": seen });
        match std::str::from_utf8(content) {
            Ok(text) => body["content"] = json!(text),
            Err(_) => {
                use base64::Engine;
                body["content_base64"] = json!(base64::engine::general_purpose::STANDARD.encode(content));
            }
        }
        self.once("write", &body).await
    }

    async fn once(&self, route: &str, body: &Value) -> Result<Answer, SandboxError> {
        let request = self.http.post(format!("{}/api/{route}", self.url)).json(body);
        let key = format!("Bearer {}", self.key.reveal());
        self.answer(self.past_the_door(request).header("X-Sandbox-Authorization", key)).await
    }

    /// The same, again after a pause if the connection broke or something else than the sandbox answered.
    async fn patiently(&self, route: &str, body: &Value) -> Result<Answer, SandboxError> {
        for pause in self.pauses {
            match self.once(route, body).await {
                Err(error) if error.may_pass() => tokio::time::sleep(pause).await,
                other => return other,
            }
        }
        self.once(route, body).await
    }

    fn past_the_door(&self, request: RequestBuilder) -> RequestBuilder {
        let request = request.timeout(TIMEOUT);
        match &self.hub {
            Some(token) => request.bearer_auth(token.reveal()),
            None => request,
        }
    }

    async fn answer<T: serde::de::DeserializeOwned>(
        &self,
        request: RequestBuilder,
    ) -> Result<T, SandboxError> {
        let mut response = request.send().await.map_err(|error| SandboxError::unreachable(&error))?;
        let status = response.status();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| SandboxError::unreachable(&error))? {
            if body.len() + chunk.len() > CAP {
                return Err(SandboxError::TooLarge(CAP));
            }
            body.extend_from_slice(&chunk);
        }
        if !status.is_success() {
            return Err(SandboxError::of(status, &body));
        }
        serde_json::from_slice(&body).map_err(|_| SandboxError::Strange)
    }
}

impl SandboxError {
    fn of(status: StatusCode, body: &[u8]) -> Self {
        let said: Option<Value> = serde_json::from_slice(body).ok();
        let said = said.as_ref().and_then(|said| said["error"].as_str());
        // The sandbox's own server answers in JSON; what is no JSON comes from the door in front of it.
        match (status.as_u16(), said) {
            (401, Some(_)) => Self::WrongKey,
            (503, Some(_)) => Self::NoKey,
            (401 | 403 | 404, None) => Self::Missing,
            (status, Some(said)) => {
                Self::Refused { status, message: crate::text::first_line(said, 200).into_owned() }
            }
            (status, None) => Self::NotReady { status },
        }
    }
}
