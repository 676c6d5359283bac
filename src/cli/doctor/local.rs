//! Checks on this machine: files, the data folder, the store.

use std::path::Path;

use super::Check;
use crate::clock::Clock;
use crate::config::{Config, Loaded, Outcome, ToolRuntime};
use crate::store::embedded::{Embedded, SCHEMA_VERSION};

/// Which files the configuration came from.
pub(super) fn configuration(loaded: &Loaded) -> Check {
    let read = loaded.files.iter().filter(|file| file.outcome == Outcome::Read);
    let names: Vec<String> = read.map(|file| file.path.display().to_string()).collect();
    let found = if names.is_empty() {
        "no file; defaults, environment and flags".to_owned()
    } else {
        format!("sound; from {}", names.join(", "))
    };
    Check::good("configuration", found)
}

/// Whether tools can act as configured.
pub(super) fn tools(config: &Config) -> Check {
    match config.tool_runtime {
        ToolRuntime::Local if nix::unistd::geteuid().is_root() => Check::warning(
            "tools",
            "they act on this machine, as root: a command may read and change everything, tokens included",
            "run this program as a user of its own, or in a container (deploy/)",
        ),
        ToolRuntime::Local => Check::good("tools", "they act on this machine"),
        ToolRuntime::Sandbox
            if config.models.huggingface.api_key.is_none() && config.hub.tokens.is_empty() =>
        {
            Check::warning(
                "tools",
                "they act in sandboxes on the Hub, and there is no token to make one with",
                "set HF_TOKEN, or let people give their own tokens",
            )
        }
        ToolRuntime::Sandbox => Check::good("tools", "they act in sandboxes on the Hub"),
    }
}

/// Whether the data folder can be written and the store opens.
pub(super) async fn store(config: &Config, clock: &Clock) -> Check {
    let folder = config.data_dir();
    let shown = folder.display().to_string();
    match try_store(&folder, clock.clone()).await {
        Ok(()) => Check::good("store", format!("{shown}, schema version {SCHEMA_VERSION}")),
        Err(error) => Check::failed(
            "store",
            format!("{shown}: {error:#}"),
            "make the folder writable for this user, or name another one (ML_INTERN_DATA_DIR, --data-dir)",
        ),
    }
}

async fn try_store(folder: &Path, clock: Clock) -> anyhow::Result<()> {
    let folder = folder.to_path_buf();
    let store = tokio::task::spawn_blocking(move || Embedded::open(&folder, clock)).await??;
    store.close().await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    #[tokio::test]
    async fn a_folder_that_cannot_be_written_is_named_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.store.data_dir = Some(folder.path().join("data"));
        assert_eq!(store(&config, &Clock::system()).await.state, State::Good);
        let file = folder.path().join("file");
        std::fs::write(&file, "not a folder").unwrap();
        config.store.data_dir = Some(file.join("data"));
        let check = store(&config, &Clock::system()).await;
        assert_eq!(check.state, State::Failed);
        assert!(check.found.contains("file") && check.advice.unwrap().contains("--data-dir"));
    }
}
