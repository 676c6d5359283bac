//! What calls of tools cost: set aside when a call is marked, settled when it has a result.
//!
//! A call runs only after money for it was set aside, and everything set aside is settled or given back:
//! by the worker that ran the call, or, after a crash, by the next one ([`Agent::recover_pledges`]).

use super::away::LONGER;
use super::budget::short_words;
use super::paid::add_usage;
use super::purse::{Payers, Pledge, PurseError, Wish};
use super::results::push_result;
use super::tool::Place;
use super::{Agent, EventSink, Session};
use crate::protocol::{
    Act, AuditEntry, Call, CallId, CallStatus, Cost, Pledged, Scope, ToolOutcome, Turn, TurnState, Usage,
};

/// Money that was set aside for a call that has no result yet.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    id: String,
    /// How much; `None` if nobody knows what the call costs.
    amount: Option<u64>,
}

impl Held {
    /// The same, to go on with external work until that ends.
    pub(super) fn into_pledged(self) -> Pledged {
        Pledged { id: self.id, micros: self.amount }
    }
}

impl Agent {
    /// Sets money aside for each of these calls. One that no budget lets run gets a result that says
    /// why, and is taken from the batch.
    pub(super) async fn pledge(
        &self,
        session: &mut Session,
        calls: &mut [Call],
        batch: &mut Vec<CallId>,
        place: &Place,
        sink: &dyn EventSink,
    ) {
        for call in calls.iter_mut().filter(|call| call.status == CallStatus::Allowed) {
            if !batch.contains(&call.proposed.id) {
                continue;
            }
            let cost = self.assess(&call.proposed, place).map(|known| known.cost).unwrap_or_default();
            if cost.bound() == Some(0) {
                continue;
            }
            if let Err(words) = self.hold(session, call, &cost).await {
                batch.retain(|id| *id != call.proposed.id);
                call.status = CallStatus::Done;
                if let Some(turn) = session.head.turn.as_mut() {
                    turn.refused = true;
                }
                let outcome = ToolOutcome::failed(format!(
                    "Not run: {words} Do not try it again now; say what is missing, or find a cheaper way."
                ));
                push_result(session, &call.proposed, &outcome, sink);
                self.note_over(session, Some(&call.proposed.id), &call.proposed.tool, cost, words);
            }
        }
    }

    async fn hold(&self, session: &mut Session, call: &Call, cost: &Cost) -> Result<(), String> {
        let Some(turn) = session.head.turn.as_ref() else { return Ok(()) };
        let who = turn.requester.name.clone();
        let amount = cost.bound();
        let id = format!("{}{}", prefix(turn, turn.steps, &call.proposed.id), self.random.id(""));
        let wish = Wish {
            id: id.clone(),
            payers: Payers::of(session),
            purpose: call.proposed.tool.clone(),
            amount: amount.unwrap_or_default(),
        };
        match self.purse.reserve(&wish).await {
            Ok(Pledge::Held) => {
                session.pledges.insert(call.proposed.id.clone(), Held { id, amount });
                Ok(())
            }
            Ok(Pledge::Short(account)) => {
                let (reason, hint) = short_words(&account, wish.amount, Some(&who));
                Err(format!("{reason} {hint}"))
            }
            Err(error) => {
                tracing::error!(%error, "no money could be set aside for a call");
                Err(format!("{error}."))
            }
        }
    }

    /// Notes in the audit log that no budget let something run: a call of a tool, or, without one, of a model.
    pub(super) fn note_over(
        &self,
        session: &mut Session,
        call: Option<&CallId>,
        purpose: &str,
        cost: Cost,
        words: String,
    ) {
        let entry = AuditEntry {
            at: self.clock.now(),
            session: session.head.key.clone(),
            turn: session.head.turn.as_ref().map(|turn| turn.id.clone()),
            act: Act::OverBudget,
            by: None,
            approval: None,
            call: call.cloned(),
            digest: None,
            tool: Some(purpose.to_owned()),
            operation: None,
            cost,
            reason: Some(words),
        };
        session.note(entry);
    }

    /// Settles what was set aside for a call that ran: with its cost, or the estimate if that is not
    /// known.
    pub(super) async fn settle_call(&self, session: &mut Session, call: &CallId, outcome: &ToolOutcome) {
        let Some(held) = session.pledges.remove(call) else {
            return self.spend_unasked(session, call, outcome.cost.unwrap_or_default()).await;
        };
        let cost = outcome.cost.or(held.amount);
        let used =
            Usage { cost: cost.unwrap_or_default(), unpriced: u64::from(cost.is_none()), ..Usage::default() };
        add_usage(session, &used);
        self.close_pledge(&held.id, used.cost).await;
    }

    /// Counts what a call cost that was thought to cost nothing.
    async fn spend_unasked(&self, session: &mut Session, call: &CallId, cost: u64) {
        let Some(turn) = session.head.turn.as_ref().filter(|_| cost > 0) else { return };
        let wish = Wish {
            id: format!("{}{}", prefix(turn, turn.steps, call), self.random.id("")),
            payers: Payers::of(session),
            purpose: turn.call(call).map_or_else(String::new, |call| call.proposed.tool.clone()),
            amount: cost,
        };
        if let Err(error) = self.purse.spend(&wish).await {
            tracing::error!(%error, %call, "what a call cost could not be written down");
        }
        add_usage(session, &Usage { cost, ..Usage::default() });
    }

    /// Gives back what was set aside for calls that will not run: they were stopped after they were
    /// marked.
    pub async fn return_unused(&self, session: &mut Session) {
        let in_hand = std::mem::take(&mut session.pledges);
        for (call, held) in in_hand {
            if session.in_hand.contains(&call) {
                session.pledges.insert(call, held);
            } else {
                self.close_pledge(&held.id, 0).await;
            }
        }
    }

    /// Closes what a worker that is gone left open: settled at its estimate where the call may have run,
    /// given back where its mark was never saved. Then the session counts what the ledger counts. Says
    /// whether the session was changed. Call it before anything else is recovered.
    ///
    /// # Errors
    /// When the ledger cannot be used.
    pub async fn recover_pledges(&self, session: &mut Session) -> Result<bool, PurseError> {
        let open = self.purse.open(&session.head.key).await?;
        if open.is_empty() && !session.head.wants_work() {
            // Nobody was at work here when it was last let go.
            return Ok(false);
        }
        for pledge in &open {
            // What external work that has not ended holds is settled by its end.
            if session.head.tickets.iter().any(|open| open.pledges().any(|of_it| of_it.id == pledge.id)) {
                continue;
            }
            if may_have_run(session.head.turn.as_ref(), &pledge.id) {
                self.purse.settle(&pledge.id, pledge.amount).await?;
            } else {
                self.purse.release(&pledge.id).await?;
            }
        }
        let standing = self.purse.standing(&Payers::of(session)).await?;
        let spent = standing
            .iter()
            .find(|standing| matches!(standing.account.scope, Scope::Session(_)))
            .map_or(0, |standing| standing.balance.spent);
        let missing = spent.saturating_sub(session.head.usage.cost);
        add_usage(session, &Usage { cost: missing, ..Usage::default() });
        Ok(missing > 0)
    }
}

fn prefix(turn: &Turn, step: u32, call: &CallId) -> String {
    format!("call:{}:{step}:{call}:", turn.id)
}

/// Whether what this pledge was made for may have run, given the session as it was saved. Marks are
/// saved before calls run, so a call of the step in hand that is not marked did not, and neither did one
/// of the next step.
fn may_have_run(turn: Option<&Turn>, pledge: &str) -> bool {
    // Work that runs longer is asked to only by a save that names the money.
    if pledge.starts_with(LONGER) {
        return false;
    }
    let Some(turn) = turn else { return true };
    if pledge.starts_with(&format!("call:{}:{}:", turn.id, turn.steps + 1)) {
        return false;
    }
    let (TurnState::Calling { calls } | TurnState::Waiting { calls, .. } | TurnState::Away { calls, .. }) =
        &turn.state
    else {
        return true;
    };
    let of_call = calls.iter().find(|call| pledge.starts_with(&prefix(turn, turn.steps, &call.proposed.id)));
    of_call
        .is_none_or(|call| matches!(call.status, CallStatus::Started | CallStatus::Away | CallStatus::Done))
}
