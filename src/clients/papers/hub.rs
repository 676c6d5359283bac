//! What the Hub says about papers: today's, a search, one paper, and what is linked to it.
//!
//! Sends what the official client sends. What the Hub leaves out stays unknown; nothing is guessed.

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::{ArxivId, Papers};
use crate::clients::service::{Ask, ServiceError, segment};

/// A paper as the Hub lists it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listed {
    /// Its id on arXiv.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its abstract.
    pub summary: String,
    /// The summary that the Hub made by a model.
    pub ai_summary: Option<String>,
    /// Key words that the Hub made by a model.
    pub keywords: Vec<String>,
    /// Who wrote it.
    pub authors: Vec<String>,
    /// Upvotes on the Hub.
    pub upvotes: Option<u64>,
    /// When it appeared: the beginning is `YYYY-MM-DD`.
    pub published: Option<String>,
    /// Its code.
    pub github: Option<String>,
    /// Stars of that.
    pub stars: Option<u64>,
    /// Its own page.
    pub project: Option<String>,
}

/// A model or dataset.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Repo {
    /// `owner/name`.
    pub id: String,
    /// Downloads of the last month.
    pub downloads: Option<u64>,
    /// Likes.
    pub likes: Option<u64>,
    /// Its tags.
    pub tags: Vec<String>,
    /// Its description.
    pub description: Option<String>,
    /// What a model does.
    pub task: Option<String>,
    /// What a model is made with.
    pub library: Option<String>,
    /// Whether people must ask for access.
    pub gated: bool,
}

/// A collection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Collection {
    /// `owner/name-id`.
    pub slug: String,
    /// Its title.
    pub title: String,
    /// Whose it is.
    pub owner: Option<String>,
    /// Upvotes.
    pub upvotes: Option<u64>,
    /// Things in it, as far as the Hub lists them.
    pub items: Option<usize>,
    /// What it is about.
    pub description: Option<String>,
}

/// Kinds of repositories that link papers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Models.
    Models,
    /// Datasets.
    Datasets,
}

impl Papers {
    /// Papers of a day (`YYYY-MM-DD`), or the latest.
    ///
    /// # Errors
    /// As [`ServiceError`] says.
    pub async fn daily(
        &self,
        date: Option<&str>,
        limit: usize,
        cancel: &CancellationToken,
    ) -> Result<Vec<Listed>, ServiceError> {
        let ask = Ask::get("/api/daily_papers").with("limit", limit.to_string()).maybe("date", date);
        let answer = self.hub.json(ask, cancel).await?;
        Ok(list(&answer)?.iter().map(listed).collect())
    }

    /// Papers that match words.
    ///
    /// # Errors
    /// As [`ServiceError`] says.
    pub async fn search(
        &self,
        words: &str,
        limit: usize,
        cancel: &CancellationToken,
    ) -> Result<Vec<Listed>, ServiceError> {
        let ask = Ask::get("/api/papers/search").with("q", words).with("limit", limit.to_string());
        let answer = self.hub.json(ask, cancel).await?;
        Ok(list(&answer)?.iter().take(limit).map(listed).collect())
    }

    /// One paper.
    ///
    /// # Errors
    /// As [`ServiceError`] says.
    pub async fn listed(&self, id: &ArxivId, cancel: &CancellationToken) -> Result<Listed, ServiceError> {
        let path = format!("/api/papers/{}", segment(id.bare()));
        let answer = self.hub.json(Ask::get(&path), cancel).await?;
        let paper = listed(&answer);
        if paper.title.is_empty() && paper.id.is_empty() {
            return Err(ServiceError::Strange("it holds no paper"));
        }
        Ok(paper)
    }

    /// Models or datasets that name this paper, the first by `sort` (`downloads`, `likes`, `trendingScore`).
    ///
    /// # Errors
    /// As [`ServiceError`] says.
    pub async fn linked(
        &self,
        kind: Kind,
        id: &ArxivId,
        (sort, limit): (&str, usize),
        cancel: &CancellationToken,
    ) -> Result<Vec<Repo>, ServiceError> {
        let path = match kind {
            Kind::Models => "/api/models",
            Kind::Datasets => "/api/datasets",
        };
        let ask = Ask::get(path)
            .with("filter", format!("arxiv:{}", id.bare()))
            .with("limit", limit.to_string())
            .with("sort", sort)
            .with("direction", "-1");
        let answer = self.hub.json(ask, cancel).await?;
        Ok(list(&answer)?.iter().take(limit).map(repo).collect())
    }

    /// Collections with this paper in them.
    ///
    /// # Errors
    /// As [`ServiceError`] says.
    pub async fn collections(
        &self,
        id: &ArxivId,
        cancel: &CancellationToken,
    ) -> Result<Vec<Collection>, ServiceError> {
        let ask = Ask::get("/api/collections").with("paper", id.bare());
        let answer = self.hub.json(ask, cancel).await?;
        Ok(list(&answer)?.iter().map(collection).collect())
    }
}

fn list(answer: &Value) -> Result<&Vec<Value>, ServiceError> {
    answer.as_array().ok_or(ServiceError::Strange("it is no list"))
}

/// Text that says something.
pub(super) fn said(value: &Value) -> Option<String> {
    value.as_str().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn words(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(said).collect()
}

fn listed(entry: &Value) -> Listed {
    // Lists wrap the paper; a single one stands bare.
    let paper = if entry["paper"].is_object() { &entry["paper"] } else { entry };
    let either = |name: &str| said(&paper[name]).or_else(|| said(&entry[name]));
    let authors = paper["authors"].as_array().into_iter().flatten().filter_map(|it| said(&it["name"]));
    Listed {
        id: said(&paper["id"]).unwrap_or_default(),
        title: either("title").unwrap_or_default(),
        summary: either("summary").unwrap_or_default(),
        ai_summary: said(&paper["ai_summary"]),
        keywords: words(&paper["ai_keywords"]),
        authors: authors.collect(),
        upvotes: paper["upvotes"].as_u64(),
        published: either("publishedAt"),
        github: said(&paper["githubRepo"]),
        stars: paper["githubStars"].as_u64(),
        project: said(&paper["projectPage"]),
    }
}

fn repo(entry: &Value) -> Repo {
    Repo {
        id: said(&entry["id"]).unwrap_or_default(),
        downloads: entry["downloads"].as_u64(),
        likes: entry["likes"].as_u64(),
        tags: words(&entry["tags"]),
        description: said(&entry["description"]),
        task: said(&entry["pipeline_tag"]),
        library: said(&entry["library_name"]),
        gated: !matches!(entry["gated"], Value::Null | Value::Bool(false)),
    }
}

fn collection(entry: &Value) -> Collection {
    Collection {
        slug: said(&entry["slug"]).unwrap_or_default(),
        title: said(&entry["title"]).unwrap_or_default(),
        owner: said(&entry["owner"]["name"]),
        upvotes: entry["upvotes"].as_u64(),
        items: entry["items"].as_array().map(Vec::len),
        description: said(&entry["description"]),
    }
}
