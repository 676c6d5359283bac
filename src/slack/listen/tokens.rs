//! People's own Hub tokens: `!token`.
//!
//! A token is taken in a direct message only and goes straight to whoever keeps it: into no operation, no
//! session, no log. Its check happens behind the acknowledgement; if the process dies meanwhile nothing is
//! kept, and the person, who hears nothing, sends it again.

use std::sync::Arc;

use serde_json::json;

use super::{Answer, Listener};
use crate::clients::slack::Method;
use crate::protocol::PersonId;
use crate::slack::place::Place;
use crate::slack::tokens::TokenDesk;
use crate::slack::translate::{Addressed, Spoken, TokenWish};
use crate::slack::{buttons, say};
use crate::text::redact_hub_tokens;

impl Listener {
    /// Has tokens kept there. The first one counts.
    pub fn take_tokens(&self, desk: Arc<dyn TokenDesk>) {
        if self.tokens.set(desk).is_err() {
            tracing::warn!("tokens are kept by whoever was named first");
        }
    }

    /// Does what somebody wants of their token. Takes nothing of it any further than the desk.
    pub(super) async fn token(self: &Arc<Self>, spoken: &Spoken, wish: TokenWish) -> Answer {
        let Spoken { place, person, ts, addressed, .. } = spoken;
        // In a thread of others only a token of the Hub is our business: its owner should hear of it.
        let shown = matches!(&wish, TokenWish::Give(token) if token.reveal().starts_with("hf_"));
        if *addressed == Addressed::Thread && !shown {
            match self.knows(&place.session()).await {
                Ok(true) => {}
                Ok(false) => return Answer::Taken,
                Err(answer) => return answer,
            }
        }
        if !self.may_talk(place, person, *addressed)
            || !self.first_delivery(&format!("{}:{ts}", place.channel))
        {
            return Answer::Taken;
        }
        if !place.channel.starts_with('D') {
            let line = match wish {
                TokenWish::Give(_) | TokenWish::Unclear => say::TOKEN_IN_CHANNEL,
                TokenWish::Tell | TokenWish::Remove => say::TOKEN_DIRECTLY,
            };
            self.aside(place, ts, &person.id, line);
            return Answer::Taken;
        }
        let Some(desk) = self.tokens.get().cloned() else {
            self.note(place, say::TOKENS_NOT_KEPT);
            return Answer::Taken;
        };
        let (this, place, person) = (Arc::clone(self), place.clone(), PersonId(person.id.clone()));
        self.behind.spawn(async move {
            let line = match wish {
                TokenWish::Tell => say::token_held(&desk.held(&person).await),
                TokenWish::Remove => say::token_removed(&desk.remove(&person).await),
                TokenWish::Unclear => say::TOKEN_UNCLEAR.to_owned(),
                // Never cut off in the middle: what is said about it must be what was done.
                TokenWish::Give(token) => say::token_given(&desk.give(&person, token).await),
            };
            this.note(&place, &line);
        });
        Answer::Taken
    }

    /// Somebody's words without a token in them; tells them if there was one.
    pub(super) fn without_tokens(self: &Arc<Self>, place: &Place, person: &str, text: String) -> String {
        let clean = redact_hub_tokens(&text).into_owned();
        if clean != text {
            self.private(place, person, say::TOKEN_IN_WORDS);
        }
        clean
    }

    /// Tells one person something in a channel; in a thread only where there is one, for Slack shows it
    /// nowhere else.
    fn aside(self: &Arc<Self>, place: &Place, ts: &str, person: &str, line: &str) {
        let mut arguments = json!({ "channel": place.channel, "user": person, "text": line });
        if place.thread_ts != ts {
            arguments["thread_ts"] = json!(place.thread_ts);
        }
        self.later(Method::PostEphemeral, place.channel.clone(), arguments);
    }

    /// Says something in a direct message, below what it answers.
    fn note(self: &Arc<Self>, place: &Place, line: &str) {
        let arguments = json!({
            "channel": place.channel,
            "thread_ts": place.thread_ts,
            "text": line,
            "unfurl_links": false,
            "unfurl_media": false,
            "metadata": { "event_type": buttons::NOTE, "event_payload": { "by": "ml-intern" } },
        });
        self.later(Method::PostMessage, place.channel.clone(), arguments);
    }
}
