//! Large files by Git LFS: asking where they go, sending them there, having them checked.
//!
//! Owns the batch request, the basic and the multipart transfer. Where the bytes go is another host: it gets
//! the headers that the Hub gave for it, never the token. Memory stays flat whatever the size.
//!
//! ```text
//! batch --no actions (the Hub has it)--------------------------------> done
//!  |--basic: PUT-----------------------------------------> verify --> done
//!  '--multipart: PUT part 1.. (some at once) --> complete --> verify --> done
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reqwest::header::{CONTENT_LENGTH, ETAG, HeaderMap};
use reqwest::{StatusCode, Url};
use serde::Deserialize;
use serde_json::{Value, json};

use super::ask::{Ask, Nature};
use super::content::Content;
use super::error::Asked;
use super::send::Tries;
use super::{Hub, HubError, Repo, RepoKind};

/// Objects of one batch request.
const BATCH: usize = 256;
/// Parts that are sent at the same time.
const AT_ONCE: usize = 4;
/// How often progress is told.
const TICK: Duration = Duration::from_millis(500);
/// How long nothing may go out.
const STALL: Duration = Duration::from_secs(120);
const LFS_JSON: &str = "application/vnd.git-lfs+json";

/// Who is told how an upload goes. Never blocks.
pub trait Watch: Send + Sync {
    /// `done` of `total` bytes of this file are sent.
    fn sent(&self, path: &str, done: u64, total: u64);
}

/// Nobody is told.
#[derive(Debug, Clone, Copy)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn sent(&self, _: &str, _: u64, _: u64) {}
}

/// A large file that is to be there.
pub(super) struct Large<'a> {
    pub(super) path: &'a str,
    pub(super) content: &'a Content,
    pub(super) oid: String,
    pub(super) size: u64,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    objects: Vec<Object>,
}

#[derive(Deserialize)]
struct Object {
    oid: String,
    #[serde(default)]
    actions: Option<Actions>,
    #[serde(default)]
    error: Option<Problem>,
}

#[derive(Deserialize)]
struct Problem {
    #[serde(default)]
    code: u16,
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
struct Actions {
    #[serde(default)]
    upload: Option<Action>,
    #[serde(default)]
    verify: Option<Action>,
}

#[derive(Deserialize)]
struct Action {
    href: String,
    #[serde(default)]
    header: BTreeMap<String, Value>,
}

impl Action {
    /// A header's value; the Hub writes numbers in either way.
    fn value(&self, name: &str) -> Option<String> {
        match self.header.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// The addresses of the parts, in their order; `None` if this is no multipart transfer.
    fn parts(&self) -> Result<Option<(u64, Vec<String>)>, HubError> {
        let Some(size) = self.value("chunk_size") else { return Ok(None) };
        let size: u64 = size.parse().map_err(|_| HubError::Strange("the size of a part is no number"))?;
        if size == 0 {
            return Err(HubError::Strange("the size of a part is zero"));
        }
        let mut parts: Vec<(u64, String)> =
            self.header.keys().filter_map(|name| Some((name.parse().ok()?, self.value(name)?))).collect();
        parts.sort();
        Ok(Some((size, parts.into_iter().map(|(_, href)| href).collect())))
    }
}

/// What is sent to one address.
struct Slice<'a> {
    large: &'a Large<'a>,
    from: u64,
    length: u64,
}

impl Hub {
    /// Makes sure that the Hub has these contents, in the order given.
    pub(super) async fn upload_large(
        &self,
        (repo, revision): (&Repo, &str),
        files: &[Large<'_>],
        watch: &dyn Watch,
    ) -> Result<(), HubError> {
        for group in files.chunks(BATCH) {
            let answer = self.batch((repo, revision), group).await?;
            for large in group {
                let object = answer.objects.iter().find(|object| object.oid == large.oid);
                let object =
                    object.ok_or(HubError::Strange("LFS does not speak of a file it was asked about"))?;
                self.place(large, object, watch).await?;
            }
        }
        Ok(())
    }

    async fn batch(&self, (repo, revision): (&Repo, &str), files: &[Large<'_>]) -> Result<Answer, HubError> {
        super::repo::check_id(&repo.id).map_err(HubError::BadName)?;
        let objects: Vec<Value> =
            files.iter().map(|large| json!({ "oid": large.oid, "size": large.size })).collect();
        let body = json!({
            "operation": "upload",
            "transfers": ["basic", "multipart"],
            "objects": objects,
            "hash_algo": "sha256",
            "ref": { "name": revision },
        });
        let ask = Ask::post(&[]);
        let ask = if repo.kind == RepoKind::Model { ask } else { ask.then(repo.kind.plural()) };
        let ask = ask.file(&format!("{}.git", repo.id)).file("info/lfs/objects/batch");
        self.json(&ask.body(LFS_JSON, body.to_string()).header("accept", LFS_JSON).reads()).await
    }

    /// Sends one file to where the Hub says, and has it checked.
    async fn place(&self, large: &Large<'_>, object: &Object, watch: &dyn Watch) -> Result<(), HubError> {
        if let Some(problem) = &object.error {
            let message = format!("{}: {}", large.path, crate::text::first_line(&problem.message, 200));
            return Err(HubError::Refused { status: problem.code, message });
        }
        let Some(Actions { upload: Some(upload), verify }) = &object.actions else {
            watch.sent(large.path, large.size, large.size);
            return Ok(());
        };
        let sent = Arc::new(AtomicU64::new(0));
        match upload.parts()? {
            None => {
                let slice = Slice { large, from: 0, length: large.size };
                self.put(&self.elsewhere(&upload.href)?, &slice, (&sent, watch)).await?;
            }
            Some((size, parts)) => {
                let etags = self.put_parts(large, (size, &parts), (&sent, watch)).await?;
                let parts: Vec<Value> = (1u32..)
                    .zip(etags)
                    .map(|(number, etag)| json!({ "partNumber": number, "etag": etag }))
                    .collect();
                let body = json!({ "oid": large.oid, "parts": parts }).to_string();
                let ask = Ask::post(&[]).body(LFS_JSON, body).header("accept", LFS_JSON).unsigned();
                self.whole_at(&ask.timeout(STALL), self.elsewhere(&upload.href)?).await?;
            }
        }
        watch.sent(large.path, large.size, large.size);
        let Some(verify) = verify else { return Ok(()) };
        let body = json!({ "oid": large.oid, "size": large.size });
        let ask = Ask::post(&[]).json(&body).reads();
        self.whole_at(&ask, self.elsewhere(&verify.href)?).await.map(drop)
    }

    /// Sends all parts, some at a time; gives their ETags in order.
    async fn put_parts(
        &self,
        large: &Large<'_>,
        (size, hrefs): (u64, &[String]),
        told: (&Arc<AtomicU64>, &dyn Watch),
    ) -> Result<Vec<String>, HubError> {
        if large.size.div_ceil(size) != hrefs.len() as u64 {
            return Err(HubError::Strange("the parts of a large file do not add up to it"));
        }
        let mut etags = Vec::with_capacity(hrefs.len());
        let mut from = 0;
        for group in hrefs.chunks(AT_ONCE) {
            let mut puts = Vec::with_capacity(group.len());
            for href in group {
                let slice = Slice { large, from, length: size.min(large.size - from) };
                from += slice.length;
                let url = self.elsewhere(href)?;
                puts.push(async move { self.put(&url, &slice, told).await });
            }
            for headers in futures::future::try_join_all(puts).await? {
                let etag = headers.get(ETAG).and_then(|etag| etag.to_str().ok());
                etags.push(etag.ok_or(HubError::Strange("a part was taken without an ETag"))?.to_owned());
            }
        }
        Ok(etags)
    }

    /// Sends bytes to an address, again if that fails in passing: what is there is replaced by the same.
    async fn put(
        &self,
        url: &Url,
        slice: &Slice<'_>,
        (sent, watch): (&Arc<AtomicU64>, &dyn Watch),
    ) -> Result<HeaderMap, HubError> {
        let mut tries = Tries::new();
        loop {
            let mine = Arc::new(AtomicU64::new(0));
            let outcome = self.put_once(url, slice, (&mine, sent, watch)).await;
            let taken = mine.load(Ordering::Relaxed);
            match &outcome {
                Ok(_) => sent.fetch_add(taken, Ordering::Relaxed),
                Err(_) => 0,
            };
            if let Some(headers) = self.settle(Nature::Read, outcome, &mut tries).await? {
                return Ok(headers);
            }
        }
    }

    async fn put_once(
        &self,
        url: &Url,
        slice: &Slice<'_>,
        (mine, sent, watch): (&Arc<AtomicU64>, &Arc<AtomicU64>, &dyn Watch),
    ) -> Result<HeaderMap, HubError> {
        let body = slice.large.content.body(slice.from, slice.length, Arc::clone(mine));
        let request = self.http.put(url.clone()).header(CONTENT_LENGTH, slice.length).body(body).send();
        tokio::pin!(request);
        let (mut last, mut still) = (0, Duration::ZERO);
        let response = loop {
            tokio::select! {
                response = &mut request => break response.map_err(|error| HubError::unreachable(&error))?,
                () = tokio::time::sleep(TICK) => {
                    let now = mine.load(Ordering::Relaxed);
                    still = if now == last { still + TICK } else { Duration::ZERO };
                    last = now;
                    if still >= STALL {
                        return Err(HubError::Unreachable("an upload stood still".to_owned()));
                    }
                    let done = sent.load(Ordering::Relaxed) + now;
                    watch.sent(slice.large.path, done.min(slice.large.size), slice.large.size);
                }
            }
        };
        let (status, headers) = (response.status(), response.headers().clone());
        if status.is_success() {
            return Ok(headers);
        }
        let asked = Asked { endpoint: &self.endpoint, repo: None };
        // Where it goes is storage, not the Hub: its 403 means that the address is no longer good.
        Err(match HubError::of(status, &headers, &[], &asked) {
            HubError::Forbidden { .. } => HubError::Refused {
                status: StatusCode::FORBIDDEN.as_u16(),
                message: format!("the storage did not take {}; try again", slice.large.path),
            },
            error => error,
        })
    }

    /// An address that the Hub gave, if it is as safe as the Hub's own.
    fn elsewhere(&self, href: &str) -> Result<Url, HubError> {
        let url = Url::parse(href).map_err(|_| HubError::Strange("an upload goes to what is no address"))?;
        let safe = url.scheme() == "https" || url.scheme() == "http" && !self.endpoint.starts_with("https:");
        if safe { Ok(url) } else { Err(HubError::Strange("an upload goes to an address without TLS")) }
    }
}
