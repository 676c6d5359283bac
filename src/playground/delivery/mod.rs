//! How what happened reaches the app: one dispatcher in front of Socket Mode or signed HTTP.
//!
//! Owns [`Parcel`] and the dispatcher, which also applies the faults of delivery (late, twice, out
//! of order). Start at [`dispatch`].

mod webhook;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::oneshot;

use super::faults::Fault;
use super::shared::{Shared, lock};

pub use webhook::{Endpoints, Webhooks};

/// How the app is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// Over the WebSocket that it opened.
    Socket,
    /// By signed requests to these addresses.
    Http {
        /// For events, `url_verification` included.
        events: String,
        /// For clicks, submissions and shortcuts.
        interactivity: String,
        /// For slash commands.
        commands: String,
    },
}

/// What becomes of a parcel that the app does not acknowledge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redelivery {
    /// As Slack: events up to three more times, clicks and commands not again. While nobody is
    /// connected, a parcel waits for up to a minute.
    AsSlack,
    /// Everything again and again until it is acknowledged, however long nobody is connected.
    UntilAcked,
}

/// Kind of parcel, by the endpoint that Slack would use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParcelKind {
    /// Events API.
    Event,
    /// Clicks, submissions, closed views, shortcuts.
    Interactive,
    /// Slash commands.
    Command,
}

impl ParcelKind {
    /// Slack's name of the Socket Mode envelope.
    pub fn envelope(self) -> &'static str {
        match self {
            Self::Event => "events_api",
            Self::Interactive => "interactive",
            Self::Command => "slash_commands",
        }
    }
}

/// One thing on its way to the app.
#[derive(Debug)]
pub struct Parcel {
    /// What it is.
    pub kind: ParcelKind,
    /// Its event id, or the trigger's.
    pub id: String,
    /// Its body.
    pub payload: Value,
    /// Where the acknowledgement's payload goes.
    pub answer: Option<oneshot::Sender<Value>>,
}

/// One parcel's acknowledgement, or that it never came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AckRecord {
    /// The event id, or the trigger's.
    pub id: String,
    /// `events_api`, `interactive` or `slash_commands`.
    pub kind: &'static str,
    /// Real time from the sending of the acknowledged copy to its acknowledgement; `None` if given up.
    pub after: Option<Duration>,
    /// Copies sent before the acknowledged one.
    pub retries: u32,
}

/// Takes parcels in order and hands them over, until the workspace stops.
pub async fn dispatch(shared: Arc<Shared>, webhooks: Option<Arc<Webhooks>>) {
    let mut held: Vec<Parcel> = Vec::new();
    loop {
        let reordering = lock(&shared.faults).reordering();
        if !reordering {
            // Held back until enough had come, or until the fault was cleared.
            for late in held.drain(..).rev() {
                hand_over(&shared, webhooks.as_ref(), late).await;
            }
        }
        let Some(parcel) = shared.next_parcel() else {
            tokio::select! {
                () = shared.stop.cancelled() => return,
                () = shared.parcels_waiting.notified() => continue,
            }
        };
        if lock(&shared.faults).strike(|it| matches!(it, Fault::ReorderEvents { .. })).is_some() {
            held.push(parcel);
        } else {
            hand_over(&shared, webhooks.as_ref(), parcel).await;
        }
    }
}

async fn hand_over(shared: &Arc<Shared>, webhooks: Option<&Arc<Webhooks>>, parcel: Parcel) {
    let delay = lock(&shared.faults).strike(|it| matches!(it, Fault::DelayEvents { .. }));
    let twin = lock(&shared.faults).strike(|it| matches!(it, Fault::DuplicateEvents { .. })).is_some();
    let copy = twin.then(|| Parcel {
        kind: parcel.kind,
        id: parcel.id.clone(),
        payload: parcel.payload.clone(),
        answer: None,
    });
    if let Some(Fault::DelayEvents { millis, .. }) = delay {
        let (shared, webhooks) = (shared.clone(), webhooks.cloned());
        // Late ones must not hold up those behind them.
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(millis)).await;
            send(&shared, webhooks.as_ref(), parcel).await;
            if let Some(copy) = copy {
                send(&shared, webhooks.as_ref(), copy).await;
            }
        });
        return;
    }
    send(shared, webhooks, parcel).await;
    if let Some(copy) = copy {
        send(shared, webhooks, copy).await;
    }
}

async fn send(shared: &Arc<Shared>, webhooks: Option<&Arc<Webhooks>>, parcel: Parcel) {
    match webhooks {
        Some(webhooks) => webhooks.send(shared, parcel).await,
        None => wire::send(shared, parcel).await,
    }
}
