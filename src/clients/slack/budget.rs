//! How often Slack lets us call: a token bucket per method, one per channel for messages, and the
//! pauses that Slack asked for. Pure: the moment comes in.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use super::method::Method;

/// Messages that one channel takes at once before the one-a-second pace holds.
const CHANNEL_BURST: f64 = 5.0;
/// How many channels are remembered; a full bucket may be forgotten at any time.
const CHANNELS_KEPT: usize = 2_000;

/// All budgets of one process.
#[derive(Debug, Default)]
pub struct Budgets {
    methods: HashMap<Method, Bucket>,
    channels: HashMap<String, Bucket>,
    paused: HashMap<(Method, Option<String>), Instant>,
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    capacity: f64,
    per_second: f64,
    at: Instant,
}

impl Bucket {
    fn full(capacity: f64, per_second: f64, at: Instant) -> Self {
        Self { tokens: capacity, capacity, per_second, at }
    }

    fn refill(&mut self, now: Instant) {
        let gained = now.saturating_duration_since(self.at).as_secs_f64() * self.per_second;
        self.tokens = (self.tokens + gained).min(self.capacity);
        self.at = self.at.max(now);
    }

    fn wait(&self) -> Duration {
        if self.tokens >= 1.0 {
            return Duration::ZERO;
        }
        // A millisecond more than needed, so that rounding never wakes us just too early.
        Duration::from_secs_f64((1.0 - self.tokens) / self.per_second) + Duration::from_millis(1)
    }
}

impl Budgets {
    /// How long until this call may go out; zero if it may now. Takes nothing.
    pub fn wait(&mut self, method: Method, channel: Option<&str>, now: Instant) -> Duration {
        let mut wait = self.method(method, now).wait();
        if let Some(channel) = channel.filter(|_| method.makes_message()) {
            wait = wait.max(self.channel(channel, now).wait());
        }
        let pauses = [(method, None), (method, channel.map(str::to_owned))];
        for pause in pauses {
            if let Some(until) = self.paused.get(&pause) {
                wait = wait.max(until.saturating_duration_since(now));
            }
        }
        wait
    }

    /// Takes one place; call it when [`Budgets::wait`] is zero.
    pub fn take(&mut self, method: Method, channel: Option<&str>, now: Instant) {
        self.method(method, now).tokens -= 1.0;
        if let Some(channel) = channel.filter(|_| method.makes_message()) {
            self.channel(channel, now).tokens -= 1.0;
        }
    }

    /// Slack asked to wait with this method (in this channel, where the call has one).
    pub fn pause(&mut self, method: Method, channel: Option<&str>, until: Instant) {
        self.paused.retain(|_, end| *end + Duration::from_secs(60) > until);
        self.paused.insert((method, channel.map(str::to_owned)), until);
    }

    fn method(&mut self, method: Method, now: Instant) -> &mut Bucket {
        let per_minute = f64::from(method.per_minute());
        let bucket = self
            .methods
            .entry(method)
            .or_insert_with(|| Bucket::full((per_minute / 2.0).max(1.0), per_minute / 60.0, now));
        bucket.refill(now);
        bucket
    }

    fn channel(&mut self, channel: &str, now: Instant) -> &mut Bucket {
        if self.channels.len() > CHANNELS_KEPT {
            self.channels.retain(|_, bucket| {
                bucket.refill(now);
                bucket.tokens < bucket.capacity
            });
        }
        let bucket =
            self.channels.entry(channel.to_owned()).or_insert_with(|| Bucket::full(CHANNEL_BURST, 1.0, now));
        bucket.refill(now);
        bucket
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_takes_a_burst_and_then_one_message_a_second() {
        let mut budgets = Budgets::default();
        let now = Instant::now();
        for _ in 0..5 {
            assert_eq!(budgets.wait(Method::PostMessage, Some("C1"), now), Duration::ZERO);
            budgets.take(Method::PostMessage, Some("C1"), now);
        }
        let wait = budgets.wait(Method::PostMessage, Some("C1"), now);
        assert!(wait > Duration::from_millis(990) && wait < Duration::from_millis(1_010), "{wait:?}");
        assert_eq!(budgets.wait(Method::PostMessage, Some("C2"), now), Duration::ZERO);
        // Updates are not new messages.
        assert_eq!(budgets.wait(Method::Update, Some("C1"), now), Duration::ZERO);
        let later = now + Duration::from_secs(2);
        assert_eq!(budgets.wait(Method::PostMessage, Some("C1"), later), Duration::ZERO);
    }

    #[test]
    fn a_pause_holds_for_its_method_and_channel_only() {
        let mut budgets = Budgets::default();
        let now = Instant::now();
        budgets.pause(Method::PostMessage, Some("C1"), now + Duration::from_secs(7));
        assert_eq!(budgets.wait(Method::PostMessage, Some("C1"), now), Duration::from_secs(7));
        assert_eq!(budgets.wait(Method::PostMessage, Some("C2"), now), Duration::ZERO);
        budgets.pause(Method::UsersInfo, None, now + Duration::from_secs(3));
        assert_eq!(budgets.wait(Method::UsersInfo, None, now), Duration::from_secs(3));
    }

    #[test]
    fn a_slow_method_runs_dry_and_fills_again() {
        let mut budgets = Budgets::default();
        let now = Instant::now();
        for _ in 0..10 {
            assert_eq!(budgets.wait(Method::StopStream, Some("C1"), now), Duration::ZERO);
            budgets.take(Method::StopStream, Some("C1"), now);
        }
        let wait = budgets.wait(Method::StopStream, Some("C1"), now);
        assert!(wait > Duration::from_millis(2_990) && wait < Duration::from_millis(3_010), "{wait:?}");
    }
}
