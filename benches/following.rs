//! Following 100 jobs in one process: lines and metrics a second, and whether memory stays flat however long
//! the logs are. Owns no promise.
//!
//! `cargo bench --bench following [-- LINES]`: so many lines in each job's log (20,000 if left out). The provider
//! is a script inside the process; the store and the logs on disk are real. Reads resident memory from
//! /proc, so: Linux only.

#[expect(dead_code, reason = "shared by all benches")]
mod common;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use async_trait::async_trait;
use futures::StreamExt;
use ml_intern::clock::Clock;
use ml_intern::protocol::{
    Actor, Attachment, Door, JobView, JobWork, Origin, RunFind, SessionKey, Stage, Ticket, TicketId, Waits,
    Work,
};
use ml_intern::runtime::{Board, Intake, PresentError};
use ml_intern::store::Store;
use ml_intern::store::embedded::Embedded;
use ml_intern::supervise::source::{
    Found, JobFacts, JobName, JobSource, LogLine, LogLines, LogPoint, SourceError, Sources,
};
use ml_intern::supervise::{Boards, Pace, Shared, Supervisor};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

/// Jobs at once.
const JOBS: u64 = 100;
/// Bytes of each log that are kept.
const KEPT: u64 = 256 * 1024;
/// How long it may take at most.
const PATIENCE: Duration = Duration::from_secs(600);

/// Jobs that write as fast as they are read.
struct Script {
    lines: u64,
    read: Arc<AtomicU64>,
}

fn line(number: u64) -> String {
    match number % 4 {
        0 => format!(
            "{{'loss': {:.4}, 'grad_norm': 1.25, 'learning_rate': 2e-05, 'epoch': {}}}",
            9.0 / (1.0 + number as f64),
            number
        ),
        1 => format!("\r {}%|##   | {number}/99999999 [00:10<01:30,  9.8it/s]", number % 100),
        2 => format!("step={number} reward=0.5 kl=0.01"),
        _ => "2026-11-25 10:00:00 INFO a line that says nothing of the training at all".to_owned(),
    }
}

#[async_trait]
impl JobSource for Script {
    async fn look(&self, _: &JobName) -> Result<JobFacts, SourceError> {
        Ok(JobFacts { stage: Stage::Running, message: None, started: None, finished: None })
    }

    async fn log(&self, _: &JobName, from: LogPoint) -> Result<LogLines, SourceError> {
        let (all, read) = (self.lines, self.read.clone());
        let lines = futures::stream::iter(from.lines..all).map(move |number| {
            read.fetch_add(1, Ordering::Relaxed);
            Ok(LogLine { timestamp: None, text: line(number) })
        });
        // The job goes on, silently.
        Ok(lines.chain(futures::stream::pending()).boxed())
    }

    async fn cancel(&self, _: &JobName) -> Result<(), SourceError> {
        Ok(())
    }

    async fn again(&self, job: &JobName, _: u64, _: &str) -> Result<JobName, SourceError> {
        Ok(job.clone())
    }

    async fn commit(&self, _: &str) -> Option<String> {
        None
    }

    async fn ours(&self, _: &str) -> Result<Vec<Found>, SourceError> {
        Ok(Vec::new())
    }
}

struct Scripts(Arc<Script>);

#[async_trait]
impl Sources for Scripts {
    async fn of(&self, _: &Actor) -> Arc<dyn JobSource> {
        self.0.clone()
    }

    async fn own(&self) -> Option<(Arc<dyn JobSource>, Vec<String>)> {
        None
    }
}

/// A board that looks at nothing.
struct Blind;

#[async_trait]
impl Board for Blind {
    async fn show(&self, _: &Ticket, _: &JobView, memo: &Value) -> Result<Value, PresentError> {
        Ok(memo.clone())
    }

    async fn picture(&self, _: &Ticket, _: Attachment, memo: &Value) -> Result<Value, PresentError> {
        Ok(memo.clone())
    }

    async fn alarm(&self, _: &Ticket, _: &str, _: &str) -> Result<(), PresentError> {
        Ok(())
    }

    async fn file(&self, _: &Ticket, _: Attachment) -> Result<(), PresentError> {
        Ok(())
    }
}

fn ticket(number: u64, clock: &Clock) -> Ticket {
    Ticket {
        id: TicketId(format!("job:alice/{number}")),
        session: SessionKey(format!("s{number}")),
        origin: Origin::new(Door::Slack, Value::Null),
        turn: "t".into(),
        call: "c".into(),
        tool: "hf_jobs".to_owned(),
        requester: Actor::new("alice", "Alice"),
        approved_by: Vec::new(),
        asked_of: None,
        work: Work::Job(JobWork {
            namespace: "alice".to_owned(),
            job_id: number.to_string(),
            title: format!("Training {number}"),
            flavour: "a10g-small".to_owned(),
            price: Some(1_000_000),
            timeout_s: 3_600,
            labels: BTreeMap::new(),
            ..JobWork::default()
        }),
        waits: Waits::ForEnd,
        pledge: None,
        opened_at: clock.now(),
    }
}

/// Waits until so many lines were read in all; gives resident memory in bytes then.
async fn when_read(read: &AtomicU64, wanted: u64, started: Instant) -> Result<u64> {
    while read.load(Ordering::Relaxed) < wanted {
        anyhow::ensure!(
            started.elapsed() < PATIENCE,
            "only {} lines were read",
            read.load(Ordering::Relaxed)
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    common::status(std::process::id(), "VmRSS")
}

#[tokio::main]
async fn main() -> Result<()> {
    common::announce("following");
    let lines: u64 = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(20_000);
    let folder = common::folder()?;
    let clock = Clock::system();
    let store: Arc<dyn Store> = Embedded::open(folder.path(), clock.clone()).context("a store")?;
    for number in 0..JOBS {
        store.open_ticket(&ticket(number, &clock)).await?;
    }
    let boards = Boards::default();
    boards.put(Door::Slack, Arc::new(Blind));
    let shared = Arc::new(Shared {
        store: store.clone(),
        intake: Intake::new(store.clone()),
        clock,
        folder: folder.path().join("jobs"),
        secrets: Arc::new([]),
        stall_s: 900,
        log_bytes: KEPT,
        pace: Pace::default(),
    });
    let read = Arc::new(AtomicU64::new(0));
    let script = Arc::new(Script { lines, read: read.clone() });
    let supervisor = Supervisor::new(shared, Arc::new(Scripts(script)), boards);
    let stop = CancellationToken::new();
    let following = tokio::spawn({
        let stop = stop.clone();
        async move { supervisor.run(stop).await }
    });
    let all = JOBS * lines;
    let tenth = when_read(&read, all / 10, Instant::now()).await?;
    let (started, before) = (Instant::now(), read.load(Ordering::Relaxed));
    let whole = when_read(&read, all, started).await?;
    let seconds = started.elapsed().as_secs_f64().max(1e-9);
    let read = read.load(Ordering::Relaxed) - before;
    stop.cancel();
    following.await?;
    let runs = store.runs(&RunFind { limit: 1_000, ..RunFind::default() }).await?.len();
    let rate = read as f64 / seconds;
    println!(
        "{runs} jobs at once, {lines} lines each: {rate:.0} lines a second, {:.0} metrics a second",
        rate * 5.0 / 4.0
    );
    println!(
        "resident: {:.1} MB after a tenth of the lines, {:.1} MB after all: {:.2} ×",
        tenth as f64 / 1e6,
        whole as f64 / 1e6,
        whole as f64 / tenth as f64
    );
    let kept: u64 = walk(&folder.path().join("jobs"))?;
    println!("kept on disk: {:.1} MB, of {:.1} MB allowed", kept as f64 / 1e6, (JOBS * KEPT) as f64 / 1e6);
    Ok(())
}

fn walk(folder: &std::path::Path) -> Result<u64> {
    let mut sum = 0;
    for entry in std::fs::read_dir(folder)? {
        for file in std::fs::read_dir(entry?.path())? {
            sum += file?.metadata()?.len();
        }
    }
    Ok(sum)
}
