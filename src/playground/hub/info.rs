//! What the Hub says of a repo: all of it, what was asked for with `expand`, and what a list shows.
//!
//! Never decides who may see it. Start at [`whole`].

use axum::Json;
use axum::extract::State as Held;
use serde_json::{Map, Value, json};

use super::access::{At, content, readable};
use super::auth::Caller;
use super::card::Card;
use super::doors::{Doors, Told, Verb};
use super::errors::HubError;
use super::git::{Commit, Entry};
use super::repo::Repo;
use super::shared::Hub;
use super::state::{Kind, State};
use super::wire::{Query, iso};

const QUERY: &[(&str, &str)] = &[
    ("blobs", "true to have sizes and hashes of the files"),
    ("expand", "a property to answer with; may be repeated; then nothing else is answered"),
];

/// Properties that `expand` may name but that no repo here has.
const NEVER_HAD: &[&str] = &[
    "childrenModelCount",
    "evalResults",
    "gguf",
    "inference",
    "inferenceProviderMapping",
    "mask_token",
    "resourceGroup",
    "transformersInfo",
    "widgetData",
    "xetEnabled",
    "citation",
    "mainSize",
    "paperswithcode_id",
    "model-index",
    "datasets",
    "models",
    "region",
    "host",
    "subdomain",
    "securityRepoStatus",
    "baseModels",
    "spaces",
    "config",
    "runtime",
    "sdk",
];

pub fn doors() -> Doors {
    let told = |summary| Told::new("repos", summary);
    Doors::default()
        .of_repos(Verb::Get, "", told("Get information about a repo").query(QUERY), info)
        .of_repos(
            Verb::Get,
            "/revision/{*revision}",
            told("Get information about a repo at a branch, tag, reference or commit").query(QUERY),
            info,
        )
        .of_repos(
            Verb::Get,
            "/auth-check",
            told("Check whether the token may read a repo's files"),
            auth_check,
        )
        .of_repos(
            Verb::Get,
            "/auth-check/write",
            told("Check whether the token may change a repo"),
            write_check,
        )
}

async fn info(Held(hub): Held<Hub>, caller: Caller, at: At, query: Query) -> Result<Json<Value>, HubError> {
    let revision = if at.part("revision").is_empty() { "main" } else { at.part("revision") };
    let runtime = (at.kind == Kind::Space).then(|| super::spaces::runtime_of(&hub, &at.id));
    hub.look(|state| {
        let repo = readable(state, &caller, &at)?;
        let commit = repo.resolve(revision).ok_or_else(|| HubError::revision(revision))?;
        let commit = repo.commit(&commit).ok_or_else(|| HubError::revision(revision))?;
        let mut whole = whole(state, repo, commit);
        whole.insert("siblings".to_owned(), siblings(commit, query.on("blobs")));
        if let Some(runtime) = runtime {
            whole.insert("runtime".to_owned(), runtime);
        }
        chosen(whole, &query).map(Json)
    })
}

/// Only what `expand` names, if it names anything.
///
/// # Errors
/// It names what no repo has.
pub fn chosen(whole: Map<String, Value>, query: &Query) -> Result<Value, HubError> {
    let names: Vec<&str> = query.all("expand").collect();
    if names.is_empty() {
        return Ok(Value::Object(whole));
    }
    let mut kept = Map::new();
    for name in ["_id", "id"].into_iter().chain(names) {
        match whole.get(name) {
            Some(value) => {
                kept.insert(name.to_owned(), value.clone());
            }
            None if NEVER_HAD.contains(&name) || name == "safetensors" || name == "cardData" => {}
            None => return Err(HubError::bad(format!("\"expand\" must not be \"{name}\""))),
        }
    }
    Ok(Value::Object(kept))
}

/// Names of files, with sizes and hashes if asked for.
pub fn siblings(commit: &Commit, blobs: bool) -> Value {
    let item = |(path, entry): (&String, &Entry)| {
        let mut item = json!({"rfilename": path});
        if blobs {
            item["size"] = entry.size.into();
            item["blobId"] = entry.oid.clone().into();
            if let Some(sha256) = &entry.large {
                item["lfs"] =
                    json!({"sha256": sha256, "size": entry.size, "pointerSize": entry.pointer_size()});
            }
        }
        item
    };
    commit.files.iter().map(item).collect()
}

/// Everything that is known of a repo at a commit, but its files.
pub fn whole(state: &State, repo: &Repo, commit: &Commit) -> Map<String, Value> {
    let card = Card::of(state, repo);
    let mut tags = card.tags();
    let mut about = json!({
        "_id": repo.object_id, "id": repo.id, "author": repo.namespace(), "sha": commit.id,
        "lastModified": iso(repo.last_modified()), "createdAt": iso(repo.made), "private": repo.private,
        "gated": repo.gate.map_or(Value::Bool(false), |it| it.word().into()), "disabled": false,
        "downloads": repo.downloads, "downloadsAllTime": repo.downloads, "likes": repo.likes,
        "trendingScore": repo.likes + repo.downloads / 100, "usedStorage": used(repo),
    });
    if !card.data.is_empty() {
        about["cardData"] = Value::Object(card.data.clone());
    }
    match repo.kind {
        Kind::Model => {
            about["modelId"] = repo.id.clone().into();
            if let Some(task) = card.word("pipeline_tag") {
                about["pipeline_tag"] = task.into();
            }
            if let Some(library) = card.word("library_name") {
                about["library_name"] = library.into();
            }
            let numbers = commit.files.get("model.safetensors").and_then(|it| state.content(repo, it));
            if let Some(numbers) = numbers.and_then(|it| safetensors(&it)) {
                about["safetensors"] = numbers;
                tags.push("safetensors".to_owned());
            }
            let config = commit.files.get("config.json").and_then(|it| state.content(repo, it));
            let config = config.and_then(|it| serde_json::from_slice::<Value>(&it).ok());
            about["config"] = config.map_or(
                json!({}),
                |it| json!({"architectures": it["architectures"], "model_type": it["model_type"]}),
            );
            about["spaces"] = json!([]);
        }
        Kind::Dataset => {
            about["description"] = card.text.chars().take(300).collect::<String>().into();
        }
        Kind::Space => {
            about["sdk"] = card.word("sdk").map_or_else(|| repo.asked["sdk"].clone(), Value::from);
            let subdomain = repo.id.replace(['/', '.', '_'], "-").to_lowercase();
            about["host"] = format!("https://{subdomain}.hf.space").into();
            about["subdomain"] = subdomain.into();
            about["models"] = json!([]);
            about["datasets"] = json!([]);
        }
    }
    about["tags"] = tags.into();
    match about {
        Value::Object(about) => about,
        _ => Map::new(),
    }
}

/// Bytes of every content that any commit has, each once.
fn used(repo: &Repo) -> u64 {
    let entries = repo.commits.values().flat_map(|it| it.files.values());
    let once: std::collections::BTreeMap<&str, u64> = entries.map(|it| (it.oid.as_str(), it.size)).collect();
    once.values().sum()
}

/// Numbers of parameters by type, from the header of a safetensors file.
fn safetensors(content: &[u8]) -> Option<Value> {
    let length = u64::from_le_bytes(content.get(..8)?.try_into().ok()?);
    let header = content.get(8..8 + usize::try_from(length).ok()?)?;
    let header: Map<String, Value> = serde_json::from_slice(header).ok()?;
    let mut by_type = std::collections::BTreeMap::<String, u64>::new();
    for (_, tensor) in header.iter().filter(|(name, _)| *name != "__metadata__") {
        let shape = tensor["shape"].as_array()?;
        let count = shape.iter().filter_map(Value::as_u64).product::<u64>();
        *by_type.entry(tensor["dtype"].as_str()?.to_owned()).or_default() += count;
    }
    let total: u64 = by_type.values().sum();
    Some(json!({"parameters": by_type, "total": total}))
}

async fn auth_check(Held(hub): Held<Hub>, caller: Caller, at: At) -> Result<Json<Value>, HubError> {
    hub.look(|state| content(&hub, state, &caller, &at).map(|_| Json(json!({}))))
}

async fn write_check(Held(hub): Held<Hub>, caller: Caller, at: At) -> Result<Json<Value>, HubError> {
    hub.look(|state| {
        super::access::changes(state, &caller, readable(state, &caller, &at)?)?;
        Ok(Json(json!({})))
    })
}
