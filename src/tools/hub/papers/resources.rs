//! What on the Hub belongs to a paper: datasets, models, collections.

use std::fmt::Write as _;

use tokio_util::sync::CancellationToken;

use super::words::{Failure, Told, advice, counted, failure, line};
use crate::clients::papers::hub::{Collection, Kind, Repo};
use crate::clients::papers::{ArxivId, Papers};
use crate::clients::service::ServiceError;
use crate::text::count;

/// Entries of each part of the list of everything.
const EACH: usize = 10;

/// Datasets or models that name it.
pub(super) async fn linked(
    papers: &Papers,
    kind: Kind,
    id: &ArxivId,
    (sort, limit): (&str, usize),
    cancel: &CancellationToken,
) -> Told {
    let found =
        papers.linked(kind, id, (sort, limit), cancel).await.map_err(|error| failure("The Hub", &error))?;
    let (word, folder) = words(kind);
    if found.is_empty() {
        return Ok(format!(
            "No {word} on the Hub names paper {id}. Try find_all_resources, or search by its title."
        ));
    }
    let by = if sort == "trendingScore" { "trend" } else { sort };
    let all = if found.len() == limit { "; there may be more, with `limit`" } else { "" };
    let mut out = format!("{} of paper {id} by {by}{all}\n", count(found.len(), word));
    for (at, repo) in found.iter().enumerate() {
        let _ = writeln!(out, "\n{}. {}", at + 1, facts(repo));
        let _ = writeln!(out, "   {}/{folder}{}", papers.hub_address(), line(&repo.id, 120));
        if kind == Kind::Datasets {
            let tags: Vec<&str> =
                repo.tags.iter().map(String::as_str).filter(|tag| telling(tag)).take(5).collect();
            if !tags.is_empty() {
                let _ = writeln!(out, "   tags: {}", line(&tags.join(", "), 200));
            }
        }
        if let Some(about) = &repo.description {
            let _ = writeln!(out, "   {}", line(about, 300));
        }
    }
    if kind == Kind::Datasets
        && let Some(first) = found.first()
    {
        let _ = write!(out, "\nNext: hf_inspect_dataset with dataset=\"{}\".", line(&first.id, 120));
    }
    Ok(out)
}

fn words(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Datasets => ("dataset", "datasets/"),
        Kind::Models => ("model", ""),
    }
}

/// Tags that say something about the data.
fn telling(tag: &str) -> bool {
    !["arxiv:", "region:"].iter().any(|prefix| tag.starts_with(prefix))
}

/// Name and numbers in one line.
fn facts(repo: &Repo) -> String {
    let mut parts = vec![line(&repo.id, 120)];
    parts.push(repo.downloads.map_or_else(|| "downloads unknown".to_owned(), |it| counted(it, "download")));
    parts.extend(repo.likes.map(|it| counted(it, "like")));
    parts.extend(repo.task.as_deref().map(|it| line(it, 60)));
    parts.extend(repo.library.as_deref().map(|it| line(it, 60)));
    if repo.gated {
        parts.push("gated".to_owned());
    }
    parts.join(" · ")
}

/// Collections with it.
pub(super) async fn collections(
    papers: &Papers,
    id: &ArxivId,
    limit: usize,
    cancel: &CancellationToken,
) -> Told {
    let found = papers.collections(id, cancel).await.map_err(|error| failure("The Hub", &error))?;
    if found.is_empty() {
        return Ok(format!("No collection on the Hub holds paper {id}."));
    }
    let cut = if found.len() > limit { format!(", of {}", found.len()) } else { String::new() };
    let mut out = format!("{} with paper {id}{cut}\n", count(found.len().min(limit), "collection"));
    for (at, it) in found.iter().take(limit).enumerate() {
        let _ = writeln!(out, "\n{}. {}", at + 1, gathered(it));
        let _ = writeln!(out, "   {}/collections/{}", papers.hub_address(), line(&it.slug, 200));
        if let Some(about) = &it.description {
            let _ = writeln!(out, "   {}", line(about, 300));
        }
    }
    Ok(out)
}

fn gathered(it: &Collection) -> String {
    let mut parts = vec![line(&it.title, 150)];
    parts.extend(it.owner.as_deref().map(|owner| format!("by {}", line(owner, 60))));
    parts.extend(it.upvotes.map(|votes| counted(votes, "upvote")));
    parts.extend(it.items.map(|items| count(items, "item")));
    parts.join(" · ")
}

/// All three at once; a part that cannot be had says so and does not take the others along.
pub(super) async fn all(papers: &Papers, id: &ArxivId, cancel: &CancellationToken) -> Told {
    let order = ("downloads", EACH);
    let (datasets, models, collections) = tokio::join!(
        papers.linked(Kind::Datasets, id, order, cancel),
        papers.linked(Kind::Models, id, order, cancel),
        papers.collections(id, cancel),
    );
    let facts = |found: Vec<Repo>| found.iter().map(facts).collect::<Vec<_>>();
    let parts = [
        ("Datasets", datasets.map(facts)),
        ("Models", models.map(facts)),
        ("Collections", collections.map(|found| found.iter().map(gathered).collect())),
    ];
    if parts.iter().any(|(_, part)| *part == Err(ServiceError::Stopped)) {
        return Err(Failure::Stopped);
    }
    if let (_, Err(error)) = &parts[0]
        && parts.iter().all(|(_, part)| part.is_err())
    {
        return Err(failure("The Hub", error));
    }
    let mut out = format!("On the Hub for paper {id}\n{}/papers/{}\n", papers.hub_address(), id.bare());
    for (name, part) in &parts {
        match part {
            Err(error) => {
                let _ = writeln!(out, "\n{name}: unknown now ({error}).{}", advice(error));
            }
            Ok(entries) if entries.is_empty() => {
                let _ = writeln!(out, "\n{name}: none");
            }
            Ok(entries) => {
                let shown = entries.len().min(EACH);
                let more = if entries.len() >= EACH { ", the first" } else { "" };
                let _ = writeln!(out, "\n{name} ({shown}{more}):");
                for entry in entries.iter().take(EACH) {
                    let _ = writeln!(out, "- {entry}");
                }
            }
        }
    }
    out.push_str("\nNext: find_datasets, find_models or find_collections for more of one kind.");
    Ok(out)
}
