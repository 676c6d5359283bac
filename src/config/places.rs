//! Where a person's files are on this platform.
//!
//! Owns [`Places`]. Never creates anything.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The folders that configuration is looked for in, and where data goes unless configured.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    /// The person's home.
    pub home: Option<PathBuf>,
    /// Our folder for data on this platform.
    pub data: Option<PathBuf>,
}

impl Places {
    /// As this platform has them.
    #[must_use]
    pub fn of_platform() -> Self {
        Self {
            home: directories::BaseDirs::new().map(|dirs| dirs.home_dir().to_path_buf()),
            data: directories::ProjectDirs::from("", "", "ml-intern")
                .map(|dirs| dirs.data_dir().to_path_buf()),
        }
    }

    /// The folder of the person's configuration: `~/.config/ml-intern` on every platform, unless
    /// `XDG_CONFIG_HOME` says otherwise.
    #[must_use]
    pub fn config(&self, env: &BTreeMap<String, String>) -> Option<PathBuf> {
        let base = set(env, "XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        Some(base.or_else(|| Some(self.home.as_ref()?.join(".config")))?.join("ml-intern"))
    }

    /// The file where the Hub's own login keeps its token.
    #[must_use]
    pub fn hub_token_file(&self, env: &BTreeMap<String, String>) -> Option<PathBuf> {
        if let Some(path) = set(env, "HF_TOKEN_PATH") {
            return Some(self.expand(Path::new(path)));
        }
        let home = match set(env, "HF_HOME") {
            Some(home) => self.expand(Path::new(home)),
            None => match set(env, "XDG_CACHE_HOME") {
                Some(cache) => PathBuf::from(cache).join("huggingface"),
                None => self.home.as_ref()?.join(".cache").join("huggingface"),
            },
        };
        Some(home.join("token"))
    }

    /// Replaces a leading `~`.
    #[must_use]
    pub fn expand(&self, path: &Path) -> PathBuf {
        match (path.strip_prefix("~"), &self.home) {
            (Ok(rest), Some(home)) => home.join(rest),
            _ => path.to_path_buf(),
        }
    }
}

/// A variable that is set to something.
pub(super) fn set<'e>(env: &'e BTreeMap<String, String>, name: &str) -> Option<&'e str> {
    env.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
}
