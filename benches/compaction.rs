//! What shortening a transcript costs us, by its length: calls to the summary model, bytes sent to it,
//! allocations, time. Owns no promise; those are in tests.
//!
//! `cargo bench --bench compaction`. The model is a function in the process that answers with short notes.

#[expect(dead_code, reason = "shared by all benches")]
mod common;

#[expect(dead_code, reason = "shared with the bench of steps")]
#[path = "steps/counting.rs"]
mod counting;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use async_trait::async_trait;
use counting::{Mark, against};
use ml_intern::agent::{Agent, Approvals, EventSink, MemoryRules, Rules, Session, Toolbox};
use ml_intern::clock::{Clock, Timestamp};
use ml_intern::model::{Completion, Delivery, DeltaSink, Facts, Model, ModelError, Request};
use ml_intern::protocol::{Door, Event, Item, Origin, ProposedCall, SessionHead};
use ml_intern::random::Random;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

const SIZES: [usize; 4] = [10, 1_000, 10_000, 100_000];

/// Answers with notes, and counts what it is sent.
#[derive(Default)]
struct Notes {
    calls: AtomicU64,
    bytes: AtomicU64,
}

#[async_trait]
impl Model for Notes {
    async fn answer(
        &self,
        request: &Request,
        _: &dyn DeltaSink,
        _: &CancellationToken,
    ) -> Result<Completion, ModelError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        for item in &request.items {
            if let Item::Synthetic { text } = &**item {
                self.bytes.fetch_add(text.len() as u64, Ordering::Relaxed);
            }
        }
        Ok(Completion {
            text: "The loss is 0.3; next comes the evaluation.".to_owned(),
            ..Completion::default()
        })
    }

    fn check(&self, _: &str) -> Result<(), ModelError> {
        Ok(())
    }

    async fn facts(&self, _: &str) -> Facts {
        Facts { price: Some(ml_intern::protocol::Price::FREE), ..Facts::ASSUMED }
    }
}

struct Nowhere;

impl EventSink for Nowhere {
    fn show(&self, _: &Event) {}
}

/// One request and the work on it: this many items in all.
fn history(size: usize) -> Vec<Arc<Item>> {
    let asked = Item::User {
        author: "alice".into(),
        name: "Alice".to_owned(),
        text: "Begin.".to_owned(),
        opens: true,
        at: None,
    };
    let mut items = vec![Arc::new(asked)];
    while items.len() < size {
        let id = format!("call_{}", items.len());
        let arguments = json!({ "path": format!("src/file_{}.py", items.len()) });
        let call = ProposedCall { id: id.clone().into(), tool: "look".to_owned(), arguments };
        items.push(Arc::new(Item::Assistant {
            text: "Looking at the next file.".to_owned(),
            thoughts: Vec::new(),
            calls: vec![call],
            model: "toy/model".to_owned(),
        }));
        items.push(Arc::new(Item::ToolResult {
            call: id.into(),
            tool: "look".to_owned(),
            output: "loss 0.314 at step 100\n".repeat(44),
            success: true,
        }));
    }
    items
}

#[tokio::main]
async fn main() -> Result<()> {
    common::announce("compaction");
    println!("shortening on demand (× is against the shortest history, for each item cut)");
    println!(
        "{:>8} {:>8} {:>6} {:>12} {:>20} {:>24} {:>12}",
        "history", "cut", "calls", "bytes sent", "allocations", "bytes allocated", "time"
    );
    let (mut counts, mut sizes) = (None, None);
    for size in SIZES {
        let model = Arc::new(Notes::default());
        let agent = Agent {
            model: model.clone(),
            toolbox: Toolbox::new(Vec::new()),
            purse: Arc::new(ml_intern::agent::purse::Bottomless),
            rules: Rules {
                model: "toy/model".to_owned(),
                effort: None,
                max_iterations: None,
                yolo: false,
                delivery: Delivery::Whole,
                approvals: Approvals::default(),
                roles: Default::default(),
                memory: MemoryRules::default(),
                money: ml_intern::agent::budget::MoneyRules::default(),
            },
            clock: Clock::system(),
            random: Random::seeded(1),
        };
        let origin = Origin::new(Door::Terminal, Value::Null);
        let mut session = Session::new(SessionHead::new("s".into(), origin, Timestamp(0)), history(size));
        let before = session.items().len();
        let sink: Arc<dyn EventSink> = Arc::new(Nowhere);
        let from = Mark::now();
        agent.shorten(&mut session, &sink, &CancellationToken::new()).await;
        let to = Mark::now();
        let cut = (before - session.items().len()) as f64;
        let (count, bytes) =
            ((to.allocations - from.allocations) as f64, (to.allocated - from.allocated) as f64);
        println!(
            "{size:>8} {cut:>8.0} {:>6} {:>12} {count:>12.0} ×{:<5.2} {bytes:>16.0} ×{:<5.2} {:>9.2} ms",
            model.calls.load(Ordering::Relaxed),
            model.bytes.load(Ordering::Relaxed),
            against(&mut counts, count / cut),
            against(&mut sizes, bytes / cut),
            to.at.duration_since(from.at).as_secs_f64() * 1e3,
        );
    }
    Ok(())
}
