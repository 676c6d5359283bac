//! `config check`, `config show`, `config schema`, and reading the configuration for every command.
//!
//! Owns how flags become overrides. Never shows a secret.

use std::path::Path;

use anyhow::Context;
use serde_json::{Value, json};

use super::args::{ConfigCommand, Flags};
use super::exit::Exit;
use super::print_out;
use crate::config::{
    Config, ConfigError, Loaded, Outcome, Overrides, Sources, ToolRuntime, places::Places, schema,
};
use crate::secret::MASK;

/// Loads the configuration for this process.
///
/// # Errors
/// Everything that is wrong with it.
pub fn load(flags: &Flags, bind: Option<String>, cwd: &Path) -> Result<Loaded, ConfigError> {
    Config::load(&Sources {
        cwd: cwd.to_path_buf(),
        config_flag: flags.config.clone(),
        env: crate::config::process_environment(),
        places: Places::of_platform(),
        overrides: Overrides {
            model: flags.model.clone(),
            max_iterations: flags.max_iterations,
            tool_runtime: flags.sandbox_tools.then_some(ToolRuntime::Sandbox),
            data_dir: flags.data_dir.clone(),
            bind,
        },
    })
}

/// Says what is wrong with the configuration.
#[must_use]
pub fn refusal(error: &ConfigError) -> String {
    let problems: String = error.problems.iter().map(|problem| format!("  {problem}\n")).collect();
    format!("The configuration cannot be used:\n{problems}`ml-intern config schema` describes every key.")
}

/// Does one of the `config` commands.
///
/// # Errors
/// Standard output is gone.
pub fn run(what: ConfigCommand, loaded: Result<Loaded, ConfigError>, flags: &Flags) -> anyhow::Result<Exit> {
    if matches!(what, ConfigCommand::Schema) {
        print_out(&format!("{}\n", schema_text()?))?;
        return Ok(Exit::Finished);
    }
    let loaded = match loaded {
        Ok(loaded) => loaded,
        Err(error) if flags.json => {
            let problems: Vec<String> = error.problems.iter().map(ToString::to_string).collect();
            print_out(&format!("{}\n", json!({ "ok": false, "problems": problems })))?;
            return Ok(Exit::Usage);
        }
        Err(error) => {
            eprintln!("{}", refusal(&error));
            return Ok(Exit::Usage);
        }
    };
    match what {
        ConfigCommand::Check if flags.json => {
            print_out(&format!("{}\n", json!({ "ok": true, "problems": [] })))?;
        }
        ConfigCommand::Check => print_out(&check(&loaded))?,
        ConfigCommand::Show { origins: true } => {
            let lines = loaded.origins().map(|(path, origin)| format!("{path}  <-  {origin}\n"));
            print_out(&lines.collect::<String>())?;
        }
        ConfigCommand::Show { origins: false } => print_out(&format!("{}\n", show(&loaded)?))?,
        ConfigCommand::Schema => {}
    }
    Ok(Exit::Finished)
}

/// The schema, as `configs/ml-intern.schema.json` holds it.
///
/// # Errors
/// Never in practice: a schema is plain JSON.
pub fn schema_text() -> anyhow::Result<String> {
    serde_json::to_string_pretty(&schema::config()).context("the schema could not be written")
}

fn check(loaded: &Loaded) -> String {
    let mut said = String::new();
    for file in &loaded.files {
        let note = match file.outcome {
            Outcome::Read => "",
            Outcome::Foreign => "  (not read: it has no key of ours)",
        };
        said.push_str(&format!("{}{note}\n", file.path.display()));
    }
    if loaded.files.is_empty() {
        said.push_str("No configuration file; defaults, environment and flags only.\n");
    }
    said.push_str("The configuration is sound.\n");
    said
}

/// The configuration as JSON, with every secret masked, those inside texts included.
fn show(loaded: &Loaded) -> anyhow::Result<String> {
    let mut value = serde_json::to_value(&loaded.config)?;
    let secrets = loaded.secret_values();
    mask(&mut value, &secrets);
    Ok(serde_json::to_string_pretty(&value)?)
}

fn mask(value: &mut Value, secrets: &[String]) {
    match value {
        Value::String(text) => {
            for secret in secrets {
                if text.contains(secret.as_str()) {
                    *text = text.replace(secret.as_str(), MASK);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| mask(item, secrets)),
        Value::Object(map) => map.iter_mut().for_each(|(_, value)| mask(value, secrets)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
