//! A text file into a thread: the external upload flow (ask for a place, put the bytes, complete).

use serde_json::json;

use super::error::SlackError;
use super::method::Method;
use super::scheduler::{Outgoing, Priority, Retry, Scheduler};

/// Who sees an uploaded file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// Everyone in the thread: it is posted there.
    Thread,
    /// Nobody, until a message of ours shows it.
    None,
}

/// A file on its way into a thread.
#[derive(Debug, Clone)]
pub struct Upload {
    /// The channel.
    pub channel: String,
    /// The thread.
    pub thread_ts: String,
    /// The file's name, with its ending.
    pub name: String,
    /// What people see as its title.
    pub title: String,
    /// What is in it.
    pub content: Vec<u8>,
    /// Who sees it.
    pub sharing: Sharing,
}

impl Scheduler {
    /// Puts a file into a thread and gives its id.
    ///
    /// # Errors
    /// As [`Scheduler::call`].
    pub async fn upload(&self, upload: &Upload) -> Result<String, SlackError> {
        let call = |method, arguments| Outgoing {
            method,
            priority: Priority::Final,
            channel: Some(upload.channel.clone()),
            arguments,
            retry: Retry::MustArrive,
        };
        let place = self
            .call(call(
                Method::GetUploadUrl,
                json!({ "filename": upload.name, "length": upload.content.len() }),
            ))
            .await?;
        let (Some(url), Some(id)) = (place["upload_url"].as_str(), place["file_id"].as_str()) else {
            return Err(SlackError::Transport("no place for the file was given".to_owned()));
        };
        // The address itself is the permission: no token goes there.
        let put = self
            .api()
            .plain
            .post(url)
            .header("content-type", "application/octet-stream")
            .body(upload.content.clone())
            .send()
            .await
            .map_err(|error| SlackError::Transport(error.without_url().to_string()))?;
        if !put.status().is_success() {
            return Err(SlackError::Transport(format!("the file was not taken: HTTP {}", put.status())));
        }
        let mut done = json!({ "files": [{ "id": id, "title": upload.title }] });
        if upload.sharing == Sharing::Thread {
            done["channel_id"] = json!(upload.channel);
            done["thread_ts"] = json!(upload.thread_ts);
        }
        self.call(call(Method::CompleteUpload, done)).await?;
        Ok(id.to_owned())
    }
}
