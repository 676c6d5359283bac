//! Secrets that show by their name: `NAME=value`, `"name": "value"`, with or without quotes and spaces.
//!
//! Code that only handles a secret (`token = get_token()`, `token: str`) stays as it is: it holds none.

use super::{Copy, MARK, key_character, run, word_character};

/// Names that end so hold secrets (compared in upper case, `-` read as `_`).
const NAMES: &[&str] = &[
    "TOKEN",
    "API_KEY",
    "APIKEY",
    "SECRET",
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "ACCESS_KEY_ID",
    "ACCESS_KEY",
    "SECRET_KEY",
    "PRIVATE_KEY",
];

/// Words that are names of secrets but also plain English: alone and before a plain word they stay.
const PLAIN_WORDS: &[&str] = &["TOKEN", "SECRET"];

/// Types that code writes behind a name.
const TYPES: &[&str] = &[
    "str",
    "String",
    "string",
    "&str",
    "bytes",
    "int",
    "bool",
    "Secret",
    "SecretStr",
    "Any",
    "Option",
    "Optional",
];

/// Names are short; a longer run of such characters is data.
const LONGEST_NAME: usize = 200;

/// Whether a name tells that its value is secret.
pub(super) fn tells(name: &str) -> bool {
    let Some(start) = name.len().checked_sub(5).filter(|_| name.len() <= LONGEST_NAME) else { return false };
    // Nearly every word ends otherwise: look at its end before copying it.
    let end = name.as_bytes()[start..].to_ascii_uppercase();
    if !["TOKEN", "I_KEY", "PIKEY", "ECRET", "SWORD", "ASSWD", "HRASE", "EY_ID", "S_KEY", "T_KEY", "E_KEY"]
        .iter()
        .any(|tail| *tail.as_bytes() == end[..])
        && !end.contains(&b'-')
    {
        return false;
    }
    let name = name.to_ascii_uppercase().replace('-', "_");
    NAMES.iter().any(|end| name.ends_with(end))
}

pub(super) fn assignments(text: &str) -> Option<String> {
    let mut copy = Copy::new(text);
    let mut at = 0;
    while let Some((start, end)) = next_name(text, at) {
        at = match assigned(text, end, &text[start..end]) {
            Assigned::Value { from, to, with } => {
                copy.replace(from, to, with);
                to
            }
            Assigned::Nothing | Assigned::Open => end,
        };
    }
    copy.finish()
}

/// Where the first name begins whose value lies across `at`, or may go on behind the end of the text.
pub(super) fn name_across(text: &str, at: usize) -> Option<usize> {
    let mut from = 0;
    while let Some((start, end)) = next_name(text, from) {
        from = match assigned(text, end, &text[start..end]) {
            Assigned::Open => return Some(start),
            Assigned::Value { to, .. } if to == text.len() || (start < at && at < to) => return Some(start),
            Assigned::Value { to, .. } => to,
            Assigned::Nothing => end,
        };
    }
    None
}

/// The next telling name from `at` on: where it begins and ends.
fn next_name(text: &str, mut at: usize) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    while at < bytes.len() {
        let end = at + run(bytes, at, key_character);
        if end == at {
            at += 1;
        } else if tells(&text[at..end]) {
            return Some((at, end));
        } else {
            at = end;
        }
    }
    None
}

enum Assigned {
    /// The value, and what stands in its place.
    Value { from: usize, to: usize, with: &'static str },
    /// Nothing secret is assigned.
    Nothing,
    /// The text ends before that is known.
    Open,
}

/// What is assigned to the name that ends at `end`.
fn assigned(text: &str, end: usize, name: &str) -> Assigned {
    let bytes = text.as_bytes();
    let is_blank = |b: u8| b == b' ' || b == b'\t';
    let slashes = run(bytes, end, |b| b == b'\\');
    let name_quote = bytes.get(end + slashes).copied().filter(|b| matches!(b, b'"' | b'\''));
    let after_name = if name_quote.is_some() { end + slashes + 1 } else { end };
    let mut sign = after_name + run(bytes, after_name, is_blank);
    if sign >= bytes.len() || end + slashes >= bytes.len() {
        return Assigned::Open;
    }
    if !matches!(bytes[sign], b':' | b'=') || bytes.get(sign + 1) == Some(&b'=') {
        return Assigned::Nothing;
    }
    let mut start = sign + 1 + run(bytes, sign + 1, is_blank);
    if bytes[sign] == b':' && name_quote.is_none() {
        // `name: Type = value`
        let kind = run(bytes, start, |b| word_character(b) || b == b'&');
        let after = start + kind + run(bytes, start + kind, is_blank);
        if TYPES.contains(&&text[start..start + kind]) {
            if after >= bytes.len() {
                return Assigned::Open;
            }
            if bytes[after] != b'=' {
                return Assigned::Nothing;
            }
            sign = after;
            start = sign + 1 + run(bytes, sign + 1, is_blank);
        }
    }
    if start >= bytes.len() {
        return Assigned::Open;
    }
    let slashes = run(bytes, start, |b| b == b'\\');
    if start + slashes >= bytes.len() {
        return Assigned::Open;
    }
    if let Some(quote) = bytes.get(start + slashes).copied().filter(|b| matches!(b, b'"' | b'\'')) {
        // Quoted: what stands around the value stays, so that JSON stays JSON.
        let from = start + slashes + 1;
        let to = closing(bytes, from, quote, slashes);
        return if to > from { Assigned::Value { from, to, with: MARK } } else { closed(bytes, to) };
    }
    let length = run(bytes, start, |b| !b.is_ascii_whitespace() && !matches!(b, b'"' | b'\''));
    let value = text[start..start + length].trim_end_matches([',', ';', ')', '}', '\\']);
    let spaced = start > sign + 1 || sign > after_name;
    let harmless = value.is_empty()
        || matches!(value, "null" | "None" | "true" | "false" | "True" | "False")
        || (name_quote.is_some() && value.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
        || (bytes[sign] == b':' && is_prose(name, value))
        || (spaced && is_code(value))
        || value.eq_ignore_ascii_case(name)
        || value.starts_with("$");
    if harmless {
        return if start + length == bytes.len() { Assigned::Open } else { Assigned::Nothing };
    }
    let to = start + value.len();
    match name_quote {
        Some(_) => Assigned::Value { from: start, to, with: MARK },
        None => Assigned::Value { from: end, to, with: "=[REDACTED]" },
    }
}

/// An empty quoted value; open if even its closing quote is not there yet.
fn closed(bytes: &[u8], at: usize) -> Assigned {
    if at >= bytes.len() { Assigned::Open } else { Assigned::Nothing }
}

/// `the secret: practice`: a bare English word before a plain word.
fn is_prose(name: &str, value: &str) -> bool {
    PLAIN_WORDS.contains(&name.to_ascii_uppercase().as_str())
        && value.len() < 16
        && value.chars().all(|c| c.is_ascii_lowercase() || matches!(c, '.' | ',' | '!' | '?'))
}

/// `get_token(…`, `os.environ[…`: a call or a look-up, which names where a secret is and is none.
fn is_code(value: &str) -> bool {
    let path = value.bytes().take_while(|b| word_character(*b) || matches!(b, b'.' | b':')).count();
    path > 0
        && !value.as_bytes()[0].is_ascii_digit()
        && matches!(value.as_bytes().get(path), Some(b'(' | b'['))
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
