//! Collections: lists of repos and papers that somebody keeps.
//!
//! Never changes what they list. Start at [`doors`].

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State as Held};
use axum::response::Response;
use serde_json::{Value, json};

use super::account::account_id;
use super::auth::Caller;
use super::doors::{Doors, Told, Verb};
use super::errors::HubError;
use super::repos;
use super::shared::Hub;
use super::state::{Kind, State};
use super::wire::{Query, iso, json_body, page, text_field};
use crate::clock::Timestamp;

/// An entry of a collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub object_id: String,
    /// `model`, `dataset`, `space`, `paper` or `collection`.
    pub kind: String,
    pub id: String,
    pub note: Option<String>,
}

/// A collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collection {
    /// `namespace/title-id`.
    pub slug: String,
    pub title: String,
    pub description: Option<String>,
    pub owner: String,
    pub private: bool,
    pub theme: String,
    pub items: Vec<Item>,
    pub updated: Timestamp,
}

pub fn doors() -> Doors {
    let told = |summary| Told::new("collections", summary);
    let one = "/api/collections/{namespace}/{slug}";
    let fields =
        &[("title", "title"), ("description", "what it is"), ("private", "whether only its owners see it")];
    Doors::default()
        .add(
            Verb::Get,
            "/api/collections",
            told("List collections").query(&[
                ("owner", "user or organisation"),
                ("item", "what it has in it: models/NAME, datasets/NAME, papers/ID"),
                ("paper", "a paper that it has in it"),
                ("q", "words of its title"),
                ("limit", "how many on one page"),
            ]),
            list,
        )
        .add(Verb::Post, "/api/collections", told("Create a collection").body(fields), create)
        .add(Verb::Get, one, told("Get a collection"), get)
        .add(Verb::Patch, one, told("Change a collection").body(fields), change)
        .add(Verb::Delete, one, told("Delete a collection"), delete)
        .add(
            Verb::Post,
            "/api/collections/{namespace}/{slug}/items",
            told("Add to a collection").body(&[("item", "its type and id"), ("note", "why it is there")]),
            add,
        )
        .add(
            Verb::Patch,
            "/api/collections/{namespace}/{slug}/items/{item}",
            told("Change an entry").body(&[("note", "why it is there"), ("position", "place, from 0")]),
            change_item,
        )
        .add(
            Verb::Delete,
            "/api/collections/{namespace}/{slug}/items/{item}",
            told("Remove an entry"),
            remove,
        )
}

fn shown(state: &State, collection: &Collection) -> Value {
    let items = collection.items.iter().enumerate().map(|(place, item)| {
        let mut shown = json!({"_id": item.object_id, "id": item.id, "type": item.kind, "position": place});
        if let Some(note) = &item.note {
            shown["note"] = json!({"text": note, "html": note});
        }
        if let Some(paper) = state.papers.iter().find(|it| item.kind == "paper" && it.id == item.id) {
            shown["title"] = paper.title.clone().into();
        }
        shown
    });
    let items: Vec<Value> = items.collect();
    let kind = if state.orgs.iter().any(|it| it.name == collection.owner) { "org" } else { "user" };
    json!({"slug": collection.slug, "title": collection.title, "description": collection.description,
        "owner": {"_id": account_id(&collection.owner), "name": collection.owner, "type": kind},
        "items": items, "numItems": items.len(), "lastUpdated": iso(collection.updated), "position": 0,
        "private": collection.private, "gating": false, "theme": collection.theme, "upvotes": 0, "shareUrl":
        format!("/collections/{}", collection.slug)})
}

fn sees(state: &State, caller: &Caller, collection: &Collection) -> bool {
    !collection.private || caller.role_in(state, &collection.owner).is_some()
}

async fn list(Held(hub): Held<Hub>, caller: Caller, query: Query) -> Result<Response, HubError> {
    let limit = query.number("limit", 1)?.unwrap_or(hub.limits.list_page).min(hub.limits.list_page);
    let list = hub.look(|state| {
        let wanted = |it: &&Collection| {
            let has = |kind: &str, id: &str| it.items.iter().any(|item| item.kind == kind && item.id == id);
            let owner = query.get("owner").is_none_or(|owner| it.owner == owner);
            let paper = query.get("paper").is_none_or(|id| has("paper", id));
            let title = query.get("q").is_none_or(|q| it.title.to_lowercase().contains(&q.to_lowercase()));
            let item = query.get("item").is_none_or(|item| {
                item.split_once('/').is_some_and(|(kind, id)| has(kind.trim_end_matches('s'), id))
            });
            owner && paper && title && item && sees(state, &caller, it)
        };
        // A list does not say `position`: the official client counts by itself, and fails if it is told.
        let listed = |it| match shown(state, it) {
            Value::Object(mut fields) => {
                fields.remove("position");
                Value::Object(fields)
            }
            other => other,
        };
        state.collections.iter().filter(wanted).map(listed).collect::<Vec<Value>>()
    });
    page(&format!("{}/api/collections", hub.addresses.hub), &query, list, limit)
}

fn no_such() -> HubError {
    HubError::missing("Collection not found")
}

fn find<'a>(state: &'a State, caller: &Caller, slug: &str) -> Result<&'a Collection, HubError> {
    let found = state.collections.iter().find(|it| it.slug == slug);
    found.filter(|it| sees(state, caller, it)).ok_or_else(no_such)
}

fn changed<'a>(
    state: &'a mut State,
    caller: &Caller,
    (namespace, name): &(String, String),
    now: Timestamp,
) -> Result<&'a mut Collection, HubError> {
    let slug = format!("{namespace}/{name}");
    find(state, caller, &slug)?;
    caller.may_write_in(state, namespace)?;
    let found = state.collections.iter_mut().find(|it| it.slug == slug).ok_or_else(no_such)?;
    found.updated = now;
    Ok(found)
}

async fn get(
    Held(hub): Held<Hub>,
    caller: Caller,
    Path((namespace, slug)): Path<(String, String)>,
) -> Result<Json<Value>, HubError> {
    hub.look(|state| Ok(Json(shown(state, find(state, &caller, &format!("{namespace}/{slug}"))?))))
}

fn slug_words(title: &str) -> String {
    let lower: String =
        title.to_lowercase().chars().map(|it| if it.is_alphanumeric() { it } else { '-' }).collect();
    lower.split('-').filter(|it| !it.is_empty()).collect::<Vec<_>>().join("-")
}

async fn create(Held(hub): Held<Hub>, caller: Caller, body: Bytes) -> Result<Json<Value>, HubError> {
    let body = json_body(&body)?;
    let title = text_field(&body, "title")?;
    if title.chars().count() >= 60 {
        return Err(HubError::bad("\"title\" must have fewer than 60 characters"));
    }
    let owner = body["namespace"]
        .as_str()
        .map_or_else(|| caller.known().map(ToOwned::to_owned), |it| Ok(it.to_owned()))?;
    let now = hub.clock.now();
    hub.with(|state| {
        caller.may_write_in(state, &owner)?;
        if let Some(there) = state.collections.iter().find(|it| it.owner == owner && it.title == title) {
            let slug = json!({"slug": there.slug});
            return Err(HubError::conflict("You already have a collection with this title").with(slug));
        }
        let slug = format!("{owner}/{}-{}", slug_words(title), state.fresh_id());
        let collection = Collection {
            slug,
            title: title.to_owned(),
            description: body["description"].as_str().map(ToOwned::to_owned),
            owner: owner.clone(),
            private: body["private"] == true,
            theme: "purple".to_owned(),
            items: Vec::new(),
            updated: now,
        };
        let answer = shown(state, &collection);
        state.collections.push(collection);
        Ok(Json(answer))
    })
}

async fn change(
    Held(hub): Held<Hub>,
    caller: Caller,
    Path(place): Path<(String, String)>,
    body: Bytes,
) -> Result<Json<Value>, HubError> {
    let body = json_body(&body)?;
    let now = hub.clock.now();
    hub.with(|state| {
        let found = changed(state, &caller, &place, now)?;
        if let Some(title) = body["title"].as_str() {
            found.title = title.to_owned();
        }
        if let Some(text) = body["description"].as_str() {
            found.description = Some(text.to_owned());
        }
        if let Some(theme) = body["theme"].as_str() {
            found.theme = theme.to_owned();
        }
        found.private = body["private"].as_bool().unwrap_or(found.private);
        let found = found.clone();
        Ok(Json(json!({"success": true, "data": shown(state, &found)})))
    })
}

async fn delete(
    Held(hub): Held<Hub>,
    caller: Caller,
    Path(place): Path<(String, String)>,
) -> Result<Json<Value>, HubError> {
    let now = hub.clock.now();
    hub.with(|state| {
        let slug = changed(state, &caller, &place, now)?.slug.clone();
        state.collections.retain(|it| it.slug != slug);
        Ok(Json(json!({"success": true})))
    })
}

/// What is added must be there, for this caller.
fn checked(state: &State, caller: &Caller, kind: &str, id: &str) -> Result<(), HubError> {
    let there = match kind {
        "paper" => state.papers.iter().any(|it| it.id == id),
        "collection" => find(state, caller, id).is_ok(),
        _ => {
            let kind = Kind::read(Some(kind)).ok_or_else(|| {
                HubError::bad("\"item.type\" must be one of [model, dataset, space, paper, collection]")
            })?;
            repos::find(state, caller, kind, id).is_ok()
        }
    };
    if there { Ok(()) } else { Err(HubError::missing(format!("The {kind} {id} does not exist"))) }
}

async fn add(
    Held(hub): Held<Hub>,
    caller: Caller,
    Path(place): Path<(String, String)>,
    body: Bytes,
) -> Result<Json<Value>, HubError> {
    let body = json_body(&body)?;
    let (kind, id) = (text_field(&body["item"], "type")?, text_field(&body["item"], "id")?);
    let note = body["note"].as_str().map(ToOwned::to_owned);
    let now = hub.clock.now();
    hub.with(|state| {
        checked(state, &caller, kind, id)?;
        let object_id = state.fresh_id();
        let found = changed(state, &caller, &place, now)?;
        if found.items.iter().any(|it| it.kind == kind && it.id == id) {
            return Err(HubError::conflict(format!("The {kind} {id} is in this collection already")));
        }
        found.items.push(Item { object_id, kind: kind.to_owned(), id: id.to_owned(), note });
        let found = found.clone();
        Ok(Json(shown(state, &found)))
    })
}

async fn change_item(
    Held(hub): Held<Hub>,
    caller: Caller,
    Path((namespace, slug, item)): Path<(String, String, String)>,
    body: Bytes,
) -> Result<Json<Value>, HubError> {
    let body = json_body(&body)?;
    let now = hub.clock.now();
    hub.with(|state| {
        let found = changed(state, &caller, &(namespace, slug), now)?;
        let index = found.items.iter().position(|it| it.object_id == item);
        let index = index.ok_or_else(|| HubError::missing("This item does not exist"))?;
        if let Some(note) = body["note"].as_str() {
            found.items[index].note = Some(note.to_owned());
        }
        if let Some(to) = body["position"].as_u64().and_then(|it| usize::try_from(it).ok()) {
            let item = found.items.remove(index);
            found.items.insert(to.min(found.items.len()), item);
        }
        Ok(Json(json!({"success": true})))
    })
}

async fn remove(
    Held(hub): Held<Hub>,
    caller: Caller,
    Path((namespace, slug, item)): Path<(String, String, String)>,
) -> Result<Json<Value>, HubError> {
    let now = hub.clock.now();
    hub.with(|state| {
        let found = changed(state, &caller, &(namespace, slug), now)?;
        let before = found.items.len();
        found.items.retain(|it| it.object_id != item);
        if found.items.len() == before {
            return Err(HubError::missing("This item does not exist"));
        }
        Ok(Json(json!({"success": true})))
    })
}
