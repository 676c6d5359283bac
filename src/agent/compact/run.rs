//! Carries a cut out: each stretch is summed up by a model, in parts that fit its window, and replaced.
//!
//! What was summed up when it is stopped or fails is not lost: it is cut, the rest stays or is shortened
//! mechanically. Every call costs money, so that there are never more than [`CALLS`] of them.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::plan::{Aim, boundary_from};
use super::weigh::{tokens_in, weight};
use super::{render, weigh};
use crate::agent::paid::{self, Asking};
use crate::agent::step::remark;
use crate::agent::{Agent, EventSink, Session, prompt};
use crate::model::{Delivery, Delta, DeltaSink, ModelError, Request};
use crate::protocol::{Item, Role};

/// Calls for one cut; what is left then is shortened mechanically.
const CALLS: u32 = 16;
/// Share of the summary model's window that one part fills, in percent.
const PART: u64 = 50;
/// The smallest part, in tokens; a model that cannot take it is of no use.
const SMALLEST_PART: u64 = 500;
/// Characters of a summary that are kept.
const LONGEST_SUMMARY: usize = 12_000;
/// Characters of notes that are made without a model.
const LONGEST_NOTES: usize = 20_000;

/// Whether somebody stopped it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stopped {
    /// It was stopped before its end.
    Yes,
    /// It came to its end.
    No,
}

/// How the parts of one cut are summed up.
struct Writer<'a> {
    sink: &'a Arc<dyn EventSink>,
    cancel: &'a CancellationToken,
    /// Tokens of one part.
    room: u64,
    /// Characters of notes without a model.
    notes: usize,
    calls: u32,
    by: By,
    stopped: Stopped,
}

#[derive(PartialEq, Eq)]
enum By {
    Model,
    Hand,
}

/// What became of one stretch.
struct Done {
    /// How far it was summed up.
    upto: usize,
    notes: String,
}

impl Agent {
    /// Replaces each stretch by its summary.
    pub(super) async fn sum_up(
        &self,
        session: &mut Session,
        stretches: Vec<Range<usize>>,
        aim: &Aim,
        sink: &Arc<dyn EventSink>,
        cancel: &CancellationToken,
    ) -> Stopped {
        if stretches.is_empty() {
            return Stopped::No;
        }
        let window = self.model.facts(&self.summary_model(session).await).await.window;
        let most = usize::try_from(aim.goal.max(1_000)).unwrap_or(usize::MAX);
        let mut writer = Writer {
            sink,
            cancel,
            room: (window * PART / 100).max(SMALLEST_PART),
            notes: most.min(LONGEST_NOTES),
            calls: 0,
            by: By::Model,
            stopped: Stopped::No,
        };
        sink.show(&remark("Shortening the history: summing up what is oldest."));
        let mut summaries = Vec::new();
        for stretch in stretches {
            if cancel.is_cancelled() || writer.stopped == Stopped::Yes {
                break;
            }
            let done = self.stretch(session, &stretch, &mut writer).await;
            let cut = stretch.start..done.upto;
            summaries.extend(summary(session, &cut, done.notes).map(|item| (cut, item)));
        }
        let stopped = writer.stopped;
        replace(session, summaries);
        if cancel.is_cancelled() { Stopped::Yes } else { stopped }
    }

    async fn stretch(&self, session: &mut Session, stretch: &Range<usize>, writer: &mut Writer<'_>) -> Done {
        let mut done = Done { upto: stretch.start, notes: String::new() };
        while done.upto < stretch.end && !writer.cancel.is_cancelled() {
            if writer.by == By::Hand || writer.calls >= CALLS {
                let rest = &session.items()[done.upto..stretch.end];
                done.notes = render::mechanical(&done.notes, rest, writer.notes);
                done.upto = stretch.end;
                break;
            }
            let end = part_end(session, done.upto, stretch.end, writer.room);
            let part = session.items()[done.upto..end].to_vec();
            writer.calls += 1;
            match self.summary_of(session, &done.notes, &part, writer).await {
                Ok(text) => {
                    done = Done { upto: end, notes: text };
                    if end < stretch.end {
                        writer.sink.show(&remark("Shortening the history: a part is done, going on."));
                    }
                }
                Err(ModelError::Cancelled) => {
                    writer.stopped = Stopped::Yes;
                    break;
                }
                Err(ModelError::Shrink { .. }) if writer.room > SMALLEST_PART => writer.room /= 2,
                Err(error) => {
                    let words =
                        format!("The summary failed ({error}); older messages are shortened mechanically.");
                    writer.sink.show(&remark(&words));
                    writer.by = By::Hand;
                }
            }
        }
        done
    }

    /// Asks the summary model for notes on a part, going on from the notes so far.
    async fn summary_of(
        &self,
        session: &mut Session,
        notes: &str,
        part: &[Arc<Item>],
        writer: &Writer<'_>,
    ) -> Result<String, ModelError> {
        let mut lines: Vec<String> = Vec::with_capacity(part.len() + 1);
        if !notes.is_empty() {
            lines.push(format!("[earlier notes] {notes}"));
        }
        lines.extend(part.iter().map(|item| render::rendered(item, render::ITEM)));
        let chosen = self.affordable(Role::Summary, session).await?;
        let request = Request {
            model: chosen.model,
            system: prompt::SUMMARY.into(),
            items: vec![Arc::new(Item::Synthetic { text: lines.join("\n") })],
            tools: Arc::new([]),
            effort: chosen.effort,
            session: session.head.key.clone(),
            delivery: Delivery::Whole,
        };
        let prompt_tokens = paid::all_tokens(&request);
        let asking = Asking { request: &request, prompt_tokens, deltas: &Remarks(writer.sink.as_ref()) };
        let answer = self.paid_answer(session, asking, writer.cancel).await?;
        let text = answer.text.trim();
        if text.is_empty() {
            let (reason, hint) = ("the model said nothing".to_owned(), String::new());
            return Err(ModelError::Stop { reason, hint });
        }
        Ok(crate::text::cut(text, LONGEST_SUMMARY).into_owned())
    }
}

impl Agent {
    /// The model that sums up, as far as its price allows it.
    async fn summary_model(&self, session: &Session) -> String {
        let chosen = self.affordable(Role::Summary, session).await;
        chosen.map_or_else(|_| self.model_of(session), |chosen| chosen.model)
    }
}

/// How far a part goes that renders to about `room` tokens: one step at least.
fn part_end(session: &Session, from: usize, end: usize, room: u64) -> usize {
    let items = session.items();
    let mut left = room;
    let mut at = from;
    while at < end {
        let rendered = weight(&items[at]).min(tokens_in(render::ITEM));
        if rendered > left && at > from {
            break;
        }
        left = left.saturating_sub(rendered);
        at += 1;
    }
    boundary_from(items, at).min(end)
}

/// The item that stands for a cut; `None` if it would be no shorter.
fn summary(session: &Session, cut: &Range<usize>, text: String) -> Option<Item> {
    let (mut replaced, mut turns) = (0, 0);
    for item in &session.items()[cut.clone()] {
        match &**item {
            Item::Summary { replaced: earlier, turns: begun, .. } => {
                replaced += earlier;
                turns += begun;
            }
            Item::User { opens: true, .. } => {
                replaced += 1;
                turns += 1;
            }
            _ => replaced += 1,
        }
    }
    let item = Item::Summary { text, replaced, turns };
    (!cut.is_empty() && weigh::weight(&item) < session.tokens(cut)).then_some(item)
}

/// Puts every summary in the place of what it stands for, in one go.
fn replace(session: &mut Session, summaries: Vec<(Range<usize>, Item)>) {
    let Some(first) = summaries.first().map(|(cut, _)| cut.start) else { return };
    let items = session.items();
    let mut tail = Vec::new();
    let mut from = first;
    for (cut, item) in summaries {
        tail.extend_from_slice(&items[from..cut.start]);
        tail.push(Arc::new(item));
        from = cut.end;
    }
    tail.extend_from_slice(&items[from..]);
    session.splice(first, tail);
}

/// Shows waits and retries; the notes themselves are for the model.
struct Remarks<'a>(&'a dyn EventSink);

#[async_trait]
impl DeltaSink for Remarks<'_> {
    async fn send(&self, delta: Delta) {
        if let Delta::Remark(text) = delta {
            self.0.show(&remark(&text));
        }
    }
}
