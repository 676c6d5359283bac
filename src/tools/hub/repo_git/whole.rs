//! Repositories as a whole: new ones, and settings.

use super::wish::{There, gate_words};
use crate::clients::hub::{Created, Gate, Hub, NewRepo, Repo, RepoKind, Visibility};
use crate::protocol::ToolOutcome;
use crate::tools::hub::repo_words::told_of_change;

pub(super) async fn create(
    hub: &Hub,
    repo: &Repo,
    (visibility, sdk): (Visibility, Option<&str>),
    there: There,
) -> ToolOutcome {
    // A name alone is the account's own; the page has both.
    let whole = if repo.id.contains('/') {
        repo.clone()
    } else {
        match hub.whoami().await {
            Ok(name) => Repo { id: format!("{name}/{}", repo.id), ..repo.clone() },
            Err(error) => return told_of_change(&error, repo),
        }
    };
    let (repo, page) = (&whole, hub.page(&whole));
    let new = NewRepo { repo: repo.clone(), visibility, sdk: sdk.map(str::to_owned) };
    match (hub.create(&new).await, there) {
        (Ok(Created::New), _) => {
            ToolOutcome::done(format!("Made {} {repo}: {page}\n{}", visibility.as_str(), card(repo.kind)))
        }
        (Ok(Created::Before), There::Fine) => {
            ToolOutcome::done(format!("{repo} is there already; it is as it was, its visibility too: {page}"))
        }
        (Ok(Created::Before), There::Wrong) => ToolOutcome::failed(format!(
            "{repo} is there already; it is as it was: {page}\nChoose another name, or set `exist_ok` if that is fine."
        )),
        (Err(error), _) => told_of_change(&error, repo),
    }
}

/// What a new repository lacks; nobody writes it unasked.
fn card(kind: RepoKind) -> &'static str {
    match kind {
        RepoKind::Model => {
            "It has no model card yet. When the weights are in it, offer to write one (README.md): licence, base \
             model, dataset and its revision, how it was trained, what it was measured to do."
        }
        RepoKind::Dataset => {
            "It has no dataset card yet. When the data is in it, offer to write one (README.md): licence, where the \
             data is from, columns and splits, how it was made."
        }
        RepoKind::Space => {
            "It shows nothing until its files are uploaded; its README.md names title, SDK and hardware."
        }
    }
}

pub(super) async fn update(
    hub: &Hub,
    repo: &Repo,
    (visibility, gate): (Option<Visibility>, Option<Gate>),
) -> ToolOutcome {
    match hub.set(repo, visibility, gate).await {
        Ok(()) => {
            let mut what: Vec<&str> = visibility.map(Visibility::as_str).into_iter().collect();
            what.extend(gate.map(gate_words));
            ToolOutcome::done(format!("{repo} is now {}: {}/settings", what.join(" and "), hub.page(repo)))
        }
        Err(error) => told_of_change(&error, repo),
    }
}
