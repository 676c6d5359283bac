//! What people should know about a script before they pay for it. Pure: from the plan and what was looked up.

use std::collections::BTreeSet;
use std::time::Duration;

use super::plan::{Origin, Plan, Work};
use super::python::packages;
use crate::protocol::{Purpose, Run};
use crate::text::{count, duration};

/// Names of one warning.
const NAMES: usize = 6;
/// Variables that decide where code comes from or tokens go, beside those that [`diverts`] knows by their ends.
const DIVERTING: [&str; 10] = [
    "HF_ENDPOINT",
    "PYTHONPATH",
    "PYTHONSTARTUP",
    "PYTHONHOME",
    "PATH",
    "BASH_ENV",
    "ENV",
    "UV_FIND_LINKS",
    "UV_CONFIG_FILE",
    "SSL_CERT_FILE",
];
/// Libraries that make use of a GPU.
const GPU_LIBRARIES: [&str; 18] = [
    "torch",
    "transformers",
    "trl",
    "accelerate",
    "peft",
    "vllm",
    "unsloth",
    "bitsandbytes",
    "deepspeed",
    "jax",
    "flax",
    "tensorflow",
    "keras",
    "diffusers",
    "lightning",
    "pytorch_lightning",
    "sentence_transformers",
    "cupy",
];

/// What the plan alone says.
#[must_use]
pub fn of_plan(plan: &Plan) -> Vec<String> {
    let mut warnings = Vec::new();
    match &plan.work {
        Work::Address { .. } => warnings.push(
            "The script is at an address: nobody has read it here, and it may change before the job begins."
                .to_owned(),
        ),
        Work::Command => warnings.push(
            "Nobody has read what this command runs: its imports, its push and its time are not checked."
                .to_owned(),
        ),
        Work::Script { from: Origin::Template, .. } => {}
        Work::Script { text, facts, .. } => {
            if facts.trains.is_some() && !facts.pushes {
                warnings.push(
                    "It trains but pushes nothing to the Hub: the job's disk is gone when it ends, and the model with it."
                        .to_owned(),
                );
            }
            let missing = missing(plan);
            if !missing.is_empty() {
                let shown =
                    missing.iter().take(NAMES).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
                let more = missing.len().saturating_sub(NAMES);
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                warnings.push(format!(
                    "It imports {shown}{more}, which no dependency brings: it would fail at the import. A file beside the \
                     script is not on the job's machine."
                ));
            }
            if crate::text::redact_known(text, &[]) != text.as_str() {
                warnings.push(
                    "Something that looks like a secret is written into the script: it will stand in the job's command, \
                     where everybody of the namespace can read it."
                        .to_owned(),
                );
            }
            hardware(plan, &mut warnings);
        }
    }
    let diverting = plan.environment.keys().chain(plan.secrets.keys()).filter(|name| diverts(name));
    warnings.extend(diverting.map(|name| format!("`{name}` changes where code or tokens go.")));
    if !plan.secrets.is_empty() {
        warnings.push(format!(
            "The values of {} stand in this call: who reads the session's record reads them.",
            count(plan.secrets.len(), "secret")
        ));
    }
    if plan.purpose == Purpose::Train && plan.timeout < Duration::from_secs(3_600) {
        warnings.push(format!(
            "The time limit is {}: a training that is not done by then is lost with its disk.",
            duration(plan.timeout.as_secs())
        ));
    }
    warnings
}

/// Whether a variable of this name decides where code comes from or where tokens go.
fn diverts(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    let index_of_uv =
        upper.strip_prefix("UV_").is_some_and(|rest| rest.starts_with("INDEX") || rest.contains("_INDEX"));
    index_of_uv
        || ["PIP_", "LD_"].iter().any(|start| upper.starts_with(start))
        || upper.ends_with("_PROXY")
        || DIVERTING.contains(&upper.as_str())
}

/// Hardware that does not fit the script.
fn hardware(plan: &Plan, warnings: &mut Vec<String>) {
    let Some(facts) = plan.facts() else { return };
    let uses = facts.imports.iter().any(|import| GPU_LIBRARIES.contains(&import.module.as_str()));
    if plan.on_gpu() && !uses && facts.wants_gpu.is_none() {
        warnings.push(format!(
            "Nothing in the script uses a GPU, and `{}` is paid for one: `cpu-upgrade` would do.",
            plan.flavour
        ));
    }
    if let Some(why) = facts.wants_gpu.as_deref().filter(|_| plan.flavour.starts_with("cpu")) {
        warnings
            .push(format!("The script needs a GPU ({why}), and `{}` has none: it would fail.", plan.flavour));
    }
}

/// Modules that are imported and that no dependency brings.
fn missing(plan: &Plan) -> Vec<String> {
    let Some(facts) = plan.facts() else { return Vec::new() };
    let named = plan.dependencies();
    let there: BTreeSet<String> = packages::closure(named.iter().map(String::as_str));
    let lacks = |module: &str| {
        packages::of_module(module).is_some_and(|package| {
            // Several packages share one first name (`google`): any of them may bring it.
            let shared = format!("{}-", module.to_ascii_lowercase().replace('_', "-"));
            !there.contains(&package) && !there.iter().any(|name| name.starts_with(&shared))
        })
    };
    facts.imports.iter().filter(|it| !it.optional && lacks(&it.module)).map(|it| it.module.clone()).collect()
}

/// What earlier runs say about how long this takes.
#[must_use]
pub fn estimate(plan: &Plan, runs: &[Run]) -> Option<Estimate> {
    let took = |run: &Run| run.ended_at.map(|end| end.since(run.started_at).as_secs());
    let good = |run: &&Run| run.outcome == "completed" || run.outcome == "timed out";
    let same = runs.iter().filter(good).find(|run| run.script.as_deref() == Some(plan.digest.as_str()));
    if let Some(run) = same {
        let seconds = took(run)?;
        return Some(Estimate {
            seconds,
            at_least: run.outcome != "completed",
            from: format!("the same script ran on {}", run.flavour),
        });
    }
    let facts = plan.facts()?;
    let (dataset, model) = (facts.datasets.first()?, facts.models.first()?);
    let alike = runs.iter().filter(good).find(|run| {
        run.purpose == plan.purpose
            && run.flavour == plan.flavour
            && run.dataset.as_deref() == Some(dataset.name.as_str())
            && run.base_model.as_deref() == Some(model.as_str())
    })?;
    Some(Estimate {
        seconds: took(alike)?,
        at_least: alike.outcome != "completed",
        from: format!("\"{}\" with the same model, dataset and hardware ran", alike.title),
    })
}

/// How long a job will probably take, and how that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Estimate {
    /// Seconds.
    pub seconds: u64,
    /// Whether it was not done by then.
    pub at_least: bool,
    /// What it rests on.
    pub from: String,
}

impl Estimate {
    /// For people.
    #[must_use]
    pub fn words(&self) -> String {
        let bound = if self.at_least { " and was not done" } else { "" };
        format!("{}: {} for so long before{bound}", duration(self.seconds), self.from)
    }

    /// The warning, if the time limit is too short for it.
    #[must_use]
    pub fn warning(&self, limit: Duration) -> Option<String> {
        let short = limit.as_secs() < self.seconds.saturating_add(self.seconds / 10);
        short.then(|| {
            format!(
                "The time limit of {} is shorter than it will probably take ({}), a tenth of room included.",
                duration(limit.as_secs()),
                self.words()
            )
        })
    }
}

#[cfg(test)]
#[path = "warn_tests.rs"]
mod tests;
