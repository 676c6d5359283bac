//! A job as we ask for it, and the body that the Hub takes for it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::secret::Secret;

/// A job to begin.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// What it runs in.
    pub source: Source,
    /// The command.
    pub command: Vec<String>,
    /// Variables.
    pub environment: BTreeMap<String, String>,
    /// Variables that nobody can read afterwards.
    pub secrets: BTreeMap<String, Secret>,
    /// The hardware.
    pub flavor: String,
    /// Seconds that it may run; `None` leaves that to the Hub.
    pub timeout_s: Option<u64>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// What is mounted.
    pub volumes: Vec<Volume>,
}

/// What a job runs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// An image of a registry.
    Image(String),
    /// The image of a Space, `owner/name`.
    Space(String),
}

impl Source {
    /// From how people write it: the address of a Space's page, or the name of an image.
    #[must_use]
    pub fn read(image: &str) -> Self {
        let image = image.trim();
        let page = [
            "https://huggingface.co/spaces/",
            "hf.co/spaces/",
            "https://hf.co/spaces/",
            "huggingface.co/spaces/",
        ]
        .iter()
        .find_map(|prefix| image.strip_prefix(prefix));
        match page {
            Some(space) => Self::Space(space.trim_end_matches('/').to_owned()),
            None => Self::Image(image.to_owned()),
        }
    }
}

/// Something of the Hub that a job sees as a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// What it is.
    pub kind: VolumeKind,
    /// `owner/name`.
    pub source: String,
    /// The folder.
    pub mount: String,
    /// Whether the job may write to it; `None` leaves that to the Hub.
    pub read_only: Option<bool>,
}

/// What a volume is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VolumeKind {
    /// A model's repository.
    Model,
    /// A dataset.
    Dataset,
    /// A Space's repository.
    Space,
    /// A bucket.
    Bucket,
}

impl VolumeKind {
    fn word(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Dataset => "dataset",
            Self::Space => "space",
            Self::Bucket => "bucket",
        }
    }
}

impl NewJob {
    /// The body of the request. What is not asked for is left out, as the official client does.
    pub(super) fn body(&self) -> Value {
        let mut body = Map::new();
        let mut put = |key: &str, value: Value| body.insert(key.to_owned(), value);
        put("command", json!(self.command));
        put("arguments", json!([]));
        put("environment", json!(self.environment));
        put("flavor", json!(self.flavor));
        if !self.secrets.is_empty() {
            let secrets: BTreeMap<&str, &str> =
                self.secrets.iter().map(|(name, secret)| (name.as_str(), secret.reveal())).collect();
            put("secrets", json!(secrets));
        }
        if let Some(seconds) = self.timeout_s {
            put("timeoutSeconds", json!(seconds));
        }
        put("labels", json!(self.labels));
        if !self.volumes.is_empty() {
            put("volumes", self.volumes.iter().map(volume).collect());
        }
        match &self.source {
            Source::Image(image) => put("dockerImage", json!(image)),
            Source::Space(space) => put("spaceId", json!(space)),
        };
        Value::Object(body)
    }
}

fn volume(volume: &Volume) -> Value {
    let mut value = json!({ "type": volume.kind.word(), "source": volume.source, "mountPath": volume.mount });
    if let Some(read_only) = volume.read_only {
        value["readOnly"] = json!(read_only);
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_or_the_page_of_a_space() {
        let space = Source::Space("lhoestq/duckdb".to_owned());
        for page in [
            "https://huggingface.co/spaces/lhoestq/duckdb",
            "hf.co/spaces/lhoestq/duckdb",
            " hf.co/spaces/lhoestq/duckdb/ ",
        ] {
            assert_eq!(Source::read(page), space, "{page}");
        }
        assert_eq!(Source::read("python:3.12"), Source::Image("python:3.12".to_owned()));
    }
}
