//! One request to the Hub, before it is sent: method, path of segments, query, body.
//!
//! Owns [`Ask`] and how names become parts of an address. A name that would change the path (`..`, nothing,
//! control characters) is refused when the request is sent, never repaired. Start at [`Ask::get`].

use std::time::Duration;

use bytes::Bytes;
use reqwest::{Method, Url};
use serde_json::Value;

use super::HubError;
use super::repo::RepoKind;

/// How long one request may take, with its answer.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Bytes of an answer that are taken.
const CAP: u64 = 16 * 1024 * 1024;

/// What sending the same twice means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nature {
    /// It only reads: it may be sent again.
    Read,
    /// It changes something: sent again only if the Hub said "too many requests" and so did nothing.
    Write,
}

/// What happens if the Hub sends us to another host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Elsewhere {
    /// An error: its own answers are asked for.
    Refuse,
    /// We go there, without the token.
    Follow,
    /// The answer that says so is the answer.
    Show,
}

/// A request to the Hub.
#[derive(Debug, Clone)]
pub struct Ask {
    pub(super) method: Method,
    pub(super) nature: Nature,
    pub(super) elsewhere: Elsewhere,
    /// Whether the token may come along, where it may go at all.
    pub(super) signed: bool,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Option<(&'static str, Bytes)>,
    /// `None`: the caller watches the body (streams).
    pub(super) timeout: Option<Duration>,
    pub(super) cap: u64,
    pub(super) repo: Option<(RepoKind, String)>,
    path: String,
    query: String,
    wrong: Option<String>,
}

impl Ask {
    /// Asks for something, for instance `Ask::get(&["api", "jobs", namespace])`. Every segment is
    /// percent-encoded as a whole: `refs/pr/1` becomes `refs%2Fpr%2F1`.
    #[must_use]
    pub fn get(segments: &[&str]) -> Self {
        Self::new(Method::GET, Nature::Read, segments)
    }

    /// Asks for the headers only.
    #[must_use]
    pub fn head(segments: &[&str]) -> Self {
        Self::new(Method::HEAD, Nature::Read, segments)
    }

    /// Changes something.
    #[must_use]
    pub fn post(segments: &[&str]) -> Self {
        Self::new(Method::POST, Nature::Write, segments)
    }

    /// Sets something.
    #[must_use]
    pub fn put(segments: &[&str]) -> Self {
        Self::new(Method::PUT, Nature::Write, segments)
    }

    /// Deletes something.
    #[must_use]
    pub fn delete(segments: &[&str]) -> Self {
        Self::new(Method::DELETE, Nature::Write, segments)
    }

    fn new(method: Method, nature: Nature, segments: &[&str]) -> Self {
        let mut ask = Self {
            method,
            nature,
            elsewhere: Elsewhere::Refuse,
            signed: true,
            headers: Vec::new(),
            body: None,
            timeout: Some(TIMEOUT),
            cap: CAP,
            repo: None,
            path: String::new(),
            query: String::new(),
            wrong: None,
        };
        for segment in segments {
            ask = ask.then(segment);
        }
        ask
    }

    /// One more segment of the path.
    #[must_use]
    pub fn then(mut self, segment: &str) -> Self {
        if let Err(why) = check_segment(segment) {
            self.wrong.get_or_insert(why);
        }
        self.path.push('/');
        self.path.push_str(&encode(segment));
        self
    }

    /// A path of several segments, such as a file's: `data/train file.csv`.
    #[must_use]
    pub fn file(self, path: &str) -> Self {
        path.split('/').fold(self, Ask::then)
    }

    /// The repository that this is about, as one or two segments; errors name it.
    #[must_use]
    pub fn repo(mut self, kind: RepoKind, id: &str) -> Self {
        if let Err(why) = super::repo::check_id(id) {
            self.wrong.get_or_insert(why);
        }
        self.repo = Some((kind, id.to_owned()));
        self.file(id)
    }

    /// One more parameter of the query.
    #[must_use]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.query.push(if self.query.is_empty() { '?' } else { '&' });
        self.query.push_str(&encode(name));
        self.query.push('=');
        self.query.push_str(&encode(value));
        self
    }

    /// A body of JSON.
    #[must_use]
    pub fn json(mut self, body: &Value) -> Self {
        self.body = Some(("application/json", Bytes::from(body.to_string())));
        self
    }

    /// A body of any type.
    #[must_use]
    pub fn body(mut self, kind: &'static str, body: impl Into<Bytes>) -> Self {
        self.body = Some((kind, body.into()));
        self
    }

    /// One more header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// It only reads, although its method does not say so.
    #[must_use]
    pub fn reads(mut self) -> Self {
        self.nature = Nature::Read;
        self
    }

    /// What happens if the Hub sends us to another host.
    #[must_use]
    pub fn elsewhere(mut self, elsewhere: Elsewhere) -> Self {
        self.elsewhere = elsewhere;
        self
    }

    /// How long it may take.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// It goes without the token.
    pub(super) fn unsigned(mut self) -> Self {
        self.signed = false;
        self
    }

    /// Its body comes bit by bit: nothing bounds how long it takes.
    pub(super) fn unbounded(mut self) -> Self {
        self.timeout = None;
        self
    }

    /// How many bytes of an answer are taken.
    #[must_use]
    pub fn cap(mut self, bytes: u64) -> Self {
        self.cap = bytes;
        self
    }

    /// Path and query, as they are sent.
    pub(super) fn target(&self) -> String {
        format!("{}{}", self.path, self.query)
    }

    /// The whole address at this Hub.
    pub(super) fn url(&self, endpoint: &str) -> Result<Url, HubError> {
        if let Some(why) = &self.wrong {
            return Err(HubError::BadName(why.clone()));
        }
        Url::parse(&format!("{endpoint}{}", self.target()))
            .map_err(|_| HubError::BadName("the Hub's address is no URL".to_owned()))
    }
}

/// Whether this can be one part of a path.
fn check_segment(segment: &str) -> Result<(), String> {
    let shown = segment.escape_debug();
    if segment.is_empty() {
        return Err("a part of the name is empty".to_owned());
    }
    if segment == "." || segment == ".." {
        return Err(format!("`{shown}` cannot be part of a name on the Hub"));
    }
    if segment.chars().any(char::is_control) {
        return Err(format!("`{shown}` has control characters in it"));
    }
    Ok(())
}

/// Percent-encodes everything but letters, digits and `-._~`.
pub(super) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_encoded_whole() {
        let ask = Ask::get(&["api", "datasets"])
            .repo(RepoKind::Dataset, "alice/data1")
            .then("tree")
            .then("refs/pr/3")
            .file("sub dir/ä?#%.csv")
            .query("recursive", "true")
            .query("q", "a b&c=d/ä");
        assert_eq!(
            ask.target(),
            "/api/datasets/alice/data1/tree/refs%2Fpr%2F3/sub%20dir/%C3%A4%3F%23%25.csv\
             ?recursive=true&q=a%20b%26c%3Dd%2F%C3%A4"
        );
        assert_eq!(
            ask.url("https://hub").unwrap().as_str(),
            format!("https://hub{}", ask.target()),
            "parsing changes nothing"
        );
    }

    #[test]
    fn path_tricks_are_refused() {
        for (path, word) in [
            ("../x", "`..`"),
            ("a/./b", "`.`"),
            ("a//b", "empty"),
            ("a/\u{0}b", "control"),
            ("a\nb", "control"),
        ] {
            let error = Ask::get(&["api"]).file(path).url("https://hub").unwrap_err();
            assert!(matches!(&error, HubError::BadName(why) if why.contains(word)), "{path:?}: {error}");
        }
        for id in ["a/b/c", "../b", "", "/", "a/", "a b/c", "a/b?x"] {
            let error = Ask::get(&["api"]).repo(RepoKind::Model, id).url("https://hub").unwrap_err();
            assert!(matches!(error, HubError::BadName(_)), "{id:?}: {error}");
        }
    }
}
