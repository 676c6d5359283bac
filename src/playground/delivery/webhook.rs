//! Signed HTTP delivery: events, interactivity and commands to the app's own addresses.
//!
//! Signs as Slack does (`v0`, HMAC-SHA256) and retries as Slack does. Start at [`Webhooks::send`].

use std::sync::Arc;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::super::shared::Shared;
use super::{AckRecord, Parcel, ParcelKind, Redelivery};

/// Requests under way at once.
const AT_ONCE: usize = 256;
/// Pauses before the copies after the first: at once, a minute, five minutes.
const PAUSES: [Duration; 3] = [Duration::ZERO, Duration::from_secs(60), Duration::from_secs(300)];

/// Where the app listens.
#[derive(Debug, Clone)]
pub struct Endpoints {
    pub events: String,
    pub interactivity: String,
    pub commands: String,
}

/// The sender.
#[derive(Debug)]
pub struct Webhooks {
    http: reqwest::Client,
    endpoints: Endpoints,
    at_once: Arc<Semaphore>,
}

/// What one request came to.
enum Outcome {
    Acked(Value),
    Failed { reason: &'static str, no_retry: bool },
}

/// Slack's signature of a body sent at this second.
pub fn signature(secret: &str, seconds: i64, body: &[u8]) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(format!("v0:{seconds}:").as_bytes());
    mac.update(body);
    format!("v0={}", hex::encode(mac.finalize().into_bytes()))
}

impl Webhooks {
    pub fn new(endpoints: Endpoints) -> anyhow::Result<Self> {
        #[expect(
            clippy::disallowed_methods,
            reason = "the playground is Slack's side of the wire, not a client of ours"
        )]
        let http =
            reqwest::Client::builder().redirect(reqwest::redirect::Policy::limited(2)).no_proxy().build()?;
        Ok(Self { http, endpoints, at_once: Arc::new(Semaphore::new(AT_ONCE)) })
    }

    /// Asks the events address to prove itself, as Slack does when it is entered.
    pub async fn verify(&self, shared: &Shared) -> anyhow::Result<()> {
        let challenge = uuid::Uuid::new_v4().simple().to_string();
        let body = json!({"token": "verification-token", "challenge": challenge, "type": "url_verification"})
            .to_string();
        let request = self.request(shared, &self.endpoints.events, "application/json", body.into_bytes());
        let answer = request.send().await?.error_for_status()?.text().await?;
        anyhow::ensure!(answer.contains(&challenge), "the events address did not answer with the challenge");
        Ok(())
    }

    fn request(&self, shared: &Shared, url: &str, media: &str, body: Vec<u8>) -> reqwest::RequestBuilder {
        let seconds = shared.clock.now().seconds();
        let signature = signature(&shared.secrets.signing_secret, seconds, &body);
        self.http
            .post(url)
            .timeout(shared.ack_within)
            .header("content-type", media)
            .header("user-agent", "Slackbot 1.0 (+https://api.slack.com/robots)")
            .header("x-slack-request-timestamp", seconds.to_string())
            .header("x-slack-signature", signature)
            .body(body)
    }

    /// Starts the delivery of one parcel; waits only if too many are under way.
    pub async fn send(self: &Arc<Self>, shared: &Arc<Shared>, parcel: Parcel) {
        let Ok(permit) = self.at_once.clone().acquire_owned().await else { return };
        let (webhooks, shared) = (self.clone(), shared.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = shared.stop.cancelled() => {}
                () = webhooks.see_through(&shared, parcel) => {}
            }
            drop(permit);
        });
    }

    async fn see_through(&self, shared: &Shared, mut parcel: Parcel) {
        let mut retries = 0;
        let mut reason = "";
        loop {
            let since = Instant::now();
            match self.attempt(shared, &parcel, (retries, reason)).await {
                Outcome::Acked(answer) => {
                    let (kind, after) = (parcel.kind.envelope(), Some(since.elapsed()));
                    shared.acknowledged(AckRecord { id: parcel.id.clone(), kind, after, retries });
                    if let Some(waiting) = parcel.answer.take() {
                        // Whoever asked may have left.
                        let _ = waiting.send(answer);
                    }
                    return;
                }
                Outcome::Failed { reason: why, no_retry } => {
                    reason = why;
                    let pause = match (shared.redelivery, parcel.kind) {
                        (Redelivery::UntilAcked, _) => Some(Duration::from_millis(500)),
                        (Redelivery::AsSlack, ParcelKind::Event) => PAUSES.get(retries as usize).copied(),
                        (Redelivery::AsSlack, _) => None,
                    };
                    let Some(pause) = pause.filter(|_| !no_retry) else { break };
                    tokio::time::sleep(pause).await;
                    retries += 1;
                }
            }
        }
        shared.acknowledged(AckRecord { id: parcel.id, kind: parcel.kind.envelope(), after: None, retries });
    }

    async fn attempt(&self, shared: &Shared, parcel: &Parcel, (retry, reason): (u32, &str)) -> Outcome {
        let (url, media, body) = match parcel.kind {
            ParcelKind::Event => (&self.endpoints.events, "application/json", parcel.payload.to_string()),
            ParcelKind::Interactive => {
                let form = encode(&[("payload", &parcel.payload.to_string())]);
                (&self.endpoints.interactivity, "application/x-www-form-urlencoded", form)
            }
            ParcelKind::Command => {
                let fields = parcel.payload.as_object();
                let pairs: Vec<_> = fields
                    .into_iter()
                    .flatten()
                    .map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default()))
                    .collect();
                (&self.endpoints.commands, "application/x-www-form-urlencoded", encode(&pairs))
            }
        };
        let mut request = self.request(shared, url, media, body.into_bytes());
        if retry > 0 {
            request =
                request.header("x-slack-retry-num", retry.to_string()).header("x-slack-retry-reason", reason);
        }
        match request.send().await {
            Ok(answer) if answer.status().is_success() => {
                let text = answer.text().await.unwrap_or_default();
                // A command may be answered in plain words.
                let words = if text.is_empty() { Value::Null } else { Value::String(text.clone()) };
                Outcome::Acked(serde_json::from_str(&text).unwrap_or(words))
            }
            Ok(answer) => {
                let no_retry = answer.headers().get("x-slack-no-retry").is_some_and(|it| it == "1");
                Outcome::Failed { reason: "http_error", no_retry }
            }
            Err(error) if error.is_timeout() => Outcome::Failed { reason: "http_timeout", no_retry: false },
            Err(error) if error.is_redirect() => {
                Outcome::Failed { reason: "too_many_redirects", no_retry: false }
            }
            Err(_) => Outcome::Failed { reason: "connection_failed", no_retry: false },
        }
    }
}

/// `application/x-www-form-urlencoded`.
fn encode(pairs: &[(&str, &str)]) -> String {
    let escaped = |text: &str| {
        let mut out = String::with_capacity(text.len());
        for byte in text.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'*' => out.push(byte as char),
                b' ' => out.push('+'),
                other => out.push_str(&format!("%{other:02X}")),
            }
        }
        out
    };
    pairs
        .iter()
        .map(|(name, value)| format!("{}={}", escaped(name), escaped(value)))
        .collect::<Vec<_>>()
        .join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_one_in_slacks_own_guide() {
        let body = b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
        assert_eq!(
            signature("8f742231b10e8888abcd99yyyzzz85a5", 1_531_420_618, body),
            "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
        );
    }

    #[test]
    fn forms_come_back_as_they_went() {
        let form = encode(&[("payload", "{\"a\":\"é & b+c\"}")]);
        let back = crate::playground::api::decode_form(form.as_bytes()).unwrap();
        assert_eq!(back, [("payload".to_owned(), "{\"a\":\"é & b+c\"}".to_owned())]);
    }
}
