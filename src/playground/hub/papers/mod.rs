//! Papers as the Hub knows them: daily, searched, one by one, and as Markdown.
//!
//! Owns [`Paper`]. Their HTML is `html`, their citations are `scholar`. Start at [`doors`].

pub mod html;
pub mod scholar;

use axum::Json;
use axum::extract::{Path, State as Held};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::access::sees;
use super::account::account_id;
use super::auth::Caller;
use super::doors::{Doors, Told, Verb};
use super::errors::HubError;
use super::info::whole;
use super::shared::Hub;
use super::state::{Kind, State};
use super::wire::Query;

/// Where a paper can be read as HTML.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Html {
    /// On arXiv, and so on ar5iv.
    Arxiv,
    /// On ar5iv only.
    Ar5iv,
    /// Nowhere.
    Nowhere,
}

/// A section of a paper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// `3` or `3.1`; empty for one without a number.
    pub number: String,
    /// Heading.
    pub title: String,
    /// Paragraphs. One that begins with `$` is a formula; rows that begin with `|` are a table.
    pub paragraphs: Vec<String>,
}

/// That one paper cites another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cites {
    /// The other's id.
    pub id: String,
    /// Sentences in which it is cited.
    pub contexts: Vec<String>,
    /// `methodology`, `background` or `result`.
    pub intent: String,
    /// Whether it matters much.
    pub influential: bool,
}

/// A paper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paper {
    /// arXiv number.
    pub id: String,
    /// Title.
    pub title: String,
    /// Authors.
    pub authors: Vec<String>,
    /// Abstract.
    pub summary: String,
    /// `2026-09-14`.
    pub published: String,
    /// The day on which it was a daily paper; empty if on none.
    pub daily: String,
    /// Upvotes on the Hub.
    pub upvotes: u64,
    /// Keywords.
    pub keywords: Vec<String>,
    /// One sentence.
    pub tldr: String,
    /// Repository and its stars.
    pub github: Option<(String, u64)>,
    /// Where it appeared.
    pub venue: String,
    /// Papers outside of this Hub that cite it.
    pub cited: u64,
    /// Where it can be read.
    pub html: Html,
    /// Its text.
    pub sections: Vec<Section>,
    /// What it cites.
    pub cites: Vec<Cites>,
}

pub fn doors() -> Doors {
    let told = |summary| Told::new("papers", summary);
    Doors::default()
        .add(
            Verb::Get,
            "/api/daily_papers",
            told("List papers of the day").query(&[
                ("date", "YYYY-MM-DD; newest first if missing"),
                ("limit", "how many"),
                ("p", "page, from 0"),
                ("sort", "publishedAt or trending"),
                ("submitter", "who submitted them"),
            ]),
            daily,
        )
        .add(
            Verb::Get,
            "/api/papers/search",
            told("Search papers").query(&[("q", "words"), ("limit", "how many")]),
            search,
        )
        .add(Verb::Get, "/api/papers/{id}", told("Get a paper"), paper)
        .add(Verb::Get, "/papers/{id}", told("Read a paper; with .md at the end, as Markdown"), page)
}

fn about(paper: &Paper) -> Value {
    let authors = paper.authors.iter().enumerate().map(|(place, name)| {
        json!({"_id": account_id(&format!("{}{place}", paper.id)), "name": name, "hidden": false})
    });
    json!({
        "id": paper.id, "authors": authors.collect::<Vec<_>>(), "title": paper.title, "summary": paper.summary,
        "publishedAt": format!("{}T00:00:00.000Z", paper.published), "upvotes": paper.upvotes,
        "discussionId": account_id(&paper.title), "ai_summary": paper.tldr, "ai_keywords": paper.keywords,
        "githubRepo": paper.github.as_ref().map(|it| it.0.clone()),
        "githubStars": paper.github.as_ref().map(|it| it.1), "projectPage": null,
        "submittedOnDailyAt": day(paper), "submittedOnDailyBy": submitter(),
    })
}

fn day(paper: &Paper) -> Option<String> {
    (!paper.daily.is_empty()).then(|| format!("{}T09:00:00.000Z", paper.daily))
}

fn submitter() -> Value {
    json!({"_id": account_id("alice"), "user": "alice", "fullname": "Alice Tan", "name": "alice", "type": "user",
        "isPro": false, "isHf": false, "isMod": false, "avatarUrl": "/avatars/alice.svg"})
}

fn is_day(text: &str) -> bool {
    let shape = text.bytes().map(|it| if it.is_ascii_digit() { b'0' } else { it });
    shape.eq(*b"0000-00-00") && text.parse::<jiff::civil::Date>().is_ok()
}

async fn daily(Held(hub): Held<Hub>, _: Caller, query: Query) -> Result<Json<Value>, HubError> {
    let limit = query.number("limit", 1)?.unwrap_or(50).min(100);
    let skip = query.number("p", 0)?.unwrap_or(0) * limit;
    let date = query.get("date");
    if date.is_some_and(|it| !is_day(it)) {
        return Err(HubError::bad("\"date\" must be YYYY-MM-DD"));
    }
    hub.look(|state| {
        let on_day = |it: &&Paper| !it.daily.is_empty() && date.is_none_or(|date| it.daily == date);
        let mut found: Vec<&Paper> = state.papers.iter().filter(on_day).collect();
        match query.get("sort") {
            None | Some("publishedAt") => found.sort_by(|a, b| b.daily.cmp(&a.daily)),
            Some("trending") => found.sort_by_key(|it| std::cmp::Reverse(it.upvotes)),
            Some(_) => return Err(HubError::bad("\"sort\" must be one of [publishedAt, trending]")),
        }
        let shown = found.into_iter().skip(skip).take(limit).map(listed);
        Ok(Json(shown.collect()))
    })
}

fn listed(paper: &Paper) -> Value {
    json!({"paper": about(paper), "title": paper.title, "summary": paper.summary,
        "publishedAt": day(paper).unwrap_or_else(|| format!("{}T00:00:00.000Z", paper.published)),
        "thumbnail": null, "numComments": 0, "submittedBy": submitter(), "isAuthorParticipating": false})
}

/// How many of the words a text has.
fn hits(words: &[String], text: &str) -> usize {
    let text = text.to_lowercase();
    words.iter().filter(|it| text.contains(it.as_str())).count()
}

/// Words of a question, without those that every paper has.
pub fn words(query: &str) -> Vec<String> {
    let lower = query.to_lowercase();
    let split = lower.split(|it: char| !it.is_alphanumeric()).filter(|it| it.len() > 2);
    split
        .filter(|it| !matches!(*it, "the" | "and" | "for" | "with" | "from"))
        .map(ToOwned::to_owned)
        .collect()
}

/// Papers that have at least one of the words, the best first.
pub fn found<'a>(state: &'a State, query: &str) -> Vec<&'a Paper> {
    let words = words(query);
    let score = |paper: &Paper| {
        3 * hits(&words, &paper.title)
            + 2 * hits(&words, &paper.keywords.join(" "))
            + hits(&words, &paper.summary)
    };
    let mut found: Vec<(usize, &Paper)> =
        state.papers.iter().map(|it| (score(it), it)).filter(|(score, _)| *score > 0).collect();
    found.sort_by(|a, b| b.0.cmp(&a.0).then(b.1.upvotes.cmp(&a.1.upvotes)));
    found.into_iter().map(|it| it.1).collect()
}

async fn search(Held(hub): Held<Hub>, _: Caller, query: Query) -> Result<Json<Value>, HubError> {
    let asked = query.get("q").ok_or_else(|| HubError::bad("\"q\" is required"))?;
    let limit = query.number("limit", 1)?.unwrap_or(20).min(120);
    hub.look(|state| Ok(Json(found(state, asked).into_iter().take(limit).map(listed).collect())))
}

pub fn known<'a>(state: &'a State, id: &str) -> Option<&'a Paper> {
    let bare =
        id.rsplit_once('v').filter(|(_, it)| it.bytes().all(|b| b.is_ascii_digit())).map_or(id, |it| it.0);
    state.papers.iter().find(|it| it.id == bare)
}

fn one<'a>(state: &'a State, id: &str) -> Result<&'a Paper, HubError> {
    known(state, id).ok_or_else(|| HubError::missing(format!("Paper not found: {id}")))
}

async fn paper(
    Held(hub): Held<Hub>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, HubError> {
    hub.look(|state| {
        let paper = one(state, &id)?;
        let mut about = about(paper);
        let tag = format!("arxiv:{}", paper.id);
        for (kind, field, total) in [
            (Kind::Model, "linkedModels", "numTotalModels"),
            (Kind::Dataset, "linkedDatasets", "numTotalDatasets"),
            (Kind::Space, "linkedSpaces", "numTotalSpaces"),
        ] {
            let mut linked = Vec::new();
            for repo in state.repos.values().filter(|it| it.kind == kind && sees(state, &caller, it)) {
                let Some(commit) = repo.resolve("main").and_then(|it| repo.commit(&it).cloned()) else {
                    continue;
                };
                let about = whole(state, repo, &commit);
                if about["tags"].as_array().is_some_and(|tags| tags.iter().any(|it| *it == tag)) {
                    linked.push(json!({"_id": about["_id"], "id": about["id"], "author": about["author"],
                        "downloads": about["downloads"], "likes": about["likes"], "private": about["private"],
                        "lastModified": about["lastModified"]}));
                }
            }
            about[total] = linked.len().into();
            about[field] = linked.into();
        }
        Ok(Json(about))
    })
}

async fn page(Held(hub): Held<Hub>, Path(id): Path<String>) -> Result<Response, HubError> {
    hub.look(|state| {
        let (id, as_text) = id.strip_suffix(".md").map_or((id.as_str(), false), |it| (it, true));
        let paper = one(state, id)?;
        let (media, text) = if as_text {
            ("text/markdown; charset=utf-8", markdown(paper))
        } else {
            ("text/html; charset=utf-8", html::page(paper))
        };
        Ok(([(header::CONTENT_TYPE, media)], text).into_response())
    })
}

fn markdown(paper: &Paper) -> String {
    let mut text =
        format!("# {}\n\n{}\n\n## Abstract\n\n{}\n", paper.title, paper.authors.join(", "), paper.summary);
    for section in &paper.sections {
        let level = "#".repeat(2 + section.number.matches('.').count());
        text.push_str(&format!("\n{level} {} {}\n\n", section.number, section.title));
        text.push_str(&section.paragraphs.join("\n\n"));
        text.push('\n');
    }
    text
}
