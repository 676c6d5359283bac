//! Deleting: the files that patterns name, in one commit; and what people see before they say yes.

use serde_json::Value;

use super::patterns::matches;
use super::seals::{Seal, Seals};
use super::upload::{about_repo, hint};
use super::{Change, Checked};
use crate::agent::tool::{Examined, Place};
use crate::clients::hub::{Change as Edit, Depth, EntryKind, Hub, HubError, NewCommit, Unwatched};
use crate::protocol::ToolOutcome;
use crate::text::count;
use crate::tools::hub::repo_words::{told, told_of_change};

/// Entries of a repository that patterns are compared with.
const MOST: usize = 50_000;
/// Names that are shown.
const SHOWN: usize = 20;

/// What patterns name in a repository as it is.
struct Named {
    files: Vec<String>,
    of: usize,
    /// Patterns that name nothing.
    idle: Vec<String>,
}

enum Trouble {
    Hub(HubError),
    TooMany,
}

async fn named(hub: &Hub, at: &Checked, patterns: &[String]) -> Result<Named, Trouble> {
    let tree = hub.tree((&at.repo, &at.revision), None, Depth::All, MOST).await.map_err(Trouble::Hub)?;
    if tree.more {
        return Err(Trouble::TooMany);
    }
    let all: Vec<String> = tree
        .items
        .into_iter()
        .filter(|entry| entry.kind == EntryKind::File)
        .map(|entry| entry.path)
        .collect();
    let patterns = patterns.to_vec();
    let compared = tokio::task::spawn_blocking(move || {
        let of = all.len();
        let idle = patterns.iter().filter(|pattern| !all.iter().any(|path| matches(pattern, path)));
        let idle = idle.cloned().collect();
        let mut files: Vec<String> =
            all.into_iter().filter(|path| patterns.iter().any(|pattern| matches(pattern, path))).collect();
        files.sort();
        Named { files, of, idle }
    });
    compared.await.map_err(|_| Trouble::TooMany)
}

fn list(files: &[String]) -> String {
    let mut text: Vec<String> =
        files.iter().take(SHOWN).map(|path| path.escape_debug().to_string()).collect();
    if files.len() > SHOWN {
        text.push(format!("and {} more", files.len() - SHOWN));
    }
    text.join(", ")
}

pub(super) async fn examine(
    seals: &Seals,
    hub: &Hub,
    (at, arguments): (&Checked, &Value),
    (patterns, change): (&[String], &Change),
    place: &Place,
) -> Examined {
    let mut found = Examined::default();
    let (info, named) = tokio::join!(hub.info(&at.repo, None), named(hub, at, patterns));
    match named {
        Ok(named) => {
            let (number, of) = (named.files.len(), named.of);
            let label = format!("{} of {of}", count(number, "file"));
            found.facts.push(("Deletes".to_owned(), format!("{label}: {}", list(&named.files))));
            if number == 0 {
                found.warnings.push("Nothing there matches; nothing would be deleted.".to_owned());
            } else if number == of {
                found.warnings.push("These are all the files that there are.".to_owned());
            }
            if !named.idle.is_empty() {
                found.warnings.push(format!("Nothing matches {}.", list(&named.idle)));
            }
            seals.put(&place.session, arguments, Seal::Files(named.files));
        }
        Err(Trouble::Hub(error)) => found.warnings.push(format!("What it deletes is not known: {error}.")),
        Err(Trouble::TooMany) => {
            found.warnings.push(format!("The repository has more than {MOST} entries; this cannot work."));
        }
    }
    about_repo(&mut found, hub, at, change, info);
    found
}

pub(super) async fn delete(
    hub: &Hub,
    at: &Checked,
    (patterns, change): (&[String], &Change),
    seal: Option<Seal>,
) -> ToolOutcome {
    let named = match named(hub, at, patterns).await {
        Ok(named) => named,
        Err(Trouble::Hub(error)) => return told(&error, &at.repo),
        Err(Trouble::TooMany) => {
            return ToolOutcome::failed(format!(
                "Nothing was deleted: {} has more than {MOST} entries, too many to compare with patterns.",
                at.repo
            ));
        }
    };
    if named.files.is_empty() {
        return ToolOutcome::failed(format!(
            "Nothing was deleted: no file of {} at {} matches {}. Operation list shows what is there.",
            at.repo,
            at.revision,
            list(patterns)
        ));
    }
    if let Some(Seal::Files(shown)) = seal
        && shown != named.files
    {
        return ToolOutcome::failed(format!(
            "Nothing was deleted: the repository has changed since people were asked, and the patterns now name \
             {}: {}. Call again, and they are asked about these.",
            count(named.files.len(), "file"),
            list(&named.files)
        ));
    }
    let commit = NewCommit {
        repo: at.repo.clone(),
        revision: at.revision.clone(),
        into: change.into,
        summary: change.summary.clone(),
        description: change.description.clone(),
        parent: None,
        changes: named.files.iter().map(|path| Edit::DeleteFile { path: path.clone() }).collect(),
    };
    let made = match hub.commit(&commit, &Unwatched).await {
        Ok(made) => made,
        Err(error) => return told_of_change(&error, &at.repo),
    };
    let mut text = match &made.pull_request {
        Some(url) => format!(
            "Offered to delete {} from {} as a pull request, which is open and not merged: {url}{}",
            count(named.files.len(), "file"),
            at.repo,
            hint(made.pull_request_num())
        ),
        None => format!(
            "Deleted {} from {} at {} (commit {}).",
            count(named.files.len(), "file"),
            at.repo,
            at.revision,
            made.oid
        ),
    };
    text.push_str(&format!("\n{}", list(&named.files)));
    if !named.idle.is_empty() {
        text.push_str(&format!("\nNothing matched {}.", list(&named.idle)));
    }
    ToolOutcome::done(text)
}
