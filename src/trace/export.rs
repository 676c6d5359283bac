//! Writing a transcript.
//!
//! One JSON object per line. The system prompt, the model's hidden reasoning, and people's names (unless
//! several people spoke, as the model read it then) stay out. Start at [`export`].

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::line_id::{Role, line_id};
use crate::clock::Timestamp;
use crate::protocol::{Item, ProposedCall, SessionHead};
use crate::secret::Secret;
use crate::text::redact_json;

/// What is written.
#[derive(Debug, Clone, Copy)]
pub struct Export<'a> {
    /// The session's name in the file.
    pub session: &'a str,
    /// When it began: the time of lines whose own is not known.
    pub started: Timestamp,
    /// The transcript.
    pub items: &'a [Arc<Item>],
    /// Secrets that must not leave, besides all that looks like one.
    pub secrets: &'a [Secret],
}

/// The transcript as JSONL, every line ended; empty for an empty transcript.
#[must_use]
pub fn export(from: Export<'_>) -> String {
    let Export { session, started, items, secrets } = from;
    let several = has_several_authors(items);
    let mut out = String::new();
    let mut parent: Option<String> = None;
    let mut at = started;
    for (index, item) in items.iter().enumerate() {
        if let Item::User { at: Some(said), .. } = **item {
            at = said;
        }
        let Some(Line { role, mut body }) = line(item, several) else { continue };
        let id = line_id(session, role, index + 1);
        body["uuid"] = json!(id);
        body["parentUuid"] = json!(parent);
        body["sessionId"] = json!(session);
        body["timestamp"] = json!(rfc3339(at));
        // The names of lines are made here and hold no secret; all else is looked through.
        body["message"] = redact_json(&body["message"], secrets);
        out.push_str(&body.to_string());
        out.push('\n');
        parent = Some(id);
    }
    out
}

struct Line {
    role: Role,
    body: Value,
}

fn line(item: &Item, several: bool) -> Option<Line> {
    Some(match item {
        Item::User { name, text, .. } if several => user(&format!("{name}: {text}")),
        Item::User { text, .. } => user(text),
        Item::Overheard { lines } => {
            let lines: Vec<String> =
                lines.iter().map(|line| format!("{}: {}", line.name, line.text)).collect();
            marked(user(&lines.join("\n")), "isMeta")
        }
        Item::Synthetic { text } => marked(user(text), "isMeta"),
        Item::Summary { text, .. } => marked(user(text), "isCompactSummary"),
        Item::Assistant { text, calls, model, .. } => {
            let mut content = Vec::new();
            if !text.trim().is_empty() {
                content.push(json!({ "type": "text", "text": text }));
            }
            content.extend(calls.iter().map(call));
            if content.is_empty() {
                return None;
            }
            let message = json!({ "role": "assistant", "model": model, "content": content });
            Line { role: Role::Assistant, body: json!({ "type": "assistant", "message": message }) }
        }
        Item::ToolResult { call, output, success, .. } => {
            let mut result = json!({ "type": "tool_result", "tool_use_id": call, "content": output });
            if !success {
                result["is_error"] = json!(true);
            }
            let message = json!({ "role": "user", "content": [result] });
            Line { role: Role::Tool, body: json!({ "type": "user", "message": message }) }
        }
    })
}

fn user(text: &str) -> Line {
    let message = json!({ "role": "user", "content": text });
    Line { role: Role::User, body: json!({ "type": "user", "message": message }) }
}

fn marked(mut line: Line, mark: &str) -> Line {
    line.body[mark] = json!(true);
    line
}

fn call(call: &ProposedCall) -> Value {
    let input = match &call.arguments {
        object @ Value::Object(_) => object.clone(),
        Value::String(raw) => json!({ "_raw": raw }),
        other => json!({ "_raw": other.to_string() }),
    };
    json!({ "type": "tool_use", "id": call.id, "name": call.tool, "input": input })
}

fn has_several_authors(items: &[Arc<Item>]) -> bool {
    let author = |item: &Arc<Item>| match &**item {
        Item::User { author, .. } => Some(author.clone()),
        _ => None,
    };
    items.iter().filter_map(author).collect::<BTreeSet<_>>().len() > 1
}

fn rfc3339(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.0)
        .map(|moment| moment.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string())
        .unwrap_or_default()
}

/// The name of the conversation that a session holds now, and when it began. A session that starts over
/// holds another conversation, which must not be written over the one before.
#[must_use]
pub fn conversation(head: &SessionHead, items: &[Arc<Item>]) -> (String, Timestamp) {
    let first = items.iter().find_map(|item| match **item {
        Item::User { at, .. } => at,
        _ => None,
    });
    let started = first.unwrap_or(head.created_at);
    (line_id(head.key.as_str(), Role::User, usize::try_from(started.0).unwrap_or(0)), started)
}
