//! `key=value`, `key: value` and, for names that everybody knows, `loss 0.53`.

use super::name::{Kind, tidy};
use super::number;

/// Words of a name at most (`train loss per token`).
const WORDS: usize = 3;

/// Names that may stand before their number with nothing but a space between.
const BARE: &[&str] = &[
    "loss",
    "train loss",
    "val loss",
    "valid loss",
    "validation loss",
    "test loss",
    "eval loss",
    "acc",
    "accuracy",
    "val acc",
    "ppl",
    "perplexity",
    "lr",
    "epoch",
    "step",
    "iter",
    "grad norm",
    "f1",
    "bleu",
    "wer",
];

/// The pairs of a line, if one of them tells of a training or where it is going.
pub(super) fn telling(line: &str) -> Option<Vec<(String, f64)>> {
    let found = all(line);
    let tells =
        |(name, _): &(String, f64)| matches!(Kind::of(name), Kind::Metric | Kind::Steps | Kind::Epochs);
    found.iter().any(tells).then_some(found)
}

/// All pairs of a line.
pub(super) fn all(line: &str) -> Vec<(String, f64)> {
    let mut found = Vec::new();
    let mut from = 0;
    let bytes = line.as_bytes();
    for (at, byte) in line.bytes().enumerate() {
        if at < from || !matches!(byte, b'=' | b':') || bytes.get(at + 1) == Some(&byte) {
            continue;
        }
        let value = line[at + 1..].trim_start();
        let start = line.len() - value.len();
        if let Some((number, used)) = number::leading(value)
            && let Some(name) = name_before(&line[from..at])
        {
            bare(&line[from..at], &mut found);
            let end = start + used;
            totals(&name, &line[end..], &mut found);
            found.push((name, number));
            from = end;
        } else if byte == b':' {
            // `step 250: train loss 2.5`: what stands before the colon counts by itself.
            bare(&line[from..at], &mut found);
            from = at + 1;
        }
    }
    bare(&line[from..], &mut found);
    found
}

/// `epoch: 1/3` and `step: 100/1000` say where it ends, too.
fn totals(name: &str, behind: &str, found: &mut Vec<(String, f64)>) {
    let total = behind.trim_start().strip_prefix('/').and_then(|text| number::leading(text.trim_start()));
    if let Some((total, _)) = total {
        match Kind::of(name) {
            Kind::Step => found.push(("total_steps".to_owned(), total)),
            Kind::Epoch => found.push(("num_epochs".to_owned(), total)),
            _ => {}
        }
    }
}

/// The name that ends here: its last words, as many as make a name that tells something, else the last one.
fn name_before(text: &str) -> Option<String> {
    let cut = text.rfind([',', ';', '|', ')', ']', '}', '\t']).map_or(text, |at| &text[at + 1..]);
    let words: Vec<&str> = cut.split_whitespace().collect();
    let last = tidy(words.last()?)?;
    let several = (2..=WORDS.min(words.len())).rev().find_map(|count| {
        let name = tidy(&words[words.len() - count..].join(" "))?;
        // All its words belong to it: `train loss`, not `done with loss`.
        let known = BARE.contains(&name.replace('_', " ").as_str())
            || matches!(Kind::of(&name), Kind::Steps | Kind::Epochs);
        known.then_some(name)
    });
    Some(several.unwrap_or(last))
}

/// `iter 100`, `train loss 2.5`: known names with a space before the number.
fn bare(text: &str, found: &mut Vec<(String, f64)>) {
    let words: Vec<&str> = text.split_whitespace().collect();
    for (at, word) in words.iter().enumerate().skip(1) {
        let word = word.trim_start_matches(['(', '[']);
        let Some((value, used)) = number::leading(word) else { continue };
        let clean = |word: &str| word.trim_matches(|c: char| !c.is_ascii_alphanumeric()).to_ascii_lowercase();
        let two = (at >= 2).then(|| format!("{} {}", clean(words[at - 2]), clean(words[at - 1])));
        let name = two
            .filter(|name| BARE.contains(&name.as_str()))
            .or_else(|| Some(clean(words[at - 1])).filter(|name| BARE.contains(&name.as_str())));
        if let Some(name) = name.and_then(|name| tidy(&name)) {
            totals(&name, &word[used..], found);
            found.push((name, value));
        }
    }
}
