//! What tests of jobs, Spaces and buckets share: a small Hub, and people who ask it by plain HTTP.

use std::time::Duration;

use serde_json::Value;

use super::{HubOptions, SmallHub};
use crate::clock::{Clock, Timestamp};

/// The 22nd of November 2026, 10 o'clock.
pub(super) const MORNING: Timestamp = Timestamp(1_795_341_600_000);

/// A Hub whose clock stands still until it is told to go on.
pub(super) async fn standing() -> (SmallHub, Clock) {
    let clock = Clock::manual(MORNING);
    (SmallHub::start(HubOptions::new(clock.clone())).await.unwrap(), clock)
}

/// Somebody with a token, or nobody.
pub(super) struct Asker {
    http: reqwest::Client,
    address: String,
    token: Option<String>,
}

/// Status and body.
pub(super) type Answer = (u16, Value);

impl Asker {
    pub(super) fn new(address: &str, token: Option<String>) -> Self {
        #[expect(clippy::disallowed_methods, reason = "a test that asks as a stranger would")]
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { http, address: address.to_owned(), token }
    }

    pub(super) fn alice(hub: &SmallHub) -> Self {
        Self::new(hub.url(), Some(HubOptions::token_of("alice")))
    }

    pub(super) fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method.parse().unwrap(), format!("{}{path}", self.address));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub(super) async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let request = self.request(method, path);
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, None).await
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask("POST", path, Some(body)).await
    }
}

/// Waits until `look` finds something; fails after 20 s.
pub(super) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..1000 {
        if let Some(found) = look().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("waited in vain for {what}");
}
