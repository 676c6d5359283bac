//! Slack's own frameworks, started as children with a listener that does nothing.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use ml_intern::playground::Workspace;

use crate::common;

/// A framework to measure against.
#[derive(Clone, Copy)]
pub enum Rival {
    BoltForPython,
    BoltForJavaScript,
}

impl Rival {
    pub fn name(self) -> &'static str {
        match self {
            Self::BoltForPython => "Bolt for Python, aiohttp",
            Self::BoltForJavaScript => "Bolt for JavaScript",
        }
    }

    /// Starts it; `None` if it is not installed (the test command installs it).
    pub async fn start(self, workspace: &Workspace) -> Result<Option<Running>> {
        let root = common::root();
        let (program, needed) = match self {
            Self::BoltForPython => {
                let python = root.join("tests/.cache/venv/bin/python");
                (python.clone(), root.join("tests/.cache/venv/lib"))
            }
            Self::BoltForJavaScript => ("node".into(), root.join("tests/official/node_modules/@slack/bolt")),
        };
        if !needed.exists() {
            return Ok(None);
        }
        let port = common::free_port()?;
        let mut command = Command::new(program);
        command
            .arg(root.join("benches/ack").join(match self {
                Self::BoltForPython => "bolt.py",
                Self::BoltForJavaScript => "bolt.mjs",
            }))
            .env("BENCH_PORT", port.to_string())
            .env("BENCH_API_URL", workspace.api_url())
            .env("BENCH_BOT_TOKEN", workspace.bot_token())
            .env("BENCH_SIGNING_SECRET", workspace.signing_secret())
            .env("BENCH_MODULES", root.join("tests/official/package.json"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let child = command.spawn().with_context(|| format!("{} does not start", self.name()))?;
        let running = Running { child, port };
        anyhow::ensure!(
            common::answers(port, Duration::from_secs(20)).await,
            "{} never answered",
            self.name()
        );
        Ok(Some(running))
    }
}

/// A framework that listens. Ends with this value.
pub struct Running {
    child: Child,
    pub port: u16,
}

impl Running {
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
