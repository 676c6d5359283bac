//! Envelopes of Socket Mode.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Answer, Listener};
use crate::clients::slack::{Ack, Envelope, EnvelopeHandler};
use crate::slack::translate::{self, Inbound};

/// Feeds envelopes to the listener.
pub struct Envelopes(pub Arc<Listener>);

#[async_trait]
impl EnvelopeHandler for Envelopes {
    async fn handle(&self, envelope: Envelope) -> Ack {
        if envelope.retry_attempt > 0 {
            metrics::counter!("slack_redeliveries_total", "by" => "socket").increment(1);
        }
        let us = self.0.us();
        let inbound = match envelope.kind.as_str() {
            "events_api" => translate::event(&envelope.payload, us),
            "interactive" => translate::interaction(&envelope.payload, us),
            "slash_commands" => translate::command(&envelope.payload, us),
            _ => Inbound::Nothing("an envelope of a kind that we do not know"),
        };
        match self.0.take(inbound).await {
            Answer::Taken => Ack::Plain,
            Answer::Show(payload) => Ack::Payload(payload),
            Answer::Again => Ack::Withhold,
        }
    }
}
