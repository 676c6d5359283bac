//! From the start of the process to the first request that reaches a model: `ml-intern "hi"`, as a
//! person types it. Owns no promise.
//!
//! `cargo bench --bench start [-- RUNS]`. The model is a scripted one on loopback, the data folder new
//! for the first run and used for the others, so that both are seen.

#[expect(dead_code, reason = "shared by all benches")]
mod common;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use common::Waits;
use ml_intern::playground::model::{Reply, Script, ScriptedModel};

type Arrivals = Arc<Mutex<Vec<Instant>>>;

/// One run to its end; gives the time until its request arrived, and until the process had ended.
async fn run(
    home: &std::path::Path,
    config: &serde_json::Value,
    arrivals: &Arrivals,
) -> Result<(Duration, Duration)> {
    let seen = |arrivals: &Arrivals| arrivals.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let before = seen(arrivals).len();
    let mut command = tokio::process::Command::from(common::command(home, config)?);
    command.arg("hi").kill_on_drop(true);
    let started = Instant::now();
    let output =
        tokio::time::timeout(Duration::from_secs(20), command.output()).await.context("it hangs")??;
    let whole = started.elapsed();
    let arrived = seen(arrivals).get(before).copied();
    let arrived =
        arrived.with_context(|| format!("no request came:\n{}", String::from_utf8_lossy(&output.stderr)))?;
    anyhow::ensure!(
        output.status.success() && String::from_utf8_lossy(&output.stdout).contains("Hello."),
        "it did not answer:\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok((arrived.duration_since(started), whole))
}

#[tokio::main]
async fn main() -> Result<()> {
    common::announce("start");
    ml_intern::clients::http::install_tls();
    let runs: usize = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(20);
    let arrivals = Arrivals::default();
    let noted = arrivals.clone();
    let answer = move |_: &serde_json::Value| {
        noted.lock().unwrap_or_else(PoisonError::into_inner).push(Instant::now());
        Reply::says("Hello.")
    };
    let model = ScriptedModel::start(Script::Answering(Box::new(answer))).await?;
    let config = common::config(&model.url());
    let home = common::folder()?;
    let (first, _) = run(home.path(), &config, &arrivals).await?;
    println!("first run in a new data folder: {:.1} ms to the first request", first.as_secs_f64() * 1e3);
    let (mut requests, mut whole) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        let (request, end) = run(home.path(), &config, &arrivals).await?;
        requests.push(request);
        whole.push(end);
    }
    let (requests, whole) = (Waits::new(requests), Waits::new(whole));
    println!(
        "{} further runs: p50 {:.1} ms, longest {:.1} ms to the first request; p50 {:.1} ms until the process ended",
        requests.count(),
        requests.at(50),
        requests.most(),
        whole.at(50),
    );
    Ok(())
}
