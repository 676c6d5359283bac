//! Memory: keeping a transcript within its model's window.
//!
//! Owns when a transcript is shortened and how far. `weigh` estimates, `plan` says what to cut, `oversize`
//! shortens single items, `run` has the cut parts summed up (`render` makes the text, and notes where no
//! model helps), `overflow` answers a provider that found a request too long. Cuts only where every call
//! has its result. Never touches the turn or the plan. Start at [`Agent::shorten`] and `fit`.

mod overflow;
mod oversize;
mod plan;
mod render;
mod run;
pub mod weigh;

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::{Agent, EventSink, Session, prompt};
use crate::protocol::Event;
use plan::Aim;

/// After a cut so much of the threshold is in use at most, in percent: enough room that the next cut is
/// far, little enough loss that most of the recent work stays word for word.
const GOAL: u64 = 60;
/// The same after a provider refused a request as too long, when estimates have proved to be too low.
const HARD_GOAL: u64 = 40;
/// What a cut must weigh, in tokens, however small the window.
const WORTH_IT: u64 = 200;
/// What a cut asked for by a person must weigh, in tokens.
const WORTH_ASKING: u64 = 500;

/// Limits of memory, from configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryRules {
    /// Share of the window, in percent, above which the transcript is shortened.
    pub compact_at_percent: u64,
    /// Share of the window, in percent, that stays word for word at the end.
    pub keep_percent: u64,
    /// The longest item, in tokens, that stays word for word when the transcript is shortened.
    pub longest_item: u64,
}

impl Default for MemoryRules {
    fn default() -> Self {
        Self { compact_at_percent: 85, keep_percent: 25, longest_item: 50_000 }
    }
}

/// Why a transcript is shortened, which decides how far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// It is above its threshold.
    Needed,
    /// The provider refused it as too long.
    Refused,
    /// A person asked for it.
    Asked,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is shorter now.
    Shortened,
    /// There is nothing whose cutting would help.
    Nothing,
    /// It was stopped; what was summed up by then is cut.
    Stopped,
}

/// Whether the next request fits the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// It does.
    Fits,
    /// It does not, and shortening could not help.
    TooLong,
    /// Shortening was stopped.
    Stopped,
}

impl Agent {
    /// Shortens the transcript because a person asked for it, below the threshold too; says whether it
    /// is shorter now.
    pub async fn shorten(
        &self,
        session: &mut Session,
        sink: &Arc<dyn EventSink>,
        cancel: &CancellationToken,
    ) -> bool {
        self.compact(session, Reach::Asked, sink, cancel).await == Outcome::Shortened
    }

    /// Makes the next request fit: shortens the transcript if it is above the threshold.
    pub(super) async fn fit(
        &self,
        session: &mut Session,
        sink: &Arc<dyn EventSink>,
        cancel: &CancellationToken,
    ) -> Fit {
        let window = self.window(session).await;
        if !is_over(self.used(session), window, self.rules.memory.compact_at_percent) {
            return Fit::Fits;
        }
        if self.compact(session, Reach::Needed, sink, cancel).await == Outcome::Stopped {
            return Fit::Stopped;
        }
        if self.used(session) > window { Fit::TooLong } else { Fit::Fits }
    }

    /// Tokens that the next request will have: the provider's count of the last one and an estimate of
    /// what was added since, or the estimate alone where nothing valid was counted.
    #[must_use]
    pub fn used(&self, session: &Session) -> u64 {
        let (head, length) = (&session.head, session.items().len());
        let measured = usize::try_from(head.memory.measured).unwrap_or(usize::MAX);
        if head.context_tokens > 0 && (1..=length).contains(&measured) {
            return head.context_tokens.saturating_add(session.tokens(&(measured..length)));
        }
        self.estimate(session)
    }

    /// Estimated tokens of a whole request: system prompt, tools, and all items.
    fn estimate(&self, session: &Session) -> u64 {
        self.fixed_tokens().saturating_add(session.tokens(&(0..session.items().len())))
    }

    /// Estimated tokens of what every request has: system prompt and tools.
    fn fixed_tokens(&self) -> u64 {
        weigh::tokens_in(prompt::SYSTEM_BYTES) + self.toolbox.tokens()
    }

    /// The window of the session's model, as far as it is known: never larger than it turned out to be.
    pub(super) async fn window(&self, session: &Session) -> u64 {
        let model = self.model_of(session);
        let learned = session.head.memory.learned.as_ref().filter(|learned| learned.model == model);
        let known = self.model.facts(&model).await.window;
        learned.map_or(known, |learned| known.min(learned.window))
    }

    /// Shortens the transcript as far as `reach` asks, and shows what came of it.
    pub(super) async fn compact(
        &self,
        session: &mut Session,
        reach: Reach,
        sink: &Arc<dyn EventSink>,
        cancel: &CancellationToken,
    ) -> Outcome {
        let window = self.window(session).await;
        let (used, estimate) = (self.used(session), self.estimate(session));
        // Counted tokens and estimated ones differ by a factor, which stays about the same.
        let counted = |estimated: u64| scaled(estimated, used, estimate);
        let aim = self.aim(session, reach, window, |counted| scaled(counted, estimate, used));
        self.shorten_single_items(session);
        let stretches = plan::plan(session.items(), session.weights(), &aim);
        let stopped = self.sum_up(session, stretches, &aim, sink, cancel).await;
        let now = self.estimate(session);
        if now < estimate {
            session.measure(counted(now));
            sink.show(&Event::Compacted { old_tokens: used, new_tokens: counted(now) });
        }
        match (stopped, now < estimate) {
            (run::Stopped::Yes, _) => Outcome::Stopped,
            (run::Stopped::No, true) => Outcome::Shortened,
            (run::Stopped::No, false) => Outcome::Nothing,
        }
    }

    fn aim(&self, session: &Session, reach: Reach, window: u64, estimated: impl Fn(u64) -> u64) -> Aim {
        let rules = &self.rules.memory;
        let share = |percent: u64| window.saturating_mul(percent) / 100;
        let threshold = share(rules.compact_at_percent);
        let items = |tokens: u64| estimated(tokens).saturating_sub(self.fixed_tokens());
        let keep = estimated(share(rules.keep_percent));
        match reach {
            Reach::Needed => {
                let goal = items(threshold * GOAL / 100);
                Aim { goal, keep: keep.min(goal / 4 * 3), least: (goal / 10).max(WORTH_IT) }
            }
            Reach::Refused => {
                let goal = items(threshold * HARD_GOAL / 100);
                Aim { goal, keep: keep.min(goal / 2), least: 1 }
            }
            Reach::Asked => {
                let all = session.tokens(&(0..session.items().len()));
                Aim { goal: 0, keep: keep.min(all / 4), least: WORTH_ASKING }
            }
        }
    }

    /// Replaces what is too long by its beginning, its end and a note.
    fn shorten_single_items(&self, session: &mut Session) {
        let most = self.rules.memory.longest_item;
        let weight = |at: usize| session.tokens(&(at..at + 1));
        let long = |at: &usize| weight(*at) > most;
        let all = 0..session.items().len();
        let shorter: Vec<_> = all
            .filter(long)
            .filter_map(|at| Some((at, Arc::new(oversize::shortened(&session.items()[at], weight(at))?))))
            .collect();
        let Some(first) = shorter.first().map(|(at, _)| *at) else { return };
        let mut tail = session.items()[first..].to_vec();
        for (at, item) in shorter {
            tail[at - first] = item;
        }
        session.splice(first, tail);
    }
}

/// Whether so many tokens are above the threshold; equal is not.
fn is_over(used: u64, window: u64, percent: u64) -> bool {
    u128::from(used) * 100 > u128::from(window) * u128::from(percent)
}

/// `amount` times `numerator` through `denominator`; the amount itself where that has no meaning.
fn scaled(amount: u64, numerator: u64, denominator: u64) -> u64 {
    if numerator == 0 || denominator == 0 {
        return amount;
    }
    let scaled = u128::from(amount) * u128::from(numerator) / u128::from(denominator);
    u64::try_from(scaled).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_to_the_threshold_is_not_over_it() {
        for (used, over) in [(89_999, false), (90_000, false), (90_001, true)] {
            assert_eq!(is_over(used, 100_000, 90), over, "row 1: {used}");
        }
        assert!(!is_over(0, 0, 85) && is_over(u64::MAX, u64::MAX - 1, 95));
    }

    #[test]
    fn estimates_are_corrected_by_what_was_counted() {
        assert_eq!(
            (scaled(100, 170, 100), scaled(170, 100, 170), scaled(5, 0, 7), scaled(5, 7, 0)),
            (170, 100, 5, 5)
        );
    }
}
