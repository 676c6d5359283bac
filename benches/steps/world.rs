//! What stands in for the world: a model and a tool inside the process, a front door that shows nothing.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use async_trait::async_trait;
use ml_intern::agent::tool::{Assessment, BadArguments, CallContext, Ownership, Place, Tool, ToolError};
use ml_intern::model::{Completion, Delta, DeltaSink, Model, ModelError, Request};
use ml_intern::protocol::{Event, Heard, Operation, ProposedCall, SessionHead, ToolOutcome, ToolSpec};
use ml_intern::runtime::{Branch, Opening, Places, PresentError, Presenter, Presenters};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::STEPS;
use crate::counting::{Mark, processor_time};

/// Asks for one call per step until the turn has had its steps; marks when it is asked.
#[derive(Default)]
pub struct Scripted {
    pub marks: Mutex<Vec<Mark>>,
    pub processor: Mutex<(u64, u64)>,
}

impl Scripted {
    /// Notes that it was asked; gives how often.
    fn mark(&self) -> usize {
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        marks.push(Mark::now());
        let mut processor = self.processor.lock().unwrap_or_else(PoisonError::into_inner);
        match marks.len() {
            1 => processor.0 = processor_time(),
            STEPS => processor.1 = processor_time(),
            _ => {}
        }
        marks.len()
    }
}

#[async_trait]
impl Model for Scripted {
    async fn answer(
        &self,
        request: &Request,
        deltas: &dyn DeltaSink,
        _: &CancellationToken,
    ) -> std::result::Result<Completion, ModelError> {
        let step = self.mark();
        deltas.send(Delta::Text("Looking at the next file.".to_owned())).await;
        let mut completion =
            Completion { text: "Looking at the next file.".to_owned(), ..Completion::default() };
        if step < STEPS {
            completion.calls.push(call(request.items.len()));
        }
        Ok(completion)
    }

    fn check(&self, _: &str) -> std::result::Result<(), ModelError> {
        Ok(())
    }

    async fn facts(&self, _: &str) -> ml_intern::model::Facts {
        ml_intern::model::Facts {
            price: Some(ml_intern::protocol::Price::FREE),
            // Nothing is to be shortened here.
            window: 1 << 40,
            ..ml_intern::model::Facts::ASSUMED
        }
    }
}

pub fn call(number: usize) -> ProposedCall {
    ProposedCall {
        id: format!("call_{number}").into(),
        tool: "look".to_owned(),
        arguments: json!({ "path": format!("src/file_{number}.py"), "lines": 40 }),
    }
}

/// Gives a kilobyte.
pub struct Look;

#[async_trait]
impl Tool for Look {
    fn spec(&self) -> ToolSpec {
        let parameters = json!({ "type": "object", "properties": {
            "path": { "type": "string" }, "lines": { "type": "integer" } } });
        ToolSpec { name: "look".to_owned(), description: "Looks at a file.".to_owned(), parameters }
    }
    fn assess(&self, _: &Value, _: &Place) -> std::result::Result<Assessment, BadArguments> {
        Ok(Assessment::reads("look"))
    }
    async fn call(&self, _: Value, _: CallContext) -> std::result::Result<ToolOutcome, ToolError> {
        Ok(ToolOutcome::done(output()))
    }
}

pub fn output() -> String {
    "loss 0.314 at step 100\n".repeat(44)
}

/// Shows nothing; says when a turn has ended.
#[derive(Default)]
pub struct Quiet {
    pub over: Arc<Notify>,
}

#[async_trait]
impl Presenters for Quiet {
    async fn open(&self, _: &SessionHead, _: Opening) -> Arc<dyn Presenter> {
        Arc::new(Self { over: self.over.clone() })
    }
    async fn heard(&self, _: &SessionHead, _: &Operation) -> Vec<Heard> {
        Vec::new()
    }
    async fn link(&self, _: &SessionHead) -> Option<String> {
        None
    }
    async fn branch(
        &self,
        _: &SessionHead,
        _: &Operation,
    ) -> std::result::Result<Option<Branch>, PresentError> {
        Ok(None)
    }
}

#[async_trait]
impl Presenter for Quiet {
    fn show(&self, event: &Event) {
        if matches!(event, Event::TurnComplete { .. } | Event::Error { .. }) {
            self.over.notify_one();
        }
    }
    async fn settle(&self) -> std::result::Result<Value, PresentError> {
        Ok(Value::Null)
    }
}

pub struct Here(pub PathBuf);

impl Places for Here {
    fn place(&self, head: &SessionHead) -> Result<Place> {
        Ok(Place {
            session: head.key.clone(),
            door: head.origin.door,
            channel: None,
            workspace: self.0.clone(),
            ownership: Ownership::Session,
        })
    }
}
