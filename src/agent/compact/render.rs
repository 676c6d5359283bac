//! A transcript as text, for a summary: by the model, or mechanically where no model helps.
//!
//! Pure, and bounded whatever comes in. What people said is kept longest.

use std::sync::Arc;

use super::oversize::spill_file;
use crate::protocol::Item;
use crate::text::{cut, head_and_tail};

/// Characters of one item that a summary is made from.
pub const ITEM: usize = 6_000;
/// Characters of one item of which only the head is kept mechanically.
const HEAD: usize = 300;
/// Results whose heads are kept mechanically.
const RESULTS: usize = 8;

/// One item as a line or more of text.
#[must_use]
pub fn rendered(item: &Item, most: usize) -> String {
    match item {
        Item::User { name, text, .. } => format!("[{name} said] {}", head_and_tail(text, most)),
        Item::Synthetic { text } => format!("[note of the program] {}", head_and_tail(text, most)),
        Item::Summary { text, .. } => format!("[earlier notes] {text}"),
        Item::Overheard { lines } => {
            let lines: Vec<String> =
                lines.iter().map(|line| format!("{}: {}", line.name, line.text)).collect();
            format!("[others said before] {}", head_and_tail(&lines.join("\n"), most))
        }
        Item::Assistant { text, calls, .. } => {
            let mut out = format!("[agent] {}", head_and_tail(text, most));
            let each = most / calls.len().max(1);
            for call in calls {
                let arguments = call.arguments.to_string();
                out.push_str(&format!("\n[agent called {}] {}", call.tool, head_and_tail(&arguments, each)));
            }
            out
        }
        Item::ToolResult { tool, output, success, .. } => {
            let how = if *success { "gave" } else { "failed" };
            let file = match spill_file(output) {
                Some(file) if output.len() > most => format!(" (whole in {file})"),
                _ => String::new(),
            };
            format!("[{tool} {how}{file}] {}", head_and_tail(output, most))
        }
    }
}

/// Notes without a model: what was noted before, what people said, and the heads of the last results;
/// at most about `most` characters.
#[must_use]
pub fn mechanical(before: &str, items: &[Arc<Item>], most: usize) -> String {
    let said = items.iter().rev().filter(|item| matches!(***item, Item::User { .. }));
    let results = items.iter().rev().filter(|item| matches!(***item, Item::ToolResult { .. })).take(RESULTS);
    let earlier = items.iter().filter_map(|item| match &**item {
        Item::Summary { text, .. } => Some(text.as_str()),
        _ => None,
    });
    let earlier: Vec<&str> = [before].into_iter().chain(earlier).filter(|text| !text.is_empty()).collect();
    let mut parts =
        vec!["(These notes were made without a model: what lay in between is left out.)".to_owned()];
    if !earlier.is_empty() {
        parts.push(format!("Earlier notes: {}", cut(&earlier.join("\n"), most * 2 / 5)));
    }
    parts.push(newest(said, most * 2 / 5, 500));
    parts.push(newest(results, most / 5, HEAD));
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}

/// The newest of these that fit, in the order in which they came.
fn newest<'a>(newest_first: impl Iterator<Item = &'a Arc<Item>>, most: usize, each: usize) -> String {
    let mut lines = Vec::new();
    let mut room = most;
    for item in newest_first {
        let line = rendered(item, each.min(most));
        let Some(left) = room.checked_sub(line.len()) else { break };
        room = left;
        lines.push(line);
    }
    lines.reverse();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(text: &str) -> Arc<Item> {
        Arc::new(Item::User {
            author: "a".into(),
            name: "Ann".into(),
            text: text.into(),
            opens: true,
            at: None,
        })
    }

    fn result(output: String) -> Arc<Item> {
        Arc::new(Item::ToolResult { call: "c".into(), tool: "bash".into(), output, success: true })
    }

    #[test]
    fn a_rendered_item_is_bounded_and_still_names_its_file() {
        let output = format!(
            "{}all of it is in .ml-intern/output/c.txt, which{}",
            "x".repeat(9_000),
            "y".repeat(9_000)
        );
        let text = rendered(&result(output), 1_000);
        assert!(text.starts_with("[bash gave (whole in .ml-intern/output/c.txt)]") && text.len() < 1_200);
    }

    #[test]
    fn mechanical_notes_keep_people_and_the_last_results_and_are_bounded() {
        let mut items = vec![user("train it on the EU data")];
        items.extend((0..5_000).map(|n| result(format!("result {n} {}", "x".repeat(400)))));
        items.push(user("use bf16"));
        let notes = mechanical("the loss was 0.3", &items, 8_000);
        for kept in ["the loss was 0.3", "train it on the EU data", "use bf16", "result 4999"] {
            assert!(notes.contains(kept), "{kept}: {notes}");
        }
        assert!(!notes.contains("result 12 ") && notes.len() < 9_000);
        let crowd: Vec<_> = (0..10_000).map(|n| user(&format!("word {n}"))).collect();
        let notes = mechanical("", &crowd, 4_000);
        assert!(notes.len() < 5_000 && notes.contains("word 9999") && !notes.contains("word 10\n"));
    }
}
