//! What a repository is called: its kind and its name.
//!
//! Owns [`RepoKind`], [`Repo`] and the rule of names. Talks to nobody. Start at [`Repo::parse`].

use std::fmt;

/// What kind of repository.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RepoKind {
    /// A model.
    #[default]
    Model,
    /// A dataset.
    Dataset,
    /// A Space.
    Space,
}

impl RepoKind {
    /// The Hub's word: `model`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Dataset => "dataset",
            Self::Space => "space",
        }
    }

    /// The word in addresses of the API: `models`.
    #[must_use]
    pub fn plural(self) -> &'static str {
        match self {
            Self::Model => "models",
            Self::Dataset => "datasets",
            Self::Space => "spaces",
        }
    }
}

impl fmt::Display for RepoKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A repository's kind and name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Repo {
    /// Its kind.
    pub kind: RepoKind,
    /// `owner/name`, or a bare `name` (old models and datasets have no owner).
    pub id: String,
}

impl Repo {
    /// A repository of this name, if it can be one.
    ///
    /// # Errors
    /// Why it cannot be one, for people.
    pub fn parse(kind: RepoKind, id: &str) -> Result<Self, String> {
        let id = id.trim();
        check_id(id)?;
        Ok(Self { kind, id: id.to_owned() })
    }

    /// Where people see it, under the Hub's address.
    #[must_use]
    pub fn page(&self, endpoint: &str) -> String {
        page(self.kind, &self.id, endpoint)
    }
}

impl fmt::Display for Repo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.id)
    }
}

/// Where people see a repository.
pub(super) fn page(kind: RepoKind, id: &str, endpoint: &str) -> String {
    match kind {
        RepoKind::Model => format!("{endpoint}/{id}"),
        RepoKind::Dataset | RepoKind::Space => format!("{endpoint}/{}/{id}", kind.plural()),
    }
}

/// Whether this can be a repository's name: `name` or `owner/name`, of letters, digits, `-`, `_` and `.`,
/// at most 96 characters a part, without `--`, `..`, or a `-` or `.` at either end.
pub(super) fn check_id(id: &str) -> Result<(), String> {
    let shown = crate::text::first_line(id, 120).escape_debug().to_string();
    let say = |why: &str| Err(format!("`{shown}` is no repository name: {why}"));
    let parts: Vec<&str> = id.split('/').collect();
    if parts.len() > 2 {
        return say("it has more than one `/`; write `owner/name`, and a file's path in its own field");
    }
    for part in parts {
        if part.is_empty() {
            return say("write `owner/name`");
        }
        if !part.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(letter)) {
            return say("only letters, digits, `-`, `_` and `.` may be in it");
        }
        if part.len() > 96 {
            return say("a part of it is longer than 96 characters");
        }
        if part.contains("--") || part.contains("..") {
            return say("`--` and `..` may not be in it");
        }
        if part.starts_with(['-', '.']) || part.ends_with(['-', '.']) {
            return say("neither `-` nor `.` may stand at its beginning or end");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_or_refused_with_a_reason() {
        for good in ["gpt2", "alice/model-1", "a_b/c.d", "0/1 \n"] {
            assert_eq!(Repo::parse(RepoKind::Model, good).map(|repo| repo.id), Ok(good.trim().to_owned()));
        }
        for (bad, why) in [
            ("", "owner/name"),
            ("/", "owner/name"),
            ("a/b/c", "more than one"),
            ("../b", "`..`"),
            ("a/b c", "only letters"),
            ("a/b\u{202e}", "only letters"),
            ("a/-b", "beginning"),
            ("a/b--c", "`--`"),
            ("https://hub/a", "more than one"),
        ] {
            let error = Repo::parse(RepoKind::Model, bad).unwrap_err();
            assert!(error.contains(why), "{bad:?}: {error}");
        }
        assert_eq!(
            Repo::parse(RepoKind::Dataset, "a/b").unwrap().page("https://hub"),
            "https://hub/datasets/a/b"
        );
    }
}
