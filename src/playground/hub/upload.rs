//! Before a commit: which way each file goes up, and large files themselves, whole or in parts.
//!
//! Never commits anything. Start at [`doors`].

use std::collections::BTreeMap;

use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State as Held};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::put;
use serde_json::{Value, json};

use super::access::{At, readable};
use super::auth::Caller;
use super::commit::{Aim, may_commit};
use super::doors::{Doors, Told, Verb};
use super::errors::{HubError, header_value};
use super::git;
use super::shared::Hub;
use super::state::State;
use super::wire::{Query, json_body, text_field};

const LFS_MEDIA: &str = "application/vnd.git-lfs+json";

pub fn doors() -> Doors {
    let mut doors = Doors::default().of_repos(
        Verb::Post,
        "/preupload/{*revision}",
        Told::new("files", "Ask which way files go up: in the commit, or as large files before it")
            .query(&[("create_pr", "1 if they are for a pull request")])
            .body(&[("files", "list of path, size and a sample of the content in base64")]),
        preupload,
    );
    for prefix in ["", "/datasets", "/spaces"] {
        doors = doors.add(
            Verb::Post,
            &format!("{prefix}/{{namespace}}/{{repo}}/info/lfs/objects/batch"),
            Told::new("files", "Ask where large files go, as Git LFS does").body(&[
                ("operation", "upload"),
                ("objects", "list of oid and size"),
                ("transfers", "ways known"),
            ]),
            batch,
        );
    }
    doors
        .add(
            Verb::Post,
            "/api/large/verify/{sha256}",
            Told::new("files", "Say that a large file is up").body(&[("oid", "SHA-256"), ("size", "bytes")]),
            verify,
        )
        .add(
            Verb::Post,
            "/api/large/complete/{sha256}",
            Told::new("files", "Join the parts of a large file")
                .body(&[("oid", "SHA-256"), ("parts", "list of partNumber and etag")]),
            complete,
        )
}

/// Paths that a `.gitattributes` marks as large.
fn marked(rules: &str, path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    rules.lines().filter(|it| it.contains("filter=lfs")).filter_map(|it| it.split_whitespace().next()).any(
        |rule| match rule.strip_prefix('*') {
            Some(end) => name.ends_with(end),
            None => {
                rule == path
                    || rule == name
                    || rule.strip_suffix("/**").is_some_and(|it| path.starts_with(it))
            }
        },
    )
}

async fn preupload(
    Held(hub): Held<Hub>,
    caller: Caller,
    at: At,
    query: Query,
    body: Bytes,
) -> Result<Json<Value>, HubError> {
    let body = json_body(&body)?;
    let asked = body["files"].as_array().ok_or_else(|| HubError::bad("\"files\" is required"))?;
    hub.look(|state| {
        let revision = at.part("revision");
        let aim = if query.on("create_pr") { Aim::NewPull } else { Aim::Revision };
        may_commit(state, &caller, &at, revision, aim)?;
        let repo = readable(state, &caller, &at)?;
        let files = repo.files(revision).ok_or_else(|| HubError::revision(revision))?;
        let rules =
            files.get(".gitattributes").and_then(|it| repo.blobs.get(&it.oid)).cloned().unwrap_or_default();
        let rules = String::from_utf8_lossy(&rules);
        let ignored = body["gitIgnore"].as_str().unwrap_or_default();
        let mut answers = Vec::new();
        for file in asked {
            let path = text_field(file, "path")?;
            let size = file["size"].as_u64().ok_or_else(|| HubError::bad("\"files[].size\" is required"))?;
            if !git::is_good_path(path) {
                return Err(HubError::bad(format!("Invalid path: {path}")));
            }
            let large = size >= hub.limits.large_from || marked(&rules, path);
            answers.push(json!({
                "path": path, "uploadMode": if large { "lfs" } else { "regular" },
                "shouldIgnore": ignored.lines().any(|it| it.trim() == path),
                "oid": files.get(path).map(|it| it.large.clone().unwrap_or_else(|| it.oid.clone())),
            }));
        }
        Ok(Json(json!({"files": answers, "commitOid": repo.resolve(revision)})))
    })
}

async fn batch(Held(hub): Held<Hub>, caller: Caller, at: At, body: Bytes) -> Result<Response, HubError> {
    let body = json_body(&body)?;
    if body["operation"] != "upload" {
        return Err(HubError::bad("Only uploads are answered here; download with /resolve/"));
    }
    let ways: Vec<&str> =
        body["transfers"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let in_parts = ways.contains(&"multipart");
    let objects = body["objects"].as_array().ok_or_else(|| HubError::bad("\"objects\" is required"))?;
    let answers = hub.look(|state| {
        readable(state, &caller, &at)?;
        caller.writer()?;
        objects.iter().map(|it| answer(&hub, state, it, in_parts)).collect::<Result<Vec<Value>, HubError>>()
    })?;
    let way = if answers.iter().any(|it| !it["actions"]["upload"]["header"]["chunk_size"].is_null()) {
        "multipart"
    } else {
        "basic"
    };
    let answer = json!({"transfer": way, "objects": answers}).to_string();
    Ok(([(header::CONTENT_TYPE, LFS_MEDIA)], answer).into_response())
}

fn answer(hub: &Hub, state: &State, object: &Value, in_parts: bool) -> Result<Value, HubError> {
    let oid = text_field(object, "oid")?;
    let size = object["size"].as_u64().ok_or_else(|| HubError::bad("\"objects[].size\" is required"))?;
    if !is_sha256(oid) {
        let error = json!({"code": 422, "message": "The oid is not a SHA-256"});
        return Ok(json!({"oid": oid, "size": size, "error": error}));
    }
    if state.large.contains_key(oid) {
        return Ok(json!({"oid": oid, "size": size}));
    }
    let (home, cdn) = (&hub.addresses.hub, &hub.addresses.cdn);
    let upload = if size > hub.limits.part && in_parts {
        let count = size.div_ceil(hub.limits.part);
        let mut header = json!({"chunk_size": hub.limits.part.to_string()});
        for number in 1..=count {
            header[format!("{number:05}")] = format!("{cdn}/part/{oid}/{number}?{}", signed(oid)).into();
        }
        json!({"href": format!("{home}/api/large/complete/{oid}?{}", signed(oid)), "header": header})
    } else {
        json!({"href": format!("{cdn}/large/{oid}?{}", signed(oid)), "header": {}})
    };
    let verify = json!({"href": format!("{home}/api/large/verify/{oid}")});
    Ok(
        json!({"oid": oid, "size": size, "authenticated": true, "actions": {"upload": upload, "verify": verify}}),
    )
}

fn is_sha256(oid: &str) -> bool {
    oid.len() == 64 && oid.bytes().all(|it| it.is_ascii_digit() || (b'a'..=b'f').contains(&it))
}

fn signed(oid: &str) -> String {
    format!("Signature={}", &git::sha256(format!("small hub takes {oid}").as_bytes())[..32])
}

fn check_signed(query: &Query, headers: &HeaderMap, oid: &str) -> Result<(), HubError> {
    if headers.contains_key(header::AUTHORIZATION) {
        return Err(HubError::bad(
            "Only one auth mechanism allowed; the address is signed and a token came as well",
        ));
    }
    let given = query.get("Signature").map(|it| format!("Signature={it}"));
    if given.as_deref() == Some(&signed(oid)) {
        Ok(())
    } else {
        Err(HubError::forbidden("The address is not signed"))
    }
}

/// Where large files and their parts are sent: the other origin.
pub fn cdn() -> Router<Hub> {
    Router::new().route("/large/{sha256}", put(whole)).route("/part/{sha256}/{number}", put(part))
}

fn keep(state: &mut State, sha256: &str, content: Bytes) -> Result<(), HubError> {
    if git::sha256(&content) != sha256 {
        return Err(HubError::bad("XAmzContentSHA256Mismatch: the content is not what its hash says"));
    }
    state.large.insert(sha256.to_owned(), content);
    Ok(())
}

async fn whole(
    Held(hub): Held<Hub>,
    Path(sha256): Path<String>,
    query: Query,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, HubError> {
    check_signed(&query, &headers, &sha256)?;
    hub.with(|state| keep(state, &sha256, body))?;
    Ok(([(header::ETAG, format!("\"{}\"", &sha256[..32]))], "").into_response())
}

async fn part(
    Held(hub): Held<Hub>,
    Path((sha256, number)): Path<(String, u32)>,
    query: Query,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, HubError> {
    check_signed(&query, &headers, &sha256)?;
    if body.len() as u64 > hub.limits.part {
        return Err(HubError::bad("EntityTooLarge: the part is larger than the size told"));
    }
    let tag = part_tag(&body);
    hub.with(|state| state.parts.entry(sha256).or_default().insert(number, body));
    let mut response = StatusCode::OK.into_response();
    response.headers_mut().insert(header::ETAG, header_value(&tag));
    Ok(response)
}

fn part_tag(content: &[u8]) -> String {
    format!("\"{}\"", &git::sha256(content)[..32])
}

/// Joins the parts: all of them, in order, and each the one that was sent.
async fn complete(
    Held(hub): Held<Hub>,
    Path(sha256): Path<String>,
    query: Query,
    body: Bytes,
) -> Result<Json<Value>, HubError> {
    check_signed(&query, &HeaderMap::new(), &sha256)?;
    let body = json_body(&body)?;
    let told = body["parts"].as_array().ok_or_else(|| HubError::bad("\"parts\" is required"))?;
    hub.with(|state| {
        let sent: BTreeMap<u32, Bytes> = state.parts.get(&sha256).cloned().unwrap_or_default();
        let mut content = Vec::new();
        for (index, ((number, bytes), part)) in sent.iter().zip(told).enumerate() {
            let in_order = u64::from(*number) == index as u64 + 1 && part["partNumber"] == *number;
            if !in_order || part["etag"].as_str() != Some(&part_tag(bytes)) {
                return Err(HubError::bad(format!(
                    "InvalidPart: part {number} is not the one that was sent"
                )));
            }
            content.extend_from_slice(bytes);
        }
        if sent.len() != told.len() {
            return Err(HubError::bad(format!(
                "InvalidPart: {} parts were sent, {} are told",
                sent.len(),
                told.len()
            )));
        }
        keep(state, &sha256, content.into())?;
        state.parts.remove(&sha256);
        Ok(Json(json!({"success": true})))
    })
}

async fn verify(
    Held(hub): Held<Hub>,
    caller: Caller,
    Path(sha256): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, HubError> {
    caller.known()?;
    let body = json_body(&body)?;
    let size = hub.look(|state| state.large.get(&sha256).map(|it| it.len() as u64));
    match size {
        None => Err(HubError::missing("The object was not uploaded")),
        Some(size) if body["size"] != size || body["oid"] != sha256 => {
            Err(HubError::bad(format!("The object has {size} bytes, not {}", body["size"])))
        }
        Some(_) => Ok(Json(json!({"success": true}))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gitattributes_say_what_is_large() {
        let rules = "*.bin filter=lfs diff=lfs merge=lfs -text\n*.md text\nassets/** filter=lfs -text\nbig.json filter=lfs";
        for (path, large) in [
            ("weights.bin", true),
            ("sub/weights.bin", true),
            ("README.md", false),
            ("assets/a.txt", true),
            ("big.json", true),
            ("small.json", false),
        ] {
            assert_eq!(marked(rules, path), large, "{path}");
        }
    }
}
