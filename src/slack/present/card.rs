//! The card of an approval, waiting and decided. Pure: a request in, blocks out.

use serde_json::{Value, json};

use super::markdown::{cut, escape_mrkdwn, one_line};
use super::money_card::{self, is_about_money};
use crate::protocol::{ApprovalRequest, Approvers, AskedCall, Decision, Verdict};
use crate::slack::{buttons, say};

/// Characters of commands shown on one card, all calls together.
const SHOWN: usize = 8_000;
/// Characters of one command shown.
const SHOWN_EACH: usize = 2_800;
/// Calls shown in full.
const CALLS: usize = 10;

/// What a card needs to know besides its question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Around {
    /// Names of those who may answer: a card pings nobody.
    pub approvers: Vec<String>,
    /// Said below a text that is cut.
    pub cut_note: &'static str,
}

/// A card that waits for an answer.
#[must_use]
pub fn waiting(request: &ApprovalRequest, around: &Around) -> Value {
    let mut blocks = if is_about_money(request) {
        vec![section(&money_card::headline(request)), section(&money_card::so_far(request))]
    } else {
        let mut blocks = vec![section(&format!(":raised_hand: *{}*", say::may_i(request.calls.len())))];
        blocks.extend(calls(request, around.cut_note, |call| call.preview.clone()));
        blocks
    };
    blocks.push(context(&terms(request, &around.approvers)));
    blocks.push(json!({ "type": "actions", "block_id": "approval", "elements": answers(request) }));
    json!(blocks)
}

/// A card that was decided, expired or overtaken: no buttons.
#[must_use]
pub fn settled(request: &ApprovalRequest, decision: &Decision) -> Value {
    if is_about_money(request) {
        let told = format!("{}\n{}", money_card::headline(request), money_card::so_far(request));
        return json!([section(&told), context(&cut(&say::decided(decision, escape_mrkdwn), 2_900))]);
    }
    let mut blocks = calls(request, say::CUT, |call| match decision {
        Decision::Decided { verdict: Verdict::Edit { arguments }, .. } => {
            arguments.get(&call.call).map_or_else(|| call.preview.clone(), |new| edited_text(call, new))
        }
        _ => call.preview.clone(),
    });
    blocks.push(context(&cut(&say::decided(decision, escape_mrkdwn), 2_900)));
    json!(blocks)
}

/// What notifications say.
#[must_use]
pub fn summary(request: &ApprovalRequest) -> String {
    if is_about_money(request) {
        return cut(&money_card::headline(request), 500);
    }
    let titles: Vec<String> = request.calls.iter().map(|call| one_line(&call.title, 120)).collect();
    escape_mrkdwn(&cut(&format!("{} {}", say::may_i(request.calls.len()), titles.join("; ")), 500))
}

/// The plainest form of a card: text and buttons.
#[must_use]
pub fn plain(request: &ApprovalRequest, around: &Around) -> Value {
    let text = format!("{}\n{}", summary(request), terms(request, &around.approvers));
    json!([
        section(&cut(&text, 2_900)),
        { "type": "actions", "block_id": "approval", "elements": answers(request) },
    ])
}

/// Texts that are too long for the card, with a file name each.
#[must_use]
pub fn attachments(request: &ApprovalRequest) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for (index, call) in request.calls.iter().enumerate() {
        if is_cut(&call.preview) || index >= CALLS {
            let ending = match call.language.as_str() {
                "python" => "py",
                "sh" | "bash" | "shell" => "sh",
                "json" => "json",
                _ => "txt",
            };
            files.push((format!("call-{}.{ending}", index + 1), call.preview.clone()));
        }
    }
    files
}

/// What an approved call is called while it runs.
#[must_use]
pub fn running_title(call: &AskedCall, verdict: &Verdict) -> String {
    let edited = match verdict {
        Verdict::Edit { arguments } => arguments.get(&call.call).map(|new| edited_text(call, new)),
        _ => None,
    };
    let title = edited.as_deref().unwrap_or(&call.title);
    if title.trim().is_empty() { call.tool.clone() } else { one_line(title, 140) }
}

fn is_cut(text: &str) -> bool {
    text.chars().count() > SHOWN_EACH
}

fn calls(request: &ApprovalRequest, cut_note: &str, text: impl Fn(&AskedCall) -> String) -> Vec<Value> {
    let mut blocks = Vec::new();
    let mut left = SHOWN;
    for call in request.calls.iter().take(CALLS) {
        blocks.push(section(&format!(
            "*{}*: {}",
            escape_mrkdwn(&call.tool),
            escape_mrkdwn(&one_line(&call.title, 300))
        )));
        let text = text(call);
        let shown = cut(&text, SHOWN_EACH.min(left.max(200)));
        left = left.saturating_sub(shown.chars().count());
        if !shown.trim().is_empty() {
            // Preformatted rich text is never read as markup.
            blocks.push(json!({
                "type": "rich_text",
                "elements": [{
                    "type": "rich_text_preformatted",
                    "elements": [{ "type": "text", "text": shown }],
                }],
            }));
        }
        if is_cut(&text) {
            blocks.push(context(cut_note));
        }
    }
    if request.calls.len() > CALLS {
        blocks.push(context(&say::more_calls(request.calls.len() - CALLS)));
    }
    blocks
}

/// Why it asks, what it costs, who may answer, until when.
fn terms(request: &ApprovalRequest, approvers: &[String]) -> String {
    let mut lines: Vec<String> = Vec::new();
    for reason in request.calls.iter().flat_map(|call| &call.reasons) {
        let line = escape_mrkdwn(&one_line(reason, 200));
        if !lines.contains(&line) && lines.len() < 6 {
            lines.push(line);
        }
    }
    let cost: u64 = request.calls.iter().filter_map(|call| call.cost.bound()).sum();
    if cost > 0 {
        lines.push(say::at_most(cost));
    }
    let who = match &request.approvers {
        Approvers::Anyone => say::ANYONE_MAY_ANSWER.to_owned(),
        Approvers::AnyoneBut { .. } => say::ANYONE_ELSE_MAY_ANSWER.to_owned(),
        Approvers::All { .. } | Approvers::Listed { .. } => {
            say::may_answer(&escape_mrkdwn(&cut(&approvers.join(", "), 600)))
        }
    };
    lines.push(format!("{who} · {}", say::until(request.expires_at.seconds())));
    cut(&lines.join("\n"), 2_900)
}

fn answers(request: &ApprovalRequest) -> Vec<Value> {
    let id = request.id.as_str();
    let button = |action: &str, text: &str| {
        json!({
            "type": "button",
            "action_id": action,
            "text": { "type": "plain_text", "text": text },
            "value": id,
        })
    };
    let mut approve = button(buttons::APPROVE, say::APPROVE);
    approve["style"] = json!("primary");
    let mut reject = button(buttons::REJECT, say::REJECT);
    reject["style"] = json!("danger");
    if is_about_money(request) {
        return vec![approve, reject];
    }
    let mut answers = vec![approve];
    let alike: Option<Vec<&str>> =
        request.calls.iter().map(|call| call.alike.as_ref().map(|alike| alike.words.as_str())).collect();
    if let Some(mut words) = alike.filter(|words| !words.is_empty()) {
        words.sort_unstable();
        words.dedup();
        let mut session = button(buttons::APPROVE_SESSION, say::APPROVE_SESSION);
        session["confirm"] = json!({
            "title": { "type": "plain_text", "text": say::APPROVE_SESSION },
            "text": { "type": "plain_text", "text": cut(&say::allows(&words.join(", ")), 290) },
            "confirm": { "type": "plain_text", "text": say::APPROVE },
            "deny": { "type": "plain_text", "text": say::MODAL_CLOSE },
        });
        answers.push(session);
    }
    answers.push(button(buttons::EDIT, say::EDIT));
    answers.push(reject);
    answers
}

fn edited_text(call: &AskedCall, arguments: &Value) -> String {
    match &call.editable {
        Some(name) => arguments[name].as_str().unwrap_or_default().to_owned(),
        None => serde_json::to_string_pretty(arguments).unwrap_or_default(),
    }
}

fn section(text: &str) -> Value {
    json!({ "type": "section", "text": { "type": "mrkdwn", "text": cut(text, 2_950) } })
}

fn context(text: &str) -> Value {
    json!({ "type": "context", "elements": [{ "type": "mrkdwn", "text": text }] })
}
