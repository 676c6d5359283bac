//! Branches, tags, history, and history made short.
//!
//! Never changes files. Start at [`doors`].

use axum::Json;
use axum::body::Bytes;
use axum::extract::State as Held;
use axum::http::Uri;
use axum::response::Response;
use serde_json::{Value, json};

use super::access::{At, readable, writable};
use super::auth::Caller;
use super::doors::{Doors, Told, Verb};
use super::errors::HubError;
use super::repo::{Draft, Tag};
use super::shared::Hub;
use super::state::Change;
use super::wire::{Query, iso, json_body, page, text_field};

pub fn doors() -> Doors {
    let told = |summary| Told::new("refs", summary);
    Doors::default()
        .of_repos(
            Verb::Get,
            "/refs",
            told("List branches and tags").query(&[("include_prs", "1 to have pull requests as well")]),
            refs,
        )
        .of_repos(
            Verb::Get,
            "/commits/{*revision}",
            told("List commits, newest first")
                .query(&[("limit", "how many on one page"), ("cursor", "next page")]),
            commits,
        )
        .of_repos(
            Verb::Post,
            "/branch/{*branch}",
            told("Create a branch").body(&[
                ("startingPoint", "revision; main if missing"),
                ("emptyBranch", "true for no files"),
            ]),
            create_branch,
        )
        .of_repos(Verb::Delete, "/branch/{*branch}", told("Delete a branch"), delete_branch)
        .of_repos(
            Verb::Post,
            "/tag/{*revision}",
            told("Tag a revision").body(&[("tag", "name"), ("message", "why")]),
            create_tag,
        )
        .of_repos(Verb::Delete, "/tag/{*revision}", told("Delete a tag"), delete_tag)
        .of_repos(
            Verb::Post,
            "/super-squash/{*branch}",
            told("Make one commit of a branch's history").body(&[("message", "of that commit")]),
            squash,
        )
}

async fn refs(Held(hub): Held<Hub>, caller: Caller, at: At, query: Query) -> Result<Json<Value>, HubError> {
    hub.look(|state| {
        let repo = readable(state, &caller, &at)?;
        let item = |name: &str, group: &str, commit: &str| {
            json!({"name": name, "ref": format!("refs/{group}/{name}"), "targetCommit": commit})
        };
        let branches: Vec<Value> = repo.branches.iter().map(|(name, it)| item(name, "heads", it)).collect();
        let tags: Vec<Value> = repo.tags.iter().map(|(name, it)| item(name, "tags", &it.commit)).collect();
        let mut all = json!({"branches": branches, "tags": tags, "converts": []});
        if query.on("include_prs") {
            let pulls = repo.pulls.iter().map(|(number, commit)| {
                let name = format!("refs/pr/{number}");
                json!({"name": name, "ref": name, "targetCommit": commit})
            });
            all["pullRequests"] = pulls.collect();
        }
        Ok(Json(all))
    })
}

async fn commits(
    Held(hub): Held<Hub>,
    caller: Caller,
    at: At,
    query: Query,
    uri: Uri,
) -> Result<Response, HubError> {
    let most = query.number("limit", 1)?.unwrap_or(50).min(hub.limits.list_page);
    let list: Result<Vec<Value>, HubError> = hub.look(|state| {
        let repo = readable(state, &caller, &at)?;
        let revision = at.part("revision");
        let commit = repo.resolve(revision).ok_or_else(|| HubError::revision(revision))?;
        let item = |it: &std::sync::Arc<super::git::Commit>| {
            let mut item = json!({"id": it.id, "title": it.title, "message": it.message, "date": iso(it.at),
                "authors": [{"user": it.author, "avatar": format!("{}/avatars/{}.svg", hub.addresses.hub, it.author)}]});
            if query.all("expand").any(|it| it == "formatted") {
                item["formatted"] = json!({"title": it.title, "message": it.message});
            }
            item
        };
        Ok(repo.history(&commit).iter().map(item).collect())
    });
    page(&format!("{}{}", hub.addresses.hub, uri.path()), &query, list?, most)
}

/// Git's rules for names of references, as far as people meet them.
fn checked(name: &str) -> Result<(), HubError> {
    let bad = name.is_empty()
        || name.starts_with(['-', '/', '.'])
        || name.ends_with(['/', '.'])
        || name.ends_with(".lock")
        || name.contains("..")
        || name.contains("//")
        || name.chars().any(|it| it.is_control() || " ~^:?*[\\".contains(it));
    if bad { Err(HubError::bad(format!("Invalid reference name: {name}"))) } else { Ok(()) }
}

async fn create_branch(
    Held(hub): Held<Hub>,
    caller: Caller,
    at: At,
    body: Bytes,
) -> Result<Json<Value>, HubError> {
    let body = if body.is_empty() { Value::Null } else { json_body(&body)? };
    let branch = at.part("branch").to_owned();
    hub.with(|state| {
        let repo = writable(state, &caller, &at)?;
        checked(&branch)?;
        if branch.starts_with("refs/") {
            return Err(HubError::bad(format!("Invalid reference for a branch: {branch}")));
        }
        if repo.branches.contains_key(&branch) {
            return Err(HubError::conflict(format!("Reference already exists: refs/heads/{branch}")));
        }
        let from = body["startingPoint"].as_str().unwrap_or("main");
        let commit = repo.resolve(from).ok_or_else(|| HubError::revision(from))?;
        repo.branches.insert(branch.clone(), commit);
        state.changes.push(Change::Committed { kind: at.kind, id: at.id.clone(), reference: branch });
        Ok(Json(json!({"success": true})))
    })
}

async fn delete_branch(Held(hub): Held<Hub>, caller: Caller, at: At) -> Result<Json<Value>, HubError> {
    hub.with(|state| {
        let repo = writable(state, &caller, &at)?;
        let branch = at.part("branch");
        if branch == "main" {
            return Err(HubError::forbidden("The main branch cannot be deleted"));
        }
        repo.branches.remove(branch).ok_or_else(|| HubError::revision(branch))?;
        Ok(Json(json!({"success": true})))
    })
}

async fn create_tag(
    Held(hub): Held<Hub>,
    caller: Caller,
    at: At,
    body: Bytes,
) -> Result<Json<Value>, HubError> {
    let body = json_body(&body)?;
    let tag = text_field(&body, "tag")?;
    checked(tag)?;
    hub.with(|state| {
        let repo = writable(state, &caller, &at)?;
        if repo.tags.contains_key(tag) {
            return Err(HubError::conflict(format!("Reference already exists: refs/tags/{tag}")));
        }
        let revision = at.part("revision");
        let commit = repo.resolve(revision).ok_or_else(|| HubError::revision(revision))?;
        let message = body["message"].as_str().unwrap_or_default().to_owned();
        repo.tags.insert(tag.to_owned(), Tag { commit, message });
        Ok(Json(json!({"success": true})))
    })
}

async fn delete_tag(Held(hub): Held<Hub>, caller: Caller, at: At) -> Result<Json<Value>, HubError> {
    hub.with(|state| {
        let tag = at.part("revision");
        let gone = writable(state, &caller, &at)?.tags.remove(tag);
        gone.map(|_| Json(json!({"success": true}))).ok_or_else(|| HubError::revision(tag))
    })
}

async fn squash(Held(hub): Held<Hub>, caller: Caller, at: At, body: Bytes) -> Result<Json<Value>, HubError> {
    let body = if body.is_empty() { Value::Null } else { json_body(&body)? };
    let now = hub.clock.now();
    hub.with(|state| {
        let repo = writable(state, &caller, &at)?;
        let branch = at.part("branch");
        let head = repo.branches.get(branch).cloned().ok_or_else(|| HubError::revision(branch))?;
        let files = repo.files(&head).map(|it| (*it).clone()).unwrap_or_default();
        let default = format!("Super-squash branch '{branch}'");
        let title = body["message"].as_str().unwrap_or(&default);
        let author = caller.known()?;
        let oid = repo.keep(Vec::new(), Draft { files, title, message: "", author, at: now });
        repo.point(branch, &oid);
        state.changes.push(Change::Committed {
            kind: at.kind,
            id: at.id.clone(),
            reference: branch.to_owned(),
        });
        Ok(Json(json!({"success": true, "commitOid": oid})))
    })
}
