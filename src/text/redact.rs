//! Taking secrets out of text: configured ones by value, others by their shape.
//!
//! Owns [`redact`] and [`redact_json`]. Each pass reads its text once from left to right, so the
//! time is linear whatever the text. Never decides where redaction is needed.

use std::borrow::Cow;

use serde_json::Value;

use crate::secret::Secret;

/// A configured secret shorter than this is not searched for by value: it would hit plain words.
const SHORTEST_VALUE: usize = 6;

/// What stands where a secret stood.
const MARK: &str = "[REDACTED]";

/// Shapes of tokens: prefix, characters that may follow, how many at least, and the mark.
const SHAPES: &[Shape] = &[
    Shape { prefix: "hf_", tail: alphanumeric, least: 30, mark: "[REDACTED_HF_TOKEN]" },
    Shape { prefix: "sk-ant-", tail: key_character, least: 20, mark: "[REDACTED_ANTHROPIC_KEY]" },
    Shape { prefix: "sk-", tail: key_character, least: 40, mark: "[REDACTED_API_KEY]" },
    Shape { prefix: "ghp_", tail: alphanumeric, least: 36, mark: "[REDACTED_GITHUB_TOKEN]" },
    Shape { prefix: "gho_", tail: alphanumeric, least: 36, mark: "[REDACTED_GITHUB_TOKEN]" },
    Shape { prefix: "ghu_", tail: alphanumeric, least: 36, mark: "[REDACTED_GITHUB_TOKEN]" },
    Shape { prefix: "ghs_", tail: alphanumeric, least: 36, mark: "[REDACTED_GITHUB_TOKEN]" },
    Shape { prefix: "ghr_", tail: alphanumeric, least: 36, mark: "[REDACTED_GITHUB_TOKEN]" },
    Shape { prefix: "github_pat_", tail: word_character, least: 36, mark: "[REDACTED_GITHUB_TOKEN]" },
    Shape { prefix: "xoxa-", tail: slack_character, least: 8, mark: "[REDACTED_SLACK_TOKEN]" },
    Shape { prefix: "xoxb-", tail: slack_character, least: 8, mark: "[REDACTED_SLACK_TOKEN]" },
    Shape { prefix: "xoxp-", tail: slack_character, least: 8, mark: "[REDACTED_SLACK_TOKEN]" },
    Shape { prefix: "xoxs-", tail: slack_character, least: 8, mark: "[REDACTED_SLACK_TOKEN]" },
    Shape { prefix: "xoxr-", tail: slack_character, least: 8, mark: "[REDACTED_SLACK_TOKEN]" },
    Shape { prefix: "xoxe-", tail: slack_character, least: 8, mark: "[REDACTED_SLACK_TOKEN]" },
    Shape { prefix: "xoxe.xox", tail: slack_character, least: 8, mark: "[REDACTED_SLACK_TOKEN]" },
    Shape { prefix: "xapp-", tail: slack_character, least: 8, mark: "[REDACTED_SLACK_TOKEN]" },
    Shape {
        prefix: "hooks.slack.com/services/",
        tail: path_character,
        least: 8,
        mark: "hooks.slack.com/services/[REDACTED]",
    },
];

/// Names that end so hold secrets (compared in upper case, `-` read as `_`).
const NAMES: &[&str] = &[
    "TOKEN",
    "API_KEY",
    "APIKEY",
    "SECRET",
    "PASSWORD",
    "PASSWD",
    "ACCESS_KEY_ID",
    "ACCESS_KEY",
    "PRIVATE_KEY",
];

/// Words that are names of secrets but also plain English: alone and before a plain word they stay.
const PLAIN_WORDS: &[&str] = &["TOKEN", "SECRET"];

struct Shape {
    prefix: &'static str,
    tail: fn(u8) -> bool,
    least: usize,
    mark: &'static str,
}

fn alphanumeric(b: u8) -> bool {
    b.is_ascii_alphanumeric()
}

fn word_character(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_'
}

fn key_character(b: u8) -> bool {
    word_character(b) || b == b'-'
}

fn slack_character(b: u8) -> bool {
    key_character(b) || b == b'.'
}

fn path_character(b: u8) -> bool {
    key_character(b) || b == b'/'
}

/// Takes out the `extra` secrets by value, then everything that looks like a secret: tokens of
/// known shape, bearer headers, passwords in addresses, and values assigned to telling names.
#[must_use]
pub fn redact<'a>(text: &'a str, extra: &[Secret]) -> Cow<'a, str> {
    let text = redact_values(text, extra);
    let text = pass(text, tokens);
    let text = pass(text, bearers);
    let text = pass(text, addresses);
    pass(text, assignments)
}

/// Takes out the given secrets by value and nothing else. Very short ones are left alone.
#[must_use]
pub fn redact_values<'a>(text: &'a str, secrets: &[Secret]) -> Cow<'a, str> {
    let mut found: Vec<&str> = secrets
        .iter()
        .map(Secret::reveal)
        .filter(|secret| secret.len() >= SHORTEST_VALUE && text.contains(*secret))
        .collect();
    if found.is_empty() {
        return Cow::Borrowed(text);
    }
    // The longest first: one secret may be part of another.
    found.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    let replaced = found.iter().fold(text.to_owned(), |text, secret| text.replace(secret, MARK));
    Cow::Owned(replaced)
}

/// [`redact`] on every string in a JSON value, as a copy; names of fields stay, but the value of a
/// field with a telling name goes.
#[must_use]
pub fn redact_json(value: &Value, extra: &[Secret]) -> Value {
    match value {
        Value::String(text) => Value::String(redact(text, extra).into_owned()),
        Value::Array(items) => Value::Array(items.iter().map(|item| redact_json(item, extra)).collect()),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| {
                let kept = match value {
                    Value::String(text) if !text.is_empty() && tells(name) => Value::String(MARK.to_owned()),
                    other => redact_json(other, extra),
                };
                (name.clone(), kept)
            })
            .collect::<serde_json::Map<_, _>>()
            .into(),
        plain => plain.clone(),
    }
}

fn pass<'a>(text: Cow<'a, str>, rule: fn(&str) -> Option<String>) -> Cow<'a, str> {
    match rule(&text) {
        Some(changed) => Cow::Owned(changed),
        None => text,
    }
}

/// Copies a text while leaving out parts of it; allocates only once there is something to leave out.
struct Copy<'a> {
    text: &'a str,
    out: Option<String>,
    done: usize,
}

impl<'a> Copy<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, out: None, done: 0 }
    }

    fn replace(&mut self, from: usize, to: usize, with: &str) {
        let out = self.out.get_or_insert_with(|| String::with_capacity(self.text.len()));
        out.push_str(&self.text[self.done..from]);
        out.push_str(with);
        self.done = to;
    }

    fn finish(self) -> Option<String> {
        let mut out = self.out?;
        out.push_str(&self.text[self.done..]);
        Some(out)
    }
}

fn run(bytes: &[u8], from: usize, keep: fn(u8) -> bool) -> usize {
    bytes[from..].iter().take_while(|b| keep(**b)).count()
}

fn tokens(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut copy = Copy::new(text);
    let mut at = 0;
    while at < bytes.len() {
        let found = match bytes[at] {
            b'h' | b's' | b'g' | b'x' => SHAPES.iter().find_map(|shape| {
                let start = at + shape.prefix.len();
                let tail = bytes[at..]
                    .starts_with(shape.prefix.as_bytes())
                    .then(|| run(bytes, start, shape.tail))?;
                (tail >= shape.least).then_some((start + tail, shape.mark))
            }),
            b'A' => aws_key(bytes, at).map(|end| (end, "[REDACTED_AWS_KEY_ID]")),
            _ => None,
        };
        match found {
            Some((end, mark)) => {
                copy.replace(at, end, mark);
                at = end;
            }
            None => at += 1,
        }
    }
    copy.finish()
}

fn aws_key(bytes: &[u8], at: usize) -> Option<usize> {
    let prefixed = bytes[at..].starts_with(b"AKIA") || bytes[at..].starts_with(b"ASIA");
    let whole = prefixed && (at == 0 || !word_character(bytes[at - 1]));
    let tail = bytes.get(at + 4..at + 20)?;
    let ends = bytes.get(at + 20).is_none_or(|b| !word_character(*b));
    let fits = tail.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    (whole && ends && fits).then_some(at + 20)
}

fn bearers(text: &str) -> Option<String> {
    fn token(b: u8) -> bool {
        slack_character(b) || matches!(b, b'~' | b'+' | b'/' | b'=')
    }
    let bytes = text.as_bytes();
    let mut copy = Copy::new(text);
    let mut at = 0;
    while at + 7 < bytes.len() {
        if bytes[at..at + 6].eq_ignore_ascii_case(b"bearer") && bytes[at + 6] == b' ' {
            let start = at + 6 + run(bytes, at + 6, |b| b == b' ');
            let length = run(bytes, start, token);
            if length >= 20 {
                copy.replace(at, start + length, "Bearer [REDACTED]");
            }
            at = start + length;
        } else {
            at += 1;
        }
    }
    copy.finish()
}

/// `scheme://user:password@host`
fn addresses(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut copy = Copy::new(text);
    let mut at = 0;
    while let Some(found) = text[at..].find("://") {
        let start = at + found + 3;
        let length =
            run(bytes, start, |b| b.is_ascii_graphic() && !matches!(b, b'/' | b'"' | b'\'' | b'<' | b'>'));
        let authority = &text[start..start + length];
        if let Some(sign) = authority.rfind('@')
            && let Some(colon) = authority[..sign].find(':')
            && colon + 1 < sign
        {
            copy.replace(start + colon + 1, start + sign, MARK);
        }
        at = start + length;
    }
    copy.finish()
}

/// Whether a name tells that its value is secret.
fn tells(name: &str) -> bool {
    let name = name.to_ascii_uppercase().replace('-', "_");
    NAMES.iter().any(|end| name.ends_with(end))
}

fn assignments(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut copy = Copy::new(text);
    let mut at = 0;
    while at < bytes.len() {
        let length = run(bytes, at, key_character);
        if length == 0 {
            at += 1;
            continue;
        }
        let end = at + length;
        // Names are short; a long run of such characters is data.
        let name = &text[at..end];
        if length > 200 || !tells(name) {
            at = end;
            continue;
        }
        match assigned(text, end, name) {
            Some(value) => {
                copy.replace(value.from, value.to, value.with);
                at = value.to;
            }
            None => at = end,
        }
    }
    copy.finish()
}

struct Assigned {
    from: usize,
    to: usize,
    with: &'static str,
}

/// The value assigned to the name that ends at `end`, if one is.
fn assigned(text: &str, end: usize, name: &str) -> Option<Assigned> {
    let bytes = text.as_bytes();
    let is_blank = |b: u8| b == b' ' || b == b'\t';
    let slashes = run(bytes, end, |b| b == b'\\');
    let name_quote = bytes.get(end + slashes).copied().filter(|b| matches!(b, b'"' | b'\''));
    let after_name = if name_quote.is_some() { end + slashes + 1 } else { end };
    let sign = after_name + run(bytes, after_name, is_blank);
    if !matches!(bytes.get(sign), Some(b':' | b'=')) || bytes.get(sign + 1) == Some(&b'=') {
        return None;
    }
    let start = sign + 1 + run(bytes, sign + 1, is_blank);
    let slashes = run(bytes, start, |b| b == b'\\');
    if let Some(quote) = bytes.get(start + slashes).copied().filter(|b| matches!(b, b'"' | b'\'')) {
        // Quoted: what stands around the value stays, so that JSON stays JSON.
        let from = start + slashes + 1;
        let to = closing(bytes, from, quote, slashes);
        return (to > from).then_some(Assigned { from, to, with: MARK });
    }
    let length = run(bytes, start, |b| !b.is_ascii_whitespace() && !matches!(b, b'"' | b'\''));
    let value = text[start..start + length].trim_end_matches([',', ';', ')', '}', '\\']);
    let harmless = value.is_empty()
        || matches!(value, "null" | "None" | "true" | "false" | "True" | "False")
        || (name_quote.is_some() && value.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
        || (bytes[sign] == b':' && is_prose(name, value));
    if harmless {
        return None;
    }
    let to = start + value.len();
    Some(match name_quote {
        Some(_) => Assigned { from: start, to, with: MARK },
        None => Assigned { from: end, to, with: "=[REDACTED]" },
    })
}

/// `the secret: practice`: a bare English word before a plain word.
fn is_prose(name: &str, value: &str) -> bool {
    PLAIN_WORDS.contains(&name.to_ascii_uppercase().as_str())
        && value.len() < 16
        && value.chars().all(|c| c.is_ascii_lowercase() || matches!(c, '.' | ',' | '!' | '?'))
}

/// Where a quoted value ends: at its closing quote (escaped as deeply as the opening one), else at
/// the end of its line.
fn closing(bytes: &[u8], from: usize, quote: u8, depth: usize) -> usize {
    let mut slashes = 0;
    for (offset, b) in bytes[from..].iter().enumerate() {
        match *b {
            b'\\' => slashes += 1,
            b'\n' => return from + offset,
            other if other == quote && slashes <= depth => return from + offset - slashes,
            _ => slashes = 0,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests;
