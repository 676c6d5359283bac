//! Secrets that show by their shape: tokens with a known prefix, bearer headers, passwords in addresses.

use super::{Copy, MARK, key_character, run, slack_character, word_character};

/// Shapes of tokens: prefix, characters that may follow, how many at least, and the mark.
const SHAPES: &[Shape] = &[
    HUB,
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

/// Tokens of the Hugging Face Hub.
const HUB: Shape = Shape { prefix: "hf_", tail: alphanumeric, least: 30, mark: "[REDACTED_HF_TOKEN]" };

struct Shape {
    prefix: &'static str,
    tail: fn(u8) -> bool,
    least: usize,
    mark: &'static str,
}

fn alphanumeric(b: u8) -> bool {
    b.is_ascii_alphanumeric()
}

fn path_character(b: u8) -> bool {
    key_character(b) || b == b'/'
}

pub(super) fn tokens(text: &str) -> Option<String> {
    shaped(text, SHAPES)
}

pub(super) fn hub_tokens(text: &str) -> Option<String> {
    shaped(text, &[HUB])
}

/// Whether all of it is one token of the Hub.
pub(super) fn is_hub_token(text: &str) -> bool {
    let tail = text.strip_prefix(HUB.prefix).unwrap_or_default();
    tail.len() >= HUB.least && tail.bytes().all(HUB.tail)
}

fn shaped(text: &str, shapes: &[Shape]) -> Option<String> {
    let bytes = text.as_bytes();
    let mut copy = Copy::new(text);
    let mut at = 0;
    while at < bytes.len() {
        let found =
            shapes.iter().filter(|_| matches!(bytes[at], b'h' | b's' | b'g' | b'x')).find_map(|shape| {
                let start = at + shape.prefix.len();
                let tail = bytes[at..]
                    .starts_with(shape.prefix.as_bytes())
                    .then(|| run(bytes, start, shape.tail))?;
                (tail >= shape.least).then_some((start + tail, shape.mark))
            });
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

/// Key ids of AWS, as whole words: after the other tokens, so that one right behind it does not hide it.
pub(super) fn aws_keys(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut copy = Copy::new(text);
    let mut at = 0;
    while at < bytes.len() {
        match aws_key(bytes, at) {
            Some(end) => {
                copy.replace(at, end, "[REDACTED_AWS_KEY_ID]");
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

pub(super) fn bearers(text: &str) -> Option<String> {
    fn token(b: u8) -> bool {
        slack_character(b) || matches!(b, b'~' | b'+' | b'/')
    }
    let bytes = text.as_bytes();
    let mut copy = Copy::new(text);
    let mut at = 0;
    while at + 7 < bytes.len() {
        if bytes[at..at + 6].eq_ignore_ascii_case(b"bearer") && bytes[at + 6] == b' ' {
            let start = at + 6 + run(bytes, at + 6, |b| b == b' ');
            let length = run(bytes, start, token);
            if length >= 20 {
                // Equals signs only pad a token's end; elsewhere they assign.
                let end = start + length + run(bytes, start + length, |b| b == b'=');
                copy.replace(at, end, "Bearer [REDACTED]");
                at = end;
            } else {
                // The short word may itself be the word that a token follows.
                at = start;
            }
        } else {
            at += 1;
        }
    }
    copy.finish()
}

/// `scheme://user:password@host`
pub(super) fn addresses(text: &str) -> Option<String> {
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

/// Where a bearer header begins whose token is at `at`, or is still to come.
pub(super) fn bearer_before(text: &str, at: usize) -> Option<usize> {
    let before = &text.as_bytes()[..at];
    let gap = before.iter().rev().take_while(|b| **b == b' ').count();
    let end = at - gap;
    let start = end.checked_sub(6)?;
    (gap > 0 && before[start..end].eq_ignore_ascii_case(b"bearer")).then_some(start)
}
