//! Shortening a transcript that outgrows the model's window.
//!
//! Keeps the first request and a tail; the middle becomes a summary, by the model or, if that
//! fails, mechanically. Cuts only where every call has its result. Never touches the turn.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::paid::{self, Asking};
use super::step::remark;
use super::{Agent, EventSink, Session, prompt};
use crate::model::{Delivery, Delta, DeltaSink, Request};
use crate::protocol::{Event, Item};

/// Characters of one item that go into the text to be summarised.
const ITEM_CAP: usize = 6_000;
/// Characters of the whole text to be summarised.
const TEXT_CAP: usize = 400_000;
/// Tokens of the tail that stay word for word, as a share of the window.
const TAIL_PERCENT: u64 = 25;

impl Agent {
    pub(super) async fn over_threshold(&self, session: &Session) -> bool {
        let window = self.model.facts(&self.model_of(session)).await.window;
        session.head.context_tokens * 100 > window * self.rules.compact_at_percent
    }

    /// Shortens the transcript if there is something to cut; says whether it did.
    pub async fn shorten(
        &self,
        session: &mut Session,
        sink: &Arc<dyn EventSink>,
        cancel: &CancellationToken,
    ) -> bool {
        let window = self.model.facts(&self.model_of(session)).await.window;
        let Some((from, to)) = middle(session.items(), window * TAIL_PERCENT / 100) else { return false };
        let before = tokens(session.items());
        let cut = session.items()[from..to].to_vec();
        let text = match self.summarise(session, &cut, cancel).await {
            Some(text) => text,
            None if cancel.is_cancelled() => return false,
            None => {
                sink.show(&remark("The summary failed; older messages were shortened mechanically."));
                mechanical(&cut)
            }
        };
        let turns = cut_turns(&session.items()[from..to]);
        let mut tail = vec![Arc::new(Item::Summary { text, replaced: (to - from) as u64, turns })];
        tail.extend_from_slice(&session.items()[to..]);
        session.splice(from, tail);
        let after = tokens(session.items());
        session.head.context_tokens = after;
        sink.show(&Event::Compacted { old_tokens: before, new_tokens: after });
        after < before
    }

    async fn summarise(
        &self,
        session: &mut Session,
        cut: &[Arc<Item>],
        cancel: &CancellationToken,
    ) -> Option<String> {
        let mut quoted = String::new();
        for item in cut {
            if quoted.len() > TEXT_CAP {
                quoted.push_str("\n[the rest was left out]");
                break;
            }
            quoted.push_str(&rendered(item, ITEM_CAP));
            quoted.push('\n');
        }
        let request = Request {
            model: self.model_of(session),
            system: prompt::SUMMARY.into(),
            items: vec![Arc::new(Item::Synthetic { text: quoted })],
            tools: Arc::new([]),
            effort: None,
            session: session.head.key.clone(),
            delivery: Delivery::Whole,
        };
        let prompt_tokens = paid::all_tokens(&request);
        let asking = Asking { request: &request, prompt_tokens, deltas: &Silent };
        let answer = self.paid_answer(session, asking, cancel).await.ok()?;
        Some(answer.text).filter(|text| !text.trim().is_empty())
    }
}

struct Silent;

#[async_trait::async_trait]
impl DeltaSink for Silent {
    async fn send(&self, _: Delta) {}
}

/// Estimated tokens: a quarter of the characters, the provider's count corrects it at the next step.
fn tokens(items: &[Arc<Item>]) -> u64 {
    items.iter().map(|item| weight(item)).sum()
}

fn weight(item: &Item) -> u64 {
    let bytes = match item {
        Item::User { text, .. } | Item::Synthetic { text } | Item::Summary { text, .. } => text.len(),
        Item::Overheard { lines } => lines.iter().map(|line| line.text.len() + line.name.len()).sum(),
        Item::Assistant { text, thoughts, calls, .. } => {
            text.len()
                + thoughts.iter().map(|thought| thought.text.len()).sum::<usize>()
                + calls.iter().map(|call| call.arguments.to_string().len()).sum::<usize>()
        }
        Item::ToolResult { output, .. } => output.len(),
    };
    (bytes / 4 + 4) as u64
}

/// What to cut: behind the first request, before a tail of about `tail_tokens`. `None` if that is
/// nothing, or nothing but an earlier summary.
fn middle(items: &[Arc<Item>], tail_tokens: u64) -> Option<(usize, usize)> {
    let from = items.iter().position(|item| matches!(**item, Item::User { .. }))? + 1;
    let mut kept = 0;
    let mut to = items.len();
    while to > from && kept + weight(&items[to - 1]) <= tail_tokens {
        kept += weight(&items[to - 1]);
        to -= 1;
    }
    // A tail must not begin with a result whose call was cut.
    while to < items.len() && matches!(*items[to], Item::ToolResult { .. }) {
        to += 1;
    }
    let only_summaries = items.get(from..to)?.iter().all(|item| matches!(**item, Item::Summary { .. }));
    (to > from && !only_summaries).then_some((from, to))
}

/// How many turns began in these items, those behind earlier summaries included.
fn cut_turns(items: &[Arc<Item>]) -> u64 {
    let turns = |item: &Arc<Item>| match **item {
        Item::User { opens: true, .. } => 1,
        Item::Summary { turns, .. } => turns,
        _ => 0,
    };
    items.iter().map(turns).sum()
}

fn rendered(item: &Item, cap: usize) -> String {
    let (who, text) = match item {
        Item::User { name, text, .. } => (format!("{name} said"), text.clone()),
        Item::Synthetic { text } => ("note".to_owned(), text.clone()),
        Item::Summary { text, .. } => ("earlier notes".to_owned(), text.clone()),
        Item::Overheard { lines } => {
            let lines: Vec<String> =
                lines.iter().map(|line| format!("{}: {}", line.name, line.text)).collect();
            ("others said".to_owned(), lines.join("\n"))
        }
        Item::Assistant { text, calls, .. } => {
            let calls: Vec<String> =
                calls.iter().map(|call| format!("called {} {}", call.tool, call.arguments)).collect();
            ("agent".to_owned(), format!("{text}\n{}", calls.join("\n")))
        }
        Item::ToolResult { tool, output, success, .. } => {
            (format!("{tool} {}", if *success { "gave" } else { "failed" }), output.clone())
        }
    };
    let cut: String = text.chars().take(cap).collect();
    let note = if cut.len() < text.len() { " […]" } else { "" };
    format!("[{who}] {cut}{note}")
}

fn mechanical(cut: &[Arc<Item>]) -> String {
    let lines: Vec<String> = cut.iter().map(|item| rendered(item, 200)).collect();
    let mut text = lines.join("\n");
    if text.len() > 20_000 {
        let at = (0..=20_000).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(at);
        text.push_str("\n[more was left out]");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::ProposedCall;
    use serde_json::json;

    fn user(text: &str) -> Arc<Item> {
        Arc::new(Item::User {
            author: "u".into(),
            name: "Alice".into(),
            text: text.into(),
            opens: true,
            at: None,
        })
    }

    fn step(n: usize) -> [Arc<Item>; 2] {
        let call = ProposedCall { id: format!("c{n}").into(), tool: "read".into(), arguments: json!({}) };
        [
            Arc::new(Item::Assistant {
                text: String::new(),
                thoughts: Vec::new(),
                calls: vec![call],
                model: "m".into(),
            }),
            Arc::new(Item::ToolResult {
                call: format!("c{n}").into(),
                tool: "read".into(),
                output: "x".repeat(4_000),
                success: true,
            }),
        ]
    }

    #[test]
    fn a_long_run_of_one_request_is_cut_between_steps() {
        let mut items = vec![user("the task")];
        items.extend((0..10).flat_map(step));
        let (from, to) = middle(&items, 2_500).unwrap();
        assert_eq!(from, 1);
        assert!(matches!(*items[to], Item::Assistant { .. }), "the tail begins with a call, not a result");
        assert!(items.len() - to >= 4);
    }

    #[test]
    fn a_short_talk_is_left_alone() {
        assert_eq!(middle(&[user("hello")], 1_000), None);
        assert_eq!(middle(&[], 1_000), None);
        let items = [
            user("task"),
            Arc::new(Item::Summary { text: "y".repeat(9_000), replaced: 3, turns: 1 }),
            user("more"),
        ];
        assert_eq!(middle(&items, 1_000), None, "a summary of a summary helps nobody");
    }
}
