//! Puts a request into genai's words: messages, tools, options, target.
//!
//! Owns what goes out, and the guards against genai's habit of reading effort out of model names.
//! Never reads answers. Start at [`chat_request`], [`chat_options`] and [`service_target`].

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use genai::adapter::AdapterKind;
use genai::chat::{
    CacheControl, ChatMessage, ChatOptions, ChatRequest, ChatRole, ContentPart, MessageContent,
    ReasoningEffort, Tool, ToolCall, ToolResponse,
};
use genai::resolver::{AuthData, Endpoint};
use genai::{ModelIden, ServiceTarget};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::protocol::{ProposedCall, Thought};

use super::Request;
use super::frames::CallFrames;
use super::history::{Answer, Turn, turns};
use super::provider::{Dialect, Home, Target};

/// Marks the signature of a thought that its provider gave only in encrypted form.
pub(super) const REDACTED: &str = "redacted:";

const SESSION_HEADER: &str = "X-HF-Session-id";
const SESSION_HEADER_CAP: usize = 256;
/// Holds arguments that were no object when they are sent back.
const UNPARSED: &str = "unparsed_arguments";
/// The name endings that genai takes for an effort.
const EFFORT_WORDS: [&str; 8] = ["zero", "none", "minimal", "low", "medium", "high", "xhigh", "max"];

/// Where genai shall send it.
pub(super) fn service_target(target: &Target) -> ServiceTarget {
    let kind = match target.dialect {
        Dialect::OpenAi => AdapterKind::OpenAI,
        Dialect::Anthropic => AdapterKind::Anthropic,
        Dialect::Gemini => AdapterKind::Gemini,
    };
    ServiceTarget {
        endpoint: Endpoint::from_owned(target.base_url.clone()),
        auth: AuthData::from_single(target.key.reveal()),
        model: ModelIden::new(kind, guarded_name(target)),
    }
}

/// A name that genai leaves alone. It takes `-high` and the like off a name and sends them as effort; a
/// full stop prevents that. It also cuts at `::`. The true name is put into the body by [`chat_options`].
/// Gemini's name is part of the address, so there an effort is always given, which has the same effect.
fn guarded_name(target: &Target) -> String {
    let suffix = target.name.rsplit('-').next().unwrap_or_default();
    if target.dialect != Dialect::Gemini && EFFORT_WORDS.contains(&suffix) {
        format!("{}.", target.name)
    } else {
        target.name.clone()
    }
}

/// The options of one call. `frames` receives the raw frames of a streamed chat-completions answer.
pub(super) fn chat_options(request: &Request, target: &Target, frames: &Arc<CallFrames>) -> ChatOptions {
    let effort = effort(request.effort.as_deref(), target);
    let captures = target.dialect != Dialect::OpenAi;
    // Gemini is asked for its thoughts by this, which models that cannot think refuse.
    let captures_thoughts = captures && (target.dialect != Dialect::Gemini || request.effort.is_some());
    let mut options = ChatOptions::default()
        .with_capture_usage(true)
        .with_capture_content(captures)
        .with_capture_reasoning_content(captures_thoughts)
        .with_capture_tool_calls(captures)
        .with_capture_raw_body(true);
    if let Some(effort) = effort {
        options = options.with_reasoning_effort(effort);
    }
    if target.dialect == Dialect::OpenAi {
        options = options.with_raw_frame_sink_arc(Arc::clone(frames) as Arc<_>);
    }
    if target.dialect != Dialect::Gemini {
        options = options.with_extra_body(extra_body(request, target));
    }
    if target.home == Home::Router {
        options = options.with_extra_headers((SESSION_HEADER, session_header(request.session.as_str())));
    }
    options
}

/// The true name, and what providers want to know for caching prompts.
fn extra_body(request: &Request, target: &Target) -> Value {
    let mut body = json!({ "model": target.name });
    let through_fal = target.home == Home::Router && target.name.contains(":fal");
    if through_fal && target.name.starts_with("anthropic/") {
        body["cache_control"] = json!({ "type": "ephemeral" });
    }
    if target.home == Home::OpenAi || (through_fal && target.name.starts_with("openai/gpt-5.5")) {
        // OpenAI takes at most 64 characters.
        body["prompt_cache_key"] = json!(hex::encode(&Sha256::digest(request.session.as_str())[..16]));
    }
    if through_fal && target.name.starts_with("openai/gpt-5.5") {
        body["prompt_cache_retention"] = json!("24h");
    }
    body
}

fn session_header(session: &str) -> String {
    let visible = |letter: char| if letter.is_ascii_graphic() { letter } else { '_' };
    session.chars().map(visible).take(SESSION_HEADER_CAP).collect()
}

/// What of the wished effort a provider's wire can say; `None` sends none.
fn effort(wish: Option<&str>, target: &Target) -> Option<ReasoningEffort> {
    let level = wish.and_then(level);
    match (target.home, level) {
        (Home::Local(_), _) => None,
        (Home::Router, Some(ReasoningEffort::XHigh | ReasoningEffort::Max)) => None,
        (Home::Router | Home::Anthropic, Some(ReasoningEffort::Minimal)) => Some(ReasoningEffort::Low),
        (Home::OpenAi, Some(ReasoningEffort::Max)) => Some(ReasoningEffort::XHigh),
        // "Zero" writes nothing for Gemini, but stops the search for an effort in the name.
        (Home::Gemini, None) => Some(ReasoningEffort::Zero),
        (_, level) => level,
    }
}

fn level(word: &str) -> Option<ReasoningEffort> {
    match word {
        "minimal" => Some(ReasoningEffort::Minimal),
        "low" => Some(ReasoningEffort::Low),
        "medium" => Some(ReasoningEffort::Medium),
        "high" => Some(ReasoningEffort::High),
        "xhigh" => Some(ReasoningEffort::XHigh),
        "max" => Some(ReasoningEffort::Max),
        _ => None,
    }
}

/// Whether a wire can say this very level, and not only one near it.
pub(super) fn says_exactly(wish: &str, target: &Target) -> bool {
    level(wish).is_some_and(|level| {
        let said = effort(Some(wish), target);
        said.is_some_and(|said| said.as_keyword() == level.as_keyword())
    })
}

/// The options of a ping: a short answer, at this effort.
pub(super) fn ping_options(wish: Option<&str>, target: &Target) -> ChatOptions {
    let mut options = ChatOptions::default().with_capture_raw_body(true).with_capture_usage(true);
    options = match (target.home, wish) {
        (Home::Local(_), _) => options.with_max_tokens(1),
        // Some Claude models think within the bound, which must then be a wide one: theirs is kept.
        (Home::Anthropic, Some(_)) => options,
        _ => options.with_max_tokens(64),
    };
    if let Some(effort) = effort(wish, target) {
        options = options.with_reasoning_effort(effort);
    }
    if target.dialect != Dialect::Gemini {
        options = options.with_extra_body(json!({ "model": target.name }));
    }
    options
}

/// The messages and tools of one call.
pub(super) fn chat_request(request: &Request, target: &Target) -> ChatRequest {
    let mut messages = Vec::new();
    let mut system = None;
    if !request.system.trim().is_empty() {
        if target.dialect == Dialect::Anthropic {
            // As a message of its own, because only messages can carry a cache mark.
            messages.push(ChatMessage::system(&*request.system).with_options(CacheControl::Ephemeral));
        } else {
            system = Some(request.system.to_string());
        }
    }
    let mut ids = WireIds::new(target.dialect);
    let mut results: Vec<ContentPart> = Vec::new();
    for turn in turns(&request.items) {
        match turn {
            Turn::User(text) if results.is_empty() => messages.push(ChatMessage::user(text)),
            Turn::User(text) => {
                results.push(ContentPart::Text(text));
                messages.push(parts_message(ChatRole::User, std::mem::take(&mut results)));
            }
            Turn::Assistant { text, thoughts, calls, model } => {
                flush(&mut messages, &mut results);
                let own = model == request.model;
                let parts = assistant_parts(
                    text,
                    if own { &thoughts } else { &[] },
                    &calls,
                    target.dialect,
                    &mut ids,
                );
                messages.push(parts_message(ChatRole::Assistant, parts));
            }
            Turn::Results(answers) => {
                let parts =
                    answers.into_iter().map(|answer| result_part(answer, target.dialect, &mut ids)).collect();
                if target.dialect == Dialect::Anthropic {
                    // Waits for the words that follow: to Anthropic both are one user message.
                    results = parts;
                } else {
                    messages.push(parts_message(ChatRole::Tool, parts));
                }
            }
        }
    }
    flush(&mut messages, &mut results);
    if target.dialect == Dialect::Anthropic
        && let Some(last) = messages.pop()
    {
        messages.push(last.with_options(CacheControl::Ephemeral));
    }
    let tools: Vec<Tool> = request
        .tools
        .iter()
        .map(|spec| {
            Tool::new(spec.name.clone())
                .with_description(spec.description.clone())
                .with_schema(spec.parameters.clone())
        })
        .collect();
    ChatRequest {
        system,
        messages,
        tools: (!tools.is_empty()).then_some(tools),
        previous_response_id: None,
        store: None,
    }
}

fn flush(messages: &mut Vec<ChatMessage>, results: &mut Vec<ContentPart>) {
    if !results.is_empty() {
        messages.push(parts_message(ChatRole::User, std::mem::take(results)));
    }
}

fn parts_message(role: ChatRole, parts: Vec<ContentPart>) -> ChatMessage {
    ChatMessage::new(role, MessageContent::from_parts(parts))
}

fn assistant_parts(
    text: String,
    thoughts: &[Thought],
    calls: &[ProposedCall],
    dialect: Dialect,
    ids: &mut WireIds,
) -> Vec<ContentPart> {
    let mut parts = Vec::new();
    let mut first_call_signatures = None;
    match dialect {
        Dialect::Anthropic => parts.extend(thoughts.iter().flat_map(anthropic_thought)),
        Dialect::Gemini => {
            let signatures: Vec<String> =
                thoughts.iter().filter_map(|thought| thought.signature.clone()).collect();
            if calls.is_empty() {
                parts.extend(signatures.into_iter().map(ContentPart::ThoughtSignature));
            } else if !signatures.is_empty() {
                first_call_signatures = Some(signatures);
            }
        }
        // Models that think between calls want to read their thoughts again; others need no reminder.
        Dialect::OpenAi if !calls.is_empty() => {
            let thought: Vec<&str> = thoughts
                .iter()
                .map(|thought| thought.text.as_str())
                .filter(|text| !text.is_empty())
                .collect();
            if !thought.is_empty() {
                parts.push(ContentPart::ReasoningContent(thought.join("\n")));
            }
        }
        Dialect::OpenAi => {}
    }
    if !text.trim().is_empty() {
        parts.push(ContentPart::Text(text));
    }
    for call in calls {
        parts.push(ContentPart::ToolCall(ToolCall {
            call_id: ids.of_call(call.id.as_str()),
            fn_name: wire_tool_name(&call.tool),
            fn_arguments: wire_arguments(&call.arguments),
            thought_signatures: first_call_signatures.take(),
        }));
    }
    parts
}

fn anthropic_thought(thought: &Thought) -> Vec<ContentPart> {
    match thought.signature.as_deref() {
        Some(signature) => match signature.strip_prefix(REDACTED) {
            Some(data) => {
                vec![ContentPart::from_custom(json!({ "type": "redacted_thinking", "data": data }), None)]
            }
            None => vec![
                ContentPart::ThoughtSignature(signature.to_owned()),
                ContentPart::ReasoningContent(thought.text.clone()),
            ],
        },
        // Without a signature Anthropic refuses it.
        None => vec![],
    }
}

fn result_part(answer: Answer, dialect: Dialect, ids: &mut WireIds) -> ContentPart {
    let id = ids.of_result(answer.call.as_str());
    if dialect == Dialect::Anthropic && !answer.success {
        // genai has no field for failure; the block is written by hand.
        return ContentPart::from_custom(
            json!({ "type": "tool_result", "tool_use_id": id, "content": answer.output, "is_error": true }),
            None,
        );
    }
    ContentPart::ToolResponse(ToolResponse::new(id, answer.output).with_fn_name(wire_tool_name(&answer.tool)))
}

/// Arguments have to be an object on every wire; what the model wrote instead goes back inside one.
fn wire_arguments(arguments: &Value) -> Value {
    match arguments {
        Value::Object(_) => arguments.clone(),
        Value::Null => json!({}),
        other => json!({ UNPARSED: other }),
    }
}

/// Providers refuse a whole request for one odd name, even one that their own model made up.
fn wire_tool_name(tool: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
    let name: String = tool.chars().map(|letter| if plain(letter) { letter } else { '_' }).take(64).collect();
    if name.is_empty() { "unknown".to_owned() } else { name }
}

/// Call ids as a dialect accepts them. Anthropic takes letters, digits, `_` and `-` only, and a session
/// may hold ids that another provider made.
struct WireIds {
    strict: bool,
    given: HashMap<String, String>,
    used: HashSet<String>,
}

impl WireIds {
    fn new(dialect: Dialect) -> Self {
        Self { strict: dialect == Dialect::Anthropic, given: HashMap::new(), used: HashSet::new() }
    }

    fn of_call(&mut self, id: &str) -> String {
        if !self.strict {
            return id.to_owned();
        }
        let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
        let base: String = id.chars().map(|letter| if plain(letter) { letter } else { '_' }).collect();
        let base = if base.is_empty() { "call".to_owned() } else { base };
        let mut wire = base.clone();
        let mut again = 1;
        while !self.used.insert(wire.clone()) {
            again += 1;
            wire = format!("{base}_{again}");
        }
        self.given.insert(id.to_owned(), wire.clone());
        wire
    }

    fn of_result(&self, id: &str) -> String {
        self.given.get(id).cloned().unwrap_or_else(|| id.to_owned())
    }
}
