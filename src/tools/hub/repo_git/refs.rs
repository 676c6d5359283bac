//! Branches and tags.

use std::fmt::Write as _;

use super::wish::There;
use crate::clients::hub::{Created, Hub, HubError, PullRequests, Ref, Repo};
use crate::protocol::ToolOutcome;
use crate::tools::hub::repo_words::{MAIN, told, told_of_change};

/// Names of one kind that are shown.
const SHOWN: usize = 100;

pub(super) async fn list(hub: &Hub, repo: &Repo) -> ToolOutcome {
    let refs = match hub.refs(repo, PullRequests::LeftOut).await {
        Ok(refs) => refs,
        Err(error) => return told(&error, repo),
    };
    let mut text = format!("{repo}\n{}", hub.page(repo));
    names(&mut text, "Branches", &refs.branches);
    names(&mut text, "Tags", &refs.tags);
    ToolOutcome::done(text)
}

fn names(text: &mut String, label: &str, refs: &[Ref]) {
    let _ = write!(text, "\n\n{label} ({}):", refs.len());
    if refs.is_empty() {
        text.push_str(" none");
    }
    for known in refs.iter().take(SHOWN) {
        let short: String = known.target_commit.chars().take(12).collect();
        let _ = write!(text, "\n- {} at {short}", known.name.escape_debug());
    }
    if refs.len() > SHOWN {
        let _ = write!(text, "\n[{} more]", refs.len() - SHOWN);
    }
}

pub(super) async fn create_branch(
    hub: &Hub,
    repo: &Repo,
    (branch, from): (&str, Option<&str>),
    there: There,
) -> ToolOutcome {
    let url = format!("{}/tree/{branch}", hub.page(repo));
    let begins = from.unwrap_or(MAIN);
    let made = hub.create_branch(repo, branch, from).await;
    created(made, repo, there, (&format!("branch {branch}"), &format!("at {begins}: {url}")))
}

pub(super) async fn create_tag(
    hub: &Hub,
    (repo, revision): (&Repo, &str),
    (tag, message): (&str, Option<&str>),
    there: There,
) -> ToolOutcome {
    let url = format!("{}/tree/{tag}", hub.page(repo));
    let made = hub.create_tag((repo, revision), tag, message).await;
    created(made, repo, there, (&format!("tag {tag}"), &format!("at {revision}: {url}")))
}

/// What making something came to.
pub(super) fn created(
    made: Result<Created, HubError>,
    repo: &Repo,
    there: There,
    (what, more): (&str, &str),
) -> ToolOutcome {
    match (made, there) {
        (Ok(Created::New), _) => ToolOutcome::done(format!("Made {what} in {repo}, {more}")),
        (Ok(Created::Before), There::Fine) => {
            ToolOutcome::done(format!("{repo} has {what} already; it is as it was."))
        }
        (Ok(Created::Before), There::Wrong) => ToolOutcome::failed(format!(
            "{repo} has {what} already; it is as it was. Set `exist_ok` if that is fine."
        )),
        (Err(error), _) => told_of_change(&error, repo),
    }
}

pub(super) async fn delete_branch(hub: &Hub, repo: &Repo, branch: &str) -> ToolOutcome {
    match hub.delete_branch(repo, branch).await {
        Ok(()) => ToolOutcome::done(format!("Deleted branch {branch} of {repo}.")),
        Err(error) => told_of_change(&error, repo),
    }
}

pub(super) async fn delete_tag(hub: &Hub, repo: &Repo, tag: &str) -> ToolOutcome {
    match hub.delete_tag(repo, tag).await {
        Ok(()) => ToolOutcome::done(format!("Deleted tag {tag} of {repo}.")),
        Err(error) => told_of_change(&error, repo),
    }
}
