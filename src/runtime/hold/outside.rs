//! What a session in hand needs from outside around one operation: money of external work, lookups.
//!
//! Never changes what an operation means: that is in `apply`.

use super::Held;
use crate::protocol::{Event, Operation, OperationKind, TurnState};
use crate::store::{Result, StoreError};

impl Held<'_> {
    /// Settles the money of external work that has ended, before its session is told.
    pub(super) async fn settle_money(&mut self, operation: &Operation) -> Result<()> {
        let OperationKind::Settle { ticket, cost, .. } = &operation.kind else { return Ok(()) };
        let agent = &self.worker.0.agent;
        agent
            .settle_ticket(&mut self.session, ticket, *cost)
            .await
            .map_err(|error| StoreError::Backend(error.0))
    }

    /// After an answer: money for what people let run longer, and lookups for what an edit made of a question.
    pub(super) async fn after_answer(&mut self) -> Result<Vec<Event>> {
        let agent = &self.worker.0.agent;
        let events =
            agent.fund_longer(&mut self.session).await.map_err(|error| StoreError::Backend(error.0))?;
        let Some(place) = &self.place else { return Ok(events) };
        let Some(TurnState::Waiting { approval, .. }) =
            self.session.head.turn.as_ref().map(|turn| &turn.state)
        else {
            return Ok(events);
        };
        if approval.calls.iter().all(|call| call.examined) {
            return Ok(events);
        }
        let mut asked = approval.calls.clone();
        agent.examine(&self.session, place, &mut asked).await;
        if let Some(TurnState::Waiting { approval, .. }) =
            self.session.head.turn.as_mut().map(|turn| &mut turn.state)
        {
            approval.calls = asked;
        }
        Ok(events)
    }
}
