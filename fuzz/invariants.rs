//! What must hold for every input. Shared by the fuzz targets and by `tests/fuzz`.

use std::sync::Arc;

use ml_intern::agent::tool::arguments as read_arguments;
use ml_intern::clock::Timestamp;
use ml_intern::protocol::Item;
use ml_intern::secret::Secret;
use ml_intern::text::{Flow, redact, redact_json};
use ml_intern::trace::{Export, export, import};
use serde::Deserialize;
use serde_json::{Value, json};

/// Planted into every text.
const PLANTED: &str = "pl@nted-Secret value";

/// Redaction never panics, never lets the planted secret through (not in pieces and not at a second look
/// either), and makes nothing much longer.
pub fn redaction(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let middle = (0..=text.len() / 2).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let text = format!("{}{PLANTED}{}", &text[..middle], &text[middle..]);
    let secrets: Arc<[Secret]> = [Secret::new(PLANTED)].into();

    let once = redact(&text, &secrets).into_owned();
    assert!(!once.contains(PLANTED), "the planted secret survived");
    // The longest mark stands for a token that is not much shorter.
    assert!(once.len() <= 12 * text.len() + 64, "{} bytes became {}", text.len(), once.len());
    assert!(!redact(&once, &secrets).contains(PLANTED), "the planted secret came back");

    if text.len() < 8_000 {
        let mut flow = Flow::new(secrets.clone());
        let mut pieces = String::new();
        let step = 1 + data.first().map_or(0, |byte| usize::from(*byte) % 40);
        let letters: Vec<char> = text.chars().collect();
        for piece in letters.chunks(step) {
            pieces.push_str(&flow.push(&piece.iter().collect::<String>()));
        }
        pieces.push_str(&flow.finish());
        assert!(!pieces.contains(PLANTED), "the planted secret survived in pieces of {step}");
    }
    let nested = json!({ "list": [text.clone(), 1, null], "password": text, "n": true });
    let clean = redact_json(&nested, &secrets);
    assert!(!clean.to_string().contains(PLANTED));
    assert_eq!((&clean["list"][1], &clean["list"][2], &clean["n"]), (&json!(1), &Value::Null, &json!(true)));
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Sample {
    command: String,
    #[serde(default)]
    timeout: Option<u64>,
    #[serde(default)]
    edits: Vec<Edit>,
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
struct Edit {
    old: String,
    new: String,
}

/// Arguments of calls, whatever a model wrote, are read or refused in words.
pub fn arguments(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let value = serde_json::from_str(&text).unwrap_or_else(|_| Value::String(text.into_owned()));
    match read_arguments::<Sample>(&value) {
        Ok(Sample { command, timeout, edits }) => {
            assert_eq!(value["command"], command);
            assert_eq!(value["timeout"].as_u64(), timeout);
            for (edit, raw) in edits.iter().zip(value["edits"].as_array().into_iter().flatten()) {
                assert_eq!((&raw["old"], &raw["new"]), (&json!(edit.old), &json!(edit.new)));
            }
        }
        Err(refusal) => assert!(!refusal.to_string().trim().is_empty(), "a refusal without words"),
    }
}

/// Whatever people type is words, a command, or refused in words.
pub fn commands(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let ml_intern::cli::slash::Typed::Refused(why) = ml_intern::cli::slash::read(&text) {
        assert!(!why.is_empty());
    }
    let us =
        ml_intern::slack::translate::Ourselves { team: "T1".into(), user: "U0".into(), bot: "B0".into() };
    for text in [text.to_string(), format!("<@U0> !{text}"), format!("<@U0> {text}")] {
        let event = json!({
            "type": "event_callback", "team_id": "T1", "event_id": "Ev1",
            "event": { "type": "message", "channel_type": "im", "channel": "D1", "user": "U1", "ts": "1.2", "text": text },
        });
        let _ = ml_intern::slack::translate::event(&event, &us);
    }
}

/// A trace, whatever is in it, is read or refused; what was read is a transcript in which every call has one
/// result, and is written and read again the same.
pub fn traces(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let Ok(read) = import(&text) else { return };
    let mut open: Vec<&str> = Vec::new();
    for item in &read.items {
        match item {
            Item::Assistant { calls, .. } => {
                assert!(open.is_empty(), "a call without a result");
                open.extend(calls.iter().map(|call| call.id.as_str()));
            }
            Item::ToolResult { call, .. } => {
                let at = open.iter().position(|id| *id == call.as_str()).expect("a result without a call");
                open.remove(at);
            }
            _ => assert!(open.is_empty(), "words between a call and its result"),
        }
    }
    assert!(open.is_empty(), "a call without a result at the end");
    let items: Vec<Arc<Item>> = read.items.into_iter().map(Arc::new).collect();
    let started = read.started.unwrap_or(Timestamp(0));
    let written = export(Export { session: "s", started, items: &items, secrets: &[] });
    for line in written.lines() {
        serde_json::from_str::<Value>(line).expect("a line that is no JSON");
    }
}
