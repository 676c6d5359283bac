//! Secrets, variables and volumes of Spaces. Values of secrets are never told.

use std::collections::BTreeMap;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State as Held;
use serde_json::{Value, json};

use super::super::access::At;
use super::super::auth::Caller;
use super::super::doors::{Doors, Told, Verb};
use super::super::errors::HubError;
use super::super::jobs::fields::Fields;
use super::super::jobs::volume;
use super::super::shared::Hub;
use super::super::wire::{iso, json_body};
use super::SpaceStage;
use super::routes::{change, look};
use super::space::{Setting, Space};

pub(super) fn doors() -> Doors {
    const TAG: &str = "spaces";
    const SETTING: &[(&str, &str)] =
        &[("key", "Name"), ("value", "Value"), ("description", "What it is for")];
    const KEY: &[(&str, &str)] = &[("key", "Name")];
    const VOLUMES: &[(&str, &str)] = &[("volumes", "All volumes: type, source, mountPath, readOnly")];
    let one = |tail: &str| format!("/api/spaces/{{namespace}}/{{repo}}{tail}");
    Doors::default()
        .add(Verb::Get, &one("/secrets"), Told::new(TAG, "List names of secrets"), list_secrets)
        .add(Verb::Post, &one("/secrets"), Told::new(TAG, "Set a secret").body(SETTING), set_secret)
        .add(Verb::Delete, &one("/secrets"), Told::new(TAG, "Delete a secret").body(KEY), delete_secret)
        .add(Verb::Get, &one("/variables"), Told::new(TAG, "List variables"), list_variables)
        .add(Verb::Post, &one("/variables"), Told::new(TAG, "Set a variable").body(SETTING), set_variable)
        .add(Verb::Delete, &one("/variables"), Told::new(TAG, "Delete a variable").body(KEY), delete_variable)
        .add(Verb::Put, &one("/volumes"), Told::new(TAG, "Replace the volumes").body(VOLUMES), set_volumes)
        .add(Verb::Delete, &one("/volumes"), Told::new(TAG, "Take all volumes away"), delete_volumes)
}

/// Whether values are told.
#[derive(Clone, Copy, PartialEq)]
enum Values {
    Told,
    Kept,
}

fn told(settings: &BTreeMap<String, Setting>, values: Values) -> Json<Value> {
    let mut all = serde_json::Map::new();
    for (key, setting) in settings {
        let mut one =
            json!({"key": key, "description": setting.description, "updatedAt": iso(setting.updated)});
        if values == Values::Told {
            one["value"] = setting.value.clone().into();
        }
        all.insert(key.clone(), one);
    }
    Json(Value::Object(all))
}

fn key(fields: &mut Fields) -> String {
    let key = fields.needed("key");
    let mut letters = key.chars();
    let starts = letters.next().is_none_or(|it| it.is_ascii_alphabetic());
    if !starts || letters.any(|it| !it.is_ascii_alphanumeric() && it != '_') {
        fields.complain("key", "Invalid string: must match pattern /^[a-zA-Z][_a-zA-Z0-9]*$/");
    }
    key
}

fn setting(body: &[u8], hub: &Hub) -> Result<(String, Setting), HubError> {
    let mut fields = Fields::of(json_body(body)?, "")?;
    let key = key(&mut fields);
    let value = fields.needed("value");
    let description = fields.text("description");
    fields.end()?;
    Ok((key, Setting { value, description, updated: hub.clock.now() }))
}

fn only_key(body: &[u8]) -> Result<String, HubError> {
    let mut fields = Fields::of(json_body(body)?, "")?;
    let key = key(&mut fields);
    fields.end()?;
    Ok(key)
}

/// A Space whose environment changed starts again.
fn renew(hub: &Hub, space: &mut Space) {
    if matches!(space.stage, SpaceStage::Running | SpaceStage::AppStarting) {
        hub.spaces.start(space);
    }
}

async fn list_secrets(Held(hub): Held<Hub>, caller: Caller, at: At) -> Result<Json<Value>, HubError> {
    change(&hub, &caller, &at, |space| Ok(told(&space.secrets, Values::Kept)))
}

async fn set_secret(
    Held(hub): Held<Hub>,
    caller: Caller,
    at: At,
    body: Bytes,
) -> Result<Json<Value>, HubError> {
    change(&hub, &caller, &at, |_| Ok(()))?;
    let (key, setting) = setting(&body, &hub)?;
    change(&hub, &caller, &at, |space| {
        if space.variables.contains_key(&key) {
            return Err(HubError::bad(format!("There is already a variable \"{key}\"")));
        }
        space.secrets.insert(key, setting);
        renew(&hub, space);
        Ok(Json(json!({})))
    })
}

async fn delete_secret(
    Held(hub): Held<Hub>,
    caller: Caller,
    at: At,
    body: Bytes,
) -> Result<Json<Value>, HubError> {
    change(&hub, &caller, &at, |_| Ok(()))?;
    let key = only_key(&body)?;
    change(&hub, &caller, &at, |space| {
        if space.secrets.remove(&key).is_some() {
            renew(&hub, space);
        }
        Ok(Json(json!({})))
    })
}

async fn list_variables(Held(hub): Held<Hub>, caller: Caller, at: At) -> Result<Json<Value>, HubError> {
    look(&hub, &caller, &at, |space| Ok(told(&space.variables, Values::Told)))
}

async fn set_variable(
    Held(hub): Held<Hub>,
    caller: Caller,
    at: At,
    body: Bytes,
) -> Result<Json<Value>, HubError> {
    change(&hub, &caller, &at, |_| Ok(()))?;
    let (key, setting) = setting(&body, &hub)?;
    change(&hub, &caller, &at, |space| {
        if space.secrets.contains_key(&key) {
            return Err(HubError::bad(format!("There is already a secret \"{key}\"")));
        }
        space.variables.insert(key, setting);
        renew(&hub, space);
        Ok(told(&space.variables, Values::Told))
    })
}

async fn delete_variable(
    Held(hub): Held<Hub>,
    caller: Caller,
    at: At,
    body: Bytes,
) -> Result<Json<Value>, HubError> {
    change(&hub, &caller, &at, |_| Ok(()))?;
    let key = only_key(&body)?;
    change(&hub, &caller, &at, |space| {
        if space.variables.remove(&key).is_some() {
            renew(&hub, space);
        }
        Ok(told(&space.variables, Values::Told))
    })
}

async fn set_volumes(
    Held(hub): Held<Hub>,
    caller: Caller,
    at: At,
    body: Bytes,
) -> Result<Json<Value>, HubError> {
    change(&hub, &caller, &at, |_| Ok(()))?;
    let mut fields = Fields::of(json_body(&body)?, "")?;
    let volumes = fields.each("volumes", volume);
    fields.end()?;
    let volumes = volumes.ok_or_else(|| {
        HubError::bad("✖ Invalid input: expected array, received undefined\n  → at volumes")
    })?;
    for it in volumes.iter().filter(|it| it["type"] == "bucket") {
        let source = it["source"].as_str().unwrap_or_default();
        if !hub.buckets.exists(source) {
            return Err(HubError::missing(format!("Bucket {source} not found")));
        }
    }
    change(&hub, &caller, &at, |space| {
        space.volumes = Some(volumes);
        renew(&hub, space);
        Ok(Json(space.tell()))
    })
}

async fn delete_volumes(Held(hub): Held<Hub>, caller: Caller, at: At) -> Result<Json<Value>, HubError> {
    change(&hub, &caller, &at, |space| {
        space.volumes = Some(Vec::new());
        renew(&hub, space);
        Ok(Json(space.tell()))
    })
}
