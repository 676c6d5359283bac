//! A clean place to run the binary in: its own home, its own working directory, no environment.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use ml_intern::playground::model::{Reply, Script, ScriptedModel};
use serde_json::json;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};

/// Nothing here may take longer.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Desk {
    pub home: TempDir,
    pub cwd: TempDir,
    env: Vec<(String, String)>,
}

/// What a run gave.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Desk {
    pub fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap(), cwd: tempfile::tempdir().unwrap(), env: Vec::new() }
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn file(self, path: &str, content: &str) -> Self {
        let path = self.cwd.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    /// Uses this model, with whatever else is configured.
    pub fn model(self, model: &ScriptedModel, more: serde_json::Value) -> Self {
        let mut config =
            json!({ "model_name": "vllm/scripted", "models": {"vllm": {"base_url": model.url()}} });
        let more = more.as_object().cloned().unwrap_or_default();
        config.as_object_mut().unwrap().extend(more);
        self.file("configs/ml-intern.json", &config.to_string())
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ml-intern"));
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.args(arguments).current_dir(self.cwd.path()).env_clear().env("HOME", self.home.path());
        command.env("PATH", path).envs(self.env.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }

    /// The same on a terminal of its own.
    #[cfg(unix)]
    pub fn tty_command(&self, arguments: &[&str]) -> pty_process::Command {
        let path = std::env::var_os("PATH").unwrap_or_default();
        pty_process::Command::new(env!("CARGO_BIN_EXE_ml-intern"))
            .args(arguments)
            .current_dir(self.cwd.path())
            .env_clear()
            .env("HOME", self.home.path())
            .env("TERM", "xterm-256color")
            .env("PATH", path)
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .kill_on_drop(true)
    }

    pub async fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(arguments, "").await
    }

    pub async fn run_with(&self, arguments: &[&str], input: &str) -> Ran {
        let mut child = self.command(arguments).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A program that does not read its input closes it; that is its right.
        stdin.write_all(input.as_bytes()).await.ok();
        drop(stdin);
        end(child).await
    }
}

pub async fn end(child: Child) -> Ran {
    let output = tokio::time::timeout(PATIENCE, child.wait_with_output()).await.expect("it hangs").unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

pub async fn model(replies: impl IntoIterator<Item = Reply>) -> ScriptedModel {
    ScriptedModel::start(Script::Queue(replies.into_iter().collect())).await.unwrap()
}

/// A reply that asks for a command.
pub fn bash(command: &str) -> Reply {
    Reply::calls([("bash", json!({"command": command, "description": "do it"}))])
}

#[cfg(unix)]
pub fn interrupt(pid: u32) {
    signal("-INT", pid);
}

#[cfg(unix)]
pub fn signal(kind: &str, pid: u32) {
    let status = std::process::Command::new("kill").args([kind, &pid.to_string()]).status().unwrap();
    assert!(status.success());
}
