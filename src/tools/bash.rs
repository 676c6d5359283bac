//! `bash`: one shell command in the workspace, with nothing left running behind it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::computer::{Computer, End, Local, Ran, Run};
use crate::agent::tool::{
    Assessment, BadArguments, CallContext, Place, Tool, ToolError, arguments, parameters,
};
use crate::config::ToolsConfig;
use crate::protocol::{ToolOutcome, ToolSpec};
use crate::secret::Secret;
use crate::text::first_line;

/// The `bash` tool.
pub struct Bash {
    computer: Arc<dyn Computer>,
    output_cap: usize,
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
    /// On this machine: limits, the process's environment (commands see a small part of it), and secrets to
    /// take out of what is shown.
    #[must_use]
    pub fn new(config: ToolsConfig, environment: &BTreeMap<String, String>, secrets: Vec<Secret>) -> Self {
        let output_cap = config.output_cap_chars;
        Self::on(Arc::new(Local::new(config, environment, secrets)), output_cap)
    }

    /// On that computer; `output_cap` is how many characters of output are shown.
    pub(super) fn on(computer: Arc<dyn Computer>, output_cap: usize) -> Self {
        Self { computer, output_cap }
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
            Some(seconds) if seconds > self.computer.limits().most => {
                let most = self.computer.limits().most;
                Err(BadArguments(format!("`timeout` may be {most} seconds at most; got {seconds}")))
            }
            _ => Ok(bash),
        }
    }
}

#[async_trait]
impl Tool for Bash {
    fn spec(&self) -> ToolSpec {
        let (words, limits) = (self.computer.words(), self.computer.limits());
        ToolSpec {
            name: "bash".to_owned(),
            description: format!(
                "Run a shell command {}. {} It is ended after `timeout` seconds ({} if left out, {} at most). Output \
                 over {} characters is cut in the middle and kept whole in a file. Prefer `read`, `write` and \
                 `edit` for files.",
                words.place, words.commands, limits.usual, limits.most, self.output_cap
            ),
            parameters: parameters::<Arguments>(),
        }
    }

    fn assess(&self, value: &Value, place: &Place) -> Result<Assessment, BadArguments> {
        let bash = self.checked(value)?;
        let aim = self.computer.aim_command(place, bash.work_dir.as_deref().unwrap_or("."))?;
        let title =
            bash.description.as_deref().filter(|text| !text.trim().is_empty()).unwrap_or(&bash.command);
        let assessment = Assessment {
            risk: aim.risk,
            language: "sh".to_owned(),
            alike: aim.alike,
            editable: Some("command".to_owned()),
            ..Assessment::changes(first_line(title, 120))
        };
        Ok(Assessment { preview: bash.command, ..assessment })
    }

    async fn call(&self, value: Value, context: CallContext) -> Result<ToolOutcome, ToolError> {
        let bash = self.checked(&value)?;
        let limit = Duration::from_secs(bash.timeout.unwrap_or(self.computer.limits().usual));
        let folder = bash.work_dir.unwrap_or_else(|| ".".to_owned());
        let run = Run { command: bash.command, folder, limit };
        Ok(match self.computer.run(&context, run).await {
            Ok(ran) => told(&ran, limit),
            Err(trouble) => ToolOutcome::failed(trouble.text("the command", "could not be run")?),
        })
    }
}

/// The output, and how it ended.
fn told(ran: &Ran, limit: Duration) -> ToolOutcome {
    let output = ran.output.trim_end();
    let mut text = if output.is_empty() { "(no output)".to_owned() } else { output.to_owned() };
    match &ran.end {
        End::Code(0) => {}
        End::Code(code) => text.push_str(&format!("\n\n[exit code {code}]")),
        End::Signal(signal) => {
            text.push_str(&format!("\n\n[ended by signal {signal}{}]", signal_name(*signal)));
        }
        End::TimedOut => text.push_str(&format!(
            "\n\n[timed out after {} s; it and all that it started was ended. Give a longer `timeout`, or do less at \
             once.]",
            limit.as_secs()
        )),
        End::Lost(error) => text.push_str(&format!("\n\n[it could not be followed to its end: {error}]")),
    }
    if ran.left > 0 {
        text.push_str(&format!("\n\n[{} left in the background, ended with the command]", ran.left));
    }
    ToolOutcome { success: ran.end == End::Code(0), ..ToolOutcome::done(text) }
}

fn signal_name(signal: i32) -> String {
    nix::sys::signal::Signal::try_from(signal).map(|name| format!(", {name}")).unwrap_or_default()
}

#[cfg(test)]
mod tests;
