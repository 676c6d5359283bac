//! Uploading: one file, from the arguments or from the workspace; and what people see before they say yes.

use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::seals::{Seal, Seals};
use super::{Change, Checked, Source};
use crate::agent::tool::{BadArguments, CallContext, Examined, Place, Progress, ToolError};
use crate::clients::hub::{
    Change as Edit, Content, Destination, Hub, HubError, NewCommit, RepoInfo, Span, Visibility, Watch,
};
use crate::protocol::ToolOutcome;
use crate::text::{redact_known, redact_values, unified_diff};
use crate::tools::files::blocking;
use crate::tools::hub::HubKit;
use crate::tools::hub::repo_words::{bytes, told_of_change};
use crate::tools::workspace::{Relation, resolve, shown};

/// Bytes of a text whose changes are shown.
const DIFFED: usize = 256 * 1024;
/// Bytes of a file that is looked through for secrets.
const LOOKED_THROUGH: u64 = 8 * 1024 * 1024;
/// Bytes of a file that there is time to hash while people wait for the question.
const SEALED: u64 = 256 * 1024 * 1024;
/// How often progress is told.
const PROGRESS: Duration = Duration::from_secs(2);

/// The real path of a file of the workspace.
async fn local(place: &Place, given: &str) -> Result<PathBuf, BadArguments> {
    let (workspace, given) = (place.workspace.clone(), given.to_owned());
    let found = blocking(move || {
        let target = resolve(&workspace, &given)?;
        if target.relation != Relation::Inside {
            return Err(BadArguments("`local_path` is outside the workspace".to_owned()));
        }
        let name = shown(&workspace, &target.path);
        match crate::tools::files::open(&target.path) {
            Ok(_) => Ok(target.path),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(BadArguments(format!("`local_path`: there is no file `{name}` in the workspace")))
            }
            Err(error) => Err(BadArguments(format!("`local_path`: `{name}` cannot be read: {error}"))),
        }
    });
    found.await.map_err(|_| BadArguments("`local_path` cannot be read".to_owned()))?
}

/// What is to be uploaded.
async fn content(place: &Place, source: &Source) -> Result<Content, BadArguments> {
    Ok(match source {
        Source::Inline(text) => Content::Bytes(text.clone().into()),
        Source::Local(given) => Content::File(local(place, given).await?),
    })
}

/// The content as text, if it is one and not too long.
async fn text_of(content: &Content, most: u64) -> Option<String> {
    String::from_utf8(content.read(most).await.ok()?.to_vec()).ok().filter(|text| !text.contains('\0'))
}

pub(super) async fn examine(
    seals: &Seals,
    hub: &Hub,
    (at, arguments): (&Checked, &Value),
    (path, source, change): (&str, &Source, &Change),
    place: &Place,
) -> Examined {
    let mut found = Examined::default();
    let content = match content(place, source).await {
        Ok(content) => content,
        Err(error) => {
            found.warnings.push(format!("This upload cannot work: {error}."));
            return found;
        }
    };
    // First of all: what is looked at here is what people answer about.
    if let Source::Local(_) = source {
        match content.size().await {
            Ok(size) if size <= SEALED => {
                if let Ok(oid) = content.sha256().await {
                    seals.put(&place.session, arguments, Seal::Content(oid));
                }
            }
            _ => found.warnings.push(
                "It is too large to make sure that what is uploaded later is what is there now.".to_owned(),
            ),
        }
    }
    let at_revision = (&at.repo, at.revision.as_str());
    let (info, facts) = tokio::join!(hub.info(&at.repo, None), hub.file_facts(at_revision, path));
    let size = content.size().await.map_or_else(|_| "size unknown".to_owned(), bytes);
    let (before, fate) = match &facts {
        Ok(facts) => {
            let old = facts.size.map_or_else(|| "the file that is there".to_owned(), bytes);
            (facts.size, format!("{path}, {size}, replaces {old}"))
        }
        Err(HubError::NotFound { .. }) => (Some(0), format!("{path}, {size}, new")),
        Err(_) => (None, format!("{path}, {size}")),
    };
    found.facts.push(("File".to_owned(), fate));
    about_repo(&mut found, hub, at, change, info);
    let Some(new) = text_of(&content, DIFFED as u64).await else { return found };
    if redact_known(&new, &[]) != new.as_str() {
        found.warnings.push("Something in it looks like a token or a password.".to_owned());
    }
    let old = match before {
        None => return found,
        Some(0) => {
            found.diff = from_nothing(&new);
            return found;
        }
        Some(size) if size > DIFFED as u64 => return found,
        Some(_) => hub.read_file(at_revision, path, Span { from: 0, at_most: DIFFED }).await,
    };
    if let Ok(Ok(old)) = old.map(|piece| String::from_utf8(piece.bytes.to_vec())) {
        if old == new {
            found.warnings.push("The file is there already as it is; nothing would change.".to_owned());
        } else {
            found.diff = Some(unified_diff(&old, &new));
        }
    }
    found
}

/// A text that stands where nothing stood, as a diff; `None` if it is empty.
fn from_nothing(new: &str) -> Option<String> {
    let lines = new.lines().count();
    let added: String = new.lines().flat_map(|line| ["+", line, "\n"]).collect();
    (lines > 0).then(|| format!("--- nothing\n+++ new\n@@ -0,0 +1,{lines} @@\n{added}"))
}

/// Where a change goes and who sees it.
pub(super) fn about_repo(
    found: &mut Examined,
    hub: &Hub,
    at: &Checked,
    change: &Change,
    info: Result<RepoInfo, HubError>,
) {
    let page = hub.page(&at.repo);
    match info {
        Ok(info) => {
            let seen = match info.visibility() {
                Visibility::Private => "private",
                Visibility::Public => "public: everybody sees it",
            };
            found.facts.push(("Repository".to_owned(), format!("{} ({seen}) {page}", at.repo)));
        }
        Err(error) => {
            found.facts.push(("Repository".to_owned(), format!("{} {page}", at.repo)));
            found.warnings.push(format!("The repository could not be looked at: {error}."));
        }
    }
    let goes = match change.into {
        Destination::PullRequest => format!("a pull request against {}", at.revision),
        Destination::Revision => format!("a commit on {}", at.revision),
    };
    found.facts.push(("Goes as".to_owned(), goes));
}

pub(super) async fn upload(
    hub: &Hub,
    at: &Checked,
    (path, source, change): (&str, &Source, &Change),
    (kit, seal, context): (&HubKit, Option<Seal>, &CallContext),
) -> Result<ToolOutcome, ToolError> {
    let content = content(&context.place, source).await?;
    if let (Some(Seal::Content(shown)), Content::File(_)) = (&seal, &content)
        && content.sha256().await.ok().as_ref() != Some(shown)
    {
        return Ok(ToolOutcome::failed(format!(
            "Nothing was uploaded: the file has changed since people were asked about it. Call again, and they \
             are asked about what it is now ({path}).",
        )));
    }
    if let Some(text) = text_of(&content, LOOKED_THROUGH).await
        && redact_values(&text, &kit.secrets) != text.as_str()
    {
        return Ok(ToolOutcome::failed(
            "Nothing was uploaded: the file holds a secret of this installation. Take it out first.",
        ));
    }
    let size = content.size().await.map_or_else(|_| "size unknown".to_owned(), bytes);
    let commit = NewCommit {
        repo: at.repo.clone(),
        revision: at.revision.clone(),
        into: change.into,
        summary: change.summary.clone(),
        description: change.description.clone(),
        parent: None,
        changes: vec![Edit::Put { path: path.to_owned(), content }],
    };
    let told = Told { progress: context.progress.as_ref(), last: Mutex::new(None) };
    let made = match hub.commit(&commit, &told).await {
        Ok(made) => made,
        Err(error) => return Ok(told_of_change(&error, &at.repo)),
    };
    if made.ignored.iter().any(|ignored| ignored == path) {
        return Ok(ToolOutcome::failed(format!(
            "{path} is ignored by the repository's .gitignore; nothing was uploaded to {}.",
            at.repo
        )));
    }
    let page = hub.file_page((&at.repo, &at.revision), path);
    Ok(ToolOutcome::done(match (made.changed, &made.pull_request) {
        (false, _) => format!("{path} is in {} already as it is: nothing was committed.\n{page}", at.repo),
        (true, Some(url)) => format!(
            "Offered {path} ({size}) to {} as a pull request, which is open and not merged: {url}{}",
            at.repo,
            hint(made.pull_request_num())
        ),
        (true, None) => {
            format!(
                "Uploaded {path} ({size}) to {} at {} (commit {}).\n{page}",
                at.repo, at.revision, made.oid
            )
        }
    }))
}

/// How to go on with a pull request.
pub(super) fn hint(number: Option<u64>) -> String {
    number.map_or_else(String::new, |number| {
        format!("\nTo add to it, upload with revision `refs/pr/{number}`; hf_repo_git merges it (pr_num {number}).")
    })
}

/// Tells how a large upload goes, not too often.
struct Told<'a> {
    progress: &'a dyn Progress,
    last: Mutex<Option<Instant>>,
}

impl Watch for Told<'_> {
    fn sent(&self, path: &str, done: u64, total: u64) {
        let now = Instant::now();
        let mut last = self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if done < total && last.is_some_and(|last| now - last < PROGRESS) {
            return;
        }
        *last = Some(now);
        let percent = (u128::from(done) * 100).checked_div(u128::from(total)).unwrap_or(100);
        self.progress.line(&format!("{path}: {percent} % of {}", bytes(total)));
    }
}

#[cfg(test)]
mod tests {
    use super::from_nothing;

    #[test]
    fn a_new_file_is_all_added_lines() {
        assert_eq!(
            from_nothing("one\n\n-two").unwrap(),
            "--- nothing\n+++ new\n@@ -0,0 +1,3 @@\n+one\n+\n+-two\n"
        );
        assert_eq!(from_nothing(""), None);
    }
}
