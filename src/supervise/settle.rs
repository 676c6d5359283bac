//! The end of a job: in words for the agent, and as a line of the registry.
//!
//! Pure. A job that did not complete is a failure, whatever its log says.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use super::figures::{short, span};
use super::memo::Memo;
use super::view::{self, alarm_line};
use crate::clients::hub::jobs::labels;
use crate::clock::Timestamp;
use crate::protocol::money::dollars;
use crate::protocol::{JobWork, Operation, OperationId, OperationKind, Purpose, Run, Stage, Ticket};

/// Characters of the log's end that the agent gets.
pub const TAIL: usize = 6_000;
/// Metrics that are summed up.
const METRICS: usize = 16;

/// The operation that tells the session.
#[must_use]
pub fn operation(ticket: &Ticket, job: &JobWork, memo: &Memo, (log, now): (&str, Timestamp)) -> Operation {
    Operation {
        // One per ticket: a crash between pushing and closing repeats nothing.
        id: OperationId(format!("settle:{}", ticket.id)),
        session: ticket.session.clone(),
        origin: ticket.origin.clone(),
        actor: ticket.requester.clone(),
        at: now,
        kind: OperationKind::Settle {
            ticket: ticket.id.clone(),
            output: output((job, &ticket.approved_by), memo, log, now),
            success: memo.stage() == Stage::Completed,
            cost: memo.cost(job.price, now),
        },
    }
}

/// What the agent reads.
#[must_use]
pub fn output((job, approved_by): (&JobWork, &[String]), memo: &Memo, log: &str, now: Timestamp) -> String {
    let id = memo.job.as_ref().unwrap_or(&job.job_id);
    let mut text = format!("Job {}/{id} {}", job.namespace, outcome(memo));
    if let Some(message) = &memo.run.message {
        let _ = write!(text, " The Hub says: {}", crate::text::cut(message, 500));
    }
    let _ = write!(text, "\n{}", view::url(job, memo));
    let ran = memo.billed_s(now).map(|seconds| span(Duration::from_secs(seconds)));
    let ran = ran.map_or_else(|| "for an unknown time".to_owned(), |ran| format!("for {ran}"));
    let cost = memo.cost(job.price, now).map_or_else(|| "an unknown sum".to_owned(), dollars);
    let _ = write!(text, "\nIt ran {ran} on {} and cost {cost}.", job.flavour);
    if memo.earlier > 0 {
        let _ = write!(
            text,
            " (With {} before it that ran out of time.)",
            crate::text::count(memo.earlier as usize, "job")
        );
    }
    let measured = job.output.as_deref().filter(|_| job.purpose == Purpose::Evaluate);
    let known = [
        ("Measured", joined(measured, revision(job))),
        ("Dataset", joined(job.dataset.as_deref(), job.dataset_revision.as_deref())),
        ("Base model", job.base_model.clone()),
        ("Approved by", Some(approved_by.join(", ")).filter(|names| !names.is_empty())),
    ];
    for (label, value) in known.into_iter().filter_map(|(label, value)| Some((label, value?))) {
        let _ = write!(text, "\n{label}: {}", crate::text::cut(&value, 300));
    }
    // What an evaluation measures is not its result.
    if let (Some(repo), Some(commit), None) = (&job.output, &memo.commit, measured) {
        let _ = write!(text, "\nIts result: {repo}, whose newest commit is {commit}.");
    }
    let metrics = metric_lines(memo);
    if !metrics.is_empty() {
        let _ = write!(text, "\n\nMetrics in its log:\n{metrics}");
    }
    if !memo.alarms.raised.is_empty() {
        text.push_str("\n\nAlarms while it ran:");
        for alarm in &memo.alarms.raised {
            let _ = write!(text, "\n- {}", alarm_line(alarm));
            if !alarm.excerpt.is_empty() {
                let _ = write!(text, "\n{}", indented(&alarm.excerpt));
            }
        }
    }
    if log.trim().is_empty() {
        text.push_str("\n\nIts log is empty.");
    } else {
        let _ = write!(
            text,
            "\n\nThe end of its log ({} lines in all; read more with `hf_jobs`, operation `logs`, job_id `{id}`):\n{}",
            memo.point.lines,
            log.trim_end()
        );
    }
    text
}

fn joined(repo: Option<&str>, revision: Option<&str>) -> Option<String> {
    Some(match revision {
        Some(revision) => format!("{} at {revision}", repo?),
        None => repo?.to_owned(),
    })
}

/// The revision of the model that an evaluation measures, if it was named.
fn revision(job: &JobWork) -> Option<&str> {
    job.labels.get(labels::REVISION).map(String::as_str)
}

/// The commit that the registry keeps with the job's model: of a training the newest of its result, of an
/// evaluation the one that it measured.
fn commit(job: &JobWork, memo: &Memo) -> Option<String> {
    if job.purpose != Purpose::Evaluate {
        return memo.commit.clone();
    }
    let whole = |revision: &&str| revision.len() == 40 && revision.chars().all(|c| c.is_ascii_hexdigit());
    revision(job).filter(whole).map(str::to_owned)
}

fn outcome(memo: &Memo) -> String {
    match memo.stage() {
        Stage::Completed => "completed.".to_owned(),
        Stage::Failed => "FAILED.".to_owned(),
        Stage::TimedOut => {
            "was ended because its time was up. What it had not pushed by then is lost.".to_owned()
        }
        Stage::Stopped | Stage::Stopping => match &memo.stop {
            Some(name) => format!("was stopped by {name}. What it had not pushed by then is lost."),
            None => "was cancelled on the Hub. What it had not pushed by then is lost.".to_owned(),
        },
        Stage::Vanished => "is not known to the Hub any more: it was deleted, or its end was never seen. \
                            Whether it did its work is unknown."
            .to_owned(),
        Stage::Queued | Stage::Running => "is not followed any more.".to_owned(),
    }
}

fn metric_lines(memo: &Memo) -> String {
    let number = |value: Option<f64>| value.map_or_else(|| "none".to_owned(), short);
    let line = |it: &super::metrics::Summary| {
        let mut line = format!("- {}: last {}", it.name, number(it.last));
        if it.count > 1 {
            let _ = write!(
                line,
                " (first {}, lowest {}, highest {}, {} values)",
                number(it.first),
                number(it.lowest),
                number(it.highest),
                it.count
            );
        }
        if it.broken > 0 {
            let _ = write!(line, "; {} of them NaN or infinite", it.broken);
        }
        line
    };
    memo.track.latest(METRICS).into_iter().map(line).collect::<Vec<_>>().join("\n")
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

/// The job as the registry keeps it.
#[must_use]
pub fn run(ticket: &Ticket, job: &JobWork, memo: &Memo, now: Timestamp) -> Run {
    let over = memo.run.stage.is_some_and(Stage::is_over);
    let metrics: BTreeMap<String, f64> =
        memo.track.metrics.iter().filter_map(|it| Some((it.name.clone(), it.last?))).collect();
    Run {
        id: ticket.id.clone(),
        session: ticket.session.clone(),
        channel: ticket.origin.channel.clone(),
        thread: None,
        title: job.title.clone(),
        purpose: job.purpose,
        url: view::url(job, memo),
        flavour: job.flavour.clone(),
        namespace: job.namespace.clone(),
        script: job.script.clone(),
        base_model: job.base_model.clone(),
        dataset: job.dataset.clone(),
        dataset_revision: job.dataset_revision.clone(),
        output: job.output.clone(),
        output_commit: commit(job, memo),
        metrics,
        cost: memo.cost(job.price, now).filter(|_| over),
        requester: ticket.requester.name.clone(),
        approved_by: ticket.approved_by.clone(),
        started_at: memo.run.started.unwrap_or(ticket.opened_at),
        ended_at: over.then_some(memo.run.finished.unwrap_or(now)),
        outcome: if over { memo.stage() } else { Stage::Running }.word().to_owned(),
    }
}
