//! Jobs on a schedule.

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::ask::Ask;
use super::super::send::Listed;
use super::super::{Hub, HubError};
use super::NewJob;
use super::info::or_nothing;

/// Where scheduled jobs are.
const API: [&str; 2] = ["api", "scheduled-jobs"];

/// A job to begin again and again.
#[derive(Debug, Clone)]
pub struct NewSchedule {
    /// What runs.
    pub job: NewJob,
    /// When: five fields of cron, or `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`.
    pub schedule: String,
    /// Whether it begins suspended; `None` leaves that to the Hub.
    pub suspend: Option<bool>,
    /// Whether one may begin while another runs; `None` leaves that to the Hub.
    pub concurrency: Option<bool>,
}

/// A job on a schedule, as the Hub describes it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScheduledJob {
    /// Its name.
    pub id: String,
    /// What runs.
    #[serde(default)]
    pub job_spec: Value,
    /// When.
    #[serde(default, deserialize_with = "or_nothing")]
    pub schedule: String,
    /// Whether it is suspended.
    #[serde(default, deserialize_with = "or_nothing")]
    pub suspend: bool,
    /// The last job and when the next begins.
    #[serde(default)]
    pub status: Value,
}

impl ScheduledJob {
    /// When it last ran, as the Hub writes times.
    #[must_use]
    pub fn last_run(&self) -> Option<&str> {
        let last = &self.status["lastJob"];
        ["at", "createdAt", "startedAt"].iter().find_map(|key| last[*key].as_str())
    }

    /// When it runs next.
    #[must_use]
    pub fn next_run(&self) -> Option<&str> {
        self.status["nextJobRunAt"].as_str()
    }
}

impl Hub {
    /// Puts a job on a schedule.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn schedule_job(&self, namespace: &str, new: &NewSchedule) -> Result<ScheduledJob, HubError> {
        let mut body = json!({ "jobSpec": new.job.body(), "schedule": new.schedule });
        for (key, value) in [("concurrency", new.concurrency), ("suspend", new.suspend)] {
            if let Some(value) = value {
                body[key] = json!(value);
            }
        }
        self.json(&Ask::post(&API).then(namespace).json(&body)).await
    }

    /// The scheduled jobs of a namespace, `at_most` so many.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn scheduled_jobs(
        &self,
        namespace: &str,
        at_most: usize,
    ) -> Result<Listed<ScheduledJob>, HubError> {
        self.pages(&Ask::get(&API).then(namespace), at_most).await
    }

    /// One scheduled job.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn scheduled_job(&self, namespace: &str, id: &str) -> Result<ScheduledJob, HubError> {
        self.json(&Ask::get(&API).then(namespace).then(id)).await
    }

    /// Removes a scheduled job. What it has begun goes on.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn delete_scheduled_job(&self, namespace: &str, id: &str) -> Result<(), HubError> {
        self.done(&Ask::delete(&API).then(namespace).then(id)).await
    }

    /// Lets a scheduled job rest.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn suspend_scheduled_job(&self, namespace: &str, id: &str) -> Result<(), HubError> {
        self.done(&Ask::post(&API).then(namespace).then(id).then("suspend")).await
    }

    /// Lets it run again.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn resume_scheduled_job(&self, namespace: &str, id: &str) -> Result<(), HubError> {
        self.done(&Ask::post(&API).then(namespace).then(id).then("resume")).await
    }
}
