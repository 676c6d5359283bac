//! How long something may run, as people and models write it. Pure.

use std::time::Duration;

use serde_json::Value;

use super::DEFAULT_TIMEOUT;

/// The longest time that is read: ten years. What is longer is a slip.
const LONGEST_S: f64 = 315_360_000.0;

/// Reads a time-out: seconds as a number, or a number with `s`, `m`, `h` or `d`; nothing is the default.
/// `None` if it cannot be read or is not more than nothing.
#[must_use]
pub fn read(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::Null => return Some(DEFAULT_TIMEOUT),
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => {
            let text = text.trim().to_ascii_lowercase();
            if text.is_empty() {
                return Some(DEFAULT_TIMEOUT);
            }
            let unit = text.chars().next_back().filter(char::is_ascii_alphabetic);
            let factor = match unit {
                None | Some('s') => 1.0,
                Some('m') => 60.0,
                Some('h') => 3_600.0,
                Some('d') => 86_400.0,
                Some(_) => return None,
            };
            let number = unit.map_or(text.as_str(), |_| &text[..text.len() - 1]).trim();
            plain(number)? * factor
        }
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    (seconds > 0.0 && seconds <= LONGEST_S).then(|| Duration::from_secs_f64(seconds))
}

/// A number of nothing but digits and at most one point.
fn plain(text: &str) -> Option<f64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if digits { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn times_are_read_as_they_are_written() {
        for (value, seconds) in [
            (json!(null), Some(1_800)),
            (json!(""), Some(1_800)),
            (json!("30m"), Some(1_800)),
            (json!("3h"), Some(10_800)),
            (json!(" 2 H "), Some(7_200)),
            (json!("1d"), Some(86_400)),
            (json!("90"), Some(90)),
            (json!("90s"), Some(90)),
            (json!(3600), Some(3_600)),
            (json!("3600"), Some(3_600)),
            (json!("1.5h"), Some(5_400)),
            (json!(0), None),
            (json!(-5), None),
            (json!("0h"), None),
            (json!(true), None),
            (json!("1h30m"), None),
            (json!("-1h"), None),
            (json!("soon"), None),
            (json!("h"), None),
            (json!("3hh"), None),
            (json!("1e9h"), None),
            (json!("inf"), None),
            (json!("1.2.3h"), None),
            (json!(["1h"]), None),
            (json!("99999999d"), None),
        ] {
            assert_eq!(read(&value), seconds.map(Duration::from_secs), "{value}");
        }
    }
}
