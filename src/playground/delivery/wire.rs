//! Socket Mode's side of delivery: one envelope to one connection, again if nobody acknowledges it.
//!
//! The first copy leaves in order; waiting for its acknowledgement goes on beside. Start at [`send`].

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::super::shared::Shared;
use super::{AckRecord, Parcel, ParcelKind, Redelivery};

/// How long a parcel waits for a connection, as Slack's retries would span about a minute.
const PATIENCE: Duration = Duration::from_secs(60);
/// Copies after the first.
const RETRIES: u32 = 3;

/// Sends the first copy and leaves the rest to a task of its own.
pub async fn send(shared: &Arc<Shared>, parcel: Parcel) {
    let envelope_id = uuid::Uuid::new_v4().to_string();
    let acked = shared.hub.expect(&envelope_id);
    if !sent(shared, &parcel, &envelope_id, 0).await {
        shared.hub.forget(&envelope_id);
        shared.acknowledged(AckRecord {
            id: parcel.id,
            kind: parcel.kind.envelope(),
            after: None,
            retries: 0,
        });
        return;
    }
    let shared = shared.clone();
    let first = Instant::now();
    tokio::spawn(async move {
        tokio::select! {
            () = shared.stop.cancelled() => {}
            () = see_through(&shared, parcel, &envelope_id, (acked, first)) => {}
        }
        shared.hub.forget(&envelope_id);
    });
}

type Awaited = (tokio::sync::mpsc::Receiver<Value>, Instant);

async fn see_through(
    shared: &Arc<Shared>,
    mut parcel: Parcel,
    envelope_id: &str,
    (mut acked, mut since): Awaited,
) {
    let most = match (shared.redelivery, parcel.kind) {
        (Redelivery::UntilAcked, _) => u32::MAX,
        (Redelivery::AsSlack, ParcelKind::Event) => RETRIES,
        (Redelivery::AsSlack, _) => 0,
    };
    let mut retries = 0;
    loop {
        if let Ok(Some(answer)) = tokio::time::timeout(shared.ack_within, acked.recv()).await {
            let after = Some(since.elapsed());
            let record = AckRecord { id: parcel.id.clone(), kind: parcel.kind.envelope(), after, retries };
            shared.acknowledged(record);
            if let Some(waiting) = parcel.answer.take() {
                // Whoever asked may have left.
                let _ = waiting.send(answer);
            }
            return;
        }
        if retries == most || !sent(shared, &parcel, envelope_id, retries + 1).await {
            break;
        }
        retries += 1;
        since = Instant::now();
    }
    shared.acknowledged(AckRecord { id: parcel.id, kind: parcel.kind.envelope(), after: None, retries });
}

/// Puts one copy on a connection, waiting for one if there is none; `false` if none came in time.
async fn sent(shared: &Arc<Shared>, parcel: &Parcel, envelope_id: &str, retry: u32) -> bool {
    let mut frame = json!({
        "envelope_id": envelope_id, "type": parcel.kind.envelope(), "payload": parcel.payload,
        "accepts_response_payload": parcel.kind != ParcelKind::Event,
    });
    if parcel.kind == ParcelKind::Event {
        frame["retry_attempt"] = retry.into();
        frame["retry_reason"] = if retry == 0 { "" } else { "timeout" }.into();
    }
    let text = frame.to_string();
    let deadline = Instant::now() + PATIENCE;
    loop {
        let opened = shared.hub.opened();
        if shared.hub.send(&text).await {
            return true;
        }
        let until =
            if shared.redelivery == Redelivery::UntilAcked { Instant::now() + PATIENCE } else { deadline };
        tokio::select! {
            () = shared.stop.cancelled() => return false,
            () = opened => {}
            () = tokio::time::sleep_until(until) => {
                if shared.redelivery == Redelivery::AsSlack {
                    return false;
                }
            }
        }
    }
}
