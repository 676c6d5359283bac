//! One call before policy: what its tool says, what rules demand, what auto-approval may still spend.
//!
//! Gathers what [`policy`] judges by; decides nothing itself.
//!
//! [`policy`]: super::policy

use super::budget::{Doubt, Reach, doubt};
use super::policy::{Autonomy, Judgement, judge, need};
use super::rules::Terms;
use super::tool::{Assessment, Place};
use super::{Agent, Session};
use crate::protocol::{Call, CallStatus, ProposedCall};

impl Agent {
    pub(super) fn autonomy(&self, session: &Session) -> Autonomy {
        if self.rules.yolo || session.head.settings.yolo { Autonomy::Approves } else { Autonomy::Asks }
    }

    /// What is decided about a call behind `before`, on which terms, and whether its cost is a reason to
    /// ask.
    pub(super) fn judged(
        &self,
        session: &Session,
        before: &[Call],
        (proposed, assessment): (&ProposedCall, &Assessment),
        place: &Place,
    ) -> (Judgement, Terms, Option<Doubt>) {
        let terms = self.rules.approvals.terms(proposed, assessment, &session.head);
        let reach = self.reach(session, before, place);
        let doubt = doubt(&assessment.cost, need(assessment, &terms), reach);
        // Where the cost is a reason to ask, auto-approval does not take the other reasons off the card.
        let autonomy = if doubt.is_some() { Autonomy::Asks } else { self.autonomy(session) };
        let mut judgement = judge(assessment, &terms, &session.head.settings, autonomy);
        if let Some(doubt) = &doubt {
            judgement = judgement.stricter(Judgement::Ask(vec![doubt.words().to_owned()]));
        }
        (judgement, terms, doubt)
    }

    /// How far auto-approval reaches for a call behind these, which may have been allowed already.
    fn reach(&self, session: &Session, before: &[Call], place: &Place) -> Option<Reach> {
        if self.autonomy(session) == Autonomy::Asks {
            return None;
        }
        let pledged: u64 = before
            .iter()
            .filter(|call| matches!(call.status, CallStatus::Allowed | CallStatus::Started))
            .filter_map(|call| self.assess(&call.proposed, place).ok()?.cost.bound())
            .sum();
        Some(Reach {
            cap: session.head.settings.yolo_cap.unwrap_or(self.rules.money.yolo_cap),
            spent: session.head.usage.cost.saturating_add(pledged),
        })
    }
}
