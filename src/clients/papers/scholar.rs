//! Semantic Scholar: counts of citations, who cites whom, passages, recommendations.
//!
//! It answers few requests of those without a key: requests are spaced, answers kept for an hour, and a limit of
//! the host makes every question wait. What it leaves out stays unknown.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::hub::said;
use super::{ArxivId, Papers};
use crate::clients::service::{Ask, ServiceError, segment};

/// How long one question may take.
const TIME: Duration = Duration::from_secs(12);
/// What is asked about a paper in a list.
const IN_LIST: &str = "title,externalIds,year,citationCount,tldr,venue";
/// What is asked about a paper that cites or is cited.
const IN_GRAPH: &str =
    "title,externalIds,year,citationCount,influentialCitationCount,contexts,intents,isInfluential";
/// What is asked about one paper.
const ALONE: &str =
    "title,externalIds,year,citationCount,influentialCitationCount,referenceCount,tldr,venue,publicationDate";

/// A paper as Semantic Scholar knows it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Known {
    /// Its title.
    pub title: String,
    /// Its id on arXiv, if it is there.
    pub arxiv: Option<String>,
    /// The year it appeared.
    pub year: Option<u64>,
    /// How many cite it.
    pub citations: Option<u64>,
    /// How many of those build on it.
    pub influential: Option<u64>,
    /// How many it cites.
    pub references: Option<u64>,
    /// Where it appeared.
    pub venue: Option<String>,
    /// It in one sentence.
    pub tldr: Option<String>,
    /// The day it appeared.
    pub published: Option<String>,
}

/// A paper that cites or is cited.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Link {
    /// The other paper.
    pub paper: Known,
    /// Whether the one builds on the other.
    pub influential: bool,
    /// What for: `methodology`, `background`, `result`.
    pub intents: Vec<String>,
    /// The sentences around the citation.
    pub contexts: Vec<String>,
}

/// A passage of a paper.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Passage {
    /// The paper.
    pub paper: Known,
    /// The section it stands in.
    pub section: Option<String>,
    /// Its words.
    pub text: String,
}

/// What a search is narrowed by.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filters {
    /// From this day on: `YYYY-MM-DD`, or the beginning of it.
    pub from: Option<String>,
    /// Until this day.
    pub until: Option<String>,
    /// Field of study.
    pub field: Option<String>,
    /// Cited at least so often.
    pub least_citations: Option<u64>,
    /// `citationCount` or `publicationDate`; none is by relevance.
    pub sort: Option<&'static str>,
}

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// What it cites.
    References,
    /// What cites it.
    Citations,
}

impl Filters {
    fn on<'a>(&self, ask: Ask<'a>) -> Ask<'a> {
        let dates = (self.from.is_some() || self.until.is_some()).then(|| {
            format!(
                "{}:{}",
                self.from.as_deref().unwrap_or_default(),
                self.until.as_deref().unwrap_or_default()
            )
        });
        ask.maybe("publicationDateOrYear", dates)
            .maybe("fieldsOfStudy", self.field.clone())
            .maybe("minCitationCount", self.least_citations.map(|least| least.to_string()))
    }
}

impl Papers {
    /// Papers that match words and filters.
    ///
    /// # Errors
    /// As [`ServiceError`] says.
    pub async fn scholar_search(
        &self,
        words: &str,
        filters: &Filters,
        limit: usize,
        cancel: &CancellationToken,
    ) -> Result<Vec<Known>, ServiceError> {
        let ask = Ask::get("/graph/v1/paper/search/bulk")
            .with("query", words)
            .with("limit", limit.to_string())
            .with("fields", "title,externalIds,year,citationCount,tldr,venue,publicationDate");
        let ask = filters.on(ask).maybe("sort", filters.sort.map(|sort| format!("{sort}:desc")));
        let answer = self.ask_scholar(ask, cancel).await?;
        // It gives a thousand whatever the limit says.
        Ok(data(&answer, "data")?.iter().take(limit).map(known).collect())
    }

    /// Passages that match words.
    ///
    /// # Errors
    /// As [`ServiceError`] says.
    pub async fn passages(
        &self,
        words: &str,
        filters: &Filters,
        limit: usize,
        cancel: &CancellationToken,
    ) -> Result<Vec<Passage>, ServiceError> {
        let ask = Ask::get("/graph/v1/snippet/search")
            .with("query", words)
            .with("limit", limit.to_string())
            .with("fields", "title,externalIds,year,citationCount");
        let answer = self.ask_scholar(filters.on(ask), cancel).await?;
        let passage = |entry: &Value| {
            let snippet = &entry["snippet"];
            let section = said(&snippet["section"]).or_else(|| said(&snippet["section"]["name"]));
            let text = said(&snippet["text"]).unwrap_or_default();
            Passage { paper: known(&entry["paper"]), section, text }
        };
        Ok(data(&answer, "data")?.iter().take(limit).map(passage).collect())
    }

    /// What a paper cites, or what cites it.
    ///
    /// # Errors
    /// As [`ServiceError`] says.
    pub async fn links(
        &self,
        id: &ArxivId,
        way: Way,
        limit: usize,
        cancel: &CancellationToken,
    ) -> Result<Vec<Link>, ServiceError> {
        let (end, other) = match way {
            Way::References => ("references", "citedPaper"),
            Way::Citations => ("citations", "citingPaper"),
        };
        let path = format!("/graph/v1/paper/{}/{end}", name(id));
        let ask = Ask::get(&path).with("fields", IN_GRAPH).with("limit", limit.to_string());
        let answer = self.kept(&format!("{path} {limit}"), ask, cancel).await?;
        let link = |entry: &Value| {
            let list = |name: &str| entry[name].as_array().into_iter().flatten().filter_map(said).collect();
            Link {
                paper: known(&entry[other]),
                influential: entry["isInfluential"] == true,
                intents: list("intents"),
                contexts: list("contexts"),
            }
        };
        Ok(data(&answer, "data")?.iter().take(limit).map(link).collect())
    }

    /// Papers like this one, of late.
    ///
    /// # Errors
    /// As [`ServiceError`] says.
    pub async fn like_one(
        &self,
        id: &ArxivId,
        limit: usize,
        cancel: &CancellationToken,
    ) -> Result<Vec<Known>, ServiceError> {
        let path = format!("/recommendations/v1/papers/forpaper/{}", name(id));
        let ask =
            Ask::get(&path).with("fields", IN_LIST).with("limit", limit.to_string()).with("from", "recent");
        let answer = self.kept(&format!("{path} {limit}"), ask, cancel).await?;
        Ok(data(&answer, "recommendedPapers")?.iter().take(limit).map(known).collect())
    }

    /// Papers like these and unlike those.
    ///
    /// # Errors
    /// As [`ServiceError`] says.
    pub async fn like_these(
        &self,
        (like, unlike): (&[ArxivId], &[ArxivId]),
        limit: usize,
        cancel: &CancellationToken,
    ) -> Result<Vec<Known>, ServiceError> {
        let names = |ids: &[ArxivId]| ids.iter().map(|id| format!("ARXIV:{}", id.bare())).collect::<Vec<_>>();
        let body = json!({ "positivePaperIds": names(like), "negativePaperIds": names(unlike) });
        let ask = Ask::post("/recommendations/v1/papers/", body)
            .with("fields", IN_LIST)
            .with("limit", limit.to_string());
        let answer = self.ask_scholar(ask, cancel).await?;
        Ok(data(&answer, "recommendedPapers")?.iter().take(limit).map(known).collect())
    }

    /// One paper's counts, asked briefly: it adds to what the Hub says and must not hold that up.
    ///
    /// # Errors
    /// As [`ServiceError`] says.
    pub async fn counts(&self, id: &ArxivId, cancel: &CancellationToken) -> Result<Known, ServiceError> {
        let path = format!("/graph/v1/paper/{}", name(id));
        let ask = Ask::get(&path).with("fields", ALONE).patience(self.manners.aside);
        let answer = self.kept(&path, ask, cancel).await?;
        if !answer.is_object() {
            return Err(ServiceError::Strange("it holds no paper"));
        }
        Ok(known(&answer))
    }

    async fn kept(
        &self,
        key: &str,
        ask: Ask<'_>,
        cancel: &CancellationToken,
    ) -> Result<Arc<Value>, ServiceError> {
        if let Some(kept) = self.answers.get(key) {
            return Ok(kept);
        }
        let answer = Arc::new(self.ask_scholar(ask, cancel).await?);
        self.answers.put(key, Arc::clone(&answer), answer.to_string().len());
        Ok(answer)
    }

    async fn ask_scholar(&self, ask: Ask<'_>, cancel: &CancellationToken) -> Result<Value, ServiceError> {
        // Those with a key may ask once a second where it searches, and more often elsewhere; all others share
        // one allowance.
        let quick = self.key.is_some() && !ask.path().contains("search");
        let spacing = self.manners.scholar_spacing / if quick { 10 } else { 1 };
        let ask = ask.key("x-api-key", self.key.as_ref()).within(TIME).spaced(spacing);
        self.scholar.json(ask, cancel).await
    }
}

/// How Semantic Scholar names a paper of arXiv, as one segment of a path.
fn name(id: &ArxivId) -> String {
    format!("ARXIV:{}", segment(id.bare()))
}

fn data<'a>(answer: &'a Value, name: &str) -> Result<&'a [Value], ServiceError> {
    match &answer[name] {
        Value::Array(entries) => Ok(entries),
        // What it knows nothing of it gives as null.
        Value::Null if answer.is_object() => Ok(&[]),
        _ => Err(ServiceError::Strange("it is no list of papers")),
    }
}

fn known(paper: &Value) -> Known {
    Known {
        title: said(&paper["title"]).unwrap_or_else(|| "(no title)".to_owned()),
        arxiv: said(&paper["externalIds"]["ArXiv"]),
        year: paper["year"].as_u64(),
        citations: paper["citationCount"].as_u64(),
        influential: paper["influentialCitationCount"].as_u64(),
        references: paper["referenceCount"].as_u64(),
        venue: said(&paper["venue"]),
        tldr: said(&paper["tldr"]["text"]),
        published: said(&paper["publicationDate"]),
    }
}
