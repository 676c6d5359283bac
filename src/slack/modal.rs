//! The modals of an approval: edit what would run, or reject it with a reason. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::place::Place;
use super::say;
use crate::protocol::{ApprovalId, ApprovalRequest, AskedCall, CallId};

/// Callback id of the editing modal.
pub const EDIT: &str = "edit_approval";
/// Callback id of the rejecting modal.
pub const REJECT: &str = "reject_approval";
/// Block id of the reason.
pub const REASON: &str = "reason";

/// Slack takes this many characters in one input; a longer text is spread over several.
const INPUT: usize = 2_900;
/// More inputs than people would want to scroll through.
const INPUTS: usize = 20;

/// What a modal is about; travels in its private metadata.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The question.
    pub approval: ApprovalId,
    /// The channel.
    pub channel: String,
    /// The thread.
    pub thread_ts: String,
}

impl About {
    /// From private metadata; `None` if it is not ours.
    #[must_use]
    pub fn read(metadata: &str) -> Option<Self> {
        serde_json::from_str(metadata).ok()
    }

    fn write(approval: &ApprovalId, place: &Place) -> String {
        let about = Self {
            approval: approval.clone(),
            channel: place.channel.clone(),
            thread_ts: place.thread_ts.clone(),
        };
        serde_json::to_string(&about).unwrap_or_default()
    }
}

/// The modal that asks why not.
#[must_use]
pub fn reject(approval: &ApprovalId, place: &Place) -> Value {
    json!({
        "type": "modal",
        "callback_id": REJECT,
        "private_metadata": About::write(approval, place),
        "title": plain(say::REJECT_TITLE),
        "submit": plain(say::REJECT_SUBMIT),
        "close": plain(say::MODAL_CLOSE),
        "blocks": [{
            "type": "input",
            "block_id": REASON,
            "optional": true,
            "label": plain(say::REJECT_LABEL),
            "element": {
                "type": "plain_text_input",
                "action_id": REASON,
                "multiline": true,
                "max_length": INPUT,
            },
        }],
    })
}

/// The modal that shows what would run, for editing.
#[must_use]
pub fn edit(request: &ApprovalRequest, place: &Place) -> Value {
    let mut blocks = Vec::new();
    for (index, call) in request.calls.iter().enumerate() {
        let text = editable_text(call);
        let parts = spread(&text);
        if blocks.len() + parts.len() > INPUTS {
            blocks.push(json!({
                "type": "section",
                "text": plain(&say::too_long_to_edit(&call.title)),
            }));
            continue;
        }
        let count = parts.len();
        for (part, text) in parts.into_iter().enumerate() {
            blocks.push(json!({
                "type": "input",
                "block_id": block_id(index, part),
                // An emptied part is allowed; that the whole is not empty is checked when it comes back.
                "optional": true,
                "label": plain(&say::edit_label(&call.title, part, count)),
                "element": {
                    "type": "plain_text_input",
                    "action_id": "text",
                    "multiline": true,
                    "initial_value": text,
                },
            }));
        }
    }
    json!({
        "type": "modal",
        "callback_id": EDIT,
        "private_metadata": About::write(&request.id, place),
        "title": plain(say::EDIT_TITLE),
        "submit": plain(say::EDIT_SUBMIT),
        "close": plain(say::MODAL_CLOSE),
        "blocks": blocks,
    })
}

/// What replaces a modal whose question was settled meanwhile.
#[must_use]
pub fn settled() -> Value {
    json!({
        "type": "modal",
        "title": plain(say::EDIT_TITLE),
        "close": plain(say::MODAL_DONE),
        "blocks": [{ "type": "section", "text": plain(say::NO_LONGER_WAITING) }],
    })
}

/// New arguments for the calls whose text was changed.
///
/// # Errors
/// The block id and a sentence for each text that cannot be used, as Slack shows them in the modal.
pub fn edited(
    request: &ApprovalRequest,
    texts: &BTreeMap<String, String>,
) -> Result<BTreeMap<CallId, Value>, BTreeMap<String, String>> {
    let (mut arguments, mut errors) = (BTreeMap::new(), BTreeMap::new());
    for (index, call) in request.calls.iter().enumerate() {
        let parts: Vec<&str> = (0..INPUTS)
            .map_while(|part| texts.get(&block_id(index, part)))
            .map(String::as_str)
            .filter(|part| !part.is_empty())
            .collect();
        if !texts.contains_key(&block_id(index, 0)) {
            continue;
        }
        let text = parts.join("\n");
        if text == editable_text(call) {
            continue;
        }
        let first = block_id(index, 0);
        match (&call.editable, text.trim().is_empty()) {
            (_, true) => {
                errors.insert(first, say::EMPTY_EDIT.to_owned());
            }
            (Some(name), false) => {
                let mut whole = call.arguments.clone();
                if let Some(object) = whole.as_object_mut() {
                    object.insert(name.clone(), Value::String(text));
                }
                arguments.insert(call.call.clone(), whole);
            }
            (None, false) => match serde_json::from_str::<Value>(&text) {
                Ok(whole @ Value::Object(_)) => {
                    if whole != call.arguments {
                        arguments.insert(call.call.clone(), whole);
                    }
                }
                Ok(_) => {
                    errors.insert(first, say::NOT_AN_OBJECT.to_owned());
                }
                Err(error) => {
                    errors.insert(first, say::not_json(&error.to_string()));
                }
            },
        }
    }
    if errors.is_empty() { Ok(arguments) } else { Err(errors) }
}

fn editable_text(call: &AskedCall) -> String {
    match &call.editable {
        Some(name) => call.arguments[name].as_str().unwrap_or_default().to_owned(),
        None => serde_json::to_string_pretty(&call.arguments).unwrap_or_default(),
    }
}

/// Cuts at line ends, so that the parts joined with a line break are the text again.
fn spread(text: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut part = String::new();
    for line in text.split('\n') {
        if !part.is_empty() && part.chars().count() + line.chars().count() + 1 > INPUT {
            parts.push(std::mem::take(&mut part));
        } else if !part.is_empty() {
            part.push('\n');
        }
        if line.chars().count() > INPUT {
            // A line that fits no input: more parts than any modal has, which says "too long".
            return vec![String::new(); INPUTS + 1];
        }
        part.push_str(line);
    }
    parts.push(part);
    parts
}

fn block_id(call: usize, part: usize) -> String {
    format!("call_{call}_{part}")
}

fn plain(text: &str) -> Value {
    json!({ "type": "plain_text", "text": text.chars().take(2_000).collect::<String>() })
}
