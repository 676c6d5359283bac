//! What the model is told about jobs: tables, descriptions, refusals. Pure.

use serde_json::{Value, json};

use crate::clients::hub::HubError;
use crate::clients::hub::jobs::{Job, ScheduledJob};
use crate::protocol::ToolOutcome;
use crate::text::{count, cut, redact};

/// Rows of a table.
pub(super) const ROWS: usize = 50;
/// There is nobody's token.
pub(super) const NO_TOKEN: &str = "There is no Hugging Face token for whoever asked, so nobody could pay. They give the bot \
                                   their own with `!token` in a direct message, or the operator sets one up.";

/// Why a job was not begun, in words that say what to do.
pub(super) fn not_begun(error: &HubError, namespace: &str) -> ToolOutcome {
    ToolOutcome::failed(match error {
        HubError::Payment { message, link } => format!(
            "billing_required: the Hub did not begin the job, because `{namespace}` has no credits for jobs left \
             ({message}). Jobs are paid with credits, which a PRO account does not include. Nothing ran and nothing was \
             spent. Tell people to add credits at {link}, then make the same call again; another `namespace` with \
             credits works too."
        ),
        HubError::Unauthorized { .. } => {
            format!("The job was not begun: {error}. The token must be renewed by whoever gave it.")
        }
        HubError::Forbidden { message } => format!(
            "The job was not begun: the token may not run jobs for `{namespace}` ({message}). It needs the permission to \
             write, and to start jobs there."
        ),
        HubError::Limited { .. } => {
            format!("The job was not begun: {error}. Wait a little, then make the same call again.")
        }
        error if error.may_pass() => format!(
            "The Hub gave no clear answer ({error}), and no job of this call is listed for `{namespace}`. Look with `ps` \
             before you try again."
        ),
        error => format!("The job was not begun: {error}"),
    })
}

/// Why something about a job could not be done.
pub(super) fn refused(error: &HubError, what: &str, namespace: &str) -> ToolOutcome {
    ToolOutcome::failed(match error {
        HubError::NotFound { .. } => {
            format!(
                "`{namespace}` has no such job: {what}. `ps` with `all` lists what there is; `namespace` names another owner."
            )
        }
        error => format!("{what}: {error}"),
    })
}

/// A table of jobs.
pub(super) fn jobs(jobs: &[Job], more: bool, of: &str) -> String {
    if jobs.is_empty() {
        return format!("No {of} jobs. `all` lists those that have ended, too.");
    }
    let mut text =
        format!("{}{}:\n\n", count(jobs.len(), "job"), if more { ", and the Hub has more" } else { "" });
    text.push_str("| Job | Name | Image or Space | Command | Hardware | Created | Stage |\n|---|---|---|---|---|---|---|\n");
    for job in jobs.iter().take(ROWS) {
        let image = job.docker_image.as_deref().or(job.space_id.as_deref()).unwrap_or("-");
        let command = redact(&job.command.join(" "), &[]).into_owned();
        text.push_str(&row(&[
            &job.id,
            job.labels.get("name").map_or("-", String::as_str),
            &cut(image, 30),
            &cut(&command, 40),
            &job.flavor,
            &time(job.created_at.as_deref()),
            &job.status.stage,
        ]));
    }
    if jobs.len() > ROWS {
        text.push_str(&format!("[… {} more rows left out; narrow it with `status`]\n", jobs.len() - ROWS));
    }
    text
}

/// A table of scheduled jobs.
pub(super) fn schedules(jobs: &[ScheduledJob], more: bool) -> String {
    if jobs.is_empty() {
        return "No scheduled jobs. `all` lists suspended ones, too.".to_owned();
    }
    let mut text = format!(
        "{}{}:\n\n",
        count(jobs.len(), "scheduled job"),
        if more { ", and the Hub has more" } else { "" }
    );
    text.push_str("| Id | Schedule | Image or Space | Command | Last run | Next run | Suspended |\n|---|---|---|---|---|---|---|\n");
    for job in jobs.iter().take(ROWS) {
        let spec = &job.job_spec;
        let image = spec["dockerImage"].as_str().or(spec["spaceId"].as_str()).unwrap_or("-");
        let words: Vec<&str> =
            spec["command"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let command = redact(&words.join(" "), &[]).into_owned();
        text.push_str(&row(&[
            &job.id,
            &job.schedule,
            &cut(image, 30),
            &cut(&command, 40),
            &time(job.last_run()),
            &time(job.next_run()),
            if job.suspend { "yes" } else { "no" },
        ]));
    }
    if jobs.len() > ROWS {
        text.push_str(&format!("[… {} more rows left out]\n", jobs.len() - ROWS));
    }
    text
}

fn row(cells: &[&str]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace(['|', '\n', '\r'], " ")).collect();
    format!("| {} |\n", cells.join(" | "))
}

/// A time of the Hub to the second.
fn time(text: Option<&str>) -> String {
    match text {
        Some(text) => cut(text, 20).trim_end_matches('…').replace('T', " ").trim_end_matches('.').to_owned(),
        None => "-".to_owned(),
    }
}

/// A job as JSON, with what helps to understand it.
pub(super) fn job(job: &Job, page: &str) -> Value {
    json!({
        "id": job.id,
        "status": { "stage": job.status.stage, "message": job.status.message },
        "command": job.command.iter().map(|word| cut(&redact(word, &[]), 400).into_owned()).collect::<Vec<_>>(),
        "createdAt": job.created_at,
        "startedAt": job.started_at,
        "finishedAt": job.finished_at,
        "dockerImage": job.docker_image,
        "spaceId": job.space_id,
        "hardware_flavor": job.flavor,
        "labels": job.labels,
        "owner": { "name": job.owner.name },
        "page": page,
    })
}

/// A scheduled job as JSON.
pub(super) fn schedule(job: &ScheduledJob) -> Value {
    let spec = &job.job_spec;
    let words: Vec<String> = spec["command"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(|word| cut(&redact(word, &[]), 400).into_owned())
        .collect();
    json!({
        "id": job.id,
        "schedule": job.schedule,
        "suspend": job.suspend,
        "lastRun": job.last_run(),
        "nextRun": job.next_run(),
        "jobSpec": {
            "dockerImage": spec["dockerImage"],
            "spaceId": spec["spaceId"],
            "command": words,
            "hardware_flavor": spec["flavor"],
            "timeout": spec["timeout"],
        },
    })
}

/// A job that is on a schedule now.
pub(super) fn scheduled(job: &ScheduledJob) -> String {
    format!(
        "Scheduled job {} runs {}, next at {}{}. `scheduled inspect` describes it, `scheduled suspend` lets it rest, \
         `scheduled delete` ends it. Nobody watches its runs here: look at them with `ps` and `logs`.",
        job.id,
        job.schedule,
        time(job.next_run()),
        if job.suspend { ", once it is resumed" } else { "" }
    )
}
