//! What genai loses of a chat-completions stream, read from its raw frames.
//!
//! genai joins calls by their index alone: it drops pieces without one, fills gaps with copies, and glues
//! calls that share an index. And it skips frames that say `"error": null`. So calls are put together
//! here, and skipped frames are read here. Owns [`CallFrames`]; never reads a frame that genai reads well,
//! except for calls. Start at [`CallFrames::take`].

use std::sync::{Mutex, MutexGuard, PoisonError};

use genai::chat::{ChatFrameSink, FrameCtx, RawFrameRef};
use serde_json::Value;

/// A call as it came: nothing parsed, nothing made up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct RawCall {
    /// The provider's id; empty if it gave none.
    pub(super) id: String,
    /// The tool's name.
    pub(super) tool: String,
    /// The text of the arguments.
    pub(super) arguments: String,
    index: Option<u64>,
}

impl RawCall {
    /// A call that came in one piece.
    pub(super) fn whole(id: &str, tool: &str, arguments: &Value) -> Self {
        Self { id: id.to_owned(), tool: tool.to_owned(), arguments: text_of(arguments), index: None }
    }
}

/// What genai skips in a frame that says `"error": null`: it takes the field alone for an error.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Skipped {
    /// Visible text.
    pub(super) text: String,
    /// Reasoning.
    pub(super) thought: String,
}

/// How a stream ended, where genai skipped the frame that said so.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Ending {
    /// The finish reason.
    pub(super) reason: Option<String>,
    /// The usage, as it came.
    pub(super) usage: Option<Value>,
}

/// Collects the calls of one stream.
#[derive(Debug, Default)]
pub(super) struct CallFrames(Mutex<Read>);

#[derive(Debug, Default)]
struct Read {
    calls: Vec<RawCall>,
    skipped: Skipped,
    ending: Ending,
}

impl CallFrames {
    /// The calls so far, in the order in which they began.
    pub(super) fn take(&self) -> Vec<RawCall> {
        std::mem::take(&mut self.lock().calls)
    }

    /// What was skipped since the last time.
    pub(super) fn take_skipped(&self) -> Skipped {
        std::mem::take(&mut self.lock().skipped)
    }

    /// How the stream ended, as far as skipped frames said it.
    pub(super) fn ending(&self) -> Ending {
        self.lock().ending.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Read> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self, data: &str) {
        // Most frames carry text; only those with calls, or with an odd field, are parsed a second time.
        let has_error_field = data.contains("\"error\"");
        if !has_error_field && !data.contains("\"tool_calls\"") {
            return;
        }
        let Ok(frame) = serde_json::from_str::<Value>(data) else { return };
        let mut read = self.lock();
        for piece in
            frame.pointer("/choices/0/delta/tool_calls").and_then(Value::as_array).into_iter().flatten()
        {
            join(&mut read.calls, piece);
        }
        if has_error_field && frame.get("error").is_some_and(Value::is_null) {
            let word = |at: &str| frame.pointer(at).and_then(Value::as_str);
            let thought =
                word("/choices/0/delta/reasoning_content").or_else(|| word("/choices/0/delta/reasoning"));
            read.skipped.text.push_str(word("/choices/0/delta/content").unwrap_or_default());
            read.skipped.thought.push_str(thought.unwrap_or_default());
            if let Some(reason) = word("/choices/0/finish_reason") {
                read.ending.reason = Some(reason.to_owned());
            }
            if let Some(usage) = frame.get("usage").filter(|usage| usage.is_object()) {
                read.ending.usage = Some(usage.clone());
            }
        }
    }
}

impl ChatFrameSink for CallFrames {
    fn on_frame(&self, _: &FrameCtx, frame: RawFrameRef<'_>) {
        self.read(frame.data);
    }
}

fn join(calls: &mut Vec<RawCall>, piece: &Value) {
    let index = piece.get("index").and_then(Value::as_u64);
    let id = piece.get("id").and_then(Value::as_str).unwrap_or_default();
    let tool = piece.pointer("/function/name").and_then(Value::as_str).unwrap_or_default();
    let arguments = piece.pointer("/function/arguments").map(text_of).unwrap_or_default();
    let slot = match place(calls, index, id, tool) {
        Some(slot) => slot,
        None => {
            calls.push(RawCall { index, ..RawCall::default() });
            calls.len() - 1
        }
    };
    let Some(call) = calls.get_mut(slot) else { return };
    if call.id.is_empty() {
        id.clone_into(&mut call.id);
    }
    // Some providers send a name in pieces, others repeat the whole name with every piece.
    if call.tool != tool && call.arguments.is_empty() {
        call.tool.push_str(tool);
    }
    call.arguments.push_str(&arguments);
}

/// Which call a piece continues; `None` if it begins a new one.
fn place(calls: &[RawCall], index: Option<u64>, id: &str, tool: &str) -> Option<usize> {
    if let Some(index) = index {
        let slot = calls.iter().rposition(|call| call.index == Some(index))?;
        // The same index with another id and a name: a provider that numbers every call 0.
        let is_new = !id.is_empty() && !calls[slot].id.is_empty() && calls[slot].id != id && !tool.is_empty();
        return (!is_new).then_some(slot);
    }
    if !id.is_empty() {
        return calls.iter().rposition(|call| call.id == id);
    }
    if tool.is_empty() { calls.len().checked_sub(1) } else { None }
}

fn text_of(arguments: &Value) -> String {
    match arguments {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(pieces: &[Value]) -> Vec<(String, String, String)> {
        let frames = CallFrames::default();
        for piece in pieces {
            frames.read(&json!({"choices": [{"delta": {"tool_calls": piece}}]}).to_string());
        }
        frames.take().into_iter().map(|call| (call.id, call.tool, call.arguments)).collect()
    }

    fn call(id: &str, tool: &str, arguments: &str) -> (String, String, String) {
        (id.to_owned(), tool.to_owned(), arguments.to_owned())
    }

    #[test]
    fn pieces_of_interleaved_calls_find_their_call() {
        let calls = read(&[
            json!([{"index": 1, "id": "b", "function": {"name": "read", "arguments": "{\"p"}}]),
            json!([{"index": 0, "id": "a", "function": {"name": "ba", "arguments": ""}}]),
            json!([{"index": 0, "function": {"name": "sh", "arguments": ""}}, {"index": 1, "function": {"arguments": "\":1}"}}]),
            json!([{"index": 0, "function": {"arguments": "{}"}}]),
        ]);
        assert_eq!(calls, [call("b", "read", "{\"p\":1}"), call("a", "bash", "{}")]);
    }

    #[test]
    fn careless_numbering_does_not_glue_calls() {
        let same_index = read(&[
            json!([{"index": 0, "id": "a", "function": {"name": "bash", "arguments": "{}"}}]),
            json!([{"index": 0, "id": "b", "function": {"name": "bash", "arguments": "{}"}}]),
        ]);
        assert_eq!(same_index, [call("a", "bash", "{}"), call("b", "bash", "{}")]);
        let no_index = read(&[
            json!([{"id": "a", "function": {"name": "bash", "arguments": "{\"x\":"}}]),
            json!([{"function": {"arguments": "1}"}}]),
            json!([{"function": {"name": "plan", "arguments": {"steps": []}}}]),
        ]);
        assert_eq!(no_index, [call("a", "bash", "{\"x\":1}"), call("", "plan", "{\"steps\":[]}")]);
        let repeated_name = read(&[
            json!([{"index": 0, "id": "a", "function": {"name": "bash", "arguments": "{"}}]),
            json!([{"index": 0, "id": "a", "function": {"name": "bash", "arguments": "}"}}]),
        ]);
        assert_eq!(repeated_name, [call("a", "bash", "{}")]);
    }
}
