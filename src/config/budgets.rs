//! Money: limits, caps, warnings, and prices that no catalogue knows.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::protocol::Usd;

/// Limits on what is spent. Amounts in dollars; null means no limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BudgetsConfig {
    /// People are asked when a session has spent this much, and each time that doubles; 0 never asks.
    pub warn_at_usd: Usd,
    /// How much a session may spend on auto-approval before it pauses and asks.
    pub yolo_cap_usd: Usd,
    /// What one session may spend.
    pub session_usd: Option<Usd>,
    /// What each person may spend.
    pub person: Limits,
    /// What may be spent in each channel.
    pub channel: Limits,
    /// What everybody together may spend.
    pub team: Limits,
    /// Other limits for these people, by their id.
    pub people: BTreeMap<String, Limits>,
    /// Other limits for these channels, by their id.
    pub channels: BTreeMap<String, Limits>,
    /// The time zone in which days and months begin, by its IANA name.
    pub time_zone: String,
    /// Prices of models that no catalogue knows, by model id.
    pub prices: BTreeMap<String, PriceConfig>,
}

/// Limits by time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// In one day.
    pub day_usd: Option<Usd>,
    /// In one month.
    pub month_usd: Option<Usd>,
}

/// What a model costs, in dollars per million tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceConfig {
    /// Prompt tokens.
    pub input_usd: Usd,
    /// Completion tokens.
    pub output_usd: Usd,
    /// Prompt tokens read from the provider's cache; null charges them as `input_usd`.
    #[serde(default)]
    pub cached_usd: Option<Usd>,
    /// Prompt tokens written to the provider's cache; null charges them as `input_usd`.
    #[serde(default)]
    pub cache_write_usd: Option<Usd>,
}

impl Default for BudgetsConfig {
    fn default() -> Self {
        Self {
            warn_at_usd: Usd(5_000_000),
            yolo_cap_usd: Usd(5_000_000),
            session_usd: None,
            person: Limits::default(),
            channel: Limits::default(),
            team: Limits::default(),
            people: BTreeMap::new(),
            channels: BTreeMap::new(),
            time_zone: "UTC".to_owned(),
            prices: BTreeMap::new(),
        }
    }
}
