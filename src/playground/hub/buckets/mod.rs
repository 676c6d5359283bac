//! Buckets of the small Hub: storage that Spaces and jobs mount. They can be made, looked at, listed and
//! deleted; what is in them is not kept, for files reach buckets only by Xet, which this Hub does not speak.
//!
//! Owns [`Buckets`]. Start at [`doors`].

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State as Held};
use axum::response::Response;
use serde_json::{Value, json};

use crate::clock::Timestamp;

use super::super::shared::lock;
use super::auth::Caller;
use super::doors::{Doors, Told, Verb};
use super::errors::HubError;
use super::jobs::fields::Fields;
use super::shared::Hub;
use super::wire::{Query, iso, json_body, page};

/// Most buckets on one page.
const PAGE: usize = 100;

/// All buckets, by `namespace/name`.
#[derive(Debug, Default)]
pub struct Buckets(Mutex<BTreeMap<String, Bucket>>);

#[derive(Debug, Clone)]
struct Bucket {
    id: String,
    private: bool,
    created: Timestamp,
}

impl Buckets {
    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Bucket>> {
        lock(&self.0)
    }

    /// Whether there is one of this name.
    #[must_use]
    pub fn exists(&self, id: &str) -> bool {
        self.all().contains_key(id)
    }
}

impl Bucket {
    fn tell(&self, id: &str) -> Value {
        json!({
            "_id": self.id, "id": id, "author": id.split('/').next(), "private": self.private,
            "visibility": if self.private { "private" } else { "public" },
            "createdAt": iso(self.created), "updatedAt": iso(self.created), "size": 0, "totalFiles": 0,
        })
    }
}

pub(super) fn doors() -> Doors {
    const TAG: &str = "buckets";
    const BODY: &[(&str, &str)] =
        &[("visibility", "`public` or `private`"), ("private", "The same, as a flag")];
    let one = "/api/buckets/{namespace}/{name}";
    let list = Told::new(TAG, "List the buckets of a namespace").query(&[("search", "Part of the name")]);
    Doors::default()
        .add(Verb::Get, "/api/buckets/{namespace}", list, list_buckets)
        .add(Verb::Post, one, Told::new(TAG, "Create a bucket").body(BODY), create)
        .add(Verb::Get, one, Told::new(TAG, "Get a bucket"), info)
        .add(Verb::Delete, one, Told::new(TAG, "Delete a bucket"), delete)
}

/// A bucket that is not there, or that this caller must not know of.
fn missing(id: &str) -> HubError {
    HubError { code: Some("RepoNotFound"), ..HubError::missing(format!("Bucket {id} not found")) }
}

fn seen(hub: &Hub, caller: &Caller, id: &str) -> Result<Bucket, HubError> {
    let namespace = id.split('/').next().unwrap_or_default();
    let bucket = hub.buckets.all().get(id).cloned().ok_or_else(|| missing(id))?;
    let member = hub.look(|state| caller.role_in(state, namespace).is_some());
    if bucket.private && !member { Err(missing(id)) } else { Ok(bucket) }
}

fn good_name(name: &str) -> bool {
    let plain = |it: char| it.is_ascii_alphanumeric() || matches!(it, '-' | '_' | '.');
    (1..=96).contains(&name.len()) && name.chars().all(plain) && !name.starts_with(['-', '.'])
}

async fn create(
    Held(hub): Held<Hub>,
    caller: Caller,
    Path((namespace, name)): Path<(String, String)>,
    body: Bytes,
) -> Result<Json<Value>, HubError> {
    let namespace = if namespace == "me" { caller.known()?.to_owned() } else { namespace };
    hub.look(|state| caller.may_write_in(state, &namespace))?;
    let body = if body.is_empty() { json!({}) } else { json_body(&body)? };
    let mut fields = Fields::of(body, "")?;
    let visibility = fields.one_of("visibility", &["public", "private"]);
    let private = fields.flag("private");
    // Taken and without effect here.
    fields.text("resourceGroupId");
    fields.text("region");
    fields.end()?;
    if !good_name(&name) {
        return Err(HubError::bad(format!("Invalid bucket name: {name}")));
    }
    let id = format!("{namespace}/{name}");
    let url = format!("{}/buckets/{id}", hub.addresses.hub);
    let mut all = hub.buckets.all();
    if all.contains_key(&id) {
        let error = HubError::conflict(format!("You already created this bucket: {id}"));
        return Err(error.with(json!({"url": url})));
    }
    let object_id = format!("6728b{:019x}", all.len() + 1);
    let private = visibility.map_or(private.unwrap_or(false), |it| it == "private");
    all.insert(id.clone(), Bucket { id: object_id.clone(), private, created: hub.clock.now() });
    Ok(Json(json!({"url": url, "name": id, "id": object_id})))
}

async fn info(
    Held(hub): Held<Hub>,
    caller: Caller,
    Path((namespace, name)): Path<(String, String)>,
) -> Result<Json<Value>, HubError> {
    let id = format!("{namespace}/{name}");
    Ok(Json(seen(&hub, &caller, &id)?.tell(&id)))
}

async fn delete(
    Held(hub): Held<Hub>,
    caller: Caller,
    Path((namespace, name)): Path<(String, String)>,
) -> Result<Json<Value>, HubError> {
    let id = format!("{namespace}/{name}");
    seen(&hub, &caller, &id)?;
    hub.look(|state| caller.may_write_in(state, &namespace))?;
    hub.buckets.all().remove(&id);
    Ok(Json(json!({})))
}

async fn list_buckets(
    Held(hub): Held<Hub>,
    caller: Caller,
    Path(namespace): Path<String>,
    query: Query,
) -> Result<Response, HubError> {
    let namespace = if namespace == "me" { caller.known()?.to_owned() } else { namespace };
    let member = hub.look(|state| caller.role_in(state, &namespace).is_some());
    let search = query.get("search").unwrap_or_default().to_owned();
    let told: Vec<Value> = {
        let all = hub.buckets.all();
        let mine = all.iter().filter(|(id, bucket)| {
            id.split_once('/').is_some_and(|(owner, name)| owner == namespace && name.contains(&search))
                && (member || !bucket.private)
        });
        mine.map(|(id, bucket)| bucket.tell(id)).collect()
    };
    page(&format!("{}/api/buckets/{namespace}", hub.addresses.hub), &query, told, PAGE)
}
