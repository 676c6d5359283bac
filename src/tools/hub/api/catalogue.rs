//! The Hub's endpoints: fetched when they are first needed, kept on disk, looked at again after some hours.
//!
//! What cannot be fetched anew is served as it was kept. Never delays the start of anything. Start at
//! [`Catalogue::known`].

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::document::{Endpoint, endpoints};
use crate::agent::tool::ToolError;
use crate::clients::docs::{ApiDocument, Docs, DocsError};
use crate::clock::{Clock, Timestamp};
use crate::tools::hub::index::{Column, Index};

/// How long the endpoints are taken as they are.
const FRESH: Duration = Duration::from_secs(6 * 60 * 60);
/// How long after a failure they are asked for again.
const AGAIN: Duration = Duration::from_secs(60);

/// Where the endpoints come from.
pub(super) struct Catalogue {
    docs: Docs,
    clock: Clock,
    file: PathBuf,
    slot: tokio::sync::Mutex<Option<Slot>>,
}

struct Slot {
    known: Arc<Known>,
    kept: Kept,
}

/// The endpoints, as they were fetched.
pub(super) struct Known {
    /// All of them.
    pub endpoints: Vec<Endpoint>,
    /// Their tags, sorted.
    pub tags: Vec<String>,
    /// Over `endpoints`, by their place.
    pub index: Index,
}

/// What the file on disk says beside the endpoints.
#[derive(Clone, Serialize, Deserialize)]
struct Kept {
    /// The Hub that they are of.
    hub: String,
    etag: Option<String>,
    /// When they were last known to be right.
    at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Filed {
    #[serde(flatten)]
    kept: Kept,
    endpoints: Vec<Endpoint>,
}

impl Catalogue {
    pub(super) fn new(docs: Docs, clock: Clock, cache: &Path) -> Self {
        Self { docs, clock, file: cache.join("hub-api.json"), slot: tokio::sync::Mutex::default() }
    }

    /// Where the Hub is.
    pub(super) fn hub(&self) -> &str {
        self.docs.hub()
    }

    /// The endpoints. Who asks at the same time waits for the first.
    ///
    /// # Errors
    /// They were never fetched and cannot be now.
    pub(super) async fn known(&self) -> Result<Result<Arc<Known>, DocsError>, ToolError> {
        let mut slot = self.slot.lock().await;
        if slot.is_none() {
            *slot = self.kept().await;
        }
        let now = self.clock.now();
        if let Some(slot) = slot.as_ref().filter(|slot| now.since(slot.kept.at) <= FRESH) {
            return Ok(Ok(Arc::clone(&slot.known)));
        }
        let etag = slot.as_ref().and_then(|slot| slot.kept.etag.clone());
        let fetched = match self.docs.api(etag.as_deref()).await {
            Ok(ApiDocument::New { etag, body }) => self.taken(etag, body).await?.map(Some),
            Ok(ApiDocument::Same) => Ok(None),
            Err(error) => Err(error),
        };
        match (fetched, slot.as_mut()) {
            (Ok(Some(new)), _) => *slot = Some(new),
            (Ok(None), Some(slot)) => slot.kept.at = now,
            (Ok(None), None) => {}
            (Err(error), Some(slot)) => {
                tracing::warn!(%error, "the Hub's API could not be read anew; what was kept of it is used");
                slot.kept.at = Timestamp(now.0 - ms(FRESH.saturating_sub(AGAIN)));
            }
            (Err(error), None) => return Ok(Err(error)),
        }
        let known = slot.as_ref().map(|slot| Arc::clone(&slot.known));
        Ok(known.ok_or(DocsError::Strange("it names a version that was never fetched")))
    }

    /// The endpoints of a new document.
    async fn taken(&self, etag: Option<String>, body: Vec<u8>) -> Result<Result<Slot, DocsError>, ToolError> {
        let kept = Kept { hub: self.docs.hub().to_owned(), etag, at: self.clock.now() };
        let file = self.file.clone();
        let work = move || -> anyhow::Result<Result<Slot, DocsError>> {
            let endpoints = match endpoints(&body) {
                Ok(endpoints) => endpoints,
                Err(why) => return Ok(Err(DocsError::Strange(why))),
            };
            drop(body);
            let filed = Filed { kept, endpoints };
            if let Err(error) = write(&file, &filed) {
                tracing::warn!(%error, "the Hub's API could not be kept; it will be fetched again");
            }
            Ok(Ok(Slot::of(filed)?))
        };
        Ok(tokio::task::spawn_blocking(work).await.map_err(anyhow::Error::from)??)
    }

    async fn kept(&self) -> Option<Slot> {
        let (file, hub) = (self.file.clone(), self.docs.hub().to_owned());
        let work = move || {
            let filed: Filed = serde_json::from_slice(&std::fs::read(file).ok()?).ok()?;
            // Another Hub may have another API.
            let ours = filed.kept.hub == hub && !filed.endpoints.is_empty();
            Slot::of(Some(filed).filter(|_| ours)?).ok()
        };
        tokio::task::spawn_blocking(work).await.ok().flatten()
    }
}

impl Slot {
    fn of(filed: Filed) -> anyhow::Result<Self> {
        let Filed { kept, endpoints } = filed;
        let index = Index::new(&[
            Column("summary", 3.0),
            Column("operation", 2.0),
            Column("tags", 1.5),
            Column("description", 1.0),
            Column("parameters", 1.0),
        ])?;
        let row = |one: &Endpoint| {
            let names: Vec<&str> = one.parameters.iter().map(|it| it.name.as_str()).collect();
            vec![
                one.summary.clone(),
                format!("{} {}", one.id, one.path),
                one.tags.join(" "),
                one.description.clone(),
                names.join(" "),
            ]
        };
        index.put(endpoints.iter().map(row).enumerate())?;
        let tags: BTreeSet<String> = endpoints.iter().flat_map(|one| one.tags.iter().cloned()).collect();
        let tags = tags.into_iter().collect();
        Ok(Self { known: Arc::new(Known { endpoints, tags, index }), kept })
    }
}

fn ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Writes it beside its place and moves it there, so that no reader sees half of it.
fn write(file: &Path, filed: &Filed) -> anyhow::Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let beside = file.with_extension("json.new");
    std::fs::write(&beside, serde_json::to_vec(filed)?)?;
    Ok(std::fs::rename(&beside, file)?)
}
