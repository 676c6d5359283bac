//! Making a sandbox, step by step; what is begun is finished or deleted.
//!
//! Start at [`Sandboxes::make`].

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::book::{Phase, Record};
use super::keep::Sandboxes;
use crate::agent::tool::{CallContext, ToolError};
use crate::clients::hub::spaces::{NewSpace, SpaceLog, Stage};
use crate::clients::hub::{Hub, HubError, Visibility};
use crate::clients::sandbox::{SandboxError, new_key};
use crate::secret::Secret;

/// The server that is put into the Space, and the image that it runs in.
const SERVER: &str = include_str!("server/sandbox_server.py");
const IMAGE: &str = include_str!("server/Dockerfile");
/// Lines of a build's log that are shown when it failed.
const LOG: usize = 30;

/// A sandbox to make.
#[derive(Debug)]
pub(super) struct Wish {
    /// Its hardware.
    pub hardware: String,
    /// Variables of its environment that are no secrets in themselves: where measurements go.
    pub extra: Vec<(&'static str, String)>,
}

/// Why there is no sandbox.
#[derive(Debug)]
pub(super) enum Failure {
    /// For the model.
    Told(String),
    /// The call has no outcome.
    Tool(ToolError),
}

impl From<HubError> for Failure {
    fn from(error: HubError) -> Self {
        Self::Told(error.to_string())
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Tool(error.into())
    }
}

impl Sandboxes {
    /// Makes a sandbox for the session and waits until it answers. When that fails or is stopped, what was begun
    /// is deleted; when the process dies over it, the sweep deletes it.
    pub(super) async fn make(
        self: &Arc<Self>,
        wish: &Wish,
        token: Secret,
        context: &CallContext,
    ) -> Result<Record, Failure> {
        let hub = self.access.of(&context.requester).await;
        let owner = hub.whoami().await?;
        let _turn = tokio::select! {
            turn = self.turn_of(&owner) => turn,
            () = context.cancel.cancelled() => return Err(Failure::Tool(ToolError::Cancelled)),
        };
        let key = new_key()?;
        let space = format!("{owner}/sandbox-{}", self.eight_digits());
        let whose = (&context.place.session, &context.requester);
        let record = Record::intent(space, wish.hardware.clone(), whose, &key, self.clock.now());
        let record = record.holding(&token);
        // Before anything is asked of the Hub: from here on it is not forgotten.
        self.write(record.clone()).await?;
        let made = tokio::select! {
            made = self.build(&record, wish, (&hub, token), context) => made,
            () = context.cancel.cancelled() => Err(Failure::Tool(ToolError::Cancelled)),
        };
        match made {
            Ok(()) => {
                let ready = Record { phase: Phase::Ready, used_at: self.clock.now(), ..record };
                self.write(ready.clone()).await?;
                Ok(ready)
            }
            Err(failure) => {
                self.abandon(record);
                Err(failure)
            }
        }
    }

    /// Eight digits of base 16, as names of sandboxes have them.
    fn eight_digits(&self) -> String {
        use sha2::{Digest, Sha256};
        hex::encode(&Sha256::digest(self.random.id("sandbox"))[..4])
    }

    async fn build(
        &self,
        record: &Record,
        wish: &Wish,
        (hub, token): (&Hub, Secret),
        context: &CallContext,
    ) -> Result<(), Failure> {
        let space = record.space.as_str();
        context.progress.line(&format!("making {space} on {}", wish.hardware));
        let new = NewSpace {
            template: &self.template,
            space,
            visibility: Visibility::Private,
            hardware: &wish.hardware,
            sleep: self.idle,
        };
        hub.duplicate_space(&new).await?;
        // Ours takes the template's place before there is anything to steal; the token comes last.
        context.progress.line("putting its server there");
        let files = [("sandbox_server.py", SERVER), ("Dockerfile", IMAGE)];
        hub.commit_to_space(space, "Setup sandbox server", &files).await?;
        hub.add_space_secret(space, "SANDBOX_API_TOKEN", record.key().reveal()).await?;
        for (name, value) in &wish.extra {
            hub.add_space_secret(space, name, value).await?;
        }
        hub.add_space_secret(space, "HF_TOKEN", token.reveal()).await?;
        self.wait_until_it_runs(hub, record, context).await?;
        self.wait_until_it_answers(record, context).await
    }

    async fn wait_until_it_runs(
        &self,
        hub: &Hub,
        record: &Record,
        context: &CallContext,
    ) -> Result<(), Failure> {
        let (space, begun) = (record.space.as_str(), Instant::now());
        let mut shown = String::new();
        let mut last = None;
        while begun.elapsed() < self.pace.run_within {
            match hub.space_runtime(space).await {
                Ok(runtime) => {
                    let there = runtime.hardware.as_deref().is_none_or(|now| now == record.hardware);
                    match runtime.stage {
                        Stage::Running if there => return Ok(()),
                        Stage::Failed(word) => {
                            return Err(Failure::Told(self.failed(hub, space, &word, runtime.error).await));
                        }
                        Stage::Stopped | Stage::Leaving => {
                            let word = runtime.word;
                            return Err(Failure::Told(format!("somebody else stopped {space} ({word})")));
                        }
                        Stage::Running | Stage::Coming | Stage::Asleep => {}
                    }
                    if shown != runtime.word {
                        shown.clone_from(&runtime.word);
                        let word = runtime.word.to_lowercase().replace('_', " ");
                        context.progress.line(&format!("{word}, {} s", begun.elapsed().as_secs()));
                    }
                }
                // It may not be everywhere yet.
                Err(HubError::NotFound { .. }) => {}
                Err(error) if error.may_pass() => last = Some(error),
                Err(error) => return Err(error.into()),
            }
            sleep(self.pace.look).await;
        }
        let seconds = self.pace.run_within.as_secs();
        let why = match last {
            Some(error) if shown.is_empty() => error.to_string(),
            _ if shown.is_empty() => "the Hub never said what it does".to_owned(),
            _ => format!("it is still {shown}"),
        };
        Err(Failure::Told(format!("{space} did not run within {seconds} s: {why}")))
    }

    /// What went wrong, with the end of the log.
    async fn failed(&self, hub: &Hub, space: &str, word: &str, error: Option<String>) -> String {
        let log = if word == "RUNTIME_ERROR" { SpaceLog::Run } else { SpaceLog::Build };
        let mut told = format!("{space} failed ({word})");
        if let Some(error) = error {
            told.push_str(&format!(": {}", crate::text::cut(&error, 500)));
        }
        let waited = tokio::time::timeout(Duration::from_secs(20), hub.space_log(space, log, LOG)).await;
        if let Ok(Ok(lines)) = waited
            && !lines.is_empty()
        {
            let lines = crate::text::head_and_tail(&lines.join("\n"), 4_000).into_owned();
            told.push_str(&format!("\nThe end of its log:\n{lines}\n"));
        }
        told
    }

    /// Waits until the server answers to the key: only the one that was put there does.
    pub(super) async fn wait_until_it_answers(
        &self,
        record: &Record,
        context: &CallContext,
    ) -> Result<(), Failure> {
        let (sandbox, begun) = (self.line_to(record).await?, Instant::now());
        let mut said = false;
        loop {
            let error = match sandbox.health().await {
                Ok(()) => match sandbox.exists(".").await {
                    Ok(_) => return Ok(()),
                    Err(error) => error,
                },
                Err(error) => error,
            };
            if begun.elapsed() >= self.pace.answer_within {
                let seconds = self.pace.answer_within.as_secs();
                let space = &record.space;
                let why = if error == SandboxError::WrongKey { " (another server runs there)" } else { "" };
                return Err(Failure::Told(format!(
                    "{space} runs, but its server did not answer within {seconds} s{why}: {error}"
                )));
            }
            if !std::mem::replace(&mut said, true) {
                context.progress.line("it runs; waiting for its server");
            }
            sleep(self.pace.knock).await;
        }
    }
}
