//! The message that ends a turn: the answer with its footer, an error, a stop. Pure: forms of the same
//! message, the best first, each plainer than the one before, the last one nothing but text.

use serde_json::{Value, json};

use super::markdown::{cut, defang, escape_mrkdwn, split, to_mrkdwn};
use crate::slack::{buttons, say};

/// Characters in one message: Slack takes 12,000 of Markdown.
pub const PART: usize = 11_000;
/// Parts beyond which an answer is attached as a file.
pub const PARTS: usize = 4;

/// The parts of an answer that is not streamed: what each message says.
#[must_use]
pub fn parts(answer: &str) -> Vec<String> {
    let safe = defang(answer);
    let parts = split(&safe, PART);
    if parts.is_empty() { vec![say::NO_ANSWER.to_owned()] } else { parts }
}

/// Blocks below an answer: the quiet footer, and the feedback buttons.
#[must_use]
pub fn tail(footer: &str) -> Vec<Value> {
    vec![
        json!({ "type": "context", "elements": [{ "type": "mrkdwn", "text": footer }] }),
        json!({
            "type": "context_actions",
            "elements": [{
                "type": "feedback_buttons",
                "action_id": buttons::FEEDBACK,
                "positive_button": { "text": { "type": "plain_text", "text": say::HELPED }, "value": "good" },
                "negative_button": { "text": { "type": "plain_text", "text": say::DID_NOT_HELP }, "value": "bad" },
            }],
        }),
    ]
}

/// Forms of one part of an answer: Markdown, then mrkdwn sections, then text. `footer` only on the last.
#[must_use]
pub fn forms(markdown: &str, footer: Option<&str>) -> Vec<Value> {
    let fallback = cut(&to_mrkdwn(markdown), 2_900);
    let mut rich = vec![json!({ "type": "markdown", "text": markdown })];
    let mut plainer: Vec<Value> = split(&to_mrkdwn(markdown), 2_900)
        .into_iter()
        .take(45)
        .map(|text| json!({ "type": "section", "text": { "type": "mrkdwn", "text": text } }))
        .collect();
    let mut text = to_mrkdwn(markdown);
    if let Some(footer) = footer {
        rich.extend(tail(footer));
        plainer.push(json!({ "type": "context", "elements": [{ "type": "mrkdwn", "text": footer }] }));
        text.push_str(&format!("\n\n_{footer}_"));
    }
    vec![
        json!({ "text": fallback, "blocks": rich }),
        json!({ "text": fallback, "blocks": plainer }),
        json!({ "text": text }),
    ]
}

/// Forms of an error, with a Retry button where that may help.
#[must_use]
pub fn error_forms(error: &str, hint: Option<&str>, turn: Option<&str>) -> Vec<Value> {
    let text = say::failed(
        &escape_mrkdwn(&cut(error, 2_000)),
        hint.map(|hint| escape_mrkdwn(&cut(hint, 700))).as_deref(),
    );
    let mut blocks = vec![json!({ "type": "section", "text": { "type": "mrkdwn", "text": text } })];
    if let Some(turn) = turn {
        blocks.push(json!({
            "type": "actions",
            "block_id": "error",
            "elements": [{
                "type": "button",
                "action_id": buttons::RETRY,
                "text": { "type": "plain_text", "text": say::RETRY },
                "value": turn,
            }],
        }));
    }
    vec![json!({ "text": text, "blocks": blocks }), json!({ "text": text })]
}

/// A short message of ours. `text` is mrkdwn, escaped already.
#[must_use]
pub fn note_forms(text: &str) -> Vec<Value> {
    vec![json!({ "text": text })]
}

/// Lines of label and value.
#[must_use]
pub fn status_text(lines: &[(String, String)]) -> String {
    let lines: Vec<String> = lines
        .iter()
        .map(|(label, value)| {
            format!("*{}*: {}", escape_mrkdwn(&cut(label, 100)), escape_mrkdwn(&cut(value, 500)))
        })
        .collect();
    cut(&lines.join("\n"), 3_500)
}
