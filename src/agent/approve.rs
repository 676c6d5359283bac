//! Questions to people: how they are made, and bound to their content.
//!
//! Pure. How they are answered is in [`super::answer`]. Start at [`request`].

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::answer::Answer;
use super::canonical::canonical;
use super::policy::{Need, need};
use super::rules::Terms;
use super::tool::Assessment;
use super::{Approvals, Session, Who};
use crate::clock::Timestamp;
use crate::protocol::{
    Act, Actor, ApprovalId, ApprovalRequest, AskedCall, AuditEntry, Call, CallStatus, Cost, Door, Event,
    Item, PersonId, ProposedCall, Turn, TurnState,
};

/// A question about `asked` on these terms, to be put to people.
#[must_use]
pub fn request(
    id: ApprovalId,
    turn: &Turn,
    asked: Vec<AskedCall>,
    terms: &Terms,
    now: Timestamp,
) -> ApprovalRequest {
    let expires_at = now.plus(terms.ttl);
    // Never in the first half of the time: that would be no reminder but a second question.
    let remind_at =
        terms.remind_before.map(|before| now.plus(terms.ttl.saturating_sub(before.min(terms.ttl / 2))));
    ApprovalRequest {
        id,
        turn: turn.id.clone(),
        digest: digest(&asked),
        calls: asked,
        asked_at: now,
        expires_at,
        approvers: terms.approvers(turn),
        needed: terms.needed,
        votes: Vec::new(),
        readable_from: None,
        remind_at,
        on_expiry: terms.on_expiry,
        grant: None,
    }
}

/// One call as people are asked about it.
#[must_use]
pub fn asked_call(
    proposed: &ProposedCall,
    assessment: &Assessment,
    terms: &Terms,
    reasons: Vec<String>,
) -> AskedCall {
    let unknown_cost = matches!(assessment.cost, Cost::Unknown(_));
    let always = unknown_cost || need(assessment, terms) >= Need::OwnYes;
    AskedCall {
        call: proposed.id.clone(),
        tool: proposed.tool.clone(),
        operation: assessment.operation.clone(),
        arguments: proposed.arguments.clone(),
        proposed: None,
        diff: None,
        always,
        title: assessment.title.clone(),
        preview: assessment.preview.clone(),
        language: assessment.language.clone(),
        reasons,
        cost: assessment.cost.clone(),
        facts: Vec::new(),
        warnings: Vec::new(),
        examined: false,
        alike: assessment.alike.clone().filter(|_| !always && terms.needed <= 1),
        editable: assessment.editable.clone(),
    }
}

/// Whether this person may decide, ahead of any question, what this session asks about: whoever could
/// answer its questions.
#[must_use]
pub fn may_waive(session: &Session, person: &Actor, approvals: &Approvals) -> bool {
    let asked_last = session.head.turn.as_ref().is_some_and(|turn| turn.requester.id == person.id);
    let by = &approvals.by;
    let listed =
        by.people.contains(&person.id) || person.groups.iter().any(|group| by.groups.contains(group));
    match by.who {
        Who::Anyone => true,
        // Whoever switches questions off may be the next to ask.
        Who::AnyoneButRequester => false,
        Who::Listed => listed,
        // A terminal has one person.
        Who::RequesterAndListed => listed || asked_last || session.head.origin.door == Door::Terminal,
    }
}

/// People can read an edited question from `at` on; `None`: it could not be shown, so they never can.
pub fn readable(session: &mut Session, at: Option<Timestamp>) {
    if let Some(TurnState::Waiting { approval, .. }) = session.head.turn.as_mut().map(|turn| &mut turn.state)
        && approval.readable_from.is_none()
        && approval.calls.iter().any(|call| call.proposed.is_some())
    {
        approval.readable_from = Some(at.unwrap_or(Timestamp(i64::MAX)));
    }
}

/// SHA-256 over tools, operations, canonical arguments (hardware and timeouts are among them), what people
/// read, and cost, in hex.
#[must_use]
pub fn digest(calls: &[AskedCall]) -> String {
    let content: Vec<Value> = calls
        .iter()
        .map(|call| {
            let mut one = vec![
                json!(call.call),
                json!(call.tool),
                canonical(&call.arguments),
                json!(call.preview),
                json!(call.cost),
            ];
            // Last and only if there is one: questions that are open keep the digest they have.
            one.extend(call.operation.as_ref().map(|operation| json!(operation)));
            Value::Array(one)
        })
        .collect();
    hex::encode(Sha256::digest(Value::Array(content).to_string()))
}

pub(super) fn close_asked(
    session: &mut Session,
    calls: &mut [Call],
    words: &str,
    state: &str,
    events: &mut Vec<Event>,
) {
    for call in calls.iter_mut().filter(|call| call.status == CallStatus::Asked) {
        call.status = CallStatus::Done;
        events.push(state_change(&call.proposed, state));
        session.push(Item::ToolResult {
            call: call.proposed.id.clone(),
            tool: call.proposed.tool.clone(),
            output: words.to_owned(),
            success: false,
        });
    }
}

pub(crate) fn state_change(call: &ProposedCall, state: &str) -> Event {
    Event::ToolStateChange { tool_call_id: call.id.clone(), tool: call.tool.clone(), state: state.to_owned() }
}

pub(crate) fn set_state(session: &mut Session, state: TurnState) {
    if let Some(turn) = session.head.turn.as_mut() {
        turn.state = state;
    }
}

/// What changed between two arguments, as a unified diff: of the one text that people edit, or of all as JSON.
#[must_use]
pub fn unified_diff(before: &Value, after: &Value, editable: Option<&str>) -> String {
    let pretty = |value: &Value| serde_json::to_string_pretty(&canonical(value)).unwrap_or_default();
    let text_of = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let without = |value: &Value, name: &str| {
        let mut rest = value.clone();
        rest.as_object_mut().map(|map| map.remove(name));
        canonical(&rest)
    };
    // The text alone, if nothing else changed.
    let texts = editable
        .filter(|name| without(before, name) == without(after, name))
        .and_then(|name| Some((text_of(before, name)?, text_of(after, name)?)));
    let (old, new) = texts.unwrap_or_else(|| (pretty(before), pretty(after)));
    crate::text::unified_diff(&old, &new)
}

/// Notes what became of a question, one entry for each call that it is about.
pub(super) fn note_question(
    session: &mut Session,
    asked: &ApprovalRequest,
    act: Act,
    by: Option<&PersonId>,
    at: Timestamp,
) {
    for call in &asked.calls {
        let approval = Some(asked.id.clone());
        let entry = AuditEntry {
            turn: Some(asked.turn.clone()),
            by: by.cloned(),
            approval,
            ..entry(session, act, at)
        };
        session.note(about(call, entry));
    }
}

/// Notes an answer to an open question that did not count.
pub(super) fn note_refused(session: &mut Session, asked: &ApprovalRequest, answer: Answer<'_>, why: &str) {
    for call in &asked.calls {
        let entry = AuditEntry {
            turn: Some(asked.turn.clone()),
            by: Some(answer.by.id.clone()),
            approval: Some(asked.id.clone()),
            reason: Some(why.to_owned()),
            ..entry(session, Act::Refused, answer.at)
        };
        session.note(about(call, entry));
    }
}

/// Notes an answer to a question that is not open here.
pub(super) fn note_stray(session: &mut Session, answer: Answer<'_>, why: &str) {
    let entry = AuditEntry {
        by: Some(answer.by.id.clone()),
        approval: Some(answer.approval.clone()),
        reason: Some(why.to_owned()),
        ..entry(session, Act::Refused, answer.at)
    };
    session.note(entry);
}

/// Notes what was decided about a call without a question.
pub(super) fn note_call(session: &mut Session, call: &AskedCall, act: Act, reason: &str, at: Timestamp) {
    let turn = session.head.turn.as_ref().map(|turn| turn.id.clone());
    let entry = AuditEntry { turn, reason: Some(reason.to_owned()), ..entry(session, act, at) };
    session.note(about(call, entry));
}

/// An entry that says no more than what was done, where and when.
fn entry(session: &Session, act: Act, at: Timestamp) -> AuditEntry {
    AuditEntry {
        at,
        session: session.head.key.clone(),
        turn: None,
        act,
        by: None,
        approval: None,
        call: None,
        digest: None,
        tool: None,
        operation: None,
        cost: Cost::Free,
        reason: None,
    }
}

/// The same about a call: its digest, never its arguments.
fn about(call: &AskedCall, entry: AuditEntry) -> AuditEntry {
    AuditEntry {
        call: Some(call.call.clone()),
        digest: Some(digest(std::slice::from_ref(call))),
        tool: Some(call.tool.clone()),
        operation: call.operation.clone(),
        cost: call.cost.clone(),
        ..entry
    }
}
