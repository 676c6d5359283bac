//! Shortening the transcript by hand, in a session in hand.

use super::Held;
use crate::protocol::{Event, Operation, TurnState};
use crate::runtime::stop::{stop_arrives, until_stopped};

impl Held<'_> {
    /// Shortens the transcript; `None` if that was let go, to be done by the next worker.
    pub(super) async fn compact(&mut self, operation: &Operation) -> Option<Vec<Event>> {
        let private = |text: &str| {
            Some(vec![Event::PrivateLine { to: operation.actor.id.clone(), text: text.to_owned() }])
        };
        match self.session.head.turn.as_ref().map(|turn| &turn.state) {
            Some(TurnState::Waiting { .. }) => {
                return private("A question is open here. Answer it first, then shorten.");
            }
            Some(TurnState::Away { .. }) => {
                return private("I wait for work outside to end. Say something first, then shorten.");
            }
            _ => {}
        }
        let cancel = self.worker.0.suspend.child_token();
        let shortened = {
            let work = self.worker.0.agent.shorten(&mut self.session, &self.sink, &cancel);
            until_stopped(work, &cancel, stop_arrives(self.worker, &self.lease, &self.bell, &self.lost)).await
        };
        match (shortened, cancel.is_cancelled()) {
            (true, _) => Some(Vec::new()),
            (false, false) => private("There is nothing to shorten yet."),
            (false, true) if self.is_let_go() => None,
            (false, true) => private("Stopped; the history is as it was."),
        }
    }
}
