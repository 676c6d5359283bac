//! One model call: the request, its deltas as events, and what its answer makes of the turn.

use std::sync::Arc;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::approve::set_state;
use super::compact::Fit;
use super::guard::answer::Verdict;
use super::paid::Asking;
use super::tool::Place;
use super::{Advance, Agent, EventSink, Session, guard, prompt};
use crate::model::{Completion, Delivery, Delta, DeltaSink, ModelError, Request};
use crate::protocol::{Call, CallStatus, Ending, Event, Item, Role, Turn, TurnState};

impl Agent {
    /// Moves the session forward by one saved step. The caller saves after every return and calls
    /// again on [`Advance::Again`]. When `cancel` fires it returns soon, with calls in hand recorded
    /// as stopped.
    pub async fn advance(
        &self,
        session: &mut Session,
        place: &Place,
        sink: &Arc<dyn EventSink>,
        cancel: &CancellationToken,
    ) -> Advance {
        match session.head.turn.as_ref().map(|turn| &turn.state) {
            Some(TurnState::Thinking) => self.think(session, place, sink, cancel).await,
            Some(TurnState::Calling { .. }) => self.dispatch(session, place, sink, cancel).await,
            Some(TurnState::Waiting { .. } | TurnState::Away { .. } | TurnState::Over { .. }) | None => {
                Advance::Paused
            }
        }
    }

    async fn think(
        &self,
        session: &mut Session,
        place: &Place,
        sink: &Arc<dyn EventSink>,
        cancel: &CancellationToken,
    ) -> Advance {
        let steps = session.head.turn.as_ref().map_or(0, |turn| turn.steps);
        if let Some(limit) = self.rules.max_iterations.filter(|limit| steps >= *limit) {
            return self.end(session, Ending::LimitReached { text: prompt::limit_reached(limit) });
        }
        // Nobody is asked what a model may cost that cannot be used at all.
        if let Err(error) = self.usable(session).await {
            return self.end(session, failure(error));
        }
        if let Some(paused) = self.ask_for_money(session).await {
            return paused;
        }
        if let Some(correction) = guard::look(session) {
            sink.show(&remark(&correction.log));
            session.push(Item::Synthetic { text: correction.text });
        }
        match self.fit(session, sink, cancel).await {
            Fit::Fits => {}
            Fit::Stopped => return Advance::Again,
            Fit::TooLong => {
                let reason = "The conversation is too long for this model's window.".to_owned();
                return self.end(session, failure(ModelError::Shrink { reason }));
            }
        }
        match self.ask_model(session, place, sink, cancel).await {
            Ok(completion) => self.take_answer(session, place, sink, completion).await,
            Err(ModelError::Cancelled) => Advance::Again,
            Err(ModelError::Shrink { reason }) => self.overflowed(session, reason, sink, cancel).await,
            Err(error) => self.end(session, failure(error)),
        }
    }

    /// Whether the main model can be used: its id, its key, its role's ceiling.
    async fn usable(&self, session: &Session) -> Result<(), ModelError> {
        let chosen = self.affordable(Role::Main, session).await?;
        self.model.check(&chosen.model)
    }

    async fn ask_model(
        &self,
        session: &mut Session,
        place: &Place,
        sink: &Arc<dyn EventSink>,
        cancel: &CancellationToken,
    ) -> Result<Completion, ModelError> {
        let chosen = self.affordable(Role::Main, session).await?;
        let request = Request {
            model: chosen.model,
            system: prompt::system(session, place, &self.toolbox, &self.rules.money),
            items: session.items().to_vec(),
            tools: self.toolbox.specs(),
            effort: chosen.effort,
            session: session.head.key.clone(),
            delivery: self.rules.delivery,
        };
        let deltas = Deltas { sink: sink.clone() };
        let prompt_tokens = self.used(session);
        let asking = Asking { request: &request, prompt_tokens, deltas: &deltas };
        let answer = self.paid_answer(session, asking, cancel).await;
        if let (Ok(completion), Delivery::Whole) = (&answer, self.rules.delivery)
            && !completion.text.is_empty()
        {
            sink.show(&Event::AssistantMessage { content: completion.text.clone() });
        }
        // What a person stopped stays as it is; what failed is void.
        if answer.as_ref().is_err_and(|error| *error != ModelError::Cancelled) {
            sink.show(&Event::AssistantStreamReset {});
        }
        answer
    }

    async fn take_answer(
        &self,
        session: &mut Session,
        place: &Place,
        sink: &Arc<dyn EventSink>,
        answer: Completion,
    ) -> Advance {
        let model = self.model_of(session);
        if let Some(turn) = session.head.turn.as_mut() {
            turn.steps += 1;
            turn.guards.overflows = 0;
        }
        sink.show(&Event::AssistantStreamEnd {});
        sink.show(&Event::Usage { session: session.head.usage });
        let verdict = judged(session, &answer);
        let Completion { text, thoughts, calls, usage, .. } = answer;
        let calls = if verdict == Verdict::Work { calls } else { Vec::new() };
        if !(calls.is_empty() && text.trim().is_empty()) {
            session.push(Item::Assistant { text, thoughts, calls: calls.clone(), model });
        }
        session.measure(usage.total_tokens());
        match verdict {
            Verdict::Work => {}
            Verdict::End(ending) => return self.end(session, ending),
            Verdict::Again { hint, log } => {
                sink.show(&remark(&log));
                session.push(Item::Synthetic { text: hint });
                return Advance::Again;
            }
        }
        let calls = calls
            .into_iter()
            .map(|proposed| Call {
                proposed,
                status: CallStatus::Proposed,
                edited: false,
                approved: None,
                named_cap: false,
                meanwhile: None,
                approved_by: Vec::new(),
                asked_of: None,
            })
            .collect();
        set_state(session, TurnState::Calling { calls });
        // Judging and marking belong to the same save as the answer: one durable write, not two.
        self.judge_and_mark(session, place, sink).await
    }

    /// Ends the turn. People are told after this was saved.
    pub fn end(&self, session: &mut Session, ending: Ending) -> Advance {
        let at = self.clock.now();
        set_state(session, TurnState::Over { ending, at, told: false });
        Advance::Paused
    }
}

/// What the answer makes of the turn; counted in the turn, so that no way back to the model is endless.
fn judged(session: &mut Session, answer: &Completion) -> Verdict {
    let head = &mut session.head;
    let Some(turn) = head.turn.as_mut() else { return Verdict::Work };
    let seen = guard::answer::Answer {
        text: &answer.text,
        tools: answer.calls.iter().map(|call| call.tool.as_str()).collect(),
        finish: answer.finish,
        plan: &head.plan,
        refused: turn.refused,
    };
    let verdict = guard::answer::judge(&seen, &mut turn.guards);
    turn.guards.unseen = verdict == Verdict::Work;
    verdict
}

/// The events that tell people how things stand, for a state they may not know of yet.
#[must_use]
pub fn announcement(session: &Session) -> Option<Event> {
    let turn = session.head.turn.as_ref()?;
    match &turn.state {
        TurnState::Waiting { approval, .. } => {
            let untouched =
                approval.votes.is_empty() && approval.calls.iter().all(|it| it.proposed.is_none());
            let shown = if untouched { Event::ApprovalRequired } else { Event::ApprovalUpdated };
            Some(shown(approval.clone()))
        }
        TurnState::Away { .. } => Some(Event::Away {
            turn: turn.id.clone(),
            tickets: session
                .head
                .tickets
                .iter()
                .filter(|open| {
                    turn.call(&open.ticket.call).is_some_and(|call| call.status == CallStatus::Away)
                })
                .map(|open| open.ticket.clone())
                .collect(),
        }),
        TurnState::Over { ending, at, .. } => Some(ending_event(session, turn, ending, *at)),
        TurnState::Thinking | TurnState::Calling { .. } => None,
    }
}

fn ending_event(session: &Session, turn: &Turn, ending: &Ending, at: crate::clock::Timestamp) -> Event {
    let complete = |text: Option<String>, limit_reached| Event::TurnComplete {
        turn: turn.id.clone(),
        history_size: session.head.history_size,
        final_response: text,
        elapsed_ms: u64::try_from(at.since(turn.started_at).as_millis()).unwrap_or(u64::MAX),
        steps: turn.steps,
        usage: turn.usage,
        limit_reached,
    };
    match ending {
        Ending::Finished { text } => complete(text.clone(), false),
        Ending::LimitReached { text } => complete(Some(text.clone()), true),
        Ending::Interrupted { by } => Event::Interrupted { turn: turn.id.clone(), by: by.clone() },
        Ending::Failed { error, hint, retry } => Event::Error {
            turn: Some(turn.id.clone()),
            error: error.clone(),
            hint: hint.clone(),
            retry: *retry,
        },
    }
}

pub(super) fn failure(error: ModelError) -> Ending {
    let error_words = error.to_string();
    let (hint, retry) = match error {
        ModelError::Stop { hint, .. } => (Some(hint).filter(|hint| !hint.is_empty()), true),
        ModelError::Shrink { .. } => (Some(prompt::too_long_hint()), false),
        ModelError::Wait { .. } | ModelError::Repair { .. } | ModelError::Cancelled => (None, true),
    };
    Ending::Failed { error: error_words, hint, retry }
}

pub(crate) fn remark(text: &str) -> Event {
    Event::ToolLog { tool: "system".to_owned(), tool_call_id: None, log: text.to_owned() }
}

struct Deltas {
    sink: Arc<dyn EventSink>,
}

#[async_trait]
impl DeltaSink for Deltas {
    async fn send(&self, delta: Delta) {
        match delta {
            Delta::Text(content) => self.sink.show(&Event::AssistantChunk { content }),
            Delta::Restart => self.sink.show(&Event::AssistantStreamReset {}),
            Delta::Remark(text) => self.sink.show(&remark(&text)),
            Delta::Thought(_) => {}
        }
    }
}
