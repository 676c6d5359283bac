//! A service that is only read from: one host, bounded answers, patience with its limits.
//!
//! Owns sizes, time-outs, spacing and tries; every wait ends at once when the call is stopped. A token or key goes
//! to the service's own host: a redirect elsewhere is an error, not followed. Never logs a body, never puts an
//! address into an error. Start at [`Service::ask`].

mod error;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::{Method, Response, StatusCode};
use serde_json::Value;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

pub use self::error::ServiceError;
use crate::clock::Clock;
use crate::random::Random;
use crate::secret::Secret;

/// JSON of more bytes than this is read off the async threads.
const LARGE: usize = 512 * 1024;

/// How often and how long a service is asked again.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// How often it is asked in all.
    pub tries: u32,
    /// The wait before the second try; it doubles from try to try.
    pub first: Duration,
    /// No single wait is longer. Who is told to wait longer gives up and says so.
    pub longest: Duration,
}

/// What a service was told to be asked with.
#[derive(Debug)]
pub struct Ask<'a> {
    method: Method,
    path: &'a str,
    query: Vec<(&'static str, String)>,
    body: Option<Value>,
    header: Option<(&'static str, Secret)>,
    timeout: Duration,
    most: usize,
    spacing: Duration,
    patience: Option<Patience>,
}

impl<'a> Ask<'a> {
    /// A GET of this path, which is already percent-encoded. 15 s and 8 MB at most.
    #[must_use]
    pub fn get(path: &'a str) -> Self {
        Self {
            method: Method::GET,
            path,
            query: Vec::new(),
            body: None,
            header: None,
            timeout: Duration::from_secs(15),
            most: 8 * 1024 * 1024,
            spacing: Duration::ZERO,
            patience: None,
        }
    }

    /// A POST of this JSON to this path.
    #[must_use]
    pub fn post(path: &'a str, body: Value) -> Self {
        Self { method: Method::POST, body: Some(body), ..Self::get(path) }
    }

    /// The path.
    #[must_use]
    pub fn path(&self) -> &str {
        self.path
    }

    /// With this in the query.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// With this in the query, if there is a value.
    #[must_use]
    pub fn maybe(self, name: &'static str, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// With this account's token, if there is one.
    #[must_use]
    pub fn bearer(mut self, token: Option<&Secret>) -> Self {
        let value = |token: &Secret| Secret::new(&format!("Bearer {}", token.reveal()));
        self.header = token.map(|token| ("authorization", value(token)));
        self
    }

    /// With this key in a header of the service's own, if there is one.
    #[must_use]
    pub fn key(mut self, header: &'static str, key: Option<&Secret>) -> Self {
        self.header = key.map(|key| (header, key.clone()));
        self
    }

    /// An exchange may take this long.
    #[must_use]
    pub fn within(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// The answer may have this many bytes.
    #[must_use]
    pub fn most(self, most: usize) -> Self {
        Self { most, ..self }
    }

    /// This long after any other question to the service.
    #[must_use]
    pub fn spaced(self, spacing: Duration) -> Self {
        Self { spacing, ..self }
    }

    /// With other patience than the service's usual one.
    #[must_use]
    pub fn patience(self, patience: Patience) -> Self {
        Self { patience: Some(patience), ..self }
    }
}

/// One host. Cheap to clone; clones share the spacing.
#[derive(Debug, Clone)]
pub struct Service {
    http: reqwest::Client,
    base: String,
    patience: Patience,
    /// When the next question may go out.
    gate: Arc<Mutex<Instant>>,
    clock: Clock,
    random: Random,
}

impl Service {
    /// The service at this address.
    #[must_use]
    pub fn new(http: reqwest::Client, base: &str, patience: Patience, clock: Clock, random: Random) -> Self {
        let base = base.trim_end_matches('/').to_owned();
        Self { http, base, patience, gate: Arc::new(Mutex::new(Instant::now())), clock, random }
    }

    /// Its address, without a slash at the end.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Asks, and reads the answer as JSON.
    ///
    /// # Errors
    /// As [`ServiceError`] says.
    pub async fn json(&self, ask: Ask<'_>, cancel: &CancellationToken) -> Result<Value, ServiceError> {
        let bytes = self.ask(ask, cancel).await?;
        let read = if bytes.len() > LARGE {
            let work = tokio::task::spawn_blocking(move || serde_json::from_slice(&bytes));
            work.await.map_err(|_| ServiceError::Strange("it could not be read"))?
        } else {
            serde_json::from_slice(&bytes)
        };
        read.map_err(|_| ServiceError::Strange("it is no JSON"))
    }

    /// Asks; again where that can help, until patience ends.
    ///
    /// # Errors
    /// As [`ServiceError`] says.
    pub async fn ask(&self, ask: Ask<'_>, cancel: &CancellationToken) -> Result<Vec<u8>, ServiceError> {
        let patience = ask.patience.unwrap_or(self.patience);
        let mut wait = patience.first;
        let mut tries = 1;
        loop {
            self.pass(ask.spacing, patience.longest, cancel).await?;
            let answer = tokio::select! {
                biased;
                () = cancel.cancelled() => Err(ServiceError::Stopped),
                answer = self.exchange(&ask) => answer,
            };
            let error = match answer {
                Ok(bytes) => return Ok(bytes),
                Err(error) => error,
            };
            let pause = match &error {
                ServiceError::Limited { after: Some(after) } => *after,
                other if other.may_pass() => self.random.jitter(wait).min(patience.longest),
                _ => return Err(error),
            };
            if let ServiceError::Limited { .. } = error {
                // Everybody waits: the limit is the host's, not this question's.
                self.hold(pause);
            }
            if tries >= patience.tries || pause > patience.longest {
                return Err(error);
            }
            tokio::select! {
                biased;
                () = cancel.cancelled() => return Err(ServiceError::Stopped),
                () = tokio::time::sleep(pause) => {}
            }
            tries += 1;
            wait = wait.saturating_mul(2);
        }
    }

    /// Waits for this question's turn; `Limited` if it would not come within `longest`.
    async fn pass(
        &self,
        spacing: Duration,
        longest: Duration,
        cancel: &CancellationToken,
    ) -> Result<(), ServiceError> {
        let turn = {
            let mut next = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
            let now = Instant::now();
            let turn = now.max(*next);
            let wait = turn.saturating_duration_since(now);
            if wait > longest {
                return Err(ServiceError::Limited { after: Some(wait) });
            }
            *next = turn + spacing;
            turn
        };
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(ServiceError::Stopped),
            () = sleep_until(turn) => Ok(()),
        }
    }

    fn hold(&self, pause: Duration) {
        /// A host that names a day is not believed for longer than this.
        const MOST: Duration = Duration::from_secs(300);
        let mut next = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        *next = (*next).max(Instant::now() + pause.min(MOST));
    }

    async fn exchange(&self, ask: &Ask<'_>) -> Result<Vec<u8>, ServiceError> {
        let mut request =
            self.http.request(ask.method.clone(), format!("{}{}", self.base, ask.path)).timeout(ask.timeout);
        if !ask.query.is_empty() {
            request = request.query(&ask.query);
        }
        if let Some((name, value)) = &ask.header {
            request = request.header(*name, value.reveal());
        }
        if let Some(body) = &ask.body {
            request = request.json(body);
        }
        let response = request.send().await.map_err(|error| ServiceError::unreachable(&error))?;
        let status = response.status();
        if status.is_success() {
            return body(response, ask.most).await;
        }
        if status == StatusCode::TOO_MANY_REQUESTS {
            return Err(ServiceError::limited(response.headers(), self.clock.now()));
        }
        Err(ServiceError::refused(response).await)
    }
}

/// The whole answer, unless it is larger than allowed.
async fn body(mut response: Response, most: usize) -> Result<Vec<u8>, ServiceError> {
    let too_large = ServiceError::TooLarge { most };
    if response.content_length().is_some_and(|length| length > most as u64) {
        return Err(too_large);
    }
    let mut bytes = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|error| ServiceError::unreachable(&error))? {
        if bytes.len() + piece.len() > most {
            return Err(too_large);
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

/// One segment of a path: everything but letters, digits and `-._~` is encoded.
#[must_use]
pub fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
