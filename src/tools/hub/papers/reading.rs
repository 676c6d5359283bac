//! Reading a paper: its sections, then one section at a time.

use std::fmt::Write as _;

use tokio_util::sync::CancellationToken;

use super::words::{Failure, Told, failure, line, number};
use crate::clients::papers::{ArxivId, Paper, Papers, Read, Source, Unread};
use crate::clients::service::ServiceError;

/// Characters of a section in one answer.
const PAGE: usize = 8_000;
/// Characters of the beginning of a section in the list.
const GLIMPSE: usize = 280;
/// Sections in the list.
const SECTIONS: usize = 120;
/// Characters of the abstract.
const ABSTRACT: usize = 4_000;

/// The list of sections, or one of them from `offset` on.
pub(super) async fn read(
    papers: &Papers,
    id: &ArxivId,
    section: Option<&str>,
    offset: usize,
    cancel: &CancellationToken,
) -> Told {
    let read = match papers.read(id, cancel).await {
        Ok(read) => read,
        Err(Unread::Stopped) => return Err(Failure::Stopped),
        Err(Unread::Nowhere(said)) => return abstract_only(papers, id, section, &said, cancel).await,
    };
    match section {
        None => Ok(contents(id, &read)),
        Some(wanted) => one(id, &read, wanted, offset),
    }
}

fn from(id: &ArxivId, read: &Read) -> String {
    let cut = if read.paper.whole { "" } else { "; the page is too large, its end is left out" };
    format!("{} (text from {}{cut})", id.page(), read.source.name())
}

fn contents(id: &ArxivId, read: &Read) -> String {
    let Read { paper, .. } = read;
    let mut out = format!("{}\n{}\n", line(title(paper), 300), from(id, read));
    if !paper.summary.is_empty() {
        let _ = writeln!(out, "\nAbstract: {}", line(&paper.summary, ABSTRACT));
    }
    out.push_str("\nSections:\n");
    for section in paper.sections.iter().take(SECTIONS) {
        let indent = "  ".repeat(usize::from(section.level.saturating_sub(1)));
        let glimpse = line(&section.text, GLIMPSE);
        let glimpse = if glimpse.is_empty() { String::new() } else { format!(": {glimpse}") };
        let _ = writeln!(out, "{indent}- {}{glimpse}", line(&section.heading(), 200));
    }
    if paper.sections.len() > SECTIONS {
        let _ = writeln!(out, "[… {} more sections …]", paper.sections.len() - SECTIONS);
    }
    out.push_str("\nNext: read_paper with `section`: a number, a title or a part of one.");
    out
}

fn title(paper: &Paper) -> &str {
    if paper.title.is_empty() { "(no title)" } else { &paper.title }
}

fn one(id: &ArxivId, read: &Read, wanted: &str, offset: usize) -> Told {
    let paper = &read.paper;
    let abstract_wanted = wanted.trim().eq_ignore_ascii_case("abstract") && !paper.summary.is_empty();
    let (heading, text, others) = if abstract_wanted {
        ("Abstract".to_owned(), paper.summary.clone(), Vec::new())
    } else if let Some(found) = paper.find(wanted) {
        let others = found.others.iter().take(5).map(|at| line(&paper.sections[*at].heading(), 80));
        (paper.sections[found.at].heading(), paper.text(found.at), others.collect())
    } else {
        let titles: Vec<String> = paper
            .sections
            .iter()
            .take(SECTIONS)
            .map(|it| format!("- {}", line(&it.heading(), 120)))
            .collect();
        return Err(Failure::Told(format!(
            "Paper {id} has no section “{}”. It has:\n{}",
            line(wanted, 80),
            titles.join("\n")
        )));
    };
    let mut out = format!("{}\n{}, of {}\n", line(&heading, 200), from(id, read), line(title(paper), 120));
    if !others.is_empty() {
        let _ = writeln!(out, "“{}” also fits: {}", line(wanted, 80), others.join("; "));
    }
    out.push('\n');
    out.push_str(&page(&text, offset)?);
    Ok(out)
}

/// The characters from `offset` on that fit, ending between words where that is possible.
fn page(text: &str, offset: usize) -> Told {
    let total = text.chars().count();
    if total == 0 {
        return Ok("(no text under this heading)".to_owned());
    }
    if offset >= total {
        return Err(Failure::Told(format!(
            "`offset` {offset} is past the end: the section has {} characters.",
            number(total as u64)
        )));
    }
    let rest: String = text.chars().skip(offset).take(PAGE).collect();
    if offset + rest.chars().count() >= total {
        let before = if offset > 0 { format!("[from character {offset}]\n") } else { String::new() };
        return Ok(format!("{before}{rest}"));
    }
    let end = rest.rfind(char::is_whitespace).filter(|at| *at > rest.len() / 2).unwrap_or(rest.len());
    let kept = &rest[..end];
    let next = offset + kept.chars().count();
    Ok(format!(
        "{}\n\n[characters {offset} to {next} of {}: go on with offset={next}]",
        kept.trim_end(),
        number(total as u64)
    ))
}

/// Without a page there is still the abstract, and the PDF for people.
async fn abstract_only(
    papers: &Papers,
    id: &ArxivId,
    section: Option<&str>,
    said: &[(Source, String)],
    cancel: &CancellationToken,
) -> Told {
    let why: Vec<String> = said.iter().map(|(source, error)| format!("{}: {error}", source.name())).collect();
    let why = why.join("; ");
    let listed = match papers.listed(id, cancel).await {
        Err(ServiceError::Stopped) => return Err(Failure::Stopped),
        Err(error) if error.is_missing() => {
            return Err(Failure::Told(format!(
                "There is no text of paper {id} to be had ({why}), and the Hub does not list it. Check the id; search \
                 finds papers by words. As PDF, if it exists: {}",
                id.pdf()
            )));
        }
        Err(error) => {
            let Failure::Told(hub) = failure("The Hub", &error) else { return Err(Failure::Stopped) };
            return Err(Failure::Told(format!("There is no text of paper {id} to be had ({why}). {hub}")));
        }
        Ok(listed) => listed,
    };
    if let Some(section) = section.filter(|it| !it.trim().eq_ignore_ascii_case("abstract")) {
        return Err(Failure::Told(format!(
            "Section “{}” cannot be read: there is no page of paper {id} ({why}). Only the abstract is to be had \
             (paper_details); the PDF is at {}",
            line(section, 80),
            id.pdf()
        )));
    }
    Ok(format!(
        "{}\n{}\n\nONLY THE ABSTRACT: there is no page of this paper with its sections ({why}). PDF: {}\n\n{}",
        line(&listed.title, 300),
        id.page(),
        id.pdf(),
        line(&listed.summary, ABSTRACT)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_sections_come_in_pages_that_join_up() {
        let text: String = (0..4_000).map(|at| format!("wörd{at} ")).collect();
        let text = text.trim_end();
        let (mut offset, mut joined, mut pages) = (0, String::new(), 0);
        loop {
            let page = page(text, offset).unwrap();
            assert!(page.chars().count() < PAGE + 100);
            pages += 1;
            match page.rsplit_once("\n\n[characters ") {
                Some((part, rest)) => {
                    joined.push_str(part.split_once("]\n").map_or(part, |(_, part)| part));
                    joined.push(' ');
                    offset = rest.split_once("offset=").unwrap().1.trim_end_matches(']').parse().unwrap();
                }
                None => {
                    joined.push_str(page.split_once("]\n").unwrap().1.trim_start());
                    break;
                }
            }
        }
        assert_eq!(joined.split_whitespace().collect::<Vec<_>>(), text.split(' ').collect::<Vec<_>>());
        assert_eq!(pages, text.chars().count().div_ceil(PAGE), "{pages}");
        assert!(matches!(page(text, 9_999_999), Err(Failure::Told(told)) if told.contains("past the end")));
        assert_eq!(page("", 0).unwrap(), "(no text under this heading)");
        let solid = "x".repeat(PAGE + 5);
        assert!(page(&solid, 0).unwrap().contains("offset=8000]"));
    }
}
