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
    for line in text.split('\n') {
        if line.chars().count() > INPUT {
            // A line that fits no input: more parts than any modal has, which says "too long".
            return vec![String::new(); INPUTS + 1];
        }
        match parts.last_mut() {
            // Even an empty part has its line break: a text may begin with one.
            Some(part) if part.chars().count() + line.chars().count() < INPUT => {
                part.push('\n');
                part.push_str(line);
            }
            _ => parts.push(line.to_owned()),
        }
    }
    parts
}

fn block_id(call: usize, part: usize) -> String {
    format!("call_{call}_{part}")
}

fn plain(text: &str) -> Value {
    json!({ "type": "plain_text", "text": text.chars().take(2_000).collect::<String>() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::protocol::{Approvers, Cost, OnExpiry, TurnId};

    fn place() -> Place {
        Place { team: "T1".into(), channel: "C1".into(), thread_ts: "1.0".into(), opened_by: "U1".into() }
    }

    fn request(arguments: Value, editable: Option<&str>) -> ApprovalRequest {
        ApprovalRequest {
            id: "a1".into(),
            turn: TurnId("t1".into()),
            calls: vec![AskedCall {
                call: "c1".into(),
                tool: "bash".into(),
                arguments,
                title: "Run it".into(),
                preview: String::new(),
                language: "sh".into(),
                reasons: Vec::new(),
                cost: Cost::Free,
                operation: None,
                proposed: None,
                diff: None,
                always: false,
                facts: Vec::new(),
                warnings: Vec::new(),
                examined: false,
                alike: None,
                editable: editable.map(str::to_owned),
            }],
            digest: String::new(),
            asked_at: Timestamp(0),
            expires_at: Timestamp(0),
            approvers: Approvers::Anyone,
            needed: 1,
            votes: Vec::new(),
            readable_from: None,
            remind_at: None,
            on_expiry: OnExpiry::GoOn,
            grant: None,
        }
    }

    /// What Slack sends back if a person changes nothing.
    fn untouched(view: &Value) -> BTreeMap<String, String> {
        let inputs = view["blocks"].as_array().unwrap().iter().filter(|block| block["type"] == "input");
        inputs
            .map(|block| {
                let text = block["element"]["initial_value"].as_str().unwrap_or_default();
                (block["block_id"].as_str().unwrap().to_owned(), text.to_owned())
            })
            .collect()
    }

    #[test]
    fn a_command_is_edited_and_its_other_arguments_stay() {
        let request = request(json!({ "command": "rm -rf a", "timeout": 5 }), Some("command"));
        let view = edit(&request, &place());
        let mut texts = untouched(&view);
        assert_eq!(edited(&request, &texts).unwrap(), BTreeMap::new());
        texts.insert("call_0_0".into(), "ls a".into());
        let expected = BTreeMap::from([(CallId("c1".into()), json!({ "command": "ls a", "timeout": 5 }))]);
        assert_eq!(edited(&request, &texts).unwrap(), expected);
        texts.insert("call_0_0".into(), "  ".into());
        assert_eq!(edited(&request, &texts).unwrap_err()["call_0_0"], say::EMPTY_EDIT);
    }

    #[test]
    fn json_that_is_none_is_said_where_it_stands() {
        let request = request(json!({ "a": 1 }), None);
        let mut texts = untouched(&edit(&request, &place()));
        assert_eq!(edited(&request, &texts).unwrap(), BTreeMap::new());
        for wrong in ["{", "[1]", "5"] {
            texts.insert("call_0_0".into(), wrong.into());
            assert!(edited(&request, &texts).unwrap_err().contains_key("call_0_0"), "{wrong}");
        }
        texts.insert("call_0_0".into(), "{\"a\": 2}".into());
        assert_eq!(edited(&request, &texts).unwrap()[&CallId("c1".into())], json!({ "a": 2 }));
    }

    #[test]
    fn a_long_script_is_spread_over_inputs_and_comes_back_whole() {
        let script = (0..600).map(|n| format!("echo {n}")).collect::<Vec<_>>().join("\n");
        let request = request(json!({ "command": script }), Some("command"));
        let view = edit(&request, &place());
        let texts = untouched(&view);
        assert!(texts.len() > 1);
        assert!(texts.values().all(|text| text.chars().count() <= 3_000));
        assert_eq!(edited(&request, &texts).unwrap(), BTreeMap::new(), "unchanged means unchanged");
        let endless = self::request(json!({ "command": "x".repeat(5_000) }), Some("command"));
        assert!(untouched(&edit(&endless, &place())).is_empty(), "it says that it is too long");
    }

    #[test]
    fn a_text_that_begins_with_empty_lines_comes_back_unchanged() {
        let request = request(json!({ "command": "\n\n# a comment\n\necho hi\n" }), Some("command"));
        let view = edit(&request, &place());
        assert_eq!(edited(&request, &untouched(&view)), Ok(BTreeMap::new()));
    }

    #[test]
    fn modals_keep_to_slacks_limits() {
        for view in [reject(&"a1".into(), &place()), edit(&request(json!({}), None), &place()), settled()] {
            for part in ["title", "submit", "close"] {
                let text = view[part]["text"].as_str().unwrap_or_default();
                assert!(text.chars().count() <= 24, "{text}");
            }
            let about = view["private_metadata"].as_str().unwrap_or_default();
            assert!(about.len() < 3_000);
        }
        let about = reject(&"a1".into(), &place())["private_metadata"].as_str().and_then(About::read);
        assert_eq!(about.unwrap().thread_ts, "1.0");
    }
}
