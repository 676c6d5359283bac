//! How much a transcript weighs, in estimated tokens.
//!
//! Pure. Sums are kept as the transcript grows, so that any part of it is weighed at once, however long
//! it is. The provider's own count corrects the estimate wherever there is one.

use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;

use crate::protocol::Item;

/// About how many tokens so many bytes are: four bytes are one, rounded up.
#[must_use]
pub fn tokens_in(bytes: usize) -> u64 {
    (bytes as u64).div_ceil(4)
}

/// About how many tokens an item takes in a prompt.
#[must_use]
pub fn weight(item: &Item) -> u64 {
    let bytes = match item {
        Item::User { text, name, .. } => text.len() + name.len(),
        Item::Synthetic { text, .. } | Item::Summary { text, .. } => text.len(),
        Item::Overheard { lines } => lines.iter().map(|line| line.text.len() + line.name.len()).sum(),
        Item::Assistant { text, thoughts, calls, .. } => {
            text.len()
                + thoughts.iter().map(|thought| thought.text.len()).sum::<usize>()
                + calls.iter().map(|call| call.tool.len() + written(&call.arguments)).sum::<usize>()
        }
        Item::ToolResult { output, .. } => output.len(),
    };
    tokens_in(bytes) + 4
}

/// About how many bytes JSON takes when it is written, without writing it.
#[must_use]
pub fn written(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 5,
        Value::Number(_) => 8,
        Value::String(text) => text.len() + 2,
        Value::Array(list) => list.iter().map(|one| written(one) + 1).sum::<usize>() + 2,
        Value::Object(map) => map.iter().map(|(key, one)| key.len() + written(one) + 4).sum::<usize>() + 2,
    }
}

/// Sums over a transcript: what its first items weigh, for every number of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weights(Vec<u64>);

impl Weights {
    /// Weighs a transcript.
    #[must_use]
    pub fn of(items: &[Arc<Item>]) -> Self {
        let mut weights = Self(Vec::with_capacity(items.len() + 1));
        weights.0.push(0);
        for item in items {
            weights.push(item);
        }
        weights
    }

    /// Weighs one more item.
    pub fn push(&mut self, item: &Item) {
        self.0.push(self.total().saturating_add(weight(item)));
    }

    /// Forgets all but the first `length` items.
    pub fn truncate(&mut self, length: usize) {
        self.0.truncate(length + 1);
    }

    /// What these items weigh together; items that are not there weigh nothing.
    #[must_use]
    pub fn between(&self, range: &Range<usize>) -> u64 {
        self.upto(range.end).saturating_sub(self.upto(range.start))
    }

    /// What all items weigh together.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.last().copied().unwrap_or(0)
    }

    /// The first index at or behind `from` where what lies behind it weighs no more than `most`.
    #[must_use]
    pub fn tail(&self, from: usize, most: u64) -> usize {
        let total = self.total();
        let at = self.0.partition_point(|sum| total - sum > most);
        at.max(from).min(self.0.len().saturating_sub(1))
    }

    /// The first index behind `from` by which items of at least `wanted` have been passed.
    #[must_use]
    pub fn passed(&self, from: usize, wanted: u64) -> usize {
        let goal = self.upto(from).saturating_add(wanted);
        self.0.partition_point(|sum| *sum < goal).min(self.0.len().saturating_sub(1)).max(from)
    }

    fn upto(&self, length: usize) -> u64 {
        self.0.get(length).copied().unwrap_or_else(|| self.total())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn note(bytes: usize) -> Arc<Item> {
        Arc::new(Item::Synthetic { text: "x".repeat(bytes) })
    }

    #[test]
    fn parts_are_weighed_from_sums() {
        let items = [note(0), note(4), note(8)];
        let mut weights = Weights::of(&items[..2]);
        weights.push(&items[2]);
        assert_eq!(weights, Weights::of(&items));
        assert_eq!((weights.total(), weights.between(&(1..3)), weights.between(&(3..9))), (15, 11, 0));
        assert_eq!(
            [weights.tail(0, 100), weights.tail(0, 11), weights.tail(0, 10), weights.tail(0, 0)],
            [0, 1, 2, 3]
        );
        assert_eq!(weights.tail(2, 100), 2);
        assert_eq!([weights.passed(0, 4), weights.passed(0, 5), weights.passed(1, 99)], [1, 2, 3]);
        weights.truncate(1);
        assert_eq!(weights.total(), 4);
    }

    #[test]
    fn json_is_weighed_about_as_it_is_written() {
        for value in [json!({}), json!({"a": [1, 2, {"b": "text"}], "c": null}), json!("word"), json!([])] {
            let (guess, real) = (written(&value), value.to_string().len());
            assert!(guess >= real && guess <= 3 * real + 8, "{value}: {guess} for {real}");
        }
    }
}
