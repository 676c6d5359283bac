//! The gateway: named destinations, the durable outbox, and the loop that empties it.
//!
//! A notice is queued in the store under an id made from its cause, so that it is queued once;
//! [`Gateway::run`] claims what is due, sends it, and settles it. Never drops a notice silently:
//! one that cannot arrive is settled as failed with the reason.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::kind::{DestinationKind, SendError};
use super::slack::{SlackChannel, SlackPost};
use crate::clock::Clock;
use crate::config::messaging::{Destination, MessagingConfig};
use crate::protocol::Notice;
use crate::secret::Secret;
use crate::store::{Delivered, Delivery, Ledger, Pushed, StoreError};
use crate::text::redact;

/// How many deliveries one round takes.
const ROUND: u32 = 8;
/// How long one try may take.
const TRY: Duration = Duration::from_secs(20);
/// For how long a round holds its deliveries: longer than all its tries one after another.
const HOLD: Duration = Duration::from_secs(240);
/// How often the outbox is looked at without being told to.
const LOOK: Duration = Duration::from_secs(1);
/// The wait before try number two, three, and so on, in seconds; the last one repeats.
const WAITS: [u64; 8] = [1, 2, 4, 30, 60, 120, 300, 600];
/// Tries before a notice is given up: about two hours after the first.
const TRIES: u32 = 18;
/// The longest wait that a destination may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(3_600);

/// Named destinations and what leads there.
pub struct Gateway {
    destinations: BTreeMap<String, Entry>,
    ledger: Arc<dyn Ledger>,
    clock: Clock,
    secrets: Vec<Secret>,
    queued: Notify,
    settled: Notify,
}

struct Entry {
    kind: Arc<dyn DestinationKind>,
    allow_agent_tool: bool,
    allow_auto_events: bool,
}

/// Why a notice was not queued.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    /// There is no such destination (all of them are unknown while messaging is off).
    #[error("there is no destination named `{0}`")]
    Unknown(String),
    /// The outbox could not keep it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What became of a queued notice within the time somebody was ready to wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It arrived.
    Sent,
    /// It never will, because.
    Failed(String),
    /// Not yet; it stays in the outbox and is tried again.
    Open,
}

impl Gateway {
    /// The destinations of `config` (none if messaging is off); Slack ones are reached through `slack`.
    #[must_use]
    pub fn new(
        config: &MessagingConfig,
        ledger: Arc<dyn Ledger>,
        clock: Clock,
        slack: Arc<dyn SlackPost>,
    ) -> Self {
        let mut gateway = Self {
            destinations: BTreeMap::new(),
            ledger,
            clock,
            secrets: Vec::new(),
            queued: Notify::new(),
            settled: Notify::new(),
        };
        for (name, destination) in config.destinations.iter().filter(|_| config.enabled) {
            let entry = match destination {
                Destination::Slack(channel) => {
                    gateway.secrets.push(channel.token.clone());
                    Entry {
                        kind: Arc::new(SlackChannel::new(channel.clone(), Arc::clone(&slack))),
                        allow_agent_tool: channel.allow_agent_tool,
                        allow_auto_events: channel.allow_auto_events,
                    }
                }
            };
            gateway.destinations.insert(name.clone(), entry);
        }
        gateway
    }

    /// Adds secrets that must not appear in any notice, by value.
    #[must_use]
    pub fn keeping_secret(mut self, secrets: Vec<Secret>) -> Self {
        self.secrets.extend(secrets);
        self
    }

    /// Whether there is a destination of this name.
    #[must_use]
    pub fn knows(&self, destination: &str) -> bool {
        self.destinations.contains_key(destination)
    }

    /// Names of the destinations that the `notify` tool may use.
    #[must_use]
    pub fn for_agent(&self) -> Vec<&str> {
        self.names(|entry| entry.allow_agent_tool)
    }

    /// Names of the destinations that events send to by themselves.
    #[must_use]
    pub fn for_events(&self) -> Vec<&str> {
        self.names(|entry| entry.allow_auto_events)
    }

    fn names(&self, wanted: impl Fn(&Entry) -> bool) -> Vec<&str> {
        self.destinations.iter().filter(|(_, entry)| wanted(entry)).map(|(name, _)| name.as_str()).collect()
    }

    /// Keeps a notice durably for `destination`, with secrets taken out. `id` is made from the cause;
    /// the same id is queued once.
    ///
    /// # Errors
    /// No such destination, or the store failed.
    pub async fn notify(&self, destination: &str, notice: Notice, id: &str) -> Result<Pushed, NotifyError> {
        if !self.knows(destination) {
            return Err(NotifyError::Unknown(destination.to_owned()));
        }
        let delivery = Delivery {
            id: id.to_owned(),
            destination: destination.to_owned(),
            notice: self.scrub(notice),
            attempts: 0,
        };
        let pushed = self.ledger.enqueue(delivery, self.clock.now()).await?;
        self.queued.notify_one();
        Ok(pushed)
    }

    fn scrub(&self, notice: Notice) -> Notice {
        let clean = |text: &str| redact(text, &self.secrets).into_owned();
        Notice {
            title: notice.title.as_deref().map(clean),
            message: clean(&notice.message),
            metadata: notice.metadata.into_iter().map(|(key, value)| (key, clean(&value))).collect(),
            ..notice
        }
    }

    /// How a notice stands, waiting up to `within` for it to be settled.
    ///
    /// # Errors
    /// The store failed.
    pub async fn outcome(&self, id: &str, within: Duration) -> Result<Outcome, StoreError> {
        let settled = async {
            loop {
                let next = self.settled.notified();
                match self.standing(id).await? {
                    // Another process may settle it, so look now and then as well.
                    Outcome::Open => {
                        let _ = tokio::time::timeout(Duration::from_millis(250), next).await;
                    }
                    known => return Ok(known),
                }
            }
        };
        match tokio::time::timeout(within, settled).await {
            Ok(outcome) => outcome,
            Err(_) => self.standing(id).await,
        }
    }

    async fn standing(&self, id: &str) -> Result<Outcome, StoreError> {
        Ok(match self.ledger.delivery(id).await? {
            Some(Delivered::Sent { .. }) => Outcome::Sent,
            Some(Delivered::Failed { error }) => Outcome::Failed(error),
            Some(Delivered::Again { .. }) | None => Outcome::Open,
        })
    }

    /// Delivers until `cancel` fires. The try in hand is finished first, because one that is broken
    /// off may have arrived; it takes 20 s at most. The rest stays in the outbox.
    pub async fn run(&self, cancel: CancellationToken) {
        let mut pause = LOOK;
        while !cancel.is_cancelled() {
            pause = match self.rounds(&cancel).await {
                Err(error) => {
                    tracing::warn!(%error, "the outbox of notices cannot be read");
                    (pause * 2).min(Duration::from_secs(60))
                }
                Ok(_) => LOOK,
            };
            tokio::select! {
                () = cancel.cancelled() => {}
                () = self.queued.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Tries everything that is due now, once. Gives how many tries were made.
    ///
    /// # Errors
    /// The store failed.
    pub async fn drain(&self) -> Result<usize, StoreError> {
        self.rounds(&CancellationToken::new()).await
    }

    async fn rounds(&self, cancel: &CancellationToken) -> Result<usize, StoreError> {
        let mut tries = 0;
        loop {
            if cancel.is_cancelled() {
                return Ok(tries);
            }
            let due = self.ledger.claim_deliveries(self.clock.now(), ROUND, HOLD).await?;
            if due.is_empty() {
                return Ok(tries);
            }
            tries += due.len();
            // Destinations side by side; within one, in order.
            let mut by_destination: BTreeMap<String, Vec<Delivery>> = BTreeMap::new();
            for delivery in due {
                by_destination.entry(delivery.destination.clone()).or_default().push(delivery);
            }
            let rounds = by_destination.into_values().map(|queue| self.deliver_all(queue, cancel));
            futures::future::try_join_all(rounds).await?;
        }
    }

    async fn deliver_all(&self, queue: Vec<Delivery>, cancel: &CancellationToken) -> Result<(), StoreError> {
        // Set when the destination asks us to wait: what stands behind waits as long, unsent.
        let mut put_off: Option<Delivered> = None;
        for delivery in queue {
            let outcome = if cancel.is_cancelled() {
                Delivered::Again { at: self.clock.now(), error: "shutting down".to_owned() }
            } else if let Some(wait) = &put_off {
                wait.clone()
            } else {
                let (outcome, asked) = self.deliver(&delivery).await;
                put_off = (asked == Asked::ToWait).then(|| outcome.clone());
                outcome
            };
            match &outcome {
                Delivered::Sent { .. } => tracing::debug!(id = delivery.id, "notice sent"),
                Delivered::Again { error, .. } => {
                    tracing::info!(
                        id = delivery.id,
                        attempts = delivery.attempts,
                        error,
                        "notice will be tried again"
                    );
                }
                Delivered::Failed { error } => {
                    tracing::error!(id = delivery.id, error, "a notice could not be delivered, for good")
                }
            }
            self.ledger.settle_delivery(&delivery.id, outcome).await?;
            self.settled.notify_waiters();
        }
        Ok(())
    }

    async fn deliver(&self, delivery: &Delivery) -> (Delivered, Asked) {
        let failed = |error: String| (Delivered::Failed { error }, Asked::Nothing);
        let Some(entry) = self.destinations.get(&delivery.destination) else {
            return failed(format!("there is no destination `{}` any more", delivery.destination));
        };
        let sent = tokio::time::timeout(TRY, entry.kind.send(&delivery.notice)).await;
        let (after, reason) = match sent {
            Ok(Ok(external_id)) => return (Delivered::Sent { external_id }, Asked::Nothing),
            Ok(Err(SendError::Final(error))) => return failed(error),
            Ok(Err(SendError::Again { after, reason })) => (after, reason),
            Err(_) => (None, format!("{} did not answer in time", entry.kind.provider())),
        };
        if delivery.attempts >= TRIES {
            return failed(format!("given up after {} tries: {reason}", delivery.attempts));
        }
        let wait = wait_after(delivery.attempts).max(after.unwrap_or_default().min(LONGEST_WAIT));
        let asked = if after.is_some() { Asked::ToWait } else { Asked::Nothing };
        (Delivered::Again { at: self.clock.now().plus(wait), error: reason }, asked)
    }
}

/// What a destination asked of us besides its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Nothing,
    ToWait,
}

/// The wait after try number `attempts`.
fn wait_after(attempts: u32) -> Duration {
    let index = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX).min(WAITS.len() - 1);
    Duration::from_secs(WAITS[index])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_from_a_second_to_minutes() {
        let waits: Vec<u64> = [0, 1, 2, 3, 4, 8, 99].map(|n| wait_after(n).as_secs()).to_vec();
        assert_eq!(waits, [1, 1, 2, 4, 30, 600, 600]);
    }
}
