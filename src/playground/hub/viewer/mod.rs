//! The dataset viewer: splits, features, rows, sizes and statistics, from the data files of a repo.
//!
//! Reads CSV, TSV, JSON and JSON lines. Parquet is not read or made: files that are Parquet already are
//! named, the conversion of others is told as pending. What a test registers for a dataset comes before
//! what the files say. Start at [`router`].

mod features;
mod statistics;
mod table;

use std::collections::HashMap;

use axum::extract::State as Held;
use axum::http::{HeaderName, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Map, Value, json};

use self::table::{Dataset, Table};
use super::access::{let_in, sees};
use super::auth::Caller;
use super::card::Card;
use super::errors::header_value;
use super::shared::Hub;
use super::state::Kind;
use super::wire::Query;

/// Most rows in one answer.
const ROWS_MOST: usize = 100;

/// What a test says that the viewer answers for one dataset, by endpoint (`/splits`).
pub type Registered = HashMap<String, (u16, Value)>;

/// What the viewer answers.
pub fn router() -> Router<Hub> {
    Router::new()
        .route("/is-valid", get(is_valid))
        .route("/splits", get(splits))
        .route("/info", get(info))
        .route("/first-rows", get(first_rows))
        .route("/rows", get(rows))
        .route("/search", get(search))
        .route("/parquet", get(parquet))
        .route("/size", get(size))
        .route("/statistics", get(stats))
}

/// A refusal in the viewer's words.
struct Refused(StatusCode, &'static str, String);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = (self.0, Json(json!({"error": self.2}))).into_response();
        response.headers_mut().insert(HeaderName::from_static("x-error-code"), header_value(self.1));
        response
    }
}

fn missing(what: &str) -> Refused {
    Refused(
        StatusCode::UNPROCESSABLE_ENTITY,
        "MissingRequiredParameterError",
        format!("Parameter '{what}' is required"),
    )
}

fn no_rows(what: &str) -> Refused {
    Refused(StatusCode::NOT_FOUND, "ResponseNotFound", format!("Not found. The {what} does not exist."))
}

/// What was asked of a dataset that the caller may see.
struct Asked {
    id: String,
    query: Query,
    dataset: Dataset,
    hub: String,
}

/// Either what a test registered, or the dataset with its files.
enum Found {
    Registered(Response),
    Files(Box<Asked>),
}

fn open(hub: &Hub, caller: &Caller, uri: &Uri) -> Result<Found, Refused> {
    let query = Query::read(uri.query().unwrap_or_default());
    let id = query.get("dataset").ok_or_else(|| missing("dataset"))?.to_owned();
    hub.look(|state| {
        if let Some((status, body)) = state.registered.get(&id).and_then(|it| it.get(uri.path())) {
            let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            return Ok(Found::Registered((status, Json(body.clone())).into_response()));
        }
        let repo = state.repos.get(&(Kind::Dataset, id.clone()));
        let Some(repo) = repo.filter(|it| sees(state, caller, it) && let_in(state, caller, it)) else {
            return Err(hidden(caller));
        };
        let files = repo.files("main").unwrap_or_default();
        let contents = files.iter().filter_map(|(path, it)| Some((path.clone(), state.content(repo, it)?)));
        let dataset = Dataset::of(&Card::of(state, repo), contents.collect());
        let hub = hub.addresses.hub.clone();
        Ok(Found::Files(Box::new(Asked { id, query, dataset, hub })))
    })
}

fn hidden(caller: &Caller) -> Refused {
    match caller {
        Caller::Anonymous => Refused(
            StatusCode::UNAUTHORIZED,
            "ExternalUnauthenticatedError",
            "The dataset does not exist, or is not accessible without authentication (private or gated). Please \
             check the spelling of the dataset name or retry with authentication."
                .to_owned(),
        ),
        Caller::Account { .. } => Refused(
            StatusCode::NOT_FOUND,
            "ExternalAuthenticatedError",
            "The dataset does not exist, or is not accessible with the current credentials (private or gated). \
             Please check the spelling of the dataset name or retry with other authentication credentials."
                .to_owned(),
        ),
    }
}

/// Reads files and counts away from the threads that answer.
async fn answer(
    hub: Hub,
    caller: Caller,
    uri: Uri,
    work: fn(&Asked) -> Result<Value, Refused>,
) -> Result<Response, Refused> {
    match open(&hub, &caller, &uri)? {
        Found::Registered(response) => Ok(response),
        Found::Files(asked) => {
            let done = tokio::task::spawn_blocking(move || work(&asked)).await;
            let broken = |error: tokio::task::JoinError| {
                Refused(StatusCode::INTERNAL_SERVER_ERROR, "UnexpectedError", error.to_string())
            };
            Ok(Json(done.map_err(broken)??).into_response())
        }
    }
}

impl Asked {
    fn config(&self) -> Result<&str, Refused> {
        let name = self.query.get("config").ok_or_else(|| missing("config"))?;
        if self.dataset.configs().contains(&name) { Ok(name) } else { Err(no_rows("config")) }
    }

    fn table(&self) -> Result<Table, Refused> {
        let config = self.config()?;
        let split = self.query.get("split").ok_or_else(|| missing("split"))?;
        let part = self.dataset.part(config, split).ok_or_else(|| no_rows("split"))?;
        self.dataset.table(part).map_err(|error| {
            Refused(
                StatusCode::INTERNAL_SERVER_ERROR,
                "DatasetGenerationError",
                format!("The dataset cannot be read: {error}"),
            )
        })
    }

    fn named(&self, config: &str, split: &str) -> Map<String, Value> {
        let named = [("dataset", self.id.as_str()), ("config", config), ("split", split)];
        named.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
    }
}

async fn is_valid(Held(hub): Held<Hub>, caller: Caller, uri: Uri) -> Result<Response, Refused> {
    answer(hub, caller, uri, |asked| {
        let has = !asked.dataset.parts.is_empty();
        Ok(json!({"preview": has, "viewer": has, "search": has, "filter": false, "statistics": has}))
    })
    .await
}

async fn splits(Held(hub): Held<Hub>, caller: Caller, uri: Uri) -> Result<Response, Refused> {
    answer(hub, caller, uri, |asked| {
        if asked.dataset.parts.is_empty() {
            let words = "The dataset is empty, or has no data files that can be read.".to_owned();
            return Err(Refused(StatusCode::INTERNAL_SERVER_ERROR, "EmptyDatasetError", words));
        }
        let wanted = asked.query.get("config");
        let parts = asked.dataset.parts.iter().filter(|it| wanted.is_none_or(|config| it.config == config));
        let splits: Vec<_> = parts.map(|it| asked.named(&it.config, &it.split)).collect();
        Ok(json!({"splits": splits, "pending": [], "failed": []}))
    })
    .await
}

/// Features, sizes and card of one config.
fn described(asked: &Asked, config: &str) -> Value {
    let mut splits = Map::new();
    let mut features = Value::Null;
    let (mut bytes, mut original) = (0_u64, 0_u64);
    for part in asked.dataset.parts.iter().filter(|it| it.config == config) {
        let Ok(table) = asked.dataset.table(part) else { continue };
        original += asked.dataset.bytes(part);
        bytes += table.bytes();
        if features.is_null() {
            features = features::as_map(&table.features);
        }
        splits.insert(
            part.split.clone(),
            json!({"name": part.split, "num_bytes": table.bytes(), "num_examples": table.rows.len(), "dataset_name": null}),
        );
    }
    json!({"description": "", "citation": "", "homepage": "", "license": asked.dataset.license, "features": features,
        "builder_name": asked.dataset.builder, "config_name": config, "splits": splits, "download_size": original,
        "dataset_size": bytes, "version": {"version_str": "0.0.0", "major": 0, "minor": 0, "patch": 0}})
}

async fn info(Held(hub): Held<Hub>, caller: Caller, uri: Uri) -> Result<Response, Refused> {
    answer(hub, caller, uri, |asked| {
        let whole = if asked.query.get("config").is_some() {
            described(asked, asked.config()?)
        } else {
            asked.dataset.configs().into_iter().map(|it| (it.to_owned(), described(asked, it))).collect()
        };
        Ok(json!({"dataset_info": whole, "pending": [], "failed": [], "partial": false}))
    })
    .await
}

fn shown(table: &Table, rows: impl Iterator<Item = usize>) -> Vec<Value> {
    rows.map(|it| json!({"row_idx": it, "row": table.rows[it], "truncated_cells": []})).collect()
}

async fn first_rows(Held(hub): Held<Hub>, caller: Caller, uri: Uri) -> Result<Response, Refused> {
    answer(hub, caller, uri, |asked| {
        let table = asked.table()?;
        let count = table.rows.len().min(ROWS_MOST);
        Ok(json!({"dataset": asked.id, "config": asked.query.get("config"), "split": asked.query.get("split"),
            "features": features::as_list(&table.features), "rows": shown(&table, 0..count),
            "truncated": table.rows.len() > count}))
    })
    .await
}

/// `offset` and `length`.
fn window(query: &Query) -> Result<(usize, usize), Refused> {
    let bad =
        |words: &str| Refused(StatusCode::UNPROCESSABLE_ENTITY, "InvalidParameterError", words.to_owned());
    let offset =
        query.number("offset", 0).map_err(|_| bad("Parameter 'offset' must be a positive integer"))?;
    let length =
        query.number("length", 0).map_err(|_| bad("Parameter 'length' must be a positive integer"))?;
    if length.is_some_and(|it| it > ROWS_MOST) {
        return Err(bad("Parameter 'length' must not be greater than 100"));
    }
    Ok((offset.unwrap_or(0), length.unwrap_or(ROWS_MOST)))
}

async fn rows(Held(hub): Held<Hub>, caller: Caller, uri: Uri) -> Result<Response, Refused> {
    answer(hub, caller, uri, |asked| {
        let table = asked.table()?;
        let (offset, length) = window(&asked.query)?;
        let end = table.rows.len().min(offset + length);
        Ok(json!({"features": features::as_list(&table.features), "rows": shown(&table, offset.min(end)..end),
            "num_rows_total": table.rows.len(), "num_rows_per_page": ROWS_MOST, "partial": false}))
    })
    .await
}

async fn search(Held(hub): Held<Hub>, caller: Caller, uri: Uri) -> Result<Response, Refused> {
    answer(hub, caller, uri, |asked| {
        let table = asked.table()?;
        let wanted = asked.query.get("query").ok_or_else(|| missing("query"))?.to_lowercase();
        let (offset, length) = window(&asked.query)?;
        let has = |row: &Map<String, Value>| {
            row.values().any(|it| it.as_str().is_some_and(|text| text.to_lowercase().contains(&wanted)))
        };
        let hits: Vec<usize> =
            table.rows.iter().enumerate().filter(|(_, row)| has(row)).map(|(at, _)| at).collect();
        let page = hits.iter().copied().skip(offset).take(length);
        Ok(json!({"features": features::as_list(&table.features), "rows": shown(&table, page),
            "num_rows_total": hits.len(), "num_rows_per_page": ROWS_MOST, "partial": false}))
    })
    .await
}

async fn parquet(Held(hub): Held<Hub>, caller: Caller, uri: Uri) -> Result<Response, Refused> {
    answer(hub, caller, uri, |asked| {
        let files: Vec<Value> = asked
            .dataset
            .parquet
            .iter()
            .map(|(split, path, size)| {
                let url = format!("{}/datasets/{}/resolve/main/{path}", asked.hub, asked.id);
                let name = path.rsplit('/').next().unwrap_or(path);
                json!({"dataset": asked.id, "config": "default", "split": split, "url": url, "filename": name, "size": size})
            })
            .collect();
        let pending: Vec<Value> = asked
            .dataset
            .configs()
            .into_iter()
            .map(|it| json!({"kind": "config-parquet", "dataset": asked.id, "config": it, "split": null}))
            .collect();
        Ok(json!({"parquet_files": files, "pending": pending, "failed": [], "partial": false}))
    })
    .await
}

async fn size(Held(hub): Held<Hub>, caller: Caller, uri: Uri) -> Result<Response, Refused> {
    answer(hub, caller, uri, |asked| {
        let (mut splits, mut configs): (Vec<Value>, Vec<Value>) = (Vec::new(), Vec::new());
        let (mut all_rows, mut all_bytes, mut all_original) = (0, 0, 0);
        for config in asked.dataset.configs() {
            let (mut rows, mut bytes, mut original, mut columns) = (0, 0, 0, 0);
            for part in asked.dataset.parts.iter().filter(|it| it.config == config) {
                let Ok(table) = asked.dataset.table(part) else { continue };
                (rows, bytes) = (rows + table.rows.len(), bytes + table.bytes());
                original += asked.dataset.bytes(part);
                columns = table.features.len();
                let mut split = asked.named(config, &part.split);
                split.extend(sizes(table.rows.len(), table.bytes(), None));
                split.insert("num_columns".to_owned(), columns.into());
                splits.push(Value::Object(split));
            }
            let mut whole = asked.named(config, "");
            whole.remove("split");
            whole.extend(sizes(rows, bytes, Some(original)));
            whole.insert("num_columns".to_owned(), columns.into());
            configs.push(Value::Object(whole));
            (all_rows, all_bytes, all_original) = (all_rows + rows, all_bytes + bytes, all_original + original);
        }
        let mut dataset = sizes(all_rows, all_bytes, Some(all_original));
        dataset.insert("dataset".to_owned(), asked.id.clone().into());
        Ok(json!({"size": {"dataset": dataset, "configs": configs, "splits": splits}, "pending": [], "failed": [],
            "partial": false}))
    })
    .await
}

fn sizes(rows: usize, bytes: u64, original: Option<u64>) -> Map<String, Value> {
    let mut sizes = Map::new();
    sizes.insert("num_rows".to_owned(), rows.into());
    sizes.insert("num_bytes_memory".to_owned(), bytes.into());
    sizes.insert("num_bytes_parquet_files".to_owned(), 0.into());
    sizes.insert("estimated_num_rows".to_owned(), Value::Null);
    if let Some(original) = original {
        sizes.insert("num_bytes_original_files".to_owned(), original.into());
    }
    sizes
}

async fn stats(Held(hub): Held<Hub>, caller: Caller, uri: Uri) -> Result<Response, Refused> {
    answer(hub, caller, uri, |asked| {
        let table = asked.table()?;
        Ok(json!({"num_examples": table.rows.len(), "statistics": statistics::of(&table), "partial": false}))
    })
    .await
}
