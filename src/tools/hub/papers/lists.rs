//! Lists of papers: of a day, by words, by filters, passages, recommendations.

use std::fmt::Write as _;

use tokio_util::sync::CancellationToken;

use super::words::{Failure, Told, advice, counted, facts, failure, known, line};
use crate::clients::papers::hub::Listed;
use crate::clients::papers::scholar::{Filters, Known, Passage};
use crate::clients::papers::{ArxivId, Papers};
use crate::clients::service::ServiceError;
use crate::text::count;

/// Papers of a day that are looked through when words narrow them.
const LOOKED_AT: usize = 100;
/// What to do with a list.
const NEXT: &str = "\nNext: paper_details or read_paper with an arxiv_id.";

/// Papers of a day.
pub(super) async fn trending(
    papers: &Papers,
    date: Option<&str>,
    words: Option<&str>,
    limit: usize,
    cancel: &CancellationToken,
) -> Told {
    let asked = if words.is_some() { (limit * 3).clamp(30, LOOKED_AT) } else { limit };
    let found = papers.daily(date, asked, cancel).await.map_err(|error| failure("The Hub", &error))?;
    let day = date.map_or_else(|| "the latest".to_owned(), |date| format!("of {date}"));
    let looked = found.len();
    let (fitting, about) = match words {
        Some(words) => {
            let fitting: Vec<Listed> =
                found.into_iter().filter(|it| mentions(it, words)).take(limit).collect();
            let about = format!(" that mention “{}” (of {looked} looked at)", line(words, 80));
            (fitting, about)
        }
        None => (found.into_iter().take(limit).collect(), String::new()),
    };
    let mut out = format!("{} on the Hub, {day}{about}", count(fitting.len(), "paper"));
    if fitting.is_empty() {
        out.push_str(". Try another date, other words, or search.");
        return Ok(out);
    }
    out.push('\n');
    for (at, paper) in fitting.iter().enumerate() {
        listed(&mut out, at + 1, paper);
    }
    out.push_str(NEXT);
    Ok(out)
}

/// Whether title, abstract or key words hold these words.
fn mentions(paper: &Listed, words: &str) -> bool {
    let words = words.to_lowercase();
    [&paper.title, &paper.summary]
        .into_iter()
        .chain(&paper.ai_summary)
        .chain(&paper.keywords)
        .any(|text| text.to_lowercase().contains(&words))
}

/// Papers by words, as the Hub finds them.
pub(super) async fn search(papers: &Papers, words: &str, limit: usize, cancel: &CancellationToken) -> Told {
    let found = papers.search(words, limit, cancel).await.map_err(|error| failure("The Hub", &error))?;
    Ok(hub_list(words, &found))
}

fn hub_list(words: &str, found: &[Listed]) -> String {
    let words = line(words, 80);
    if found.is_empty() {
        return format!("The Hub finds no paper for “{words}”. Try fewer or other words.");
    }
    let mut out = format!("{} for “{words}” on the Hub\n", count(found.len(), "paper"));
    for (at, paper) in found.iter().enumerate() {
        listed(&mut out, at + 1, paper);
    }
    out.push_str(NEXT);
    out
}

/// Papers by words and filters; the Hub's without filters, said so, if Semantic Scholar does not answer.
pub(super) async fn filtered(
    papers: &Papers,
    words: &str,
    filters: &Filters,
    limit: usize,
    cancel: &CancellationToken,
) -> Told {
    let error = match papers.scholar_search(words, filters, limit, cancel).await {
        Ok(found) if found.is_empty() => {
            return Ok(format!(
                "Semantic Scholar finds no paper for “{}” with {}. Loosen the filters or use other words.",
                line(words, 80),
                named(filters)
            ));
        }
        Ok(found) => {
            return Ok(scholar_list(&format!("for “{}” with {}", line(words, 80), named(filters)), &found));
        }
        Err(ServiceError::Stopped) => return Err(Failure::Stopped),
        Err(error) => error,
    };
    match papers.search(words, limit, cancel).await {
        Ok(found) => Ok(format!(
            "NOT FILTERED: Semantic Scholar did not answer ({error}), so these are the Hub's papers for the words \
             alone; {} did not apply.{}\n\n{}",
            named(filters),
            advice(&error),
            hub_list(words, &found)
        )),
        Err(ServiceError::Stopped) => Err(Failure::Stopped),
        Err(second) => Err(Failure::Told(format!(
            "Semantic Scholar: {error}. The Hub, asked instead: {second}. Try again later."
        ))),
    }
}

/// The filters as they were given.
fn named(filters: &Filters) -> String {
    let mut parts = Vec::new();
    parts.extend(filters.from.as_ref().map(|day| format!("date_from {day}")));
    parts.extend(filters.until.as_ref().map(|day| format!("date_to {day}")));
    parts.extend(filters.field.as_ref().map(|field| format!("categories {}", line(field, 60))));
    parts.extend(filters.least_citations.map(|least| format!("min_citations {least}")));
    parts.push(format!("sort_by {}", filters.sort.unwrap_or("relevance")));
    parts.join(", ")
}

/// Passages inside papers.
pub(super) async fn passages(
    papers: &Papers,
    words: &str,
    filters: &Filters,
    limit: usize,
    cancel: &CancellationToken,
) -> Told {
    let found = papers.passages(words, filters, limit, cancel).await;
    let found = found.map_err(|error| failure("Semantic Scholar", &error))?;
    if found.is_empty() {
        return Ok(format!("No passage matches “{}”. Use other words, or search.", line(words, 80)));
    }
    let mut out = format!("{} for “{}”\n", count(found.len(), "passage"), line(words, 80));
    for (at, Passage { paper, section, text }) in found.iter().enumerate() {
        let _ = writeln!(out, "\n{}. {}", at + 1, line(&paper.title, 300));
        let _ = writeln!(out, "   {}", facts(paper));
        if let Some(section) = section {
            let _ = writeln!(out, "   in: {}", line(section, 120));
        }
        let _ = writeln!(out, "   > {}", line(text, 400));
    }
    out.push_str("\nNext: read_paper with the arxiv_id and the section, to read it in its place.");
    Ok(out)
}

/// Papers like one.
pub(super) async fn like_one(
    papers: &Papers,
    id: &ArxivId,
    limit: usize,
    cancel: &CancellationToken,
) -> Told {
    let found = papers.like_one(id, limit, cancel).await;
    let found = found.map_err(|error| failure("Semantic Scholar", &error))?;
    Ok(recommended(&format!("like {id}, of late"), &found))
}

/// Papers like some and unlike others.
pub(super) async fn like_these(
    papers: &Papers,
    like: &[ArxivId],
    unlike: &[ArxivId],
    limit: usize,
    cancel: &CancellationToken,
) -> Told {
    let found = papers.like_these((like, unlike), limit, cancel).await;
    let found = found.map_err(|error| failure("Semantic Scholar", &error))?;
    let names = |ids: &[ArxivId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let unlike = if unlike.is_empty() { String::new() } else { format!(", unlike {}", names(unlike)) };
    Ok(recommended(&format!("like {}{unlike}", names(like)), &found))
}

fn recommended(what: &str, found: &[Known]) -> String {
    if found.is_empty() {
        return format!("Semantic Scholar recommends nothing {what}. Try search or citation_graph.");
    }
    scholar_list(what, found)
}

fn scholar_list(what: &str, found: &[Known]) -> String {
    let mut out = format!("{} {what} (Semantic Scholar)\n", count(found.len(), "paper"));
    for (at, paper) in found.iter().enumerate() {
        known(&mut out, at + 1, paper);
    }
    out.push_str(NEXT);
    out
}

/// A paper as the Hub lists it.
fn listed(out: &mut String, at: usize, paper: &Listed) {
    let _ = writeln!(out, "\n{at}. {}", line(&paper.title, 300));
    let mut facts = vec![format!("arxiv_id: {}", line(&paper.id, 40))];
    facts.extend(paper.published.as_ref().map(|day| day.chars().take(10).collect()));
    facts.extend(paper.upvotes.map(|votes| counted(votes, "upvote")));
    let _ = writeln!(out, "   {}", facts.join(" · "));
    if !paper.keywords.is_empty() {
        let _ = writeln!(out, "   about: {}", line(&paper.keywords.join(", "), 200));
    }
    if let Some(code) = code(paper) {
        let _ = writeln!(out, "   code: {code}");
    }
    let summary = paper.ai_summary.as_deref().unwrap_or(&paper.summary);
    if !summary.is_empty() {
        let _ = writeln!(out, "   {}", line(summary, 400));
    }
}

/// Its code, with stars where they are known.
pub(super) fn code(paper: &Listed) -> Option<String> {
    let stars = paper.stars.map(|stars| format!(" ({})", counted(stars, "star"))).unwrap_or_default();
    paper.github.as_ref().map(|at| format!("{}{stars}", line(at, 200)))
}
