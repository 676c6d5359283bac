//! What a job is asked to be: the body of a request, read strictly, and told back without secrets.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::errors::HubError;
use super::fields::Fields;
use super::hardware;

/// Longest timeout that the Hub takes, in seconds: a week.
const LONGEST: u64 = 7 * 24 * 3600;
/// Seconds after which a job ends when nobody said how long it may run.
pub(super) const USUAL_TIMEOUT: u64 = 30 * 60;
/// Most characters of a label.
const LABEL: usize = 100;

/// A job's specification.
#[derive(Debug, Clone, PartialEq)]
pub struct JobSpec {
    /// Image of the container; `None` if it is a Space's.
    pub docker_image: Option<String>,
    /// The Space whose image it is.
    pub space_id: Option<String>,
    /// The command and its arguments.
    pub command: Vec<String>,
    /// More arguments.
    pub arguments: Vec<String>,
    /// Environment that everybody may see.
    pub environment: BTreeMap<String, String>,
    /// Environment that nobody is told again.
    pub secrets: BTreeMap<String, String>,
    /// Name of the hardware.
    pub flavor: String,
    /// Seconds.
    pub timeout: Option<u64>,
    /// How often it is tried in all.
    pub attempts: u64,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Volumes, ports and network, as they came.
    pub more: BTreeMap<&'static str, Value>,
}

impl JobSpec {
    /// Reads a body.
    ///
    /// # Errors
    /// A field is missing, unknown or wrong: all of them, each with its place.
    pub(super) fn read(body: Value, path: &str) -> Result<Self, HubError> {
        let mut fields = Fields::of(body, path)?;
        let flavours: Vec<&str> = hardware::all().map(|it| it.name).collect();
        if !fields.has("command") {
            fields.complain("command", "Invalid input: expected array, received undefined");
        }
        let spec = Self {
            docker_image: fields.text("dockerImage"),
            space_id: fields.text("spaceId"),
            command: fields.texts("command").unwrap_or_default(),
            arguments: fields.texts("arguments").unwrap_or_default(),
            environment: fields.named_texts("environment").unwrap_or_default(),
            secrets: fields.named_texts("secrets").unwrap_or_default(),
            flavor: fields.one_of("flavor", &flavours).unwrap_or_else(|| "cpu-basic".to_owned()),
            timeout: fields.number("timeoutSeconds", (1, LONGEST)),
            attempts: fields.number("attempts", (1, 10)).unwrap_or(1),
            labels: labels(&mut fields),
            more: more(&mut fields),
        };
        match (&spec.docker_image, &spec.space_id) {
            (None, None) => fields.complain("dockerImage", "Either dockerImage or spaceId must be given"),
            (Some(_), Some(_)) => fields.complain("spaceId", "dockerImage and spaceId exclude each other"),
            _ => {}
        }
        fields.end()?;
        Ok(spec)
    }

    /// What the Hub says of it; of secrets nothing.
    pub(super) fn tell(&self) -> Value {
        let labels = if self.labels.is_empty() { Value::Null } else { json!(self.labels) };
        let mut told = json!({
            "dockerImage": self.docker_image, "spaceId": self.space_id, "command": self.command,
            "arguments": self.arguments, "environment": self.environment, "secrets": {},
            "flavor": self.flavor, "labels": labels,
        });
        if self.attempts > 1 {
            told["retry"] = (self.attempts - 1).into();
        }
        for (name, value) in &self.more {
            told[*name] = value.clone();
        }
        told
    }

    /// Seconds after which it is ended.
    #[must_use]
    pub fn timeout_seconds(&self) -> u64 {
        self.timeout.unwrap_or(USUAL_TIMEOUT)
    }
}

/// Reads labels: short, and of plain characters.
pub(super) fn labels(fields: &mut Fields) -> BTreeMap<String, String> {
    let labels = fields.named_texts("labels").unwrap_or_default();
    for (name, value) in &labels {
        let plain = |text: &str, dot: bool| {
            let fits = |it: char| it.is_ascii_alphanumeric() || matches!(it, '-' | '_') || (dot && it == '.');
            text.chars().count() <= LABEL && text.chars().all(fits)
        };
        if name.is_empty() || !plain(name, false) || !plain(value, name == "name") {
            let place = format!("labels.{name}");
            fields.complain(&place, "Invalid string: must match pattern /^[a-zA-Z0-9_-]{0,100}$/");
        }
    }
    labels
}

fn more(fields: &mut Fields) -> BTreeMap<&'static str, Value> {
    let mut more = BTreeMap::new();
    if let Some(volumes) = fields.each("volumes", volume) {
        more.insert("volumes", Value::Array(volumes));
    }
    let expose = fields.inner("expose", |mut it| {
        let told = json!({"ports": it.any("ports"), "portsPublic": it.any("portsPublic")});
        it.end().map(|()| told)
    });
    more.extend(expose.map(|it| ("expose", it)));
    let network = fields.inner("network", |mut it| {
        let told = json!({"group": it.needed("group"), "aliases": it.texts("aliases").unwrap_or_default()});
        it.end().map(|()| told)
    });
    more.extend(network.map(|it| ("network", it)));
    // Taken and without effect here.
    fields.inner("ssh", |mut it| {
        it.flag("enabled");
        it.end()
    });
    fields.text("resourceGroupId");
    more
}

/// One volume, as jobs and Spaces mount it.
pub(in super::super) fn volume(mut fields: Fields) -> Result<Value, HubError> {
    let kind = fields.one_of("type", &["bucket", "model", "dataset", "space"]).unwrap_or_default();
    let source = fields.needed("source");
    let mount = fields.needed("mountPath");
    if !mount.is_empty() && !mount.starts_with('/') {
        fields.complain("mountPath", "Invalid string: must start with \"/\"");
    }
    let mut told = json!({"type": kind, "source": source, "mountPath": mount});
    if let Some(only) = fields.flag("readOnly") {
        told["readOnly"] = only.into();
    }
    for name in ["revision", "path"] {
        if let Some(text) = fields.text(name) {
            told[name] = text.into();
        }
    }
    fields.end()?;
    Ok(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recorded_bodies_are_taken_and_told_back_without_secrets() {
        let body = json!({
            "command": ["bash", "-lc", "nvidia-smi"], "arguments": [], "environment": {"FOO": "1"},
            "flavor": "a10g-small", "secrets": {"HF_TOKEN": "hf_secret"}, "timeoutSeconds": 7200, "attempts": 3,
            "labels": {"name": "pytorch-2-6-0-cuda12-4-cudnn9-devel-e0adc808"},
            "volumes": [{"type": "bucket", "source": "alice/b", "mountPath": "/out", "readOnly": false}],
            "expose": {"ports": [8000], "portsPublic": []},
            "dockerImage": "pytorch/pytorch:2.6.0-cuda12.4-cudnn9-devel",
        });
        let spec = JobSpec::read(body, "").unwrap();
        assert_eq!((spec.timeout_seconds(), spec.secrets["HF_TOKEN"].as_str()), (7200, "hf_secret"));
        let told = spec.tell();
        assert!(!told.to_string().contains("hf_secret"), "{told}");
        assert_eq!((&told["retry"], &told["secrets"]), (&json!(2), &json!({})));
        assert_eq!(told["volumes"][0]["mountPath"], "/out");
    }

    #[test]
    fn what_is_missing_or_unknown_is_refused() {
        for (body, problem) in [
            (json!({}), "expected array, received undefined\n  → at command"),
            (json!({"command": ["a"]}), "Either dockerImage or spaceId"),
            (json!({"command": ["a"], "dockerImage": "a", "spaceId": "b/c"}), "exclude each other"),
            (json!({"command": ["a"], "dockerImage": "a", "flavor": "h100"}), "→ at flavor"),
            (json!({"command": "a", "dockerImage": "a"}), "expected array, received string"),
            (json!({"command": ["a"], "dockerImage": "a", "timeout": "1h"}), "Unrecognized key: \"timeout\""),
            (json!({"command": ["a"], "dockerImage": "a", "timeoutSeconds": 1.5}), "expected int"),
            (json!({"command": ["a"], "dockerImage": "a", "secrets": {"A": null}}), "→ at secrets.A"),
            (json!({"command": ["a"], "dockerImage": "a", "labels": {"k": "a b"}}), "→ at labels.k"),
            (
                json!({"command": ["a"], "dockerImage": "a", "volumes": [{"type": "disk", "source": "a/b", "mountPath": "x"}]}),
                "→ at volumes[0].type",
            ),
        ] {
            let text = JobSpec::read(body.clone(), "").unwrap_err().message;
            assert!(text.contains(problem), "{body}: {text}");
        }
    }
}
