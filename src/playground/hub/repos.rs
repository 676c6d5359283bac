//! Making, removing, renaming, copying and setting up repos.
//!
//! Never touches files but the first commit's. Start at [`make`].

use std::collections::BTreeMap;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State as Held;
use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::access::{At, readable, writable};
use super::auth::Caller;
use super::doors::{Doors, Told, Verb};
use super::errors::HubError;
use super::git::Entry;
use super::repo::{Draft, Gate, Repo};
use super::shared::Hub;
use super::state::{Change, Kind, State};
use super::wire::{json_body, text_field};
use crate::clock::Timestamp;

const SDKS: &[&str] = &["gradio", "docker", "static", "streamlit"];
/// What a Space may be asked for when it is made.
const ASKED: &[&str] =
    &["sdk", "hardware", "sleepTimeSeconds", "secrets", "variables", "volumes", "template"];
/// Files that git keeps pointers of, whatever their size, in a new repo.
const LARGE: &[&str] = &[
    "7z",
    "arrow",
    "bin",
    "bz2",
    "ckpt",
    "ftz",
    "gz",
    "h5",
    "joblib",
    "mlmodel",
    "model",
    "msgpack",
    "npy",
    "npz",
    "onnx",
    "ot",
    "parquet",
    "pb",
    "pickle",
    "pkl",
    "pt",
    "pth",
    "rar",
    "safetensors",
    "tar",
    "tflite",
    "tgz",
    "wasm",
    "xz",
    "zip",
    "zst",
    "jpg",
    "jpeg",
    "png",
    "gif",
    "webp",
    "wav",
    "mp3",
    "flac",
    "mp4",
];
const SETTINGS: &[(&str, &str)] = &[
    ("private", "whether only its owners see it"),
    ("visibility", "public or private, instead of `private`"),
    ("gated", "auto, manual or false"),
];

pub fn doors() -> Doors {
    let told = |summary| Told::new("repos", summary);
    Doors::default()
        .add(
            Verb::Post,
            "/api/repos/create",
            told("Create a repo").body(&[
                ("name", "name, without the namespace"),
                ("organization", "namespace; the caller's own if missing"),
                ("type", "model, dataset or space"),
                ("visibility", "public or private"),
                ("sdk", "for a Space: gradio, docker, static or streamlit"),
            ]),
            create,
        )
        .add(
            Verb::Delete,
            "/api/repos/delete",
            told("Delete a repo").body(&[("name", "name"), ("organization", "namespace"), ("type", "kind")]),
            delete,
        )
        .add(
            Verb::Post,
            "/api/repos/move",
            told("Rename a repo, or move it to another namespace").body(&[
                ("fromRepo", "namespace/name now"),
                ("toRepo", "namespace/name then"),
                ("type", "kind"),
            ]),
            rename,
        )
        .of_repos(Verb::Put, "/settings", told("Change a repo's settings").body(SETTINGS), settings)
        .of_repos(
            Verb::Post,
            "/duplicate",
            told("Copy a repo")
                .body(&[("repository", "namespace/name of the copy"), ("visibility", "public or private")]),
            duplicate,
        )
}

/// Makes a repo with its first commit.
///
/// # Errors
/// There is one of this name.
pub fn make<'a>(
    state: &'a mut State,
    (kind, id): (Kind, &str),
    author: &str,
    at: Timestamp,
    asked: Value,
) -> Result<&'a mut Repo, HubError> {
    let key = (kind, id.to_owned());
    if state.repos.contains_key(&key) {
        return Err(HubError::conflict(format!("You already created this {} repo", kind.word())));
    }
    state.moved.remove(&key);
    let object_id = state.fresh_id();
    let mut repo = Repo::new(object_id, kind, id, at);
    let rules: String =
        LARGE.iter().map(|it| format!("*.{it} filter=lfs diff=lfs merge=lfs -text\n")).collect();
    let mut files = BTreeMap::from([(".gitattributes".to_owned(), repo.put(rules.as_bytes()))]);
    if kind == Kind::Space {
        let name = id.split_once('/').map_or(id, |it| it.1);
        let sdk = asked["sdk"].as_str().unwrap_or("static");
        let readme = format!("---\ntitle: {name}\nsdk: {sdk}\n---\n");
        files.insert("README.md".to_owned(), repo.put(readme.as_bytes()));
    }
    repo.commit_to("main", Draft { files, title: "initial commit", message: "", author, at });
    repo.asked = asked.clone();
    state.changes.push(Change::Created { kind, id: id.to_owned(), asked });
    Ok(state.repos.entry(key).or_insert(repo))
}

fn checked_name(name: &str) -> Result<(), HubError> {
    let letters = name.bytes().all(|it| it.is_ascii_alphanumeric() || b"-_.".contains(&it));
    let edges = name.starts_with(['-', '.']) || name.ends_with(['-', '.']);
    let doubled = name.contains("--") || name.contains("..");
    if letters && !edges && !doubled && (1..=96).contains(&name.len()) && !name.ends_with(".git") {
        return Ok(());
    }
    Err(HubError::bad(format!(
        "Invalid repo name: {name} - repo name must use alphanumeric chars or '-', '_', '.', '--' and '..' are \
         forbidden, '-' and '.' cannot start or end the name, max length is 96"
    )))
}

fn kind_of(body: &Value) -> Result<Kind, HubError> {
    Kind::read(body["type"].as_str())
        .ok_or_else(|| HubError::bad("\"type\" must be one of [model, dataset, space]"))
}

/// `namespace/name` of a body with `name` and `organization`.
fn named(body: &Value, caller: &Caller) -> Result<String, HubError> {
    let name = text_field(body, "name")?;
    let namespace = match body["organization"].as_str() {
        Some(namespace) => namespace,
        None => caller.known()?,
    };
    Ok(format!("{namespace}/{name}"))
}

fn private_of(body: &Value) -> Result<Option<bool>, HubError> {
    match (body["visibility"].as_str(), body["private"].as_bool()) {
        (Some("private"), _) => Ok(Some(true)),
        (Some("public" | "protected"), _) => Ok(Some(false)),
        (Some(_), _) => Err(HubError::bad("\"visibility\" must be one of [public, private, protected]")),
        (None, private) => Ok(private),
    }
}

/// Refuses hardware that Spaces do not have, or that nobody can pay.
fn affordable(hub: &Hub, body: &Value, namespace: &str) -> Result<(), HubError> {
    body["hardware"].as_str().map_or(Ok(()), |flavor| super::spaces::affordable(hub, namespace, flavor))
}

fn asked_for(body: &Value) -> Value {
    let fields = ASKED.iter().filter(|it| !body[**it].is_null());
    Value::Object(fields.map(|it| ((*it).to_owned(), body[*it].clone())).collect::<Map<_, _>>())
}

fn address(hub: &Hub, kind: Kind, id: &str) -> String {
    format!("{}/{}{id}", hub.addresses.hub, kind.prefix())
}

async fn create(Held(hub): Held<Hub>, caller: Caller, body: Bytes) -> Result<Json<Value>, HubError> {
    let body = json_body(&body)?;
    let author = caller.writer()?.to_owned();
    let (kind, id) = (kind_of(&body)?, named(&body, &caller)?);
    checked_name(text_field(&body, "name")?)?;
    let private = private_of(&body)?.unwrap_or(false);
    let asked = if kind == Kind::Space {
        if !body["sdk"].as_str().is_some_and(|it| SDKS.contains(&it)) {
            return Err(HubError::bad(format!("\"sdk\" must be one of [{}]", SDKS.join(", "))));
        }
        affordable(&hub, &body, id.split('/').next().unwrap_or_default())?;
        asked_for(&body)
    } else {
        Value::Null
    };
    let url = address(&hub, kind, &id);
    let now = hub.clock.now();
    hub.with(|state| {
        let namespace = id.split_once('/').map_or("", |it| it.0);
        caller.may_write_in(state, namespace)?;
        let repo = make(state, (kind, &id), &author, now, asked)
            .map_err(|it| it.with(json!({"url": url, "name": id})))?;
        repo.private = private;
        Ok(Json(json!({"url": url, "name": id, "id": repo.object_id})))
    })
}

async fn delete(Held(hub): Held<Hub>, caller: Caller, body: Bytes) -> Result<Json<Value>, HubError> {
    let body = json_body(&body)?;
    caller.known()?;
    let at = place(kind_of(&body)?, &named(&body, &caller)?);
    hub.with(|state| {
        writable(state, &caller, &at)?;
        state.repos.remove(&(at.kind, at.id.clone()));
        state.changes.push(Change::Deleted { kind: at.kind, id: at.id.clone() });
        Ok(Json(json!({"success": true})))
    })
}

fn place(kind: Kind, id: &str) -> At {
    At { kind, id: id.to_owned(), rest: std::collections::HashMap::new(), asked: String::new() }
}

async fn rename(Held(hub): Held<Hub>, caller: Caller, body: Bytes) -> Result<Json<Value>, HubError> {
    let body = json_body(&body)?;
    let (from, to) = (text_field(&body, "fromRepo")?, text_field(&body, "toRepo")?);
    let at = place(kind_of(&body)?, from);
    let (namespace, name) =
        to.split_once('/').ok_or_else(|| HubError::bad("\"toRepo\" must be namespace/name"))?;
    checked_name(name)?;
    hub.with(|state| {
        writable(state, &caller, &at)?;
        caller.may_write_in(state, namespace)?;
        let target = (at.kind, to.to_owned());
        if state.repos.contains_key(&target) {
            return Err(HubError::conflict(format!("A {} repo named {to} exists already", at.kind.word())));
        }
        let mut repo =
            state.repos.remove(&(at.kind, from.to_owned())).ok_or_else(|| HubError::repo(&caller))?;
        repo.id = to.to_owned();
        state.repos.insert(target.clone(), repo);
        state.moved.remove(&target);
        state.moved.insert((at.kind, from.to_owned()), to.to_owned());
        state.changes.push(Change::Moved { kind: at.kind, from: from.to_owned(), to: to.to_owned() });
        Ok(Json(json!({"success": true, "url": address(&hub, at.kind, to)})))
    })
}

async fn settings(
    Held(hub): Held<Hub>,
    caller: Caller,
    at: At,
    body: Bytes,
) -> Result<Json<Value>, HubError> {
    let body = json_body(&body)?;
    let gate = match &body["gated"] {
        Value::Null => None,
        Value::Bool(false) => Some(None),
        Value::String(word) if word == "auto" => Some(Some(Gate::Auto)),
        Value::String(word) if word == "manual" => Some(Some(Gate::Manual)),
        _ => return Err(HubError::bad("\"gated\" must be one of [auto, manual, false]")),
    };
    let private = private_of(&body)?;
    if gate.is_none() && private.is_none() && body["discussionsDisabled"].is_null() {
        return Err(HubError::bad("No setting was given"));
    }
    hub.with(|state| {
        let repo = writable(state, &caller, &at)?;
        repo.private = private.unwrap_or(repo.private);
        repo.gate = gate.unwrap_or(repo.gate);
        let gated = repo.gate.map_or(Value::Bool(false), |it| it.word().into());
        Ok(Json(json!({"private": repo.private, "gated": gated})))
    })
}

async fn duplicate(
    Held(hub): Held<Hub>,
    caller: Caller,
    at: At,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), HubError> {
    let body = json_body(&body)?;
    let to = text_field(&body, "repository")?;
    let (namespace, name) =
        to.split_once('/').ok_or_else(|| HubError::bad("\"repository\" must be namespace/name"))?;
    checked_name(name)?;
    let author = caller.writer()?.to_owned();
    let private = private_of(&body)?;
    if at.kind == Kind::Space {
        affordable(&hub, &body, namespace)?;
    }
    let now = hub.clock.now();
    hub.with(|state| {
        let from = super::access::content(&hub, state, &caller, &at)?;
        caller.may_write_in(state, namespace)?;
        let files: BTreeMap<String, Entry> = from.files("main").map(|it| (*it).clone()).unwrap_or_default();
        let (blobs, was_private) = (from.blobs.clone(), from.private);
        let mut asked = Value::Null;
        if at.kind == Kind::Space {
            asked = asked_for(&body);
            if asked["sdk"].is_null() {
                asked["sdk"] = from.asked["sdk"].clone();
            }
            asked["duplicated_from"] = at.id.clone().into();
        }
        let url = address(&hub, at.kind, to);
        let repo =
            make(state, (at.kind, to), &author, now, asked).map_err(|it| it.with(json!({"url": url})))?;
        repo.private = private.unwrap_or(was_private);
        repo.blobs.extend(blobs);
        let title = format!("Duplicate from {}", at.id);
        repo.commit_to("main", Draft { files, title: &title, message: "", author: &author, at: now });
        Ok((StatusCode::OK, Json(json!({"url": url, "name": to, "filesCopyPending": false}))))
    })
}

/// Lets routes of other files look at a repo by name.
pub fn find<'a>(state: &'a State, caller: &Caller, kind: Kind, id: &str) -> Result<&'a Repo, HubError> {
    readable(state, caller, &place(kind, id))
}
