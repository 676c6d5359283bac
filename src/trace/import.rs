//! Reading a transcript: ours, or one of Claude Code. Tolerant: what is not understood is left out, and
//! counted, so that people can be told.
//!
//! What comes out is a transcript that every provider takes: each call has one result. Reads nothing but
//! the text it is given, and keeps at most so much of it. Start at [`import`].

use std::collections::HashSet;

use serde_json::Value;

use crate::clock::Timestamp;
use crate::protocol::{CallId, Item, ProposedCall};
use crate::text::{cut, head_and_tail};

/// Characters of one message or result that are kept.
const LONGEST: usize = 200_000;
/// Items that are kept.
const MOST: usize = 100_000;
/// Characters of a title.
const TITLE: usize = 60;
/// The result of a call whose result the file does not hold.
const NO_RESULT: &str = "The file that this conversation was read from holds no result of this call.";

/// What a file held.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// The session's name there.
    pub session: Option<String>,
    /// When it began.
    pub started: Option<Timestamp>,
    /// A short name.
    pub title: Option<String>,
    /// The model that spoke last.
    pub model: Option<String>,
    /// The transcript.
    pub items: Vec<Item>,
    /// What was left out.
    pub skipped: Skipped,
}

/// What was left out, by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Skipped {
    /// Lines that are no JSON object.
    pub unreadable: usize,
    /// Lines of a kind that holds nothing of the conversation, or is not known.
    pub unknown: usize,
    /// Lines of sub-agents.
    pub sidechains: usize,
    /// Results whose call is not there, and calls whose name was taken.
    pub orphans: usize,
    /// Messages beyond the most that are kept.
    pub beyond: usize,
    /// Texts that were shortened.
    pub shortened: usize,
    /// Calls without a result, which got one that says so.
    pub unanswered: usize,
}

/// The text is no such file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it holds no message of a conversation: it should be Claude-Code JSONL, one JSON object per line")]
pub struct NotATrace;

/// Reads a transcript.
///
/// # Errors
/// If nothing in it is a message.
pub fn import(text: &str) -> Result<Imported, NotATrace> {
    let mut reader = Reader::default();
    for line in text.trim_start_matches('\u{feff}').lines().filter(|line| !line.trim().is_empty()) {
        match serde_json::from_str::<Value>(line) {
            Ok(line) if line.is_object() => reader.line(&line),
            _ => reader.skipped.unreadable += 1,
        }
    }
    reader.close_calls();
    let Reader { items, skipped, session, started, summary, model, .. } = reader;
    if items.is_empty() {
        return Err(NotATrace);
    }
    let first = items.iter().find_map(|item| match item {
        Item::User { text, .. } => Some(text.as_str()),
        _ => None,
    });
    let title = summary.as_deref().or(first).map(|text| crate::text::first_line(text, TITLE).into_owned());
    Ok(Imported { session, started, title: title.filter(|title| !title.is_empty()), model, items, skipped })
}

#[derive(Default)]
struct Reader {
    items: Vec<Item>,
    skipped: Skipped,
    session: Option<String>,
    started: Option<Timestamp>,
    summary: Option<String>,
    model: Option<String>,
    /// Calls that wait for their result, in order.
    open: Vec<(CallId, String)>,
    /// Every call there ever was.
    calls: HashSet<CallId>,
    /// The provider's name of the last answer: Claude Code writes each block of it on a line of its own.
    answer: Option<String>,
}

impl Reader {
    fn line(&mut self, line: &Value) {
        if line["isSidechain"] == true {
            self.skipped.sidechains += 1;
            return;
        }
        if self.session.is_none() {
            self.session = line["sessionId"].as_str().map(|id| cut(id, 200).into_owned());
        }
        let at = line["timestamp"].as_str().and_then(moment);
        self.started = self.started.or(at);
        match line["type"].as_str().unwrap_or_default() {
            "user" => self.user(line, at),
            "assistant" => self.assistant(&line["message"]),
            "summary" => {
                self.summary = line["summary"].as_str().map(str::to_owned).or(self.summary.take());
            }
            _ => self.skipped.unknown += 1,
        }
    }

    fn user(&mut self, line: &Value, at: Option<Timestamp>) {
        let mut words = Vec::new();
        match &line["message"]["content"] {
            Value::String(text) => words.push(text.clone()),
            Value::Array(blocks) => {
                for block in blocks {
                    if block["type"] == "tool_result" {
                        self.result(block);
                    } else {
                        words.push(flat(block));
                    }
                }
                if words.is_empty() {
                    return;
                }
            }
            _ => {
                self.skipped.unknown += 1;
                return;
            }
        }
        let text = self.capped(&words.join("\n"));
        if text.trim().is_empty() {
            self.skipped.unknown += 1;
            return;
        }
        let item = if line["isCompactSummary"] == true {
            Item::Summary { text, replaced: 0, turns: 0 }
        } else if line["isMeta"] == true {
            Item::Synthetic { text }
        } else {
            let opens = self.is_at_rest();
            Item::User { author: "imported".into(), name: "User".to_owned(), text, opens, at }
        };
        self.close_calls();
        self.push(item);
    }

    fn assistant(&mut self, message: &Value) {
        let blocks = match &message["content"] {
            Value::Array(blocks) => blocks.clone(),
            Value::String(text) => vec![serde_json::json!({ "type": "text", "text": text })],
            _ => {
                self.skipped.unknown += 1;
                return;
            }
        };
        let mut words = Vec::new();
        let mut calls = Vec::new();
        for block in &blocks {
            match block["type"].as_str().unwrap_or_default() {
                "tool_use" => calls.extend(self.call(block)),
                // Reasoning is bound to the provider that signed it.
                "thinking" | "redacted_thinking" => {}
                _ => words.push(flat(block)),
            }
        }
        let text = self.capped(&words.join("\n"));
        let model = message["model"].as_str().unwrap_or("unknown").to_owned();
        if text.trim().is_empty() && calls.is_empty() {
            return;
        }
        self.model = Some(model.clone());
        let id = message["id"].as_str().map(str::to_owned);
        let asked: Vec<(CallId, String)> =
            calls.iter().map(|call| (call.id.clone(), call.tool.clone())).collect();
        if id.is_some()
            && id == self.answer
            && let Some(Item::Assistant { text: said, calls: made, .. }) = self.items.last_mut()
        {
            if !said.is_empty() && !text.is_empty() {
                said.push('\n');
            }
            said.push_str(&text);
            made.extend(calls);
        } else {
            self.close_calls();
            if !self.push(Item::Assistant { text, thoughts: Vec::new(), calls, model }) {
                return;
            }
            self.answer = id;
        }
        self.open.extend(asked);
    }

    fn call(&mut self, block: &Value) -> Option<ProposedCall> {
        let id = CallId(block["id"].as_str()?.to_owned());
        let tool = block["name"].as_str()?.to_owned();
        if !self.calls.insert(id.clone()) {
            self.skipped.orphans += 1;
            return None;
        }
        let input = &block["input"];
        let arguments = match (&input["_raw"], input.as_object().map(serde_json::Map::len)) {
            (Value::String(raw), Some(1)) => Value::String(raw.clone()),
            _ => input.clone(),
        };
        Some(ProposedCall { id, tool, arguments })
    }

    fn result(&mut self, block: &Value) {
        let id = block["tool_use_id"].as_str().unwrap_or_default();
        let Some(at) = self.open.iter().position(|(call, _)| call.as_str() == id) else {
            self.skipped.orphans += 1;
            return;
        };
        let (call, tool) = self.open.remove(at);
        let output = match &block["content"] {
            Value::String(text) => text.clone(),
            Value::Array(blocks) => blocks.iter().map(flat).collect::<Vec<_>>().join("\n"),
            Value::Null => String::new(),
            other => other.to_string(),
        };
        let output = self.capped(&output);
        let success = block["is_error"] != true;
        self.push_result(Item::ToolResult { call, tool, output, success });
    }

    /// Gives calls that still wait a result that says that there is none.
    fn close_calls(&mut self) {
        for (call, tool) in std::mem::take(&mut self.open) {
            self.skipped.unanswered += 1;
            let output = NO_RESULT.to_owned();
            self.push_result(Item::ToolResult { call, tool, output, success: false });
        }
    }

    /// A result is kept beyond the most: a call must not stay without one.
    fn push_result(&mut self, item: Item) {
        self.answer = None;
        self.items.push(item);
    }

    fn push(&mut self, item: Item) -> bool {
        self.answer = None;
        if self.items.len() >= MOST {
            self.skipped.beyond += 1;
            return false;
        }
        self.items.push(item);
        true
    }

    /// Whether what a person says now is a request of its own, rather than words added to one in hand.
    fn is_at_rest(&self) -> bool {
        let last = self.items.iter().rev().find(|item| !matches!(item, Item::Synthetic { .. }));
        match last {
            None | Some(Item::Summary { .. }) => true,
            Some(Item::Assistant { calls, .. }) => calls.is_empty(),
            Some(_) => false,
        }
    }

    fn capped(&mut self, text: &str) -> String {
        let short = head_and_tail(text, LONGEST);
        if short.len() < text.len() {
            self.skipped.shortened += 1;
        }
        short.into_owned()
    }
}

/// A block as text: its own, or as JSON if it is of another kind.
fn flat(block: &Value) -> String {
    match block {
        Value::String(text) => text.clone(),
        _ if block["type"] == "text" => block["text"].as_str().unwrap_or_default().to_owned(),
        other => other.to_string(),
    }
}

fn moment(text: &str) -> Option<Timestamp> {
    text.parse::<jiff::Timestamp>().ok().map(|at| Timestamp(at.as_millisecond()))
}

impl Skipped {
    /// In words, one per reason; empty if nothing was left out.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        [
            (self.unreadable, "that are no JSON"),
            (self.unknown, "of other kinds"),
            (self.sidechains, "of sub-agents"),
            (self.orphans, "whose call is missing or named twice"),
            (self.beyond, "beyond the most that a session takes"),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{} {what} left out", crate::text::count(count, "line")))
        .chain(
            (self.shortened > 0).then(|| format!("{} shortened", crate::text::count(self.shortened, "text"))),
        )
        .chain(
            (self.unanswered > 0)
                .then(|| format!("{} without a result", crate::text::count(self.unanswered, "call"))),
        )
        .collect()
    }
}
