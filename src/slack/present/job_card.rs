//! The living card of a job. Pure: a view in, blocks out.

use serde_json::{Value, json};

use super::markdown::{cut, escape_mrkdwn, one_line};
use crate::protocol::{JobView, Stage};
use crate::slack::{buttons, say};

/// Metrics shown.
const METRICS: usize = 8;
/// Log lines shown, and characters of each.
const LINES: usize = 6;
const LINE: usize = 180;
/// Alarms shown.
const ALARMS: usize = 4;

/// The card, the best form first: with the picture of this file id, without it, and as plain text.
#[must_use]
pub fn forms(view: &JobView, picture: Option<&str>) -> Vec<Value> {
    let text = summary(view);
    let mut forms = Vec::new();
    if picture.is_some() {
        forms.push(json!({ "text": text, "blocks": blocks(view, picture) }));
    }
    forms.push(json!({ "text": text, "blocks": blocks(view, None) }));
    let plain = format!("{}\n{}", headline(view), escape_mrkdwn(&say::job_burns(view)));
    forms.push(json!({ "text": text, "blocks": [section(&plain)] }));
    forms
}

fn summary(view: &JobView) -> String {
    escape_mrkdwn(&say::job_summary(view, &one_line(&view.title, 120)))
}

fn headline(view: &JobView) -> String {
    // A title must not end the link that it stands in.
    say::job(view, &escape_mrkdwn(&one_line(&view.title, 120)).replace('|', "¦"))
}

fn blocks(view: &JobView, picture: Option<&str>) -> Value {
    let mut top = headline(view);
    if let Some(message) = view.message.as_deref().filter(|message| !message.trim().is_empty()) {
        top.push_str(&format!("\n{}", escape_mrkdwn(&one_line(message, 300))));
    }
    let mut blocks = vec![section(&top), context(&escape_mrkdwn(&say::job_burns(view)))];
    for alarm in view.alarms.iter().rev().take(ALARMS).rev() {
        blocks.push(context(&say::alarm(&escape_mrkdwn(&one_line(alarm, 300)))));
    }
    if !view.metrics.is_empty() {
        blocks.push(section(&metrics(view)));
    }
    if let Some(id) = picture {
        blocks.push(json!({
            "type": "image",
            "slack_file": { "id": id },
            "alt_text": format!("{}: {}", one_line(&view.title, 120), plain_metrics(view)),
        }));
    }
    blocks.extend(tail(view));
    blocks.push(context(&foot(view)));
    let pressed = actions(view);
    if !pressed.is_empty() {
        blocks.push(json!({ "type": "actions", "block_id": "job", "elements": pressed }));
    }
    json!(blocks)
}

fn metrics(view: &JobView) -> String {
    let each = |(name, value): &(String, f64)| {
        format!("{} *{}*", escape_mrkdwn(&one_line(name, 60)), crate::text::number(*value))
    };
    let mut parts: Vec<String> = view.metrics.iter().take(METRICS).map(each).collect();
    parts.extend(view.percent.filter(|_| !view.stage.is_over()).map(|percent| format!("{percent} % done")));
    parts.join("  ·  ")
}

fn plain_metrics(view: &JobView) -> String {
    let each =
        |(name, value): &(String, f64)| format!("{} {}", one_line(name, 60), crate::text::number(*value));
    let parts: Vec<String> = view.metrics.iter().take(METRICS).map(each).collect();
    if parts.is_empty() { view.stage.word().to_owned() } else { parts.join(", ") }
}

/// The last lines of the log. Preformatted rich text is never read as markup.
fn tail(view: &JobView) -> Option<Value> {
    let from = view.tail.len().saturating_sub(LINES);
    let lines: Vec<String> = view.tail[from..].iter().map(|text| cut(text.trim_end(), LINE)).collect();
    let text = lines.join("\n");
    (!text.trim().is_empty()).then(|| {
        json!({
            "type": "rich_text",
            "elements": [{ "type": "rich_text_preformatted", "elements": [{ "type": "text", "text": text }] }],
        })
    })
}

fn foot(view: &JobView) -> String {
    let mut parts = vec![say::as_of(view.at.seconds())];
    if let Some(dashboard) = &view.dashboard {
        let link = if dashboard.starts_with("https://") || dashboard.starts_with("http://") {
            format!("<{}|dashboard>", dashboard.replace(['|', '>', '<'], ""))
        } else {
            escape_mrkdwn(&one_line(dashboard, 120))
        };
        parts.push(link);
    }
    parts.join(" · ")
}

fn actions(view: &JobView) -> Vec<Value> {
    let button = |action: &str, text: &str| {
        json!({
            "type": "button",
            "action_id": action,
            "text": { "type": "plain_text", "text": text },
            "value": view.ticket.as_str(),
        })
    };
    let logs = button(buttons::JOB_LOGS, say::LOGS);
    match view.stage {
        Stage::Queued | Stage::Running => {
            let mut stop = button(buttons::JOB_STOP, say::STOP_JOB);
            stop["style"] = json!("danger");
            stop["confirm"] = json!({
                "title": { "type": "plain_text", "text": say::STOP_JOB },
                "text": { "type": "plain_text", "text": say::STOP_JOB_SURE },
                "confirm": { "type": "plain_text", "text": say::STOP_JOB },
                "deny": { "type": "plain_text", "text": say::MODAL_CLOSE },
                "style": "danger",
            });
            vec![stop, button(buttons::JOB_LONGER, say::LONGER), logs]
        }
        Stage::Stopping => vec![logs],
        // What has ended is watched no more: the agent has its log.
        _ => Vec::new(),
    }
}

fn section(text: &str) -> Value {
    json!({ "type": "section", "text": { "type": "mrkdwn", "text": cut(text, 2_950) } })
}

fn context(text: &str) -> Value {
    json!({ "type": "context", "elements": [{ "type": "mrkdwn", "text": cut(text, 1_900) }] })
}
