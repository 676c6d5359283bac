//! One paper: what the Hub knows joined with its citation counts, and its place among other papers.

use std::fmt::Write as _;

use tokio_util::sync::CancellationToken;

use super::arguments::Direction;
use super::lists::code;
use super::words::{Failure, Told, advice, counted, facts, failure, line, number};
use crate::clients::papers::hub::Listed;
use crate::clients::papers::scholar::{Known, Link, Way};
use crate::clients::papers::{ArxivId, Papers};
use crate::clients::service::ServiceError;

/// Authors that are named.
const AUTHORS: usize = 10;
/// Characters of an abstract.
const ABSTRACT: usize = 1_500;
/// What to do next with a paper.
const NEXT: &str = "\nNext: read_paper for its sections, citation_graph for its neighbours, find_all_resources for what the Hub has.";

/// What the Hub and Semantic Scholar know about it, asked at the same time. One of them is enough.
pub(super) async fn details(papers: &Papers, id: &ArxivId, cancel: &CancellationToken) -> Told {
    let (hub, scholar) = tokio::join!(papers.listed(id, cancel), papers.counts(id, cancel));
    match (hub, scholar) {
        (Err(ServiceError::Stopped), _) | (_, Err(ServiceError::Stopped)) => Err(Failure::Stopped),
        (Ok(paper), counts) => Ok(whole(papers, id, &paper, &counts)),
        (Err(error), Ok(known)) => Ok(known_only(id, &error, &known)),
        (Err(hub), Err(scholar)) if hub.is_missing() && scholar.is_missing() => Err(Failure::Told(format!(
            "Neither the Hub nor Semantic Scholar knows a paper {id}. Check the id; search finds papers by words."
        ))),
        (Err(hub), Err(scholar)) if hub.is_missing() => Err(Failure::Told(format!(
            "The Hub knows no paper {id}, and Semantic Scholar did not answer: {scholar}. read_paper may still find \
             its text on arXiv."
        ))),
        (Err(hub), Err(scholar)) => Err(Failure::Told(format!(
            "The Hub: {hub}.{} Semantic Scholar: {scholar}. read_paper may still find its text on arXiv.",
            advice(&hub)
        ))),
    }
}

fn whole(papers: &Papers, id: &ArxivId, paper: &Listed, counts: &Result<Known, ServiceError>) -> String {
    let mut out = format!("{}\n", line(&paper.title, 300));
    let mut facts = vec![format!("arxiv_id: {id}")];
    facts.extend(paper.published.as_ref().map(|day| day.chars().take(10).collect()));
    facts.extend(paper.upvotes.map(|votes| format!("{} on the Hub", counted(votes, "upvote"))));
    let _ = writeln!(out, "{}", facts.join(" · "));
    match counts {
        Ok(known) => cited(&mut out, known),
        Err(error) => {
            let _ = writeln!(out, "citations: unknown now (Semantic Scholar: {error})");
        }
    }
    let _ = writeln!(out, "{}/papers/{}\n{}", papers.hub_address(), id.bare(), id.page());
    if !paper.authors.is_empty() {
        let named: Vec<&str> = paper.authors.iter().take(AUTHORS).map(String::as_str).collect();
        let more = paper.authors.len().saturating_sub(AUTHORS);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let _ = writeln!(out, "authors: {}{more}", line(&named.join(", "), 600));
    }
    if !paper.keywords.is_empty() {
        let _ = writeln!(out, "about: {}", line(&paper.keywords.join(", "), 300));
    }
    if let Some(code) = code(paper) {
        let _ = writeln!(out, "code: {code}");
    }
    if let Some(page) = &paper.project {
        let _ = writeln!(out, "project: {}", line(page, 200));
    }
    let tldr = counts.as_ref().ok().and_then(|known| known.tldr.as_ref());
    for (name, text, most) in [
        ("In one sentence", tldr, 500),
        ("Summary (made by a model)", paper.ai_summary.as_ref(), 1_000),
        ("Abstract", Some(&paper.summary), ABSTRACT),
    ] {
        if let Some(text) = text.filter(|text| !text.trim().is_empty()) {
            let _ = writeln!(out, "\n{name}: {}", line(text, most));
        }
    }
    out.push_str(NEXT);
    out
}

fn cited(out: &mut String, known: &Known) {
    let mut parts = vec![match known.citations {
        Some(count) => format!("cited {} times", number(count)),
        None => "citations unknown".to_owned(),
    }];
    parts.extend(known.influential.map(|count| format!("{} of them build on it", number(count))));
    parts.extend(known.references.map(|count| format!("cites {}", number(count))));
    parts.extend(known.venue.as_deref().map(|venue| line(venue, 100)));
    let _ = writeln!(out, "{} (Semantic Scholar)", parts.join(" · "));
}

fn known_only(id: &ArxivId, error: &ServiceError, known: &Known) -> String {
    let mut out = format!("{}\n{}\n", line(&known.title, 300), facts(known));
    cited(&mut out, known);
    let _ = writeln!(out, "{}", id.page());
    if let Some(tldr) = &known.tldr {
        let _ = writeln!(out, "\nIn one sentence: {}", line(tldr, 500));
    }
    let why = if error.is_missing() {
        "does not list this paper".to_owned()
    } else {
        format!("did not answer: {error}")
    };
    let _ = writeln!(out, "\nThe Hub {why}; abstract and authors are in read_paper.");
    out.push_str(NEXT);
    out
}

/// What it cites and what cites it. One of the two is enough.
pub(super) async fn graph(
    papers: &Papers,
    id: &ArxivId,
    direction: Direction,
    limit: usize,
    cancel: &CancellationToken,
) -> Told {
    let ways: &[Way] = match direction {
        Direction::Citations => &[Way::Citations],
        Direction::References => &[Way::References],
        Direction::Both => &[Way::References, Way::Citations],
    };
    let asked = ways.iter().map(|way| papers.links(id, *way, limit, cancel));
    let answers = futures::future::join_all(asked).await;
    if answers.contains(&Err(ServiceError::Stopped)) {
        return Err(Failure::Stopped);
    }
    if let Some(Err(error)) = answers.first()
        && answers.iter().all(Result::is_err)
    {
        if error.is_missing() {
            return Err(Failure::Told(format!(
                "Semantic Scholar knows no paper {id}. Check the id; search finds papers by words."
            )));
        }
        return Err(failure("Semantic Scholar", error));
    }
    let mut out = format!("Citations of {id}\n{}\n", id.page());
    for (way, answer) in ways.iter().zip(&answers) {
        let name = match way {
            Way::References => "It cites",
            Way::Citations => "Cited by",
        };
        match answer {
            Err(error) => {
                let _ = writeln!(out, "\n{name}: unknown now (Semantic Scholar: {error})");
            }
            Ok(links) if links.is_empty() => {
                let _ = writeln!(out, "\n{name}: nothing that Semantic Scholar knows of");
            }
            Ok(links) => {
                let cut =
                    if links.len() == limit { ", the first that are given; more with `limit`" } else { "" };
                let _ = writeln!(out, "\n{name} ({}{cut}):", links.len());
                for link in links {
                    entry(&mut out, link, *way);
                }
            }
        }
    }
    out.push_str("\nNext: paper_details or read_paper with an arxiv_id from here.");
    Ok(out)
}

fn entry(out: &mut String, link: &Link, way: Way) {
    let influential = if link.influential { " [builds on it]" } else { "" };
    let _ = writeln!(out, "- {}{influential}\n  {}", line(&link.paper.title, 200), facts(&link.paper));
    if way == Way::Citations {
        if !link.intents.is_empty() {
            let _ = writeln!(out, "  for: {}", line(&link.intents.join(", "), 100));
        }
        for context in link.contexts.iter().take(2) {
            let _ = writeln!(out, "  > {}", line(context, 200));
        }
    }
}
