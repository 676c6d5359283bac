//! What the region tells of the session: plan, what runs now, words that wait.
//!
//! Owns [`Board`]: facts from events, never how they look.

use std::collections::VecDeque;

use tokio::time::Instant;

use crate::protocol::{CallId, Event, PlanItem};

/// One call that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// The call.
    pub call: CallId,
    /// The tool.
    pub tool: String,
    /// What it does.
    pub title: String,
    /// Since when.
    pub since: Instant,
    /// The last it said.
    pub log: String,
}

/// Words on their way to the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The words.
    pub text: String,
    /// Whether they stand above the region already.
    pub shown: bool,
}

/// What the region tells of the session.
#[derive(Debug, Default)]
pub struct Board {
    /// The plan.
    pub plan: Vec<PlanItem>,
    /// Whether the plan was changed since it was last put above.
    pub plan_changed: bool,
    /// What runs.
    pub running: Vec<Running>,
    /// Words on their way to the agent, oldest first; each until the agent has taken it.
    pub waiting: VecDeque<Said>,
    /// Since when the turn is in hand.
    pub since: Option<Instant>,
    /// The loop's own last remark (an attempt that is repeated).
    pub remark: String,
}

impl Board {
    /// Takes an event in; gives words that the agent has taken with it.
    pub fn take(&mut self, event: &Event, now: Instant) -> Option<Said> {
        match event {
            Event::Processing { .. } => {
                self.since.get_or_insert(now);
                self.remark.clear();
                return self.waiting.pop_front();
            }
            Event::AssistantChunk { .. } | Event::AssistantMessage { .. } => self.remark.clear(),
            Event::ToolCall { tool, title, tool_call_id, .. } => self.running.push(Running {
                call: tool_call_id.clone(),
                tool: tool.clone(),
                title: title.clone(),
                since: now,
                log: String::new(),
            }),
            Event::ToolOutput { tool_call_id, .. } => self.drop_call(tool_call_id),
            Event::ToolStateChange { tool_call_id, state, .. } => match state.as_str() {
                // What people were asked about begins only now.
                "running" | "approved" => {
                    if let Some(running) = self.running.iter_mut().find(|one| one.call == *tool_call_id) {
                        running.since = now;
                    }
                }
                "cancelled" | "abandoned" | "unknown" | "rejected" => self.drop_call(tool_call_id),
                _ => {}
            },
            Event::ToolLog { tool, log, .. } if tool == "system" => log.clone_into(&mut self.remark),
            Event::ToolLog { tool_call_id: Some(call), log, .. } => {
                if let Some(running) = self.running.iter_mut().find(|running| running.call == *call) {
                    log.clone_into(&mut running.log);
                }
            }
            Event::PlanUpdate { plan } => {
                self.plan.clone_from(plan);
                self.plan_changed = true;
            }
            Event::NewComplete { .. } => self.plan.clear(),
            Event::TurnComplete { .. } | Event::Interrupted { .. } | Event::Error { .. } => self.rest(),
            _ => {}
        }
        None
    }

    /// Nothing runs any more.
    pub fn rest(&mut self) {
        self.running.clear();
        self.remark.clear();
        self.since = None;
    }

    fn drop_call(&mut self, call: &CallId) {
        self.running.retain(|running| running.call != *call);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn call(id: &str) -> Event {
        Event::ToolCall {
            tool: "bash".into(),
            title: format!("run {id}"),
            arguments: json!({}),
            tool_call_id: id.into(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_is_on_the_board_until_it_has_a_result_or_an_end() {
        let mut board = Board::default();
        let now = Instant::now();
        for event in [call("a"), call("b"), call("c")] {
            board.take(&event, now);
        }
        let output = Event::ToolOutput {
            tool: "bash".into(),
            tool_call_id: "a".into(),
            output: String::new(),
            success: true,
        };
        let cancelled = Event::ToolStateChange {
            tool: "bash".into(),
            tool_call_id: "b".into(),
            state: "cancelled".into(),
        };
        board.take(&output, now);
        board.take(&cancelled, now);
        assert_eq!(board.running.iter().map(|one| one.call.as_str()).collect::<Vec<_>>(), ["c"]);
        board.take(&Event::Interrupted { turn: "t".into(), by: None }, now);
        assert!(board.running.is_empty() && board.since.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_words_leave_one_by_one_as_they_are_taken() {
        let mut board = Board::default();
        let said = |text: &str| Said { text: text.to_owned(), shown: false };
        board.waiting.extend([said("one"), said("two")]);
        let taken = Event::Processing { turn: "t".into(), requester: "u".into(), message: String::new() };
        assert_eq!(board.take(&taken, Instant::now()), Some(said("one")));
        assert_eq!(board.take(&taken, Instant::now()), Some(said("two")));
        assert_eq!(board.take(&taken, Instant::now()), None);
    }
}
