//! `runs`: what was trained and measured before, what it cost, and which was best. Only reads.
//!
//! Owns the port [`RunBook`], which the registry of runs fills.

use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::agent::tool::{
    Assessment, BadArguments, CallContext, Place, Tool, ToolError, arguments, parameters,
};
use crate::protocol::money::Amount;
use crate::protocol::{Purpose, Run, RunFind, ToolOutcome, ToolSpec};
use crate::text::{count, cut, duration, first_line};

/// Runs that are looked through.
const LOOKED_AT: u32 = 500;
/// Runs that are told.
const TOLD: u32 = 20;
/// Metrics that are told of one run.
const METRICS: usize = 6;

/// The registry of runs.
#[async_trait]
pub trait RunBook: Send + Sync {
    /// Runs, the newest first.
    async fn find(&self, wanted: &RunFind) -> anyhow::Result<Vec<Run>>;
}

/// A registry with nothing in it, where none is kept.
pub struct NoRuns;

#[async_trait]
impl RunBook for NoRuns {
    async fn find(&self, _wanted: &RunFind) -> anyhow::Result<Vec<Run>> {
        Ok(Vec::new())
    }
}

/// The `runs` tool.
pub struct Runs {
    book: Arc<dyn RunBook>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Arguments {
    /// Words that must all be in a run's title, dataset, models, hardware, outcome or people. Empty: the newest.
    #[serde(default)]
    query: String,
    /// Only runs of this session, not of others in its channel.
    #[serde(default)]
    here: bool,
    /// A metric to rank by, as it is named in the runs (`eval_loss`, `accuracy`); a list of the newest if left out.
    #[serde(default)]
    best_by: Option<String>,
    /// Which end of that metric is better. Default: lower for losses, errors and perplexity, else higher.
    #[serde(default)]
    better: Option<Better>,
    /// Runs to give.
    #[serde(default)]
    #[schemars(range(min = 1, max = 20))]
    limit: Option<u32>,
}

/// Which end of a metric is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Better {
    /// More is better.
    Higher,
    /// Less is better.
    Lower,
}

impl Better {
    fn of(metric: &str) -> Self {
        let metric = metric.to_ascii_lowercase();
        let lower = ["loss", "perplexity", "error", "wer", "cer", "mae", "mse", "rmse"];
        if lower.iter().any(|word| metric.contains(word)) { Self::Lower } else { Self::Higher }
    }
}

impl Runs {
    /// Reads from this registry.
    #[must_use]
    pub fn new(book: Arc<dyn RunBook>) -> Self {
        Self { book }
    }
}

#[async_trait]
impl Tool for Runs {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "runs".to_owned(),
            description: "Look up jobs that were run before in this channel: what was trained or \
                          measured, on which dataset and commit, with which metrics, at what cost, by whom, and how \
                          it ended. Answers \"what did we train on X\", \"what did it cost\" and, with `best_by`, \
                          \"which was best\"."
                .to_owned(),
            parameters: parameters::<Arguments>(),
        }
    }

    fn assess(&self, value: &Value, _place: &Place) -> Result<Assessment, BadArguments> {
        let wanted = checked(value)?;
        let words = first_line(&wanted.query, 60);
        Ok(Assessment::reads(if words.is_empty() {
            "Look up earlier runs".to_owned()
        } else {
            format!("Look up runs: {words}")
        }))
    }

    async fn call(&self, value: Value, context: CallContext) -> Result<ToolOutcome, ToolError> {
        let wanted = checked(&value)?;
        let find = RunFind {
            words: wanted.query.clone(),
            session: wanted.here.then(|| context.place.session.clone()),
            channel: context.place.channel.clone(),
            limit: LOOKED_AT,
        };
        let runs = tokio::select! {
            () = context.cancel.cancelled() => return Err(ToolError::Cancelled),
            runs = self.book.find(&find) => runs?,
        };
        Ok(ToolOutcome::done(told(&wanted, runs)))
    }
}

fn checked(value: &Value) -> Result<Arguments, BadArguments> {
    let wanted: Arguments = arguments(value)?;
    match wanted.limit {
        Some(limit) if !(1..=TOLD).contains(&limit) => {
            Err(BadArguments(format!("`limit` must be from 1 to {TOLD}; got {limit}")))
        }
        _ => Ok(wanted),
    }
}

fn told(wanted: &Arguments, mut runs: Vec<Run>) -> String {
    let words = wanted.query.trim();
    if runs.is_empty() {
        return match words {
            "" => "No run is in the registry yet.".to_owned(),
            words => format!("No run has all of these words: {words}. Fewer words find more."),
        };
    }
    let found = runs.len();
    let spent: u64 = runs.iter().filter_map(|run| run.cost).sum();
    let unknown = runs.iter().filter(|run| run.cost.is_none()).count();
    let mut text = format!("{} found, {} in all", count(found, "run"), Amount(spent));
    if unknown > 0 {
        text.push_str(&format!(" (of {unknown} the cost is not known, or they still run)"));
    }
    if found >= LOOKED_AT as usize {
        text.push_str(&format!("; only the newest {LOOKED_AT} were looked at"));
    }
    text.push_str(".\n");
    if let Some(metric) = wanted.best_by.as_deref() {
        let better = wanted.better.unwrap_or_else(|| Better::of(metric));
        let mut ranked: Vec<(f64, Run)> =
            runs.drain(..).filter_map(|run| Some((*run.metrics.get(metric)?, run))).collect();
        ranked.retain(|(value, _)| value.is_finite());
        ranked.sort_by(|one, two| match better {
            Better::Higher => two.0.total_cmp(&one.0),
            Better::Lower => one.0.total_cmp(&two.0),
        });
        if ranked.is_empty() {
            return format!("{text}None of them has the metric `{metric}`.");
        }
        let end = if better == Better::Higher { "highest" } else { "lowest" };
        text.push_str(&format!(
            "Ranked by {metric}, the {end} first; {} of {found} have it. Compare only runs of the same dataset, split \
             and metric.\n",
            ranked.len()
        ));
        runs = ranked.into_iter().map(|(_, run)| run).collect();
    }
    let limit = wanted.limit.unwrap_or(TOLD) as usize;
    for run in runs.iter().take(limit) {
        text.push('\n');
        text.push_str(&one(run));
    }
    if runs.len() > limit {
        text.push_str(&format!("\n[… {} more; name them more closely to see them]", runs.len() - limit));
    }
    text
}

/// A commit, as people write it.
pub(super) fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}

/// One run in some lines.
fn one(run: &Run) -> String {
    let purpose = match run.purpose {
        Purpose::Train => "train",
        Purpose::Evaluate => "evaluate",
        Purpose::Other => "job",
    };
    let day = jiff::Timestamp::from_millisecond(run.started_at.0)
        .map_or_else(|_| "?".to_owned(), |at| at.strftime("%Y-%m-%d %H:%M UTC").to_string());
    let mut lines = vec![format!("- {} [{purpose}, {}] {day}", cut(&run.title, 120), run.outcome)];
    let mut add = |label: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            lines.push(format!("  {label}: {value}"));
        }
    };
    add("model", run.base_model.clone());
    let at = |revision: &Option<String>| {
        revision.as_deref().map_or(String::new(), |it| format!(" @ {}", short(it)))
    };
    add("dataset", run.dataset.as_ref().map(|name| format!("{name}{}", at(&run.dataset_revision))));
    add("result", run.output.as_ref().map(|name| format!("{name}{}", at(&run.output_commit))));
    let metrics: Vec<String> =
        run.metrics.iter().take(METRICS).map(|(name, value)| format!("{name} {value:.4}")).collect();
    let more = run.metrics.len().saturating_sub(METRICS);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    add("metrics", (!metrics.is_empty()).then(|| format!("{}{rest}", metrics.join(", "))));
    let took = run.ended_at.map(|end| duration(end.since(run.started_at).as_secs()));
    let cost = run.cost.map_or_else(|| "cost not known".to_owned(), |cost| Amount(cost).to_string());
    add(
        "cost",
        Some(format!(
            "{cost} on {}{}",
            run.flavour,
            took.map_or(String::new(), |took| format!(" in {took}"))
        )),
    );
    let by = if run.approved_by.is_empty() {
        format!("asked by {}", run.requester)
    } else {
        format!("asked by {}, approved by {}", run.requester, run.approved_by.join(", "))
    };
    add("who", Some(by));
    add("job", Some(run.url.clone()));
    add("thread", run.thread.clone());
    lines.push(String::new());
    lines.join("\n")
}

#[cfg(test)]
#[path = "runs_tests.rs"]
mod tests;
