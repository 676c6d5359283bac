//! The labels by which we know our own jobs again: after a crash, and when a sweep looks for orphans.
//!
//! What stands in them is for machines: a digest of the session's key, never the key itself.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::protocol::{CallId, SessionKey};

/// Says that a job is ours, and of which kind: [`JOB`] or [`SCHEDULE`].
pub const OURS: &str = "ml-intern";
/// A job that a call began and a ticket follows.
pub const JOB: &str = "job";
/// A run of a schedule, which nobody follows.
pub const SCHEDULE: &str = "schedule";
/// Which session it belongs to, as a digest.
pub const SESSION: &str = "ml-intern-session";
/// Which call began it, as a digest.
pub const CALL: &str = "ml-intern-call";
/// The revision of the model that it measures.
pub const REVISION: &str = "ml-intern-revision";
/// The name that people see in lists.
pub const NAME: &str = "name";

/// The labels of a job that this call of this session begins.
#[must_use]
pub fn of(session: &SessionKey, call: &CallId, title: &str) -> BTreeMap<String, String> {
    [
        (OURS, JOB.to_owned()),
        (SESSION, session_digest(session)),
        (CALL, call_digest(session, call)),
        (NAME, slug(title)),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect()
}

/// The labels of a schedule that this call of this session makes. Its runs carry them.
#[must_use]
pub fn of_schedule(session: &SessionKey, call: &CallId, title: &str) -> BTreeMap<String, String> {
    let mut labels = of(session, call, title);
    labels.insert(OURS.to_owned(), SCHEDULE.to_owned());
    labels
}

/// Whether these are the labels of a job that a call began, and not of a run of a schedule.
#[must_use]
pub fn is_job(labels: &BTreeMap<String, String>) -> bool {
    labels.get(OURS).is_some_and(|kind| kind == JOB)
}

/// A revision as a label, if the Hub would take it as one.
#[must_use]
pub fn revision(revision: &str) -> Option<(String, String)> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let fits = (1..=100).contains(&revision.len()) && revision.chars().all(plain);
    fits.then(|| (REVISION.to_owned(), revision.to_owned()))
}

/// The session, as labels name it.
#[must_use]
pub fn session_digest(session: &SessionKey) -> String {
    digest(&[session.as_str()])
}

/// The call, as labels name it: calls of different sessions may share an id.
#[must_use]
pub fn call_digest(session: &SessionKey, call: &CallId) -> String {
    digest(&[session.as_str(), call.as_str()])
}

fn digest(parts: &[&str]) -> String {
    let mut sum = Sha256::new();
    for part in parts {
        sum.update(part.as_bytes());
        sum.update([0]);
    }
    hex::encode(&sum.finalize()[..8])
}

/// A name of small letters, digits and dashes, 40 at most.
fn slug(title: &str) -> String {
    let mut slug = String::new();
    for c in title.chars() {
        match c {
            c if c.is_ascii_alphanumeric() => slug.push(c.to_ascii_lowercase()),
            _ if slug.is_empty() || slug.ends_with('-') => {}
            _ => slug.push('-'),
        }
        if slug.len() >= 40 {
            break;
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "job".to_owned() } else { slug.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_known_by_digests_and_a_readable_name() {
        let (session, call) = (SessionKey::from("slack/T1/C1/1.2"), CallId::from("call_1"));
        let labels = of(&session, &call, "Train: Qwen/Qwen3-0.6B on my data!");
        assert_eq!(labels[OURS], "job");
        assert_eq!(labels[NAME], "train-qwen-qwen3-0-6b-on-my-data");
        assert!(labels[SESSION].len() == 16 && !labels.values().any(|value| value.contains("C1")));
        let other = SessionKey::from("slack/T1/C1/9.9");
        assert_ne!(call_digest(&session, &call), call_digest(&other, &call));
        assert_eq!(slug("…"), "job");
    }

    #[test]
    fn a_run_of_a_schedule_is_no_job_of_a_call() {
        let (session, call) = (SessionKey::from("s"), CallId::from("c"));
        assert!(is_job(&of(&session, &call, "x")) && !is_job(&of_schedule(&session, &call, "x")));
        assert!(!is_job(&BTreeMap::new()));
        assert!(revision("abc123").is_some() && revision("refs/pr/1").is_none() && revision("").is_none());
    }
}
