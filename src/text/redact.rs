//! Taking secrets out of text: configured ones by value, others by their shape or their name.
//!
//! Owns [`redact`], [`redact_json`] and, for text that arrives in pieces, [`Flow`]. Each pass reads its
//! text once from left to right, so the time is linear whatever the text. Never decides where redaction
//! is needed.

use std::borrow::Cow;

use serde_json::Value;

use self::names::{assignments, tells};
use self::shapes::{addresses, aws_keys, bearers, hub_tokens, tokens};
use crate::secret::Secret;

mod flow;
mod names;
mod shapes;

pub use flow::Flow;

/// A configured secret shorter than this is not searched for by value: it would hit plain words.
const SHORTEST_VALUE: usize = 6;

/// What stands where a secret stood.
const MARK: &str = "[REDACTED]";

/// Takes out the `extra` secrets by value, then everything that looks like a secret: tokens of
/// known shape, bearer headers, passwords in addresses, and values assigned to telling names.
#[must_use]
pub fn redact<'a>(text: &'a str, extra: &[Secret]) -> Cow<'a, str> {
    pass(redact_known(text, extra), assignments)
}

/// Takes out the `extra` secrets by value and tokens of known shape, but leaves what only stands under a
/// telling name: for text that must still read as what it is (a file that is to be edited).
#[must_use]
pub fn redact_known<'a>(text: &'a str, extra: &[Secret]) -> Cow<'a, str> {
    let text = redact_values(text, extra);
    let text = pass(text, tokens);
    let text = pass(text, aws_keys);
    let text = pass(text, bearers);
    pass(text, addresses)
}

/// Takes out tokens of the Hugging Face Hub, by their shape, and nothing else: for words of people that are to
/// stay as they are otherwise. Borrowed if there was none.
#[must_use]
pub fn redact_hub_tokens(text: &str) -> Cow<'_, str> {
    pass(Cow::Borrowed(text), hub_tokens)
}

/// Whether a text is a token of the Hugging Face Hub by its shape, and nothing else.
#[must_use]
pub fn is_hub_token(text: &str) -> bool {
    shapes::is_hub_token(text)
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

fn word_character(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_'
}

fn key_character(b: u8) -> bool {
    word_character(b) || b == b'-'
}

fn slack_character(b: u8) -> bool {
    key_character(b) || b == b'.'
}

#[cfg(test)]
mod tests;
