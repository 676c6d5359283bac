//! The long story: papers, a dataset, a trial in a sandbox, a job that trains, a job that measures, a report.
//!
//! It is told when somebody asks about the reviews on the small Hub. Like the short one it keeps nothing and says
//! of itself that it is a script. The programs that it runs really train and really measure. Start at [`next`].

use serde_json::{Value, json};

use super::super::model::Reply;
use super::past::{Deed, Past};
use super::{EVALUATE_ON_HUB, LABEL, TRAIN_ON_HUB};

/// In every report, so that later turns know that the story was told.
pub(super) const TOLD: &str = "| accuracy on the test split |";
/// The dataset that it is about.
const DATASET: &str = "ml-intern-demo/reviews";
/// Where the model goes.
const MODEL: &str = "ml-intern-demo/reviews-classifier";
/// What it is measured against.
const BASE: &str = "ml-intern-demo/majority-baseline";
/// A few rows and two passes, without a push: does it run at all?
const TRIAL: &str = "python3 -c \"import train; rows = [(train.features(text), label) for text, label in train.rows('train')][:80]; \
                     train.EPOCHS, train.SECONDS, train.LOG_EVERY = 2, 0, 20; train.train(rows[16:], rows[:16]); print('TRIAL WORKS')\"";
/// The tools that it needs.
const TOOLS: [&str; 7] =
    ["plan_tool", "hf_papers", "hf_inspect_dataset", "sandbox_create", "write", "bash", "hf_jobs"];

/// Whether the conversation is about this story, and its tools are there.
pub(super) fn is_meant(past: &Past) -> bool {
    past.ever_asked_about("reviews") && TOOLS.iter().all(|tool| past.offers(tool))
}

fn todos(done: usize) -> (&'static str, Value) {
    let steps = [
        "Find a recipe and look at the data",
        "Try the script in a sandbox",
        "Train, as a job that somebody approves",
        "Measure the model against its base",
        "Report both numbers",
    ];
    let status = |index: usize| match index {
        it if it < done => "completed",
        it if it == done => "in_progress",
        _ => "pending",
    };
    let todos: Vec<Value> = steps
        .iter()
        .enumerate()
        .map(|(index, it)| json!({ "id": (index + 1).to_string(), "content": it, "status": status(index) }))
        .collect();
    ("plan_tool", json!({ "todos": todos }))
}

/// The next step of the story.
pub(super) fn next(past: &Past) -> Reply {
    if past.told {
        return after(past);
    }
    if let Some(end) = super::ended_by_people(past) {
        return end;
    }
    if !past.called("hf_papers") {
        return begin();
    }
    if let Some(reply) = on_the_bench(past) {
        return reply;
    }
    let jobs: Vec<&Deed> = past.deeds_of("hf_jobs").collect();
    let (training, measuring): (Vec<&Deed>, Vec<&Deed>) =
        jobs.into_iter().partition(|deed| deed.arguments["script"] == TRAIN_ON_HUB);
    match (training.last(), measuring.last()) {
        (None, _) => Reply::says("The trial worked. Training is a job that costs money, so I ask.")
            .and_calls([todos(2), train_call()]),
        (Some(job), None) if !pushed(job) => stopped("The training did not push a model", job),
        (Some(_), None) => Reply::says(
            "The model is pushed. Now I measure it against its base on the split that neither has seen.",
        )
        .and_calls([todos(3), measure_call()]),
        (Some(training), Some(measuring)) => match figures(&measuring.result) {
            None => stopped("The measurement printed no figures", measuring),
            Some(_) if !past.plan_is_done() => Reply::calls([todos(5)]),
            Some(figures) => report(&figures, training, measuring),
        },
    }
}

fn begin() -> Reply {
    let words = format!(
        "{LABEL} The tools, the jobs and the numbers are real. I will look for a recipe and at the data, try a script in a \
         sandbox, train with a job once you approve, measure, and report."
    );
    Reply::says(words).and_calls([
        todos(0),
        ("hf_papers", json!({ "operation": "search", "query": "sentiment of short reviews with small models", "limit": 3 })),
        ("hf_inspect_dataset", json!({ "dataset": DATASET, "sample_rows": 2 })),
    ])
}

/// The sandbox and the trial in it; `None` once that is done.
fn on_the_bench(past: &Past) -> Option<Reply> {
    if !past.succeeded("sandbox_create") {
        return Some(match past.failure("sandbox_create") {
            Some(why) => {
                Reply::says(format!("There is no sandbox, so I stop here:\n\n```\n{}\n```", last_words(&why)))
            }
            None => Reply::says("The data fits. Next I try the script on a few rows, in a sandbox.")
                .and_calls([todos(1), ("sandbox_create", json!({}))]),
        });
    }
    if !past.succeeded("write") {
        return Some(match past.failure("write") {
            Some(why) => {
                Reply::says(format!("I could not write the script:\n\n```\n{}\n```", last_words(&why)))
            }
            None => Reply::calls([("write", json!({ "path": "train.py", "content": TRAIN_ON_HUB }))]),
        });
    }
    match past.deeds_of("bash").last() {
        None => Some(Reply::calls([(
            "bash",
            json!({ "command": TRIAL, "description": "Try the script on eighty rows", "timeout": 120 }),
        )])),
        Some(trial) if !trial.result.contains("TRIAL WORKS") => Some(Reply::says(format!(
            "The trial failed, so nothing is trained:\n\n```\n{}\n```",
            last_words(&trial.result)
        ))),
        Some(_) => None,
    }
}

fn train_call() -> (&'static str, Value) {
    (
        "hf_jobs",
        json!({
            "operation": "run",
            "note": "Train the reviews classifier; tried on eighty rows.",
            "script": TRAIN_ON_HUB,
            "hardware_flavor": "cpu-basic",
            "timeout": "10m",
            "env": { "DATASET": DATASET, "HUB_MODEL_ID": MODEL },
        }),
    )
}

fn measure_call() -> (&'static str, Value) {
    (
        "hf_jobs",
        json!({
            "operation": "run",
            "note": "Measure the pushed model and its base.",
            "script": EVALUATE_ON_HUB,
            "hardware_flavor": "cpu-basic",
            "timeout": "5m",
            "env": { "DATASET": DATASET, "HUB_MODEL_ID": MODEL, "BASE_MODEL_ID": BASE },
        }),
    )
}

fn pushed(job: &Deed) -> bool {
    job.result.contains(&format!("pushed {MODEL} at "))
}

fn stopped(what: &str, job: &Deed) -> Reply {
    Reply::says(format!(
        "{what}, so there is nothing to report. The job's last words:\n\n```\n{}\n```",
        last_words(&job.result)
    ))
}

fn last_words(text: &str) -> String {
    let from = text.char_indices().rev().nth(900).map_or(0, |it| it.0);
    text[from..].replace("```", "'''")
}

/// What the measurement printed.
fn figures(output: &str) -> Option<Value> {
    let (_, rest) = output.rsplit_once("EVALUATION ")?;
    let found = serde_json::Deserializer::from_str(rest).into_iter::<Value>().next()?.ok()?;
    found["model"]["accuracy"].is_number().then_some(found)
}

fn report(figures: &Value, training: &Deed, measuring: &Deed) -> Reply {
    let (base, model) = (&figures["base"], &figures["model"]);
    let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    let short = |value: &Value| text(value).chars().take(8).collect::<String>();
    let row = |name: &str, key: &str| format!("| {name} | {} | {} |\n", base[key], model[key]);
    let mut table = "| measure | base | trained |\n|---|---|---|\n".to_owned();
    table.push_str(&row("accuracy on the test split", "accuracy"));
    table.push_str(&row("F1", "f1"));
    let mut lines = vec![
        format!(
            "Data: `{}` at `{}`, {} examples",
            text(&figures["dataset"]),
            short(&figures["dataset_revision"]),
            figures["examples"]
        ),
        format!("Base: `{}`", text(&base["model"])),
        format!("Trained: `{}` at `{}`", text(&model["model"]), short(&model["commit"])),
    ];
    for (what, deed) in [("training", training), ("measuring", measuring)] {
        let url = deed.result.lines().find(|line| line.starts_with("http")).unwrap_or_default();
        let ran = fact(&deed.result, "it ran").unwrap_or_default();
        let approved = fact(&deed.result, "approved by").unwrap_or_default();
        lines.push(format!("[The {what} job]({url}): {ran} {approved}"));
    }
    Reply::says(format!("**Trained and measured.**\n\n{table}\n- {}\n\n_{LABEL}_", lines.join("\n- ")))
}

/// A line of a job's report that begins with this word.
fn fact(output: &str, word: &str) -> Option<String> {
    let line = output.lines().find(|line| line.trim_start().to_lowercase().starts_with(word))?;
    Some(line.trim().to_owned())
}

/// Answers after the report.
fn after(past: &Past) -> Reply {
    let measured = past.deeds_ever("hf_jobs").filter_map(|deed| figures(&deed.result)).last();
    let words = measured.map_or_else(
        || "Nothing was measured.".to_owned(),
        |it| {
            format!(
                "The last measurement gave an accuracy of {} against {} of the base.",
                it["model"]["accuracy"], it["base"]["accuracy"]
            )
        },
    );
    Reply::says(format!(
        "{LABEL} {words} `!runs` lists what was trained and measured here, and what it cost."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_from_the_last_line_that_has_them() {
        let output = "EVALUATION {\"model\": {\"accuracy\": 0.1}}\nmore\n\
                      EVALUATION {\"model\": {\"accuracy\": 0.9}, \"base\": {\"accuracy\": 0.5}}\nend";
        assert_eq!(figures(output).unwrap()["model"]["accuracy"], 0.9);
        assert_eq!(figures("EVALUATION {\"model\": {}}"), None);
        assert_eq!(figures("nothing"), None);
    }

    #[test]
    fn a_line_of_the_report_is_found_by_its_first_word() {
        let report = "Job a/1 completed.\nIt ran for 20 s on cpu-basic and cost $0.01.";
        assert_eq!(fact(report, "it ran").unwrap(), "It ran for 20 s on cpu-basic and cost $0.01.");
        assert_eq!(fact("no such thing", "it ran"), None);
    }
}
