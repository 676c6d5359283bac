//! What the Hub says of a job. Reads whatever it leaves out or sends as null as nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

/// A job, as the Hub describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    /// Its name.
    pub id: String,
    /// When it was asked for, as the Hub writes times.
    #[serde(default)]
    pub created_at: Option<String>,
    /// When it began to run.
    #[serde(default)]
    pub started_at: Option<String>,
    /// When it ended.
    #[serde(default)]
    pub finished_at: Option<String>,
    /// The image that it runs in.
    #[serde(default)]
    pub docker_image: Option<String>,
    /// The Space whose image it runs in.
    #[serde(default)]
    pub space_id: Option<String>,
    /// The command.
    #[serde(default, deserialize_with = "or_nothing")]
    pub command: Vec<String>,
    /// Variables, secrets not among them.
    #[serde(default, deserialize_with = "or_nothing")]
    pub environment: BTreeMap<String, String>,
    /// The hardware.
    #[serde(default, deserialize_with = "or_nothing")]
    pub flavor: String,
    /// Seconds that it may run, if the Hub says so.
    #[serde(default, deserialize_with = "whole")]
    pub timeout: Option<u64>,
    /// Labels.
    #[serde(default, deserialize_with = "or_nothing")]
    pub labels: BTreeMap<String, String>,
    /// Where it stands.
    #[serde(default, deserialize_with = "or_nothing")]
    pub status: JobStatus,
    /// Who pays.
    #[serde(default, deserialize_with = "or_nothing")]
    pub owner: Owner,
}

/// Where a job stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct JobStatus {
    /// In the Hub's word: `RUNNING`, `COMPLETED`, `ERROR`, `CANCELED`, …
    #[serde(default, deserialize_with = "or_nothing")]
    pub stage: String,
    /// Its remark.
    #[serde(default)]
    pub message: Option<String>,
}

/// An account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Owner {
    /// Its name.
    #[serde(default, deserialize_with = "or_nothing")]
    pub name: String,
}

/// Null is nothing.
pub(super) fn or_nothing<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// A whole number; whatever else stands there is nothing.
fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Ok(serde_json::Value::deserialize(deserializer)?.as_u64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_null_or_left_out_is_nothing() {
        let job: Job = serde_json::from_value(json!({
            "id": "687f", "createdAt": "2026-11-22T10:00:00.000Z", "dockerImage": "python:3.12", "spaceId": null,
            "command": ["python"], "arguments": [], "environment": {}, "secrets": {}, "flavor": "cpu-basic",
            "labels": null, "timeout": 1800, "status": { "stage": "RUNNING", "message": null }, "durations": null,
            "owner": { "id": "5e", "name": "alice", "type": "user" }
        }))
        .unwrap();
        assert_eq!((job.owner.name.as_str(), job.labels.len(), job.timeout), ("alice", 0, Some(1_800)));
        let other: Job = serde_json::from_value(json!({ "id": "1", "timeout": "soon" })).unwrap();
        assert_eq!(other.timeout, None);
        let bare: Job =
            serde_json::from_value(json!({ "id": "1", "command": null, "status": null })).unwrap();
        assert_eq!(bare, Job { id: "1".to_owned(), ..Job::default() });
    }
}
