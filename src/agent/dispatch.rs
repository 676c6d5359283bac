//! The calls of a step: judged, marked, run, recorded. The only place that executes tools.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::join_all;
use tokio_util::sync::CancellationToken;

use super::approve::{
    asked_call, digest, note_call, note_question, request, set_state, state_change, unified_diff,
};
use super::budget::Doubt;
use super::edited::{CHANGED, told_of_edit, written_by_model};
use super::policy::{Judgement, Need, need, waived};
use super::results::push_result;
use super::rules::{Floor, Terms};
use super::tool::{Assessment, BadArguments, CallContext, Place, Progress, Together, ToolError};
use super::{Advance, Agent, EventSink, Session};
use crate::protocol::{
    Act, AskedCall, Call, CallId, CallStatus, Event, ProposedCall, ToolOutcome, TurnState,
};

/// How long a stopped call may take to clean up before it is dropped.
const CLEAN_UP: Duration = Duration::from_millis(900);

impl Agent {
    /// Runs what was marked, records it, and marks what comes next.
    pub(super) async fn dispatch(
        &self,
        session: &mut Session,
        place: &Place,
        sink: &Arc<dyn EventSink>,
        cancel: &CancellationToken,
    ) -> Advance {
        let ids = std::mem::take(&mut session.in_hand);
        if !ids.is_empty() {
            for (id, outcome) in self.run(session, &ids, place, sink, cancel).await {
                if !outcome.tickets.is_empty() && self.depart(session, &id, &outcome, sink.as_ref()) {
                    continue;
                }
                self.settle_call(session, &id, &outcome).await;
                self.record(session, &id, outcome, sink);
            }
        }
        if cancel.is_cancelled() {
            return Advance::Again;
        }
        self.judge_and_mark(session, place, sink).await
    }

    /// Judges what is new, sets money aside for the next calls that may run and marks them `Started`; if
    /// none may, asks people or lets the model think again.
    pub(super) async fn judge_and_mark(
        &self,
        session: &mut Session,
        place: &Place,
        sink: &Arc<dyn EventSink>,
    ) -> Advance {
        let Some(TurnState::Calling { calls }) = session.head.turn.as_ref().map(|turn| &turn.state) else {
            return Advance::Again;
        };
        let mut calls = calls.clone();
        for at in 0..calls.len() {
            self.judge_call(session, &mut calls, at, place, sink);
        }
        let batch = loop {
            let mut batch = self.next_batch(&calls, place);
            let wanted = batch.len();
            self.pledge(session, &mut calls, &mut batch, place, sink.as_ref()).await;
            if !batch.is_empty() || wanted == 0 {
                break batch;
            }
        };
        for call in calls.iter_mut().filter(|call| batch.contains(&call.proposed.id)) {
            call.status = CallStatus::Started;
        }
        let any = |status| calls.iter().any(|call| call.status == status);
        let (any_asked, any_away) = (any(CallStatus::Asked), any(CallStatus::Away));
        if !batch.is_empty() {
            session.in_hand = batch;
            set_state(session, TurnState::Calling { calls });
        } else if any_asked && let Some(turn) = session.head.turn.as_ref() {
            let (mut asked, terms) = self.questions(&calls, session, place);
            self.examine(session, place, &mut asked).await;
            let id = self.random.id("ap_").into();
            let approval = request(id, turn, asked, &terms, self.clock.now());
            note_question(session, &approval, Act::Asked, None, approval.asked_at);
            set_state(session, TurnState::Waiting { calls, approval, told: false });
            return Advance::Paused;
        } else if any_away {
            set_state(session, TurnState::Away { calls, told: false });
            return Advance::Paused;
        } else {
            set_state(session, TurnState::Thinking);
        }
        Advance::Again
    }

    fn judge_call(
        &self,
        session: &mut Session,
        calls: &mut [Call],
        at: usize,
        place: &Place,
        sink: &Arc<dyn EventSink>,
    ) {
        let (before, rest) = calls.split_at_mut(at);
        let Some(call) = rest.first_mut() else { return };
        let fresh = call.status == CallStatus::Proposed;
        if !fresh && call.status != CallStatus::Allowed {
            return;
        }
        let assessment = self.assess(&call.proposed, place);
        if fresh {
            let title =
                assessment.as_ref().map_or_else(|_| call.proposed.tool.clone(), |known| known.title.clone());
            sink.show(&Event::ToolCall {
                tool: call.proposed.tool.clone(),
                title,
                arguments: call.proposed.arguments.clone(),
                tool_call_id: call.proposed.id.clone(),
            });
        }
        let assessment = match assessment {
            Ok(assessment) => assessment,
            Err(BadArguments(words)) => {
                call.status = CallStatus::Done;
                if let Some(turn) = session.head.turn.as_mut() {
                    turn.guards.malformed.push(call.proposed.id.clone());
                }
                push_result(
                    session,
                    &call.proposed,
                    &told_of_edit(call, None, ToolOutcome::failed(words)),
                    sink.as_ref(),
                );
                return;
            }
        };
        let (judgement, terms, doubt) = self.judged(session, before, (&call.proposed, &assessment), place);
        let now = asked_call(&call.proposed, &assessment, &terms, Vec::new());
        // Who said yes to a card that did not speak of the cap did not say yes to going past it.
        let past_cap = matches!(doubt, Some(Doubt::PastCap(_))) && !call.named_cap;
        match judgement {
            Judgement::Forbid(words) => {
                // Never the words themselves: a tool's may speak of paths.
                let by_rule = terms.floor == Some(Floor::Never);
                let why =
                    if by_rule { terms.reasons.join(" ") } else { "its tool does not allow it".to_owned() };
                note_call(session, &now, Act::Forbidden, &why, self.clock.now());
                call.status = CallStatus::Done;
                if let Some(turn) = session.head.turn.as_mut() {
                    turn.refused = true;
                }
                push_result(
                    session,
                    &call.proposed,
                    &told_of_edit(call, None, ToolOutcome::failed(words)),
                    sink.as_ref(),
                );
            }
            Judgement::Allow => {
                if fresh
                    && need(&assessment, &terms) > Need::Nothing
                    && let Some(why) = waived(&assessment, &session.head.settings, self.autonomy(session))
                {
                    note_call(session, &now, Act::AutoApproved, why, self.clock.now());
                }
                call.status = CallStatus::Allowed;
            }
            Judgement::Ask(_) => self.ask_unless_approved(session, call, &now, past_cap),
        }
    }

    /// Leaves a call alone to which a person has said yes as it is now; has people asked about any other.
    fn ask_unless_approved(&self, session: &mut Session, call: &mut Call, now: &AskedCall, past_cap: bool) {
        let same = call.approved.as_deref() == Some(&digest(std::slice::from_ref(now)));
        if same && !past_cap {
            return;
        }
        if same {
            call.approved = None;
        } else if call.approved.is_some() {
            note_call(session, now, Act::Voided, CHANGED, self.clock.now());
        }
        call.status = CallStatus::Asked;
        call.named_cap = past_cap;
    }

    pub(super) fn assess(&self, call: &ProposedCall, place: &Place) -> Result<Assessment, BadArguments> {
        self.toolbox.assess(call, place)
    }

    /// What people are asked about, and on which terms: the strictest that any of the calls demands.
    pub(super) fn questions(
        &self,
        calls: &[Call],
        session: &Session,
        place: &Place,
    ) -> (Vec<AskedCall>, Terms) {
        let mut questions = Vec::new();
        let mut together: Option<Terms> = None;
        for (at, call) in calls.iter().enumerate().filter(|(_, call)| call.status == CallStatus::Asked) {
            let Ok(assessment) = self.assess(&call.proposed, place) else { continue };
            let (judged, terms, _) = self.judged(session, &calls[..at], (&call.proposed, &assessment), place);
            let reasons = match judged {
                Judgement::Ask(reasons) => reasons,
                Judgement::Allow | Judgement::Forbid(_) => Vec::new(),
            };
            // It was approved once, and then became another call before it ran.
            let changed = call.approved.is_some().then(|| CHANGED.to_owned());
            let reasons = changed.into_iter().chain(reasons).collect();
            questions.push(asked_call(&call.proposed, &assessment, &terms, reasons));
            together = Some(match together {
                Some(others) => others.and(terms),
                None => terms,
            });
        }
        (questions, together.unwrap_or_else(|| self.rules.approvals.plain()))
    }

    /// The next calls that run together: the first allowed one, and if it may run beside others, the
    /// allowed ones right behind it that may too.
    fn next_batch(&self, calls: &[Call], place: &Place) -> Vec<CallId> {
        let mut batch = Vec::new();
        for call in calls.iter().filter(|call| call.status == CallStatus::Allowed) {
            let together = self.assess(&call.proposed, place).map_or(Together::Alone, |known| known.together);
            if together == Together::Parallel {
                batch.push(call.proposed.id.clone());
                continue;
            }
            if batch.is_empty() {
                batch.push(call.proposed.id.clone());
            }
            break;
        }
        batch
    }

    async fn run(
        &self,
        session: &Session,
        ids: &[CallId],
        place: &Place,
        sink: &Arc<dyn EventSink>,
        cancel: &CancellationToken,
    ) -> Vec<(CallId, ToolOutcome)> {
        let model = self.model_of(session);
        let running = ids.iter().filter_map(|id| {
            let turn = session.head.turn.as_ref()?;
            let call = turn.call(id)?.clone();
            sink.show(&state_change(&call.proposed, "running"));
            let context = CallContext {
                call: id.clone(),
                turn: turn.id.clone(),
                place: place.clone(),
                requester: turn.requester.clone(),
                approved_by: call.approved_by.clone(),
                model: model.clone(),
                progress: Arc::new(CallProgress {
                    sink: sink.clone(),
                    call: id.clone(),
                    tool: call.proposed.tool.clone(),
                }),
                cancel: cancel.clone(),
            };
            let change = written_by_model(session, &call).map(|written| {
                let editable = self.assess(&call.proposed, place).ok().and_then(|known| known.editable);
                unified_diff(written, &call.proposed.arguments, editable.as_deref())
            });
            Some(async move {
                let id = context.call.clone();
                let outcome = self.run_one(call.clone(), context).await;
                (id, told_of_edit(&call, change.as_deref(), outcome))
            })
        });
        join_all(running).await
    }

    async fn run_one(&self, call: Call, context: CallContext) -> ToolOutcome {
        let Some(tool) = self.toolbox.find(&call.proposed.tool) else {
            return ToolOutcome::failed(format!("There is no tool named `{}`.", call.proposed.tool));
        };
        let cancel = context.cancel.clone();
        let arguments = call.proposed.arguments.clone();
        // A task of its own: a tool that panics ends neither the turn nor its siblings.
        let task = tokio::spawn(async move { tool.call(arguments, context).await });
        let abort = task.abort_handle();
        let late = async {
            cancel.cancelled().await;
            tokio::time::sleep(CLEAN_UP).await;
        };
        let ended = tokio::select! {
            ended = task.fuse() => Some(ended),
            () = late => None,
        };
        match ended {
            Some(Ok(Ok(outcome))) => outcome,
            Some(Ok(Err(ToolError::Cancelled))) => ToolOutcome::failed(STOPPED),
            // Nothing ran.
            Some(Ok(Err(ToolError::Arguments(error)))) => ToolOutcome::failed(error.to_string()).unspent(),
            Some(Ok(Err(error))) => {
                if let ToolError::Broken(cause) = &error {
                    tracing::warn!(tool = %call.proposed.tool, error = format!("{cause:#}"), "a tool failed");
                }
                ToolOutcome::failed(error.to_string())
            }
            Some(Err(panic)) => {
                tracing::error!(tool = %call.proposed.tool, %panic, "a tool panicked");
                ToolOutcome::failed("The tool failed inside; nothing is known of what it did before that.")
            }
            None => {
                abort.abort();
                ToolOutcome::failed(STOPPED)
            }
        }
    }

    fn record(&self, session: &mut Session, id: &CallId, outcome: ToolOutcome, sink: &Arc<dyn EventSink>) {
        let Some(TurnState::Calling { calls }) = session.head.turn.as_mut().map(|turn| &mut turn.state)
        else {
            return;
        };
        let Some(call) = calls.iter_mut().find(|call| call.proposed.id == *id) else { return };
        call.status = CallStatus::Done;
        let proposed = call.proposed.clone();
        if let Some(plan) = outcome.plan.clone() {
            session.head.plan.clone_from(&plan);
            sink.show(&Event::PlanUpdate { plan });
        }
        push_result(session, &proposed, &outcome, sink.as_ref());
    }
}

/// The result of a call that was stopped.
const STOPPED: &str = "Stopped before it finished; it may have run partly.";

struct CallProgress {
    sink: Arc<dyn EventSink>,
    call: CallId,
    tool: String,
}

impl Progress for CallProgress {
    fn line(&self, text: &str) {
        self.sink.show(&Event::ToolLog {
            tool: self.tool.clone(),
            tool_call_id: Some(self.call.clone()),
            log: text.to_owned(),
        });
    }
}
