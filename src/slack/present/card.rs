//! The card of an approval, waiting and decided. Pure: a request in, blocks out.

use serde_json::{Value, json};

use super::markdown::{cut, escape_mrkdwn, one_line};
use super::money_card::{self, is_about_money};
use crate::protocol::{ApprovalRequest, AskedCall, Cost, Decision, Verdict};
use crate::slack::{buttons, say};

/// Characters of commands shown on one card, all calls together.
const SHOWN: usize = 8_000;
/// Characters of one command shown.
const SHOWN_EACH: usize = 2_800;
/// Characters of one diff shown.
const SHOWN_DIFF: usize = 1_500;
/// Facts and warnings shown for one call.
const FACTS: usize = 14;
const WARNINGS: usize = 8;
/// Calls shown in full.
const CALLS: usize = 10;

/// What a card needs to know besides its question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Around {
    /// Who may answer, in words and escaped: a card pings nobody.
    pub who: String,
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
        blocks.extend(calls(request, around.cut_note));
        blocks
    };
    blocks.push(context(&terms(request, &around.who)));
    blocks.push(json!({ "type": "actions", "block_id": "approval", "elements": answers(request) }));
    json!(blocks)
}

/// A card that was decided, expired or overtaken: no buttons.
#[must_use]
pub fn settled(request: &ApprovalRequest, decision: &Decision) -> Value {
    let outcome = context(&cut(&outcome(request, decision), 2_900));
    if is_about_money(request) {
        let told = format!("{}\n{}", money_card::headline(request), money_card::so_far(request));
        return json!([section(&told), outcome]);
    }
    let mut blocks = calls(request, say::CUT);
    blocks.push(outcome);
    json!(blocks)
}

/// One line: who decided what, and when.
#[must_use]
pub fn outcome(request: &ApprovalRequest, decision: &Decision) -> String {
    say::decided(decision, &voters(request), escape_mrkdwn)
}

/// Who has agreed, escaped.
fn voters(request: &ApprovalRequest) -> Vec<String> {
    request.votes.iter().take(20).map(|vote| escape_mrkdwn(&one_line(&vote.name, 80))).collect()
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
    let text = format!("{}\n{}", summary(request), terms(request, &around.who));
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

fn calls(request: &ApprovalRequest, cut_note: &str) -> Vec<Value> {
    let mut blocks = Vec::new();
    let mut left = SHOWN;
    for call in request.calls.iter().take(CALLS) {
        blocks.push(section(&format!(
            "*{}*: {}",
            escape_mrkdwn(&call.tool),
            escape_mrkdwn(&one_line(&call.title, 300))
        )));
        blocks.extend(found(call));
        let shown = cut(&call.preview, SHOWN_EACH.min(left.max(200)));
        left = left.saturating_sub(shown.chars().count());
        blocks.extend(preformatted(&shown));
        if is_cut(&call.preview) {
            blocks.push(context(cut_note));
        }
        if let Some(diff) = &call.diff {
            let shown = cut(diff, SHOWN_DIFF.min(left.max(200)));
            left = left.saturating_sub(shown.chars().count());
            blocks.push(context(if call.proposed.is_some() { say::EDITED } else { say::SINCE_LAST }));
            blocks.extend(preformatted(&shown));
        }
    }
    if request.calls.len() > CALLS {
        blocks.push(context(&say::more_calls(request.calls.len() - CALLS)));
    }
    blocks
}

/// What was looked up before people were asked.
fn found(call: &AskedCall) -> Vec<Value> {
    let facts: Vec<String> = call
        .facts
        .iter()
        .take(FACTS)
        .map(|(label, value)| {
            format!("*{}*  {}", escape_mrkdwn(&one_line(label, 60)), escape_mrkdwn(&one_line(value, 300)))
        })
        .collect();
    let mut blocks = Vec::new();
    blocks.extend((!facts.is_empty()).then(|| section(&facts.join("\n"))));
    let warnings: Vec<String> = call
        .warnings
        .iter()
        .take(WARNINGS)
        .map(|text| say::warning(&escape_mrkdwn(&one_line(text, 300))))
        .collect();
    blocks.extend((!warnings.is_empty()).then(|| section(&warnings.join("\n"))));
    blocks
}

/// Preformatted rich text is never read as markup.
fn preformatted(text: &str) -> Option<Value> {
    let shown = !text.trim().is_empty();
    shown.then(|| {
        json!({
            "type": "rich_text",
            "elements": [{ "type": "rich_text_preformatted", "elements": [{ "type": "text", "text": text }] }],
        })
    })
}

/// Why it asks, what it costs, who must agree, until when.
fn terms(request: &ApprovalRequest, who: &str) -> String {
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
    for call in &request.calls {
        if let Cost::Unknown(why) = &call.cost {
            lines.push(say::unknown_cost(&escape_mrkdwn(&one_line(why, 200))));
        }
    }
    if request.needed > 1 {
        lines.push(say::agreed(request.needed, &voters(request)));
    }
    lines.push(format!("{} · {}", say::may_answer(who), say::until(request.expires_at.seconds())));
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
