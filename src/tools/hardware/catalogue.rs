//! Reads a catalogue of hardware prices, whichever of its known forms it has. Pure.
//!
//! Takes nothing for a price that is not plainly one: a flavour without one keeps the price it had.

use serde_json::{Map, Value};

/// Keys that hold lists of flavours.
const LISTS: [&str; 5] = ["hardware", "flavors", "items", "data", "jobs"];
/// Keys that name a flavour.
const NAMES: [&str; 6] = ["flavor", "name", "id", "value", "hardware", "hardware_flavor"];
/// Keys that hold a price in dollars an hour.
const PRICES: [&str; 9] = [
    "price",
    "price_usd",
    "priceUsd",
    "price_per_hour",
    "pricePerHour",
    "hourly_price",
    "hourlyPrice",
    "usd_per_hour",
    "usdPerHour",
];
/// Keys that hold an object with the price.
const NESTED: [&str; 3] = ["pricing", "billing", "cost"];
/// How deep lists may lie in each other.
const DEPTH: usize = 6;

/// Flavours with their price in micro-dollars an hour.
pub(super) fn read(catalogue: &Value) -> Vec<(String, u64)> {
    let mut found = Vec::new();
    walk(catalogue, DEPTH, &mut found);
    found
}

fn walk(value: &Value, depth: usize, found: &mut Vec<(String, u64)>) {
    let Some(deeper) = depth.checked_sub(1) else { return };
    match value {
        Value::Array(list) => list.iter().for_each(|item| walk(item, deeper, found)),
        Value::Object(entry) => {
            if let Some(flavour) = name(entry)
                && let Some(price) = price(entry)
            {
                found.push((flavour, price));
            }
            let lists = LISTS.iter().filter_map(|key| entry.get(*key));
            lists
                .filter(|inner| inner.is_array() || inner.is_object())
                .for_each(|inner| walk(inner, deeper, found));
        }
        _ => {}
    }
}

fn name(entry: &Map<String, Value>) -> Option<String> {
    let text = NAMES.iter().find_map(|key| entry.get(*key)?.as_str())?;
    let text = text.trim().to_ascii_lowercase();
    (!text.is_empty()).then_some(text)
}

fn price(entry: &Map<String, Value>) -> Option<u64> {
    let plain = |entry: &Map<String, Value>| PRICES.iter().find_map(|key| micros(entry.get(*key)?));
    plain(entry)
        .or_else(|| per_unit(entry))
        .or_else(|| NESTED.iter().find_map(|key| plain(entry.get(*key)?.as_object()?)))
}

/// The form that the Hub answers with today: micro-dollars for each minute or hour.
fn per_unit(entry: &Map<String, Value>) -> Option<u64> {
    let micros = entry.get("unitCostMicroUSD")?.as_u64()?;
    match entry.get("unitLabel")?.as_str()? {
        "minute" => micros.checked_mul(60),
        "hour" => Some(micros),
        _ => None,
    }
}

/// A sum of dollars in micro-dollars, rounded up; from a text its first number.
fn micros(value: &Value) -> Option<u64> {
    let dollars = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => first_number(text)?,
        _ => return None,
    };
    if !(0.0..1e9).contains(&dollars) {
        return None;
    }
    // A hundredth of a micro-dollar is what floats get wrong.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range was checked")]
    let micros = (dollars * 1e6 - 0.01).max(0.0).ceil() as u64;
    Some(micros)
}

fn first_number(text: &str) -> Option<f64> {
    let start = text.find(|letter: char| letter.is_ascii_digit())?;
    if text[..start].trim_end_matches('$').ends_with('-') {
        return None;
    }
    let number: String = text[start..]
        .chars()
        .take_while(|letter| letter.is_ascii_digit() || matches!(letter, '.' | ','))
        .filter(|letter| *letter != ',')
        .collect();
    number.trim_end_matches('.').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn prices_are_read_from_numbers_and_texts() {
        for (value, price) in [
            (json!("$1.50/hour"), Some(1_500_000)),
            (json!("1,200.5"), Some(1_200_500_000)),
            (json!("free"), None),
            (json!(-1), None),
            (json!("-1"), None),
            (json!("-$1"), None),
            (json!(true), None),
            (json!(0), Some(0)),
            (json!(0.6), Some(600_000)),
            (json!(3.15), Some(3_150_000)),
            (json!("2."), Some(2_000_000)),
            (json!(1e30), None),
            (json!([1]), None),
        ] {
            assert_eq!(micros(&value), price, "{value}");
        }
    }

    #[test]
    fn every_known_form_of_the_catalogue_is_read() {
        let one = |flavour: &str, micros: u64| vec![(flavour.to_owned(), micros)];
        for (catalogue, expected) in [
            (json!([{ "name": "T4-small", "price_per_hour": 0.6 }]), one("t4-small", 600_000)),
            (
                json!({ "hardware": [{ "flavor": "l4x1", "pricing": { "usdPerHour": "$2" } }] }),
                one("l4x1", 2_000_000),
            ),
            (json!({ "data": { "items": [{ "id": "h200", "hourlyPrice": 10 }] } }), one("h200", 10_000_000)),
            (json!({ "a100": { "price": 4 } }), Vec::new()),
            (json!([{ "name": "t4-small" }, { "price": 4 }, { "name": "x", "price": "free" }]), Vec::new()),
            (json!("t4-small"), Vec::new()),
            // As the Hub answers (recorded with its own client library).
            (
                json!([{
                    "name": "cpu-basic", "prettyName": "CPU Basic", "cpu": "2 vCPU", "ram": "16 GB",
                    "accelerator": null, "unitCostMicroUSD": 167, "unitCostUSD": 0.000167, "unitLabel": "minute"
                }]),
                one("cpu-basic", 10_020),
            ),
        ] {
            assert_eq!(read(&catalogue), expected, "{catalogue}");
        }
    }

    #[test]
    fn a_catalogue_without_a_bottom_ends() {
        let deep = (0..200).fold(json!([]), |inner, _| json!({ "items": [inner] }));
        assert_eq!(read(&deep), Vec::new());
    }
}
