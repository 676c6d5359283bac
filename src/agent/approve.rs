//! Questions to people: how they are made, bound to their content, and answered.
//!
//! Pure. Who may click what is decided here and nowhere else. Start at [`request`] and [`decide`].

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::canonical::canonical;
use super::policy::{Need, need};
use super::rules::Terms;
use super::tool::Assessment;
use super::{Approvals, Session, Who, grant};
use crate::clock::Timestamp;
use crate::protocol::{
    Actor, ApprovalId, ApprovalRequest, AskedCall, Call, CallStatus, Cost, Decision, Door, Event, Item,
    ProposedCall, Turn, TurnState, Verdict,
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
        approvers: terms.approvers(&turn.requester),
        needed: terms.needed,
        votes: Vec::new(),
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
    listed
        || match by.who {
            Who::Anyone => true,
            Who::Listed => false,
            Who::AnyoneButRequester => !asked_last,
            // A terminal has one person.
            Who::RequesterAndListed => asked_last || session.head.origin.door == Door::Terminal,
        }
}

/// SHA-256 over tools, canonical arguments, what people read, and cost, in hex.
#[must_use]
pub fn digest(calls: &[AskedCall]) -> String {
    let content: Vec<Value> = calls
        .iter()
        .map(|call| json!([call.call, call.tool, canonical(&call.arguments), call.preview, call.cost]))
        .collect();
    hex::encode(Sha256::digest(Value::Array(content).to_string()))
}

/// Why an answer does not count; a line for the person who gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Nothing with this id is being asked here.
    NotAsked,
    /// The answer was given after the question's time was up.
    Expired,
    /// This person may not answer.
    NotAmongApprovers,
    /// What was asked is no longer what would run.
    ContentChanged,
    /// The edit names a call that was not asked about, or gives no JSON object.
    BadEdit,
}

impl Refusal {
    /// In plain words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::NotAsked => "That question is closed already: it was decided, expired or overtaken.",
            Self::Expired => {
                "That question has expired, so nothing was run. Ask me again if you still want it."
            }
            Self::NotAmongApprovers => {
                "You are not among the people who may answer this. Nothing was changed."
            }
            Self::ContentChanged => {
                "What would run is no longer what was asked, so this answer does not count."
            }
            Self::BadEdit => "The edited arguments could not be used. Nothing was changed.",
        }
    }
}

/// Applies a person's answer to the waiting turn. `at` is when they gave it, not when we came to it.
///
/// # Errors
/// A [`Refusal`] when the answer does not count; the session is then unchanged.
pub fn decide(
    session: &mut Session,
    approval: &ApprovalId,
    verdict: &Verdict,
    by: &Actor,
    at: Timestamp,
) -> Result<Vec<Event>, Refusal> {
    let Some(turn) = session.head.turn.as_ref() else { return Err(Refusal::NotAsked) };
    let TurnState::Waiting { calls, approval: asked, .. } = &turn.state else {
        return Err(Refusal::NotAsked);
    };
    if asked.id != *approval {
        return Err(Refusal::NotAsked);
    }
    if !asked.approvers.include(by) {
        return Err(Refusal::NotAmongApprovers);
    }
    if at >= asked.expires_at {
        return Err(Refusal::Expired);
    }
    if digest(&asked.calls) != asked.digest || !same_content(asked, calls) {
        return Err(Refusal::ContentChanged);
    }
    if let Verdict::Edit { arguments } = verdict {
        let known = |id: &crate::protocol::CallId| {
            calls.iter().any(|call| call.proposed.id == *id)
                && asked.calls.iter().any(|call| call.call == *id)
        };
        if !arguments.iter().all(|(id, value)| known(id) && value.is_object()) {
            return Err(Refusal::BadEdit);
        }
    }
    let (mut calls, asked) = (calls.clone(), asked.clone());
    let decision =
        Decision::Decided { by: by.id.clone(), name: by.name.clone(), verdict: verdict.clone(), at };
    if let Some(grant) = asked.grant.as_ref().filter(|_| calls.is_empty()) {
        return Ok(grant::decided(session, grant, verdict, by, decision));
    }
    let mut events = vec![Event::ApprovalDecided { request: asked.clone(), decision }];
    match verdict {
        Verdict::Reject { reason } => {
            let words = rejection(&by.name, reason.as_deref());
            close_asked(session, &mut calls, &words, "rejected", &mut events);
            if let Some(turn) = session.head.turn.as_mut() {
                turn.refused = true;
            }
        }
        Verdict::Approve | Verdict::ApproveForSession | Verdict::Edit { .. } => {
            allow(&mut calls, verdict, &mut events);
            if *verdict == Verdict::ApproveForSession {
                let granted = asked.calls.iter().filter_map(|call| call.alike.clone());
                session.head.settings.allowed.extend(granted);
            }
        }
    }
    set_state(session, TurnState::Calling { calls });
    Ok(events)
}

/// Closes the open question without an answer: every call asked about gets a result that says `words`.
pub fn withdraw(session: &mut Session, words: &str, decision: Decision) -> Vec<Event> {
    let Some(TurnState::Waiting { calls, approval, .. }) = session.head.turn.as_ref().map(|turn| &turn.state)
    else {
        return Vec::new();
    };
    let (mut calls, request) = (calls.clone(), approval.clone());
    let mut events = vec![Event::ApprovalDecided { request, decision }];
    close_asked(session, &mut calls, words, "abandoned", &mut events);
    if let Some(turn) = session.head.turn.as_mut() {
        turn.refused = true;
    }
    set_state(session, TurnState::Calling { calls });
    events
}

fn same_content(asked: &ApprovalRequest, calls: &[Call]) -> bool {
    // A question about money alone has no call behind it.
    if asked.grant.is_some() && calls.is_empty() {
        return true;
    }
    asked.calls.iter().all(|question| {
        calls.iter().any(|call| {
            call.proposed.id == question.call
                && call.proposed.tool == question.tool
                && call.proposed.arguments == question.arguments
        })
    })
}

fn allow(calls: &mut [Call], verdict: &Verdict, events: &mut Vec<Event>) {
    for call in calls.iter_mut().filter(|call| call.status == CallStatus::Asked) {
        if let Verdict::Edit { arguments } = verdict
            && let Some(new) = arguments.get(&call.proposed.id)
            && *new != call.proposed.arguments
        {
            call.proposed.arguments = new.clone();
            call.edited = true;
        }
        call.status = CallStatus::Allowed;
        events.push(state_change(&call.proposed, "approved"));
    }
}

fn close_asked(session: &mut Session, calls: &mut [Call], words: &str, state: &str, events: &mut Vec<Event>) {
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

fn rejection(name: &str, reason: Option<&str>) -> String {
    match reason.map(str::trim).filter(|reason| !reason.is_empty()) {
        Some(reason) => format!(
            "Not run: {name} rejected this call and said: {reason}\nTake that into account; do not repeat the same call."
        ),
        None => format!(
            "Not run: {name} rejected this call. Do not repeat it; find another way or ask what is wanted."
        ),
    }
}
