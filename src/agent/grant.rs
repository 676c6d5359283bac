//! Questions about money alone, without a call: going on past a sum, raising the cap of auto-approval,
//! using a model whose price nobody knows.
//!
//! They take the same road as questions about calls; what a yes allows is in the question. Never spends.

use serde_json::json;

use super::approve::{note_question, request, set_state};
use super::budget::{self, dollars};
use super::policy::Autonomy;
use super::{Advance, Agent, Session};
use crate::protocol::{
    Act, Actor, ApprovalRequest, AskedCall, AuditEntry, Cost, Decision, Ending, Event, Grant, TurnState,
    Verdict,
};

/// What stands in a question about money where others name a tool.
pub const SPEND: &str = "spend";

impl Agent {
    /// Asks people before the session spends more, if they must be asked.
    pub(super) async fn ask_for_money(&self, session: &mut Session) -> Option<Advance> {
        let turn = session.head.turn.clone()?;
        let model = self.model_of(session);
        let settings = &session.head.settings;
        let yolo = self.autonomy(session) == Autonomy::Approves;
        // A model that cannot be called at all (no key) is no question of price: its error says what to do.
        let unpriced = !settings.unpriced.contains(&model)
            && self.model.check(&model).is_ok()
            && self.model.facts(&model).await.price.is_none();
        let grant = if unpriced {
            Grant::UnknownPrice { model }
        } else {
            budget::due(session.head.usage.cost, settings, yolo, &self.rules.money)?
        };
        let asked = vec![self.question_about(session, &grant)];
        let mut approval = request(
            self.random.id("ap_").into(),
            &turn,
            asked,
            &self.rules.approvals.plain(),
            self.clock.now(),
        );
        approval.grant = Some(grant);
        note_question(session, &approval, Act::Asked, None, approval.asked_at);
        set_state(session, TurnState::Waiting { calls: Vec::new(), approval, told: false });
        Some(Advance::Paused)
    }

    fn question_about(&self, session: &Session, grant: &Grant) -> AskedCall {
        let spent = session.head.usage.cost;
        let settings = &session.head.settings;
        let (title, reason) = match grant {
            Grant::SpendUntil { micros } => {
                let threshold = budget::threshold(settings, &self.rules.money).unwrap_or_default();
                (
                    format!("Go on past {}", dollars(threshold)),
                    format!("A yes lets this session spend up to {} before I ask again.", dollars(*micros)),
                )
            }
            Grant::YoloCap { micros } => {
                let cap = settings.yolo_cap.unwrap_or(self.rules.money.yolo_cap);
                (
                    format!("Go on with auto-approval past {}", dollars(cap)),
                    format!("A yes lets what needs a yes run without asking up to {}.", dollars(*micros)),
                )
            }
            Grant::UnknownPrice { model } => (
                format!("Use {model}, whose price is not known"),
                "What it costs cannot be counted. A yes holds for this session; a price under \
                 `budgets.prices` in the configuration makes the question go away."
                    .to_owned(),
            ),
        };
        AskedCall {
            call: SPEND.into(),
            tool: SPEND.to_owned(),
            operation: None,
            arguments: json!({ "spent_micros": spent }),
            proposed: None,
            diff: None,
            always: false,
            title,
            preview: so_far(session),
            language: "text".to_owned(),
            reasons: vec![reason],
            cost: Cost::Free,
            alike: None,
            editable: None,
        }
    }
}

/// What the session and the request in hand have cost.
fn so_far(session: &Session) -> String {
    let head = &session.head;
    let unpriced = |calls: u64| match calls {
        0 => String::new(),
        1 => ", and one call of unknown price".to_owned(),
        more => format!(", and {more} calls of unknown price"),
    };
    let mut lines =
        vec![format!("This session so far: {}{}", dollars(head.usage.cost), unpriced(head.usage.unpriced))];
    if let Some(turn) = &head.turn {
        lines.push(format!(
            "This request, by {}: {}{}",
            turn.requester.name,
            dollars(turn.usage.cost),
            unpriced(turn.usage.unpriced)
        ));
    }
    lines.join("\n")
}

/// Applies a person's answer to a question about money: a yes allows it and the turn goes on; a no ends
/// the turn.
pub(super) fn decided(
    session: &mut Session,
    grant: &Grant,
    verdict: &Verdict,
    by: &Actor,
    decision: Decision,
) -> Vec<Event> {
    let Some(TurnState::Waiting { approval, .. }) = session.head.turn.as_ref().map(|turn| &turn.state) else {
        return Vec::new();
    };
    let (request, at) = (approval.clone(), moment(&decision));
    if let Verdict::Reject { .. } = verdict {
        let ending = Ending::Interrupted { by: Some(by.name.clone()) };
        set_state(session, TurnState::Over { ending, at, told: false });
    } else {
        budget::grant(&mut session.head.settings, grant);
        note_grant(session, &request, grant, (by, at));
        set_state(session, TurnState::Thinking);
    }
    vec![Event::ApprovalDecided { request, decision }]
}

fn moment(decision: &Decision) -> crate::clock::Timestamp {
    match decision {
        Decision::Decided { at, .. } | Decision::Expired { at } | Decision::Abandoned { at, .. } => *at,
    }
}

fn note_grant(
    session: &mut Session,
    asked: &ApprovalRequest,
    grant: &Grant,
    (by, at): (&Actor, crate::clock::Timestamp),
) {
    let (setting, reason) = match grant {
        Grant::SpendUntil { micros } => ("spend_until", dollars(*micros)),
        Grant::YoloCap { micros } => ("yolo_cap", dollars(*micros)),
        Grant::UnknownPrice { model } => ("unpriced", model.clone()),
    };
    let entry = AuditEntry {
        at,
        session: session.head.key.clone(),
        turn: session.head.turn.as_ref().map(|turn| turn.id.clone()),
        act: Act::Setting,
        by: Some(by.id.clone()),
        approval: Some(asked.id.clone()),
        call: None,
        digest: None,
        tool: Some(setting.to_owned()),
        operation: None,
        cost: Cost::Free,
        reason: Some(reason),
    };
    session.note(entry);
}
