//! What a step costs us besides the model: time, processor time and allocations, by the length of
//! the history. Owns no promise; those are in tests.
//!
//! `cargo bench --bench steps`. First the whole way of a step (worker, agent, tool call, durable
//! saves) with a model inside the process, then putting the request on the wire, where the bytes that
//! must be sent grow with the history and nothing else should.

#[expect(dead_code, reason = "shared by all benches")]
mod common;

#[path = "steps/counting.rs"]
mod counting;
#[path = "steps/wire.rs"]
mod wire;
#[path = "steps/world.rs"]
mod world;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use counting::{Mark, against, median};
use ml_intern::agent::{Agent, Approvals, Rules, Toolbox};
use ml_intern::clock::Clock;
use ml_intern::model::Delivery;
use ml_intern::protocol::operation::{Actor, Door, OperationKind, Origin};
use ml_intern::protocol::{Item, Operation, OperationId, SessionHead, SessionKey};
use ml_intern::random::Random;
use ml_intern::runtime::{Intake, Pace, Parts, Presenters, Worker};
use ml_intern::store::embedded::Embedded;
use ml_intern::store::{Claimable, Commit, Inbox, Sessions};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use world::{Here, Look, Quiet, Scripted, call, output};

/// Lengths of the history before the turn.
const SIZES: [usize; 4] = [10, 100, 1_000, 10_000];
/// Steps of one turn, and turns (each in a session of its own) per length.
const STEPS: usize = 21;
const TURNS: usize = 5;

fn origin() -> Origin {
    Origin::new(Door::Terminal, Value::Null)
}

fn says(session: &SessionKey, id: &str, clock: &Clock) -> Operation {
    Operation {
        id: OperationId(format!("{session} {id}")),
        session: session.clone(),
        origin: origin(),
        actor: Actor::new("alice", "Alice"),
        at: clock.now(),
        kind: OperationKind::Say { text: "Go through the files.".to_owned(), handle: Value::Null },
    }
}

/// A history of this many items, in the proportions of real work.
fn history(size: usize) -> Vec<Arc<Item>> {
    let asked = Item::User {
        author: "alice".into(),
        name: "Alice".to_owned(),
        text: "Begin.".to_owned(),
        opens: true,
        at: None,
    };
    let mut items = vec![Arc::new(asked)];
    while items.len() + 1 < size {
        let number = items.len();
        items.push(Arc::new(Item::Assistant {
            text: "Looking at the next file.".to_owned(),
            thoughts: Vec::new(),
            calls: vec![call(number)],
            model: "toy/model".to_owned(),
        }));
        items.push(Arc::new(Item::ToolResult {
            call: call(number).id,
            tool: "look".to_owned(),
            output: output(),
            success: true,
        }));
    }
    items
}

/// A session that has this history and rests.
async fn fill(store: &Embedded, clock: &Clock, key: &SessionKey, size: usize) -> Result<()> {
    let first = says(key, "first", clock);
    store.push(first.clone()).await?;
    let claimable = Claimable::Only(key.clone());
    let lease = store.claim(&claimable, Duration::from_secs(60)).await?.context("nobody else claims here")?;
    let items = history(size);
    let mut head = SessionHead::new(key.clone(), origin(), clock.now());
    head.history_size = items.len() as u64;
    let consumed = [first.id];
    let commit = Commit {
        head: &head,
        keep: 0,
        append: &items,
        consumed: &consumed,
        later: &[],
        audit: &[],
        tickets: &[],
    };
    store.commit(&lease, commit).await?;
    Ok(store.release(&lease, None).await?)
}

fn rules() -> Rules {
    Rules {
        model: "toy/model".to_owned(),
        effort: None,
        roles: Default::default(),
        max_iterations: None,
        yolo: false,
        delivery: Delivery::Streamed,
        approvals: Approvals { ttl: Duration::from_secs(3_600), ..Approvals::default() },
        memory: ml_intern::agent::MemoryRules::default(),
        money: ml_intern::agent::budget::MoneyRules::default(),
    }
}

/// One turn on this history: what lay between each two questions to the model, the processor time of
/// a step, and the time from the request to the first question.
struct Turn {
    between: Vec<(Mark, Mark)>,
    processor: Duration,
    taken_up: Duration,
}

async fn turn(store: &Arc<Embedded>, clock: &Clock, key: SessionKey, size: usize) -> Result<Turn> {
    fill(store, clock, &key, size).await?;
    let model = Arc::new(Scripted::default());
    let quiet = Quiet::default();
    let over = quiet.over.clone();
    let agent = Agent {
        model: model.clone(),
        toolbox: Toolbox::new(vec![Arc::new(Look)]),
        purse: Arc::new(ml_intern::agent::purse::Bottomless),
        rules: rules(),
        clock: clock.clone(),
        random: Random::seeded(1),
    };
    let presenters: Arc<dyn Presenters> = Arc::new(quiet);
    let worker = Worker::new(Parts {
        store: store.clone(),
        agent: Arc::new(agent),
        presenters: HashMap::from([(Door::Terminal, presenters)]),
        places: Arc::new(Here(std::env::temp_dir())),
        pace: Pace::default(),
        suspend: CancellationToken::new(),
    });
    let stop = CancellationToken::new();
    let work = tokio::spawn({
        let (stop, key) = (stop.clone(), key.clone());
        async move { worker.run(Claimable::Only(key), stop).await }
    });
    let asked = Instant::now();
    Intake::new(store.clone()).submit(says(&key, "second", clock)).await?;
    tokio::time::timeout(Duration::from_secs(60), over.notified()).await.context("the turn never ended")?;
    stop.cancel();
    work.await?;
    let marks = model.marks.lock().unwrap_or_else(PoisonError::into_inner).clone();
    anyhow::ensure!(marks.len() == STEPS, "{} steps instead of {STEPS}", marks.len());
    let (began, ended) = *model.processor.lock().unwrap_or_else(PoisonError::into_inner);
    let between = marks.windows(2).filter_map(|pair| Some((*pair.first()?, *pair.last()?))).collect();
    let taken_up = marks.first().context("no step")?.at.duration_since(asked);
    Ok(Turn { between, processor: Duration::from_nanos(ended - began) / (STEPS as u32 - 1), taken_up })
}

async fn whole_way(store: &Arc<Embedded>, clock: &Clock) -> Result<()> {
    println!("\na step: model asked, call judged, run and recorded, all saved durably, model asked again");
    println!("(medians of {TURNS} turns of {} steps; × is against the shortest history)", STEPS - 1);
    println!(
        "{:>8} {:>16} {:>18} {:>16} {:>22} {:>16}",
        "history", "time", "processor time", "allocations", "bytes allocated", "taking it up"
    );
    let (mut times, mut spent, mut counts, mut sizes) = (None, None, None, None);
    for size in SIZES {
        let (mut waits, mut processor, mut allocations, mut allocated, mut up) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for number in 0..TURNS {
            let key = SessionKey::from(format!("history of {size}, {number}").as_str());
            let turn = turn(store, clock, key, size).await?;
            for (from, to) in turn.between {
                waits.push(to.at.duration_since(from.at));
                allocations.push(to.allocations - from.allocations);
                allocated.push(to.allocated - from.allocated);
            }
            processor.push(turn.processor);
            up.push(turn.taken_up);
        }
        let (wait, processor) = (median(waits).as_secs_f64() * 1e3, median(processor).as_secs_f64() * 1e3);
        let (count, bytes) = (median(allocations) as f64, median(allocated) as f64);
        println!(
            "{size:>8} {wait:>8.2} ms ×{:<4.2} {processor:>9.3} ms ×{:<4.2} {count:>8.0} ×{:<5.2} {bytes:>14.0} ×{:<5.2} {:>11.2} ms",
            against(&mut times, wait),
            against(&mut spent, processor),
            against(&mut counts, count),
            against(&mut sizes, bytes),
            median(up).as_secs_f64() * 1e3,
        );
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    common::announce("steps");
    ml_intern::clients::http::install_tls();
    let folder = common::folder()?;
    let clock = Clock::system();
    let store = Embedded::open(folder.path(), clock.clone())?;
    whole_way(&store, &clock).await?;
    store.close().await;
    wire::wire(&clock).await
}
