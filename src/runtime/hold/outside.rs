//! What a session in hand needs from outside around one operation: money of external work, lookups.
//!
//! Never changes what an operation means: that is in `apply`.

use super::Held;
use crate::protocol::{CallId, Event, OpenTicket, Operation, OperationKind, Ticket, TurnState};
use crate::store::{Result, StoreError};

/// Open tickets of a session that are looked at.
const OPEN: u32 = 200;

impl Held<'_> {
    /// Before an operation about external work: a ticket that a sweep opened for this session becomes known to it.
    pub(super) async fn take_up_ticket(&mut self, operation: &Operation) -> Result<()> {
        let about_work = matches!(
            operation.kind,
            OperationKind::Job { .. }
                | OperationKind::Settle { .. }
                | OperationKind::Stop
                | OperationKind::New
                | OperationKind::Status
        );
        if !about_work {
            return Ok(());
        }
        let open = self.worker.0.store.open_tickets(Some(&operation.session), OPEN).await?;
        // One that a call of this session began, and that is not in its head, has been settled.
        let swept = open.into_iter().filter(|found| found.call == CallId::from(Ticket::SWEPT));
        for ticket in swept {
            let tickets = &mut self.session.head.tickets;
            if tickets.iter().all(|known| known.ticket.id != ticket.id) {
                tickets.push(OpenTicket { ticket, stopped_by: None, more: Vec::new() });
            }
        }
        Ok(())
    }

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
