//! Answers to questions: who says yes or no, what an edit makes of a question, when a question is over.
//!
//! Pure, but for asking tools what an edited call would do. What does not count is refused with a line
//! for the person who gave it, and then nothing is changed. Start at [`Agent::decide`].

use std::collections::BTreeMap;

use serde_json::Value;

use super::approve::{
    close_asked, digest, note_question, note_refused, note_stray, set_state, state_change, unified_diff,
};
use super::canonical::canonical;
use super::policy::{Autonomy, Judgement, judge};
use super::rules::Terms;
use super::tool::Place;
use super::{Agent, Session, grant};
use crate::clock::Timestamp;
use crate::protocol::{
    Act, Actor, ApprovalId, ApprovalRequest, AskedCall, AskedOf, Call, CallId, CallStatus, Decision, Event,
    TurnState, Verdict, Vote,
};

/// Why an answer does not count; a line for the person who gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Nothing with this id is being asked here.
    NotAsked,
    /// The answer was given after the question's time was up.
    Expired,
    /// This person may not answer.
    NotAmongApprovers,
    /// This person has said yes already, and others must.
    AlreadyAgreed,
    /// What was asked is no longer what would run.
    ContentChanged,
    /// The edit names a call that was not asked about, or its arguments cannot be used, because.
    BadEdit(String),
    /// What the edit makes of the call may not run, because.
    EditForbidden(String),
}

impl Refusal {
    /// In the audit log, which holds nothing of what a call says.
    fn kind(&self) -> &'static str {
        match self {
            Self::NotAsked => "the question is closed",
            Self::Expired => "the question has expired",
            Self::NotAmongApprovers => "not among the approvers",
            Self::AlreadyAgreed => "has agreed already",
            Self::ContentChanged => "the content has changed",
            Self::BadEdit(_) => "the edit cannot be used",
            Self::EditForbidden(_) => "the edited call may not run",
        }
    }

    /// In plain words.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::NotAsked => {
                "That question is closed already: it was decided, expired or overtaken.".to_owned()
            }
            Self::Expired => {
                "That question has expired, so nothing was run. Ask me again if you still want it.".to_owned()
            }
            Self::NotAmongApprovers => {
                "You are not among the people who may answer this. Nothing was changed.".to_owned()
            }
            Self::AlreadyAgreed => "You have agreed already; somebody else must agree, too.".to_owned(),
            Self::ContentChanged => {
                "What would run is no longer what was asked, so this answer does not count.".to_owned()
            }
            Self::BadEdit(why) => {
                format!("The edited arguments could not be used, and nothing was changed: {why}")
            }
            Self::EditForbidden(why) => {
                format!("What you made of the call may not run, and nothing was changed: {why}")
            }
        }
    }
}

/// A person's answer to a question.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// Which question.
    pub approval: &'a ApprovalId,
    /// What they say.
    pub verdict: &'a Verdict,
    /// Who.
    pub by: &'a Actor,
    /// When they gave it, not when we came to it.
    pub at: Timestamp,
}

impl Agent {
    /// Applies a person's answer to the waiting turn. Without a place no edit can be judged, and is refused.
    ///
    /// # Errors
    /// A [`Refusal`] when the answer does not count; the session is then unchanged, but for a line in the
    /// audit log.
    pub fn decide(
        &self,
        session: &mut Session,
        place: Option<&Place>,
        answer: Answer<'_>,
    ) -> Result<Vec<Event>, Refusal> {
        let outcome = open_question(session, answer).and_then(|mut open| match answer.verdict {
            Verdict::Reject { .. } => Ok((open, Step::No)),
            Verdict::Approve | Verdict::ApproveForSession => {
                open.agree(answer)?;
                let verdict = open.offered(answer.verdict);
                Ok((open, Step::Yes(verdict)))
            }
            Verdict::Edit { arguments } => {
                if self.edit(session, place, &mut open, arguments)? {
                    open.asked.votes.clear();
                }
                let edited = open.asked.calls.iter().any(|call| call.proposed.is_some());
                // Where the edited call needs others than its editor, they are asked, and nothing more.
                let counts = open.asked.approvers.include(answer.by);
                if counts {
                    open.agree(answer)?;
                }
                let verdict = if edited { answer.verdict.clone() } else { Verdict::Approve };
                Ok((open, if counts { Step::Yes(verdict) } else { Step::OthersAsked }))
            }
        });
        match outcome {
            Err(refusal) => {
                note_refusal(session, answer, &refusal);
                Err(refusal)
            }
            Ok((open, Step::No)) => Ok(reject(session, open, answer)),
            Ok((open, Step::OthersAsked)) => Ok(keep_open(session, open, answer, Act::Edited)),
            Ok((open, Step::Yes(verdict))) if open.is_agreed() => Ok(run(session, open, answer, verdict)),
            Ok((open, Step::Yes(verdict))) => {
                let act = if matches!(verdict, Verdict::Edit { .. }) { Act::Edited } else { Act::Agreed };
                Ok(keep_open(session, open, answer, act))
            }
        }
    }

    /// Puts new arguments into the question, which is then asked on the terms of what it is now; gives
    /// whether anything changed.
    fn edit(
        &self,
        session: &Session,
        place: Option<&Place>,
        open: &mut Open,
        arguments: &BTreeMap<CallId, Value>,
    ) -> Result<bool, Refusal> {
        let unknown = || Refusal::BadEdit("it names a call that was not asked about.".to_owned());
        let homeless = || Refusal::BadEdit("this session has no folder just now.".to_owned());
        let mut changed = false;
        for (id, new) in arguments {
            let call = open.calls.iter_mut().find(|call| call.proposed.id == *id).ok_or_else(unknown)?;
            let asked = open.asked.calls.iter_mut().find(|call| call.call == *id).ok_or_else(unknown)?;
            if !new.is_object() {
                return Err(Refusal::BadEdit("the arguments must be one JSON object.".to_owned()));
            }
            if canonical(new) == canonical(&asked.arguments) {
                continue;
            }
            let first = asked.proposed.take().unwrap_or_else(|| asked.arguments.clone());
            asked.diff = Some(unified_diff(&first, new, asked.editable.as_deref()));
            asked.proposed = Some(first);
            call.proposed.arguments = new.clone();
            call.edited = true;
            self.may_become(session, call, place.ok_or_else(homeless)?)?;
            changed = true;
        }
        if changed {
            let (now, terms) = self.questions(&open.calls, session, place.ok_or_else(homeless)?);
            if now.len() != open.asked.calls.len() {
                return Err(Refusal::BadEdit("one of the calls cannot be used any more.".to_owned()));
            }
            open.become_now(now, &terms, session);
        }
        Ok(changed)
    }

    /// Whether an edited call can be used, and may be asked about at all.
    fn may_become(&self, session: &Session, call: &Call, place: &Place) -> Result<(), Refusal> {
        let assessment =
            self.assess(&call.proposed, place).map_err(|error| Refusal::BadEdit(error.to_string()))?;
        let terms = self.rules.approvals.terms(&call.proposed, &assessment, &session.head);
        match judge(&assessment, &terms, &session.head.settings, Autonomy::Asks) {
            Judgement::Forbid(why) => Err(Refusal::EditForbidden(why)),
            Judgement::Ask(_) | Judgement::Allow => Ok(()),
        }
    }
}

/// What an answer leads to.
enum Step {
    No,
    Yes(Verdict),
    OthersAsked,
}

/// A question that is open, taken out to be answered.
struct Open {
    calls: Vec<Call>,
    asked: ApprovalRequest,
}

impl Open {
    fn agree(&mut self, answer: Answer<'_>) -> Result<(), Refusal> {
        let by = answer.by;
        if self.asked.votes.iter().any(|vote| vote.by == by.id) {
            return Err(Refusal::AlreadyAgreed);
        }
        self.asked.votes.push(Vote { by: by.id.clone(), name: by.name.clone(), at: answer.at });
        Ok(())
    }

    fn is_agreed(&self) -> bool {
        u32::try_from(self.asked.votes.len()).unwrap_or(u32::MAX) >= self.asked.needed
    }

    /// "For this session" counts only where it was offered; else it is a yes to these calls.
    fn offered(&self, verdict: &Verdict) -> Verdict {
        let all = self.asked.calls.iter().all(|call| call.alike.is_some() && !call.always);
        if all && self.asked.needed <= 1 { verdict.clone() } else { Verdict::Approve }
    }

    /// The question as it is after an edit, on the terms of what it is now. Its time does not grow.
    fn become_now(&mut self, now: Vec<AskedCall>, terms: &Terms, session: &Session) {
        let asked = &mut self.asked;
        for (old, mut new) in std::mem::take(&mut asked.calls).into_iter().zip(now) {
            if new.arguments == old.arguments {
                (new.facts, new.warnings, new.examined) = (old.facts, old.warnings, old.examined);
            }
            (new.proposed, new.diff) = (old.proposed, old.diff);
            asked.calls.push(new);
        }
        asked.digest = digest(&asked.calls);
        asked.readable_from = None;
        asked.needed = terms.needed;
        asked.on_expiry = terms.on_expiry;
        asked.expires_at = asked.expires_at.min(asked.asked_at.plus(terms.ttl));
        if let Some(turn) = session.head.turn.as_ref() {
            asked.approvers = terms.approvers(turn);
        }
    }
}

/// The open question that an answer is about, if it counts.
fn open_question(session: &Session, answer: Answer<'_>) -> Result<Open, Refusal> {
    let Some(turn) = session.head.turn.as_ref() else { return Err(Refusal::NotAsked) };
    let TurnState::Waiting { calls, approval: asked, .. } = &turn.state else {
        return Err(Refusal::NotAsked);
    };
    if asked.id != *answer.approval {
        return Err(Refusal::NotAsked);
    }
    if !asked.approvers.include(answer.by) {
        return Err(Refusal::NotAmongApprovers);
    }
    if answer.at >= asked.expires_at {
        return Err(Refusal::Expired);
    }
    // Who answers the card as it was before an edit has not read what would run.
    let yes = matches!(answer.verdict, Verdict::Approve | Verdict::ApproveForSession);
    let unread = yes && asked.readable_from.is_some_and(|from| answer.at < from);
    if unread || digest(&asked.calls) != asked.digest || !same_content(asked, calls) {
        return Err(Refusal::ContentChanged);
    }
    Ok(Open { calls: calls.clone(), asked: asked.clone() })
}

fn same_content(asked: &ApprovalRequest, calls: &[Call]) -> bool {
    // A question about money alone has no call behind it.
    if asked.grant.is_some() {
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

fn decided(answer: Answer<'_>, verdict: Verdict) -> Decision {
    Decision::Decided { by: answer.by.id.clone(), name: answer.by.name.clone(), verdict, at: answer.at }
}

/// One no ends it.
fn reject(session: &mut Session, open: Open, answer: Answer<'_>) -> Vec<Event> {
    let Open { mut calls, asked } = open;
    let reason = if let Verdict::Reject { reason } = answer.verdict { reason.as_deref() } else { None };
    let words = rejection(&answer.by.name, reason);
    note_question(session, &asked, Act::Rejected, Some(&answer.by.id), answer.at);
    let decision = decided(answer, answer.verdict.clone());
    if let Some(about) = asked.grant.as_ref() {
        return grant::decided(session, about, calls, answer, decision);
    }
    let mut events = vec![Event::ApprovalDecided { request: asked, decision }];
    close_asked(session, &mut calls, &words, "rejected", &mut events);
    if let Some(turn) = session.head.turn.as_mut() {
        turn.refused = true;
    }
    set_state(session, TurnState::Calling { calls });
    events
}

/// Everybody who must has agreed: the calls may run, bound to what was read.
fn run(session: &mut Session, open: Open, answer: Answer<'_>, verdict: Verdict) -> Vec<Event> {
    let Open { mut calls, asked } = open;
    let act = match &verdict {
        Verdict::ApproveForSession => Act::ApprovedForSession,
        Verdict::Edit { .. } => Act::Edited,
        _ => Act::Approved,
    };
    note_question(session, &asked, act, Some(&answer.by.id), answer.at);
    if let Some(about) = asked.grant.as_ref() {
        let decision = decided(answer, verdict.clone());
        return grant::decided(session, about, calls, Answer { verdict: &verdict, ..answer }, decision);
    }
    let mut states = Vec::new();
    for call in calls.iter_mut().filter(|call| call.status == CallStatus::Asked) {
        let question = asked.calls.iter().find(|question| question.call == call.proposed.id);
        call.approved = question.map(|question| digest(std::slice::from_ref(question)));
        call.approved_by = asked.votes.iter().map(|vote| vote.name.clone()).collect();
        call.asked_of = Some(AskedOf { needed: asked.needed, approvers: asked.approvers.clone() });
        call.status = CallStatus::Allowed;
        states.push(state_change(&call.proposed, "approved"));
    }
    if verdict == Verdict::ApproveForSession {
        let granted = asked.calls.iter().filter_map(|call| call.alike.clone());
        session.head.settings.allowed.extend(granted);
    }
    let decision = decided(answer, verdict);
    let mut events = vec![Event::ApprovalDecided { request: asked, decision }];
    events.append(&mut states);
    set_state(session, TurnState::Calling { calls });
    events
}

/// More people must agree: the question stays open as it is now, and is shown so.
fn keep_open(session: &mut Session, open: Open, answer: Answer<'_>, act: Act) -> Vec<Event> {
    note_question(session, &open.asked, act, Some(&answer.by.id), answer.at);
    // Untold, so that the card shows it even if the process dies now.
    set_state(session, TurnState::Waiting { calls: open.calls, approval: open.asked, told: false });
    Vec::new()
}

fn note_refusal(session: &mut Session, answer: Answer<'_>, refusal: &Refusal) {
    let open = session.head.turn.as_ref().and_then(crate::protocol::Turn::approval);
    if let Some(asked) = open.filter(|asked| asked.id == *answer.approval).cloned() {
        note_refused(session, &asked, answer, refusal.kind());
    } else {
        note_stray(session, answer, refusal.kind());
    }
}

/// Closes the open question without an answer: every call asked about gets a result that says `words`.
pub fn withdraw(session: &mut Session, words: &str, decision: Decision) -> Vec<Event> {
    let Some(TurnState::Waiting { calls, approval, .. }) = session.head.turn.as_ref().map(|turn| &turn.state)
    else {
        return Vec::new();
    };
    let (mut calls, request) = (calls.clone(), approval.clone());
    match &decision {
        Decision::Expired { at } => note_question(session, &request, Act::Expired, None, *at),
        Decision::Abandoned { at, .. } => note_question(session, &request, Act::Abandoned, None, *at),
        Decision::Decided { .. } => {}
    }
    let mut events = vec![Event::ApprovalDecided { request, decision }];
    close_asked(session, &mut calls, words, "abandoned", &mut events);
    if let Some(turn) = session.head.turn.as_mut() {
        turn.refused = true;
    }
    set_state(session, TurnState::Calling { calls });
    events
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
