//! Notices when the model repeats itself: the same call with the same result, or a circle of calls.
//!
//! Pure. Looks only at the tail, which is kept as hashes, so that a step costs what the step brought.
//! Start at [`pattern`].

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::agent::canonical::{canonical, canonical_text};
use crate::protocol::Sign;

/// This many equal calls in a row are a repetition.
const RUN: usize = 3;
/// The longest circle that is noticed, in calls.
const LONGEST_CYCLE: usize = 5;
/// How many signs must be kept: the longest circle, twice.
const REMEMBERED: usize = 2 * LONGEST_CYCLE;

/// What repeats itself at the tail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// The same call, again and again.
    Run {
        /// The tool.
        tool: String,
    },
    /// Several calls, round and round.
    Cycle {
        /// The tools of one round, in order.
        tools: Vec<String>,
    },
}

/// One call with its result, in a form that can be compared. `None` is no result, which is not the same
/// as an empty one.
#[must_use]
pub fn sign(tool: &str, arguments: &Value, result: Option<&str>) -> Sign {
    let arguments = match arguments {
        // Arguments that were no JSON object are kept as the text that the model wrote.
        Value::String(raw) => canonical_text(raw),
        other => canonical(other).to_string(),
    };
    let result = result.map(canonical_text);
    let mut hash = Sha256::new();
    for part in [Some(tool), Some(arguments.as_str()), result.as_deref()] {
        // Lengths keep the parts apart; `None` is longer than any text.
        hash.update(part.map_or(u64::MAX, |text| text.len() as u64).to_be_bytes());
        hash.update(part.unwrap_or_default());
    }
    Sign { tool: tool.to_owned(), hash: first_bytes(hash) }
}

/// Adds a sign and forgets what no pattern can need any more.
pub fn remember(recent: &mut Vec<Sign>, sign: Sign) {
    recent.push(sign);
    let surplus = recent.len().saturating_sub(REMEMBERED);
    recent.drain(..surplus);
}

/// What repeats itself at the tail, the shortest pattern first, and a number that stays the same while
/// that pattern lasts, wherever in its round it stands.
#[must_use]
pub fn pattern(recent: &[Sign]) -> Option<(Pattern, u64)> {
    let length = (1..=LONGEST_CYCLE).find(|length| {
        let rounds = if *length == 1 { RUN } else { 2 };
        repeats(recent, *length, rounds)
    })?;
    let round = recent.get(recent.len() - length..)?;
    let pattern = match round {
        [one] => Pattern::Run { tool: one.tool.clone() },
        several => Pattern::Cycle { tools: several.iter().map(|sign| sign.tool.clone()).collect() },
    };
    Some((pattern, identity(round)))
}

/// Whether the tail is `rounds` equal rounds of this length.
fn repeats(recent: &[Sign], length: usize, rounds: usize) -> bool {
    let Some(start) = recent.len().checked_sub(length * rounds) else { return false };
    let tail = &recent[start..];
    tail.iter().zip(&tail[length..]).all(|(one, next)| one.hash == next.hash)
}

/// A hash over the round, turned so that it begins at its smallest sign.
fn identity(round: &[Sign]) -> u64 {
    let turned = |by: usize| round.iter().cycle().skip(by).take(round.len()).map(|sign| sign.hash);
    let least = (0..round.len()).min_by(|one, other| turned(*one).cmp(turned(*other))).unwrap_or(0);
    let mut hash = Sha256::new();
    for sign in turned(least) {
        hash.update(sign.to_be_bytes());
    }
    first_bytes(hash)
}

fn first_bytes(hash: Sha256) -> u64 {
    hash.finalize().iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Calls as `tool arguments=result`, one per word triple; no `=` is no result.
    fn judged(history: &[(&str, Value, Option<&str>)]) -> Option<Pattern> {
        let mut recent = Vec::new();
        for (tool, arguments, result) in history {
            remember(&mut recent, sign(tool, arguments, *result));
        }
        pattern(&recent).map(|(pattern, _)| pattern)
    }

    fn tools(names: &str) -> Vec<(&'static str, Value, Option<&'static str>)> {
        let name = |letter| match letter {
            'A' => "a",
            'B' => "b",
            'C' => "c",
            'D' => "d",
            'E' => "e",
            _ => "f",
        };
        names.chars().map(|letter| (name(letter), json!({}), Some("ok"))).collect()
    }

    fn run(tool: &str) -> Option<Pattern> {
        Some(Pattern::Run { tool: tool.to_owned() })
    }

    fn cycle(tools: &[&str]) -> Option<Pattern> {
        Some(Pattern::Cycle { tools: tools.iter().map(|tool| (*tool).to_owned()).collect() })
    }

    #[test]
    fn the_table_of_repetitions() {
        let read = |arguments: Value| ("read", arguments, None);
        let poll = |result: &'static str| ("poll", json!({}), Some(result));
        let text = |raw: &str| read(Value::String(raw.to_owned()));
        let table = [
            ("1: three equal", vec![read(json!({"p": 1})); 3], run("read")),
            ("2: two equal", vec![read(json!({"p": 1})); 2], None),
            (
                "3: order of keys and spacing",
                vec![
                    read(json!({"a": 1, "b": 2})),
                    read(json!({"b": 2, "a": 1})),
                    text("{\"a\":1, \"b\":2}"),
                ],
                run("read"),
            ),
            ("4: order in lists", vec![text("[1,2]"), text("[2,1]"), text("[1,2]")], None),
            ("5: no JSON", vec![text("oops"); 3], run("read")),
            ("6: two, another, two", tools("AABAA"), None),
            ("7: a poll that changes", ["10", "20", "30", "40"].map(poll).to_vec(), None),
            (
                "8: a poll that stands still",
                vec![poll("10"), poll("40"), poll("40"), poll("40")],
                run("poll"),
            ),
            (
                "9: results in another order",
                [r#"{"x":1,"y":2}"#, r#"{"y":2,"x":1}"#, r#"{"x":1, "y":2}"#].map(poll).to_vec(),
                run("poll"),
            ),
            ("10: a circle of two", tools("ABAB"), cycle(&["a", "b"])),
            (
                "11: a circle in which something changes",
                vec![poll("1"), tools("B").remove(0), poll("2"), tools("B").remove(0)],
                None,
            ),
            ("12: a circle of three", tools("ABCABC"), cycle(&["a", "b", "c"])),
            ("13: almost a circle", tools("ABAC"), None),
            ("a circle of five", tools("ABCDEABCDE"), cycle(&["a", "b", "c", "d", "e"])),
            ("14: a circle of six", tools("ABCDEFABCDEF"), None),
            // Row 15 (three in one message) is a test of the loop; here they are three in a row.
            // Row 16, where we differ: what stopped by itself needs no word any more.
            ("16: three equal, then two others", tools("AAABC"), None),
            (
                "17: three equal, long ago",
                [tools("AAA"), (0..28).map(|n| ("x", json!({ "n": n }), Some("ok"))).collect()].concat(),
                None,
            ),
            (
                "18: other arguments, same result",
                (0..3).map(|n| ("x", json!({ "n": n }), Some("ok"))).collect(),
                None,
            ),
            (
                "no result is not an empty one",
                vec![("a", json!({}), None), ("a", json!({}), Some("")), ("a", json!({}), None)],
                None,
            ),
        ];
        for (row, history, expected) in table {
            assert_eq!(judged(&history), expected, "{row}");
        }
    }

    #[test]
    fn a_pattern_keeps_its_number_while_it_lasts_and_has_its_own() {
        let number = |names: &str| {
            let signs: Vec<Sign> =
                tools(names).iter().map(|(tool, arguments, result)| sign(tool, arguments, *result)).collect();
            pattern(&signs).map(|(_, number)| number)
        };
        assert_eq!(number("AAA"), number("AAAA"));
        assert_eq!(number("ABAB"), number("ABABA"), "wherever in its round it stands");
        assert_eq!(number("ABCABC"), number("BCABCA"));
        assert_ne!(number("ABAB"), number("ACAC"));
        assert_ne!(number("ABCABC"), number("ACBACB"), "another order is another circle");
        assert_ne!(number("AAA"), number("BBB"));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut recent = Vec::new();
        for number in 0..1_000 {
            remember(&mut recent, sign("x", &json!(number), None));
            assert!(recent.len() <= REMEMBERED);
        }
    }
}
