//! Looking into a repo: its folders, entry by entry and in pages, and what is known of given paths.
//!
//! Never sends contents; that is `resolve`. Start at [`doors`].

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::body::Bytes;
use axum::extract::State as Held;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use serde_json::{Value, json};

use super::access::{At, readable};
use super::auth::Caller;
use super::doors::{Doors, Told, Verb};
use super::errors::HubError;
use super::git::{Entry, tree_oid};
use super::repo::Repo;
use super::shared::Hub;
use super::wire::{Query, header_text, iso, json_body, page};

const QUERY: &[(&str, &str)] = &[
    ("recursive", "true to look into folders below"),
    ("expand", "true to have the last commit of each entry"),
    ("limit", "how many on one page"),
    ("cursor", "where the next page begins, as `Link` has it"),
];

pub fn doors() -> Doors {
    let told = Told::new("repos", "List the files and folders of a repo at a revision").query(QUERY);
    Doors::default()
        // The revision, then the path; either may have slashes.
        .of_repos(Verb::Get, "/tree/{*place}", told, tree)
        .of_repos(
            Verb::Post,
            "/paths-info/{*revision}",
            Told::new("repos", "Get what is known of some paths at a revision")
                .body(&[("paths", "paths of files and folders"), ("expand", "true to have the last commit")]),
            paths_info,
        )
}

async fn tree(
    Held(hub): Held<Hub>,
    caller: Caller,
    at: At,
    query: Query,
    uri: Uri,
) -> Result<Response, HubError> {
    let most = query.number("limit", 1)?.unwrap_or(hub.limits.tree_page).min(hub.limits.tree_page);
    let entries: Result<Vec<Value>, HubError> = hub.look(|state| {
        let repo = readable(state, &caller, &at)?;
        let (revision, path) = repo.split(at.part("place"));
        let commit = repo.resolve(&revision).ok_or_else(|| HubError::revision(&revision))?;
        let path = path.trim_end_matches('/');
        let prefix = if path.is_empty() { String::new() } else { format!("{path}/") };
        let files = repo.files(&commit).unwrap_or_default();
        let inside: BTreeMap<&String, &Entry> =
            files.range(prefix.clone()..).take_while(|(it, _)| it.starts_with(&prefix)).collect();
        if inside.is_empty() && !path.is_empty() {
            return Err(HubError::entry(path));
        }
        let seen = Seen { repo, commit: &commit, files: &files, expand: query.on("expand") };
        Ok(seen.below(&prefix, &inside, query.on("recursive")))
    });
    page(&format!("{}{}", hub.addresses.hub, uri.path()), &query, entries?, most)
}

/// A repo's files at one commit, and how much to say of them.
struct Seen<'a> {
    repo: &'a Repo,
    commit: &'a str,
    files: &'a BTreeMap<String, Entry>,
    expand: bool,
}

impl Seen<'_> {
    /// Folders and files under a prefix; a folder comes before what is in it.
    fn below(&self, prefix: &str, inside: &BTreeMap<&String, &Entry>, recursive: bool) -> Vec<Value> {
        let mut entries = Vec::new();
        let mut told = BTreeSet::new();
        for (path, entry) in inside {
            let rest = &path[prefix.len()..];
            for (end, _) in rest.match_indices('/') {
                let folder = format!("{prefix}{}", &rest[..end]);
                if told.insert(folder.clone()) {
                    entries.push(self.folder(&folder));
                }
                if !recursive {
                    break;
                }
            }
            if recursive || !rest.contains('/') {
                entries.push(self.file(path, entry));
            }
        }
        entries
    }

    fn file(&self, path: &str, entry: &Entry) -> Value {
        let mut item = json!({"type": "file", "oid": entry.oid, "size": entry.size, "path": path});
        if let Some(sha256) = &entry.large {
            item["lfs"] = json!({"oid": sha256, "size": entry.size, "pointerSize": entry.pointer_size()});
        }
        if self.expand {
            item["lastCommit"] = self.last(path);
            item["securityFileStatus"] = json!({"status": "safe", "jFrogScan": {"status": "unscanned"},
                "avScan": {"status": "safe"}, "pickleImportScan": {"status": "unscanned"}});
        }
        item
    }

    fn folder(&self, path: &str) -> Value {
        let oid = tree_oid(self.files, &format!("{path}/"));
        let mut item = json!({"type": "directory", "oid": oid, "size": 0, "path": path});
        if self.expand {
            item["lastCommit"] = self.last(&format!("{path}/"));
        }
        item
    }

    fn last(&self, path: &str) -> Value {
        self.repo
            .last_touched(self.commit, path)
            .map_or(Value::Null, |it| json!({"id": it.id, "title": it.title, "date": iso(it.at)}))
    }
}

async fn paths_info(
    Held(hub): Held<Hub>,
    caller: Caller,
    at: At,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, HubError> {
    let (paths, expand) = if header_text(&headers, "content-type").starts_with("application/json") {
        let body = json_body(&body)?;
        let list = body["paths"].as_array().cloned().unwrap_or_default();
        (list.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect(), body["expand"] == true)
    } else {
        let form = Query::read(&String::from_utf8_lossy(&body));
        (form.all("paths").map(ToOwned::to_owned).collect::<Vec<_>>(), form.on("expand"))
    };
    if paths.is_empty() {
        return Err(HubError::bad("\"paths\" is required"));
    }
    hub.look(|state| {
        let repo = readable(state, &caller, &at)?;
        let revision = at.part("revision");
        let commit = repo.resolve(revision).ok_or_else(|| HubError::revision(revision))?;
        let files = repo.files(&commit).unwrap_or_default();
        let seen = Seen { repo, commit: &commit, files: &files, expand };
        let known = paths.iter().filter_map(|path| {
            let path = path.trim_end_matches('/');
            let folder = format!("{path}/");
            match files.get(path) {
                Some(entry) => Some(seen.file(path, entry)),
                None => files.keys().any(|it| it.starts_with(&folder)).then(|| seen.folder(path)),
            }
        });
        Ok(Json(known.collect()))
    })
}
