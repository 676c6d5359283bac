//! How fast Slack is answered: `serve`, writing every event durably while workers are busy, against
//! Slack's own frameworks, which write nothing; over signed HTTP, then ours over Socket Mode.
//!
//! `cargo bench --bench ack [-- ROUNDS]`. A round puts the same load on each server in turn. Takes about
//! 40 seconds a round, stays on loopback, and compares only what was measured in the same run.

#[expect(dead_code, reason = "shared by all benches")]
mod common;
#[path = "ack/driver.rs"]
mod driver;
#[path = "ack/rivals.rs"]
mod rivals;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use common::{Program, Reach, Waits};
use driver::{Deliveries, Load, Rhythm};
use ml_intern::clock::Clock;
use ml_intern::playground::model::{Reply, Script, ScriptedModel};
use ml_intern::playground::{Delivery, Options, Workspace};
use rivals::Rival;
use serde_json::json;

/// Sessions that stream an answer while the load runs; all that may be at work.
const AT_WORK: usize = 8;
/// Events that a server is asked at most as fast as it can, and for how long.
const FLOOD: usize = 60_000;
const FLOOD_FOR: Duration = Duration::from_secs(4);
const IN_FLIGHT: [usize; 2] = [32, 128];
/// The steady load: a second of it, and how long.
const STEADY: usize = 1_000;
const STEADY_FOR: usize = 8;
const STEADY_CONNECTIONS: usize = 256;
const WARM_UP: usize = 500;
/// Envelopes over Socket Mode: at once, and steadily.
const ENVELOPES: usize = 5_000;
const ENVELOPES_STEADY: usize = 500;

/// What one server did in one round.
struct Measured {
    /// Acknowledgements a second, for each of [`IN_FLIGHT`].
    per_second: [f64; 2],
    /// Processor time of an acknowledgement under the last of them, in microseconds.
    processor: f64,
    steady_p99: f64,
    acknowledged: usize,
}

/// Puts the whole load of a round on one server.
async fn measure(name: &str, (port, pid): (u16, u32), deliveries: &Arc<Deliveries>) -> Result<Measured> {
    let steadily =
        |count, connections| Load { count, connections, rhythm: Rhythm::Open { per_second: STEADY } };
    let mut acknowledged = deliveries.load(port, steadily(WARM_UP, 32)).await?.acknowledged;
    let (mut per_second, mut processor) = ([0.0; IN_FLIGHT.len()], 0.0);
    for (connections, per_second) in IN_FLIGHT.into_iter().zip(&mut per_second) {
        let rhythm = Rhythm::Closed { at_most: FLOOD_FOR };
        let before = common::processor_time(pid)?;
        let flood = deliveries.load(port, Load { count: FLOOD, connections, rhythm }).await?;
        let spent = (common::processor_time(pid)? - before) * 1e6 / flood.acknowledged.max(1) as f64;
        *per_second = flood.per_second();
        processor = spent;
        acknowledged += flood.acknowledged;
        let waits = Waits::new(flood.waits);
        println!(
            "{name:<26} {per_second:>8.0} acks/s with {connections} in flight: p50 {:.2} ms, p99 {:.2} ms, {spent:.0} µs of processor time each ({} acknowledged, {} not)",
            waits.at(50),
            waits.at(99),
            flood.acknowledged,
            flood.refused,
        );
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let steady = deliveries.load(port, steadily(STEADY * STEADY_FOR, STEADY_CONNECTIONS)).await?;
    let waits = Waits::new(steady.waits);
    println!(
        "{:<26} {STEADY:>8} events/s offered: p50 {:.2} ms, p99 {:.2} ms, longest {:.2} ms ({} acknowledged, {} not in time)",
        "",
        waits.at(50),
        waits.at(99),
        waits.most(),
        steady.acknowledged,
        steady.refused,
    );
    acknowledged += steady.acknowledged;
    Ok(Measured { per_second, processor, steady_p99: waits.at(99), acknowledged })
}

/// Enough for one server in one round.
const EVENTS: usize = WARM_UP + IN_FLIGHT.len() * FLOOD + STEADY * STEADY_FOR;

/// A model that talks, slowly, for longer than any of this takes.
async fn slow_model() -> Result<ScriptedModel> {
    let words = "still looking at the loss of run seven ".repeat(600);
    let reply = Reply::says(words).in_pieces(4_000).slowly(Duration::from_millis(50));
    ScriptedModel::start(Script::Answering(Box::new(move |_| reply.clone()))).await
}

/// `serve` on a workspace of its own, with all its workers busy.
struct Ours {
    program: Program,
    workspace: Workspace,
    _model: ScriptedModel,
    port: u16,
}

impl Ours {
    async fn start(reach: Reach) -> Result<Self> {
        let port = common::free_port()?;
        let at = |path: &str| format!("http://127.0.0.1:{port}/slack/{path}");
        let delivery = match reach {
            Reach::Http => Delivery::Http {
                events: at("events"),
                interactivity: at("interactivity"),
                commands: at("commands"),
            },
            Reach::Socket(_) => Delivery::Socket,
        };
        let workspace = Workspace::start(Options { delivery, ..Options::new(Clock::system()) }).await?;
        let model = slow_model().await?;
        let mut config = common::with_slack(common::config(&model.url()), &workspace, reach);
        config["server"] = json!({ "bind": format!("127.0.0.1:{port}"), "max_sessions_at_work": AT_WORK });
        let mut program = Program::start(&["serve"], &config)?;
        let up = common::answers(port, Duration::from_secs(20)).await;
        anyhow::ensure!(up && !program.ended(), "serve does not answer:\n{}", program.said());
        if let Reach::Socket(connections) = reach {
            workspace.connected(connections.into(), Duration::from_secs(10)).await;
        }
        for number in 0..AT_WORK {
            workspace.person("bob").mentions("ml-experiments", &format!("watch run {number}")).await?;
        }
        let busy = model.requested(AT_WORK as u64, Duration::from_secs(20)).await;
        anyhow::ensure!(busy, "the workers never became busy:\n{}", program.said());
        Ok(Self { program, workspace, _model: model, port })
    }

    /// Kills it without warning and counts what it had written down of what Slack was told it has.
    fn kill(self) -> Result<usize> {
        let Self { program, .. } = self;
        let home = program.kill().context("its folder is there until it is killed")?;
        let file = home.path().join("data").join(ml_intern::store::embedded::DATABASE);
        let database = rusqlite::Connection::open(file)?;
        let of_alice = "SELECT count(*) FROM operations WHERE id LIKE 'slack:message:D%'";
        Ok(database.query_row(of_alice, [], |row| row.get::<_, i64>(0))?.try_into()?)
    }
}

async fn over_http() -> Result<()> {
    let mut rivals = Vec::new();
    for rival in [Rival::BoltForPython, Rival::BoltForJavaScript] {
        let workspace = Workspace::start(Options::new(Clock::system())).await?;
        let Some(running) = rival.start(&workspace).await? else {
            println!("{:<26} skipped: it is not installed (the test command installs it)", rival.name());
            continue;
        };
        let deliveries = Deliveries::written(&workspace, &Clock::system(), EVENTS).await?;
        rivals.push((rival.name(), measure(rival.name(), (running.port, running.id()), &deliveries).await?));
    }
    let ours = Ours::start(Reach::Http).await?;
    let deliveries = Deliveries::written(&ours.workspace, &Clock::system(), EVENTS).await?;
    let measured = measure("ml-intern, durably", (ours.port, ours.program.id()), &deliveries).await?;
    let kept = ours.kill()?;
    println!(
        "{:<26} killed with SIGKILL: {} acknowledged, {kept} found in the store",
        "", measured.acknowledged
    );
    anyhow::ensure!(kept >= measured.acknowledged, "an acknowledged event was lost");
    for (name, theirs) in rivals {
        let times: Vec<String> = IN_FLIGHT
            .iter()
            .zip(measured.per_second.iter().zip(&theirs.per_second))
            .map(|(connections, (ours, theirs))| {
                format!("{:.2} times with {connections} in flight", ours / theirs)
            })
            .collect();
        println!(
            "ml-intern against {name}, acks per second: {}; {:.2} of its processor time each; p99 at {STEADY} events/s {:.2} ms against {:.2} ms",
            times.join(", "),
            measured.processor / theirs.processor,
            measured.steady_p99,
            theirs.steady_p99,
        );
    }
    Ok(())
}

/// Waits until this many direct messages were acknowledged; gives their waits.
async fn acknowledged(workspace: &Workspace, before: usize, count: usize) -> Result<Waits> {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let acks = workspace.ack_times();
        if acks.len() >= before + count {
            let waits = acks.iter().skip(before).filter_map(|ack| ack.after);
            return Ok(Waits::new(waits.collect()));
        }
        anyhow::ensure!(
            Instant::now() < deadline,
            "{} of {count} envelopes were acknowledged",
            acks.len() - before
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn over_socket_mode() -> Result<()> {
    let ours = Ours::start(Reach::Socket(2)).await?;
    let alice = ours.workspace.person("alice");
    let (channel, root) = alice.writes_directly("watch all of them").await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let before = ours.workspace.ack_times().len();
    let start = Instant::now();
    for number in 0..ENVELOPES {
        alice.replies(&channel, &root, &format!("and compare it with run {number}, please")).await?;
        // Lets the workspace deliver while people write.
        tokio::task::yield_now().await;
    }
    let waits = acknowledged(&ours.workspace, before, ENVELOPES).await?;
    let spent = start.elapsed();
    println!(
        "Socket Mode, all at once   {:>8.0} acks/s: p50 {:.2} ms, p99 {:.2} ms ({} acknowledged)",
        waits.count() as f64 / spent.as_secs_f64(),
        waits.at(50),
        waits.at(99),
        waits.count(),
    );
    let before = ours.workspace.ack_times().len();
    let (start, count) = (Instant::now(), ENVELOPES_STEADY * STEADY_FOR);
    for number in 0..count {
        let due = start + Duration::from_secs_f64(number as f64 / ENVELOPES_STEADY as f64);
        tokio::time::sleep_until(due.into()).await;
        alice.replies(&channel, &root, &format!("and then with run {number}")).await?;
    }
    let waits = acknowledged(&ours.workspace, before, count).await?;
    println!(
        "Socket Mode                {ENVELOPES_STEADY:>8} events/s offered: p50 {:.2} ms, p99 {:.2} ms, longest {:.2} ms ({} acknowledged)",
        waits.at(50),
        waits.at(99),
        waits.most(),
        waits.count(),
    );
    // Events of the bot's own messages are acknowledged among the others; the last ones may be late.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let (written, kept) = (1 + ENVELOPES + count, ours.kill()?);
    println!("{:<26} killed with SIGKILL: {written} written by people, {kept} found in the store", "");
    anyhow::ensure!(kept == written, "an acknowledged event was lost");
    Ok(())
}

async fn run() -> Result<()> {
    ml_intern::clients::http::install_tls();
    let rounds = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(1);
    for round in 1..=rounds {
        println!("\nround {round} of {rounds}; {AT_WORK} sessions of ours stream an answer meanwhile");
        over_http().await?;
        over_socket_mode().await?;
    }
    Ok(())
}

fn main() -> Result<()> {
    common::announce("ack");
    tokio::runtime::Runtime::new()?.block_on(run())
}
