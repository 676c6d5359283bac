//! The terminal as a front door: events on their way from the worker to the screen.
//!
//! Owns [`Front`], which is both presenters and presenter: a terminal shows one session. Never draws;
//! whoever follows the session takes events with [`Front::next`] and draws them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::sync::Notify;

use super::conversation::session_key;
use crate::protocol::{Event, Heard, Operation, SessionHead, SessionKey};
use crate::runtime::{Branch, Opening, PresentError, Presenter, Presenters};

/// Progress lines beyond this many are dropped while nobody looks; everything else is kept, and
/// pieces of text are joined, so that the queue stays as small as what a turn says.
const LINES_KEPT: usize = 1_000;

/// Events between a worker and a screen. Cheap to clone; clones share everything.
#[derive(Clone, Default)]
pub struct Front(Arc<Queue>);

#[derive(Default)]
struct Queue {
    /// The session that is shown; `None` shows whatever is worked on.
    only: Option<SessionKey>,
    events: Mutex<VecDeque<Event>>,
    arrived: Notify,
    emptied: Notify,
}

impl Front {
    /// A front without events.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A front that shows this session alone: what happens to a copy of it is shown where that goes on.
    #[must_use]
    pub fn of(session: SessionKey) -> Self {
        Self(Arc::new(Queue { only: Some(session), ..Queue::default() }))
    }

    /// The next event, in order. Can be cancelled without losing one.
    pub async fn next(&self) -> Event {
        loop {
            let arrived = self.0.arrived.notified();
            if let Some(event) = self.take() {
                return event;
            }
            arrived.await;
        }
    }

    /// The next event, if there is one already.
    #[must_use]
    pub fn take(&self) -> Option<Event> {
        let mut events = self.events();
        let event = events.pop_front();
        if events.is_empty() {
            self.0.emptied.notify_waiters();
        }
        event
    }

    /// Whether every event was taken.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events().is_empty()
    }

    fn events(&self) -> MutexGuard<'_, VecDeque<Event>> {
        self.0.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Presenters for Front {
    async fn open(&self, head: &SessionHead, _: Opening) -> Arc<dyn Presenter> {
        if self.0.only.as_ref().is_some_and(|only| *only != head.key) {
            return Arc::new(Unseen);
        }
        Arc::new(self.clone())
    }

    async fn heard(&self, _: &SessionHead, _: &Operation) -> Vec<Heard> {
        Vec::new()
    }

    /// A terminal has no address.
    async fn link(&self, _: &SessionHead) -> Option<String> {
        None
    }

    async fn branch(&self, session: &SessionHead, cause: &Operation) -> Result<Option<Branch>, PresentError> {
        Ok(Some(branch(session, cause)))
    }
}

#[async_trait]
impl Presenter for Front {
    fn show(&self, event: &Event) {
        let mut events = self.events();
        let full = events.len() >= LINES_KEPT;
        match (events.back_mut(), event) {
            (Some(Event::AssistantChunk { content: last }), Event::AssistantChunk { content }) => {
                last.push_str(content);
            }
            (_, Event::ToolLog { .. }) if full => {}
            _ => events.push_back(event.clone()),
        }
        drop(events);
        self.0.arrived.notify_one();
    }

    async fn settle(&self) -> Result<Value, PresentError> {
        loop {
            let emptied = self.0.emptied.notified();
            if self.is_empty() {
                return Ok(Value::Null);
            }
            emptied.await;
        }
    }
}

/// Shows nothing: nobody looks at that session.
struct Unseen;

#[async_trait]
impl Presenter for Unseen {
    fn show(&self, _: &Event) {}

    async fn settle(&self) -> Result<Value, PresentError> {
        Ok(Value::Null)
    }
}

/// The terminal session in which another one goes on: its id is made from the cause.
fn branch(session: &SessionHead, cause: &Operation) -> Branch {
    let id = hex::encode(&Sha256::digest(cause.id.as_str())[..10]);
    Branch {
        session: session_key(&id),
        origin: session.origin.clone(),
        words: format!("/resume {id}, or ml-intern --session {id}"),
        link: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(content: &str) -> Event {
        Event::AssistantChunk { content: content.to_owned() }
    }

    fn line() -> Event {
        Event::ToolLog { tool: "bash".to_owned(), tool_call_id: None, log: "…".to_owned() }
    }

    #[tokio::test]
    async fn pieces_are_joined_and_order_is_kept() {
        let front = Front::new();
        for event in [chunk("a"), chunk("b"), Event::AssistantStreamEnd {}, chunk("c")] {
            front.show(&event);
        }
        assert_eq!(front.next().await, chunk("ab"));
        assert_eq!(front.next().await, Event::AssistantStreamEnd {});
        assert_eq!(front.next().await, chunk("c"));
        assert_eq!(front.take(), None);
    }

    #[tokio::test]
    async fn settling_waits_until_everything_was_taken() {
        let front = Front::new();
        front.show(&chunk("a"));
        let settle = tokio::spawn({
            let front = front.clone();
            async move { front.settle().await }
        });
        tokio::task::yield_now().await;
        assert!(!settle.is_finished());
        front.next().await;
        assert_eq!(settle.await.unwrap(), Ok(Value::Null));
    }

    #[tokio::test]
    async fn what_happens_to_a_copy_is_not_shown_here() {
        let front = Front::of(session_key("here"));
        let origin = crate::protocol::Origin::new(crate::protocol::Door::Terminal, Value::Null);
        for (id, shown) in [("there", None), ("here", Some(chunk("a")))] {
            let head = SessionHead::new(session_key(id), origin.clone(), crate::clock::Timestamp(0));
            front.open(&head, Opening::Fresh).await.show(&chunk("a"));
            assert_eq!(front.take(), shown, "{id}");
        }
    }

    #[test]
    fn a_flood_of_progress_is_bounded_and_an_ending_still_arrives() {
        let front = Front::new();
        (0..5_000).for_each(|_| front.show(&line()));
        front.show(&Event::Interrupted { turn: "t".into(), by: None });
        assert_eq!(front.events().len(), LINES_KEPT + 1);
    }
}
