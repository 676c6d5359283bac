//! Looking at jobs and ending them: `ps`, `logs`, `inspect`, `cancel`, and what is kept on a schedule.

use std::time::Duration;

use serde_json::Value;

use super::account::pays;
use super::arguments::{Arguments, Operation};
use super::run::stoppable;
use super::{HfJobs, say};
use crate::agent::tool::{CallContext, ToolError};
use crate::clients::hub::jobs::{JobFilter, LogWish};
use crate::clients::hub::{Hub, HubError};
use crate::protocol::{Stage, ToolOutcome};
use crate::tools::spill::Capture;

/// Jobs that are listed at most.
const LISTED: usize = 500;
/// A log that says nothing for so long has no more to give for now.
const QUIET: Duration = Duration::from_secs(3);
/// How long a log is read in all.
const WHOLE: Duration = Duration::from_secs(60);
/// Bytes of a log that are read in all.
const BYTES: usize = 64 * 1024 * 1024;

impl HfJobs {
    /// Does what needs no plan.
    pub(super) async fn look_at(
        &self,
        (operation, arguments): (Operation, &Arguments),
        context: &CallContext,
    ) -> Result<ToolOutcome, ToolError> {
        let hub = self.kit.access.of(&context.requester).await;
        let wanted = arguments.namespace.as_deref().map(str::trim).or(self.kit.config.namespace.as_deref());
        let namespace = match stoppable(context, hub.account()).await? {
            Ok(account) => match pays(&account, wanted) {
                Ok(namespace) => namespace,
                Err(why) => return Ok(ToolOutcome::failed(why)),
            },
            Err(HubError::Unauthorized { .. }) => return Ok(ToolOutcome::failed(say::NO_TOKEN)),
            Err(error) => {
                return Ok(ToolOutcome::failed(format!("The account could not be looked up: {error}")));
            }
        };
        let at = At { hub: &hub, namespace: &namespace, context };
        match operation {
            Operation::Ps => at.ps(arguments).await,
            Operation::Logs => self.logs(&at, arguments.job_ids().first().copied().unwrap_or_default()).await,
            Operation::Inspect => at.inspect(&arguments.job_ids()).await,
            Operation::Cancel => at.cancel(arguments.job_ids().first().copied().unwrap_or_default()).await,
            Operation::ScheduledPs => at.schedules(arguments).await,
            other => {
                at.scheduled(other, arguments.scheduled_job_id.as_deref().unwrap_or_default().trim()).await
            }
        }
    }

    /// What a job has written so far: capped, the whole of it in a file.
    async fn logs(&self, at: &At<'_>, job: &str) -> Result<ToolOutcome, ToolError> {
        let At { hub, namespace, context } = at;
        let opened = stoppable(context, hub.follow_job(namespace, job, LogWish::default(), WHOLE)).await?;
        let mut lines = match opened {
            Ok(lines) => lines,
            Err(error) => return Ok(say::refused(&error, &format!("the log of {job}"), namespace)),
        };
        let mut capture =
            Capture::new(self.kit.output_cap, context.workspace(), context.call.as_str(), &self.kit.secrets);
        let until = tokio::time::Instant::now() + WHOLE;
        let (mut bytes, mut end) = (0, None);
        while end.is_none() {
            let next = tokio::select! {
                () = context.cancel.cancelled() => return Err(ToolError::Cancelled),
                () = tokio::time::sleep_until(until) => { end = Some("[reading it took too long; this is its beginning]"); continue }
                next = tokio::time::timeout(QUIET, lines.next()) => next,
            };
            match next {
                Err(_) => end = Some("[so far; the job may write more]"),
                Ok(Ok(None)) => break,
                Ok(Err(_)) => end = Some("[the connection broke here; there may be more]"),
                Ok(Ok(Some(line))) => {
                    bytes += line.text.len() + 1;
                    if bytes > BYTES {
                        end = Some("[it goes on; only its first 64 MB were read]");
                        continue;
                    }
                    capture.push(line.text.as_bytes()).await;
                    capture.push(b"\n").await;
                }
            }
        }
        let text = capture.finish().await.text;
        let text = if text.trim().is_empty() { "(nothing was written yet)" } else { text.trim_end() };
        let note = end.map_or(String::new(), |note| format!("\n\n{note}"));
        Ok(ToolOutcome::done(format!("Log of job {job}:\n\n{text}{note}")))
    }
}

/// Where something is looked at.
struct At<'a> {
    hub: &'a Hub,
    namespace: &'a str,
    context: &'a CallContext,
}

impl At<'_> {
    async fn ps(&self, arguments: &Arguments) -> Result<ToolOutcome, ToolError> {
        let all = JobFilter::default();
        let listed = self.hub.jobs(self.namespace, &all, LISTED);
        let listed = match stoppable(self.context, listed).await? {
            Ok(listed) => listed,
            Err(error) => return Ok(say::refused(&error, "the list of jobs", self.namespace)),
        };
        let status = arguments.status.as_deref().map(|status| status.trim().to_ascii_uppercase());
        let wanted = |stage: &str, over: bool| match &status {
            Some(part) => stage.to_ascii_uppercase().contains(part.as_str()),
            None => arguments.all || !over,
        };
        let of = if status.is_some() {
            "such"
        } else if arguments.all {
            ""
        } else {
            "running"
        };
        let jobs: Vec<_> = listed
            .items
            .into_iter()
            .filter(|job| wanted(&job.status.stage, job.status.stage().is_over()))
            .collect();
        Ok(ToolOutcome::done(say::jobs(&jobs, listed.more, of)))
    }

    async fn inspect(&self, ids: &[&str]) -> Result<ToolOutcome, ToolError> {
        let asked = futures::future::join_all(ids.iter().map(|id| self.hub.job(self.namespace, id)));
        let answers = tokio::select! {
            () = self.context.cancel.cancelled() => return Err(ToolError::Cancelled),
            answers = asked => answers,
        };
        let mut found: Vec<Value> = Vec::new();
        let mut wrong: Vec<String> = Vec::new();
        for (id, answer) in ids.iter().zip(answers) {
            match answer {
                Ok(job) => found.push(say::job(&job, &self.hub.job_page(self.namespace, id))),
                Err(error) => wrong.push(say::refused(&error, id, self.namespace).output),
            }
        }
        let mut text = wrong.join("\n");
        if !found.is_empty() {
            let json = serde_json::to_string_pretty(&found).unwrap_or_default();
            text = format!("```json\n{json}\n```\n{text}").trim_end().to_owned();
        }
        Ok(if wrong.is_empty() { ToolOutcome::done(text) } else { ToolOutcome::failed(text) })
    }

    async fn cancel(&self, id: &str) -> Result<ToolOutcome, ToolError> {
        if let Err(error) = stoppable(self.context, self.hub.cancel_job(self.namespace, id)).await? {
            return Ok(say::refused(&error, &format!("job {id} could not be ended"), self.namespace));
        }
        // The Hub takes the wish; whether it has happened is another question.
        let state = match stoppable(self.context, self.hub.job(self.namespace, id)).await? {
            Ok(job) if job.status.stage() == Stage::Stopped => "It has ended.".to_owned(),
            Ok(job) => format!("Its stage is still {}; `inspect` tells when it has ended.", job.status.stage),
            Err(_) => "`inspect` tells when it has ended.".to_owned(),
        };
        Ok(ToolOutcome::done(format!("Job {id} was asked to end. {state}")))
    }

    async fn schedules(&self, arguments: &Arguments) -> Result<ToolOutcome, ToolError> {
        Ok(match stoppable(self.context, self.hub.scheduled_jobs(self.namespace, LISTED)).await? {
            Ok(listed) => {
                let jobs: Vec<_> =
                    listed.items.into_iter().filter(|job| arguments.all || !job.suspend).collect();
                ToolOutcome::done(say::schedules(&jobs, listed.more))
            }
            Err(error) => say::refused(&error, "the list of scheduled jobs", self.namespace),
        })
    }

    async fn scheduled(&self, operation: Operation, id: &str) -> Result<ToolOutcome, ToolError> {
        let (hub, namespace) = (self.hub, self.namespace);
        let (done, words) = match operation {
            Operation::ScheduledDelete => (
                stoppable(self.context, hub.delete_scheduled_job(namespace, id)).await?,
                "deleted; a run of it that has begun goes on",
            ),
            Operation::ScheduledSuspend => (
                stoppable(self.context, hub.suspend_scheduled_job(namespace, id)).await?,
                "suspended; `scheduled resume` lets it run again",
            ),
            Operation::ScheduledResume => {
                (stoppable(self.context, hub.resume_scheduled_job(namespace, id)).await?, "resumed")
            }
            _ => {
                let found = stoppable(self.context, hub.scheduled_job(namespace, id)).await?;
                return Ok(match found {
                    Ok(job) => {
                        let json = serde_json::to_string_pretty(&say::schedule(&job)).unwrap_or_default();
                        ToolOutcome::done(format!("```json\n{json}\n```"))
                    }
                    Err(error) => say::refused(&error, &format!("scheduled job {id}"), namespace),
                });
            }
        };
        Ok(match done {
            Ok(()) => ToolOutcome::done(format!("Scheduled job {id} is {words}.")),
            Err(error) => say::refused(&error, &format!("scheduled job {id}"), namespace),
        })
    }
}
