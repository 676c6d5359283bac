//! No secret reaches people: a decorator around any front door's presenters.
//!
//! Every text of every event is looked through before the front door has it; an answer that streams is
//! looked through across its pieces. What runs and what is saved stay as they are: an approval's digest is
//! over the real content, and whoever edits a call edits that.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use serde_json::Value;

use super::tokens::Known;
use crate::protocol::{Event, Heard, Operation, SessionHead};
use crate::runtime::{Branch, Opening, PresentError, Presenter, Presenters};
use crate::secret::Secret;
use crate::text::{Flow, redact, redact_json};

/// Presenters that see no secret.
pub(super) struct Redacted {
    pub(super) inner: Arc<dyn Presenters>,
    pub(super) secrets: Arc<[Secret]>,
    /// Tokens that people have given: they come and go while the process runs.
    pub(super) people: Option<Known>,
}

impl Redacted {
    /// The session as the front door may know it.
    fn clean(secrets: &[Secret], session: &SessionHead) -> SessionHead {
        let title = session.title.as_deref().map(|title| redact(title, secrets).into_owned());
        SessionHead { title, ..session.clone() }
    }

    /// All that must not be shown as of now. A token that somebody gives later is still taken out by its
    /// shape: no other is kept.
    async fn known(&self) -> Arc<[Secret]> {
        match &self.people {
            Some(people) => self.secrets.iter().cloned().chain(people.all().await).collect(),
            None => self.secrets.clone(),
        }
    }
}

#[async_trait]
impl Presenters for Redacted {
    async fn open(&self, session: &SessionHead, opening: Opening) -> Arc<dyn Presenter> {
        let secrets = self.known().await;
        Arc::new(RedactedPresenter {
            inner: self.inner.open(&Self::clean(&secrets, session), opening).await,
            secrets: secrets.clone(),
            flow: Mutex::new(Flow::new(secrets)),
        })
    }

    async fn heard(&self, session: &SessionHead, first: &Operation) -> Vec<Heard> {
        self.inner.heard(session, first).await
    }

    async fn link(&self, session: &SessionHead) -> Option<String> {
        self.inner.link(session).await
    }

    async fn branch(&self, session: &SessionHead, cause: &Operation) -> Result<Option<Branch>, PresentError> {
        self.inner.branch(&Self::clean(&self.known().await, session), cause).await
    }
}

struct RedactedPresenter {
    inner: Arc<dyn Presenter>,
    secrets: Arc<[Secret]>,
    flow: Mutex<Flow>,
}

impl RedactedPresenter {
    fn chunk(&self, take: impl FnOnce(&mut Flow) -> String) {
        let content = take(&mut self.flow.lock().unwrap_or_else(PoisonError::into_inner));
        if !content.is_empty() {
            self.inner.show(&Event::AssistantChunk { content });
        }
    }

    fn clean(&self, event: &Event) -> Event {
        let clean = serde_json::to_value(event)
            .and_then(|value| serde_json::from_value(redact_json(&value, &self.secrets)));
        clean.unwrap_or_else(|error| {
            tracing::error!(%error, "an event could not be looked through for secrets and is not shown");
            Event::Remark { text: "Something here could not be shown; the log says why.".to_owned() }
        })
    }
}

#[async_trait]
impl Presenter for RedactedPresenter {
    fn show(&self, event: &Event) {
        match event {
            Event::AssistantChunk { content } => return self.chunk(|flow| flow.push(content)),
            Event::AssistantStreamReset {} => {
                self.flow.lock().unwrap_or_else(PoisonError::into_inner).clear();
            }
            // A remark in the middle of an answer does not end it.
            Event::ToolLog { .. } => {}
            _ => self.chunk(Flow::finish),
        }
        self.inner.show(&self.clean(event));
    }

    async fn settle(&self) -> Result<Value, PresentError> {
        self.chunk(Flow::finish);
        self.inner.settle().await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::clock::Timestamp;
    use crate::protocol::{Door, Origin};

    #[derive(Default)]
    struct Wall(Mutex<Vec<Event>>);

    #[async_trait]
    impl Presenter for Wall {
        fn show(&self, event: &Event) {
            self.0.lock().unwrap().push(event.clone());
        }
        async fn settle(&self) -> Result<Value, PresentError> {
            Ok(Value::Null)
        }
    }

    fn presenter(wall: Arc<Wall>) -> RedactedPresenter {
        let secrets: Arc<[Secret]> = [Secret::new("hunter2!longer")].into();
        RedactedPresenter { inner: wall, secrets: secrets.clone(), flow: Mutex::new(Flow::new(secrets)) }
    }

    fn chunk(content: &str) -> Event {
        Event::AssistantChunk { content: content.to_owned() }
    }

    #[test]
    fn a_secret_that_is_cut_in_pieces_is_not_shown_and_nothing_else_is_lost() {
        let wall = Arc::new(Wall::default());
        let presenter = presenter(wall.clone());
        for piece in ["The key is hun", "ter2!", "longer and ", "the end"] {
            presenter.show(&chunk(piece));
        }
        presenter.show(&Event::AssistantStreamEnd {});
        let shown = wall.0.lock().unwrap();
        let text: String = shown
            .iter()
            .filter_map(|event| match event {
                Event::AssistantChunk { content } => Some(content.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(text, "The key is [REDACTED] and the end");
        assert_eq!(shown.last(), Some(&Event::AssistantStreamEnd {}), "the rest comes before the end");
    }

    #[test]
    fn what_a_reset_makes_void_does_not_come_out() {
        let wall = Arc::new(Wall::default());
        let presenter = presenter(wall.clone());
        presenter.show(&chunk("one tw"));
        presenter.show(&Event::AssistantStreamReset {});
        presenter.show(&chunk("again"));
        presenter.show(&Event::AssistantStreamEnd {});
        let expected =
            [chunk("one "), Event::AssistantStreamReset {}, chunk("again"), Event::AssistantStreamEnd {}];
        assert_eq!(*wall.0.lock().unwrap(), expected);
    }

    #[test]
    fn every_text_of_an_event_is_looked_through() {
        let wall = Arc::new(Wall::default());
        let presenter = presenter(wall.clone());
        presenter.show(&Event::ToolCall {
            tool: "bash".into(),
            title: "Run hunter2!longer".into(),
            arguments: json!({ "command": "login hunter2!longer", "api_key": "x", "n": 1 }),
            tool_call_id: "c".into(),
        });
        let Event::ToolCall { title, arguments, .. } = wall.0.lock().unwrap()[0].clone() else { panic!() };
        assert_eq!(title, "Run [REDACTED]");
        assert_eq!(arguments, json!({ "command": "login [REDACTED]", "api_key": "[REDACTED]", "n": 1 }));
    }

    #[test]
    fn a_title_is_clean_before_the_front_door_sees_it() {
        struct Nobody;
        #[async_trait]
        impl Presenters for Nobody {
            async fn open(&self, _: &SessionHead, _: Opening) -> Arc<dyn Presenter> {
                Arc::new(Wall::default())
            }
            async fn heard(&self, _: &SessionHead, _: &Operation) -> Vec<Heard> {
                Vec::new()
            }
            async fn link(&self, _: &SessionHead) -> Option<String> {
                None
            }
            async fn branch(&self, _: &SessionHead, _: &Operation) -> Result<Option<Branch>, PresentError> {
                Ok(None)
            }
        }
        let redacted = Redacted {
            inner: Arc::new(Nobody),
            secrets: [Secret::new("hunter2!longer")].into(),
            people: None,
        };
        let mut head = SessionHead::new("s".into(), Origin::new(Door::Terminal, Value::Null), Timestamp(0));
        head.title = Some("use hunter2!longer".into());
        let secrets =
            tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(redacted.known());
        assert_eq!(Redacted::clean(&secrets, &head).title.as_deref(), Some("use [REDACTED]"));
    }
}
