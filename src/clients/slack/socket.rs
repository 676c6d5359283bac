//! Socket Mode: keeps the configured number of connections open until told to stop.
//!
//! Owns opening, back-off, the handshake watchdog and refreshing without a gap; one connection is
//! `connection.rs`. `docs/decisions.md` says why this loop is ours. Start at [`SocketMode::run`].

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::api::SlackApi;
use super::connection::Connection;
use super::error::SlackError;
use crate::random::Random;

/// How many envelopes are handled at once, over all connections.
const AT_ONCE: usize = 256;

/// One delivery.
#[derive(Debug, Clone, PartialEq)]
pub struct Envelope {
    /// What an acknowledgement names.
    pub id: String,
    /// `events_api`, `interactive`, `slash_commands`, or something new.
    pub kind: String,
    /// What Slack delivers, as it came.
    pub payload: Value,
    /// Whether the acknowledgement may carry an answer.
    pub accepts_payload: bool,
    /// How often Slack has tried before.
    pub retry_attempt: u64,
}

impl Envelope {
    /// Reads a frame; `None` if there is nothing to acknowledge.
    pub(super) fn read(mut frame: Value) -> Option<Self> {
        Some(Self {
            id: frame["envelope_id"].as_str()?.to_owned(),
            kind: frame["type"].as_str().unwrap_or_default().to_owned(),
            accepts_payload: frame["accepts_response_payload"].as_bool().unwrap_or(false),
            retry_attempt: frame["retry_attempt"].as_u64().unwrap_or(0),
            payload: frame["payload"].take(),
        })
    }
}

/// What Slack is told about an envelope.
#[derive(Debug, Clone, PartialEq)]
pub enum Ack {
    /// It is taken.
    Plain,
    /// It is taken, and this is the answer.
    Payload(Value),
    /// It is not taken: Slack sends it again.
    Withhold,
}

/// Takes envelopes in. Return only when the envelope is safe: the acknowledgement follows.
#[async_trait]
pub trait EnvelopeHandler: Send + Sync + 'static {
    /// Takes one envelope.
    async fn handle(&self, envelope: Envelope) -> Ack;
}

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub struct SocketTimes {
    /// Connecting, and again the wait for `hello`.
    pub handshake: Duration,
    /// Between our pings.
    pub ping: Duration,
    /// A connection without any frame for so long is dead.
    pub silence: Duration,
    /// Handlers in flight when a connection ends.
    pub drain: Duration,
    /// The first wait after a failure; doubled up to [`SocketTimes::longest_wait`].
    pub first_wait: Duration,
    /// The longest wait between two tries.
    pub longest_wait: Duration,
}

impl Default for SocketTimes {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(15),
            ping: Duration::from_secs(10),
            silence: Duration::from_secs(30),
            drain: Duration::from_secs(10),
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(60),
        }
    }
}

/// Keeps connections open.
#[derive(Clone)]
pub struct SocketMode {
    api: Arc<SlackApi>,
    handler: Arc<dyn EnvelopeHandler>,
    connections: u8,
    times: SocketTimes,
    random: Random,
    slots: Arc<Semaphore>,
    /// Held while one connection is replaced, so that the others stay.
    replacing: Arc<Semaphore>,
    open: Arc<AtomicUsize>,
}

/// Counts one open connection for as long as it lives.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(open: &Arc<AtomicUsize>) -> Self {
        open.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(open))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl SocketMode {
    /// `connections` (1 to 10) connections that hand envelopes to `handler`.
    #[must_use]
    pub fn new(
        api: Arc<SlackApi>,
        handler: Arc<dyn EnvelopeHandler>,
        connections: u8,
        times: SocketTimes,
        random: Random,
    ) -> Self {
        Self {
            api,
            handler,
            connections: connections.clamp(1, 10),
            times,
            random,
            slots: Arc::new(Semaphore::new(AT_ONCE)),
            replacing: Arc::new(Semaphore::new(1)),
            open: Arc::default(),
        }
    }

    /// Whether Slack can reach us: at least one connection has had its `hello`.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.open.load(Ordering::SeqCst) > 0
    }

    /// Runs until cancelled, then drains. Cancel safe only through `cancel`.
    ///
    /// # Errors
    /// Only if the token will never work again; everything else is waited out.
    pub async fn run(&self, cancel: CancellationToken) -> Result<(), SlackError> {
        let stop = cancel.child_token();
        let mut slots = JoinSet::new();
        for index in 0..self.connections {
            let (mode, stop) = (self.clone(), stop.clone());
            slots.spawn(async move { mode.keep_open(index, stop).await });
        }
        let mut result = Ok(());
        while let Some(end) = slots.join_next().await {
            match end {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    tracing::error!(%error, "Socket Mode stops for good");
                    result = Err(error);
                    stop.cancel();
                }
                Err(_) => {
                    result = Err(SlackError::Transport("a connection's task ended".to_owned()));
                    stop.cancel();
                }
            }
        }
        result
    }

    async fn keep_open(&self, index: u8, stop: CancellationToken) -> Result<(), SlackError> {
        let mut failures: u32 = 0;
        let mut old: Option<Connection> = None;
        loop {
            let opened = tokio::select! {
                () = stop.cancelled() => None,
                opened = self.open() => Some(opened),
            };
            let mut connection = match opened {
                None => return drain(old).await,
                Some(Ok(connection)) => connection,
                Some(Err(error)) if error.token_is_dead() => {
                    drain(old).await?;
                    return Err(error);
                }
                Some(Err(error)) => {
                    tracing::warn!(connection = index, %error, "a Socket Mode connection could not be opened");
                    if self.wait_after(&mut failures, &error, &stop).await {
                        continue;
                    }
                    return drain(old).await;
                }
            };
            tracing::info!(connection = index, "a Socket Mode connection is open");
            metrics::counter!("slack_socket_opened_total").increment(1);
            // The successor is there: the old one may go, and its envelopes in flight are acknowledged.
            if let Some(old) = old.take() {
                tokio::spawn(old.drain());
            }
            let _counted = Counted::new(&self.open);
            let born = Instant::now();
            let end = tokio::select! {
                () = stop.cancelled() => return drain(Some(connection)).await,
                end = connection.successor_wanted() => end,
            };
            if born.elapsed() > self.times.silence {
                failures = 0;
            }
            match end {
                None => old = Some(connection),
                Some(why) => {
                    tracing::info!(connection = index, why, "a Socket Mode connection ended");
                    tokio::spawn(connection.drain());
                }
            }
            let lost = SlackError::Transport("the connection ended".to_owned());
            // The first replacement of a connection that lived is immediate; a storm is not.
            if failures == 0 && born.elapsed() > Duration::from_secs(1) {
                failures = 1;
            } else if !self.wait_after(&mut failures, &lost, &stop).await {
                return drain(old).await;
            }
        }
    }

    /// Waits longer after each failure; false if told to stop meanwhile.
    async fn wait_after(&self, failures: &mut u32, error: &SlackError, stop: &CancellationToken) -> bool {
        let backoff = self.times.first_wait.saturating_mul(2_u32.saturating_pow((*failures).min(16)));
        *failures = failures.saturating_add(1);
        let mut wait = self.random.jitter(backoff.min(self.times.longest_wait));
        if let SlackError::RateLimited { retry_after } = error {
            wait = wait.max(*retry_after);
        }
        tokio::select! {
            () = stop.cancelled() => false,
            () = tokio::time::sleep(wait) => true,
        }
    }

    /// Opens one connection and waits for its `hello`. One at a time.
    async fn open(&self) -> Result<Connection, SlackError> {
        let _turn = self.replacing.acquire().await.ok();
        let url = self.api.open_connection().await?;
        // Without delay: an acknowledgement must not wait for the one before it to be confirmed.
        let connecting = tokio_tungstenite::connect_async_with_config(url, None, true);
        let (stream, _) = tokio::time::timeout(self.times.handshake, connecting)
            .await
            .map_err(|_| SlackError::Transport("the WebSocket handshake took too long".to_owned()))?
            .map_err(|_| SlackError::Transport("the WebSocket handshake failed".to_owned()))?;
        let mut connection =
            Connection::start(stream, Arc::clone(&self.handler), self.times, Arc::clone(&self.slots));
        match connection.ready(self.times.handshake).await {
            Ok(()) => Ok(connection),
            Err(why) => Err(SlackError::Transport(why)),
        }
    }
}

async fn drain(connection: Option<Connection>) -> Result<(), SlackError> {
    if let Some(connection) = connection {
        connection.drain().await;
    }
    Ok(())
}
