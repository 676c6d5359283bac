//! What is the matter with a sandbox that does not answer, as the Hub tells it.
//!
//! Start at [`Sandboxes::explain`].

use super::book::Record;
use super::keep::Sandboxes;
use crate::clients::hub::HubError;
use crate::clients::hub::spaces::Stage;
use crate::clients::sandbox::SandboxError;

impl Sandboxes {
    /// Whether the account of the token in use owns the Space. To another one it does not seem to exist.
    pub(super) async fn owned(&self, record: &Record) -> Result<bool, HubError> {
        let account = self.hub_of(record).await.account().await?;
        let owner = record.space.split_once('/').map_or("", |(owner, _)| owner);
        Ok(account.namespaces().contains(&owner))
    }

    /// What is the matter with a sandbox whose Space the Hub does not know, in sentences for the model. It is struck
    /// out if it is gone, and not only out of sight.
    pub(super) async fn missing(&self, record: &Record) -> String {
        let space = &record.space;
        match self.owned(record).await {
            Ok(true) => {
                if let Err(error) = self.strike(record).await {
                    tracing::warn!(error = format!("{error:#}"), "a sandbox that is gone stays written down");
                }
                format!(
                    "The sandbox {space} is gone, and its files with it. Call `sandbox_create` to make a new one."
                )
            }
            Ok(false) => format!(
                "The sandbox {space} cannot be seen: the token of the Hub has changed since it was made, and this one \
                 is another account's. It is there again with a token of the old account."
            ),
            Err(error) => format!(
                "The Hub shows no sandbox {space}, nor did it say whose account this is ({error}). Try again in a \
                 minute."
            ),
        }
    }

    /// What is the matter with a sandbox that did not answer, in sentences for the model. One that is gone is
    /// struck out.
    pub(in crate::tools) async fn explain(&self, record: &Record, error: &SandboxError) -> String {
        let space = &record.space;
        match self.hub_of(record).await.space_runtime(space).await {
            Err(HubError::NotFound { .. }) => self.missing(record).await,
            Err(other) => {
                format!("The sandbox {space} did not answer ({error}); nor did the Hub say why ({other}).")
            }
            Ok(runtime) => match runtime.stage {
                Stage::Running => {
                    format!("The sandbox {space} runs, but did not answer ({error}). Try once more.")
                }
                Stage::Asleep | Stage::Coming => {
                    format!("The sandbox {space} is starting ({}). Try again in a minute.", runtime.word)
                }
                Stage::Stopped | Stage::Leaving => format!(
                    "The sandbox {space} was stopped on the Hub ({}). Its owner can start it there, or delete it there.",
                    runtime.word
                ),
                Stage::Failed(_) => format!(
                    "The sandbox {space} is out of order ({}{}). Call `sandbox_create`.",
                    runtime.word,
                    runtime.error.map_or_else(String::new, |error| format!(": {error}"))
                ),
            },
        }
    }
}
