//! From files, environment and flags to one [`Config`].
//!
//! Layers, later wins: built-in defaults; `configs/*.json` of the working directory, or the file of
//! `--config` in their place; the person's own file; environment (`.env` fills what is not set);
//! flags. References `${NAME}` are replaced after the files were merged and before the environment
//! is laid over them. Start at [`Config::load`].

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Map, Value};

use super::error::{ConfigError, Origin, Problem};
use super::files::{self, FileUse};
use super::layers::{self, Path, Tree};
use super::places::{Places, set};
use super::variables::{LOCAL_PROVIDERS, Sets, VARIABLES};
use super::{Config, ToolRuntime, check, messaging, schema, validate};
use crate::secret::Secret;

/// Everything that a configuration is made from.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The working directory.
    pub cwd: PathBuf,
    /// The file of `--config`, which stands in for `configs/*.json`.
    pub config_flag: Option<PathBuf>,
    /// The environment.
    pub env: BTreeMap<String, String>,
    /// Where the person's files are.
    pub places: Places,
    /// Flags.
    pub overrides: Overrides,
}

/// Keys that flags set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `--model`.
    pub model: Option<String>,
    /// `--max-iterations`.
    pub max_iterations: Option<i64>,
    /// `--sandbox-tools`.
    pub tool_runtime: Option<ToolRuntime>,
    /// `--data-dir`.
    pub data_dir: Option<PathBuf>,
    /// `--bind`.
    pub bind: Option<String>,
}

/// A configuration, and how it came to be.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// The environment, `.env` included. Holds secrets: never logged, never shown.
    pub environment: BTreeMap<String, String>,
    /// The files that were looked at, in the order of the layers.
    pub files: Vec<FileUse>,
    origins: BTreeMap<Path, Origin>,
}

impl Loaded {
    /// Every key that something set, dotted, with where it came from. All others have their defaults.
    pub fn origins(&self) -> impl Iterator<Item = (String, &Origin)> {
        self.origins.iter().map(|(path, origin)| (layers::dotted(path), origin))
    }

    /// Where one key came from; `None` for a default.
    #[must_use]
    pub fn origin(&self, path: &[&str]) -> Option<&Origin> {
        let path: Path = path.iter().map(|&key| key.to_owned()).collect();
        (0..=path.len()).rev().find_map(|length| self.origins.get(&path[..length]))
    }

    /// The raw environment, from which the bash tool picks what commands may see.
    #[must_use]
    pub fn tool_environment(&self) -> &BTreeMap<String, String> {
        &self.environment
    }

    /// Every text that must not be shown anywhere: configured secrets, and those of the environment.
    #[must_use]
    pub fn secret_values(&self) -> Vec<String> {
        super::secrets::values(&self.config, &self.environment)
    }

    /// The same, as secrets.
    #[must_use]
    pub fn secrets(&self) -> Vec<Secret> {
        self.secret_values().iter().map(|text| Secret::new(text)).collect()
    }

    /// A variable that is set to something.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&str> {
        set(&self.environment, name)
    }
}

impl Config {
    /// Makes the configuration.
    ///
    /// # Errors
    /// Everything that is wrong with files, variables and flags, each with where it came from.
    pub fn load(sources: &Sources) -> Result<Loaded, ConfigError> {
        let mut environment = sources.env.clone();
        for (name, value) in files::dot_env(&sources.cwd.join(".env"))? {
            // A line left empty in a copied example is no setting.
            if !value.is_empty() {
                environment.entry(name).or_insert(value);
            }
        }
        let mut tree = Tree::of_defaults(defaults());
        let mut used = files::working_directory(&sources.cwd, sources.config_flag.as_deref())?;
        used.extend(files::personal(&sources.places, &environment)?);
        for file in &mut used {
            tree.merge(std::mem::take(&mut file.layer), &Origin::File(file.path.clone()));
        }
        let mut problems = tree.substitute(&environment);
        problems.extend(lay_environment(&mut tree, &environment));
        lay_flags(&mut tree, &sources.overrides);
        problems.extend(check::tree(&mut tree, &schema::config()));
        if !problems.is_empty() {
            return Err(ConfigError { problems });
        }
        let mut config = read(&tree)?;
        super::secrets::drop_empty(&mut config);
        let mut origins: BTreeMap<Path, Origin> =
            tree.origins().map(|(path, origin)| (path.clone(), origin.clone())).collect();
        take_login(&mut config, &mut origins, &sources.places, &environment);
        config.store.data_dir =
            config.store.data_dir.map(|dir| sources.cwd.join(sources.places.expand(&dir)));
        let mut problems = validate::config(&config, |path| tree.origin(path).cloned());
        problems.extend(complete_messaging(&mut config, &environment, &tree));
        if problems.is_empty() {
            Ok(Loaded { config, environment, files: used, origins })
        } else {
            Err(ConfigError { problems })
        }
    }

    /// The folder for data: the configured one, or this platform's.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.store
            .data_dir
            .clone()
            .or_else(|| Places::of_platform().data)
            .unwrap_or_else(|| PathBuf::from(".ml-intern"))
    }
}

/// The process's own environment: the only place that reads it. Names and values that are no text
/// are left out.
#[must_use]
pub fn process_environment() -> BTreeMap<String, String> {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    let all = std::env::vars_os();
    all.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))).collect()
}

/// The built-in defaults as a layer; their secrets are all absent.
fn defaults() -> Map<String, Value> {
    match serde_json::to_value(Config::default()) {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

fn lay_environment(tree: &mut Tree, env: &BTreeMap<String, String>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut shared = Vec::new();
    for variable in VARIABLES {
        let Some(text) = set(env, variable.name) else { continue };
        let origin = Origin::Variable(variable.name.to_owned());
        let (path, value) = match variable.sets {
            Sets::Elsewhere => continue,
            Sets::Local(key) => {
                shared.push((key, text, origin));
                continue;
            }
            Sets::Text(path) => (path, Some(Value::from(text))),
            Sets::Number(path) => (path, text.parse::<i64>().ok().map(Value::from)),
            Sets::Flag(path) => (path, flag(text).map(Value::from)),
        };
        match value {
            Some(value) => tree.set(path, value, &origin),
            None => problems.push(Problem {
                origin: Some(origin),
                path: path.join("."),
                message: format!(
                    "{text:?} was given, but {} is expected",
                    match variable.sets {
                        Sets::Number(_) => "a whole number",
                        _ => "true or false",
                    }
                ),
            }),
        }
    }
    for (key, text, origin) in shared {
        for provider in LOCAL_PROVIDERS {
            let path = ["models", provider, key];
            if !tree.is_set(&path) {
                tree.set(&path, Value::from(text), &origin);
            }
        }
    }
    problems
}

/// Reads a switch as ml-intern does.
fn flag(text: &str) -> Option<bool> {
    match text.trim().to_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Some(true),
        "0" | "false" | "no" | "off" => Some(false),
        _ => None,
    }
}

fn lay_flags(tree: &mut Tree, overrides: &Overrides) {
    let text = |path: &PathBuf| Value::from(path.to_string_lossy().into_owned());
    let runtime = |runtime: ToolRuntime| match runtime {
        ToolRuntime::Local => Value::from("local"),
        ToolRuntime::Sandbox => Value::from("sandbox"),
    };
    let flags: [(&'static str, &[&str], Option<Value>); 5] = [
        ("--model", &["model_name"], overrides.model.clone().map(Value::from)),
        ("--max-iterations", &["max_iterations"], overrides.max_iterations.map(Value::from)),
        ("--sandbox-tools", &["tool_runtime"], overrides.tool_runtime.map(runtime)),
        ("--data-dir", &["store", "data_dir"], overrides.data_dir.as_ref().map(text)),
        ("--bind", &["server", "bind"], overrides.bind.clone().map(Value::from)),
    ];
    for (flag, path, value) in flags {
        if let Some(value) = value {
            tree.set(path, value, &Origin::Flag(flag));
        }
    }
}

/// Adds the destination that the environment describes, then checks all of them.
fn complete_messaging(config: &mut Config, env: &BTreeMap<String, String>, tree: &Tree) -> Option<Problem> {
    let messaging = &mut config.messaging;
    messaging.normalise();
    let problem =
        messaging::apply_slack_environment(messaging, env).and_then(|()| messaging.validate()).err()?;
    let path: Path = problem.path.split('.').map(str::to_owned).collect();
    let (origin, path) = match env.contains_key(&problem.path) {
        true => (Some(Origin::Variable(problem.path)), String::new()),
        false => (tree.origin(&path).cloned(), problem.path),
    };
    Some(Problem { origin, path, message: format!("{:?} was given: {}", problem.value, problem.message) })
}

fn read(tree: &Tree) -> Result<Config, ConfigError> {
    serde_path_to_error::deserialize(Value::Object(tree.values().clone())).map_err(|error| {
        let path = error.path().to_string();
        let way: Vec<String> = path.split('.').map(str::to_owned).collect();
        Problem { origin: tree.origin(&way).cloned(), message: error.into_inner().to_string(), path }.into()
    })
}

/// Takes the token that the Hub's own login saved, when nothing else gives one.
fn take_login(
    config: &mut Config,
    origins: &mut BTreeMap<Path, Origin>,
    places: &Places,
    env: &BTreeMap<String, String>,
) {
    if config.models.huggingface.api_key.is_some() {
        return;
    }
    let Some(file) = places.hub_token_file(env) else { return };
    let Ok(text) = std::fs::read_to_string(&file) else { return };
    let token = Secret::new(&text);
    if !token.is_empty() {
        config.models.huggingface.api_key = Some(token);
        let path = ["models", "huggingface", "api_key"].map(str::to_owned).to_vec();
        origins.insert(path, Origin::File(file));
    }
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;
