//! Commits as the Hub takes them: lines of JSON, all of them or none.
//!
//! Owns the meaning of each line. Never merges; that is `pulls`. Start at [`commit`].

use std::collections::BTreeMap;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State as Held;
use axum::http::StatusCode;
use base64::Engine;
use serde_json::{Value, json};

use super::access::{At, changes, readable, taking_part};
use super::auth::Caller;
use super::card::Card;
use super::discussions::{Deed, Discussion, Pull, Status};
use super::doors::{Doors, Told, Verb};
use super::errors::HubError;
use super::git::{Entry, is_good_path};
use super::repo::{Draft, Repo};
use super::shared::Hub;
use super::state::{Change, State};
use super::wire::{Query, json_body, text_field};

/// Where a commit goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aim {
    /// Onto the revision that is named.
    Revision,
    /// Into a pull request that is opened for it.
    NewPull,
}

pub fn doors() -> Doors {
    Doors::default()
    .add(
        Verb::Post,
        "/api/validate-yaml",
        Told::new("repos", "Check the metadata of a card").body(&[("content", "the README"), ("repoType", "kind")]),
        validate,
    )
    .of_repos(
        Verb::Post,
        "/commit/{*revision}",
        Told::new(
            "files",
            "Commit: lines of JSON with `key` header, file, lfsFile, copyFile, deletedFile or deletedFolder",
        )
        .query(&[("create_pr", "1 to open a pull request with the commit")])
        .body(&[("key", "what the line is"), ("value", "its fields")]),
        commit,
    )
}

async fn commit(
    Held(hub): Held<Hub>,
    caller: Caller,
    at: At,
    query: Query,
    body: Bytes,
) -> Result<Json<Value>, HubError> {
    let lines = body.split(|it| *it == b'\n').filter(|it| !it.iter().all(u8::is_ascii_whitespace));
    let lines: Vec<Value> = lines.map(json_body).collect::<Result<_, _>>()?;
    let header = lines
        .first()
        .filter(|it| it["key"] == "header")
        .ok_or_else(|| HubError::bad("The first line must be the header"))?;
    let title = text_field(&header["value"], "summary")?.to_owned();
    let message = header["value"]["description"].as_str().unwrap_or_default().to_owned();
    let parent = header["value"]["parentCommit"].as_str().map(ToOwned::to_owned);
    let aim = if query.on("create_pr") { Aim::NewPull } else { Aim::Revision };
    let revision = at.part("revision").to_owned();
    let now = hub.clock.now();
    hub.with(|state| {
        let author = may_commit(state, &caller, &at, &revision, aim)?;
        let contents = contents(state, &caller, &at, &revision, &lines[1..], hub.limits.large_from)?;
        let repo = taking_part(state, &caller, &at)?;
        let base = head(repo, &revision, aim)?;
        if parent.is_some_and(|it| it != base) {
            return Err(HubError::new(
                StatusCode::PRECONDITION_FAILED,
                "A commit has happened since. Please refresh and try again.",
            ));
        }
        for content in contents.new {
            repo.put(&content);
        }
        let unchanged = repo.commit(&base).is_some_and(|it| *it.files == contents.files);
        let draft = Draft { files: contents.files, title: &title, message: &message, author: &author, at: now };
        let (reference, oid, number) = if aim == Aim::NewPull {
            let oid = repo.keep(vec![base.clone()], draft);
            let number = open_pull(state, &at, (&author, &title, &message), (&base, &oid), now);
            (format!("refs/pr/{number}"), oid, Some(number))
        } else if unchanged {
            (revision.clone(), base, None)
        } else {
            let oid = repo.commit_to(&revision, draft);
            noted(state, &at, &revision, (&author, &title, &oid), now);
            (revision.clone(), oid, None)
        };
        state.changes.push(Change::Committed { kind: at.kind, id: at.id.clone(), reference });
        let page = format!("{}/{}{}", hub.addresses.hub, at.kind.prefix(), at.id);
        let mut answer = json!({"success": true, "commitUrl": format!("{page}/commit/{oid}"), "commitOid": oid, "hookOutput": ""});
        if let Some(number) = number {
            answer["pullRequestUrl"] = format!("{page}/discussions/{number}").into();
        }
        Ok(Json(answer))
    })
}

/// Warns of a card without fields. Never calls a card broken: this Hub reads only a part of YAML.
async fn validate(_: Caller, body: Bytes) -> Result<Json<Value>, HubError> {
    let body = json_body(&body)?;
    let warnings = if Card::read(text_field(&body, "content")?).data.is_empty() {
        json!([{"message": "empty or missing yaml metadata in repo card"}])
    } else {
        json!([])
    };
    Ok(Json(json!({"errors": [], "warnings": warnings})))
}

/// Checks that the caller may, and returns who they are. The author of a pull request may add to it.
pub fn may_commit(
    state: &State,
    caller: &Caller,
    at: &At,
    revision: &str,
    aim: Aim,
) -> Result<String, HubError> {
    let repo = readable(state, caller, at)?;
    let name = caller.writer()?.to_owned();
    let own_pull = revision.strip_prefix("refs/pr/").is_some_and(|number| {
        repo.discussions.iter().any(|it| it.num.to_string() == number && it.author == name)
    });
    if aim == Aim::Revision && !own_pull {
        changes(state, caller, repo)?;
    }
    Ok(name)
}

/// The commit that a new one comes on top of.
fn head(repo: &Repo, revision: &str, aim: Aim) -> Result<String, HubError> {
    let head = match aim {
        Aim::NewPull => repo.resolve(revision),
        Aim::Revision => repo.head(revision).cloned(),
    };
    head.ok_or_else(|| match repo.resolve(revision) {
        Some(_) => HubError::bad(format!("{revision} is not a branch: nothing can be committed to it")),
        None => HubError::revision(revision),
    })
}

/// What a commit leaves in the repo.
struct Contents {
    files: BTreeMap<String, Entry>,
    new: Vec<Vec<u8>>,
}

fn contents(
    state: &State,
    caller: &Caller,
    at: &At,
    revision: &str,
    lines: &[Value],
    large_from: u64,
) -> Result<Contents, HubError> {
    let repo = readable(state, caller, at)?;
    let files = repo.files(revision).ok_or_else(|| HubError::revision(revision))?;
    let before = files.clone();
    let mut after = Contents { files: (*files).clone(), new: Vec::new() };
    for line in lines {
        let value = &line["value"];
        let path = text_field(value, "path")?;
        match line["key"].as_str() {
            Some("deletedFile") => {
                if after.files.remove(path).is_none() {
                    return Err(HubError {
                        message: "A file with this name doesn't exist".to_owned(),
                        ..HubError::entry(path)
                    });
                }
            }
            Some("deletedFolder") => {
                let folder = format!("{}/", path.trim_end_matches('/'));
                let count = after.files.len();
                after.files.retain(|it, _| !it.starts_with(&folder));
                if after.files.len() == count {
                    return Err(HubError {
                        message: "A folder with this name doesn't exist".to_owned(),
                        ..HubError::entry(path)
                    });
                }
            }
            Some("file") => {
                let content = content_of(value)?;
                if content.len() as u64 >= large_from {
                    return Err(HubError::bad(format!(
                        "Your push was rejected because {path} is larger than {large_from} bytes: upload it as a large file"
                    )));
                }
                place(&mut after.files, path, Entry::regular(&content))?;
                after.new.push(content);
            }
            Some("lfsFile") => {
                let oid = text_field(value, "oid")?;
                let size = state.large.get(oid).map(|it| it.len() as u64).ok_or_else(|| {
                    HubError::bad(format!(
                        "LFS pointer of {path} pointed to a file that does not exist: {oid}"
                    ))
                })?;
                if !value["size"].is_null() && value["size"] != size {
                    return Err(HubError::bad(format!(
                        "The object of {path} has {size} bytes, not {}",
                        value["size"]
                    )));
                }
                place(&mut after.files, path, Entry::large(oid, size))?;
            }
            Some("copyFile") => {
                let from = text_field(value, "srcPath")?;
                let other = value["srcRevision"]
                    .as_str()
                    .map(|it| repo.files(it).ok_or_else(|| HubError::revision(it)));
                let source = other.transpose()?.unwrap_or_else(|| before.clone());
                let entry = source.get(from).cloned().ok_or_else(|| HubError::entry(from))?;
                place(&mut after.files, path, entry)?;
            }
            _ => return Err(HubError::bad(format!("Unknown key {} in a commit", line["key"]))),
        }
    }
    Ok(after)
}

fn content_of(value: &Value) -> Result<Vec<u8>, HubError> {
    let content = value["content"].as_str().ok_or_else(|| HubError::bad("\"content\" is required"))?;
    match value["encoding"].as_str() {
        Some("base64") => base64::engine::general_purpose::STANDARD
            .decode(content)
            .map_err(|error| HubError::bad(format!("\"content\" is not base64: {error}"))),
        None | Some("utf-8") => Ok(content.as_bytes().to_vec()),
        Some(other) => Err(HubError::bad(format!("\"encoding\" must be base64 or utf-8, not {other}"))),
    }
}

/// Puts a file at a path that can be one.
fn place(files: &mut BTreeMap<String, Entry>, path: &str, entry: Entry) -> Result<(), HubError> {
    if !is_good_path(path) {
        return Err(HubError::bad(format!("Invalid path: {path}")));
    }
    let under_a_file = path.match_indices('/').any(|(end, _)| files.contains_key(&path[..end]));
    let over_a_folder =
        files.keys().any(|it| it.strip_prefix(path).is_some_and(|rest| rest.starts_with('/')));
    if under_a_file || over_a_folder {
        return Err(HubError::bad(format!("{path} cannot be a file and a folder at once")));
    }
    files.insert(path.to_owned(), entry);
    Ok(())
}

/// Opens a pull request whose only commit this is; its number.
fn open_pull(
    state: &mut State,
    at: &At,
    (author, title, message): (&str, &str, &str),
    (base, oid): (&str, &str),
    now: crate::clock::Timestamp,
) -> u64 {
    let ids = [state.fresh_id(), state.fresh_id(), state.fresh_id()];
    let Some(repo) = state.repos.get_mut(&(at.kind, at.id.clone())) else { return 0 };
    let num = repo.next_number();
    let pull = Pull { base: "main".to_owned(), from: base.to_owned(), merged_as: None };
    let [id, first, second] = ids;
    let mut opened = Discussion::open(id, num, title, author, now);
    opened.pull = Some(pull);
    opened.status = Status::Open;
    opened.add(first, author, now, Deed::comment(message));
    opened.add(second, author, now, Deed::Commit { oid: oid.to_owned(), subject: title.to_owned() });
    repo.discussions.push(opened);
    repo.pulls.insert(num, oid.to_owned());
    num
}

/// Writes a commit to a pull request down in its discussion.
fn noted(
    state: &mut State,
    at: &At,
    revision: &str,
    (author, title, oid): (&str, &str, &str),
    now: crate::clock::Timestamp,
) {
    let Some(number) = revision.strip_prefix("refs/pr/").and_then(|it| it.parse::<u64>().ok()) else {
        return;
    };
    let id = state.fresh_id();
    let Some(repo) = state.repos.get_mut(&(at.kind, at.id.clone())) else { return };
    if let Some(discussion) = repo.discussions.iter_mut().find(|it| it.num == number) {
        discussion.add(id, author, now, Deed::Commit { oid: oid.to_owned(), subject: title.to_owned() });
    }
}
