//! The arguments of `hf_papers`, and what they ask for once they have been checked.
//!
//! Pure. Start at [`checked`].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::agent::tool::{BadArguments, arguments};
use crate::clients::papers::ArxivId;
use crate::clients::papers::hub::Kind;
use crate::clients::papers::scholar::Filters;

/// Entries of a list when nobody says how many.
const USUAL: i64 = 10;
/// Entries of a list at most.
const MOST: i64 = 50;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {
    /// What to do.
    operation: Operation,
    /// Words to look for: required by search and snippet_search; narrows trending.
    #[serde(default)]
    query: Option<String>,
    /// The paper, like 2305.18290, cs/0112017 or an arXiv address. A version (2305.18290v2) is read as that version.
    /// Required by paper_details, read_paper, citation_graph and find_*; recommend takes this or positive_ids.
    #[serde(default)]
    arxiv_id: Option<String>,
    /// For read_paper: a section by number ("3", "4.1", "A"), title or part of a title; "abstract" for the abstract.
    /// Left out: the list of sections.
    #[serde(default)]
    section: Option<String>,
    /// For read_paper with a section: the character to go on from, as the last answer said.
    #[serde(default)]
    offset: Option<usize>,
    /// For citation_graph: who cites it, what it cites, or both (if left out).
    #[serde(default)]
    direction: Option<Direction>,
    /// For trending: the day, YYYY-MM-DD; the latest if left out.
    #[serde(default)]
    date: Option<String>,
    /// For search and snippet_search: published on this day (YYYY-MM-DD) or later.
    #[serde(default)]
    date_from: Option<String>,
    /// For search and snippet_search: published on this day (YYYY-MM-DD) or earlier.
    #[serde(default)]
    date_to: Option<String>,
    /// For search and snippet_search: field of study, like "Computer Science".
    #[serde(default)]
    categories: Option<String>,
    /// For search and snippet_search: cited at least so often.
    #[serde(default)]
    #[schemars(range(min = 0))]
    min_citations: Option<i64>,
    /// For search: the order; relevance if left out.
    #[serde(default)]
    sort_by: Option<SortBy>,
    /// For recommend: ids of papers to find others like, separated by commas.
    #[serde(default)]
    positive_ids: Option<String>,
    /// For recommend with positive_ids: ids of papers to find others unlike.
    #[serde(default)]
    negative_ids: Option<String>,
    /// For find_datasets and find_models: the order; downloads if left out.
    #[serde(default)]
    sort: Option<Sort>,
    /// Entries of a list: 10 if left out, 50 at most.
    #[serde(default)]
    #[schemars(range(min = 1, max = 50))]
    limit: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Operation {
    Trending,
    Search,
    PaperDetails,
    ReadPaper,
    CitationGraph,
    SnippetSearch,
    Recommend,
    FindDatasets,
    FindModels,
    FindCollections,
    FindAllResources,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Direction {
    Citations,
    References,
    Both,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum SortBy {
    Relevance,
    CitationCount,
    PublicationDate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Sort {
    Downloads,
    Likes,
    Trending,
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Wanted {
    Trending { date: Option<String>, words: Option<String> },
    Search { words: String, filters: Option<Filters> },
    Details(ArxivId),
    Read { id: ArxivId, section: Option<String>, offset: usize },
    Graph { id: ArxivId, direction: Direction },
    Passages { words: String, filters: Filters },
    LikeOne(ArxivId),
    LikeThese { like: Vec<ArxivId>, unlike: Vec<ArxivId> },
    Linked { kind: Kind, id: ArxivId, sort: &'static str },
    Collections(ArxivId),
    Resources(ArxivId),
}

/// A checked call.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Request {
    pub(super) operation: Operation,
    pub(super) wanted: Wanted,
    pub(super) limit: usize,
    /// What was asked for and is not given.
    pub(super) note: Option<String>,
}

impl Operation {
    /// As it is written.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Trending => "trending",
            Self::Search => "search",
            Self::PaperDetails => "paper_details",
            Self::ReadPaper => "read_paper",
            Self::CitationGraph => "citation_graph",
            Self::SnippetSearch => "snippet_search",
            Self::Recommend => "recommend",
            Self::FindDatasets => "find_datasets",
            Self::FindModels => "find_models",
            Self::FindCollections => "find_collections",
            Self::FindAllResources => "find_all_resources",
        }
    }
}

impl Request {
    /// One line for people.
    pub(super) fn title(&self) -> String {
        match &self.wanted {
            Wanted::Trending { date: Some(date), .. } => format!("Look at the papers of {date}"),
            Wanted::Trending { date: None, .. } => "Look at today's papers".to_owned(),
            Wanted::Search { words, .. } => format!("Search papers: {words}"),
            Wanted::Passages { words, .. } => format!("Search in papers' text: {words}"),
            Wanted::Details(id) => format!("Look up paper {id}"),
            Wanted::Read { id, section: Some(section), .. } => format!("Read “{section}” of paper {id}"),
            Wanted::Read { id, section: None, .. } => format!("Open paper {id}"),
            Wanted::Graph { id, .. } => format!("Follow the citations of paper {id}"),
            Wanted::LikeOne(id) => format!("Find papers like {id}"),
            Wanted::LikeThese { like, .. } => format!("Find papers like {} others", like.len()),
            Wanted::Linked { kind: Kind::Datasets, id, .. } => format!("Find datasets of paper {id}"),
            Wanted::Linked { kind: Kind::Models, id, .. } => format!("Find models of paper {id}"),
            Wanted::Collections(id) => format!("Find collections with paper {id}"),
            Wanted::Resources(id) => format!("Find what is linked to paper {id}"),
        }
    }
}

/// Reads and checks the arguments.
pub(super) fn checked(value: &Value) -> Result<Request, BadArguments> {
    let given: Arguments = arguments(value)?;
    let (limit, note) = match given.limit.unwrap_or(USUAL) {
        less if less < 1 => {
            return Err(BadArguments(format!("`limit` must be 1 to {MOST}; got {less}")));
        }
        more if more > MOST => (MOST, Some(format!("`limit` was cut to {MOST}, the most there is"))),
        limit => (limit, None),
    };
    if given.offset.is_some() && (given.operation != Operation::ReadPaper || given.section.is_none()) {
        return Err(BadArguments("`offset` goes with read_paper and a `section`".to_owned()));
    }
    let wanted = given.wanted()?;
    Ok(Request { operation: given.operation, wanted, limit: usize::try_from(limit).unwrap_or(1), note })
}

impl Arguments {
    fn wanted(&self) -> Result<Wanted, BadArguments> {
        Ok(match self.operation {
            Operation::Trending => Wanted::Trending {
                date: self.date.as_deref().map(|date| day("date", date)).transpose()?,
                words: filled(self.query.as_deref()).map(str::to_owned),
            },
            Operation::Search => Wanted::Search { words: self.words()?, filters: self.filters()? },
            Operation::SnippetSearch => {
                if self.sort_by.is_some_and(|sort| sort != SortBy::Relevance) {
                    return Err(BadArguments(
                        "snippet_search sorts by relevance: leave `sort_by` out".to_owned(),
                    ));
                }
                Wanted::Passages { words: self.words()?, filters: self.filters()?.unwrap_or_default() }
            }
            Operation::PaperDetails => Wanted::Details(self.id()?),
            Operation::ReadPaper => Wanted::Read {
                id: self.id()?,
                section: filled(self.section.as_deref()).map(str::to_owned),
                offset: self.offset.unwrap_or(0),
            },
            Operation::CitationGraph => {
                Wanted::Graph { id: self.id()?, direction: self.direction.unwrap_or(Direction::Both) }
            }
            Operation::Recommend => self.recommend()?,
            Operation::FindDatasets => {
                Wanted::Linked { kind: Kind::Datasets, id: self.id()?, sort: self.order() }
            }
            Operation::FindModels => {
                Wanted::Linked { kind: Kind::Models, id: self.id()?, sort: self.order() }
            }
            Operation::FindCollections => Wanted::Collections(self.id()?),
            Operation::FindAllResources => Wanted::Resources(self.id()?),
        })
    }

    fn words(&self) -> Result<String, BadArguments> {
        filled(self.query.as_deref())
            .map(str::to_owned)
            .ok_or_else(|| BadArguments(format!("`query` is required by {}", self.operation.name())))
    }

    fn id(&self) -> Result<ArxivId, BadArguments> {
        match filled(self.arxiv_id.as_deref()) {
            Some(text) => id("arxiv_id", text),
            None => Err(BadArguments(format!("`arxiv_id` is required by {}", self.operation.name()))),
        }
    }

    fn order(&self) -> &'static str {
        match self.sort.unwrap_or(Sort::Downloads) {
            Sort::Downloads => "downloads",
            Sort::Likes => "likes",
            Sort::Trending => "trendingScore",
        }
    }

    fn recommend(&self) -> Result<Wanted, BadArguments> {
        if filled(self.arxiv_id.as_deref()).is_some() {
            if filled(self.positive_ids.as_deref()).is_some()
                || filled(self.negative_ids.as_deref()).is_some()
            {
                return Err(BadArguments(
                    "recommend takes `arxiv_id`, or `positive_ids` with `negative_ids`; not both".to_owned(),
                ));
            }
            return Ok(Wanted::LikeOne(self.id()?));
        }
        let like = ids("positive_ids", self.positive_ids.as_deref())?;
        if like.is_empty() {
            return Err(BadArguments("`arxiv_id` or `positive_ids` is required by recommend".to_owned()));
        }
        Ok(Wanted::LikeThese { like, unlike: ids("negative_ids", self.negative_ids.as_deref())? })
    }

    /// `None` if nothing narrows the search.
    fn filters(&self) -> Result<Option<Filters>, BadArguments> {
        let from = self.date_from.as_deref().map(|date| day("date_from", date)).transpose()?;
        let until = self.date_to.as_deref().map(|date| day("date_to", date)).transpose()?;
        if let (Some(from), Some(until)) = (&from, &until)
            && from > until
        {
            return Err(BadArguments(format!("`date_from` ({from}) is after `date_to` ({until})")));
        }
        let least_citations = match self.min_citations {
            Some(least) => Some(
                u64::try_from(least)
                    .map_err(|_| BadArguments(format!("`min_citations` must be 0 or more; got {least}")))?,
            ),
            None => None,
        };
        let sort = match self.sort_by {
            Some(SortBy::CitationCount) => Some("citationCount"),
            Some(SortBy::PublicationDate) => Some("publicationDate"),
            Some(SortBy::Relevance) | None => None,
        };
        let field = filled(self.categories.as_deref()).map(str::to_owned);
        let filters = Filters { from, until, field, least_citations, sort };
        // Relevance asked for by name is Semantic Scholar's relevance.
        Ok((filters != Filters::default() || self.sort_by.is_some()).then_some(filters))
    }
}

fn filled(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

fn id(field: &str, text: &str) -> Result<ArxivId, BadArguments> {
    let wrong = || {
        let shown = crate::text::first_line(text, 60);
        BadArguments(format!("`{field}`: “{shown}” is no arXiv id; one looks like 2305.18290 or cs/0112017"))
    };
    ArxivId::parse(text).ok_or_else(wrong)
}

fn ids(field: &str, text: Option<&str>) -> Result<Vec<ArxivId>, BadArguments> {
    let parts =
        text.unwrap_or_default().split([',', ' ', '\n']).map(str::trim).filter(|part| !part.is_empty());
    parts.map(|part| id(field, part)).collect()
}

fn day(field: &str, text: &str) -> Result<String, BadArguments> {
    let text = text.trim();
    match text.parse::<jiff::civil::Date>() {
        Ok(_) if text.len() == 10 => Ok(text.to_owned()),
        _ => Err(BadArguments(format!(
            "`{field}` must be a day like 2026-01-31; got “{}”",
            crate::text::first_line(text, 40)
        ))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_wrong_names_the_field() {
        for (value, wanted) in [
            (json!({}), "missing field `operation`"),
            (json!({"operation": "nope"}), "expected one of `trending`, `search`, `paper_details`"),
            (json!({"operation": "search"}), "`query` is required by search"),
            (json!({"operation": "search", "query": "  "}), "`query` is required by search"),
            (json!({"operation": "search", "query": "a", "limit": 0}), "`limit` must be 1 to 50; got 0"),
            (json!({"operation": "search", "query": "a", "limit": -3}), "`limit` must be 1 to 50; got -3"),
            (json!({"operation": "search", "query": "a", "sort_by": "citations"}), "sort_by"),
            (
                json!({"operation": "search", "query": "a", "min_citations": -1}),
                "`min_citations` must be 0 or more",
            ),
            (json!({"operation": "search", "query": "a", "date_from": "2024"}), "`date_from` must be a day"),
            (
                json!({"operation": "search", "query": "a", "date_from": "2024-02-01", "date_to": "2024-01-01"}),
                "`date_from` (2024-02-01) is after `date_to`",
            ),
            (json!({"operation": "trending", "date": "2024-02-30"}), "`date` must be a day"),
            (json!({"operation": "read_paper"}), "`arxiv_id` is required by read_paper"),
            (json!({"operation": "read_paper", "arxiv_id": "../etc"}), "“../etc” is no arXiv id"),
            (json!({"operation": "read_paper", "arxiv_id": "2305.18290", "offset": 8}), "`offset` goes with"),
            (json!({"operation": "recommend"}), "`arxiv_id` or `positive_ids` is required"),
            (json!({"operation": "recommend", "positive_ids": "2305.18290, x"}), "`positive_ids`: “x” is no"),
            (
                json!({"operation": "recommend", "arxiv_id": "2305.18290", "negative_ids": "2305.18290"}),
                "not both",
            ),
            (json!({"operation": "search", "query": "a", "sections": 1}), "unknown field `sections`"),
        ] {
            let error = checked(&value).unwrap_err().to_string();
            assert!(error.contains(wanted), "{value}: {error}");
        }
    }

    #[test]
    fn limits_and_filters_are_what_was_meant() {
        let usual = checked(&json!({"operation": "search", "query": " dpo "})).unwrap();
        assert_eq!((usual.limit, usual.note), (10, None));
        assert_eq!(usual.wanted, Wanted::Search { words: "dpo".to_owned(), filters: None });
        let many = checked(&json!({"operation": "search", "query": "dpo", "limit": 500})).unwrap();
        assert_eq!(many.limit, 50);
        assert!(many.note.unwrap().contains("cut to 50"));
        let narrowed =
            checked(&json!({"operation": "search", "query": "dpo", "sort_by": "citationCount"})).unwrap();
        let Wanted::Search { filters: Some(filters), .. } = narrowed.wanted else { panic!() };
        assert_eq!(filters.sort, Some("citationCount"));
        let likes =
            checked(&json!({"operation": "find_models", "arxiv_id": "2305.18290", "sort": "trending"}));
        assert!(matches!(likes.unwrap().wanted, Wanted::Linked { sort: "trendingScore", .. }));
    }

    #[test]
    fn operations_are_written_as_they_are_named() {
        for operation in [Operation::Trending, Operation::PaperDetails, Operation::FindAllResources] {
            assert_eq!(serde_json::to_value(operation).unwrap(), operation.name());
        }
    }
}
