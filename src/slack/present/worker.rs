//! The task behind one presenter: takes events in order and shows them.

use std::sync::Arc;

use super::card;
use super::found::Found;
use super::live::{Live, Surface};
use super::memo::Memo;
use super::money_card::is_about_money;
use super::post::{Courier, Marker};
use super::queue::{Input, Queue};
use super::status::Activity;
use super::tasks::Progress;
use super::{Shared, answer, ending};
use crate::clients::slack::{Method, Priority, Retry};
use crate::clock::Timestamp;
use crate::protocol::{ApprovalRequest, AskedCall, CallId, Decision, Event, PersonId, TurnId, Verdict};
use crate::runtime::present::PresentError;
use crate::slack::say;

/// What is known of what an earlier worker posted.
pub(super) enum Past {
    /// Nothing that is not in the memo.
    Known,
    /// To be looked up before anything is posted.
    Unknown { since: Timestamp },
    /// Looked up.
    Read(Found),
}

pub(super) struct Worker {
    pub courier: Courier,
    pub shared: Arc<Shared>,
    pub queue: Arc<Queue>,
    pub memo: Memo,
    pub past: Past,
    pub live: Option<Live>,
    /// The agent session's name.
    pub title: Option<String>,
    /// The turn that the head showed when this worker began.
    pub turn: Option<TurnId>,
    pub failed: Option<PresentError>,
    /// Calls that were just approved, with their titles: they were shown before the question, in a
    /// message that has ended, and are to be seen while they run.
    pub approved: Vec<(CallId, String)>,
}

impl Worker {
    pub async fn run(mut self) {
        loop {
            let due = self.live.as_ref().and_then(Live::due);
            let input = tokio::select! {
                biased;
                input = self.queue.next() => input,
                () = sleep_until(due) => {
                    self.flush().await;
                    continue;
                }
            };
            match input {
                Some(Input::Show(event)) => self.show(event).await,
                Some(Input::Settle(reply)) => {
                    let result = self.failed.take().map_or_else(|| Ok(self.memo.write()), Err);
                    self.shared.remember(&self.courier.place, &self.memo, result.is_ok());
                    reply.send(result).ok();
                }
                None => break,
            }
        }
        // Nobody listens any more (the worker lost its lease, or went away): leave nothing that spins.
        if let Some(mut live) = self.live.take() {
            live.close(&self.courier).await;
        }
    }

    async fn flush(&mut self) {
        if let Some(live) = &mut self.live {
            let stop_button = !self.shared.status.has_native_stop();
            live.flush(&self.courier, &self.shared.streams, stop_button).await;
            if let Surface::Progress { ts, .. } = &live.surface {
                self.memo.progress = Some((live.turn.clone(), ts.clone()));
            }
        }
    }

    async fn show(&mut self, event: Event) {
        if let Err(error) = self.look_back().await {
            self.fail(error);
            return;
        }
        match event {
            Event::Processing { turn, requester, .. } => self.begin(turn, &requester).await,
            Event::AssistantChunk { content } | Event::AssistantMessage { content } => {
                if let Some(live) = &mut self.live {
                    live.text(&content);
                }
            }
            Event::AssistantStreamReset {} => {
                if let Some(live) = &mut self.live {
                    live.reset();
                }
            }
            Event::AssistantStreamEnd {} => {
                if let Some(live) = &mut self.live {
                    live.step_ended();
                }
            }
            Event::Away { .. } => self.wait_outside().await,
            Event::ApprovalRequired(request) => self.ask(&request).await,
            Event::ApprovalUpdated(request) => self.ask_anew(&request).await,
            Event::ApprovalReminder(request) => self.remind(&request).await,
            Event::ApprovalDecided { request, decision } => self.decided(&request, &decision).await,
            Event::TurnComplete { .. } | Event::Interrupted { .. } | Event::Error { .. } => {
                self.end(event).await
            }
            Event::PrivateLine { to, text } => self.private(&to, &text).await,
            Event::Shutdown {} => {
                if let Some(live) = &mut self.live {
                    live.cut_short();
                    live.close(&self.courier).await;
                }
            }
            other if self.task(&other) => {}
            other => self.note(&other).await,
        }
    }

    /// Tool calls and the plan; false if the event is something else.
    fn task(&mut self, event: &Event) -> bool {
        let Some(live) = &mut self.live else {
            return matches!(
                event,
                Event::ToolCall { .. }
                    | Event::ToolOutput { .. }
                    | Event::ToolLog { .. }
                    | Event::ToolStateChange { .. }
                    | Event::PlanUpdate { .. }
            );
        };
        match event {
            // The plan speaks for itself: its update is shown, the call that made it is not.
            Event::ToolCall { tool, .. }
            | Event::ToolOutput { tool, .. }
            | Event::ToolStateChange { tool, .. }
                if tool == "plan_tool" =>
            {
                return true;
            }
            Event::ToolCall { title, tool, tool_call_id, .. } => {
                let title = if title.is_empty() { tool } else { title };
                live.tasks.call(tool_call_id.as_str(), title, Progress::Underway);
            }
            Event::ToolOutput { tool_call_id, output, success, .. } => {
                let progress = if *success { Progress::Complete } else { Progress::Error };
                live.tasks.output(tool_call_id.as_str(), output, progress);
            }
            Event::ToolLog { tool_call_id: Some(call), log, .. } => live.tasks.log(call.as_str(), log),
            Event::ToolLog { tool, log, .. } if tool == "system" => live.tasks.remark(log),
            Event::ToolLog { .. } => {}
            Event::ToolStateChange { tool_call_id, state, .. } => {
                let progress = match state.as_str() {
                    "running" => Progress::Underway,
                    "approved" => Progress::Pending,
                    "away" => {
                        live.tasks.output(tool_call_id.as_str(), say::GOES_ON, Progress::Complete);
                        Progress::Complete
                    }
                    _ => Progress::Error,
                };
                live.tasks.call_is(tool_call_id.as_str(), progress);
            }
            Event::PlanUpdate { plan } => live.tasks.plan(plan),
            _ => return false,
        }
        if live.tasks.is_fresh() {
            live.touch();
        }
        true
    }

    async fn begin(&mut self, turn: TurnId, requester: &PersonId) {
        if self.memo.ended.as_ref() == Some(&turn) && matches!(self.past, Past::Known) {
            // A turn that failed is tried again under its name.
            self.memo.ended = None;
        }
        if self.live.as_ref().is_none_or(|live| live.turn != turn) {
            let progress = self.memo.progress.clone().filter(|(of, _)| *of == turn).map(|(_, ts)| ts);
            self.live = Some(Live::new(turn, requester.0.clone(), progress));
        }
        if let Some(live) = &mut self.live {
            for (call, title) in self.approved.drain(..) {
                live.tasks.call(call.as_str(), &title, Progress::Pending);
            }
        }
        let title = self.title.clone().filter(|_| !self.memo.titled);
        self.shared.status.show(&self.courier, Activity::Processing, title.as_deref()).await;
        self.memo.titled |= title.is_some();
    }

    async fn decided(&mut self, request: &ApprovalRequest, decision: &Decision) {
        if let Decision::Decided { verdict, .. } = decision
            && !matches!(verdict, Verdict::Reject { .. })
            && !is_about_money(request)
        {
            let titled = |call: &AskedCall| (call.call.clone(), card::running_title(call, verdict));
            self.approved = request.calls.iter().map(titled).collect();
        }
        self.settle_card(request, decision).await;
    }

    async fn end(&mut self, event: Event) {
        let turn = match &event {
            Event::TurnComplete { turn, .. } | Event::Interrupted { turn, .. } => Some(turn.clone()),
            Event::Error { turn, .. } => turn.clone(),
            _ => None,
        };
        let result = match &turn {
            Some(turn) if self.memo.ended.as_ref() == Some(turn) => Ok(()),
            _ => ending::show(self, &event).await,
        };
        match result {
            Ok(()) => {
                if turn.is_some() {
                    self.memo.ended = turn;
                }
                self.memo.progress = None;
            }
            Err(error) => self.fail(error),
        }
        if let Some(mut live) = self.live.take() {
            live.close(&self.courier).await;
        }
        self.shared.status.show(&self.courier, Activity::Active, None).await;
    }

    /// Nobody is at work until external work ends: every surface is closed, and nothing spins.
    async fn wait_outside(&mut self) {
        if let Some(live) = &mut self.live {
            live.close(&self.courier).await;
        }
        self.shared.status.show(&self.courier, Activity::Suspended, None).await;
    }

    async fn private(&self, to: &PersonId, text: &str) {
        let arguments = serde_json::json!({
            "channel": self.courier.place.channel,
            "thread_ts": self.courier.place.thread_ts,
            "user": to.as_str(),
            "text": super::markdown::escape_mrkdwn(text),
        });
        let call = self.courier.call(Method::PostEphemeral, Priority::Final, Retry::MustArrive, arguments);
        if let Err(error) = call.await {
            tracing::warn!(%error, "a private line did not arrive");
        }
    }

    /// Short remarks: worth showing, not worth holding anything up.
    async fn note(&self, event: &Event) {
        let safe = super::markdown::escape_mrkdwn;
        let text = match event {
            Event::Remark { text } => safe(&super::markdown::cut(text, 3_500)),
            Event::Status { lines } | Event::Spending { lines } => answer::status_text(lines),
            Event::UndoComplete { removed } => say::undone(*removed),
            Event::NewComplete { previous_message_count } => say::started_over(*previous_message_count),
            Event::ResumeComplete { restored_count } => say::resumed(*restored_count),
            Event::Runs { words, runs } => {
                let lines: Vec<String> = runs.iter().map(|run| say::run_line(run, safe)).collect();
                super::markdown::cut(&say::runs(&safe(words), &lines), 11_000)
            }
            Event::Forked { place, link } => say::forked(&safe(place), link.as_deref()),
            Event::Compacted { old_tokens, new_tokens } => say::compacted(*old_tokens, *new_tokens),
            Event::SessionTerminated { reason } => say::terminated(&safe(reason)),
            _ => return,
        };
        if let Err(error) = self.courier.post_once(&answer::note_forms(&text), &Marker::note()).await {
            tracing::warn!(%error, "a remark did not arrive");
        }
    }

    /// After a crash: reads what the vanished worker posted, and clears away what it left unfinished.
    async fn look_back(&mut self) -> Result<(), PresentError> {
        let Past::Unknown { since } = self.past else { return Ok(()) };
        let found = match Found::look(&self.courier, Some(since)).await {
            Ok(found) => found,
            // A place that is gone holds nothing to adopt.
            Err(PresentError::Never(_)) => Found::default(),
            Err(later) => return Err(later),
        };
        for ts in found.unfinished(since) {
            tracing::info!("clearing away a stream that its worker never ended");
            let place = serde_json::json!({ "channel": self.courier.place.channel, "ts": ts });
            self.courier
                .call(Method::StopStream, Priority::Normal, Retry::MustArrive, place.clone())
                .await
                .ok();
            self.courier.call(Method::Delete, Priority::Normal, Retry::MustArrive, place).await.ok();
        }
        self.memo.cards.extend(found.cards());
        if let Some(turn) = &self.turn
            && let Some(ts) = found.ts_of(&super::live::progress_marker(turn))
        {
            self.memo.progress = Some((turn.clone(), ts));
        }
        self.past = Past::Read(found);
        Ok(())
    }

    pub fn fail(&mut self, error: PresentError) {
        tracing::warn!(%error, "something that must arrive did not");
        // "Never" ends the waiting for good, so it must not be hidden by an earlier "later".
        if self.failed.is_none() || matches!(error, PresentError::Never(_)) {
            self.failed = Some(error);
        }
    }
}

async fn sleep_until(due: Option<tokio::time::Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}
