//! The demonstration: a scripted model that trains something small with the real tools.
//!
//! Asked about the reviews on the small Hub it tells a longer story, with papers, a sandbox and jobs
//! ([`engineer`]). It says of itself that it is a script. It keeps nothing: what comes next is read from the
//! conversation in the request, so it survives restarts as the bot does. Start at [`next`].

pub mod engineer;
mod past;

use std::time::Duration;

use serde_json::{Value, json};

use super::model::{Reply, Usage};
use past::{Outcome, Past, Run};

/// The program that the story writes and runs.
pub const PROGRAM: &str = include_str!("train.py");
/// Trains on the small Hub's reviews and pushes the model there. Its environment sets `HUB_MODEL_ID`, `DATASET`,
/// `DATASET_REVISION`, `EPOCHS`, `LEARNING_RATE`, and in `PACE_SECONDS` how long it takes at least.
pub const TRAIN_ON_HUB: &str = include_str!("reviews_train.py");
/// Measures the pushed model and its base on the test split: `HUB_MODEL_ID`, `BASE_MODEL_ID`, `DATASET`,
/// `DATASET_REVISION`, `PACE_SECONDS`. Its last line is `EVALUATION` and a JSON object.
pub const EVALUATE_ON_HUB: &str = include_str!("reviews_eval.py");
/// Banner of the page while the story plays.
pub const NOTICE: &str = "No model key is set: a scripted demonstration answers. No model is thinking.";
/// How the story names itself in every report.
const LABEL: &str = "This is a scripted demonstration, no model is thinking.";
/// In every report, so that later turns know that the story was told.
pub(super) const TOLD: &str = "| test accuracy |";

/// The next reply to this chat-completions request.
#[must_use]
pub fn next(request: &Value) -> Reply {
    let past = Past::read(request);
    let reply = match past.missing_tools() {
        None if engineer::is_meant(&past) => engineer::next(&past),
        Some(missing) if past.offers_nothing() => {
            Reply::says(format!("{LABEL} Summary of what happened so far: {missing}."))
        }
        Some(missing) => {
            Reply::says(format!("{LABEL} It needs the tools {missing}, which are not offered here."))
        }
        None if past.told => follow_up(&past),
        None => training(&past),
    };
    let words = request.to_string().len() as u64 / 4;
    let usage = Usage { prompt: words, completion: 40, cached: words / 2 };
    reply.in_pieces(14).slowly(Duration::from_millis(25)).using(usage)
}

fn todos(done: usize, working: bool) -> Value {
    let steps =
        ["Write a small training script", "Run it, after somebody approves", "Report the measured numbers"];
    let status = |index: usize| match index {
        it if it < done => "completed",
        it if it == done && working => "in_progress",
        _ => "pending",
    };
    let todos = steps.iter().enumerate();
    json!({"todos": todos.map(|(index, it)| json!({"id": (index + 1).to_string(), "content": it, "status": status(index)}))
        .collect::<Vec<_>>()})
}

fn run_call() -> (&'static str, Value) {
    (
        "bash",
        json!({"command": "python3 train.py", "description": "Train the classifier and print its metrics", "timeout": 120}),
    )
}

/// The story itself: plan, write, run, read, report.
fn training(past: &Past) -> Reply {
    if let Some(end) = ended_by_people(past) {
        return end;
    }
    if !past.called("plan_tool") {
        let words = format!(
            "{LABEL} The tools and their results are real. I will train a tiny sentiment classifier in plain Python: \
             write the script, run it once you approve, and report what was measured."
        );
        return Reply::says(words).and_calls([("plan_tool", todos(0, true))]);
    }
    if past.offers("sandbox_create") && !past.succeeded("sandbox_create") {
        return match past.failure("sandbox_create") {
            Some(why) => {
                Reply::says(format!("There is no sandbox to work in, so I stop here:\n\n```\n{why}\n```"))
            }
            None => Reply::calls([("sandbox_create", json!({}))]),
        };
    }
    if !past.succeeded("write") {
        return match past.failure("write") {
            Some(why) => {
                Reply::says(format!("I could not write the script, so I stop here:\n\n```\n{why}\n```"))
            }
            None => Reply::calls([("write", json!({"path": "train.py", "content": PROGRAM}))]),
        };
    }
    match past.run() {
        Run::None => Reply::says("The script is written. Running a command needs somebody's approval.")
            .and_calls([("plan_tool", todos(1, true)), run_call()]),
        Run::Failed(output) => failed(&output),
        Run::Measured(_) if !past.succeeded("read") && past.failure("read").is_none() => {
            Reply::calls([("plan_tool", todos(2, true)), ("read", json!({"path": "metrics.json"}))])
        }
        Run::Measured(_) if !past.plan_is_done() => Reply::calls([("plan_tool", todos(3, false))]),
        Run::Measured(metrics) => report(&metrics, None),
    }
}

/// A rejection, or a word that says to leave it.
fn ended_by_people(past: &Past) -> Option<Reply> {
    if let Some(why) = past.rejected() {
        let words = format!(
            "I did not run it. {why}\n\nThe script is in the workspace as `train.py`. Say “go on” and I ask again."
        );
        return Some(Reply::says(words.replace("\n\n\n", "\n\n")));
    }
    past.told_to_leave_it().then(|| Reply::says("All right, I leave it there. Nothing else was run."))
}

fn failed(output: &str) -> Reply {
    let missing =
        output.contains("python3") && (output.contains("not found") || output.contains("No such file"));
    if missing {
        return Reply::says(
            "The command failed because `python3` is not installed here. Install Python 3 and say “go on”.",
        );
    }
    let from = output.char_indices().rev().nth(800).map_or(0, |it| it.0);
    let tail = output[from..].replace("```", "'''");
    Reply::says(format!(
        "The command ended without printing metrics, so there is nothing to report. Its last words:\n\n```\n{tail}\n```"
    ))
}

fn report(metrics: &Value, before: Option<&Value>) -> Reply {
    let rows = ["learning_rate", "epochs", "loss", "train_accuracy", "test_accuracy", "seconds"];
    let head = if before.is_some() {
        "| measure | before | now |\n|---|---|---|\n"
    } else {
        "| measure | value |\n|---|---|\n"
    };
    let mut table = head.to_owned();
    for row in rows {
        let name = row.replace('_', " ");
        match before {
            Some(before) => table.push_str(&format!("| {name} | {} | {} |\n", before[row], metrics[row])),
            None => table.push_str(&format!("| {name} | {} |\n", metrics[row])),
        }
    }
    let verdict = match before
        .and_then(|it| Some(metrics["test_accuracy"].as_f64()? - it["test_accuracy"].as_f64()?))
    {
        Some(change) => format!("Test accuracy changed by {change:+.4}."),
        None => "These numbers come from the run above; `metrics.json` holds them too.".to_owned(),
    };
    Reply::says(format!("**Training finished.** {verdict}\n\n{table}\n_{LABEL}_"))
}

/// After the report: run again with another learning rate, or answer from what was measured.
fn follow_up(past: &Past) -> Reply {
    if let Some(end) = ended_by_people(past) {
        return end;
    }
    if !past.wants_another_run() {
        let measured = past.measured_before().map_or_else(String::new, |it| {
            format!(
                " The last run reached a test accuracy of {} with a learning rate of {}.",
                it["test_accuracy"], it["learning_rate"]
            )
        });
        let words = format!(
            "{LABEL}{measured} I can run it again with another learning rate: say “try another learning rate”."
        );
        return Reply::says(words);
    }
    let Outcome::Done(program) = past.outcome("read") else {
        return match past.failure("read") {
            Some(why) => Reply::says(format!("I could not read `train.py` again:\n\n```\n{why}\n```")),
            None => Reply::calls([("read", json!({"path": "train.py"}))]),
        };
    };
    let Some(rate) = past::learning_rate(&program) else {
        return Reply::says("`train.py` has no line `LEARNING_RATE = …` any more, so I leave it as it is.");
    };
    if !past.succeeded("edit") {
        if let Some(why) = past.failure("edit") {
            return Reply::says(format!("The edit did not go through:\n\n```\n{why}\n```"));
        }
        let next = if rate == "0.1" { "0.01" } else { "0.1" };
        let (old, new) = (format!("LEARNING_RATE = {rate}"), format!("LEARNING_RATE = {next}"));
        let words = format!("I change the learning rate from {rate} to {next} and run it again.");
        return Reply::says(words)
            .and_calls([("edit", json!({"path": "train.py", "old_str": old, "new_str": new}))]);
    }
    match past.run() {
        Run::None => Reply::calls([run_call()]),
        Run::Failed(output) => failed(&output),
        Run::Measured(metrics) => report(&metrics, past.measured_before().as_ref()),
    }
}

#[cfg(test)]
mod reviews_tests;
#[cfg(test)]
mod tests;
