//! What a call of `run`, `evaluate` or `scheduled run` would run: pure, but for the script's own file.
//!
//! Owns where a script comes from, and the command that is made of it. The same arguments give the same plan
//! when people are asked and when it runs; if the file has changed in between, the preview has too. Start at
//! [`Plan::of`].

use std::collections::BTreeMap;
use std::io::Read as _;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::arguments::{Arguments, Operation};
use super::command::{self, joined, one_line};
use super::evaluate;
use super::python::{self, Facts};
use crate::agent::tool::{BadArguments, Place};
use crate::clients::hub::jobs::Source;
use crate::protocol::Purpose;
use crate::text::first_line;
use crate::tools::files;
use crate::tools::hardware::DEFAULT_FLAVOUR;
use crate::tools::workspace::{Relation, Target, resolve, shown};

/// The image for scripts.
const UV: &str = "ghcr.io/astral-sh/uv:python3.12-bookworm";
/// The image for commands.
const PYTHON: &str = "python:3.12";
/// Bytes of a script that fit into one argument of a command (the kernel takes 128 KiB, base64 needs a third).
pub const LARGEST: usize = 90_000;
/// Added to every script: faster transfers.
const ALWAYS: &str = "hf-transfer";
/// What would run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// One line for people: what it does.
    pub title: String,
    /// What it is for.
    pub purpose: Purpose,
    /// What it runs in.
    pub source: Source,
    /// The command.
    pub command: Vec<String>,
    /// The command in a line; for a script, the part of it that the script is handed to.
    pub run: String,
    /// Variables.
    pub environment: BTreeMap<String, String>,
    /// Secrets that the caller named, with their values.
    pub secrets: BTreeMap<String, String>,
    /// The hardware.
    pub flavour: String,
    /// How long it may run.
    pub timeout: Duration,
    /// What it is made of.
    pub work: Work,
    /// SHA-256 of script or command, in hex.
    pub digest: String,
}

/// What a job is made of.
#[derive(Debug, Clone)]
pub enum Work {
    /// Python that was read.
    Script {
        /// The code.
        text: String,
        /// Where it comes from.
        from: Origin,
        /// What is known of it.
        facts: Box<Facts>,
        /// Its dependencies as they were given, not what it names itself.
        dependencies: Vec<String>,
    },
    /// Python at an address, which nobody has read.
    Address {
        /// Where.
        url: String,
        /// Its dependencies.
        dependencies: Vec<String>,
    },
    /// A command.
    Command,
}

/// Where a script comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// It stands in the call.
    Inline,
    /// A file of the workspace.
    File(String),
    /// Our own template.
    Template,
}

impl Plan {
    /// What this call would run.
    ///
    /// # Errors
    /// Names the field; for a script that is no Python, the place.
    pub fn of(operation: Operation, arguments: &Arguments, place: &Place) -> Result<Self, BadArguments> {
        let timeout = arguments.time_limit()?;
        let work = work(operation, arguments, place)?;
        let environment = command::environment(arguments)?;
        let (command, run, default_image) = match &work {
            Work::Command => {
                let words = command::plain(&arguments.command)?;
                let run = joined(&words);
                (words, run, PYTHON)
            }
            Work::Address { url, dependencies } => {
                let words = command::uv(arguments, dependencies, url)?;
                let run = joined(&words);
                (words, run, UV)
            }
            Work::Script { text, dependencies, .. } => {
                let words = command::uv(arguments, dependencies, "-")?;
                (command::piped(text, &words), joined(&words), UV)
            }
        };
        let image = arguments.image.as_deref().map(str::trim).filter(|image| !image.is_empty());
        let content = match &work {
            Work::Script { text, .. } => text.clone(),
            Work::Address { url, .. } => url.clone(),
            Work::Command => command.join("\0"),
        };
        let flavour = arguments.hardware_flavor.as_deref().unwrap_or_default().trim().to_ascii_lowercase();
        Ok(Self {
            title: title(arguments, &work),
            purpose: purpose(operation, &work),
            source: Source::read(image.unwrap_or(default_image)),
            command,
            run,
            environment,
            secrets: command::secrets(&arguments.secrets)?,
            flavour: if flavour.is_empty() { DEFAULT_FLAVOUR.to_owned() } else { flavour },
            timeout,
            work,
            digest: hex::encode(Sha256::digest(content.as_bytes())),
        })
    }

    /// What is known of the script, if one was read.
    #[must_use]
    pub fn facts(&self) -> Option<&Facts> {
        match &self.work {
            Work::Script { facts, .. } => Some(facts.as_ref()),
            _ => None,
        }
    }

    /// What people read before they answer, and its language: everything that decides what runs, as comments in
    /// front of the code.
    #[must_use]
    pub fn preview(&self) -> (String, &'static str) {
        let (code, language) = match &self.work {
            Work::Script { text, .. } => (text.as_str(), "python"),
            Work::Address { .. } | Work::Command => (self.run.as_str(), "sh"),
        };
        let text = format!("{}{code}", self.settings());
        (crate::text::redact_known(&text, &[]).into_owned(), language)
    }

    /// What decides beside the code what runs, a comment each.
    fn settings(&self) -> String {
        let mut lines = Vec::new();
        if matches!(self.work, Work::Script { .. }) {
            lines.push(self.run.clone());
        }
        lines.push(match &self.source {
            Source::Image(image) => format!("image {image}"),
            Source::Space(space) => format!("image of the Space {space}"),
        });
        let dependencies = self.dependencies();
        if !dependencies.is_empty() {
            lines.push(format!("dependencies: {}", dependencies.join(", ")));
        }
        // What we set ourselves for readable logs is no news.
        let told =
            |name: &str, value: &str| matches!(self.work, Work::Command) || !command::is_quiet(name, value);
        let given = self.environment.iter().filter(|(name, value)| told(name, value));
        lines.extend(given.map(|(name, value)| format!("env {name}={value}")));
        lines.extend(self.secrets.keys().map(|name| format!("secret {name}")));
        lines.iter().fold(String::new(), |text, line| text + "# " + &one_line(line) + "\n")
    }

    /// Whether the hardware has a GPU.
    #[must_use]
    pub fn on_gpu(&self) -> bool {
        !self.flavour.starts_with("cpu") && !self.flavour.starts_with("inf")
    }

    /// All dependencies by name: given ones, and what the script names itself.
    #[must_use]
    pub fn dependencies(&self) -> Vec<String> {
        let (given, own): (&[String], &[String]) = match &self.work {
            Work::Script { dependencies, facts, .. } => (dependencies, &facts.own_dependencies),
            Work::Address { dependencies, .. } => (dependencies, &[]),
            Work::Command => (&[], &[]),
        };
        let mut all: Vec<String> = own.to_vec();
        for dependency in given {
            if !all.contains(dependency) {
                all.push(dependency.clone());
            }
        }
        all
    }
}

fn work(operation: Operation, arguments: &Arguments, place: &Place) -> Result<Work, BadArguments> {
    if operation == Operation::Evaluate {
        let text = evaluate::script(arguments)?;
        let facts = parsed(&text)?;
        return Ok(Work::Script { text, from: Origin::Template, facts, dependencies: Vec::new() });
    }
    let Some(script) = arguments.script.as_deref().filter(|script| !script.trim().is_empty()) else {
        return Ok(Work::Command);
    };
    let mut dependencies: Vec<String> = Vec::new();
    for dependency in arguments.dependencies.iter().map(|it| it.trim()).chain([ALWAYS]) {
        if dependency.is_empty() || dependency.starts_with('-') || dependency.contains(['\n', '\0']) {
            return Err(BadArguments(format!(
                "`dependencies`: `{}` is no package",
                dependency.escape_debug()
            )));
        }
        if !dependencies
            .iter()
            .any(|known| python::packages::name(known) == python::packages::name(dependency))
        {
            dependencies.push(dependency.to_owned());
        }
    }
    let line = script.trim();
    if line.starts_with("https://") && !line.contains(char::is_whitespace) {
        return Ok(Work::Address { url: line.to_owned(), dependencies });
    }
    if line.starts_with("http://") && !line.contains(char::is_whitespace) {
        return Err(BadArguments("`script`: only https addresses are taken".to_owned()));
    }
    let (text, from) = if is_path(line) {
        (file(line, place)?, Origin::File(line.to_owned()))
    } else {
        (script.to_owned(), Origin::Inline)
    };
    if text.len() > LARGEST {
        return Err(BadArguments(format!(
            "`script`: it has {} bytes, and {LARGEST} fit into a job's command. Put it on the Hub and give its address",
            text.len()
        )));
    }
    let facts = parsed(&text)?;
    Ok(Work::Script { text, from, facts, dependencies })
}

fn parsed(text: &str) -> Result<Box<Facts>, BadArguments> {
    python::read(text).map(Box::new).map_err(|error| BadArguments(format!("`script`: {error}")))
}

/// Whether a script is the path of one.
fn is_path(line: &str) -> bool {
    !line.contains('\n')
        && (["/", "./", "../"].iter().any(|start| line.starts_with(start))
            || line.ends_with(".py") && !line.contains(char::is_whitespace))
}

/// The content of a script in the workspace.
pub(super) fn file(path: &str, place: &Place) -> Result<String, BadArguments> {
    let bad = |why: String| BadArguments(format!("`script`: `{}` {why}", path.escape_debug()));
    let Target { path: real, relation } = resolve(&place.workspace, path)?;
    if !matches!(relation, Relation::Inside | Relation::Internal) {
        return Err(bad("is outside the workspace; give the code itself".to_owned()));
    }
    let name = shown(&place.workspace, &real);
    let (mut opened, about) = files::open(&real).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => bad(format!(
            "is not there (looked for {name} in the workspace on this machine); write it there first, or give the code itself, as for a file in a sandbox"
        )),
        _ => bad(format!("cannot be read: {error}")),
    })?;
    if about.len() > LARGEST as u64 {
        return Err(bad(format!("has {} bytes, and {LARGEST} fit into a job's command", about.len())));
    }
    let mut bytes = Vec::new();
    let room = LARGEST as u64 + 1;
    std::io::Read::take(&mut opened, room)
        .read_to_end(&mut bytes)
        .map_err(|error| bad(format!("cannot be read: {error}")))?;
    String::from_utf8(bytes).map_err(|_| bad("is no text (not UTF-8)".to_owned()))
}

fn title(arguments: &Arguments, work: &Work) -> String {
    let note = arguments.note.as_deref().map(|note| first_line(note, 80)).filter(|note| !note.is_empty());
    if let Some(note) = note {
        return note.into_owned();
    }
    match work {
        Work::Script { from: Origin::Template, .. } => {
            let name = |name: &Option<String>| name.clone().unwrap_or_default();
            format!("Measure {} against {}", name(&arguments.model), name(&arguments.base_model))
        }
        Work::Script { from: Origin::File(path), .. } => format!("Run {path}"),
        Work::Address { url, .. } => format!("Run {}", first_line(url, 80)),
        Work::Script { facts, .. } if facts.trains.is_some() => {
            match (facts.models.first(), facts.datasets.first()) {
                (Some(model), Some(data)) => format!("Train {model} on {}", data.name),
                (Some(model), None) => format!("Train {model}"),
                _ => "Run a training script".to_owned(),
            }
        }
        Work::Script { .. } => "Run a Python script".to_owned(),
        Work::Command => format!("Run {}", first_line(&arguments.command.join(" "), 60)),
    }
}

fn purpose(operation: Operation, work: &Work) -> Purpose {
    match work {
        _ if operation == Operation::Evaluate => Purpose::Evaluate,
        Work::Script { facts, .. } if facts.trains.is_some() => Purpose::Train,
        _ => Purpose::Other,
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
