//! Money: prices, costs, and whose budget pays. Amounts are integers of micro-dollars (µ$).
//!
//! Owns the words that policy, the ledger and front doors share. Never rounds down what somebody pays.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ids::{PersonId, SessionKey};
use super::usage::Usage;
use crate::clock::Timestamp;

/// One dollar in micro-dollars.
pub const DOLLAR: u64 = 1_000_000;

/// What a model's tokens cost, in micro-dollars per million tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// Prompt tokens.
    pub input: u64,
    /// Completion tokens, reasoning included.
    pub output: u64,
    /// Prompt tokens read from the provider's cache; `None` charges them as `input`.
    pub cached: Option<u64>,
    /// Prompt tokens written to the provider's cache; `None` charges them as `input`.
    pub cache_write: Option<u64>,
}

impl Price {
    /// Costs nothing, and that is known (a server of one's own).
    pub const FREE: Self = Self { input: 0, output: 0, cached: None, cache_write: None };

    /// What these tokens cost, in micro-dollars, rounded up.
    #[must_use]
    pub fn of(&self, usage: &Usage) -> u64 {
        let cached = usage.cached_tokens.min(usage.input_tokens);
        let written = usage.cache_write_tokens.min(usage.input_tokens - cached);
        let plain = usage.input_tokens - cached - written;
        let parts = [
            (plain, self.input),
            (cached, self.cached.unwrap_or(self.input)),
            (written, self.cache_write.unwrap_or(self.input)),
            (usage.output_tokens, self.output),
        ];
        let sum: u128 = parts.iter().map(|(tokens, price)| u128::from(*tokens) * u128::from(*price)).sum();
        u64::try_from(sum.div_ceil(1_000_000)).unwrap_or(u64::MAX)
    }
}

impl fmt::Display for Price {
    /// As people read it: `$0.60 in, $2.20 out per million tokens`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::FREE {
            return f.write_str("free");
        }
        write!(f, "{} in, {} out per million tokens", Amount(self.input), Amount(self.output))
    }
}

/// Micro-dollars as an exact sum of dollars: at least cents, and as many digits more as it has.
#[derive(Debug, Clone, Copy)]
pub struct Amount(pub u64);

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:06}", self.0 % DOLLAR);
        let (cents, more) = digits.split_at(2);
        write!(f, "${}.{cents}{}", self.0 / DOLLAR, more.trim_end_matches('0'))
    }
}

/// Micro-dollars as people read them: whole cents, never less than it is.
#[must_use]
pub fn dollars(micros: u64) -> String {
    if (1..10_000).contains(&micros) {
        return "under $0.01".to_owned();
    }
    let cents = micros.div_ceil(10_000);
    format!("${}.{:02}", cents / 100, cents % 100)
}

/// What a call would cost at most.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "CostForm", into = "CostForm")]
pub enum Cost {
    /// Nothing.
    #[default]
    Free,
    /// At most so many micro-dollars.
    AtMost(u64),
    /// It costs something, and nobody knows how much. Never counts as nothing: people are asked.
    Unknown(String),
}

impl Cost {
    /// The bound in micro-dollars; `None` if there is none.
    #[must_use]
    pub fn bound(&self) -> Option<u64> {
        match self {
            Self::Free => Some(0),
            Self::AtMost(micros) => Some(*micros),
            Self::Unknown(_) => None,
        }
    }
}

/// How a cost is written: null, a number, or a text that says why it is unknown.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum CostForm {
    Known(Option<u64>),
    Unknown(String),
}

impl From<CostForm> for Cost {
    fn from(form: CostForm) -> Self {
        match form {
            CostForm::Known(None | Some(0)) => Self::Free,
            CostForm::Known(Some(micros)) => Self::AtMost(micros),
            CostForm::Unknown(why) => Self::Unknown(why),
        }
    }
}

impl From<Cost> for CostForm {
    fn from(cost: Cost) -> Self {
        match cost {
            Cost::Free => Self::Known(None),
            Cost::AtMost(micros) => Self::Known(Some(micros)),
            Cost::Unknown(why) => Self::Unknown(why),
        }
    }
}

/// Whose money is counted together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// One session, from its first day to its last.
    Session(SessionKey),
    /// One person.
    Person(PersonId),
    /// One channel.
    Channel(String),
    /// Everybody.
    Team,
}

/// Over which time it is counted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// Always.
    Whole,
    /// One day, `2026-11-25`, in the zone of the budgets.
    Day(String),
    /// One month, `2026-11`, in the zone of the budgets.
    Month(String),
}

/// One running sum of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Account {
    /// Whose.
    pub scope: Scope,
    /// When.
    pub period: Period,
}

impl fmt::Display for Account {
    /// The account's name in the ledger; unique, never parsed back.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.scope {
            Scope::Session(key) => write!(f, "session/{key}")?,
            Scope::Person(id) => write!(f, "person/{id}")?,
            Scope::Channel(id) => write!(f, "channel/{id}")?,
            Scope::Team => f.write_str("team")?,
        }
        match &self.period {
            Period::Whole => Ok(()),
            Period::Day(day) => write!(f, "/{day}"),
            Period::Month(month) => write!(f, "/{month}"),
        }
    }
}

/// Money set aside before something runs. Settled with what it really cost, or released.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// Made from its cause (turn and step, or call), so that it is made once.
    pub id: String,
    /// For which session.
    pub session: SessionKey,
    /// What for: a model's id or a tool's name.
    pub purpose: String,
    /// How much, in micro-dollars.
    pub amount: u64,
    /// The accounts that pay, each with its limit in micro-dollars, if it has one.
    pub accounts: Vec<(Account, Option<u64>)>,
    /// When it was made.
    pub at: Timestamp,
}

/// What became of a wish to set money aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reserved {
    /// It is set aside (now, or by an earlier try with the same id).
    Held,
    /// An account has not enough left; nothing was set aside anywhere.
    Over {
        /// Which.
        account: Account,
        /// Its limit in micro-dollars.
        limit: u64,
        /// How it stands.
        balance: Balance,
    },
}

/// How an account stands, in micro-dollars.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// Settled.
    pub spent: u64,
    /// Set aside and not settled yet.
    pub reserved: u64,
}

impl Balance {
    /// Spent and set aside together.
    #[must_use]
    pub fn committed(self) -> u64 {
        self.spent.saturating_add(self.reserved)
    }
}

/// Reads a sum as people write it (`20`, `$7.50`, `12.5 dollars`): micro-dollars; `None` if it is no sum of
/// up to a billion dollars with at most six decimals.
#[must_use]
pub fn read_dollars(text: &str) -> Option<u64> {
    let text = text.trim().to_ascii_lowercase();
    let bare = text.strip_prefix('$').unwrap_or(&text);
    let ending = ["dollars", "dollar", "usd", "$"].into_iter().find_map(|unit| bare.strip_suffix(unit));
    let number = ending.unwrap_or(bare).trim();
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.len() > 6 {
        return None;
    }
    let micros: u64 = format!("{part:0<6}").parse().ok()?;
    let whole: u64 = whole.parse().ok().filter(|whole| *whole < 1_000_000_000)?;
    whole.checked_mul(DOLLAR)?.checked_add(micros)
}

/// An amount in a configuration file: dollars as a plain number there, micro-dollars here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, JsonSchema)]
#[schemars(transparent)]
pub struct Usd(#[schemars(with = "f64", range(min = 0.0))] pub u64);

impl Serialize for Usd {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[expect(clippy::cast_precision_loss, reason = "configured sums are far below 2^52 micro-dollars")]
        serializer.serialize_f64(self.0 as f64 / 1e6)
    }
}

impl<'de> Deserialize<'de> for Usd {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let dollars = f64::deserialize(deserializer)?;
        if !dollars.is_finite() || !(0.0..=1e9).contains(&dollars) {
            return Err(serde::de::Error::custom("an amount of dollars is a number from 0 to 1000000000"));
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range was checked")]
        Ok(Self((dollars * 1e6).round() as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn tokens_are_priced_by_kind_and_rounded_up() {
        let price = Price {
            input: 3_000_000,
            output: 15_000_000,
            cached: Some(300_000),
            cache_write: Some(3_750_000),
        };
        let usage = Usage {
            input_tokens: 1_000,
            cached_tokens: 600,
            cache_write_tokens: 100,
            output_tokens: 10,
            ..Usage::default()
        };
        // 300 × 3 + 600 × 0.3 + 100 × 3.75 + 10 × 15 micro-dollars
        assert_eq!(price.of(&usage), 900 + 180 + 375 + 150);
        assert_eq!(Price { input: 1, ..Price::FREE }.of(&Usage { input_tokens: 1, ..Usage::default() }), 1);
        let odd = Usage { input_tokens: 5, cached_tokens: 9, ..Usage::default() };
        assert_eq!(
            Price { input: 1_000_000, ..Price::FREE }.of(&odd),
            5,
            "more cached than sent counts once"
        );
    }

    #[test]
    fn a_price_is_shown_to_its_last_digit() {
        let price = |input, output| Price { input, output, cached: None, cache_write: None }.to_string();
        assert_eq!(price(600_000, 12_000_000), "$0.60 in, $12.00 out per million tokens");
        assert_eq!(price(25_000, 75), "$0.025 in, $0.000075 out per million tokens");
        assert_eq!(Price::FREE.to_string(), "free");
    }

    #[test]
    fn costs_are_read_as_they_were_written_before() {
        for (json, cost) in [
            (json!(null), Cost::Free),
            (json!(0), Cost::Free),
            (json!(1_500_000), Cost::AtMost(1_500_000)),
            (json!("no price is known"), Cost::Unknown("no price is known".into())),
        ] {
            assert_eq!(serde_json::from_value::<Cost>(json).unwrap(), cost);
            assert_eq!(serde_json::from_value::<Cost>(serde_json::to_value(&cost).unwrap()).unwrap(), cost);
        }
    }

    #[test]
    fn sums_are_read_as_people_write_them() {
        for (text, micros) in [
            ("20", Some(20_000_000)),
            (" $7.50 ", Some(7_500_000)),
            ("0", Some(0)),
            ("5$", Some(5_000_000)),
            ("12.5 dollars", Some(12_500_000)),
            ("1 USD", Some(1_000_000)),
            ("0.000001", Some(1)),
            ("0.0000001", None),
            ("-1", None),
            ("1e3", None),
            ("1,000", None),
            ("", None),
            ("$", None),
            (".5", None),
            ("5.", None),
            ("1000000000", None),
            ("much", None),
        ] {
            assert_eq!(read_dollars(text), micros, "{text:?}");
        }
    }

    #[test]
    fn dollars_in_files_become_micro_dollars() {
        assert_eq!(serde_json::from_value::<Usd>(json!(0.1)).unwrap(), Usd(100_000));
        assert_eq!(serde_json::to_value(Usd(5_000_000)).unwrap(), json!(5.0));
        for wrong in [json!(-1), json!("5"), json!(1e12), json!(null)] {
            assert!(serde_json::from_value::<Usd>(wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn money_is_told_in_cents() {
        for (micros, text) in [
            (0, "$0.00"),
            (167, "under $0.01"),
            (500_000, "$0.50"),
            (400_020, "$0.41"),
            (12_000_000, "$12.00"),
        ] {
            assert_eq!(dollars(micros), text);
        }
    }
}
