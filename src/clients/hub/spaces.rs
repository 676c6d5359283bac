//! Spaces: made from a template, given secrets, variables and storage, looked at, paused, deleted.
//!
//! Sends what the official client sends. Never decides when a Space is made or ended. Start at
//! [`Hub::duplicate_space`] and [`Hub::space_runtime`].

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::ask::Ask;
use super::{
    Change, Content, Created, Destination, Hub, HubError, NewCommit, NewRepo, Repo, RepoKind, Span,
    Unwatched, Visibility,
};

/// How long a Space's log may be silent before what came so far is taken for all of it.
const SILENCE: Duration = Duration::from_secs(5);
/// Bytes of a small file that are read.
const SMALL: usize = 1024 * 1024;
/// Lines of a log that are read at most.
const LOG_LINES: usize = 20_000;

/// A Space to be made from another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSpace<'a> {
    /// The Space that it is a copy of.
    pub template: &'a str,
    /// Its name, `owner/name`.
    pub space: &'a str,
    /// Who may see it.
    pub visibility: Visibility,
    /// The hardware it runs on.
    pub hardware: &'a str,
    /// After how long without visits it sleeps. The Hub ignores it on free hardware.
    pub sleep: Duration,
}

/// Where a Space stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// Its image is being built, or it starts.
    Coming,
    /// It runs.
    Running,
    /// It sleeps until somebody visits it.
    Asleep,
    /// It was stopped or paused, and stays so.
    Stopped,
    /// It failed: the Hub's own word (`BUILD_ERROR`).
    Failed(String),
    /// It is being deleted.
    Leaving,
}

impl Stage {
    fn of(word: &str) -> Self {
        match word {
            "RUNNING" => Self::Running,
            "SLEEPING" => Self::Asleep,
            "STOPPED" | "PAUSED" => Self::Stopped,
            "DELETING" => Self::Leaving,
            failed if failed.ends_with("_ERROR") => Self::Failed(failed.to_owned()),
            "NO_APP_FILE" => Self::Failed(word.to_owned()),
            // BUILDING, APP_STARTING, and what the Hub may come to call them.
            _ => Self::Coming,
        }
    }
}

/// What a Space is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runtime {
    /// Where it stands.
    pub stage: Stage,
    /// The Hub's own word for that.
    pub word: String,
    /// What it runs on now.
    pub hardware: Option<String>,
    /// What it shall run on.
    pub requested: Option<String>,
    /// What went wrong, in the Hub's words, if it says.
    pub error: Option<String>,
    /// The volumes mounted in it.
    pub volumes: Vec<Volume>,
}

/// A volume mounted in a Space. The fields that are not named here are kept as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume(pub serde_json::Map<String, Value>);

impl Volume {
    /// A bucket, mounted at a path.
    #[must_use]
    pub fn bucket(source: &str, at: &str) -> Self {
        let fields = [("type", "bucket"), ("source", source), ("mountPath", at)];
        Self(fields.map(|(name, value)| (name.to_owned(), Value::from(value))).into_iter().collect())
    }

    /// Where it is mounted.
    #[must_use]
    pub fn at(&self) -> Option<&str> {
        self.0.get("mountPath")?.as_str()
    }

    /// What is mounted.
    #[must_use]
    pub fn source(&self) -> Option<&str> {
        self.0.get("source")?.as_str()
    }
}

#[derive(Deserialize)]
struct RawRuntime {
    stage: String,
    #[serde(default)]
    hardware: Option<RawHardware>,
    #[serde(default, rename = "errorMessage")]
    error: Option<String>,
    #[serde(default)]
    volumes: Option<Vec<serde_json::Map<String, Value>>>,
}

#[derive(Deserialize, Default)]
struct RawHardware {
    #[serde(default)]
    current: Option<String>,
    #[serde(default)]
    requested: Option<String>,
}

#[derive(Deserialize)]
struct Variable {
    #[serde(default)]
    value: Option<String>,
}

/// Which of a Space's logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpaceLog {
    /// Of building its image.
    Build,
    /// Of running it.
    Run,
}

impl Hub {
    /// Where people see a Space.
    #[must_use]
    pub fn space_page(&self, space: &str) -> String {
        super::repo::page(RepoKind::Space, space, self.endpoint())
    }

    /// Makes a Space as a copy of another one.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn duplicate_space(&self, new: &NewSpace<'_>) -> Result<(), HubError> {
        let ask = Ask::post(&["api", "spaces"]).repo(RepoKind::Space, new.template).then("duplicate");
        let body = json!({
            "repository": new.space,
            "visibility": new.visibility.as_str(),
            "hardware": new.hardware,
            "sleepTimeSeconds": new.sleep.as_secs(),
        });
        self.done(&ask.json(&body)).await
    }

    /// Makes a private Space that has no files yet, unless there is one of this name: that one stays as it is.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn create_private_space(&self, space: &str, sdk: &str) -> Result<Created, HubError> {
        let (repo, visibility) = (named(space)?, Visibility::Private);
        self.create(&NewRepo { repo, visibility, sdk: Some(sdk.to_owned()) }).await
    }

    /// Sets a secret, which the Space sees as a variable of its environment. The Space starts again.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn add_space_secret(&self, space: &str, key: &str, value: &str) -> Result<(), HubError> {
        self.done(&of(Ask::post, space, "secrets").json(&json!({ "key": key, "value": value }))).await
    }

    /// Sets a variable of the Space's environment, which everybody who sees the Space can read.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn add_space_variable(&self, space: &str, key: &str, value: &str) -> Result<(), HubError> {
        self.done(&of(Ask::post, space, "variables").json(&json!({ "key": key, "value": value }))).await
    }

    /// The variables of the Space's environment.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn space_variables(&self, space: &str) -> Result<BTreeMap<String, String>, HubError> {
        let found: BTreeMap<String, Variable> = self.json(&of(Ask::get, space, "variables")).await?;
        Ok(found.into_iter().filter_map(|(key, variable)| Some((key, variable.value?))).collect())
    }

    /// What the Space is doing.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn space_runtime(&self, space: &str) -> Result<Runtime, HubError> {
        let raw: RawRuntime = self.json(&of(Ask::get, space, "runtime")).await?;
        let hardware = raw.hardware.unwrap_or_default();
        Ok(Runtime {
            stage: Stage::of(&raw.stage),
            word: raw.stage,
            hardware: hardware.current,
            requested: hardware.requested,
            error: raw.error,
            volumes: raw.volumes.unwrap_or_default().into_iter().map(Volume).collect(),
        })
    }

    /// Sets all volumes of the Space; those that are not named are taken away.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn set_space_volumes(&self, space: &str, volumes: &[Volume]) -> Result<(), HubError> {
        let volumes: Vec<&serde_json::Map<String, Value>> = volumes.iter().map(|volume| &volume.0).collect();
        self.done(&of(Ask::put, space, "volumes").json(&json!({ "volumes": volumes }))).await
    }

    /// Asks for other hardware.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn request_space_hardware(
        &self,
        space: &str,
        flavour: &str,
        sleep: Option<Duration>,
    ) -> Result<(), HubError> {
        let mut body = json!({ "flavor": flavour });
        if let Some(sleep) = sleep {
            body["sleepTimeSeconds"] = json!(sleep.as_secs());
        }
        self.done(&of(Ask::post, space, "hardware").json(&body)).await
    }

    /// Sets after how long without visits it sleeps.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn set_space_sleep(&self, space: &str, sleep: Duration) -> Result<(), HubError> {
        self.done(&of(Ask::post, space, "sleeptime").json(&json!({ "seconds": sleep.as_secs() }))).await
    }

    /// Stops it until somebody of its owners starts it again. Nothing is paid meanwhile.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn pause_space(&self, space: &str) -> Result<(), HubError> {
        self.done(&of(Ask::post, space, "pause")).await
    }

    /// Starts it again.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn restart_space(&self, space: &str) -> Result<(), HubError> {
        self.done(&of(Ask::post, space, "restart")).await
    }

    /// Deletes it with all that is in it. That there is none is as good.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn delete_space(&self, space: &str) -> Result<(), HubError> {
        match self.delete(&named(space)?).await {
            Err(HubError::NotFound { .. }) => Ok(()),
            other => other,
        }
    }

    /// Commits files to its main branch; it is built again.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn commit_to_space(
        &self,
        space: &str,
        summary: &str,
        files: &[(&str, &str)],
    ) -> Result<(), HubError> {
        let put = |(path, text): &(&str, &str)| Change::Put {
            path: (*path).to_owned(),
            content: Content::Bytes(Bytes::copy_from_slice(text.as_bytes())),
        };
        let new = NewCommit {
            repo: named(space)?,
            revision: "main".to_owned(),
            into: Destination::Revision,
            summary: summary.to_owned(),
            description: String::new(),
            parent: None,
            changes: files.iter().map(put).collect(),
        };
        self.commit(&new, &Unwatched).await.map(drop)
    }

    /// A small text file of its main branch; `None` if it has none of this name.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn space_file(&self, space: &str, path: &str) -> Result<Option<String>, HubError> {
        let span = Span { from: 0, at_most: SMALL };
        match self.read_file((&named(space)?, "main"), path, span).await {
            Ok(piece) => Ok(Some(String::from_utf8_lossy(&piece.bytes).into_owned())),
            Err(HubError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The last lines of a log as it is now; it is not followed.
    ///
    /// # Errors
    /// As [`HubError`] says. What came before a stream broke is kept.
    pub async fn space_log(&self, space: &str, log: SpaceLog, last: usize) -> Result<Vec<String>, HubError> {
        let which = if log == SpaceLog::Build { "build" } else { "run" };
        let mut events = self.stream(of(Ask::get, space, "logs").then(which), SILENCE).await?.events();
        let mut lines = std::collections::VecDeque::new();
        for _ in 0..LOG_LINES {
            let Ok(Some(event)) = events.next().await else { break };
            let said: Option<Value> = serde_json::from_str(&event.data).ok();
            let Some(line) = said.as_ref().and_then(|said| said["data"].as_str()) else { continue };
            if lines.len() == last {
                lines.pop_front();
            }
            lines.push_back(line.trim_end().to_owned());
        }
        Ok(lines.into())
    }
}

/// A request about a part of a Space.
fn of(method: fn(&[&str]) -> Ask, space: &str, part: &str) -> Ask {
    method(&["api", "spaces"]).repo(RepoKind::Space, space).then(part)
}

fn named(space: &str) -> Result<Repo, HubError> {
    Repo::parse(RepoKind::Space, space).map_err(HubError::BadName)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_the_hub_has_its_stage() {
        for (word, stage) in [
            ("RUNNING", Stage::Running),
            ("RUNNING_BUILDING", Stage::Coming),
            ("BUILDING", Stage::Coming),
            ("APP_STARTING", Stage::Coming),
            ("SOMETHING_NEW", Stage::Coming),
            ("SLEEPING", Stage::Asleep),
            ("PAUSED", Stage::Stopped),
            ("STOPPED", Stage::Stopped),
            ("DELETING", Stage::Leaving),
            ("BUILD_ERROR", Stage::Failed("BUILD_ERROR".to_owned())),
            ("RUNTIME_ERROR", Stage::Failed("RUNTIME_ERROR".to_owned())),
            ("CONFIG_ERROR", Stage::Failed("CONFIG_ERROR".to_owned())),
            ("NO_APP_FILE", Stage::Failed("NO_APP_FILE".to_owned())),
        ] {
            assert_eq!(Stage::of(word), stage, "{word}");
        }
    }
}
