//! Reads a catalogue: what `GET …/models` of the router, or of a server of one's own, says.
//!
//! Pure and tolerant: what is missing or nonsense is unknown, never zero. Start at [`Listing::read`] and
//! [`Entry::facts`].

use std::collections::BTreeMap;

use serde_json::Value;

use crate::protocol::Price;

/// The most that is believed of a price, in dollars per million tokens.
const DEAREST: f64 = 1e6;
/// The tags that let the router choose the provider.
const POLICIES: [&str; 3] = ["fastest", "cheapest", "preferred"];

/// A whole catalogue, by model id.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Listing(BTreeMap<String, Entry>);

/// One model.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Entry {
    /// Its window in tokens, where the server itself says so.
    pub(super) window: Option<u64>,
    /// Who serves it.
    pub(super) offers: Vec<Offer>,
}

/// One provider's offer of a model.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Offer {
    /// The name that a tag picks it by.
    pub(super) provider: String,
    /// Whether it serves now.
    pub(super) live: bool,
    /// Tokens.
    pub(super) window: Option<u64>,
    /// Price.
    pub(super) price: Option<Price>,
    /// Whether it can call tools.
    pub(super) tools: Option<bool>,
}

/// What a catalogue says of a model, for one way of asking for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Listed {
    /// Tokens.
    pub(super) window: Option<u64>,
    /// Price.
    pub(super) price: Option<Price>,
    /// Whether it can call tools.
    pub(super) tools: Option<bool>,
}

impl Listing {
    /// Reads a body; `None` if it is no catalogue at all.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let body: Value = serde_json::from_slice(body).ok()?;
        let list = body.get("data").unwrap_or(&body).as_array()?;
        let entries =
            list.iter().filter_map(|value| Some((value.get("id")?.as_str()?.to_owned(), entry(value))));
        Some(Self(entries.collect()))
    }

    /// The model with this id; letters may differ in case.
    pub(super) fn find(&self, id: &str) -> Option<&Entry> {
        let alike = || self.0.iter().find(|(name, _)| name.eq_ignore_ascii_case(id)).map(|(_, entry)| entry);
        self.0.get(id).or_else(alike)
    }

    /// Whether it lists nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All ids, in alphabetical order.
    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl Entry {
    /// What holds whoever of those who may be asked answers: a pinned provider's own offer; else the
    /// smallest window and the highest price of all live ones, and no price if one of them hides its own.
    pub(super) fn facts(&self, tag: Option<&str>) -> Listed {
        if let Some(tag) = tag.filter(|tag| !is_policy(tag)) {
            let pinned = self.offers.iter().find(|offer| offer.provider.eq_ignore_ascii_case(tag));
            return pinned.map_or_else(
                || Listed { window: self.all(&self.live()).window, ..Listed::default() },
                |offer| Listed { window: offer.window, price: offer.price, tools: offer.tools },
            );
        }
        self.all(&self.live())
    }

    /// The offers that are live, or all if none is.
    pub(super) fn live(&self) -> Vec<&Offer> {
        let live: Vec<&Offer> = self.offers.iter().filter(|offer| offer.live).collect();
        if live.is_empty() { self.offers.iter().collect() } else { live }
    }

    fn all(&self, offers: &[&Offer]) -> Listed {
        let dearer = |one: Price, other: Price| Price {
            input: one.input.max(other.input),
            output: one.output.max(other.output),
            cached: None,
            cache_write: None,
        };
        let prices: Option<Vec<Price>> = offers.iter().map(|offer| offer.price).collect();
        let can: Vec<Option<bool>> = offers.iter().map(|offer| offer.tools).collect();
        let agreed =
            can.first().copied().flatten().filter(|first| can.iter().all(|each| *each == Some(*first)));
        Listed {
            window: offers.iter().filter_map(|offer| offer.window).min().or(self.window),
            price: prices.and_then(|prices| prices.into_iter().reduce(dearer)),
            tools: agreed,
        }
    }
}

/// Whether a tag lets the router choose.
pub(super) fn is_policy(tag: &str) -> bool {
    POLICIES.contains(&tag)
}

fn entry(value: &Value) -> Entry {
    let offers = value.get("providers").and_then(Value::as_array).into_iter().flatten();
    let named = ["max_model_len", "loaded_context_length", "context_length", "max_context_length"];
    let own = named.iter().find_map(|name| tokens(value.get(name)));
    let meta = || tokens(value.pointer("/meta/n_ctx")).or_else(|| tokens(value.pointer("/meta/n_ctx_train")));
    Entry { window: own.or_else(meta), offers: offers.filter_map(offer).collect() }
}

fn offer(value: &Value) -> Option<Offer> {
    let dollars = |name: &str| micros(value.get("pricing")?.get(name)?);
    let price = dollars("input").zip(dollars("output"));
    Some(Offer {
        provider: value.get("provider")?.as_str()?.to_owned(),
        live: value.get("status").and_then(Value::as_str).is_none_or(|status| status == "live"),
        window: tokens(value.get("context_length")),
        price: price.map(|(input, output)| Price { input, output, cached: None, cache_write: None }),
        tools: value.get("supports_tools").and_then(Value::as_bool),
    })
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().trim_start_matches('$').replace(',', "").parse().ok(),
        _ => None,
    }
}

fn tokens(value: Option<&Value>) -> Option<u64> {
    let tokens = number(value?)?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range was checked")]
    (1.0..=1e9).contains(&tokens).then_some(tokens as u64)
}

/// Dollars per million tokens in micro-dollars; a price that is not nothing never becomes nothing.
fn micros(value: &Value) -> Option<u64> {
    let dollars = number(value)?;
    if !(0.0..=DEAREST).contains(&dollars) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range was checked")]
    let micros = (dollars * 1e6).round() as u64;
    Some(if dollars > 0.0 { micros.max(1) } else { 0 })
}

#[cfg(test)]
#[path = "listing_tests.rs"]
mod tests;
