//! Slack's and the Hub's own clients, unchanged, against the playground: the measure of its honesty.
//!
//! The clients are installed by the test command into `tests/.cache`; where they are not, these
//! tests say so, and fail if `ML_INTERN_REQUIRE_OFFICIAL` is set.

mod hub;
mod hub_jobs;

use std::path::{Path, PathBuf};
use std::time::Duration;

use ml_intern::clock::Clock;
use ml_intern::playground::{Delivery, Options, Workspace};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

/// Whether to go on without what was not installed.
fn may_skip(missing: &Path) -> bool {
    #[expect(clippy::disallowed_methods, reason = "a test's own switch, not configuration")]
    let required = std::env::var_os("ML_INTERN_REQUIRE_OFFICIAL").is_some();
    assert!(!required, "{} is missing; run the test command, which installs it", missing.display());
    eprintln!("skipped: {} is not installed", missing.display());
    true
}

/// A free port, for a client that must be told which one to take.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Runs one of the checks and shows what it printed if it fails.
async fn passes(program: &Path, script: &str, card: &serde_json::Value) {
    let kept = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(kept.path(), card.to_string()).unwrap();
    let mut command = tokio::process::Command::new(program);
    command.arg(folder().join("official").join(script)).arg(kept.path()).kill_on_drop(true);
    command.env("PYTHONDONTWRITEBYTECODE", "1").current_dir(folder().join("official"));
    let ran = tokio::time::timeout(Duration::from_secs(120), command.output())
        .await
        .expect("the check hangs")
        .unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    println!("{said}");
    assert!(ran.status.success() && said.contains(" passed, 0 failed"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn slack_sdk_and_bolt_for_python_work_unchanged() {
    let python = folder().join(".cache/venv/bin/python");
    if !python.exists() && may_skip(&python) {
        return;
    }
    let socket = Workspace::start(Options::new(Clock::system())).await.unwrap();
    let address = format!("http://127.0.0.1:{}/slack/events", free_port());
    let delivery =
        Delivery::Http { events: address.clone(), interactivity: address.clone(), commands: address.clone() };
    let http = Workspace::start(Options { delivery, ..Options::new(Clock::system()) }).await.unwrap();
    let mut card = socket.card();
    card["http"] = http.card();
    card["http"]["deliver_to"] = address.into();
    passes(&python, "check_python.py", &card).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bolt_for_javascript_works_unchanged() {
    let modules = folder().join("official/node_modules/@slack/bolt");
    if !modules.exists() && may_skip(&modules) {
        return;
    }
    let workspace = Workspace::start(Options::new(Clock::system())).await.unwrap();
    passes(Path::new("node"), "check_bolt.mjs", &workspace.card()).await;
}
