//! Questions about money alone, without a call: going on past a sum, raising the cap of auto-approval,
//! using a model whose price nobody knows, letting external work run longer.
//!
//! They take the same road as questions about calls; what a yes allows is in the question. Never spends.

use serde_json::json;

use super::answer::Answer;
use super::approve::{note_question, request, set_state};
use super::away::LONGER;
use super::budget;
use super::policy::Autonomy;
use super::{Advance, Agent, Session};
use crate::protocol::money::dollars;
use crate::protocol::{
    Act, Actor, ApprovalRequest, Approvers, AskedCall, AuditEntry, Call, Cost, Decision, Ending, Event,
    Grant, Item, Pledged, TicketId, TicketRequest, TicketWant, Turn, TurnState, Verdict, Work,
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

    /// Asks people whether external work of this session may run as long again. The turn in hand waits for the
    /// answer, if it only waited for external work; without one, a turn begins. Says whether it could be asked.
    pub fn ask_for_longer(&self, session: &mut Session, ticket: &TicketId, by: &Actor) -> bool {
        let now = self.clock.now();
        let Some(open) = session.head.tickets.iter().find(|open| open.ticket.id == *ticket) else {
            return false;
        };
        let Work::Job(job) = open.ticket.work.clone() else { return false };
        if job.timeout_s == 0 {
            return false;
        }
        let asked_of = open.ticket.asked_of.clone();
        let calls = match session.head.turn.as_ref().map(|turn| &turn.state) {
            Some(TurnState::Away { calls, .. }) => calls.clone(),
            None | Some(TurnState::Over { .. }) => Vec::new(),
            Some(_) => return false,
        };
        if session.head.turn.as_ref().is_none_or(Turn::is_over) {
            session.head.turns += 1;
            session.head.turn = Some(Turn::begun(self.random.id("t_").into(), by.clone(), now));
        }
        let Some(turn) = session.head.turn.clone() else { return false };
        let micros = job.price.map(|price| (u128::from(price) * u128::from(job.timeout_s)).div_ceil(3_600));
        let micros = micros.and_then(|micros| u64::try_from(micros).ok());
        let grant = Grant::Longer { ticket: ticket.clone(), seconds: job.timeout_s, micros };
        let asked = vec![self.question_about(session, &grant)];
        let terms = self.rules.approvals.plain();
        let mut approval = request(self.random.id("ap_").into(), &turn, asked, &terms, now);
        approval.grant = Some(grant);
        // Whoever had to agree to the job has to agree to more of it.
        if let Some(first) = asked_of {
            approval.needed = approval.needed.max(first.needed);
            approval.approvers = Approvers::All { of: vec![approval.approvers, first.approvers] };
        }
        note_question(session, &approval, Act::Asked, None, now);
        set_state(session, TurnState::Waiting { calls, approval, told: false });
        true
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
            Grant::Longer { ticket, seconds, micros } => {
                let open = session.head.tickets.iter().find(|open| open.ticket.id == *ticket);
                let title =
                    open.map_or_else(|| ticket.to_string(), |open| open.ticket.work.title().to_owned());
                let cost = micros.map_or_else(
                    || "at a price that nobody knows".to_owned(),
                    |micros| format!("for up to {} more", dollars(micros)),
                );
                (
                    format!("Let “{title}” run {} longer", crate::text::duration(*seconds)),
                    format!(
                        "Hugging Face cannot prolong a running job. A yes starts it anew when its time is up, {cost}: \
                         its script must go on from what it has saved, and it gets the account's token only: other \
                         secrets are not carried over."
                    ),
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
            cost: match grant {
                Grant::Longer { micros: Some(micros), .. } => Cost::AtMost(*micros),
                Grant::Longer { micros: None, .. } => {
                    Cost::Unknown("its hardware is in no price list".to_owned())
                }
                _ => Cost::Free,
            },
            facts: Vec::new(),
            warnings: Vec::new(),
            examined: true,
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
/// the turn, unless it is only about letting work run longer.
pub(super) fn decided(
    session: &mut Session,
    grant: &Grant,
    calls: Vec<Call>,
    answer: Answer<'_>,
    decision: Decision,
) -> Vec<Event> {
    let Some(TurnState::Waiting { approval, .. }) = session.head.turn.as_ref().map(|turn| &turn.state) else {
        return Vec::new();
    };
    let (request, at, by) = (approval.clone(), moment(&decision), answer.by);
    let no = matches!(answer.verdict, Verdict::Reject { .. });
    if !no {
        note_grant(session, &request, grant, (by, at));
    }
    if let Grant::Longer { ticket, seconds, micros } = grant {
        let id = format!("{LONGER}{ticket}:{}", request.id);
        let said = if no { "did not let it run longer" } else { "let it run longer, should its time be up" };
        if !no {
            let pledge = Some(Pledged { id: id.clone(), micros: *micros });
            let want = TicketWant::Longer { seconds: *seconds, pledge };
            let (by, name) = (by.id.clone(), by.name.clone());
            session.wish_longer(ticket.clone(), TicketRequest { id, by, name, want, at });
        }
        if calls.is_empty() {
            session.push(Item::Synthetic {
                text: format!("About external work `{ticket}`: {} {said}.", by.name),
            });
        }
        set_state(session, TurnState::Calling { calls });
    } else if no {
        let ending = Ending::Interrupted { by: Some(by.name.clone()) };
        set_state(session, TurnState::Over { ending, at, told: false });
    } else {
        budget::grant(&mut session.head.settings, grant);
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
        Grant::Longer { ticket, seconds, .. } => ("longer", format!("{ticket} by {seconds} s")),
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
