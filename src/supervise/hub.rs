//! Jobs on Hugging Face as a [`JobSource`].

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;

use super::source::{Found, JobFacts, JobName, JobSource, LogLines, LogPoint, SourceError};
use crate::clients::hub::jobs::{Job, JobFilter, LogWish, NewJob, Source, labels};
use crate::clients::hub::{Hub, HubError, Repo, RepoKind};
use crate::clock::Timestamp;
use crate::secret::Secret;

/// Silence of a log after which the connection counts as lost. A job that says nothing is asked anew.
const IDLE: Duration = Duration::from_secs(120);
/// How long a lookup that may as well be left out may take.
const LOOKUP: Duration = Duration::from_secs(15);
/// Jobs of one namespace that a sweep looks at.
const MOST: usize = 500;
/// The label by which a job that was begun anew is found again.
pub(super) const AGAIN: &str = "ml-intern-again";
/// Stages of jobs that have not ended, as the Hub names them.
const OPEN: &[&str] = &["RUNNING", "SCHEDULING"];
/// Variables that hold the account's token in a job.
const TOKENS: &[&str] = &["HF_TOKEN", "HUGGINGFACE_HUB_TOKEN"];

/// Jobs as one account sees them.
pub struct HubJobs {
    hub: Hub,
    /// The same account's token: a job that is begun anew needs it as the first one did.
    token: Option<Secret>,
}

impl HubJobs {
    /// The Hub as an account sees it, and that account's token.
    #[must_use]
    pub fn new(hub: Hub, token: Option<Secret>) -> Self {
        Self { hub, token }
    }
}

#[async_trait]
impl JobSource for HubJobs {
    async fn look(&self, job: &JobName) -> Result<JobFacts, SourceError> {
        let found = self.hub.job(&job.namespace, &job.id).await.map_err(of_hub)?;
        Ok(JobFacts {
            stage: found.status.stage(),
            message: found.status.message,
            started: moment(found.started_at.as_deref()),
            finished: moment(found.finished_at.as_deref()),
        })
    }

    async fn log(&self, job: &JobName, from: LogPoint) -> Result<LogLines, SourceError> {
        let wish = LogWish { from, tail: None };
        let lines = self.hub.follow_job(&job.namespace, &job.id, wish, IDLE).await.map_err(of_hub)?;
        Ok(lines.into_stream().map(|line| line.map_err(of_hub)).boxed())
    }

    async fn cancel(&self, job: &JobName) -> Result<(), SourceError> {
        match self.hub.cancel_job(&job.namespace, &job.id).await {
            // It has ended meanwhile.
            Err(HubError::Conflict { .. } | HubError::Refused { status: 400, .. }) => Ok(()),
            other => other.map_err(of_hub),
        }
    }

    async fn again(&self, job: &JobName, seconds: u64, label: &str) -> Result<JobName, SourceError> {
        let name = |found: &Job| JobName { namespace: job.namespace.clone(), id: found.id.clone() };
        let labelled = BTreeMap::from([(AGAIN.to_owned(), label.to_owned())]);
        let filter = JobFilter { stages: Vec::new(), labels: labelled };
        let begun = self.hub.jobs(&job.namespace, &filter, MOST).await.map_err(of_hub)?;
        // The filter is the Hub's: what it gives is looked at once more.
        let ours = |found: &&Job| found.labels.get(AGAIN).is_some_and(|value| value == label);
        if let Some(found) = begun.items.iter().find(ours) {
            return Ok(name(found));
        }
        let first = self.hub.job(&job.namespace, &job.id).await.map_err(of_hub)?;
        let source = match (first.docker_image, first.space_id) {
            (_, Some(space)) => Source::Space(space),
            (Some(image), None) => Source::Image(image),
            (None, None) => {
                return Err(SourceError::Refused("the Hub does not say what it ran in".to_owned()));
            }
        };
        let mut labels = first.labels;
        labels.insert(AGAIN.to_owned(), label.to_owned());
        let token =
            self.token.iter().flat_map(|token| TOKENS.iter().map(|name| ((*name).to_owned(), token.clone())));
        let new = NewJob {
            source,
            command: first.command,
            environment: first.environment,
            secrets: token.collect(),
            flavor: first.flavor,
            timeout_s: Some(seconds),
            labels,
            volumes: Vec::new(),
        };
        self.hub.run_job(&job.namespace, &new).await.map(|begun| name(&begun)).map_err(of_hub)
    }

    async fn commit(&self, repo: &str) -> Option<String> {
        let repo = Repo::parse(RepoKind::Model, repo).ok()?;
        tokio::time::timeout(LOOKUP, self.hub.info(&repo, None)).await.ok()?.ok()?.sha
    }

    async fn ours(&self, namespace: &str) -> Result<Vec<Found>, SourceError> {
        let filter = JobFilter {
            stages: OPEN.iter().map(|stage| (*stage).to_owned()).collect(),
            labels: BTreeMap::from([(labels::OURS.to_owned(), labels::JOB.to_owned())]),
        };
        let listed = self.hub.jobs(namespace, &filter, MOST).await.map_err(of_hub)?;
        let ours = |job: &Job| labels::is_job(&job.labels) && !job.status.stage().is_over();
        let found = listed.items.into_iter().filter(ours).map(|job| Found {
            url: self.hub.job_page(namespace, &job.id),
            title: job.labels.get(labels::NAME).cloned().unwrap_or_else(|| format!("job {}", job.id)),
            session: job.labels.get(labels::SESSION).cloned(),
            created: moment(job.created_at.as_deref()),
            name: JobName { namespace: namespace.to_owned(), id: job.id },
            flavour: job.flavor,
            timeout_s: job.timeout,
            labels: job.labels,
        });
        Ok(found.collect())
    }

    async fn price(&self, flavour: &str) -> Option<u64> {
        tokio::time::timeout(LOOKUP, self.hub.job_price(flavour)).await.ok()?.ok()?
    }
}

/// A time as the Hub writes it.
fn moment(text: Option<&str>) -> Option<Timestamp> {
    let time: jiff::Timestamp = text?.parse().ok()?;
    Some(Timestamp(time.as_millisecond()))
}

fn of_hub(error: HubError) -> SourceError {
    let why = error.to_string();
    match error {
        HubError::NotFound { .. } | HubError::Refused { status: 410, .. } => SourceError::Gone,
        HubError::Limited { after } => SourceError::Later { why, after },
        // A line or an answer that made no sense may be a half one.
        HubError::Strange(_) | HubError::TooLarge { .. } => SourceError::Later { why, after: None },
        error if error.may_pass() => SourceError::Later { why, after: None },
        _ => SourceError::Refused(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_refusals_are_read() {
        assert_eq!(moment(Some("2026-11-22T10:00:00.250Z")), Some(Timestamp(1_795_341_600_250)));
        assert_eq!((moment(Some("soon")), moment(None)), (None, None));
        let missing = HubError::Refused { status: 410, message: String::new() };
        assert_eq!(of_hub(missing), SourceError::Gone);
        let busy = HubError::Refused { status: 503, message: "busy".to_owned() };
        assert!(matches!(of_hub(busy), SourceError::Later { .. }));
        let no = HubError::Forbidden { message: "no".to_owned() };
        assert!(matches!(of_hub(no), SourceError::Refused(_)));
    }
}
