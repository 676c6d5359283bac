//! Semantic Scholar, as far as papers of the Hub go: details, citations both ways, search, snippets,
//! recommendations. Only the fields that were asked for are answered; an unknown one is refused.
//!
//! Never knows of repos. Start at [`router`].

use std::collections::BTreeSet;

use axum::body::Bytes;
use axum::extract::{Path, State as Held};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Map, Value, json};

use super::super::git;
use super::super::shared::Hub;
use super::super::state::State;
use super::super::wire::{Query, json_body};
use super::{Cites, Paper, found, known, words};

const FIELDS: &[&str] = &[
    "paperId",
    "corpusId",
    "url",
    "title",
    "externalIds",
    "year",
    "citationCount",
    "influentialCitationCount",
    "referenceCount",
    "abstract",
    "tldr",
    "venue",
    "publicationDate",
    "authors",
    "fieldsOfStudy",
    "s2FieldsOfStudy",
    "isOpenAccess",
    "openAccessPdf",
    "publicationTypes",
    "journal",
];
const EDGE_FIELDS: &[&str] = &["contexts", "intents", "isInfluential", "contextsWithIntent"];

/// What Semantic Scholar answers.
pub fn router() -> Router<Hub> {
    Router::new()
        .route("/graph/v1/paper/search", get(search))
        .route("/graph/v1/paper/search/bulk", get(bulk))
        .route("/graph/v1/snippet/search", get(snippets))
        .route("/graph/v1/paper/{id}", get(details))
        .route("/graph/v1/paper/{id}/references", get(references))
        .route("/graph/v1/paper/{id}/citations", get(citations))
        .route("/recommendations/v1/papers/forpaper/{id}", get(for_paper))
        .route("/recommendations/v1/papers/", post(for_papers))
}

/// A refusal in Semantic Scholar's words.
struct Refused(StatusCode, String);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.0, Json(json!({"error": self.1}))).into_response()
    }
}

fn bad(words: impl Into<String>) -> Refused {
    Refused(StatusCode::BAD_REQUEST, words.into())
}

fn fields<'a>(query: &'a Query, more: &[&str], default: &'a str) -> Result<Vec<&'a str>, Refused> {
    let asked: Vec<&str> =
        query.get("fields").unwrap_or(default).split(',').filter(|it| !it.is_empty()).collect();
    let unknown: Vec<&str> = asked
        .iter()
        .filter(|it| !FIELDS.contains(&it.split('.').next().unwrap_or_default()) && !more.contains(it))
        .copied()
        .collect();
    if unknown.is_empty() {
        return Ok(asked);
    }
    Err(bad(format!("Unrecognized or unsupported fields: [{}]", unknown.join(", "))))
}

fn limit(query: &Query, default: usize, most: usize) -> Result<usize, Refused> {
    let number = query.number("limit", 1).map_err(|it| bad(it.message))?.unwrap_or(default);
    if number > most { Err(bad(format!("Unacceptable query params: [limit={number}]"))) } else { Ok(number) }
}

fn paper_id(id: &str) -> String {
    git::blob_oid(id.as_bytes())
}

fn find<'a>(state: &'a State, id: &str) -> Result<&'a Paper, Refused> {
    let by_number = id.strip_prefix("ARXIV:").or_else(|| id.strip_prefix("arXiv:"));
    let paper = match by_number {
        Some(number) => known(state, number),
        None => state.papers.iter().find(|it| paper_id(&it.id) == id),
    };
    paper.ok_or_else(|| Refused(StatusCode::NOT_FOUND, format!("Paper with id {id} not found")))
}

fn citing<'a>(state: &'a State, id: &'a str) -> impl Iterator<Item = (&'a Paper, &'a Cites)> {
    state.papers.iter().filter_map(move |paper| Some((paper, paper.cites.iter().find(|it| it.id == id)?)))
}

fn shown(state: &State, paper: &Paper, fields: &[&str]) -> Value {
    let citing: Vec<&Cites> = citing(state, &paper.id).map(|it| it.1).collect();
    let year: u64 = paper.published.get(..4).and_then(|it| it.parse().ok()).unwrap_or_default();
    let authors: Vec<Value> =
        paper.authors.iter().map(|it| json!({"authorId": &paper_id(it)[..8], "name": it})).collect();
    let whole = json!({
        "paperId": paper_id(&paper.id), "corpusId": corpus_id(paper),
        "url": format!("https://www.semanticscholar.org/paper/{}", paper_id(&paper.id)), "title": paper.title,
        "externalIds": {"ArXiv": paper.id, "CorpusId": corpus_id(paper)}, "year": year,
        "citationCount": paper.cited + citing.len() as u64,
        "influentialCitationCount": paper.cited / 10 + citing.iter().filter(|it| it.influential).count() as u64,
        "referenceCount": paper.cites.len(), "abstract": paper.summary,
        "tldr": {"model": "tldr@v2.0.0", "text": paper.tldr}, "venue": paper.venue, "publicationDate": paper.published,
        "authors": authors, "fieldsOfStudy": ["Computer Science"], "isOpenAccess": true,
        "s2FieldsOfStudy": [{"category": "Computer Science", "source": "s2-fos-model"}],
        "openAccessPdf": {"url": format!("https://arxiv.org/pdf/{}", paper.id), "status": "GREEN"},
        "publicationTypes": ["JournalArticle"], "journal": {"name": "ArXiv"},
    });
    let mut kept = Map::from_iter([("paperId".to_owned(), whole["paperId"].clone())]);
    for field in fields {
        let name = field.split('.').next().unwrap_or_default();
        if let Some(value) = whole.get(name) {
            kept.insert(name.to_owned(), value.clone());
        }
    }
    Value::Object(kept)
}

fn corpus_id(paper: &Paper) -> u64 {
    paper.id.bytes().filter(u8::is_ascii_digit).fold(0, |sum, it| sum * 10 + u64::from(it - b'0'))
}

async fn details(Held(hub): Held<Hub>, Path(id): Path<String>, query: Query) -> Result<Json<Value>, Refused> {
    let fields = fields(&query, &[], "title")?;
    hub.look(|state| Ok(Json(shown(state, find(state, &id)?, &fields))))
}

fn edge(state: &State, (paper, cites): (&Paper, &Cites), name: &str, fields: &[&str]) -> Value {
    let mut edge = json!({name: shown(state, paper, fields)});
    for field in fields {
        match *field {
            "contexts" => edge["contexts"] = cites.contexts.clone().into(),
            "intents" => edge["intents"] = json!([cites.intent]),
            "isInfluential" => edge["isInfluential"] = cites.influential.into(),
            _ => {}
        }
    }
    edge
}

fn edges(all: Vec<Value>, query: &Query) -> Result<Json<Value>, Refused> {
    let most = limit(query, 100, 1000)?;
    let offset = query.number("offset", 0).map_err(|it| bad(it.message))?.unwrap_or(0);
    let more = all.len() > offset + most;
    let data: Vec<Value> = all.into_iter().skip(offset).take(most).collect();
    let mut answer = json!({"offset": offset, "data": data});
    if more {
        answer["next"] = (offset + most).into();
    }
    Ok(Json(answer))
}

async fn references(
    Held(hub): Held<Hub>,
    Path(id): Path<String>,
    query: Query,
) -> Result<Json<Value>, Refused> {
    let fields = fields(&query, EDGE_FIELDS, "title")?;
    hub.look(|state| {
        let paper = find(state, &id)?;
        let all = paper.cites.iter().filter_map(|it| Some((known(state, &it.id)?, it)));
        edges(all.map(|it| edge(state, it, "citedPaper", &fields)).collect(), &query)
    })
}

async fn citations(
    Held(hub): Held<Hub>,
    Path(id): Path<String>,
    query: Query,
) -> Result<Json<Value>, Refused> {
    let fields = fields(&query, EDGE_FIELDS, "title")?;
    hub.look(|state| {
        let paper = find(state, &id)?;
        let mut all: Vec<(&Paper, &Cites)> = citing(state, &paper.id).collect();
        all.sort_by(|a, b| b.0.published.cmp(&a.0.published));
        edges(all.into_iter().map(|it| edge(state, it, "citingPaper", &fields)).collect(), &query)
    })
}

/// Papers that fit the words and every filter.
fn filtered<'a>(state: &'a State, query: &Query) -> Result<Vec<&'a Paper>, Refused> {
    let asked = query.get("query").ok_or_else(|| bad("Missing required parameter: query"))?;
    let mut papers = found(state, asked);
    if let Some(range) = query.get("publicationDateOrYear") {
        let (from, to) = range.split_once(':').unwrap_or((range, range));
        // A day compares as text; of a year, all days count.
        papers.retain(|it| from.is_empty() || it.published.as_str() >= from);
        papers.retain(|it| to.is_empty() || it.published.get(..to.len()).unwrap_or_default() <= to);
    }
    if let Some(least) = query.number("minCitationCount", 0).map_err(|it| bad(it.message))? {
        papers.retain(|it| it.cited + citing(state, &it.id).count() as u64 >= least as u64);
    }
    if let Some(field) = query.get("fieldsOfStudy") {
        papers.retain(|_| field.split(',').any(|it| it.eq_ignore_ascii_case("computer science")));
    }
    Ok(papers)
}

async fn bulk(Held(hub): Held<Hub>, query: Query) -> Result<Json<Value>, Refused> {
    let fields = fields(&query, &[], "title")?;
    hub.look(|state| {
        let mut papers = filtered(state, &query)?;
        let sort = query.get("sort").unwrap_or("paperId:asc");
        let (by, direction) = sort.split_once(':').unwrap_or((sort, "asc"));
        match by {
            "paperId" => {}
            "publicationDate" => papers.sort_by(|a, b| a.published.cmp(&b.published)),
            "citationCount" => papers.sort_by_key(|it| it.cited + citing(state, &it.id).count() as u64),
            _ => return Err(bad(format!("Unsupported sort: {sort}"))),
        }
        if direction == "desc" && by != "paperId" {
            papers.reverse();
        }
        let data: Vec<Value> = papers.iter().take(1000).map(|it| shown(state, it, &fields)).collect();
        Ok(Json(json!({"total": papers.len(), "token": null, "data": data})))
    })
}

async fn search(Held(hub): Held<Hub>, query: Query) -> Result<Json<Value>, Refused> {
    let fields = fields(&query, &[], "title")?;
    hub.look(|state| {
        let papers = filtered(state, &query)?;
        let total = papers.len();
        let mut answer = edges(papers.into_iter().map(|it| shown(state, it, &fields)).collect(), &query)?;
        answer.0["total"] = total.into();
        Ok(answer)
    })
}

async fn snippets(Held(hub): Held<Hub>, query: Query) -> Result<Json<Value>, Refused> {
    let most = limit(&query, 10, 1000)?;
    let asked = words(query.get("query").ok_or_else(|| bad("Missing required parameter: query"))?);
    hub.look(|state| {
        let mut hits: Vec<(usize, Value)> = Vec::new();
        for paper in &state.papers {
            for section in &paper.sections {
                for text in &section.paragraphs {
                    let lower = text.to_lowercase();
                    let score = asked.iter().filter(|it| lower.contains(it.as_str())).count();
                    if score > 0 {
                        hits.push((score, snippet(paper, &section.title, text, (score, asked.len()))));
                    }
                }
            }
        }
        hits.sort_by_key(|it| std::cmp::Reverse(it.0));
        let data: Vec<Value> = hits.into_iter().take(most).map(|it| it.1).collect();
        Ok(Json(json!({"data": data, "retrievalVersion": "small-hub"})))
    })
}

fn snippet(paper: &Paper, section: &str, text: &str, (score, of): (usize, usize)) -> Value {
    let part = |it: usize| f64::from(u32::try_from(it).unwrap_or(u32::MAX));
    json!({
        "score": part(score) / part(of.max(1)),
        "snippet": {"text": text, "snippetKind": "body", "section": section, "snippetOffset": {"start": 0, "end": text.len()}},
        "paper": {"corpusId": corpus_id(paper).to_string(), "title": paper.title, "authors": paper.authors,
            "externalIds": {"ArXiv": paper.id}, "openAccessInfo": {"license": "CC-BY", "status": "GREEN"}},
    })
}

/// Papers that share words with the liked ones and not with the others.
fn alike<'a>(state: &'a State, liked: &[&Paper], disliked: &[&Paper]) -> Vec<&'a Paper> {
    let of = |paper: &Paper| words(&format!("{} {}", paper.title, paper.keywords.join(" "))).into_iter();
    let good: BTreeSet<String> = liked.iter().flat_map(|it| of(it)).collect();
    let bad: BTreeSet<String> = disliked.iter().flat_map(|it| of(it)).collect();
    let known: Vec<&String> = liked.iter().chain(disliked).map(|it| &it.id).collect();
    let score = |paper: &Paper| {
        let own: BTreeSet<String> = of(paper).collect();
        own.intersection(&good).count().saturating_sub(own.intersection(&bad).count())
    };
    let others = state.papers.iter().filter(|it| !known.contains(&&it.id));
    let mut scored: Vec<(usize, &Paper)> = others.map(|it| (score(it), it)).filter(|it| it.0 > 0).collect();
    scored.sort_by_key(|it| std::cmp::Reverse(it.0));
    scored.into_iter().map(|it| it.1).collect()
}

async fn for_paper(
    Held(hub): Held<Hub>,
    Path(id): Path<String>,
    query: Query,
) -> Result<Json<Value>, Refused> {
    let fields = fields(&query, &[], "title")?;
    let most = limit(&query, 100, 500)?;
    if !matches!(query.get("from"), None | Some("recent" | "all-cs")) {
        return Err(bad("Unrecognized value for parameter: from"));
    }
    hub.look(|state| {
        let liked = find(state, &id)?;
        let papers = alike(state, &[liked], &[]).into_iter().take(most).map(|it| shown(state, it, &fields));
        Ok(Json(json!({"recommendedPapers": papers.collect::<Vec<_>>()})))
    })
}

async fn for_papers(Held(hub): Held<Hub>, query: Query, body: Bytes) -> Result<Json<Value>, Refused> {
    let fields = fields(&query, &[], "title")?;
    let most = limit(&query, 100, 500)?;
    let body = json_body(&body).map_err(|it| bad(it.message))?;
    let ids = |name: &str| -> Vec<String> {
        body[name].as_array().into_iter().flatten().filter_map(Value::as_str).map(ToOwned::to_owned).collect()
    };
    let (liked, disliked) = (ids("positivePaperIds"), ids("negativePaperIds"));
    if liked.is_empty() {
        return Err(bad("positivePaperIds must have at least one id"));
    }
    hub.look(|state| {
        let all = |ids: &[String]| ids.iter().map(|it| find(state, it)).collect::<Result<Vec<_>, _>>();
        let papers = alike(state, &all(&liked)?, &all(&disliked)?);
        let papers: Vec<Value> = papers.into_iter().take(most).map(|it| shown(state, it, &fields)).collect();
        Ok(Json(json!({"recommendedPapers": papers})))
    })
}
