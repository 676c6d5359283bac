//! The API of Spaces: runtime, hardware, sleep, pause, restart, logs.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State as Held;
use axum::http::StatusCode;
use axum::response::Response;
use futures::stream;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::super::access::{self, At};
use super::super::auth::Caller;
use super::super::doors::{Doors, Told, Verb};
use super::super::errors::HubError;
use super::super::jobs::fields::Fields;
use super::super::jobs::{hardware, stream as events};
use super::super::shared::Hub;
use super::super::wire::{Query, json_body};
use super::space::Space;
use super::{LOOK, SpaceStage, settings, settle};

/// How long a log is silent before it says that it is alive.
const KEEP_ALIVE: std::time::Duration = std::time::Duration::from_secs(30);

pub(in super::super) fn doors() -> Doors {
    const TAG: &str = "spaces";
    let one = |tail: &str| format!("/api/spaces/{{namespace}}/{{repo}}{tail}");
    let factory = Told::new(TAG, "Restart a Space").query(&[("factory", "Build it anew")]);
    let flavor = &[("flavor", "Hardware"), ("sleepTimeSeconds", "Seconds after which it sleeps")];
    let sleep = &[("seconds", "Seconds after which it sleeps; -1 for never")];
    Doors::default()
        .add(Verb::Get, "/api/spaces/hardware", Told::new(TAG, "List hardware and prices"), list_hardware)
        .add(Verb::Get, &one("/runtime"), Told::new(TAG, "Get where a Space stands"), runtime)
        .add(Verb::Post, &one("/hardware"), Told::new(TAG, "Ask for hardware").body(flavor), request_hardware)
        .add(
            Verb::Post,
            &one("/sleeptime"),
            Told::new(TAG, "Set when a Space sleeps").body(sleep),
            sleep_time,
        )
        .add(Verb::Post, &one("/pause"), Told::new(TAG, "Pause a Space"), pause)
        .add(Verb::Post, &one("/restart"), factory, restart)
        .add(Verb::Get, &one("/logs/{which}"), Told::new(TAG, "Stream the build or run log"), logs)
        .and(settings::doors())
}

async fn list_hardware() -> Json<Value> {
    Json(hardware::space_catalogue())
}

/// Works on a Space that the caller may change.
pub(super) fn change<T>(
    hub: &Hub,
    caller: &Caller,
    at: &At,
    work: impl FnOnce(&mut Space) -> Result<T, HubError>,
) -> Result<T, HubError> {
    hub.look(|state| access::changes(state, caller, access::readable(state, caller, at)?))?;
    with_space(hub, caller, at, work)
}

/// Works on a Space that the caller may see.
pub(super) fn look<T>(
    hub: &Hub,
    caller: &Caller,
    at: &At,
    work: impl FnOnce(&mut Space) -> Result<T, HubError>,
) -> Result<T, HubError> {
    hub.look(|state| access::readable(state, caller, at).map(|_| ()))?;
    with_space(hub, caller, at, work)
}

fn with_space<T>(
    hub: &Hub,
    caller: &Caller,
    at: &At,
    work: impl FnOnce(&mut Space) -> Result<T, HubError>,
) -> Result<T, HubError> {
    settle(hub, &at.id);
    let mut desk = hub.spaces.desk();
    desk.spaces.get_mut(&at.id).map_or_else(|| Err(HubError::repo(caller)), work)
}

async fn runtime(Held(hub): Held<Hub>, caller: Caller, at: At) -> Result<Json<Value>, HubError> {
    look(&hub, &caller, &at, |space| Ok(Json(space.tell())))
}

/// Refuses hardware that Spaces do not have, or that the namespace cannot pay.
pub(in super::super) fn affordable(hub: &Hub, namespace: &str, flavor: &str) -> Result<(), HubError> {
    let Some((_, hourly)) = hardware::space_flavour(flavor) else {
        let all: Vec<String> = hardware::all()
            .filter(|it| hardware::space_flavour(it.name).is_some())
            .map(|it| format!("\"{}\"", it.name))
            .collect();
        let words = all.join("|");
        return Err(HubError::bad(format!("✖ Invalid option: expected one of {words}\n  → at hardware")));
    };
    if hourly == 0 || hub.jobs.credits(namespace) > 0 {
        return Ok(());
    }
    Err(HubError::new(StatusCode::PAYMENT_REQUIRED, "Pre-paid credit balance is insufficient"))
}

async fn request_hardware(
    Held(hub): Held<Hub>,
    caller: Caller,
    at: At,
    body: Bytes,
) -> Result<Json<Value>, HubError> {
    change(&hub, &caller, &at, |_| Ok(()))?;
    let mut fields = Fields::of(json_body(&body)?, "")?;
    let flavor = fields.needed("flavor");
    let sleep = sleep_seconds(&mut fields, "sleepTimeSeconds");
    fields.end()?;
    affordable(&hub, at.id.split('/').next().unwrap_or_default(), &flavor)?;
    change(&hub, &caller, &at, |space| {
        space.requested = flavor;
        if let Some(sleep) = sleep {
            space.sleep_after = sleep;
        }
        if space.stage == SpaceStage::Running {
            hub.spaces.start(space);
        }
        Ok(Json(space.tell()))
    })
}

/// Seconds, where -1 means never.
#[expect(clippy::option_option, reason = "not said, never, or so many seconds")]
fn sleep_seconds(fields: &mut Fields, name: &str) -> Option<Option<u64>> {
    let value = fields.any(name)?;
    match value.as_i64() {
        Some(-1) => Some(None),
        Some(seconds @ 0..) => Some(u64::try_from(seconds).ok()),
        _ => {
            fields.complain(name, "Invalid input: expected int, -1 or more");
            None
        }
    }
}

async fn sleep_time(
    Held(hub): Held<Hub>,
    caller: Caller,
    at: At,
    body: Bytes,
) -> Result<Json<Value>, HubError> {
    change(&hub, &caller, &at, |_| Ok(()))?;
    let mut fields = Fields::of(json_body(&body)?, "")?;
    if !fields.has("seconds") {
        fields.complain("seconds", "Invalid input: expected int, received undefined");
    }
    let seconds = sleep_seconds(&mut fields, "seconds").flatten();
    fields.end()?;
    change(&hub, &caller, &at, |space| {
        if space.requested == "cpu-basic" {
            return Err(HubError::bad("Sleep time can only be set on upgraded hardware"));
        }
        space.sleep_after = seconds;
        Ok(Json(space.tell()))
    })
}

async fn pause(Held(hub): Held<Hub>, caller: Caller, at: At) -> Result<Json<Value>, HubError> {
    change(&hub, &caller, &at, |space| {
        space.pause();
        Ok(Json(space.tell()))
    })
}

async fn restart(
    Held(hub): Held<Hub>,
    caller: Caller,
    at: At,
    query: Query,
) -> Result<Json<Value>, HubError> {
    let builds = hub.spaces.desk().builds.clone();
    let now = hub.clock.now();
    change(&hub, &caller, &at, |space| {
        if query.on("factory") || space.stage != SpaceStage::Running {
            hub.spaces.build(space, &builds, now);
        } else {
            hub.spaces.start(space);
        }
        Ok(Json(space.tell()))
    })
}

async fn logs(Held(hub): Held<Hub>, caller: Caller, at: At) -> Result<Response, HubError> {
    let is_build = match at.part("which") {
        "build" => true,
        "run" => false,
        other => return Err(HubError::missing(format!("There is no log `{other}`"))),
    };
    // What a Space writes may hold what its owner would not show.
    change(&hub, &caller, &at, |_| Ok(()))?;
    let begin = (hub, at.id, 0_usize, Instant::now());
    Ok(events::respond(stream::unfold(begin, move |(hub, id, from, heard)| async move {
        loop {
            let (lines, next) = {
                let mut desk = hub.spaces.desk();
                let space = desk.spaces.get_mut(&id)?;
                if is_build { space.build_log.from(from) } else { space.run_log.from(from) }
            };
            if !lines.is_empty() {
                let text: String = lines.iter().map(|(at, line)| events::event(*at, line)).collect();
                return Some((Ok(text.into()), (hub, id, next, Instant::now())));
            }
            if heard.elapsed() >= KEEP_ALIVE {
                return Some((Ok("data:\n\n".into()), (hub, id, next, Instant::now())));
            }
            tokio::select! {
                () = hub.stop.cancelled() => return None,
                () = tokio::time::sleep(LOOK * 5) => {}
            }
        }
    })))
}

/// What the Hub tells of a Space's runtime in the answers about its repo.
pub(in super::super) fn runtime_of(hub: &Hub, id: &str) -> Value {
    settle(hub, id);
    hub.spaces.desk().spaces.get(id).map_or_else(|| json!(null), Space::tell)
}
