//! Sending files: small ones from the Hub, large ones by a redirect to another origin, which refuses
//! whoever brings a token there.
//!
//! Never lists anything. Start at [`doors`].

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State as Held};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;

use super::access::{At, content};
use super::auth::Caller;
use super::doors::{Doors, Told, Verb};
use super::errors::{HubError, header_value};
use super::git;
use super::shared::Hub;
use super::wire::{Query, encoded, header_text};

pub fn doors() -> Doors {
    let told = Told::new("files", "Download a file at a revision");
    let mut doors = Doors::default();
    for prefix in ["", "/datasets", "/spaces"] {
        let path = format!("{prefix}/{{namespace}}/{{repo}}");
        doors = doors.add(Verb::Get, &format!("{path}/resolve/{{*place}}"), told, resolve).add(
            Verb::Get,
            &format!("{path}/raw/{{*place}}"),
            Told::new("files", "Download what git keeps of a file"),
            raw,
        );
    }
    doors
}

async fn resolve(
    Held(hub): Held<Hub>,
    caller: Caller,
    at: At,
    headers: HeaderMap,
) -> Result<Response, HubError> {
    let file: Result<_, HubError> = hub.with(|state| {
        let repo = content(&hub, state, &caller, &at)?;
        let (revision, path) = repo.split(at.part("place"));
        let commit = repo.resolve(&revision).ok_or_else(|| HubError::revision(&revision))?;
        let entry = repo.files(&commit).and_then(|it| it.get(&path).cloned());
        let entry = entry.ok_or_else(|| HubError::entry(&path))?;
        let content = state.content(repo, &entry).ok_or_else(|| HubError::entry(&path))?;
        if let Some(repo) = state.repos.get_mut(&(at.kind, at.id.clone())) {
            repo.downloads += 1;
        }
        Ok((commit, path, entry, content))
    });
    let (commit, path, entry, content) = file?;
    let name = path.rsplit('/').next().unwrap_or_default().to_owned();
    let mut response = match &entry.large {
        Some(sha256) => {
            let until = hub.clock.now().seconds() + 3600;
            let place = format!(
                "{}/large/{sha256}?name={}&Expires={until}&Signature={}",
                hub.addresses.cdn,
                encoded(&name),
                signature(sha256, until)
            );
            let mut response = StatusCode::FOUND.into_response();
            let headers = response.headers_mut();
            headers.insert(header::LOCATION, header_value(&place));
            headers.insert("x-linked-size", entry.size.into());
            headers.insert("x-linked-etag", header_value(&format!("\"{sha256}\"")));
            response
        }
        None => sent(&headers, &format!("\"{}\"", entry.oid), &name, content),
    };
    let headers = response.headers_mut();
    headers.insert("x-repo-commit", header_value(&commit));
    headers.insert(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        header_value("X-Repo-Commit,X-Linked-Etag,X-Linked-Size"),
    );
    Ok(response)
}

async fn raw(Held(hub): Held<Hub>, caller: Caller, at: At, headers: HeaderMap) -> Result<Response, HubError> {
    hub.look(|state| {
        let repo = content(&hub, state, &caller, &at)?;
        let (revision, path) = repo.split(at.part("place"));
        let commit = repo.resolve(&revision).ok_or_else(|| HubError::revision(&revision))?;
        let entry = repo.files(&commit).and_then(|it| it.get(&path).cloned());
        let entry = entry.ok_or_else(|| HubError::entry(&path))?;
        let content = match &entry.large {
            Some(sha256) => Bytes::from(git::pointer(sha256, entry.size)),
            None => state.content(repo, &entry).ok_or_else(|| HubError::entry(&path))?,
        };
        Ok(sent(&headers, &format!("\"{}\"", entry.oid), &path, content))
    })
}

// Only this process makes and reads it: it keeps addresses from being made up, nothing more.
fn signature(sha256: &str, until: i64) -> String {
    git::sha256(format!("small hub {sha256} {until}").as_bytes())[..32].to_owned()
}

/// What the other origin answers.
pub fn cdn() -> Router<Hub> {
    Router::new().route("/large/{sha256}", get(large))
}

async fn large(
    Held(hub): Held<Hub>,
    Path(sha256): Path<String>,
    headers: HeaderMap,
    query: Query,
) -> Result<Response, HubError> {
    if headers.contains_key(header::AUTHORIZATION) {
        return Err(HubError::bad(
            "Only one auth mechanism allowed; the address is signed and a token came as well",
        ));
    }
    let until: i64 = query.get("Expires").and_then(|it| it.parse().ok()).unwrap_or_default();
    if query.get("Signature") != Some(&signature(&sha256, until)) || hub.clock.now().seconds() > until {
        return Err(HubError::forbidden("The address is not signed, or its time is over"));
    }
    let content = hub.look(|state| state.large.get(&sha256).cloned());
    let content = content.ok_or_else(|| HubError::missing("No such object"))?;
    Ok(sent(&headers, &format!("\"{sha256}\""), query.get("name").unwrap_or_default(), content))
}

/// A content, or the part of it that `Range` names, or nothing for who has it.
fn sent(asked: &HeaderMap, tag: &str, name: &str, content: Bytes) -> Response {
    let has_it = header_text(asked, "if-none-match").split(',').any(|it| it.trim() == tag);
    let size = content.len();
    let mut response = if has_it {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        match range(header_text(asked, "range"), size) {
            Part::Whole => Body::from(content).into_response(),
            Part::Some { first, last } => {
                let mut part = Body::from(content.slice(first..=last)).into_response();
                *part.status_mut() = StatusCode::PARTIAL_CONTENT;
                part.headers_mut()
                    .insert(header::CONTENT_RANGE, header_value(&format!("bytes {first}-{last}/{size}")));
                part
            }
            Part::None => {
                let mut none = StatusCode::RANGE_NOT_SATISFIABLE.into_response();
                none.headers_mut().insert(header::CONTENT_RANGE, header_value(&format!("bytes */{size}")));
                none
            }
        }
    };
    let headers = response.headers_mut();
    headers.insert(header::ETAG, header_value(tag));
    headers.insert(header::ACCEPT_RANGES, header_value("bytes"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, header_value("nosniff"));
    headers.insert(header::CONTENT_TYPE, header_value(media(name)));
    let name = name.rsplit('/').next().unwrap_or_default();
    headers.insert(
        header::CONTENT_DISPOSITION,
        header_value(&format!("inline; filename*=UTF-8''{}", encoded(name))),
    );
    response
}

fn media(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "md" | "txt" | "py" | "csv" | "jsonl" | "yaml" | "yml" | "gitattributes" => {
            "text/plain; charset=utf-8"
        }
        // Not `application/json`: that would be tagged and cached as an answer of the API.
        "json" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Part {
    Whole,
    Some { first: usize, last: usize },
    None,
}

/// One range, as browsers and clients send it; several, or another unit, count as none asked for.
fn range(text: &str, size: usize) -> Part {
    let Some((first, last)) = text.strip_prefix("bytes=").and_then(|it| it.split_once('-')) else {
        return Part::Whole;
    };
    let end = size.saturating_sub(1);
    let (first, last) = match (first.trim().parse::<usize>(), last.trim().parse::<usize>()) {
        (Ok(first), Ok(last)) => (first, last.min(end)),
        (Ok(first), Err(_)) if last.trim().is_empty() => (first, end),
        (Err(_), Ok(last)) if first.trim().is_empty() => (size.saturating_sub(last), end),
        _ => return Part::Whole,
    };
    if first >= size || first > last { Part::None } else { Part::Some { first, last } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read() {
        assert_eq!(range("", 10), Part::Whole);
        assert_eq!(range("bytes=2-4", 10), Part::Some { first: 2, last: 4 });
        assert_eq!(range("bytes=8-", 10), Part::Some { first: 8, last: 9 });
        assert_eq!(range("bytes=-3", 10), Part::Some { first: 7, last: 9 });
        assert_eq!(range("bytes=0-99", 10), Part::Some { first: 0, last: 9 });
        assert_eq!(range("bytes=10-", 10), Part::None);
        assert_eq!(range("bytes=1-2,4-5", 10), Part::Whole);
    }
}
