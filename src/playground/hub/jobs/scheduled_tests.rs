//! Scheduled jobs by plain HTTP: what comes of a schedule when the clock goes on.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::desk_tests::{Asker, standing};
use super::{JobEnd, JobPlan, Pace};

fn body(schedule: &str) -> Value {
    json!({
        "jobSpec": {"command": ["true"], "dockerImage": "python:3.12", "secrets": {"T": "hf_hidden"}, "timeoutSeconds": 60},
        "schedule": schedule,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_starts_jobs_when_its_time_comes() {
    let (hub, clock) = standing().await;
    let alice = Asker::alice(&hub);
    hub.jobs().every(JobPlan::log(["x"]).at(Pace::ByHand));
    let (status, made) = alice.post("/api/scheduled-jobs/alice", body("@hourly")).await;
    assert_eq!(status, 200, "{made}");
    assert_eq!(made["status"], json!({"lastJob": null, "nextJobRunAt": "2026-11-22T11:00:00.000Z"}));
    assert!(!made.to_string().contains("hf_hidden"), "{made}");
    assert_eq!(made["jobSpec"]["timeout"], 60);
    let at = format!("/api/scheduled-jobs/alice/{}", made["id"].as_str().unwrap());
    clock.advance(Duration::from_secs(3600));
    let (_, told) = alice.get(&at).await;
    let job = told["status"]["lastJob"]["id"].as_str().unwrap().to_owned();
    assert_eq!(told["status"]["nextJobRunAt"], "2026-11-22T12:00:00.000Z");
    // It may not run beside itself: the next hour finds the first one still at it.
    clock.advance(Duration::from_secs(3600));
    assert_eq!(alice.get(&at).await.1["status"]["lastJob"]["id"], json!(job));
    assert_eq!(alice.post(&format!("{at}/run"), json!({})).await.0, 409);
    hub.jobs().finish(&job, JobEnd::Completed);
    let (status, run) = alice.ask("POST", &format!("{at}/run"), None).await;
    assert_eq!((status, &run["initiator"]["type"]), (200, &json!("scheduled-job")));
    hub.jobs().finish(run["id"].as_str().unwrap(), JobEnd::Completed);
    let (_, told) = alice.ask("POST", &format!("{at}/suspend"), None).await;
    assert_eq!((&told["suspend"], &told["status"]["nextJobRunAt"]), (&json!(true), &Value::Null));
    clock.advance(Duration::from_secs(86_400));
    assert_eq!(alice.get("/api/scheduled-jobs/alice").await.1[0]["status"]["lastJob"]["id"], run["id"]);
    let (_, told) = alice.post(&format!("{at}/schedule"), json!({"schedule": "0 9 * * 1"})).await;
    assert_eq!(told["schedule"], "0 9 * * 1");
    let (_, told) = alice.ask("POST", &format!("{at}/resume"), None).await;
    assert_eq!(told["status"]["nextJobRunAt"], "2026-11-30T09:00:00.000Z");
    assert_eq!(alice.ask("DELETE", &at, None).await.0, 200);
    assert_eq!(alice.get(&at).await.0, 404);
    assert_eq!(hub.jobs().all().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_that_is_none_is_refused() {
    let (hub, _clock) = standing().await;
    let alice = Asker::alice(&hub);
    for (body, problem) in [
        (body("every day"), "Invalid cron expression\n  → at schedule"),
        (json!({"schedule": "@daily"}), "→ at jobSpec"),
        (json!({"schedule": "@daily", "jobSpec": {"command": ["a"]}}), "→ at jobSpec.dockerImage"),
        (json!({"schedule": "@daily", "jobSpec": {"command": ["a"], "dockerImage": "a"}, "x": 1}), "\"x\""),
    ] {
        let (status, told) = alice.post("/api/scheduled-jobs/alice", body).await;
        assert_eq!(status, 400);
        assert!(told["error"].as_str().unwrap().contains(problem), "{told}");
    }
}
