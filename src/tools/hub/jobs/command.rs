//! The command of a job, its variables and its secrets, from what the caller gave. Pure.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::arguments::{Arguments, repository};
use crate::agent::tool::BadArguments;

/// Variables that keep logs readable; the caller's win.
const QUIET: [(&str, &str); 6] = [
    ("HF_HUB_DISABLE_PROGRESS_BARS", "1"),
    ("TQDM_DISABLE", "1"),
    ("TRANSFORMERS_VERBOSITY", "warning"),
    ("HF_HUB_ENABLE_HF_TRANSFER", "1"),
    ("UV_NO_PROGRESS", "1"),
    ("PYTHONUNBUFFERED", "1"),
];

/// `uv run` with the dependencies; `what` is the script.
pub(super) fn uv(
    arguments: &Arguments,
    dependencies: &[String],
    what: &str,
) -> Result<Vec<String>, BadArguments> {
    let mut run: Vec<String> = vec!["uv".to_owned(), "run".to_owned()];
    for dependency in dependencies {
        run.extend(["--with".to_owned(), dependency.clone()]);
    }
    if let Some(python) = arguments.python.as_deref().map(str::trim).filter(|python| !python.is_empty()) {
        if !python
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '<' | '>' | '=' | ','))
        {
            return Err(BadArguments(format!("`python`: `{}` is no version", python.escape_debug())));
        }
        run.extend(["--python".to_owned(), python.to_owned()]);
    }
    run.push(what.to_owned());
    for argument in &arguments.script_args {
        if argument.contains('\0') {
            return Err(BadArguments("`script_args` holds a zero byte".to_owned()));
        }
        run.push(argument.clone());
    }
    Ok(run)
}

/// A shell that hands the script to `run` by its input: no quoting can break it.
pub(super) fn piped(script: &str, run: &[String]) -> Vec<String> {
    let line = format!("printf %s {} | base64 -d | {}", STANDARD.encode(script), joined(run));
    vec!["/bin/sh".to_owned(), "-lc".to_owned(), line]
}

/// A command as a line of a shell.
pub(super) fn joined(words: &[String]) -> String {
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

/// In one line, whatever stands in it: nothing can look like a line of its own, or hide.
pub(super) fn one_line(text: &str) -> String {
    let hides = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if hides(c) {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    line
}

/// Whether a variable is one of ours that only keeps logs readable.
pub(super) fn is_quiet(name: &str, value: &str) -> bool {
    QUIET.contains(&(name, value))
}

/// One word of a shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// A command as it was given.
pub(super) fn plain(words: &[String]) -> Result<Vec<String>, BadArguments> {
    if words.first().is_none_or(|first| first.trim().is_empty()) {
        return Err(BadArguments("`command` begins with nothing".to_owned()));
    }
    if words.iter().any(|word| word.contains('\0')) {
        return Err(BadArguments("`command` holds a zero byte".to_owned()));
    }
    if words.iter().map(String::len).max().unwrap_or_default() > 128 * 1024 {
        return Err(BadArguments("`command`: a word of it is longer than 128 KiB".to_owned()));
    }
    Ok(words.to_vec())
}

/// Its variables.
pub(super) fn environment(arguments: &Arguments) -> Result<BTreeMap<String, String>, BadArguments> {
    let mut all = BTreeMap::new();
    // A plain command gets what it asked for and nothing else.
    if arguments.command.is_empty() {
        all.extend(QUIET.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    }
    for (name, value) in &arguments.env {
        variable("env", name)?;
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(flag) => flag.to_string(),
            _ => return Err(BadArguments(format!("`env.{name}` must be text"))),
        };
        all.insert(name.clone(), text);
    }
    for (name, value) in
        [("TRACKIO_SPACE_ID", &arguments.trackio_space_id), ("TRACKIO_PROJECT", &arguments.trackio_project)]
    {
        if let Some(value) = value {
            all.insert(name.to_owned(), value.trim().to_owned());
        }
    }
    if let Some(space) = &arguments.trackio_space_id {
        repository("trackio_space_id", space)?;
    }
    Ok(all)
}

/// Secrets as they were named. A reference to a variable of ours (`$NAME`) is none that could be given.
pub(super) fn secrets(named: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>, BadArguments> {
    let mut all = BTreeMap::new();
    for (name, value) in named {
        variable("secrets", name)?;
        // The token of the account is there anyway.
        if matches!(name.as_str(), "HF_TOKEN" | "HUGGINGFACE_HUB_TOKEN") {
            continue;
        }
        if value.trim().starts_with('$') {
            return Err(BadArguments(format!(
                "`secrets.{name}`: there is no secret to put in place of `{}`; only HF_TOKEN is given by itself",
                value.escape_debug()
            )));
        }
        all.insert(name.clone(), value.clone());
    }
    Ok(all)
}

fn variable(field: &str, name: &str) -> Result<(), BadArguments> {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if name.is_empty() || !plain || name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(BadArguments(format!("`{field}`: `{}` is no name of a variable", name.escape_debug())));
    }
    Ok(())
}
