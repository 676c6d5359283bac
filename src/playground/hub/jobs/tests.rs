//! Jobs by plain HTTP: real processes, played logs, streams that break, money and rights.

use std::time::Duration;

use base64::Engine;
use serde_json::{Value, json};

use super::super::desk_tests::{Answer, Asker, standing, until};
use super::super::{HubOptions, SmallHub};
use super::{Cut, JobEnd, JobPlan, JobStage, JobView, Mishap, Pace};
use crate::clock::Clock;

fn job(command: Value) -> Value {
    json!({"command": command, "arguments": [], "environment": {}, "flavor": "cpu-basic", "dockerImage": "python:3.12"})
}

async fn begin(alice: &Asker, body: Value) -> String {
    let (status, told) = alice.post("/api/jobs/alice", body).await;
    assert_eq!(status, 200, "{told}");
    told["id"].as_str().unwrap().to_owned()
}

async fn ended(hub: &SmallHub, id: &str) -> JobView {
    until("the end of a job", async || hub.jobs().job(id).filter(|it| it.stage.is_over())).await
}

/// Runs a command to its end with the machine's clock.
async fn ran(body: Value) -> (SmallHub, JobView, Vec<String>) {
    let hub = SmallHub::start(HubOptions::new(Clock::system())).await.unwrap();
    let id = begin(&Asker::alice(&hub), body).await;
    let view = ended(&hub, &id).await;
    let lines = hub.jobs().lines(&id);
    (hub, view, lines)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_runs_for_real_with_its_own_environment_and_no_other() {
    let script = "import os, sys\nprint('hello', os.environ['A'], len(os.environ['S']))\nprint(sorted(os.environ), file=sys.stderr)";
    let mut body = job(json!(["python", "-c", script]));
    body["environment"] = json!({"A": "b", "HF_ENDPOINT": "https://huggingface.co"});
    body["secrets"] = json!({"S": "hf_verysecret"});
    let (hub, view, lines) = ran(body).await;
    assert_eq!(view.stage, JobStage::Completed, "{lines:?}");
    assert!(lines[0].starts_with("===== Job started at 20"), "{lines:?}");
    assert_eq!(lines[1], "hello b 13");
    assert!(!lines[2].contains("CARGO") && lines[2].contains("'HF_ENDPOINT'"), "{lines:?}");
    let (_, told) = Asker::alice(&hub).get(&format!("/api/jobs/alice/{}", view.id)).await;
    assert!(!told.to_string().contains("verysecret"), "{told}");
    assert_eq!((&told["status"]["stage"], &told["secrets"]), (&json!("COMPLETED"), &json!({})));
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_arrive_as_the_tools_send_them() {
    let script = "import sys\nprint('trained', sys.argv[1:])\n";
    let code = base64::engine::general_purpose::STANDARD.encode(script);
    let piped = format!("echo {code} | base64 -d | uv run --with trl --with torch -p 3.12 - --epochs 1");
    let (_hub, view, lines) = ran(job(json!(["bash", "-lc", piped]))).await;
    assert_eq!(view.stage, JobStage::Completed, "{lines:?}");
    assert!(lines.contains(&"Installed 2 packages in 1ms".to_owned()), "{lines:?}");
    assert_eq!(lines.last().unwrap(), "trained ['--epochs', '1']");
    // A login shell in a login shell, as wrapped commands come.
    let nested = format!("exec /bin/sh -lc 'echo {code} | base64 -d | uv run - x'");
    let (_hub, view, lines) = ran(job(json!(["/bin/sh", "-lc", nested]))).await;
    assert_eq!((view.stage, lines.last().unwrap().as_str()), (JobStage::Completed, "trained ['x']"));
    let (_hub, view, lines) =
        ran(job(json!(["uv", "run", "--with", "trl", "python", "-c", "print(2)"]))).await;
    assert_eq!((view.stage, lines.last().unwrap().as_str()), (JobStage::Completed, "2"));
    let (_hub, view, lines) = ran(job(json!(["uv", "run", "https://example.com/train.py"]))).await;
    assert_eq!(view.stage, JobStage::Error);
    assert!(lines.last().unwrap().contains("fetches nothing from other machines"), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_fails_is_an_error_with_its_exit_code() {
    for (command, code) in [
        (json!(["python", "-c", "raise SystemExit(3)"]), 3),
        (json!(["no-such-program"]), 127),
        (json!(["sh", "-c", "kill -9 $$"]), 137),
    ] {
        let (_hub, view, lines) = ran(job(command)).await;
        let message = format!("Job failed with exit code: {code}. Reason: Error");
        assert_eq!((view.stage, view.message), (JobStage::Error, Some(message)), "{lines:?}");
    }
    let mut body = job(json!(["sh", "-c", "exit 1"]));
    body["attempts"] = 3.into();
    let (_hub, _, lines) = ran(body).await;
    assert_eq!(lines.len(), 3, "each try says that it began: {lines:?}");
}

fn is_alive(pid: i32) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    state.rsplit(')').next().is_some_and(|it| it.trim_start().starts_with(['R', 'S', 'D']))
}

#[tokio::test(flavor = "multi_thread")]
async fn cancel_and_timeout_end_the_whole_process_group() {
    let (hub, clock) = standing().await;
    let alice = Asker::alice(&hub);
    for by_hand in [true, false] {
        let mut body = job(json!(["sh", "-c", "sleep 300 & echo $!; wait"]));
        body["timeoutSeconds"] = 60.into();
        let id = begin(&alice, body).await;
        let pid: i32 =
            until("its child", async || hub.jobs().lines(&id).get(1).map(|it| it.parse().unwrap())).await;
        assert!(is_alive(pid));
        let expected = if by_hand {
            let (status, told) = alice.ask("POST", &format!("/api/jobs/alice/{id}/cancel"), None).await;
            assert_eq!((status, &told["status"]["stage"]), (200, &json!("CANCELED")));
            (JobStage::Canceled, None)
        } else {
            clock.advance(Duration::from_secs(61));
            (JobStage::Error, Some("Job timeout".to_owned()))
        };
        let view = ended(&hub, &id).await;
        assert_eq!((view.stage, view.message), expected);
        until("its child to be gone", async || (!is_alive(pid)).then_some(())).await;
    }
}

/// The `data` fields of a log's events, as far as the stream goes, and whether it ended well.
async fn read_log(alice: &Asker, id: &str, query: &str) -> (Vec<String>, bool) {
    let path = format!("/api/jobs/alice/{id}/logs{query}");
    let mut answer = alice.request("GET", &path).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let mut text = Vec::new();
    let whole = loop {
        match answer.chunk().await {
            Ok(Some(bytes)) => text.extend_from_slice(&bytes),
            Ok(None) => break true,
            Err(_) => break false,
        }
    };
    let text = String::from_utf8_lossy(&text).into_owned();
    let events = text.split("\n\n").filter_map(|it| it.strip_prefix("data: "));
    let events = events.filter_map(|it| serde_json::from_str::<Value>(it).ok());
    (events.map(|it| it["data"].as_str().unwrap().to_owned()).collect(), whole)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_stream_drops_forty_times_and_begins_again_each_time() {
    let (hub, _clock) = standing().await;
    let alice = Asker::alice(&hub);
    let lines: Vec<String> = (0..100).map(|it| format!("line {it}")).collect();
    for how in [Cut::Torn, Cut::Clean] {
        hub.jobs().next(JobPlan::log(lines.clone()).with(Mishap::DropLogs { every: 10, times: 40, how }));
        let id = begin(&alice, job(json!(["true"]))).await;
        for _ in 0..40 {
            let (seen, whole) = read_log(&alice, &id, "").await;
            assert_eq!((seen.len(), seen[9].as_str(), whole), (10, "line 8", how == Cut::Clean));
        }
        let (seen, whole) = read_log(&alice, &id, "").await;
        assert_eq!(
            (seen[0].as_str(), seen.len(), whole),
            ("===== Job started at 2026-11-22 10:00:00 =====", 101, true)
        );
        let (seen, _) = read_log(&alice, &id, "?tail=3").await;
        assert_eq!(seen, ["line 97", "line 98", "line 99"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_played_by_hand_is_followed_to_its_end() {
    let (hub, clock) = standing().await;
    let alice = Asker::alice(&hub);
    hub.jobs().keep_alive_every(Duration::from_millis(30));
    hub.jobs().next(JobPlan::log(["a", "b"]).at(Pace::ByHand).ends(JobEnd::Failed(1)));
    let id = begin(&alice, job(json!(["true"]))).await;
    let mut stream = alice.request("GET", &format!("/api/jobs/alice/{id}/logs")).send().await.unwrap();
    let mut seen = String::new();
    while !seen.contains("keep-alive") {
        seen.push_str(std::str::from_utf8(&stream.chunk().await.unwrap().unwrap()).unwrap());
    }
    clock.advance(Duration::from_secs(90));
    assert_eq!((hub.jobs().play(&id, 1), hub.jobs().job(&id).unwrap().stage), (1, JobStage::Running));
    while !seen.contains("\"a\"") {
        seen.push_str(std::str::from_utf8(&stream.chunk().await.unwrap().unwrap()).unwrap());
    }
    assert!(seen.contains("data: {\"data\":\"a\",\"timestamp\":\"2026-11-22T10:01:30.000Z\"}\n\n"), "{seen}");
    assert_eq!(hub.jobs().play(&id, 5), 1);
    while let Some(bytes) = stream.chunk().await.unwrap() {
        seen.push_str(std::str::from_utf8(&bytes).unwrap());
    }
    assert!(seen.contains("\"b\""));
    let view = hub.jobs().job(&id).unwrap();
    // A minute and a half at 167 micro-dollars a minute, rounded up.
    assert_eq!((view.stage, view.billed), (JobStage::Error, Some(251)));
    assert_eq!(hub.jobs().credits("alice"), 100_000_000 - 251);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_of_two_gigabytes_comes_piece_by_piece() {
    let (hub, _clock) = standing().await;
    let alice = Asker::alice(&hub);
    hub.jobs().next(JobPlan::endless_log(2 << 30, 100).ends(JobEnd::Never));
    let id = begin(&alice, job(json!(["true"]))).await;
    assert_eq!(hub.jobs().job(&id).unwrap().lines, (2 << 30) / 100 + 1);
    let mut stream = alice.request("GET", &format!("/api/jobs/alice/{id}/logs")).send().await.unwrap();
    let mut read = 0;
    while read < 3_000_000 {
        read += stream.chunk().await.unwrap().unwrap().len();
    }
    drop(stream);
    let path = format!("/api/jobs/alice/{id}/logs?tail=2");
    let mut stream = alice.request("GET", &path).send().await.unwrap();
    let last = stream.chunk().await.unwrap().unwrap();
    let last = std::str::from_utf8(&last).unwrap();
    assert_eq!(last.matches("data: ").count(), 2);
    assert!(last.contains("'step': 21474835"), "{last}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_wrong_with_a_job_is_told_as_the_hub_tells_it() {
    let (hub, clock) = standing().await;
    let alice = Asker::alice(&hub);
    let plan = JobPlan::log(["x".repeat(1 << 20), "bell \u{7}\u{1b}[31m\u{fffd}\0".to_owned()])
        .starts_after(Duration::from_secs(30))
        .with(Mishap::Garbage { before: 1 })
        .with(Mishap::LogStatus { status: 500, times: 2 })
        .with(Mishap::JobStatus { status: 503, times: 1 });
    hub.jobs().next(plan);
    let id = begin(&alice, job(json!(["true"]))).await;
    let at = format!("/api/jobs/alice/{id}");
    assert_eq!(alice.get(&at).await.0, 503);
    assert_eq!(alice.get(&at).await.1["status"]["stage"], "SCHEDULING");
    clock.advance(Duration::from_secs(31));
    ended(&hub, &id).await;
    assert_eq!(
        alice.get(&at).await.1["durations"],
        json!({"schedulingSecs": 31, "runningSecs": 0, "totalSecs": 31})
    );
    for _ in 0..2 {
        assert_eq!(alice.get(&format!("{at}/logs")).await.0, 500);
    }
    let (seen, _) = read_log(&alice, &id, "").await;
    assert_eq!((seen.len(), seen[1].len()), (3, 1 << 20), "garbage hides no line");
    assert_eq!(alice.get(&format!("{at}/metrics")).await.0, 406);
    hub.jobs().strike(&id, Mishap::Vanish);
    let not_found: Answer = (404, json!({"error": "Job not found"}));
    assert_eq!(alice.get(&at).await, not_found);
    assert_eq!(alice.get("/api/jobs/alice").await.1, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_or_cannot_pay_hears_so() {
    let (hub, _clock) = standing().await;
    let body = job(json!(["true"]));
    for (token, namespace, status) in [
        (None, "alice", 401),
        (Some("hf_wrong".to_owned()), "alice", 401),
        (Some(HubOptions::read_token_of("alice")), "alice", 403),
        (Some(HubOptions::token_of("bob")), "acme", 403),
        (Some(HubOptions::token_of("carol")), "alice", 403),
        (Some(HubOptions::token_of("alice")), "nobody", 404),
    ] {
        let somebody = Asker::new(hub.url(), token);
        let path = format!("/api/jobs/{namespace}");
        assert_eq!(somebody.post(&path, body.clone()).await.0, status, "{namespace} {status}");
    }
    hub.jobs().set_credits("acme", 0);
    let alice = Asker::alice(&hub);
    let refused: Answer = (402, json!({"error": "Pre-paid credit balance is insufficient"}));
    assert_eq!(alice.post("/api/jobs/acme", body.clone()).await, refused);
    let (status, told) = alice.post("/api/jobs/alice", json!({"command": ["a"], "flavor": "h100"})).await;
    assert_eq!(status, 400);
    assert!(told["error"].as_str().unwrap().contains("→ at flavor"), "{told}");
    assert!(hub.jobs().all().is_empty());
    // Members see an organisation's jobs; strangers do not.
    let id = begin(&alice, body).await;
    let bob = Asker::new(hub.url(), Some(HubOptions::token_of("bob")));
    assert_eq!(bob.get("/api/jobs/acme").await.0, 200);
    assert_eq!(bob.get(&format!("/api/jobs/alice/{id}")).await.0, 403);
    assert_eq!(alice.get(&format!("/api/jobs/acme/{id}")).await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_listed_labelled_and_run_again() {
    let (hub, _clock) = standing().await;
    let alice = Asker::alice(&hub);
    hub.jobs().every(JobPlan::log(["x"]).at(Pace::ByHand));
    let mut body = job(json!(["true"]));
    body["labels"] = json!({"name": "one", "k": "v"});
    let first = begin(&alice, body).await;
    let second = begin(&alice, job(json!(["false"]))).await;
    hub.jobs().finish(&second, JobEnd::Completed);
    let ids = async |query: &str| -> Vec<String> {
        let (status, told) = alice.get(&format!("/api/jobs/alice{query}")).await;
        assert_eq!(status, 200, "{told}");
        told.as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids("").await, [second.clone(), first.clone()]);
    assert_eq!(ids("?stage=RUNNING&label=k%3Dv").await, std::slice::from_ref(&first));
    assert_eq!(ids("?stage=COMPLETED&stage=ERROR").await, [second]);
    assert_eq!(alice.get("/api/jobs/alice?stage=FAILED").await.0, 400);
    let labels = json!({"labels": {"a": "b"}});
    let (_, told) = alice.ask("PUT", &format!("/api/jobs/alice/{first}/labels"), Some(labels)).await;
    assert_eq!(told["labels"], json!({"a": "b"}));
    let (_, again) = alice.ask("POST", &format!("/api/jobs/alice/{first}/duplicate"), None).await;
    assert_eq!((&again["command"], &again["labels"]), (&json!(["true"]), &json!({"a": "b"})));
    assert_ne!(again["id"], json!(first));
    assert_eq!(again["initiator"]["type"], "duplicated-job");
}
