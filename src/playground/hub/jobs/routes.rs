//! The API of jobs: create, list, look at, cancel, run again, label, logs, metrics, hardware.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State as Held};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::super::account::account_id;
use super::super::auth::Caller;
use super::super::doors::{Doors, Told, Verb};
use super::super::errors::HubError;
use super::super::shared::Hub;
use super::super::wire::{Query, json_body, page};
use super::fields::Fields;
use super::job::{Job, JobStage, Owner, Why};
use super::{JobSpec, hardware, scheduled, spec, stream};

/// Most jobs on one page.
const PAGE: usize = 100;
const STAGES: [&str; 6] = ["SCHEDULING", "RUNNING", "COMPLETED", "ERROR", "CANCELED", "DELETED"];

const SPEC: &[(&str, &str)] = &[
    ("command", "Command and its arguments"),
    ("dockerImage", "Image of the container"),
    ("spaceId", "Space whose image it is, instead"),
    ("flavor", "Hardware"),
    ("environment", "Environment variables"),
    ("secrets", "Environment variables that are not shown again"),
    ("timeoutSeconds", "Seconds after which it is ended"),
    ("labels", "Labels"),
    ("volumes", "Volumes to mount"),
];

pub(in super::super) fn doors() -> Doors {
    const TAG: &str = "jobs";
    let one = |tail: &str| format!("/api/jobs/{{namespace}}/{{job}}{tail}");
    let list = Told::new(TAG, "List the jobs of a namespace")
        .query(&[("stage", "Only jobs in this stage"), ("label", "Only jobs with this label: key=value")]);
    let logs = Told::new(TAG, "Stream the log of a job").query(&[("tail", "Only so many of the last lines")]);
    Doors::default()
        .add(Verb::Get, "/api/jobs/hardware", Told::new(TAG, "List hardware and prices"), list_hardware)
        .add(Verb::Get, "/api/jobs/{namespace}", list, list_jobs)
        .add(Verb::Post, "/api/jobs/{namespace}", Told::new(TAG, "Start a job").body(SPEC), create)
        .add(Verb::Get, &one(""), Told::new(TAG, "Get a job"), inspect)
        .add(Verb::Get, &one("/logs"), logs, log)
        .add(Verb::Get, &one("/metrics"), Told::new(TAG, "Stream the metrics of a running job"), metrics)
        .add(Verb::Post, &one("/cancel"), Told::new(TAG, "Cancel a job"), cancel)
        .add(Verb::Post, &one("/duplicate"), Told::new(TAG, "Run a job again"), duplicate)
        .add(Verb::Put, &one("/labels"), Told::new(TAG, "Replace the labels of a job"), relabel)
        .and(scheduled::doors())
}

/// The namespace, if the caller may spend in it.
pub(super) fn payer(hub: &Hub, caller: &Caller, namespace: &str) -> Result<Owner, HubError> {
    caller.writer()?;
    hub.look(|state| {
        if !state.has_namespace(namespace) {
            return Err(HubError::missing(format!("There is no user or organization \"{namespace}\"")));
        }
        caller.may_write_in(state, namespace)
    })?;
    Ok(owner(hub, namespace))
}

/// Lets through whoever may see the jobs of a namespace.
pub(super) fn member(hub: &Hub, caller: &Caller, namespace: &str) -> Result<(), HubError> {
    caller.known()?;
    match hub.look(|state| caller.role_in(state, namespace)) {
        Some(_) => Ok(()),
        None => Err(HubError::forbidden(format!("You have no access to the jobs of \"{namespace}\""))),
    }
}

fn owner(hub: &Hub, name: &str) -> Owner {
    let is_org = hub.look(|state| state.orgs.iter().any(|it| it.name == name));
    Owner { id: account_id(name), name: name.to_owned(), kind: if is_org { "org" } else { "user" } }
}

/// Who started it, as a job tells.
pub(super) fn initiator(hub: &Hub, caller: &Caller) -> Result<Value, HubError> {
    Ok(owner(hub, caller.known()?).tell())
}

/// Refuses who cannot pay.
pub(super) fn solvent(hub: &Hub, namespace: &str) -> Result<(), HubError> {
    if hub.jobs.credits(namespace) > 0 {
        return Ok(());
    }
    Err(HubError::new(StatusCode::PAYMENT_REQUIRED, "Pre-paid credit balance is insufficient"))
}

/// Works on a job that the caller may see.
fn with_job<T>(
    hub: &Hub,
    (namespace, id): &(String, String),
    work: impl FnOnce(&mut Job) -> Result<T, HubError>,
) -> Result<T, HubError> {
    let mut desk = hub.jobs.desk();
    let job = desk.job(id).filter(|it| it.owner.name == *namespace);
    job.map_or_else(|| Err(HubError::missing("Job not found")), work)
}

fn tell(hub: &Hub, at: &(String, String)) -> Result<Json<Value>, HubError> {
    let now = hub.clock.now();
    with_job(hub, at, |job| Ok(Json(job.tell(now))))
}

async fn list_hardware() -> Json<Value> {
    Json(hardware::job_catalogue())
}

async fn create(
    Held(hub): Held<Hub>,
    caller: Caller,
    Path(namespace): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, HubError> {
    let owner = payer(&hub, &caller, &namespace)?;
    let spec = JobSpec::read(json_body(&body)?, "")?;
    solvent(&hub, &namespace)?;
    let id = hub.jobs.begin(owner, initiator(&hub, &caller)?, spec);
    // A job that vanishes does so after it was created.
    let now = hub.clock.now();
    let desk = hub.jobs.desk();
    let told = desk.jobs.iter().find(|it| it.id == id).map(|it| it.tell(now));
    Ok(Json(told.unwrap_or_default()))
}

async fn list_jobs(
    Held(hub): Held<Hub>,
    caller: Caller,
    Path(namespace): Path<String>,
    query: Query,
) -> Result<Response, HubError> {
    member(&hub, &caller, &namespace)?;
    hub.jobs.fire_due();
    if let Some(odd) = query.all("stage").find(|it| !STAGES.contains(it)) {
        return Err(HubError::bad(format!("✖ Invalid option: \"{odd}\" is no stage\n  → at stage")));
    }
    let mut labels = Vec::new();
    for label in query.all("label") {
        labels.push(label.split_once('=').ok_or_else(|| HubError::bad("✖ Invalid label\n  → at label"))?);
    }
    let stages: Vec<&str> = query.all("stage").collect();
    let now = hub.clock.now();
    let told: Vec<Value> = {
        let desk = hub.jobs.desk();
        let wanted = |job: &&Job| {
            job.owner.name == namespace
                && !job.gone
                && (stages.is_empty() || stages.contains(&job.stage.word()))
                && labels.iter().all(|(key, value)| job.spec.labels.get(*key).is_some_and(|it| it == value))
        };
        desk.jobs.iter().rev().filter(wanted).map(|it| it.tell(now)).collect()
    };
    page(&format!("{}/api/jobs/{namespace}", hub.addresses.hub), &query, told, PAGE)
}

async fn inspect(
    Held(hub): Held<Hub>,
    caller: Caller,
    Path(at): Path<(String, String)>,
) -> Result<Json<Value>, HubError> {
    member(&hub, &caller, &at.0)?;
    with_job(&hub, &at, |job| refused(job.status_mishap(false)))?;
    tell(&hub, &at)
}

fn refused(status: Option<u16>) -> Result<(), HubError> {
    let Some(status) = status else { return Ok(()) };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Err(HubError::new(status, "Internal Error - We're working hard to fix this as soon as possible!"))
}

async fn log(
    Held(hub): Held<Hub>,
    caller: Caller,
    Path(at): Path<(String, String)>,
    query: Query,
) -> Result<Response, HubError> {
    member(&hub, &caller, &at.0)?;
    let tail = query.number("tail", 0)?;
    with_job(&hub, &at, |job| refused(job.status_mishap(true)))?;
    stream::logs(&hub.jobs, &at.1, tail).ok_or_else(|| HubError::missing("Job not found"))
}

async fn metrics(
    Held(hub): Held<Hub>,
    caller: Caller,
    Path(at): Path<(String, String)>,
) -> Result<Response, HubError> {
    member(&hub, &caller, &at.0)?;
    let stage = with_job(&hub, &at, |job| Ok(job.stage))?;
    if stage.is_over() {
        return Err(HubError::new(StatusCode::NOT_ACCEPTABLE, "The job is not running"));
    }
    Ok(stream::metrics(&hub.jobs, &at.1).into_response())
}

async fn cancel(
    Held(hub): Held<Hub>,
    caller: Caller,
    Path(at): Path<(String, String)>,
) -> Result<Json<Value>, HubError> {
    payer(&hub, &caller, &at.0)?;
    with_job(&hub, &at, |_| Ok(()))?;
    let now = hub.clock.now();
    // One that is over stays as it ended.
    hub.jobs.desk().close(&at.1, now, Why::Canceled);
    tell(&hub, &at)
}

async fn duplicate(
    Held(hub): Held<Hub>,
    caller: Caller,
    Path(at): Path<(String, String)>,
) -> Result<Json<Value>, HubError> {
    let owner = payer(&hub, &caller, &at.0)?;
    let spec = with_job(&hub, &at, |job| Ok(job.spec.clone()))?;
    solvent(&hub, &at.0)?;
    let initiator = json!({"type": "duplicated-job", "id": at.1, "name": null});
    let id = hub.jobs.begin(owner, initiator, spec);
    tell(&hub, &(at.0, id))
}

async fn relabel(
    Held(hub): Held<Hub>,
    caller: Caller,
    Path(at): Path<(String, String)>,
    body: Bytes,
) -> Result<Json<Value>, HubError> {
    payer(&hub, &caller, &at.0)?;
    let mut fields = Fields::of(json_body(&body)?, "")?;
    if !fields.has("labels") {
        fields.complain("labels", "Invalid input: expected record, received undefined");
    }
    let labels = spec::labels(&mut fields);
    fields.end()?;
    with_job(&hub, &at, |job| {
        job.spec.labels = labels;
        Ok(())
    })?;
    tell(&hub, &at)
}

impl super::Jobs {
    /// Whether this job is still on its way.
    pub(super) fn is_running(&self, id: &str) -> bool {
        let mut desk = self.desk();
        desk.job(id).is_some_and(|it| matches!(it.stage, JobStage::Scheduling | JobStage::Running))
    }
}
