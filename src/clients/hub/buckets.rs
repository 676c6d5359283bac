//! Buckets: storage on the Hub that jobs and Spaces mount.
//!
//! Only what dashboards need of them. Start at [`Hub::create_private_bucket`].

use serde_json::json;

use super::ask::Ask;
use super::{Created, Hub, HubError};

impl Hub {
    /// Makes a private bucket (`owner/name`), unless there is one of this name: that one stays as it is.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn create_private_bucket(&self, bucket: &str) -> Result<Created, HubError> {
        let (owner, name) = bucket
            .split_once('/')
            .ok_or_else(|| HubError::BadName(format!("`{bucket}`: write owner/name")))?;
        let ask = Ask::post(&["api", "buckets", owner, name]).json(&json!({ "visibility": "private" }));
        Created::of(self.done(&ask).await)
    }
}
