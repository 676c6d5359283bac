//! Scheduled jobs: a specification, a schedule, and the jobs that come of them when their time has come.
//!
//! Time is the Hub's clock, looked at whenever somebody asks, or by [`Jobs::fire_due`].

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State as Held};
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::clock::Timestamp;

use super::super::auth::Caller;
use super::super::doors::{Doors, Told, Verb};
use super::super::errors::HubError;
use super::super::shared::Hub;
use super::super::wire::{iso, json_body};
use super::cron::Schedule;
use super::fields::Fields;
use super::job::Owner;
use super::routes::{initiator, member, payer, solvent};
use super::{JobSpec, Jobs, fresh_id};

/// One scheduled job.
#[derive(Debug, Clone)]
pub(super) struct Scheduled {
    id: String,
    owner: Owner,
    initiator: Value,
    created: Timestamp,
    spec: JobSpec,
    schedule: Timetable,
    suspended: bool,
    concurrent: bool,
    last: Option<(String, Timestamp)>,
    next: Option<Timestamp>,
}

#[derive(Debug, Clone)]
struct Timetable {
    text: String,
    times: Schedule,
}

impl Timetable {
    fn read(fields: &mut Fields) -> Option<Self> {
        let text = fields.needed("schedule");
        let times = Schedule::parse(&text);
        if times.is_none() && !text.is_empty() {
            fields.complain("schedule", "Invalid cron expression");
        }
        Some(Self { times: times?, text })
    }
}

impl Scheduled {
    fn tell(&self) -> Value {
        let mut spec = self.spec.tell();
        spec["timeout"] = self.spec.timeout.into();
        spec["tags"] = json!([]);
        spec["arch"] = Value::Null;
        let last = self.last.as_ref().map(|(id, at)| json!({"id": id, "at": iso(*at)}));
        let next = self.next.filter(|_| !self.suspended).map(iso);
        json!({
            "id": self.id, "createdAt": iso(self.created), "jobSpec": spec, "schedule": self.schedule.text,
            "suspend": self.suspended, "concurrency": self.concurrent,
            "status": {"lastJob": last, "nextJobRunAt": next},
            "owner": self.owner.tell(), "initiator": self.initiator,
        })
    }
}

pub(super) fn doors() -> Doors {
    const TAG: &str = "scheduled-jobs";
    let one = |tail: &str| format!("/api/scheduled-jobs/{{namespace}}/{{job}}{tail}");
    let body = &[
        ("jobSpec", "The job"),
        ("schedule", "Five fields of cron, or @hourly, @daily, @weekly, @monthly, @yearly"),
        ("suspend", "Whether it begins suspended"),
        ("concurrency", "Whether it may run beside itself"),
    ];
    let every = "/api/scheduled-jobs/{namespace}";
    Doors::default()
        .add(Verb::Get, every, Told::new(TAG, "List scheduled jobs"), list)
        .add(Verb::Post, every, Told::new(TAG, "Schedule a job").body(body), create)
        .add(Verb::Get, &one(""), Told::new(TAG, "Get a scheduled job"), inspect)
        .add(Verb::Delete, &one(""), Told::new(TAG, "Delete a scheduled job"), delete)
        .add(Verb::Post, &one("/suspend"), Told::new(TAG, "Suspend a scheduled job"), suspend)
        .add(Verb::Post, &one("/resume"), Told::new(TAG, "Resume a scheduled job"), resume)
        .add(Verb::Post, &one("/run"), Told::new(TAG, "Run a scheduled job now"), trigger)
        .add(Verb::Post, &one("/schedule"), Told::new(TAG, "Change a schedule"), reschedule)
}

type At = Path<(String, String)>;

fn with_scheduled<T>(
    hub: &Hub,
    (namespace, id): &(String, String),
    work: impl FnOnce(&mut Scheduled) -> T,
) -> Result<T, HubError> {
    hub.jobs.fire_due();
    let mut desk = hub.jobs.desk();
    let found = desk.scheduled.iter_mut().find(|it| it.id == *id && it.owner.name == *namespace);
    found.map(work).ok_or_else(|| HubError::missing("Scheduled job not found"))
}

struct Wanted {
    spec: JobSpec,
    schedule: Timetable,
    suspended: bool,
    concurrent: bool,
}

fn read(body: Value) -> Result<Wanted, HubError> {
    let mut fields = Fields::of(body, "")?;
    if !fields.has("jobSpec") {
        fields.complain("jobSpec", "Invalid input: expected object, received undefined");
    }
    let spec = match fields.any("jobSpec") {
        Some(spec) => JobSpec::read(spec, "jobSpec").map(Some),
        None => Ok(None),
    };
    let schedule = Timetable::read(&mut fields);
    let suspended = fields.flag("suspend").unwrap_or(false);
    let concurrent = fields.flag("concurrency").unwrap_or(false);
    fields.end()?;
    match (spec?, schedule) {
        (Some(spec), Some(schedule)) => Ok(Wanted { spec, schedule, suspended, concurrent }),
        _ => Err(HubError::bad("✖ Invalid input")),
    }
}

async fn create(
    Held(hub): Held<Hub>,
    caller: Caller,
    Path(namespace): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, HubError> {
    let owner = payer(&hub, &caller, &namespace)?;
    let Wanted { spec, schedule, suspended, concurrent } = read(json_body(&body)?)?;
    solvent(&hub, &namespace)?;
    let now = hub.clock.now();
    let next = schedule.times.after(now);
    let initiator = initiator(&hub, &caller)?;
    let made = Scheduled {
        id: fresh_id(now),
        owner,
        initiator,
        created: now,
        spec,
        schedule,
        suspended,
        concurrent,
        last: None,
        next,
    };
    let told = made.tell();
    hub.jobs.desk().scheduled.push(made);
    Ok(Json(told))
}

async fn list(
    Held(hub): Held<Hub>,
    caller: Caller,
    Path(namespace): Path<String>,
) -> Result<Json<Value>, HubError> {
    member(&hub, &caller, &namespace)?;
    hub.jobs.fire_due();
    let desk = hub.jobs.desk();
    Ok(Json(desk.scheduled.iter().filter(|it| it.owner.name == namespace).map(Scheduled::tell).collect()))
}

async fn inspect(Held(hub): Held<Hub>, caller: Caller, Path(at): At) -> Result<Json<Value>, HubError> {
    member(&hub, &caller, &at.0)?;
    with_scheduled(&hub, &at, |it| Json(it.tell()))
}

async fn delete(Held(hub): Held<Hub>, caller: Caller, Path(at): At) -> Result<Json<Value>, HubError> {
    payer(&hub, &caller, &at.0)?;
    let told = with_scheduled(&hub, &at, |it| it.tell())?;
    hub.jobs.desk().scheduled.retain(|it| it.id != at.1);
    Ok(Json(told))
}

async fn suspend(Held(hub): Held<Hub>, caller: Caller, Path(at): At) -> Result<Json<Value>, HubError> {
    payer(&hub, &caller, &at.0)?;
    with_scheduled(&hub, &at, |it| {
        it.suspended = true;
        Json(it.tell())
    })
}

async fn resume(Held(hub): Held<Hub>, caller: Caller, Path(at): At) -> Result<Json<Value>, HubError> {
    payer(&hub, &caller, &at.0)?;
    let now = hub.clock.now();
    with_scheduled(&hub, &at, |it| {
        it.suspended = false;
        it.next = it.schedule.times.after(now);
        Json(it.tell())
    })
}

async fn reschedule(
    Held(hub): Held<Hub>,
    caller: Caller,
    Path(at): At,
    body: Bytes,
) -> Result<Json<Value>, HubError> {
    payer(&hub, &caller, &at.0)?;
    let mut fields = Fields::of(json_body(&body)?, "")?;
    let schedule = Timetable::read(&mut fields);
    fields.end()?;
    let schedule = schedule.ok_or_else(|| HubError::bad("✖ Invalid cron expression\n  → at schedule"))?;
    let now = hub.clock.now();
    with_scheduled(&hub, &at, |it| {
        it.next = schedule.times.after(now);
        it.schedule = schedule;
        Json(it.tell())
    })
}

async fn trigger(Held(hub): Held<Hub>, caller: Caller, Path(at): At) -> Result<Json<Value>, HubError> {
    payer(&hub, &caller, &at.0)?;
    let (last, concurrent) = with_scheduled(&hub, &at, |it| (it.last.clone(), it.concurrent))?;
    if !concurrent && last.is_some_and(|(id, _)| hub.jobs.is_running(&id)) {
        return Err(HubError::new(StatusCode::CONFLICT, "The last job of this schedule is still running"));
    }
    solvent(&hub, &at.0)?;
    let Some(id) = hub.jobs.fire(&at.1) else { return Err(HubError::missing("Scheduled job not found")) };
    let now = hub.clock.now();
    let mut desk = hub.jobs.desk();
    desk.job(&id).map(|job| Json(job.tell(now))).ok_or_else(|| HubError::missing("Job not found"))
}

impl Jobs {
    /// Starts the job of a schedule now; gives its id.
    fn fire(self: &Arc<Self>, schedule: &str) -> Option<String> {
        let (owner, spec) = {
            let desk = self.desk();
            let found = desk.scheduled.iter().find(|it| it.id == schedule)?;
            (found.owner.clone(), found.spec.clone())
        };
        let id = self.begin(owner, json!({"type": "scheduled-job", "id": schedule, "name": null}), spec);
        let now = self.clock.now();
        let mut desk = self.desk();
        let found = desk.scheduled.iter_mut().find(|it| it.id == schedule)?;
        found.last = Some((id.clone(), now));
        Some(id)
    }

    /// Starts every scheduled job whose time has come by the Hub's clock: once each, however long nobody
    /// looked. One that may not run beside itself, or whose namespace cannot pay, is left out this time.
    pub fn fire_due(self: &Arc<Self>) {
        let now = self.clock.now();
        let mut due = Vec::new();
        {
            let mut desk = self.desk();
            for it in &mut desk.scheduled {
                if !it.suspended && it.next.is_some_and(|at| at <= now) {
                    it.next = it.schedule.times.after(now);
                    due.push((it.id.clone(), it.owner.name.clone(), it.concurrent, it.last.clone()));
                }
            }
        }
        for (id, namespace, concurrent, last) in due {
            let busy = !concurrent && last.is_some_and(|(id, _)| self.is_running(&id));
            if !busy && self.credits(&namespace) > 0 {
                self.fire(&id);
            }
        }
    }
}
