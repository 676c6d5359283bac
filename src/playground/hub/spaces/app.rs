//! A Space's server: the file that was committed, as a real process on a port of loopback.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::super::jobs::process::{Process, Program};
use super::space::{Space, SpaceStage};
use super::{LOOK, Spaces};

/// The file that is run, if a Space has it.
pub(super) const SERVER: &str = "sandbox_server.py";
/// How long a server may take until it answers.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running server; it ends with this.
#[derive(Debug)]
pub(super) struct App {
    cancel: CancellationToken,
}

impl Drop for App {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

/// What to run for a Space, and on which port it will listen; `None` if it has no server of ours to run.
pub(super) fn program(space: &Space, hub: &str) -> anyhow::Result<Option<(Program, u16)>> {
    if space.file(SERVER).is_none() {
        return Ok(None);
    }
    let free = std::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).context("a port for it")?;
    let port = free.local_addr()?.port();
    let mut environment = BTreeMap::new();
    for (key, setting) in space.variables.iter().chain(&space.secrets) {
        environment.insert(key.clone(), setting.value.clone());
    }
    let (owner, name) = space.id.split_once('/').unwrap_or_default();
    for (key, value) in [
        ("SPACE_ID", space.id.as_str()),
        ("SPACE_AUTHOR_NAME", owner),
        ("SPACE_REPO_NAME", name),
        ("SPACE_HOST", &format!("{}.hf.space", Space::word(&space.id))),
        ("HF_ENDPOINT", hub),
        // A container would listen on 7860 of its own.
        ("PORT", &port.to_string()),
        ("SANDBOX_HOST", "127.0.0.1"),
    ] {
        environment.insert(key.to_owned(), value.to_owned());
    }
    let command = vec!["python3".to_owned(), SERVER.to_owned()];
    Ok(Some((Program { command, environment, files: space.files.clone() }, port)))
}

/// Runs it until the [`App`] is dropped, or it ends by itself.
pub(super) fn run(spaces: &Arc<Spaces>, id: &str, program: Program, port: u16) -> App {
    let cancel = CancellationToken::new();
    let app = App { cancel: cancel.clone() };
    let (spaces, id) = (spaces.clone(), id.to_owned());
    tokio::spawn(async move {
        tokio::select! {
            () = cancel.cancelled() => {}
            () = spaces.stop.cancelled() => {}
            message = serve(&spaces, &id, &program, port) => {
                // Whoever dropped the app has said already where the Space stands.
                if !cancel.is_cancelled()
                    && let Some(space) = spaces.desk().spaces.get_mut(&id)
                {
                    space.fail(SpaceStage::RuntimeError, &message);
                }
            }
        }
    });
    app
}

/// Gives why it ended.
async fn serve(spaces: &Spaces, id: &str, program: &Program, port: u16) -> String {
    let process = match Process::start(program) {
        Ok(process) => process,
        Err(error) => return format!("{error:#}"),
    };
    let write = |line: String| {
        let now = spaces.clock.now();
        if let Some(space) = spaces.desk().spaces.get_mut(id) {
            space.run_log.push(now, format!("{line}\n"));
        }
    };
    let answers = async {
        if tokio::time::timeout(PATIENCE, answering(port)).await.is_err() {
            return format!("Launch timed out, workload was not healthy after {} s", PATIENCE.as_secs());
        }
        if let Some(space) = spaces.desk().spaces.get_mut(id) {
            space.run(Some(port));
        }
        std::future::pending().await
    };
    tokio::select! {
        code = process.run(write) => format!("Exit code: {code}. Reason: Error"),
        message = answers => message,
    }
}

async fn answering(port: u16) {
    while TcpStream::connect((std::net::Ipv4Addr::LOCALHOST, port)).await.is_err() {
        tokio::time::sleep(LOOK).await;
    }
}
