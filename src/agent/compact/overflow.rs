//! A provider found a request too long: the window is smaller than assumed, or the estimate too low.
//!
//! What was learned stays with the session; the request is shortened harder and sent once more. A second
//! refusal in a row ends the turn: the count is saved with it, so that nothing can loop.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::{Outcome, Reach};
use crate::agent::step::{failure, remark};
use crate::agent::{Advance, Agent, EventSink, Session};
use crate::model::ModelError;
use crate::protocol::Learned;

/// How often a request in a row is shortened and sent again.
const TRIES: u32 = 1;
/// Nobody offers a smaller window, in tokens.
const SMALLEST: u64 = 512;
/// What stands before the limit in the words of providers.
const BEFORE_THE_LIMIT: [&str; 8] = [
    "maximum context length is",
    "context length of",
    "context size",
    "context window",
    "maximum number of tokens allowed",
    "maximum of",
    "<=",
    "> ",
];

impl Agent {
    /// Answers a refusal: shortens the transcript and lets the turn try again, or ends it.
    pub(in crate::agent) async fn overflowed(
        &self,
        session: &mut Session,
        reason: String,
        sink: &Arc<dyn EventSink>,
        cancel: &CancellationToken,
    ) -> Advance {
        let tries = session.head.turn.as_mut().map_or(u32::MAX, |turn| {
            turn.guards.overflows += 1;
            turn.guards.overflows
        });
        if tries > TRIES {
            return self.end(session, failure(ModelError::Shrink { reason }));
        }
        self.learn(session, &reason).await;
        sink.show(&remark("The model's window is smaller than assumed; shortening the conversation to fit."));
        match self.compact(session, Reach::Refused, sink, cancel).await {
            Outcome::Shortened | Outcome::Stopped => Advance::Again,
            Outcome::Nothing => self.end(session, failure(ModelError::Shrink { reason })),
        }
    }

    /// Remembers that the window is smaller than what was just refused.
    async fn learn(&self, session: &mut Session, reason: &str) {
        let assumed = self.window(session).await;
        let used = self.used(session);
        let window = match stated_limit(reason).filter(|limit| *limit <= assumed) {
            Some(limit) => {
                // It was refused, so it was longer than that, whatever we had estimated.
                session.measure(used.max(limit + 1));
                limit
            }
            None => assumed.min((used / 10 * 9).max(SMALLEST)),
        };
        session.head.memory.learned = Some(Learned { model: self.model_of(session), window });
    }
}

/// The limit in tokens that the provider's words name, if they do.
fn stated_limit(reason: &str) -> Option<u64> {
    let reason = reason.to_lowercase();
    BEFORE_THE_LIMIT.iter().find_map(|words| {
        let at = reason.find(words)? + words.len();
        number(&reason[at..])
    })
}

/// The first number in the next few words.
fn number(text: &str) -> Option<u64> {
    let near: String = text.chars().take(40).collect();
    let start = near.find(|c: char| c.is_ascii_digit())?;
    let digits: String = near[start..]
        .chars()
        .take_while(|c| c.is_ascii_digit() || matches!(c, ',' | '_'))
        .filter(char::is_ascii_digit)
        .collect();
    digits.parse().ok().filter(|limit| *limit >= SMALLEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn providers_name_their_limit_in_many_words() {
        let table = [
            (
                "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens.",
                Some(8_192),
            ),
            ("prompt is too long: 210000 tokens > 200000 maximum", Some(200_000)),
            (
                "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
                Some(1_048_576),
            ),
            ("the request exceeds the available context size (4,096 tokens), try increasing it", Some(4_096)),
            ("`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000", Some(4_096)),
            ("Your input exceeds the context window of this model.", None),
            ("too long", None),
        ];
        for (reason, limit) in table {
            assert_eq!(stated_limit(reason), limit, "{reason}");
        }
    }
}
