//! What a step costs us besides the model: time, processor time and allocations, by the length of
//! the history. Owns no promise; those are in tests.
//!
//! `cargo bench --bench steps`. First the whole way of a step (worker, agent, tool call, durable
//! saves) with a model inside the process, then putting the request on the wire, where the bytes that
//! must be sent grow with the history and nothing else should.

#[expect(dead_code, reason = "shared by all benches")]
mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use async_trait::async_trait;
use ml_intern::agent::tool::{Assessment, BadArguments, CallContext, Ownership, Place, Tool, ToolError};
use ml_intern::agent::{Agent, Rules, Toolbox, Who};
use ml_intern::clock::Clock;
use ml_intern::model::{Completion, Delivery, Delta, DeltaSink, Model, ModelError, Providers, Request};
use ml_intern::protocol::operation::{Actor, Door, OperationKind, Origin};
use ml_intern::protocol::{
    Event, Heard, Item, Operation, OperationId, ProposedCall, SessionHead, SessionKey, ToolOutcome, ToolSpec,
};
use ml_intern::random::Random;
use ml_intern::runtime::{Intake, Opening, Pace, Parts, Places, PresentError, Presenter, Presenters, Worker};
use ml_intern::store::embedded::Embedded;
use ml_intern::store::{Claimable, Commit, Inbox, Sessions};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Lengths of the history before the turn.
const SIZES: [usize; 4] = [10, 100, 1_000, 10_000];
/// Steps of one turn, and turns (each in a session of its own) per length.
const STEPS: usize = 21;
const TURNS: usize = 5;
/// Requests per length that go over the wire.
const SENT: usize = 20;

// --- counting -------------------------------------------------------------------------------------

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static ALLOCATED: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// Set on threads whose allocations are not ours (the fake provider's).
    static FOREIGN: Cell<bool> = const { Cell::new(false) };
}

struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

fn count(bytes: usize) {
    if !FOREIGN.try_with(Cell::get).unwrap_or(true) {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        ALLOCATED.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

#[expect(unsafe_code, reason = "counting allocations takes an allocator; it hands everything on unchanged")]
// SAFETY: every call is handed to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size.saturating_sub(layout.size()));
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// Processor time of all threads that live, in nanoseconds.
fn processor_time() -> u64 {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else { return 0 };
    let spent = |path: PathBuf| {
        let text = std::fs::read_to_string(path.join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    };
    tasks.flatten().filter_map(|task| spent(task.path())).sum()
}

#[derive(Clone, Copy)]
struct Mark {
    at: Instant,
    allocations: u64,
    allocated: u64,
}

impl Mark {
    fn now() -> Self {
        Self {
            at: Instant::now(),
            allocations: ALLOCATIONS.load(Ordering::Relaxed),
            allocated: ALLOCATED.load(Ordering::Relaxed),
        }
    }
}

fn median<T: Copy + Ord + Default>(mut values: Vec<T>) -> T {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// `now` in words, and as a multiple of the first that was asked for.
fn against(first: &mut Option<f64>, now: f64) -> f64 {
    now / *first.get_or_insert(now.max(f64::MIN_POSITIVE))
}

// --- what stands in for the world -----------------------------------------------------------------

/// Asks for one call per step until the turn has had its steps; marks when it is asked.
#[derive(Default)]
struct Scripted {
    marks: Mutex<Vec<Mark>>,
    processor: Mutex<(u64, u64)>,
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
}

fn call(number: usize) -> ProposedCall {
    ProposedCall {
        id: format!("call_{number}").into(),
        tool: "look".to_owned(),
        arguments: json!({ "path": format!("src/file_{number}.py"), "lines": 40 }),
    }
}

/// Gives a kilobyte.
struct Look;

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

fn output() -> String {
    "loss 0.314 at step 100\n".repeat(44)
}

/// Shows nothing; says when a turn has ended.
#[derive(Default)]
struct Quiet {
    over: Arc<Notify>,
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

struct Here(PathBuf);

impl Places for Here {
    fn place(&self, head: &SessionHead) -> Result<Place> {
        Ok(Place {
            session: head.key.clone(),
            door: head.origin.door,
            workspace: self.0.clone(),
            ownership: Ownership::Session,
        })
    }
}

// --- the whole way of a step ----------------------------------------------------------------------

fn origin() -> Origin {
    Origin { door: Door::Terminal, place: Value::Null }
}

fn says(session: &SessionKey, id: &str, clock: &Clock) -> Operation {
    Operation {
        id: OperationId(format!("{session} {id}")),
        session: session.clone(),
        origin: origin(),
        actor: Actor { id: "alice".into(), name: "Alice".to_owned() },
        at: clock.now(),
        kind: OperationKind::Say { text: "Go through the files.".to_owned(), handle: Value::Null },
    }
}

/// A history of this many items, in the proportions of real work.
fn history(size: usize) -> Vec<Arc<Item>> {
    let asked = Item::User { author: "alice".into(), name: "Alice".to_owned(), text: "Begin.".to_owned() };
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
    let commit = Commit { head: &head, keep: 0, append: &items, consumed: &consumed, later: &[] };
    store.commit(&lease, commit).await?;
    Ok(store.release(&lease, None).await?)
}

fn rules() -> Rules {
    Rules {
        model: "toy/model".to_owned(),
        effort: None,
        max_iterations: None,
        yolo: false,
        delivery: Delivery::Streamed,
        approval_ttl: Duration::from_secs(3_600),
        approvers: Vec::new(),
        who: Who::RequesterAndListed,
        compact_at_percent: 85,
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

// --- putting the request on the wire --------------------------------------------------------------

struct Nowhere;

#[async_trait]
impl DeltaSink for Nowhere {
    async fn send(&self, _: Delta) {}
}

/// A provider on a thread of its own that counts what it is sent and says one word. Gives its address.
fn provider(received: Arc<AtomicU64>) -> Result<String> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let url = format!("http://{}/v1", listener.local_addr()?);
    let serve = move || {
        FOREIGN.with(|foreign| foreign.set(true));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async move {
            let answer = move |body: axum::body::Bytes| async move {
                received.store(body.len() as u64, Ordering::SeqCst);
                axum::Json(json!({ "id": "1", "object": "chat.completion", "created": 1, "model": "m",
                    "choices": [{ "index": 0, "finish_reason": "stop",
                        "message": { "role": "assistant", "content": "Yes." } }],
                    "usage": { "prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2 } }))
            };
            let routes = axum::Router::new()
                .route("/v1/chat/completions", axum::routing::post(answer))
                .layer(axum::extract::DefaultBodyLimit::max(1 << 28));
            let listener = tokio::net::TcpListener::from_std(listener)?;
            axum::serve(listener, routes).await
        })
    };
    std::thread::Builder::new().name("provider".to_owned()).spawn(serve)?;
    Ok(url)
}

async fn wire(clock: &Clock) -> Result<()> {
    let received = Arc::new(AtomicU64::new(0));
    let mut config = ml_intern::config::ModelConfig::default();
    config.vllm.base_url = provider(received.clone())?;
    let providers = Providers::new(&config, ml_intern::clients::http::client(None)?, clock.clone())?;
    println!("\na request through the model room to a provider on loopback (medians of {SENT})");
    println!(
        "{:>8} {:>12} {:>16} {:>22} {:>28} {:>24}",
        "history", "bytes sent", "time", "allocations", "bytes allocated", "time per kilobyte sent"
    );
    let mut first: Option<(f64, f64, f64)> = None;
    for size in SIZES {
        let request = Request {
            model: "vllm/scripted".to_owned(),
            system: "You are an engineer.".into(),
            items: history(size),
            tools: Toolbox::new(vec![Arc::new(Look)]).specs(),
            effort: None,
            session: "s".into(),
            delivery: Delivery::Whole,
        };
        let (mut waits, mut counts, mut sizes) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..SENT {
            let from = Mark::now();
            providers.answer(&request, &Nowhere, &CancellationToken::new()).await?;
            let to = Mark::now();
            waits.push(to.at.duration_since(from.at));
            counts.push(to.allocations - from.allocations);
            sizes.push(to.allocated - from.allocated);
        }
        let sent = received.load(Ordering::SeqCst) as f64;
        let (wait, count, bytes) =
            (median(waits).as_secs_f64() * 1e3, median(counts) as f64, median(sizes) as f64);
        // What every further byte costs beyond the shortest request.
        let further = first.map_or(String::new(), |(sent0, count0, bytes0)| {
            format!(
                "{:.2} per further item, {:.2} per further byte",
                (count - count0) / (size - SIZES[0]) as f64,
                (bytes - bytes0) / (sent - sent0)
            )
        });
        first.get_or_insert((sent, count, bytes));
        println!(
            "{size:>8} {sent:>12.0} {wait:>13.2} ms {count:>22.0} {bytes:>28.0} {:>21.2} µs   {further}",
            wait * 1e6 / sent
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
    wire(&clock).await
}
