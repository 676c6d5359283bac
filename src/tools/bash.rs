//! `bash`: one shell command in the workspace, with nothing left running behind it.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until, timeout};

use super::files::blocking;
use super::process::Running;
use super::spill::Capture;
use super::workspace::{Outside, Relation, Target, resolve};
use crate::agent::tool::{
    Assessment, BadArguments, CallContext, Place, Risk, Tool, ToolError, arguments, parameters,
};
use crate::config::ToolsConfig;
use crate::protocol::approval::Alike;
use crate::protocol::{ToolOutcome, ToolSpec};
use crate::secret::Secret;
use crate::text::first_line;

/// Variables that commands see if they are set here. Tokens are not among them.
const PASSED: &[&str] = &[
    "PATH",
    "HOME",
    "LANG",
    "LANGUAGE",
    "TMPDIR",
    "USER",
    "LOGNAME",
    "SHELL",
    "TZ",
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
    "CONDA_DEFAULT_ENV",
    "CUDA_VISIBLE_DEVICES",
    "LD_LIBRARY_PATH",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];
/// What a command that was stopped may do before it is killed: a stop takes under a second in all.
const STOP_GRACE: Duration = Duration::from_millis(300);
/// The same after a time-out, when nobody is waiting at the door.
const TIMEOUT_GRACE: Duration = Duration::from_secs(2);
/// How long output is awaited after the command itself has ended.
const LINGER: Duration = Duration::from_millis(200);
/// How often a line of progress is shown.
const PROGRESS: Duration = Duration::from_secs(1);

/// The `bash` tool.
pub struct Bash {
    config: ToolsConfig,
    outside: Outside,
    environment: BTreeMap<String, String>,
    secrets: Vec<Secret>,
    shell: &'static str,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Arguments {
    /// The command, as one would type it.
    command: String,
    /// What it does, in a few words, for the people who watch.
    #[serde(default)]
    description: Option<String>,
    /// The folder to run it in, relative to the workspace; the workspace if left out.
    #[serde(default)]
    work_dir: Option<String>,
    /// Seconds after which it is ended.
    #[serde(default)]
    #[schemars(range(min = 1))]
    timeout: Option<u64>,
}

impl Bash {
    /// Limits, the process's environment (commands see a small part of it), and secrets to take
    /// out of what is shown.
    #[must_use]
    pub fn new(config: ToolsConfig, environment: &BTreeMap<String, String>, secrets: Vec<Secret>) -> Self {
        let passed = |name: &str| {
            PASSED.contains(&name)
                || name.starts_with("LC_")
                || config.pass_environment.iter().any(|wanted| wanted == name)
        };
        let mut environment: BTreeMap<String, String> = environment
            .iter()
            .filter(|(name, _)| passed(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        for (name, value) in
            [("TERM", "dumb"), ("PYTHONUNBUFFERED", "1"), ("PAGER", "cat"), ("GIT_TERMINAL_PROMPT", "0")]
        {
            environment.insert(name.to_owned(), value.to_owned());
        }
        environment.entry("PATH".to_owned()).or_insert_with(|| "/usr/local/bin:/usr/bin:/bin".to_owned());
        let shell = if Path::new("/bin/bash").exists() { "/bin/bash" } else { "/bin/sh" };
        Self { outside: Outside::configured(&config), config, environment, secrets, shell }
    }

    fn checked(&self, value: &Value) -> Result<Arguments, BadArguments> {
        let bash: Arguments = arguments(value)?;
        if bash.command.trim().is_empty() {
            return Err(BadArguments("`command` is empty".to_owned()));
        }
        if bash.command.contains('\0') {
            return Err(BadArguments("`command` holds a zero byte".to_owned()));
        }
        match bash.timeout {
            Some(0) => Err(BadArguments("`timeout` must be 1 or more seconds".to_owned())),
            Some(seconds) if seconds > self.config.bash_max_timeout_s => {
                let most = self.config.bash_max_timeout_s;
                Err(BadArguments(format!("`timeout` may be {most} seconds at most; got {seconds}")))
            }
            _ => Ok(bash),
        }
    }
}

/// The folder to run in and the workspace, as they are now.
fn folders(
    workspace: &Path,
    work_dir: Option<&str>,
    outside: Outside,
) -> Result<(PathBuf, PathBuf), BadArguments> {
    let root = resolve(workspace, ".")?.path;
    let Target { path, relation } = resolve(workspace, work_dir.unwrap_or("."))?;
    if relation == Relation::System || (relation == Relation::Outside && outside == Outside::Forbidden) {
        return Err(BadArguments("`work_dir` is outside the workspace".to_owned()));
    }
    if !path.is_dir() {
        return Err(BadArguments(format!("`work_dir`: there is no folder `{}`", path.display())));
    }
    Ok((path, root))
}

#[async_trait]
impl Tool for Bash {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "bash".to_owned(),
            description: format!(
                "Run a shell command in the workspace. It gets no input and no terminal, and no tokens in its \
                 environment. It is ended after `timeout` seconds ({} if left out, {} at most), and whatever it \
                 left in the background is ended with it. Output over {} characters is cut in the middle and kept \
                 whole in a file. Prefer `read`, `write` and `edit` for files.",
                self.config.bash_timeout_s, self.config.bash_max_timeout_s, self.config.output_cap_chars
            ),
            parameters: parameters::<Arguments>(),
        }
    }

    fn assess(&self, value: &Value, place: &Place) -> Result<Assessment, BadArguments> {
        let bash = self.checked(value)?;
        let Target { path: folder, relation } =
            resolve(&place.workspace, bash.work_dir.as_deref().unwrap_or("."))?;
        let risk = match (relation, self.outside) {
            (Relation::Inside | Relation::Internal, _) => {
                Risk::Ask { reason: "Runs a shell command on this machine.".to_owned() }
            }
            (Relation::Outside, Outside::Asked) => Risk::Ask {
                reason: format!("Runs a shell command outside the workspace, in {}.", folder.display()),
            },
            _ => Risk::Never { reason: "`work_dir` is outside the workspace".to_owned() },
        };
        let title =
            bash.description.as_deref().filter(|text| !text.trim().is_empty()).unwrap_or(&bash.command);
        let inside = matches!(relation, Relation::Inside | Relation::Internal);
        let assessment = Assessment {
            risk,
            language: "sh".to_owned(),
            alike: inside.then(|| Alike {
                key: "bash".to_owned(),
                words: "shell commands in this session".to_owned(),
            }),
            editable: Some("command".to_owned()),
            ..Assessment::changes(first_line(title, 120))
        };
        Ok(Assessment { preview: bash.command, ..assessment })
    }

    async fn call(&self, value: Value, context: CallContext) -> Result<ToolOutcome, ToolError> {
        let bash = self.checked(&value)?;
        let (outside, place, work_dir) = (self.outside, context.place.clone(), bash.work_dir.clone());
        let (folder, workspace) =
            blocking(move || folders(&place.workspace, work_dir.as_deref(), outside)).await??;
        let limit = Duration::from_secs(bash.timeout.unwrap_or(self.config.bash_timeout_s));
        let capture =
            Capture::new(self.config.output_cap_chars, &workspace, context.call.as_str(), &self.secrets);
        let running = match Running::start(self.shell, &bash.command, &folder, &self.environment) {
            Ok(started) => started,
            Err(error) => {
                return Ok(ToolOutcome::failed(format!("The command could not be started: {error}")));
            }
        };
        follow(running, capture, limit, &context).await
    }
}

/// How a command ended.
enum End {
    Exited(ExitStatus),
    TimedOut,
    Stopped,
    Lost(std::io::Error),
}

/// Collects output until the command ends, its time is up, or it is stopped; ends what is left.
async fn follow(
    (mut running, mut output): (Running, pipe::Receiver),
    mut capture: Capture,
    limit: Duration,
    context: &CallContext,
) -> Result<ToolOutcome, ToolError> {
    let start = Instant::now();
    let mut buffer = vec![0_u8; 16 * 1024];
    let mut ticks = interval_at(start + PROGRESS, PROGRESS);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut open, mut shown) = (true, None);
    let mut exited: Option<(ExitStatus, Instant)> = None;
    let end = loop {
        let until = exited.map_or(start + limit, |(_, linger)| linger);
        tokio::select! {
            biased;
            () = context.cancel.cancelled() => break End::Stopped,
            () = sleep_until(until) => break exited.map_or(End::TimedOut, |(status, _)| End::Exited(status)),
            status = running.wait(), if exited.is_none() => match status {
                Ok(status) => exited = Some((status, Instant::now() + LINGER)),
                Err(error) => break End::Lost(error),
            },
            _ = ticks.tick() => {
                let line = capture.last_line();
                if line != shown && let Some(line) = &line {
                    context.progress.line(line);
                }
                shown = line;
            }
            read = output.read(&mut buffer), if open => match read {
                Ok(0) | Err(_) => open = false,
                Ok(length) => capture.push(&buffer[..length]).await,
            },
        }
        if let (Some((status, _)), false) = (exited, open) {
            break End::Exited(status);
        }
    };
    let grace = if matches!(end, End::TimedOut) { TIMEOUT_GRACE } else { STOP_GRACE };
    let left = running.end(grace).await;
    if matches!(end, End::Stopped) {
        return Err(ToolError::Cancelled);
    }
    // What stood in the pipe when everything ended; bounded, because nobody writes any more.
    while open && let Ok(Ok(length @ 1..)) = timeout(LINGER, output.read(&mut buffer)).await {
        capture.push(&buffer[..length]).await;
    }
    Ok(told(&capture.finish().await.text, &end, limit, left))
}

/// The output, and how it ended.
fn told(output: &str, end: &End, limit: Duration, left: usize) -> ToolOutcome {
    let output = output.trim_end();
    let mut text = if output.is_empty() { "(no output)".to_owned() } else { output.to_owned() };
    let success = matches!(end, End::Exited(status) if status.success());
    match end {
        End::Exited(status) => match (status.code(), status.signal()) {
            (Some(0), _) => {}
            (Some(code), _) => text.push_str(&format!("\n\n[exit code {code}]")),
            (None, Some(signal)) => text.push_str(&format!("\n\n[ended by signal {signal}{}]", signal_name(signal))),
            (None, None) => text.push_str("\n\n[ended, nobody knows how]"),
        },
        End::TimedOut => text.push_str(&format!(
            "\n\n[timed out after {} s; it and all that it started was ended. Give a longer `timeout`, or do less at \
             once.]",
            limit.as_secs()
        )),
        End::Lost(error) => text.push_str(&format!("\n\n[it could not be followed to its end: {error}]")),
        End::Stopped => {}
    }
    if left > 0 && matches!(end, End::Exited(_)) {
        text.push_str(&format!("\n\n[{left} left in the background, ended with the command]"));
    }
    ToolOutcome { success, ..ToolOutcome::done(text) }
}

fn signal_name(signal: i32) -> String {
    nix::sys::signal::Signal::try_from(signal).map(|name| format!(", {name}")).unwrap_or_default()
}

#[cfg(test)]
mod tests;
