//! A session in hand: its head, its transcript, and what has changed since the last save.
//!
//! Never saves by itself. The transcript only grows at its end or is cut; [`Session::unsaved`] says
//! what a save must write, so that saving costs what the step added.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::compact::weigh::Weights;
use super::pledges::Held;
use crate::protocol::{AuditEntry, CallId, Item, SessionHead, TicketChange, TicketId, TicketRequest};

/// A session in hand.
#[derive(Debug, Clone)]
pub struct Session {
    /// All but the transcript.
    pub head: SessionHead,
    items: Vec<Arc<Item>>,
    weights: Weights,
    saved: usize,
    decisions: Vec<AuditEntry>,
    tickets: Vec<TicketChange>,
    unfunded: Vec<(TicketId, TicketRequest)>,
    /// Calls that were marked `Started` by this process and are to run now. A call that is `Started`
    /// but not here was started by a process that is gone.
    pub(crate) in_hand: Vec<CallId>,
    /// Money that this process set aside for calls without a result.
    pub(crate) pledges: BTreeMap<CallId, Held>,
}

impl Session {
    /// A session as loaded.
    #[must_use]
    pub fn new(head: SessionHead, items: Vec<Arc<Item>>) -> Self {
        let (saved, weights) = (items.len(), Weights::of(&items));
        Self {
            head,
            items,
            weights,
            saved,
            decisions: Vec::new(),
            tickets: Vec::new(),
            unfunded: Vec::new(),
            in_hand: Vec::new(),
            pledges: BTreeMap::new(),
        }
    }

    /// The transcript.
    #[must_use]
    pub fn items(&self) -> &[Arc<Item>] {
        &self.items
    }

    /// Adds an item at the end.
    pub fn push(&mut self, item: Item) {
        self.weights.push(&item);
        self.items.push(Arc::new(item));
        self.head.history_size = self.items.len() as u64;
    }

    /// Cuts the transcript to its first `length` items and puts `tail` behind them. What the provider
    /// counted is void if any of it was among what went.
    pub fn splice(&mut self, length: usize, tail: Vec<Arc<Item>>) {
        self.items.truncate(length);
        self.weights.truncate(self.items.len());
        self.saved = self.saved.min(self.items.len());
        if self.head.memory.measured > self.items.len() as u64 {
            self.head.memory.measured = 0;
            self.head.context_tokens = 0;
        }
        tail.iter().for_each(|item| self.weights.push(item));
        self.items.extend(tail);
        self.head.history_size = self.items.len() as u64;
    }

    /// Estimated tokens of these items.
    #[must_use]
    pub fn tokens(&self, range: &Range<usize>) -> u64 {
        self.weights.between(range)
    }

    /// Estimated tokens, item by item.
    pub(super) fn weights(&self) -> &Weights {
        &self.weights
    }

    /// The provider counted so many tokens for the last request and its answer; all items are in them.
    pub(super) fn measure(&mut self, tokens: u64) {
        self.head.context_tokens = tokens;
        self.head.memory.measured = self.items.len() as u64;
    }

    /// What a save must write: how many saved items stay, and what comes behind them.
    #[must_use]
    pub fn unsaved(&self) -> (u64, &[Arc<Item>]) {
        (self.saved as u64, &self.items[self.saved..])
    }

    /// Notes a decision for the audit log; the next save appends it, together with its effect.
    pub fn note(&mut self, decision: AuditEntry) {
        self.decisions.push(decision);
    }

    /// Decisions noted since the last save, in order.
    #[must_use]
    pub fn unsaved_audit(&self) -> &[AuditEntry] {
        &self.decisions
    }

    /// Notes what this step changes about external work; the next save hands it to whoever watches.
    pub fn change_ticket(&mut self, change: TicketChange) {
        self.tickets.push(change);
    }

    /// What changed about external work since the last save, in order.
    #[must_use]
    pub fn unsaved_tickets(&self) -> &[TicketChange] {
        &self.tickets
    }

    /// Notes that people let external work run longer; it is asked to once money is set aside for it.
    pub(super) fn wish_longer(&mut self, ticket: TicketId, request: TicketRequest) {
        self.unfunded.push((ticket, request));
    }

    pub(super) fn take_unfunded(&mut self) -> Vec<(TicketId, TicketRequest)> {
        std::mem::take(&mut self.unfunded)
    }

    /// Everything is saved now.
    pub fn mark_saved(&mut self) {
        self.saved = self.items.len();
        self.decisions.clear();
        self.tickets.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::protocol::{Act, Cost, Door, Origin};
    use serde_json::Value;

    fn note(text: &str) -> Item {
        Item::Synthetic { text: text.to_owned() }
    }

    #[test]
    fn a_save_writes_only_what_changed() {
        let origin = Origin::new(Door::Terminal, Value::Null);
        let head = SessionHead::new("s".into(), origin, Timestamp(0));
        let mut session = Session::new(head, vec![Arc::new(note("a")), Arc::new(note("b"))]);
        session.push(note("c"));
        assert_eq!(session.unsaved().0, 2);
        assert_eq!(session.unsaved().1.len(), 1);
        session.mark_saved();
        assert!(session.unsaved().1.is_empty());
        session.splice(1, vec![Arc::new(note("x"))]);
        assert_eq!(session.unsaved().0, 1);
        assert_eq!(*session.unsaved().1[0], note("x"));
        assert_eq!(session.head.history_size, 2);
        assert_eq!(session.weights, Weights::of(&session.items));
    }

    #[test]
    fn what_was_counted_is_void_once_some_of_it_is_gone() {
        let head = SessionHead::new("s".into(), Origin::new(Door::Terminal, Value::Null), Timestamp(0));
        let mut session = Session::new(head, vec![Arc::new(note("a")), Arc::new(note("b"))]);
        session.measure(1_000);
        session.push(note("c"));
        session.splice(2, Vec::new());
        assert_eq!((session.head.context_tokens, session.head.memory.measured), (1_000, 2));
        session.splice(1, vec![Arc::new(note("x"))]);
        assert_eq!((session.head.context_tokens, session.head.memory.measured), (0, 0));
    }

    #[test]
    fn a_decision_is_handed_to_one_save() {
        let head = SessionHead::new("s".into(), Origin::new(Door::Terminal, Value::Null), Timestamp(0));
        let mut session = Session::new(head, Vec::new());
        let decision = AuditEntry {
            at: Timestamp(1),
            session: "s".into(),
            turn: None,
            act: Act::Setting,
            by: Some("local".into()),
            approval: None,
            call: None,
            digest: None,
            tool: Some("yolo".to_owned()),
            operation: None,
            cost: Cost::Free,
            reason: None,
        };
        session.note(decision.clone());
        assert_eq!(session.unsaved_audit(), [decision]);
        session.mark_saved();
        assert!(session.unsaved_audit().is_empty());
    }
}
