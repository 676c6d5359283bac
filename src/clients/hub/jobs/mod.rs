//! Jobs on the Hub: run, list, inspect, follow, cancel, label, and those on a schedule; and what hardware costs.
//!
//! Sends what the official client sends (`tests/wire/jobs.rs`). What a job is, as we ask for it, is in
//! `spec`; what the Hub says of one in `info`; how its log comes in `logs`; by which labels we know our own in
//! [`labels`]. Never repeats a request that may have begun a job. Start at [`NewJob`] and [`Hub::run_job`].

mod info;
pub mod labels;
mod logs;
mod schedule;
mod spec;
mod stage;

use std::collections::BTreeMap;

use serde_json::{Value, json};

pub use self::info::{Job, JobStatus, Owner};
pub use self::logs::{LogLine, LogPoint, LogStream, LogWish};
pub use self::schedule::{NewSchedule, ScheduledJob};
pub use self::spec::{NewJob, Source, Volume, VolumeKind};
use super::ask::Ask;
use super::send::Listed;
use super::{Hub, HubError};

/// Which jobs are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobFilter {
    /// Only those in one of these stages, as the Hub names them; empty for all.
    pub stages: Vec<String>,
    /// Only those with all of these labels.
    pub labels: BTreeMap<String, String>,
}

impl Hub {
    /// Where people see a job.
    #[must_use]
    pub fn job_page(&self, namespace: &str, job: &str) -> String {
        format!("{}/jobs/{namespace}/{job}", self.endpoint())
    }

    /// Begins a job that this namespace pays.
    ///
    /// # Errors
    /// As [`HubError`] says. After one that may pass, the job may have begun all the same: look for its labels.
    pub async fn run_job(&self, namespace: &str, job: &NewJob) -> Result<Job, HubError> {
        self.json(&Ask::post(&["api", "jobs", namespace]).json(&job.body())).await
    }

    /// The jobs of a namespace, `at_most` so many, in the Hub's order.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn jobs(
        &self,
        namespace: &str,
        filter: &JobFilter,
        at_most: usize,
    ) -> Result<Listed<Job>, HubError> {
        let mut ask = Ask::get(&["api", "jobs", namespace]);
        for stage in &filter.stages {
            ask = ask.query("stage", stage);
        }
        for (key, value) in &filter.labels {
            ask = ask.query("label", &format!("{key}={value}"));
        }
        self.pages(&ask, at_most).await
    }

    /// One job.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn job(&self, namespace: &str, job: &str) -> Result<Job, HubError> {
        self.json(&Ask::get(&["api", "jobs", namespace, job])).await
    }

    /// Ends a job.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn cancel_job(&self, namespace: &str, job: &str) -> Result<(), HubError> {
        self.done(&Ask::post(&["api", "jobs", namespace, job, "cancel"])).await
    }

    /// Replaces a job's labels.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn label_job(
        &self,
        namespace: &str,
        job: &str,
        labels: &BTreeMap<String, String>,
    ) -> Result<(), HubError> {
        let ask = Ask::put(&["api", "jobs", namespace, job, "labels"]);
        self.done(&ask.json(&json!({ "labels": labels }))).await
    }

    /// The catalogue of hardware for jobs with its prices, as the Hub gives it.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn job_hardware(&self) -> Result<Value, HubError> {
        self.json(&Ask::get(&["api", "jobs", "hardware"])).await
    }

    /// What a job on this hardware costs now, in micro-dollars an hour; `None` if the catalogue does not say.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn job_price(&self, flavour: &str) -> Result<Option<u64>, HubError> {
        Ok(hourly(&self.job_hardware().await?, flavour))
    }
}

/// The price of a flavour in the Hub's catalogue, in the form that it has today.
fn hourly(catalogue: &Value, flavour: &str) -> Option<u64> {
    let entry = catalogue.as_array()?.iter().find(|entry| entry["name"].as_str() == Some(flavour))?;
    let micros = entry["unitCostMicroUSD"].as_u64()?;
    match entry["unitLabel"].as_str()? {
        "minute" => micros.checked_mul(60),
        "hour" => Some(micros),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_one_an_hour_or_none() {
        let catalogue = json!([
            { "name": "t4-small", "unitCostMicroUSD": 6_667, "unitLabel": "minute" },
            { "name": "h200", "unitCostMicroUSD": 5_000_000, "unitLabel": "hour" },
            { "name": "odd", "unitCostMicroUSD": 5, "unitLabel": "day" },
        ]);
        let prices = ["t4-small", "h200", "odd", "none"].map(|flavour| hourly(&catalogue, flavour));
        assert_eq!(prices, [Some(400_020), Some(5_000_000), None, None]);
        assert_eq!(hourly(&json!({}), "h200"), None);
    }
}
