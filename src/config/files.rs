//! Which files hold configuration, and reading them.
//!
//! Owns the list of places. Never merges and never looks inside a value. Start at
//! [`working_directory`].

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::check::nearest;
use super::error::Problem;
use super::places::{Places, set};
use super::schema;

/// A file that was looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct FileUse {
    /// Where it is.
    pub path: PathBuf,
    /// What became of it.
    pub outcome: Outcome,
    pub(super) layer: Map<String, Value>,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is a layer of the configuration.
    Read,
    /// It has no key of ours and no name of ours: another program's file.
    Foreign,
}

/// The layers of the working directory: `--config`'s file, or every `configs/*.json` in the order of
/// their names. Generated schemas (`*.schema.json`) are no layers; neither are other programs' files,
/// that is, files with a name of their own and not one key of ours.
///
/// # Errors
/// The file of `--config` is missing, or one cannot be read or is not a JSON object.
pub fn working_directory(cwd: &Path, flag: Option<&Path>) -> Result<Vec<FileUse>, Problem> {
    if let Some(flag) = flag {
        return match read(&cwd.join(flag), flag)? {
            Some(file) => Ok(vec![file]),
            None => {
                Err(Problem::file(flag.to_path_buf(), "there is no such file (it was given with --config)"))
            }
        };
    }
    let Ok(entries) = std::fs::read_dir(cwd.join("configs")) else { return Ok(Vec::new()) };
    let mut names: Vec<String> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.ends_with(".json") && !name.ends_with(".schema.json"))
        .collect();
    names.sort();
    let mut files = Vec::new();
    for name in names {
        let shown = Path::new("configs").join(&name);
        match read(&cwd.join(&shown), &shown) {
            Ok(Some(file)) if is_named_ours(&name) || has_key_of_ours(&file.layer) => files.push(file),
            Ok(Some(file)) => {
                files.push(FileUse { outcome: Outcome::Foreign, layer: Map::new(), ..file });
            }
            Ok(None) => {}
            Err(problem) if is_named_ours(&name) => return Err(problem),
            Err(_) => files.push(FileUse { path: shown, outcome: Outcome::Foreign, layer: Map::new() }),
        }
    }
    Ok(files)
}

/// The person's own layer: the file that `ML_INTERN_CLI_CONFIG` names, or else
/// `~/.config/ml-intern/cli_agent_config.json` (ml-intern's name) and then `config.json` over it.
///
/// # Errors
/// The file that `ML_INTERN_CLI_CONFIG` names is missing, or one cannot be read.
pub fn personal(places: &Places, env: &BTreeMap<String, String>) -> Result<Vec<FileUse>, Problem> {
    if let Some(named) = set(env, "ML_INTERN_CLI_CONFIG") {
        let path = places.expand(Path::new(named));
        return match read(&path, &path)? {
            Some(file) => Ok(vec![file]),
            None => Err(Problem::file(path, "there is no such file (ML_INTERN_CLI_CONFIG names it)")),
        };
    }
    let Some(folder) = places.config(env) else { return Ok(Vec::new()) };
    let mut files = Vec::new();
    for name in ["cli_agent_config.json", "config.json"] {
        let path = folder.join(name);
        files.extend(read(&path, &path)?);
    }
    Ok(files)
}

/// The lines of a `.env`; nothing if there is none.
///
/// # Errors
/// A line that cannot be read; its text is not shown, since it may hold a secret.
pub fn dot_env(path: &Path) -> Result<Vec<(String, String)>, Problem> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::IsADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(Problem::file(path.to_path_buf(), format!("it cannot be read: {error}"))),
    };
    dotenvy::from_read_iter(text.as_bytes())
        .map(|line| {
            line.map_err(|error| {
                let at = match &error {
                    dotenvy::Error::LineParse(line, _) => {
                        text.lines().position(|one| one.contains(line.trim())).map(|at| at + 1)
                    }
                    _ => None,
                };
                let line = at.map_or_else(|| "a line".to_owned(), |at| format!("line {at}"));
                Problem::file(
                    path.to_path_buf(),
                    format!("{line} is not NAME=value; put values with spaces or # in quotes"),
                )
            })
        })
        .collect()
}

fn read(path: &Path, shown: &Path) -> Result<Option<FileUse>, Problem> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(FileUse {
            path: shown.to_path_buf(),
            outcome: Outcome::Read,
            layer: parse(shown, &text)?,
        })),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Problem::file(shown.to_path_buf(), format!("it cannot be read: {error}"))),
    }
}

fn is_named_ours(name: &str) -> bool {
    name.starts_with("ml-intern") || matches!(name, "cli_agent_config.json" | "frontend_agent_config.json")
}

/// Whether a file has a key of ours, or one that looks like a slip of the pen.
fn has_key_of_ours(layer: &Map<String, Value>) -> bool {
    let schema = schema::config();
    let known = schema.get("properties").and_then(Value::as_object);
    layer
        .keys()
        .any(|key| known.is_some_and(|known| nearest(key, known.keys().map(String::as_str)).is_some()))
}

/// The values of one file, an object.
fn parse(path: &Path, text: &str) -> Result<Map<String, Value>, Problem> {
    let value: Value = serde_json::from_str(text)
        .map_err(|error| Problem::file(path.to_path_buf(), format!("this is not valid JSON: {error}")))?;
    match value {
        Value::Object(mut map) => {
            map.remove("$schema");
            Ok(map)
        }
        _ => Err(Problem::file(path.to_path_buf(), "a configuration file must hold one JSON object {…}")),
    }
}
