//! Reads answers: streams and whole bodies become one [`Completion`].
//!
//! Owns the assembly of text, thoughts, calls and usage. Never retries. Start at [`read_stream`] and
//! [`read_whole`].

use std::collections::HashSet;
use std::sync::Arc;

use futures::StreamExt;
use genai::chat::{ChatResponse, ChatStream, ChatStreamEvent, ContentPart, StopReason};
use serde_json::{Value, json};

use crate::clock::Clock;
use crate::protocol::{CallId, Item, ProposedCall, Thought, Usage};

use super::adapter::REDACTED;
use super::fault::Fault;
use super::frames::{CallFrames, RawCall};
use super::provider::Dialect;
use super::{Completion, Delta, DeltaSink, Finish};

/// Reads a stream to its end, handing pieces on as they come.
pub(super) async fn read_stream(
    mut stream: ChatStream,
    frames: &CallFrames,
    items: &[Arc<Item>],
    deltas: &dyn DeltaSink,
    clock: &Clock,
) -> Result<Completion, Fault> {
    let mut text = String::new();
    let mut thought = String::new();
    while let Some(event) = stream.next().await {
        let event = match event {
            Ok(event) => event,
            // No error at all, only a frame with an empty field for one.
            Err(genai::Error::ChatResponse { body, .. }) if body.is_null() => {
                let skipped = frames.take_skipped();
                show(&mut thought, skipped.thought, Delta::Thought, deltas).await;
                show(&mut text, skipped.text, Delta::Text, deltas).await;
                continue;
            }
            Err(error) => return Err(Fault::read(&error, clock.now())),
        };
        match event {
            ChatStreamEvent::Chunk(chunk) => show(&mut text, chunk.content, Delta::Text, deltas).await,
            ChatStreamEvent::ReasoningChunk(chunk) => {
                show(&mut thought, chunk.content, Delta::Thought, deltas).await;
            }
            ChatStreamEvent::End(end) => {
                let mut gathered = end.captured_content.map(gather).unwrap_or_default();
                // Chat completions give their calls frame by frame; the other dialects at the end.
                gathered.calls.extend(frames.take());
                if gathered.thoughts.is_empty() || gathered.thoughts.iter().all(|known| known.text.is_empty())
                {
                    gathered.add_unsigned(thought);
                }
                let ending = frames.ending();
                let reason = end.captured_stop_reason.or(ending.reason.map(StopReason::from));
                let usage = usage(&end.captured_usage.unwrap_or_else(|| counted(ending.usage)));
                let whole = gathered.complete(text, usage, finish(reason.as_ref()), items);
                return checked(whole, reason.is_some());
            }
            // Calls come with their frames or with the end; signatures with the end.
            ChatStreamEvent::ToolCallChunk(_)
            | ChatStreamEvent::ThoughtSignatureChunk(_)
            | ChatStreamEvent::Start
            | ChatStreamEvent::Heartbeat => {}
        }
    }
    // The body ended politely, but the answer did not.
    Err(Fault::Broken)
}

/// Adds a piece to what has come, and shows it.
async fn show(sum: &mut String, piece: String, as_delta: fn(String) -> Delta, deltas: &dyn DeltaSink) {
    if !piece.is_empty() {
        sum.push_str(&piece);
        deltas.send(as_delta(piece)).await;
    }
}

/// Reads an answer that came whole.
pub(super) fn read_whole(
    answer: Result<ChatResponse, genai::Error>,
    dialect: Dialect,
    items: &[Arc<Item>],
    clock: &Clock,
) -> Result<Completion, Fault> {
    let body = match &answer {
        Ok(response) => response.captured_raw_body.as_ref(),
        Err(genai::Error::ChatResponseGeneration { response_body, .. }) => Some(&**response_body),
        Err(_) => None,
    };
    if let Some(error) = body.and_then(|body| body.get("error")).filter(|error| !error.is_null()) {
        return Err(Fault::in_stream(json!({ "error": error })));
    }
    // genai gives up on a whole chat-completions answer if one call in it has odd arguments.
    if dialect == Dialect::OpenAi
        && let Some(body) = body
    {
        return read_chat_completion(body, items);
    }
    let response = answer.map_err(|error| Fault::read(&error, clock.now()))?;
    let mut gathered = gather(response.content);
    if gathered.thoughts.is_empty() {
        gathered.add_unsigned(response.reasoning_content.unwrap_or_default());
    }
    let text = std::mem::take(&mut gathered.text);
    let finish = finish(response.stop_reason.as_ref());
    checked(gathered.complete(text, usage(&response.usage), finish, items), response.stop_reason.is_some())
}

fn read_chat_completion(body: &Value, items: &[Arc<Item>]) -> Result<Completion, Fault> {
    let choice = body.pointer("/choices/0").ok_or(Fault::Garbled)?;
    let message = choice.get("message").ok_or(Fault::Garbled)?;
    let mut gathered = Gathered::default();
    let text = match message.get("content") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => parts.iter().filter_map(|part| part.get("text")?.as_str()).collect(),
        _ => String::new(),
    };
    let thought = ["reasoning_content", "reasoning"].iter().find_map(|field| message.get(*field)?.as_str());
    gathered.add_unsigned(thought.unwrap_or_default().to_owned());
    for call in message.get("tool_calls").and_then(Value::as_array).into_iter().flatten() {
        let word = |at: &str| call.pointer(at).and_then(Value::as_str).unwrap_or_default();
        let arguments = call.pointer("/function/arguments").unwrap_or(&Value::Null);
        gathered.calls.push(RawCall::whole(word("/id"), word("/function/name"), arguments));
    }
    let reason =
        choice.get("finish_reason").and_then(Value::as_str).map(|word| StopReason::from(word.to_owned()));
    let usage = usage(&counted(body.get("usage").cloned()));
    checked(gathered.complete(text, usage, finish(reason.as_ref()), items), reason.is_some())
}

/// An answer of nothing at all, without a reason for ending, is a connection that was cut politely.
fn checked(answer: Completion, has_reason: bool) -> Result<Completion, Fault> {
    let empty = answer.text.is_empty() && answer.calls.is_empty() && answer.thoughts.is_empty();
    if empty && !has_reason { Err(Fault::Broken) } else { Ok(answer) }
}

#[derive(Debug, Default)]
struct Gathered {
    text: String,
    thoughts: Vec<Thought>,
    calls: Vec<RawCall>,
}

fn gather(content: genai::chat::MessageContent) -> Gathered {
    let mut gathered = Gathered::default();
    for part in content.into_parts() {
        match part {
            ContentPart::Text(text) => gathered.text.push_str(&text),
            ContentPart::ThoughtSignature(signature) => {
                gathered.thoughts.push(Thought { text: String::new(), signature: Some(signature) });
            }
            // Comes right after its signature.
            ContentPart::ReasoningContent(text) => match gathered.thoughts.last_mut() {
                Some(thought) if thought.text.is_empty() => thought.text = text,
                _ => gathered.add_unsigned(text),
            },
            ContentPart::Custom(custom) if custom.typ() == Some("redacted_thinking") => {
                let data = custom.data.get("data").and_then(Value::as_str).unwrap_or_default();
                let signature = Some(format!("{REDACTED}{data}"));
                gathered.thoughts.push(Thought { text: String::new(), signature });
            }
            ContentPart::ToolCall(call) => {
                gathered.calls.push(RawCall::whole(&call.call_id, &call.fn_name, &call.fn_arguments));
            }
            _ => {}
        }
    }
    gathered
}

impl Gathered {
    fn add_unsigned(&mut self, text: String) {
        if !text.is_empty() {
            self.thoughts.push(Thought { text, signature: None });
        }
    }

    fn complete(self, text: String, usage: Usage, finish: Finish, items: &[Arc<Item>]) -> Completion {
        let calls = named_calls(self.calls, finish, items);
        Completion { text, thoughts: self.thoughts, calls, usage, finish }
    }
}

/// Gives every call an id that is unique in the session, keeping the provider's where it can.
fn named_calls(raw: Vec<RawCall>, finish: Finish, items: &[Arc<Item>]) -> Vec<ProposedCall> {
    if raw.is_empty() {
        return Vec::new();
    }
    let mut used: HashSet<String> = items
        .iter()
        .filter_map(|item| match &**item {
            Item::Assistant { calls, .. } => Some(calls),
            _ => None,
        })
        .flatten()
        .map(|call| call.id.as_str().to_owned())
        .collect();
    let mut next = used.len() + 1;
    raw.into_iter()
        .map(|call| {
            let mut id = call.id;
            while id.is_empty() || used.contains(&id) {
                id = format!("call_{next}");
                next += 1;
            }
            used.insert(id.clone());
            ProposedCall { id: CallId(id), tool: call.tool, arguments: arguments(call.arguments, finish) }
        })
        .collect()
}

fn arguments(text: String, finish: Finish) -> Value {
    // Nothing at all means "no arguments", unless the output limit cut them off.
    if text.trim().is_empty() && finish != Finish::Length {
        return json!({});
    }
    match serde_json::from_str(&text) {
        Ok(object @ Value::Object(_)) => object,
        _ => Value::String(text),
    }
}

fn finish(reason: Option<&StopReason>) -> Finish {
    match reason {
        Some(StopReason::MaxTokens(_)) => Finish::Length,
        Some(StopReason::ContentFilter(_)) => Finish::Filtered,
        _ => Finish::Complete,
    }
}

/// Usage as chat completions write it; what cannot be read counts as nothing.
fn counted(usage: Option<Value>) -> genai::chat::Usage {
    usage.and_then(|value| serde_json::from_value(value).ok()).unwrap_or_default()
}

fn usage(counted: &genai::chat::Usage) -> Usage {
    let count = |tokens: Option<i32>| u64::try_from(tokens.unwrap_or(0)).unwrap_or(0);
    let prompt = counted.prompt_tokens_details.as_ref();
    let completion = counted.completion_tokens_details.as_ref();
    Usage {
        input_tokens: count(counted.prompt_tokens),
        cached_tokens: count(prompt.and_then(|details| details.cached_tokens)),
        cache_write_tokens: count(prompt.and_then(|details| details.cache_creation_tokens)),
        output_tokens: count(counted.completion_tokens),
        reasoning_tokens: count(completion.and_then(|details| details.reasoning_tokens)),
        cost: 0,
        unpriced: 0,
    }
}
