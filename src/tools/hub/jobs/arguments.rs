//! What the model may ask of `hf_jobs`, and which operation it means.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::agent::tool::{BadArguments, arguments};
use crate::tools::hardware::read_timeout;

/// The arguments of `hf_jobs`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    /// What to do.
    #[schemars(with = "Operation")]
    pub operation: String,
    /// One line for the people who are asked: what this job is for, and whether it was tried on a small slice.
    #[serde(default)]
    pub note: Option<String>,
    /// Python to run with uv: the code itself, the path of a file in the workspace, or an https address. Not
    /// together with `command`.
    #[serde(default)]
    pub script: Option<String>,
    /// Packages that the script needs, as pip writes them. What its own `# /// script` block names counts too.
    #[serde(default)]
    pub dependencies: Vec<String>,
    /// Python version for the script, such as `3.12`.
    #[serde(default)]
    pub python: Option<String>,
    /// Arguments for the script.
    #[serde(default)]
    pub script_args: Vec<String>,
    /// Docker image, or the page of a Space whose image is taken. Default: uv with Python 3.12 for a script,
    /// `python:3.12` for a command.
    #[serde(default)]
    pub image: Option<String>,
    /// Command and its arguments, to run in the image as they are. Not together with `script`.
    #[serde(default)]
    pub command: Vec<String>,
    /// Hardware, by its name in the list of the description. Default: `cpu-basic`.
    #[serde(default)]
    pub hardware_flavor: Option<String>,
    /// How long it may run: `90m`, `3h`, `2d`, or seconds. Default: 30m. The price of all of it is set aside.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub timeout: Value,
    /// Environment variables.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub env: BTreeMap<String, Value>,
    /// Secret environment variables. `HF_TOKEN` is there without being named here.
    #[serde(default)]
    pub secrets: BTreeMap<String, String>,
    /// The Space of the trackio dashboard that the script reports to.
    #[serde(default)]
    pub trackio_space_id: Option<String>,
    /// The project on that dashboard.
    #[serde(default)]
    pub trackio_project: Option<String>,
    /// The account or organisation that pays and owns the job. Default: the operator's choice, or your own.
    #[serde(default)]
    pub namespace: Option<String>,
    /// The job, for logs, inspect (a list may be given) and cancel.
    #[serde(default)]
    pub job_id: Option<OneOrMore>,
    /// The scheduled job, for the operations on one.
    #[serde(default)]
    pub scheduled_job_id: Option<String>,
    /// When a scheduled job runs: five fields of cron, or @hourly, @daily, @weekly, @monthly.
    #[serde(default)]
    pub schedule: Option<String>,
    /// ps: all jobs, not only those that run. scheduled ps: suspended ones too.
    #[serde(default)]
    pub all: bool,
    /// ps: only jobs whose stage has this in it.
    #[serde(default)]
    pub status: Option<String>,
    /// evaluate: the model to measure.
    #[serde(default)]
    pub model: Option<String>,
    /// evaluate: the commit of that model.
    #[serde(default)]
    pub model_revision: Option<String>,
    /// evaluate: the model that it started from, to measure in the same way.
    #[serde(default)]
    pub base_model: Option<String>,
    /// evaluate: the dataset to measure on.
    #[serde(default)]
    pub dataset: Option<String>,
    /// evaluate: its configuration, if it has several.
    #[serde(default)]
    pub dataset_config: Option<String>,
    /// evaluate: its commit. Default: the newest one, which is then written down.
    #[serde(default)]
    pub revision: Option<String>,
    /// evaluate: the split to measure on. Default: `test`.
    #[serde(default)]
    pub split: Option<String>,
    /// evaluate: what the model does. Default: `perplexity`.
    #[serde(default)]
    pub task: Option<Task>,
    /// evaluate: the number that is wanted. Default: the task's own (accuracy, perplexity, exact_match).
    #[serde(default)]
    pub metric: Option<Metric>,
    /// evaluate: the column with the text, prompt or question. Default: found by name.
    #[serde(default)]
    pub text_column: Option<String>,
    /// evaluate: the column with the label or the expected answer. Default: found by name.
    #[serde(default)]
    pub label_column: Option<String>,
    /// evaluate: rows to measure on, from the beginning. Default: 500.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100_000))]
    pub max_rows: Option<u32>,
}

/// One name or several.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum OneOrMore {
    /// One.
    One(String),
    /// Several.
    More(Vec<String>),
}

/// What a measured model does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// It gives a text one of some labels.
    TextClassification,
    /// It continues texts: how well it foresees them.
    Perplexity,
    /// It answers prompts: how often exactly as expected.
    ExactMatch,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Share of right labels.
    Accuracy,
    /// Mean F1 over the labels.
    MacroF1,
    /// Exponential of the mean loss a token; lower is better.
    Perplexity,
    /// Share of answers that are exactly as expected.
    ExactMatch,
}

/// What `hf_jobs` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
pub enum Operation {
    /// Begins a job.
    #[schemars(rename = "run")]
    Run,
    /// Measures a model and its base.
    #[schemars(rename = "evaluate")]
    Evaluate,
    /// Lists jobs.
    #[schemars(rename = "ps")]
    Ps,
    /// Gives a job's log.
    #[schemars(rename = "logs")]
    Logs,
    /// Describes jobs.
    #[schemars(rename = "inspect")]
    Inspect,
    /// Ends a job.
    #[schemars(rename = "cancel")]
    Cancel,
    /// Puts a job on a schedule.
    #[schemars(rename = "scheduled run")]
    ScheduledRun,
    /// Lists scheduled jobs.
    #[schemars(rename = "scheduled ps")]
    ScheduledPs,
    /// Describes a scheduled job.
    #[schemars(rename = "scheduled inspect")]
    ScheduledInspect,
    /// Removes a scheduled job.
    #[schemars(rename = "scheduled delete")]
    ScheduledDelete,
    /// Lets a scheduled job rest.
    #[schemars(rename = "scheduled suspend")]
    ScheduledSuspend,
    /// Lets it run again.
    #[schemars(rename = "scheduled resume")]
    ScheduledResume,
}

impl Operation {
    /// All of them with their names.
    pub const ALL: [(Self, &'static str); 12] = [
        (Self::Run, "run"),
        (Self::Evaluate, "evaluate"),
        (Self::Ps, "ps"),
        (Self::Logs, "logs"),
        (Self::Inspect, "inspect"),
        (Self::Cancel, "cancel"),
        (Self::ScheduledRun, "scheduled run"),
        (Self::ScheduledPs, "scheduled ps"),
        (Self::ScheduledInspect, "scheduled inspect"),
        (Self::ScheduledDelete, "scheduled delete"),
        (Self::ScheduledSuspend, "scheduled suspend"),
        (Self::ScheduledResume, "scheduled resume"),
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(operation, _)| *operation == self).map_or("", |(_, name)| name)
    }

    /// From its name, in any case, with any spaces or `_` between its words.
    fn read(text: &str) -> Result<Self, BadArguments> {
        let words = text.to_lowercase().replace(['_', '-'], " ");
        let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
        Self::ALL.iter().find(|(_, name)| *name == words).map(|(operation, _)| *operation).ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|(_, name)| *name).collect();
            BadArguments(format!(
                "`operation` must be one of {}; got `{}`",
                names.join(", "),
                text.escape_debug()
            ))
        })
    }
}

impl Arguments {
    /// Reads and checks them as far as that goes without knowing where they act.
    ///
    /// # Errors
    /// Names the field.
    pub fn read(value: &Value) -> Result<(Operation, Self), BadArguments> {
        let arguments: Self = arguments(value)?;
        let operation = Operation::read(&arguments.operation)?;
        let missing =
            |field: &str| BadArguments(format!("`{field}` is missing: `{}` needs it", operation.name()));
        match operation {
            Operation::Run | Operation::ScheduledRun => {
                let script = arguments.script.as_deref().is_some_and(|script| !script.trim().is_empty());
                match (script, arguments.command.is_empty()) {
                    (true, false) => {
                        return Err(BadArguments("give either `script` or `command`, not both".to_owned()));
                    }
                    (false, true) => {
                        return Err(BadArguments(
                            "give a `script` (Python) or a `command` (with an `image`)".to_owned(),
                        ));
                    }
                    _ => {}
                }
                if operation == Operation::ScheduledRun {
                    check_schedule(arguments.schedule.as_deref().ok_or_else(|| missing("schedule"))?)?;
                }
            }
            Operation::Evaluate => {
                for (field, value) in [
                    ("model", &arguments.model),
                    ("base_model", &arguments.base_model),
                    ("dataset", &arguments.dataset),
                ] {
                    repository(field, value.as_deref().ok_or_else(|| missing(field))?)?;
                }
            }
            Operation::Logs | Operation::Inspect | Operation::Cancel => {
                let ids = arguments.job_ids();
                if ids.is_empty() {
                    return Err(missing("job_id"));
                }
                if ids.len() > 1 && operation != Operation::Inspect || ids.len() > 20 {
                    return Err(BadArguments(
                        "`job_id`: one job here, and 20 at most with `inspect`".to_owned(),
                    ));
                }
                ids.iter().try_for_each(|id| name("job_id", id))?;
            }
            Operation::ScheduledInspect
            | Operation::ScheduledDelete
            | Operation::ScheduledSuspend
            | Operation::ScheduledResume => {
                name(
                    "scheduled_job_id",
                    arguments.scheduled_job_id.as_deref().ok_or_else(|| missing("scheduled_job_id"))?,
                )?;
            }
            Operation::Ps | Operation::ScheduledPs => {}
        }
        if let Some(namespace) = &arguments.namespace {
            name("namespace", namespace)?;
        }
        Ok((operation, arguments))
    }

    /// The jobs that are named.
    #[must_use]
    pub fn job_ids(&self) -> Vec<&str> {
        match &self.job_id {
            None => Vec::new(),
            Some(OneOrMore::One(id)) => vec![id.trim()],
            Some(OneOrMore::More(ids)) => ids.iter().map(|id| id.trim()).collect(),
        }
    }

    /// How long it may run.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn time_limit(&self) -> Result<Duration, BadArguments> {
        read_timeout(&self.timeout).ok_or_else(|| {
            BadArguments(format!("`timeout`: write it as `90m`, `3h`, `2d` or seconds; got {}", self.timeout))
        })
    }
}

/// A name that the Hub could have given.
fn name(field: &str, text: &str) -> Result<(), BadArguments> {
    let text = text.trim();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if text.is_empty() || text.len() > 100 || !text.chars().all(plain) || text.chars().all(|c| c == '.') {
        return Err(BadArguments(format!("`{field}`: `{}` is no name on the Hub", text.escape_debug())));
    }
    Ok(())
}

/// A repository's name.
pub(super) fn repository(field: &str, text: &str) -> Result<(), BadArguments> {
    crate::clients::hub::Repo::parse(crate::clients::hub::RepoKind::Model, text)
        .map(drop)
        .map_err(|why| BadArguments(format!("`{field}`: {why}")))
}

/// Five fields of cron, or one of the names.
fn check_schedule(schedule: &str) -> Result<(), BadArguments> {
    let schedule = schedule.trim();
    let named = ["@hourly", "@daily", "@weekly", "@monthly", "@yearly", "@annually"].contains(&schedule);
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '*' | '/' | ',' | '-');
    let fields: Vec<&str> = schedule.split_whitespace().collect();
    if named || fields.len() == 5 && fields.iter().all(|field| field.chars().all(plain)) {
        return Ok(());
    }
    Err(BadArguments(format!(
        "`schedule`: five fields of cron (`0 9 * * 1`), or @hourly, @daily, @weekly, @monthly; got `{}`",
        schedule.escape_debug()
    )))
}

#[cfg(test)]
#[path = "arguments_tests.rs"]
mod tests;
