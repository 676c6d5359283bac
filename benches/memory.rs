//! What `serve` holds in memory: idle, and for each further open session, waiting for people or in
//! hand with a model that does not answer. Owns no promise.
//!
//! `cargo bench --bench memory [-- SESSIONS]`. Reads resident memory from /proc, so: Linux only.

#[expect(dead_code, reason = "shared by all benches")]
mod common;

use std::time::Duration;

use anyhow::{Context, Result};
use common::{Program, Reach};
use ml_intern::clock::Clock;
use ml_intern::playground::model::{Ending, Reply, Script, ScriptedModel};
use ml_intern::playground::{ChannelSeed, Message, Options, State, Workspace};
use serde_json::{Value, json};

/// Channels that the sessions are spread over: the bot keeps to one message a second in each.
const CHANNELS: usize = 200;
/// Sessions that warm the program up: what the first ones cost is not what a further one costs.
const FIRST: usize = 100;
/// Sessions worked on at the same time while they come to wait for approval: the default.
const AT_WORK: usize = 32;
/// How long is waited before memory is read, for what is needed for a moment only.
const SETTLED: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(240);

/// Figures of one process, in bytes.
#[derive(Clone, Copy)]
struct Memory {
    resident: u64,
    /// Of that, what is not a page of the program or of a file.
    anonymous: u64,
}

fn memory(program: &Program) -> Result<Memory> {
    Ok(Memory {
        resident: common::status(program.id(), "VmRSS")?,
        anonymous: common::status(program.id(), "RssAnon")?,
    })
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// `serve` on a workspace, connected.
async fn serve(workspace: &Workspace, model: &ScriptedModel, at_work: usize) -> Result<Program> {
    let port = common::free_port()?;
    let mut config = common::with_slack(common::config(&model.url()), workspace, Reach::Socket(2));
    config["server"] = json!({ "bind": format!("127.0.0.1:{port}"), "max_sessions_at_work": at_work });
    let program = Program::start(&["serve"], &config)?;
    let connected = workspace.connected(2, Duration::from_secs(20)).await;
    anyhow::ensure!(connected, "serve never connected:\n{}", program.said());
    // What starting up needed for a moment has been given back by then.
    tokio::time::sleep(Duration::from_secs(3)).await;
    Ok(program)
}

/// A workspace with enough channels.
async fn workspace() -> Result<Workspace> {
    let mut options = Options::new(Clock::system());
    if let Some(model) = options.channels.first().cloned() {
        let named = |number| ChannelSeed { name: channel(number), ..model.clone() };
        options.channels.extend((0..CHANNELS).map(named));
    }
    Workspace::start(options).await
}

fn channel(number: usize) -> String {
    format!("project-{}", number % CHANNELS)
}

/// Opens this many sessions, a few at a time, each with a mention in a thread of its own.
async fn open(workspace: &Workspace, sessions: std::ops::Range<usize>) -> Result<()> {
    for number in sessions {
        let request =
            format!("Fine-tune the classifier once more with seed {number} and tell me the accuracy.");
        workspace.person("alice").mentions(&channel(number), &request).await?;
        if number % 20 == 19 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    Ok(())
}

fn report(what: &str, idle: Memory, first: Memory, all: Memory, sessions: usize) {
    let each = |before: u64, after: u64| after.saturating_sub(before) as f64 / sessions as f64 / 1e3;
    println!(
        "{what}: {:.1} MB resident idle, {:.1} MB with {FIRST} sessions, {:.1} MB with {} sessions; {:.1} KB for each further one",
        megabytes(idle.resident),
        megabytes(first.resident),
        megabytes(all.resident),
        FIRST + sessions,
        each(first.resident, all.resident),
    );
}

/// Sessions that wait for somebody to press a button.
async fn waiting(sessions: usize) -> Result<()> {
    let workspace = workspace().await?;
    let ask = |_: &Value| Reply::calls([("bash", json!({ "command": "sudo python train.py --epochs 3" }))]);
    let model = ScriptedModel::start(Script::Answering(Box::new(ask))).await?;
    let program = serve(&workspace, &model, AT_WORK).await?;
    let idle = memory(&program)?;
    println!(
        "idle: {:.1} MB resident ({:.1} MB of it anonymous)",
        megabytes(idle.resident),
        megabytes(idle.anonymous)
    );
    let asks = |message: &&Message| message.bot && message.blocks.iter().any(|it| it["type"] == "actions");
    let cards = |state: &State| state.messages.values().filter(asks).count();
    let mut seen = Vec::new();
    for range in [0..FIRST, FIRST..FIRST + sessions] {
        let wanted = range.end;
        open(&workspace, range).await?;
        let asked = workspace.until(PATIENCE, |state| (cards(state) >= wanted).then_some(())).await;
        asked.with_context(|| format!("{} sessions asked:\n{}", workspace.look(cards), program.said()))?;
        tokio::time::sleep(SETTLED).await;
        seen.push(memory(&program)?);
    }
    if let [first, all] = seen[..] {
        report("waiting for approval", idle, first, all, sessions);
    }
    Ok(())
}

/// Sessions whose model has been asked, has begun to answer, and says no more.
async fn in_hand(sessions: usize) -> Result<()> {
    let workspace = workspace().await?;
    let hang = |_: &Value| Reply::says("Let me see").ending(Ending::HangAfter(1));
    let model = ScriptedModel::start(Script::Answering(Box::new(hang))).await?;
    let program = serve(&workspace, &model, FIRST + sessions).await?;
    let idle = memory(&program)?;
    let mut seen = Vec::new();
    for range in [0..FIRST, FIRST..FIRST + sessions] {
        let wanted = range.end as u64;
        open(&workspace, range).await?;
        let asked = model.requested(wanted, PATIENCE).await;
        anyhow::ensure!(asked, "the model was asked {} times:\n{}", model.requests().len(), program.said());
        tokio::time::sleep(SETTLED).await;
        seen.push(memory(&program)?);
    }
    if let [first, all] = seen[..] {
        report("in hand", idle, first, all, sessions);
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    common::announce("memory");
    ml_intern::clients::http::install_tls();
    let sessions = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(1_000);
    waiting(sessions).await?;
    in_hand(sessions).await
}
