//! What the tools for repositories share: names as the model gives them, and refusals in plain words.
//!
//! Start at [`repo`] and [`told`]. Never asks the Hub anything.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::agent::tool::BadArguments;
use crate::clients::hub::{HubError, Missing, Repo, RepoKind};
use crate::protocol::ToolOutcome;
use crate::text::first_line;

/// The branch, if none is named.
pub(super) const MAIN: &str = "main";
/// Characters of a name of a branch, tag or revision.
const LONGEST_REVISION: usize = 250;
/// Characters of a file's path.
const LONGEST_PATH: usize = 1_000;

/// What kind of repository.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum RepoType {
    #[default]
    Model,
    Dataset,
    Space,
}

/// The repository that is meant.
pub(super) fn repo(kind: RepoType, id: &str) -> Result<Repo, BadArguments> {
    let kind = match kind {
        RepoType::Model => RepoKind::Model,
        RepoType::Dataset => RepoKind::Dataset,
        RepoType::Space => RepoKind::Space,
    };
    Repo::parse(kind, id).map_err(|why| BadArguments(format!("`repo_id`: {why}")))
}

/// A required argument's text.
pub(super) fn required<'a>(
    field: &str,
    operation: &str,
    text: Option<&'a str>,
) -> Result<&'a str, BadArguments> {
    text.map(str::trim)
        .filter(|text| !text.is_empty())
        .ok_or_else(|| BadArguments(format!("`{field}` is missing: `{operation}` needs it")))
}

/// The operation must be named; says which there are.
pub(super) fn has_operation(value: &Value, operations: &[&str]) -> Result<(), BadArguments> {
    match value.get("operation") {
        Some(Value::String(word)) if operations.contains(&word.as_str()) => Ok(()),
        Some(Value::String(word)) => Err(BadArguments(format!(
            "`operation`: there is no `{}`; it is one of {}",
            first_line(word, 40).escape_debug(),
            operations.join(", ")
        ))),
        _ => Err(BadArguments(format!("`operation` is missing: one of {}", operations.join(", ")))),
    }
}

/// A name of a branch, tag or commit that is no trick.
pub(super) fn revision<'a>(field: &str, name: &'a str) -> Result<&'a str, BadArguments> {
    let shown = first_line(name, 80).escape_debug().to_string();
    let bad = |why: &str| Err(BadArguments(format!("`{field}`: `{shown}` {why}")));
    if name.is_empty() || name.starts_with('-') || name.starts_with('/') || name.ends_with('/') {
        return bad("is no name of a branch, tag or commit");
    }
    if name.chars().count() > LONGEST_REVISION {
        return bad("is too long");
    }
    if name.split('/').any(|part| part.is_empty() || part == "." || part == "..") || name.contains("..") {
        return bad("may not hold `.`, `..` or nothing as a part");
    }
    if name.chars().any(|letter| letter.is_control() || letter.is_whitespace() || "~^:?*[\\".contains(letter))
    {
        return bad("holds a character that Git takes in no name");
    }
    Ok(name)
}

/// A path in a repository that is no trick.
pub(super) fn path<'a>(field: &str, given: &'a str) -> Result<&'a str, BadArguments> {
    let shown = first_line(given, 120).escape_debug().to_string();
    let bad = |why: &str| Err(BadArguments(format!("`{field}`: `{shown}` {why}")));
    if given.is_empty() || given.starts_with('/') {
        return bad("must be a path from the root of the repository, without a `/` at its beginning");
    }
    if given.chars().count() > LONGEST_PATH {
        return bad("is too long");
    }
    if given.chars().any(char::is_control) || given.contains('\\') {
        return bad("holds control characters or a backslash");
    }
    let parts: Vec<&str> = given.split('/').collect();
    if parts.iter().any(|part| part.is_empty() || *part == "." || *part == "..") {
        return bad("may not hold `.`, `..` or nothing as a part");
    }
    if parts[0] == ".git" {
        return bad("is Git's own");
    }
    Ok(given)
}

/// What the model reads of a failure: what, where, what to do.
pub(super) fn told(error: &HubError, repo: &Repo) -> ToolOutcome {
    let mut text = format!("{repo}: {error}.");
    let advice = match error {
        HubError::NotFound { what: Missing::Repo, .. } => {
            " Check `repo_id` and `repo_type`; a private repository is seen only with a token that may see it."
        }
        HubError::NotFound { what: Missing::Revision, .. } => {
            " `hf_repo_git` with operation list_refs lists the branches and tags."
        }
        HubError::NotFound { what: Missing::Entry, .. } => {
            " `hf_repo_files` with operation list lists the files."
        }
        HubError::NotFound { what: Missing::Other, .. } => " Check the names and numbers.",
        HubError::Gated { .. } => " A person must ask for access on that page; nothing else helps.",
        HubError::Unauthorized { .. } => {
            " A person must give a token: their own to the bot in a private message, or HF_TOKEN by the operator."
        }
        HubError::Forbidden { .. } => {
            " The token needs write access to this repository's owner; or offer the change with `create_pr`."
        }
        HubError::Payment { .. } => " Tell the person; do not try again before they have paid.",
        HubError::Conflict { .. } => " Look at what is there now before trying again.",
        HubError::Limited { .. } => " Do something else first, then try again.",
        _ => "",
    };
    text.push_str(advice);
    ToolOutcome::failed(text)
}

/// As [`told`], of something that changes the Hub: where the answer was lost, it may have been done.
pub(super) fn told_of_change(error: &HubError, repo: &Repo) -> ToolOutcome {
    let mut outcome = told(error, repo);
    let lost = matches!(error, HubError::Unreachable(_) | HubError::Refused { status: 500.., .. });
    if lost {
        outcome
            .output
            .push_str(" Whether it was done is not known: look at the repository before you try again.");
    }
    outcome
}

/// Bytes for people: `12 B`, `1.2 kB`, `3.4 GB`.
pub(super) fn bytes(number: u64) -> String {
    const UNITS: [(u64, &str); 4] =
        [(1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    for (size, unit) in UNITS {
        if number >= size {
            let tenths = u128::from(number) * 10 / u128::from(size);
            return format!("{}.{} {unit}", tenths / 10, tenths % 10);
        }
    }
    format!("{number} B")
}

/// A text between fences that it does not hold itself.
pub(super) fn fenced(text: &str) -> String {
    let longest = text
        .lines()
        .map(|line| line.trim_start().chars().take_while(|letter| *letter == '`').count())
        .max()
        .unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let mut fenced = String::new();
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    let _ = write!(fenced, "{fence}\n{text}{end}{fence}");
    fenced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_tricks_are_refused_by_field() {
        for bad in
            ["../x", "a/../b", "/etc/passwd", "a//b", "./a", "a\u{0}b", "a\nb", "a\\b", "", ".git/config"]
        {
            let error = path("path", bad).unwrap_err();
            assert!(error.0.starts_with("`path`"), "{bad:?}: {error}");
        }
        for good in ["README.md", "data/train file.csv", "a/b/.gitattributes", "ü/ö.txt", "..."] {
            assert_eq!(path("path", good).unwrap(), good);
        }
        for bad in ["..", "a..b", "a b", "refs/../x", "-x", "x\n", "a^1", "a:b", "/x", "x/", ""] {
            let error = revision("branch", bad).unwrap_err();
            assert!(error.0.starts_with("`branch`"), "{bad:?}: {error}");
        }
        for good in ["main", "refs/pr/1", "v1.0", "feat/x", "aaaaaaaa"] {
            assert_eq!(revision("branch", good).unwrap(), good);
        }
        let error = repo(RepoType::Model, "a/b/c").unwrap_err();
        assert!(error.0.contains("`repo_id`") && error.0.contains("more than one"), "{error}");
    }

    #[test]
    fn sizes_are_short() {
        for (number, words) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_250, "1.2 kB"),
            (3_456_000_000, "3.4 GB"),
            (u64::MAX, "18446744.0 TB"),
        ] {
            assert_eq!(bytes(number), words);
        }
    }

    #[test]
    fn a_fence_is_longer_than_any_in_the_text() {
        assert_eq!(fenced("a"), "```\na\n```");
        assert_eq!(fenced("```py\nx\n```\n"), "````\n```py\nx\n```\n````");
    }
}
