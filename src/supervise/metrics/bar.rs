//! Progress bars: `42%|████▏     | 42/100 [00:10<00:14,  4.1it/s, loss=0.5]`, as tqdm and Lightning draw them.

use serde::{Deserialize, Serialize};

/// Where a bar stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bar {
    /// The text before it; empty if there is none.
    pub label: String,
    /// How many of `total` are done.
    pub done: u64,
    /// Of how many.
    pub total: u64,
    /// Seconds that the bar itself thinks are left.
    pub left_s: Option<u64>,
    /// How many are done per second.
    pub rate: Option<f64>,
}

/// Labels of bars that are no training.
const SIDE: &[&str] = &[
    "map", "download", "fetch", "load", "generat", "tokeniz", "filter", "sav", "upload", "eval", "valid",
    "predict", "test", "sanity", "extract", "flatten", "creating", "resolv", "pack", "casting", "shard",
    "write", "writing", "add", "apply", "truncat", "convert", "process", "prepar", "read", "new data",
];

impl Bar {
    /// Whether it can be the training itself: downloads, tokenizing, evaluation and the like are not.
    #[must_use]
    pub fn is_training(&self) -> bool {
        let label = self.label.to_ascii_lowercase();
        self.total > 0 && !label.contains(".safetensors") && !SIDE.iter().any(|side| label.contains(side))
    }
}

/// What stands around the numbers of a bar.
pub(super) struct Around<'a> {
    /// Behind the rate, inside the brackets: what the loop shows beside the bar.
    pub inside: &'a str,
    /// Behind the bar.
    pub behind: &'a str,
}

/// The last bar in the line.
pub(super) fn read(line: &str) -> Option<(Bar, Around<'_>)> {
    let percent = line.rfind("%|")?;
    let label_end = line[..percent].trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let label = line[..label_end].trim().trim_end_matches(':').trim();
    // Several bars in one line come from carriage returns that were lost: the last one counts.
    let label = label.rsplit(']').next().unwrap_or(label).trim();
    let drawn = &line[percent + 2..];
    let after = &drawn[drawn.find('|')? + 1..];
    let (counts, rest) = after.split_once('[')?;
    let (done, total) = counts.trim().split_once('/')?;
    // A rate such as `1.2kB/s` has no bracket inside; a postfix may have some.
    let close = closing(rest)?;
    let (inside, behind) = (&rest[..close], &rest[close + 1..]);
    let mut parts = inside.splitn(3, ',');
    let times = parts.next()?;
    let speed = parts.next().unwrap_or_default().trim();
    let postfix = parts.next().unwrap_or_default();
    let left_s = times.split_once('<').and_then(|(_, left)| seconds(left.trim()));
    let bar = Bar {
        label: crate::text::cut(label, 60).into_owned(),
        done: amount(done)?,
        total: amount(total)?,
        left_s,
        rate: rate(speed),
    };
    Some((bar, Around { inside: postfix, behind }))
}

fn closing(text: &str) -> Option<usize> {
    let mut open = 0_u32;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'[' => open += 1,
            b']' if open == 0 => return Some(at),
            b']' => open -= 1,
            _ => {}
        }
    }
    None
}

/// `42`, `1.2k`, `3.5M`, `12.3MB`.
fn amount(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number: f64 = text[..digits].parse().ok()?;
    let scale = match text[digits..].chars().next() {
        Some('k' | 'K') => 1e3,
        Some('M') => 1e6,
        Some('G') => 1e9,
        Some('T') => 1e12,
        _ => 1.0,
    };
    super::whole((number * scale).round())
}

/// `4.1it/s`, `2.5s/it`; `None` for `?it/s`.
fn rate(text: &str) -> Option<f64> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number: f64 = text[..digits].parse().ok()?;
    let unit = &text[digits..];
    match unit {
        _ if number <= 0.0 => None,
        _ if unit.ends_with("/s") => Some(number),
        _ if unit.starts_with("s/") => Some(1.0 / number),
        _ => None,
    }
}

/// `14`, `00:14`, `1:02:03`, `2 days, 1:02:03` without its days' comma.
fn seconds(text: &str) -> Option<u64> {
    let (days, text) = match text.split_once("day") {
        Some((days, rest)) => (days.trim().parse::<u64>().ok()?, rest.trim_start_matches('s').trim()),
        None => (0, text),
    };
    let clock = text.split(':').try_fold(0_u64, |sum, part| Some(sum * 60 + part.parse::<u64>().ok()?))?;
    Some(days * 86_400 + clock)
}
