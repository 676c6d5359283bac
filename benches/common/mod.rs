//! What the benches share: percentiles, the machine they ran on, and what a process uses.
//!
//! Never asserts anything about times. Each bench uses a part of it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};

/// The line that every bench begins with.
pub fn announce(name: &str) {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!("{name}: {cores} cores");
}

/// Waits, sorted.
pub struct Waits(Vec<Duration>);

impl Waits {
    pub fn new(mut waits: Vec<Duration>) -> Self {
        waits.sort_unstable();
        Self(waits)
    }

    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The wait that `percent` of all do not exceed, in milliseconds.
    pub fn at(&self, percent: usize) -> f64 {
        let index = (self.0.len() * percent / 100).min(self.0.len().saturating_sub(1));
        self.0.get(index).copied().unwrap_or_default().as_secs_f64() * 1e3
    }

    pub fn most(&self) -> f64 {
        self.0.last().copied().unwrap_or_default().as_secs_f64() * 1e3
    }
}

/// A folder on the disk that is to be measured: below the build's own, not the temporary one, which
/// may lie in memory, where a sync costs nothing.
pub fn folder() -> Result<tempfile::TempDir> {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).context("a folder for data")
}

/// The program, started as people start it, with nothing of our own environment but what is given.
/// Ends with this value.
pub struct Program {
    child: Child,
    home: Option<tempfile::TempDir>,
}

impl Program {
    /// Starts it with this configuration.
    pub fn start(arguments: &[&str], config: &Value) -> Result<Self> {
        let home = folder()?;
        let child = command(home.path(), config)?
            .args(arguments)
            .stdout(log(home.path(), "stdout")?)
            .stderr(log(home.path(), "stderr")?)
            .spawn()
            .context("the program does not start")?;
        Ok(Self { child, home: Some(home) })
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The end of what it logged, for when something went wrong.
    pub fn said(&self) -> String {
        let Some(home) = &self.home else { return String::new() };
        let read = |name| std::fs::read_to_string(home.path().join(name)).unwrap_or_default();
        let all = format!("{}{}", read("stdout"), read("stderr"));
        let lines: Vec<&str> = all.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    /// Kills it without warning; gives the folder with its data.
    pub fn kill(mut self) -> Option<tempfile::TempDir> {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.home.take()
    }

    /// Whether it has ended.
    pub fn ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn log(home: &Path, name: &str) -> Result<Stdio> {
    Ok(std::fs::File::create(home.join(name)).context("a file for its log")?.into())
}

/// A command that runs the program in `home` with this configuration and an empty environment.
pub fn command(home: &Path, config: &Value) -> Result<Command> {
    let file = home.join("bench.json");
    std::fs::write(&file, config.to_string())?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_ml-intern"));
    command
        .env_clear()
        .env("HOME", home)
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .current_dir(home)
        .arg("--config")
        .arg(&file)
        .arg("--data-dir")
        .arg(home.join("data"))
        .stdin(Stdio::null());
    Ok(command)
}

/// A configuration with a scripted model behind `model_url`.
pub fn config(model_url: &str) -> Value {
    json!({
        "model_name": "vllm/scripted",
        "reasoning_effort": null,
        "models": { "vllm": { "base_url": model_url } },
    })
}

/// The same with a playground's workspace: over HTTP, or over Socket Mode with so many connections.
pub fn with_slack(mut config: Value, workspace: &ml_intern::playground::Workspace, reach: Reach) -> Value {
    config["slack"] = json!({
        "api_url": workspace.api_url(),
        "bot_token": workspace.bot_token(),
    });
    match reach {
        Reach::Http => {
            config["slack"]["mode"] = "http".into();
            config["slack"]["signing_secret"] = workspace.signing_secret().into();
        }
        Reach::Socket(connections) => {
            config["slack"]["mode"] = "socket".into();
            config["slack"]["app_token"] = workspace.app_token().into();
            config["slack"]["connections"] = connections.into();
        }
    }
    config
}

/// How events reach the program.
#[derive(Clone, Copy)]
pub enum Reach {
    Http,
    Socket(u8),
}

/// A port of loopback that was free a moment ago, for programs that must be told one.
pub fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Waits until something answers there.
pub async fn answers(port: u16, within: Duration) -> bool {
    let search = async {
        while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(within, search).await.is_ok()
}

/// Where the repository lies.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A figure of `/proc/PID/status` in bytes, `VmRSS` for example.
pub fn status(pid: u32, name: &str) -> Result<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status"))
        .context("this bench reads /proc, which only Linux has")?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let figure = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    Ok(figure.with_context(|| format!("{name} of process {pid}"))? * 1024)
}

/// Processor time that the threads of a process have had, in seconds.
pub fn processor_time(pid: u32) -> Result<f64> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).context("only Linux has /proc")?;
    let spent = |path: PathBuf| {
        let text = std::fs::read_to_string(path.join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<f64>().ok()
    };
    Ok(tasks.flatten().filter_map(|task| spent(task.path())).sum::<f64>() / 1e9)
}
