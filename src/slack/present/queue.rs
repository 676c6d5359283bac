//! The buffer between a session's events and the task that shows them. Taking in never waits.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;
use tokio::sync::{Notify, oneshot};

use crate::protocol::Event;
use crate::runtime::present::PresentError;

/// What is asked of the showing task.
#[expect(clippy::large_enum_variant, reason = "nearly every input is an event; boxing each costs more")]
#[derive(Debug)]
pub enum Input {
    /// Show it.
    Show(Event),
    /// Say when all before it was shown.
    Settle(oneshot::Sender<Result<Value, PresentError>>),
}

/// So many inputs wait at most; then lines of progress are left out.
const LONGEST: usize = 2_000;

/// The buffer. Neighbouring pieces of text become one.
#[derive(Debug, Default)]
pub struct Queue {
    state: Mutex<State>,
    added: Notify,
}

#[derive(Debug, Default)]
struct State {
    inputs: VecDeque<Input>,
    closed: bool,
}

impl Queue {
    /// Takes an input in.
    pub fn push(&self, input: Input) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let (
            Input::Show(Event::AssistantChunk { content: more }),
            Some(Input::Show(Event::AssistantChunk { content })),
        ) = (&input, state.inputs.back_mut())
        {
            content.push_str(more);
            return;
        }
        if state.inputs.len() >= LONGEST && matches!(input, Input::Show(Event::ToolLog { .. })) {
            return;
        }
        state.inputs.push_back(input);
        drop(state);
        self.added.notify_one();
    }

    /// No more inputs will come.
    pub fn close(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.added.notify_one();
    }

    /// The next input; `None` when it was closed and is empty. Cancel safe.
    pub async fn next(&self) -> Option<Input> {
        loop {
            let added = self.added.notified();
            {
                let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(input) = state.inputs.pop_front() {
                    return Some(input);
                }
                if state.closed {
                    return None;
                }
            }
            added.await;
        }
    }
}
