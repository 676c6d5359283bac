//! Lists of repos: searched, filtered, sorted, and in pages.
//!
//! Never shows what the caller may not see. Start at [`doors`].

use axum::Json;
use axum::extract::State as Held;
use axum::http::Uri;
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::access::sees;
use super::auth::Caller;
use super::doors::{Doors, Told, Verb};
use super::errors::HubError;
use super::info::{chosen, siblings, whole};
use super::shared::Hub;
use super::state::{Kind, State};
use super::wire::{Query, page};

const QUERY: &[(&str, &str)] = &[
    ("search", "words that the repo's name has"),
    ("author", "user or organisation that it belongs to"),
    ("filter", "a tag that it has; may be repeated"),
    ("sort", "downloads, likes, lastModified, createdAt or trendingScore"),
    ("direction", "-1, for the largest first"),
    ("limit", "how many on one page"),
    ("full", "true to have files and more"),
    ("cardData", "true to have the card's fields"),
    ("expand", "a property to answer with; may be repeated"),
    ("cursor", "where the next page begins, as `Link` has it"),
];

/// What a list leaves out unless it is asked for more.
const FULL_ONLY: &[&str] =
    &["sha", "lastModified", "siblings", "usedStorage", "downloadsAllTime", "config", "spaces"];

pub fn doors() -> Doors {
    let told = |summary| Told::new("repos", summary).query(QUERY);
    Doors::default()
        .add(Verb::Get, "/api/models", told("List and search models"), list)
        .add(Verb::Get, "/api/datasets", told("List and search datasets"), list)
        .add(Verb::Get, "/api/spaces", told("List and search Spaces"), list)
        .add(
            Verb::Get,
            "/api/spaces/semantic-search",
            Told::new("spaces", "Find Spaces by what they do").query(&[("q", "what it should do")]),
            semantic,
        )
}

async fn list(Held(hub): Held<Hub>, caller: Caller, uri: Uri, query: Query) -> Result<Response, HubError> {
    let kind = Kind::read(uri.path().strip_prefix("/api/")).unwrap_or(Kind::Model);
    let limit = query.number("limit", 1)?.unwrap_or(hub.limits.list_page).min(hub.limits.list_page);
    let found = hub.look(|state| found(state, &caller, kind, &query))?;
    page(&format!("{}{}", hub.addresses.hub, uri.path()), &query, found, limit)
}

fn found(state: &State, caller: &Caller, kind: Kind, query: &Query) -> Result<Vec<Value>, HubError> {
    let words: Vec<String> = query
        .get("search")
        .unwrap_or_default()
        .to_lowercase()
        .split_whitespace()
        .map(ToOwned::to_owned)
        .collect();
    let mut found = Vec::new();
    for repo in state.repos.values().filter(|it| it.kind == kind && sees(state, caller, it)) {
        let author = query.get("author").is_none_or(|it| repo.namespace() == it);
        let named = words.iter().all(|it| repo.id.to_lowercase().contains(it));
        let Some(commit) = repo.resolve("main").and_then(|it| repo.commit(&it).cloned()) else { continue };
        if !author || !named {
            continue;
        }
        let mut about = whole(state, repo, &commit);
        let tags = about["tags"].as_array().cloned().unwrap_or_default();
        let has = |tag: &str| tags.iter().any(|it| it == tag);
        let wanted = ["filter", "pipeline_tag", "library"].into_iter().flat_map(|name| query.all(name));
        if !wanted.flat_map(|it| it.split(',')).all(has) {
            continue;
        }
        if query.on("full") || query.all("expand").any(|it| it == "siblings") {
            about.insert("siblings".to_owned(), siblings(&commit, false));
        }
        found.push(about);
    }
    sort(&mut found, query)?;
    found.into_iter().map(|it| shown(it, kind, query)).collect()
}

fn sort(found: &mut [Map<String, Value>], query: &Query) -> Result<(), HubError> {
    let by = match query.get("sort") {
        None => "trendingScore",
        Some("lastModified" | "modified" | "last_modified") => "lastModified",
        Some(by @ ("downloads" | "likes" | "createdAt" | "trendingScore")) => by,
        Some(other) => return Err(HubError::bad(format!("Invalid sort parameter \"{other}\""))),
    };
    if query.get("direction").is_some_and(|it| it != "-1") {
        return Err(HubError::bad("\"direction\" must be -1"));
    }
    found.sort_by(|a, b| match (a[by].as_u64(), b[by].as_u64()) {
        (Some(a), Some(b)) => b.cmp(&a),
        _ => b[by].as_str().cmp(&a[by].as_str()),
    });
    Ok(())
}

fn shown(mut about: Map<String, Value>, kind: Kind, query: &Query) -> Result<Value, HubError> {
    if query.get("expand").is_some() {
        return chosen(about, query);
    }
    let full = query.on("full") || kind == Kind::Dataset;
    if !full {
        FULL_ONLY.iter().for_each(|it| drop(about.remove(*it)));
    }
    if !(query.on("cardData") || query.on("full") && kind != Kind::Model) {
        about.remove("cardData");
    }
    about.remove("safetensors");
    Ok(Value::Object(about))
}

async fn semantic(Held(hub): Held<Hub>, caller: Caller, query: Query) -> Result<Json<Value>, HubError> {
    let asked = query.get("q").ok_or_else(|| HubError::bad("\"q\" is required"))?.to_lowercase();
    let words: Vec<&str> = asked.split_whitespace().collect();
    hub.look(|state| {
        let mut found = Vec::new();
        for repo in state.repos.values().filter(|it| it.kind == Kind::Space && sees(state, &caller, it)) {
            let Some(commit) = repo.resolve("main").and_then(|it| repo.commit(&it).cloned()) else { continue };
            let about = whole(state, repo, &commit);
            let text = format!("{} {} {}", repo.id, about["tags"], super::card::Card::of(state, repo).text);
            let text = text.to_lowercase();
            let hits = words.iter().filter(|it| text.contains(**it)).count();
            if hits > 0 {
                let name = repo.id.split_once('/').map_or("", |it| it.1);
                found.push((hits, json!({"id": repo.id, "author": repo.namespace(), "title": name,
                    "emoji": "", "likes": repo.likes, "private": repo.private, "sdk": about["sdk"],
                    "tags": about["tags"], "lastModified": about["lastModified"], "createdAt": about["createdAt"],
                    "trendingScore": about["trendingScore"], "semanticRelevancyScore": ratio(hits, words.len())})));
            }
        }
        found.sort_by_key(|it| std::cmp::Reverse(it.0));
        Ok(Json(found.into_iter().map(|it| it.1).collect()))
    })
}

fn ratio(part: usize, of: usize) -> f64 {
    let small = |it: usize| f64::from(u32::try_from(it).unwrap_or(u32::MAX));
    small(part) / small(of.max(1))
}
