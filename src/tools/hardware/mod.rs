//! What rented hardware costs: the one table of flavours, and worst-case costs of jobs and sandboxes.
//!
//! Pure. The live catalogue of jobs wins over the kept prices ([`Prices::with_catalogue`]); what is in
//! neither is unknown, never free. Start at [`Prices::job`] and [`Prices::sandbox`].

mod catalogue;
mod timeout;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::protocol::Cost;

pub use timeout::read as read_timeout;

/// The flavour that a job or sandbox gets when it names none; as a sandbox it costs nothing.
pub const DEFAULT_FLAVOUR: &str = "cpu-basic";
/// How long a job may run when it names no time-out.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(1_800);
/// Sandboxes are paid by the hour.
const HOUR: Duration = Duration::from_secs(3_600);

/// Kept prices in cents an hour: flavour, as a job, as a Space (sandboxes are Spaces).
const KEPT: [(&str, u64, u64); 23] = [
    ("cpu-basic", 5, 0),
    ("cpu-upgrade", 25, 5),
    ("cpu-performance", 50, 50),
    ("cpu-xl", 100, 100),
    ("t4-small", 60, 60),
    ("t4-medium", 90, 90),
    ("l4x1", 100, 100),
    ("l4x4", 400, 400),
    ("l40sx1", 200, 200),
    ("l40sx4", 800, 800),
    ("l40sx8", 1_600, 1_600),
    ("a10g-small", 100, 100),
    ("a10g-large", 200, 200),
    ("a10g-largex2", 400, 400),
    ("a10g-largex4", 800, 800),
    ("a100-large", 400, 400),
    ("a100x4", 1_600, 1_600),
    ("a100x8", 3_200, 3_200),
    ("h200", 1_000, 1_000),
    ("h200x2", 2_000, 2_000),
    ("h200x4", 4_000, 4_000),
    ("h200x8", 8_000, 8_000),
    ("inf2x6", 600, 600),
];

/// Micro-dollars in a cent.
const CENT: u64 = 10_000;

/// Prices by flavour, in micro-dollars an hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prices {
    jobs: BTreeMap<String, u64>,
    spaces: BTreeMap<String, u64>,
}

/// Whether the session has a sandbox already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sandbox {
    /// One is there, and is paid for.
    Exists,
    /// It would be made.
    New,
}

impl Prices {
    /// The kept table.
    #[must_use]
    pub fn kept() -> Self {
        let of = |pick: fn(&(&str, u64, u64)) -> u64| {
            KEPT.iter().map(|row| (row.0.to_owned(), pick(row) * CENT)).collect()
        };
        Self { jobs: of(|row| row.1), spaces: of(|row| row.2) }
    }

    /// The same, with what a catalogue of job hardware says, in whichever of its known forms. What it
    /// does not know stays as it is.
    #[must_use]
    pub fn with_catalogue(mut self, catalogue: &Value) -> Self {
        self.jobs.extend(catalogue::read(catalogue));
        self
    }

    /// Every flavour with its price as a job, in micro-dollars an hour, in the order of their names.
    pub fn flavours(&self) -> impl Iterator<Item = (&str, u64)> {
        self.jobs.iter().map(|(flavour, price)| (flavour.as_str(), *price))
    }

    /// What this flavour costs as a job, in micro-dollars an hour; `None` if it is in no list.
    #[must_use]
    pub fn hourly(&self, flavour: &str) -> Option<u64> {
        self.jobs.get(&named(flavour)).copied()
    }

    /// Every flavour that a Space can have with its price, in micro-dollars an hour, in the order of their names.
    pub fn spaces(&self) -> impl Iterator<Item = (&str, u64)> {
        self.spaces.iter().map(|(flavour, price)| (flavour.as_str(), *price))
    }

    /// The price of a Space, in micro-dollars an hour; `None` if nobody knows.
    #[must_use]
    pub fn space(&self, flavour: &str) -> Option<u64> {
        self.spaces.get(&named(flavour)).copied()
    }

    /// What a job costs at most: its price for as long as it may run.
    #[must_use]
    pub fn job(&self, flavour: &str, timeout: &Value) -> Cost {
        let flavour = named(flavour);
        let Some(price) = self.jobs.get(&flavour) else { return unknown_flavour(&flavour) };
        match read_timeout(timeout) {
            Some(time) => at_most(*price, time),
            None => Cost::Unknown(format!("the time-out {timeout} cannot be read, so it has no bound")),
        }
    }

    /// What a sandbox costs at most before it must be paid again: one hour.
    #[must_use]
    pub fn sandbox(&self, flavour: &str, sandbox: Sandbox) -> Cost {
        if sandbox == Sandbox::Exists {
            return Cost::Free;
        }
        let flavour = named(flavour);
        self.spaces.get(&flavour).map_or_else(|| unknown_flavour(&flavour), |price| at_most(*price, HOUR))
    }
}

/// The flavour as tables write it.
fn named(flavour: &str) -> String {
    let flavour = flavour.trim().to_ascii_lowercase();
    if flavour.is_empty() { DEFAULT_FLAVOUR.to_owned() } else { flavour }
}

fn unknown_flavour(flavour: &str) -> Cost {
    Cost::Unknown(format!("the hardware `{flavour}` is in no price list"))
}

/// A price in micro-dollars an hour, for some time; rounded up.
fn at_most(price: u64, time: Duration) -> Cost {
    let cost = (u128::from(price) * time.as_millis()).div_ceil(HOUR.as_millis());
    match u64::try_from(cost) {
        Ok(0) => Cost::Free,
        Ok(cost) => Cost::AtMost(cost),
        Err(_) => Cost::Unknown("the time-out is beyond all bounds".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn jobs_cost_their_price_for_as_long_as_they_may_run() {
        let prices = Prices::kept();
        for (flavour, timeout, cents) in [
            ("a100-large", json!("8h"), 3_200),
            ("a100-large", json!(null), 200),
            (" A100-Large ", json!("90m"), 600),
            ("cpu-basic", json!("1h"), 5),
            ("", json!("1h"), 5),
            ("h200x8", json!("1d"), 192_000),
        ] {
            assert_eq!(prices.job(flavour, &timeout), Cost::AtMost(cents * CENT), "{flavour} {timeout}");
        }
        assert_eq!(prices.job("t4-small", &json!(1)), Cost::AtMost(167), "166.67 micro-dollars, rounded up");
    }

    #[test]
    fn what_cannot_be_priced_is_unknown_and_never_free() {
        let prices = Prices::kept();
        for (flavour, timeout, why) in [
            ("b300x72", json!("1h"), "the hardware `b300x72` is in no price list"),
            ("t4-small", json!("1h30m"), "the time-out \"1h30m\" cannot be read, so it has no bound"),
            ("t4-small", json!(0), "the time-out 0 cannot be read, so it has no bound"),
        ] {
            assert_eq!(prices.job(flavour, &timeout), Cost::Unknown(why.to_owned()));
        }
        let unknown = Cost::Unknown("the hardware `b300` is in no price list".to_owned());
        assert_eq!(prices.sandbox("b300", Sandbox::New), unknown);
    }

    #[test]
    fn a_sandbox_is_paid_by_the_hour_unless_it_is_there_or_costs_nothing() {
        let prices = Prices::kept();
        for (flavour, sandbox, cost) in [
            ("a100-large", Sandbox::Exists, Cost::Free),
            ("cpu-basic", Sandbox::New, Cost::Free),
            ("", Sandbox::New, Cost::Free),
            ("cpu-upgrade", Sandbox::New, Cost::AtMost(5 * CENT)),
            ("t4-small", Sandbox::New, Cost::AtMost(60 * CENT)),
        ] {
            assert_eq!(prices.sandbox(flavour, sandbox), cost, "{flavour}");
        }
    }

    #[test]
    fn the_live_catalogue_wins_over_the_kept_prices_of_jobs() {
        let prices = Prices::kept().with_catalogue(
            &json!([{ "name": "t4-small", "price_per_hour": 0.75 }, { "name": "b300", "price": 20 }]),
        );
        assert_eq!(prices.job("t4-small", &json!("1h")), Cost::AtMost(75 * CENT));
        assert_eq!(prices.job("b300", &json!("1h")), Cost::AtMost(2_000 * CENT));
        assert_eq!(prices.job("l4x1", &json!("1h")), Cost::AtMost(100 * CENT), "the others stay");
        assert_eq!(prices.sandbox("t4-small", Sandbox::New), Cost::AtMost(60 * CENT));
        assert_eq!(prices.flavours().count(), KEPT.len() + 1);
    }
}
