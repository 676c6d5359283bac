//! What is sent to the Hub about jobs, beside what huggingface_hub 2.4.0 was recorded to send for the same.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;
use futures::StreamExt;
use ml_intern::clients::hub::jobs::{
    JobFilter, LogPoint, LogWish, NewJob, NewSchedule, Source, Volume, VolumeKind,
};
use ml_intern::clients::hub::{Hub, HubError, Patience};
use ml_intern::secret::Secret;
use serde_json::{Value, json};

const TOKEN: &str = "hf_testtoken";
const JOB: &str = "687fb701029421ae5549d998";
const IDLE: Duration = Duration::from_secs(5);
const LOG: &str = ": keep-alive\n\ndata: {\"data\": \"===== Job started at 2026-11-22 10:00:00 =====\", \"timestamp\": \"2026-11-22T10:00:00.000Z\"}\n\n\
                   data: {\"data\": \"line one\", \"timestamp\": \"2026-11-22T10:00:01.000Z\"}\n\n\
                   data: {\"data\": \"line two\", \"timestamp\": \"2026-11-22T10:00:02.000Z\"}\n\n";

fn recorded(name: &str) -> Value {
    let all: Value = serde_json::from_str(include_str!("recorded/jobs.json")).unwrap();
    all["calls"][name].clone()
}

/// Answers as recorded, and notes what it is sent.
#[derive(Clone, Default)]
struct Desk {
    answer: Arc<Mutex<(u16, Value)>>,
    seen: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Desk {
    async fn open() -> (Self, Hub) {
        ml_intern::clients::http::install_tls();
        let desk = Self::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (at, app) = (desk.clone(), axum::Router::new());
        let app = app.fallback(move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
            let desk = at.clone();
            async move { desk.take(&method, &uri, &headers, &body) }
        });
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        let hub = Hub::new(&url, Some(Secret::new(TOKEN))).unwrap().with_patience(Patience::none());
        (desk, hub)
    }

    fn take(&self, method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Response {
        assert_eq!(headers["authorization"], format!("Bearer {TOKEN}"));
        let target = uri.path_and_query().unwrap().as_str().replace("%3D", "=");
        let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(body).unwrap() };
        self.seen.lock().unwrap().push((format!("{method} {target}"), body));
        let (status, answer) = self.answer.lock().unwrap().clone();
        let text = if answer == json!("<stream>") { LOG.to_owned() } else { answer.to_string() };
        Response::builder().status(StatusCode::from_u16(status).unwrap()).body(Body::from(text)).unwrap()
    }

    /// Answers the next call as this recorded one was answered.
    fn like(&self, name: &str) {
        let recorded = recorded(name);
        let status = u16::try_from(recorded["status"].as_u64().unwrap()).unwrap();
        *self.answer.lock().unwrap() = (status, recorded["answer"].clone());
        self.seen.lock().unwrap().clear();
    }

    /// What was sent is what was recorded.
    fn sent(&self, name: &str) {
        let recorded = recorded(name);
        let line = recorded["line"].as_str().unwrap().to_owned();
        assert_eq!(*self.seen.lock().unwrap(), [(line, recorded["body"].clone())], "{name}");
    }
}

fn job(source: Source, command: &[&str], labels: &[(&str, &str)]) -> NewJob {
    let pairs = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect::<BTreeMap<_, _>>()
    };
    NewJob {
        source,
        command: command.iter().map(|word| (*word).to_owned()).collect(),
        environment: BTreeMap::new(),
        secrets: BTreeMap::new(),
        flavor: "cpu-basic".to_owned(),
        timeout_s: None,
        labels: pairs(labels),
        volumes: Vec::new(),
    }
}

fn one(key: &str, value: &str) -> BTreeMap<String, String> {
    BTreeMap::from([(key.to_owned(), value.to_owned())])
}

/// The jobs as they were recorded, with the call that they stand for.
fn jobs() -> Vec<(&'static str, &'static str, NewJob)> {
    let python = || Source::Image("python:3.12".to_owned());
    let uv = || Source::Image("ghcr.io/astral-sh/uv:python3.12-bookworm".to_owned());
    let space = |page: &str, name: &str| job(Source::read(page), &["duckdb"], &[("name", name)]);
    let secret = BTreeMap::from([("HF_TOKEN".to_owned(), Secret::new("hf_secret"))]);
    let sft = "https://raw.githubusercontent.com/huggingface/trl/main/trl/scripts/sft.py";
    let volume = |kind, source: &str, mount: &str, read_only| Volume {
        kind,
        source: source.to_owned(),
        mount: mount.to_owned(),
        read_only,
    };
    vec![
        (
            "run_job_min",
            "alice",
            job(python(), &["python", "-c", "print(1)"], &[("name", "python-3-12-3212e188")]),
        ),
        (
            "run_job_full",
            "acme",
            NewJob {
                environment: one("FOO", "1"),
                secrets: secret,
                flavor: "a10g-small".to_owned(),
                timeout_s: Some(7_200),
                ..job(
                    Source::read("pytorch/pytorch:2.6.0-cuda12.4-cudnn9-devel"),
                    &["bash", "-lc", "nvidia-smi"],
                    &[("name", "pytorch-2-6-0-cuda12-4-cudnn9-devel-e0adc808")],
                )
            },
        ),
        (
            "run_job_labels",
            "alice",
            NewJob {
                timeout_s: Some(90),
                ..job(python(), &["true"], &[("k", "v"), ("name", "python-3-12-1c21b5e4")])
            },
        ),
        (
            "run_job_volumes",
            "alice",
            NewJob {
                volumes: vec![
                    volume(VolumeKind::Dataset, "alice/d", "/data", None),
                    volume(VolumeKind::Bucket, "alice/b", "/out", Some(false)),
                ],
                ..job(python(), &["ls", "/data"], &[("name", "python-3-12-ed17d718")])
            },
        ),
        (
            "run_job_space_image",
            "alice",
            space("https://huggingface.co/spaces/lhoestq/duckdb", "lhoestq-duckdb-8ae1c7e9"),
        ),
        (
            "run_job_space_image_hfco",
            "alice",
            space("hf.co/spaces/lhoestq/duckdb", "lhoestq-duckdb-a24acb5f"),
        ),
        (
            "run_uv_job_inline_command",
            "alice",
            job(uv(), &["uv", "run", "python", "-c", "print(1)"], &[("name", "python-d5a1b406")]),
        ),
        (
            "run_uv_job_url",
            "alice",
            NewJob {
                flavor: "a10g-large".to_owned(),
                ..job(uv(), &["uv", "run", "--with", "trl", sft, "--model", "x"], &[("name", "sft-e2bd3904")])
            },
        ),
    ]
}

#[tokio::test]
async fn a_job_is_begun_as_the_official_client_does() {
    let (desk, hub) = Desk::open().await;
    for (name, namespace, job) in jobs() {
        desk.like(name);
        let begun = hub.run_job(namespace, &job).await.unwrap();
        desk.sent(name);
        assert_eq!((begun.id.as_str(), begun.status.stage.as_str()), (JOB, "RUNNING"));
    }
}

#[tokio::test]
async fn jobs_are_looked_at_and_ended_as_the_official_client_does() {
    let (desk, hub) = Desk::open().await;
    let filter = JobFilter { stages: vec!["RUNNING".to_owned()], labels: one("k", "v") };
    for (name, namespace, filter) in [
        ("list_jobs", "alice", JobFilter::default()),
        ("list_jobs_ns", "acme", JobFilter::default()),
        ("list_jobs_filter", "alice", filter),
    ] {
        desk.like(name);
        let listed = hub.jobs(namespace, &filter, 100).await.unwrap();
        desk.sent(name);
        assert!(listed.items[0].id == JOB && !listed.more);
    }
    for (name, namespace) in [("inspect_job", "alice"), ("inspect_job_ns", "acme")] {
        desk.like(name);
        let job = hub.job(namespace, JOB).await.unwrap();
        desk.sent(name);
        assert_eq!((job.status.stage.as_str(), job.owner.name.as_str()), ("COMPLETED", "alice"));
    }
    for (name, namespace) in [("cancel_job", "alice"), ("cancel_job_ns", "acme")] {
        desk.like(name);
        hub.cancel_job(namespace, JOB).await.unwrap();
        desk.sent(name);
    }
    desk.like("update_job_labels");
    hub.label_job("alice", JOB, &one("a", "b")).await.unwrap();
    desk.sent("update_job_labels");
    desk.like("list_jobs_hardware");
    assert_eq!(hub.job_hardware().await.unwrap()[0]["name"], "cpu-basic");
    desk.sent("list_jobs_hardware");
}

#[tokio::test]
async fn jobs_on_a_schedule_are_kept_as_the_official_client_does() {
    let (desk, hub) = Desk::open().await;
    let secret = BTreeMap::from([("HF_TOKEN".to_owned(), Secret::new("hf_secret"))]);
    let hourly = NewSchedule {
        job: NewJob {
            environment: one("A", "1"),
            secrets: secret,
            flavor: "cpu-upgrade".to_owned(),
            timeout_s: Some(1_800),
            ..jobs()[0].2.clone()
        },
        schedule: "@hourly".to_owned(),
        suspend: Some(false),
        concurrency: Some(true),
    };
    let daily = NewSchedule {
        job: job(
            Source::read("ghcr.io/astral-sh/uv:python3.12-bookworm"),
            &["uv", "run", "https://example.com/s.py"],
            &[("name", "s-8cc3ff63")],
        ),
        schedule: "@daily".to_owned(),
        suspend: None,
        concurrency: None,
    };
    for (name, new) in [("create_scheduled_job", hourly), ("create_scheduled_uv_job_url", daily)] {
        desk.like(name);
        let kept = hub.schedule_job("alice", &new).await.unwrap();
        desk.sent(name);
        assert_eq!((kept.id.as_str(), kept.next_run()), ("68aaaa", Some("2026-11-22T10:00:00.000Z")));
    }
    desk.like("list_scheduled_jobs");
    assert_eq!(hub.scheduled_jobs("alice", 10).await.unwrap().items.len(), 1);
    desk.sent("list_scheduled_jobs");
    desk.like("inspect_scheduled_job");
    assert_eq!(hub.scheduled_job("alice", "68aaaa").await.unwrap().schedule, "@daily");
    desk.sent("inspect_scheduled_job");
    desk.like("delete_scheduled_job");
    hub.delete_scheduled_job("alice", "68aaaa").await.unwrap();
    desk.sent("delete_scheduled_job");
    desk.like("suspend_scheduled_job");
    hub.suspend_scheduled_job("alice", "68aaaa").await.unwrap();
    desk.sent("suspend_scheduled_job");
    desk.like("resume_scheduled_job");
    hub.resume_scheduled_job("alice", "68aaaa").await.unwrap();
    desk.sent("resume_scheduled_job");
}

#[tokio::test]
async fn a_log_is_read_as_the_official_client_does_and_goes_on_where_it_was_left() {
    let (desk, hub) = Desk::open().await;
    for (name, tail) in
        [("fetch_job_logs", None), ("fetch_job_logs_follow", None), ("fetch_job_logs_tail", Some(50))]
    {
        desk.like(name);
        let wish = LogWish { tail, ..LogWish::default() };
        let lines: Vec<_> =
            hub.follow_job("alice", JOB, wish, IDLE).await.unwrap().into_stream().collect().await;
        desk.sent(name);
        let texts: Vec<String> = lines.into_iter().map(|line| line.unwrap().text).collect();
        assert_eq!(texts, ["line one", "line two"]);
    }
    let mut from = LogPoint::default();
    let mut lines = hub.follow_job("alice", JOB, LogWish::default(), IDLE).await.unwrap();
    from.pass(&lines.next().await.unwrap().unwrap());
    let wish = LogWish { from, tail: None };
    let mut lines = hub.follow_job("alice", JOB, wish, IDLE).await.unwrap();
    assert_eq!(lines.next().await.unwrap().unwrap().text, "line two");
    assert_eq!(lines.next().await.unwrap(), None);
    desk.like("fetch_job_metrics");
    let events: Vec<_> = hub.job_metrics("alice", JOB, IDLE).await.unwrap().collect().await;
    desk.sent("fetch_job_metrics");
    assert_eq!(events.len(), 3);
}

#[tokio::test]
async fn refusals_keep_their_meaning_and_a_job_is_never_asked_for_twice() {
    let (desk, hub) = Desk::open().await;
    let job = jobs().remove(0).2;
    desk.like("err_run_job_402");
    let error = hub.run_job("alice", &job).await.unwrap_err();
    let HubError::Payment { message, link } = &error else { panic!("{error}") };
    assert_eq!(message, "Pre-paid credit balance is insufficient");
    assert!(link.ends_with("/settings/billing"), "{link}");
    let hub = hub.with_patience(Patience { base: Duration::from_millis(1), ..Patience::default() });
    for (status, sent) in [(403, 1), (500, 1), (503, 1)] {
        desk.seen.lock().unwrap().clear();
        *desk.answer.lock().unwrap() = (status, json!({ "error": "no" }));
        hub.run_job("alice", &job).await.unwrap_err();
        assert_eq!(desk.seen.lock().unwrap().len(), sent, "{status}");
    }
    for (namespace, id) in [("..", JOB), ("alice", ".."), ("alice", ""), ("", JOB)] {
        desk.seen.lock().unwrap().clear();
        assert!(hub.job(namespace, id).await.is_err(), "{namespace} {id}");
        assert_eq!(*desk.seen.lock().unwrap(), []);
    }
}
