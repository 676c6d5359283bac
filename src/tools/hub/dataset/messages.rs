//! How conversations in a dataset are built: roles, fields, tool calls, and whether they end with an answer.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::Value;

use super::line;
use super::verdict::shape::{Shape, shapes};
use crate::clients::dataset_viewer::Rows;

/// Fields that chat templates know.
const FIELDS: &[&str] = &["role", "content", "tool_calls", "tool_call_id", "name", "function_call"];
/// Roles that chat templates know.
const ROLES: &[&str] = &["system", "developer", "user", "assistant", "tool"];
/// Columns of conversations that are described.
const COLUMNS: usize = 3;
/// Characters of an example's content.
const EXAMPLE: usize = 100;

/// Describes each column of conversations by its first rows.
pub(super) fn shown(out: &mut String, rows: &Rows) {
    let talks = shapes(&rows.columns, &rows.rows).into_iter().filter(|it| it.shape == Shape::Messages);
    for column in talks.take(COLUMNS) {
        let conversations: Vec<&Vec<Value>> =
            rows.rows.iter().filter_map(|row| row.get(&column.name)?.as_array()).collect();
        if !conversations.is_empty() {
            let _ = write!(
                out,
                "\n## Conversations in `{}`\n{}",
                line(&column.name, 60),
                described(&conversations)
            );
        }
    }
}

fn described(conversations: &[&Vec<Value>]) -> String {
    let mut roles: BTreeMap<String, usize> = BTreeMap::new();
    let mut fields: BTreeSet<&str> = BTreeSet::new();
    for message in conversations.iter().flat_map(|it| it.iter()) {
        let role = message["role"].as_str().unwrap_or("(none)");
        *roles.entry(line(role, 40)).or_default() += 1;
        let filled = |field: &&&str| !message[**field].is_null();
        fields.extend(FIELDS.iter().filter(filled).copied());
    }
    let named: Vec<String> = roles.iter().map(|(role, count)| format!("{role} {count}")).collect();
    let mut out = format!(
        "- roles in the first {}: {}\n",
        crate::text::count(conversations.len(), "row"),
        named.join(", ")
    );
    let absent: Vec<&str> = FIELDS.iter().filter(|field| !fields.contains(*field)).copied().collect();
    let present: Vec<&str> = fields.into_iter().collect();
    let _ = writeln!(out, "- fields: {}; not there: {}", present.join(", "), absent.join(", "));
    let odd: Vec<&str> = roles.keys().map(String::as_str).filter(|role| !ROLES.contains(role)).collect();
    if !odd.is_empty() {
        let _ = writeln!(out, "- ROLES THAT CHAT TEMPLATES DO NOT KNOW: {}", odd.join(", "));
    }
    let open =
        conversations.iter().filter(|it| it.last().is_none_or(|last| last["role"] != "assistant")).count();
    if open > 0 {
        let _ =
            writeln!(out, "- {open} of them do not end with the assistant: nothing to learn at their end");
    }
    if let Some(example) = example(conversations) {
        let _ = writeln!(out, "- example: {example}");
    }
    out
}

/// A message that shows most: one with tool calls, else the assistant's, else any that is not the system's.
fn example(conversations: &[&Vec<Value>]) -> Option<String> {
    let messages = || conversations.iter().flat_map(|it| it.iter());
    let message = messages()
        .find(|it| it["tool_calls"].as_array().is_some_and(|calls| !calls.is_empty()))
        .or_else(|| messages().find(|it| it["role"] == "assistant"))
        .or_else(|| messages().find(|it| it["role"] != "system"))?;
    let mut shown = message.clone();
    if let Some(content) = shown.get("content").and_then(Value::as_str) {
        let cut = line(content, EXAMPLE);
        shown["content"] = Value::from(cut);
    }
    Some(line(&shown.to_string(), 400))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_trainers_stumble_over_is_said() {
        let conversations = [
            json!([{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello", "tool_calls": [{"id": "1"}]}]),
            json!([{"role": "human", "content": "x".repeat(300)}]),
            json!([]),
        ];
        let lists: Vec<&Vec<Value>> = conversations.iter().map(|it| it.as_array().unwrap()).collect();
        insta::assert_snapshot!(described(&lists));
    }
}
