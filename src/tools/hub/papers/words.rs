//! How answers about papers are put: one line per fact, other people's words on one line, unknown never as zero.
//!
//! Pure.

use std::fmt::Write as _;

pub(super) use super::super::words::{counted, line, number};
use crate::clients::papers::ArxivId;
use crate::clients::papers::scholar::Known;
use crate::clients::service::ServiceError;

/// What is told, or why nothing can be.
pub(super) type Told = Result<String, Failure>;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// The call was stopped.
    Stopped,
    /// For the model: what went wrong and what to do.
    Told(String),
}

/// How a service failed, with what to do about it.
pub(super) fn failure(service: &str, error: &ServiceError) -> Failure {
    match error {
        ServiceError::Stopped => Failure::Stopped,
        error => Failure::Told(format!("{service}: {error}.{}", advice(error))),
    }
}

/// What can be done about it.
pub(super) fn advice(error: &ServiceError) -> &'static str {
    match error {
        ServiceError::Limited { .. } => " Do something else first and ask again later.",
        ServiceError::Unreachable(_) => " Try once more; if it stays so, the service is down.",
        ServiceError::Refused { status: 500.., .. } => " It is the service's fault; try again later.",
        _ => "",
    }
}

/// A line of a paper that Semantic Scholar knows, as part of a list.
pub(super) fn known(out: &mut String, at: usize, paper: &Known) {
    let _ = writeln!(out, "\n{at}. {}", line(&paper.title, 300));
    let _ = writeln!(out, "   {}", facts(paper));
    if let Some(tldr) = &paper.tldr {
        let _ = writeln!(out, "   {}", line(tldr, 400));
    }
}

/// Its id, year, citations and venue in one line.
pub(super) fn facts(paper: &Known) -> String {
    let mut facts = vec![match paper.arxiv.as_deref().and_then(ArxivId::parse) {
        Some(id) => format!("arxiv_id: {id}"),
        None => "not on arXiv".to_owned(),
    }];
    facts.extend(paper.published.clone().or_else(|| paper.year.map(|year| year.to_string())));
    facts.push(match paper.citations {
        Some(count) => format!("cited {} times", number(count)),
        None => "citations unknown".to_owned(),
    });
    facts.extend(paper.venue.as_deref().map(|venue| line(venue, 80)));
    facts.join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unknown_is_not_zero() {
        let paper = Known { title: "T".to_owned(), year: Some(2023), ..Known::default() };
        assert_eq!(facts(&paper), "not on arXiv · 2023 · citations unknown");
        let none = Known { citations: Some(0), arxiv: Some("2305.18290".to_owned()), ..Known::default() };
        assert_eq!(facts(&none), "arxiv_id: 2305.18290 · cited 0 times");
    }
}
