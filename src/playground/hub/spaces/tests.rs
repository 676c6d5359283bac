//! Spaces by plain HTTP: how they come up, what runs in them, who gets in.

use std::time::Duration;

use base64::Engine;
use serde_json::{Value, json};

use super::super::desk_tests::{Asker, standing, until};
use super::super::{HubOptions, SmallHub};
use super::{Builds, SpaceStage};

const SERVER: &str = "
import http.server, os, sys
class Answer(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        sent = self.rfile.read(int(self.headers['Content-Length'] or 0)).decode()
        said = [self.path, sent, self.headers['X-Sandbox-Authorization'], self.headers['Authorization'], os.environ.get('K')]
        body = repr(said).encode()
        if self.path == '/stop': os._exit(4)
        self.send_response(418)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
print('serving', flush=True)
http.server.HTTPServer(('127.0.0.1', int(os.environ['PORT'])), Answer).serve_forever()
";
const SPACE: &str = "alice/my-sandbox";

async fn create(alice: &Asker, more: Value) {
    let mut body = json!({
        "name": "my-sandbox", "organization": "alice", "type": "space", "sdk": "docker", "visibility": "private",
    });
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    let (status, told) = alice.post("/api/repos/create", body).await;
    assert_eq!(status, 200, "{told}");
}

async fn commit(alice: &Asker, files: &[(&str, &str)]) {
    let mut lines =
        vec![json!({"key": "header", "value": {"summary": "Set up", "description": ""}}).to_string()];
    for (path, text) in files {
        let content = base64::engine::general_purpose::STANDARD.encode(text);
        let file = json!({"path": path, "content": content, "encoding": "base64"});
        lines.push(json!({"key": "file", "value": file}).to_string());
    }
    let request = alice.request("POST", &format!("/api/spaces/{SPACE}/commit/main"));
    let request = request.header("content-type", "application/x-ndjson").body(lines.join("\n"));
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
}

async fn runtime(alice: &Asker) -> Value {
    alice.get(&format!("/api/spaces/{SPACE}/runtime")).await.1
}

async fn reaches(hub: &SmallHub, stage: SpaceStage) {
    until(stage.word(), async || hub.spaces().stage(SPACE).filter(|it| *it == stage)).await;
}

/// Somebody at the edge of Spaces.
fn visitor(hub: &SmallHub, token: Option<&str>) -> Asker {
    let address = hub.spaces_url().replace("{space}", "alice-my-sandbox");
    Asker::new(&address, token.map(HubOptions::token_of))
}

/// A Hub on which the sandbox runs.
async fn running() -> (SmallHub, crate::clock::Clock, Asker) {
    let (hub, clock) = standing().await;
    let alice = Asker::alice(&hub);
    create(
        &alice,
        json!({"secrets": [{"key": "K", "value": "first"}], "hardware": "t4-small", "sleepTimeSeconds": 300}),
    )
    .await;
    commit(&alice, &[("sandbox_server.py", SERVER), ("Dockerfile", "FROM python:3.12")]).await;
    reaches(&hub, SpaceStage::Running).await;
    (hub, clock, alice)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_committed_server_runs_behind_an_edge_that_keeps_the_token() {
    let (hub, _clock, _alice) = running().await;
    let guest = visitor(&hub, Some("alice"));
    let request = guest.request("POST", "/api/bash?x=1").header("x-sandbox-authorization", "Bearer inner");
    let answer = request.body("hello").send().await.unwrap();
    assert_eq!(answer.status(), 418);
    assert_eq!(answer.text().await.unwrap(), "['/api/bash?x=1', 'hello', 'Bearer inner', None, 'first']");
    for token in [None, Some("carol")] {
        let stranger = visitor(&hub, token);
        assert_eq!(stranger.ask("POST", "/api/bash", None).await.0, 404);
    }
    let wrong =
        Asker::new(&hub.spaces_url().replace("{space}", "alice-my-sandbox"), Some("hf_wrong".to_owned()));
    assert_eq!(wrong.ask("POST", "/api/bash", None).await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_space_is_built_by_hand_and_without_a_server_it_serves_nobody() {
    let (hub, _clock) = standing().await;
    let alice = Asker::alice(&hub);
    hub.spaces().builds(Builds::ByHand);
    create(&alice, json!({})).await;
    assert_eq!(runtime(&alice).await["stage"], "NO_APP_FILE");
    commit(&alice, &[("Dockerfile", "FROM python:3.12")]).await;
    let told = runtime(&alice).await;
    assert_eq!((&told["stage"], &told["hardware"]["current"]), (&json!("BUILDING"), &Value::Null));
    assert_eq!(visitor(&hub, Some("alice")).get("/api/health").await.0, 503);
    hub.spaces().built(SPACE);
    assert_eq!(runtime(&alice).await["hardware"], json!({"current": "cpu-basic", "requested": "cpu-basic"}));
    let (status, page) = visitor(&hub, Some("alice")).get("/api/health").await;
    assert_eq!((status, page.to_string().contains("stage RUNNING")), (503, true), "{page}");
    commit(&alice, &[("sandbox_server.py", SERVER)]).await;
    assert_eq!(runtime(&alice).await["stage"], "BUILDING");
    hub.spaces().built(SPACE);
    reaches(&hub, SpaceStage::Running).await;
    assert_eq!(visitor(&hub, Some("alice")).ask("POST", "/x", None).await.0, 418);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_takes_its_time_fails_or_crashes() {
    let (hub, clock) = standing().await;
    let alice = Asker::alice(&hub);
    create(&alice, json!({})).await;
    hub.spaces().builds(Builds::Take(Duration::from_secs(60)));
    commit(&alice, &[("Dockerfile", "1")]).await;
    // Looked at once, so that the build has begun before the clock goes on.
    assert_eq!(runtime(&alice).await["stage"], "BUILDING");
    clock.advance(Duration::from_secs(59));
    assert_eq!(runtime(&alice).await["stage"], "BUILDING");
    clock.advance(Duration::from_secs(1));
    reaches(&hub, SpaceStage::Running).await;
    for (how, stage) in [
        (Builds::Fail("no space left".to_owned()), "BUILD_ERROR"),
        (Builds::Crash("no space left".to_owned()), "RUNTIME_ERROR"),
    ] {
        hub.spaces().builds(how);
        commit(&alice, &[("Dockerfile", stage)]).await;
        let told = runtime(&alice).await;
        assert_eq!((&told["stage"], &told["errorMessage"]), (&json!(stage), &json!("no space left")));
    }
    hub.spaces().builds(Builds::AtOnce);
    commit(&alice, &[("sandbox_server.py", "print('bye')\nraise SystemExit(3)\n")]).await;
    until("its exit code", async || {
        let told = runtime(&alice).await;
        (told["errorMessage"] == "Exit code: 3. Reason: Error").then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_space_sleeps_wakes_pauses_and_goes_with_its_server() {
    let (hub, clock, alice) = running().await;
    let guest = visitor(&hub, Some("alice"));
    clock.advance(Duration::from_secs(301));
    assert_eq!(runtime(&alice).await["stage"], "SLEEPING");
    assert_eq!(guest.ask("POST", "/x", None).await.0, 503, "the first request wakes it");
    reaches(&hub, SpaceStage::Running).await;
    assert_eq!(guest.ask("POST", "/x", None).await.0, 418);
    let (status, told) = alice.ask("POST", &format!("/api/spaces/{SPACE}/pause"), None).await;
    assert_eq!((status, &told["stage"]), (200, &json!("PAUSED")));
    assert_eq!(guest.ask("POST", "/x", None).await.0, 503);
    alice.ask("POST", &format!("/api/spaces/{SPACE}/restart"), None).await;
    reaches(&hub, SpaceStage::Running).await;
    // Its server ends, and the Space says so.
    assert_eq!(guest.ask("POST", "/stop", None).await.0, 502);
    reaches(&hub, SpaceStage::RuntimeError).await;
    alice.ask("POST", &format!("/api/spaces/{SPACE}/restart?factory=true"), None).await;
    reaches(&hub, SpaceStage::Running).await;
    let body = json!({"name": "my-sandbox", "organization": "alice", "type": "space"});
    assert_eq!(alice.ask("DELETE", "/api/repos/delete", Some(body)).await.0, 200);
    until("it to be gone", async || hub.spaces().stage(SPACE).is_none().then_some(())).await;
    assert_eq!(guest.ask("POST", "/x", None).await.0, 404);
    assert_eq!(alice.get(&format!("/api/spaces/{SPACE}/runtime")).await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_reach_the_server_and_are_read_strictly() {
    let (hub, _clock, alice) = running().await;
    let at = |tail: &str| format!("/api/spaces/{SPACE}/{tail}");
    let told = alice.post(&at("secrets"), json!({"key": "K", "value": "second"})).await;
    assert_eq!(told, (200, json!({})));
    reaches(&hub, SpaceStage::Running).await;
    let (_, said) = visitor(&hub, Some("alice")).ask("POST", "/x", None).await;
    assert!(said.to_string().contains("'second'"), "{said}");
    assert!(!alice.get(&at("secrets")).await.1.to_string().contains("second"));
    assert_eq!(hub.spaces().secret(SPACE, "K").as_deref(), Some("second"));
    for (path, body, problem) in [
        ("secrets", json!({"key": "K"}), "→ at value"),
        ("secrets", json!({"key": "9 lives", "value": ""}), "→ at key"),
        ("variables", json!({"key": "K", "value": "v"}), "already a secret"),
        ("hardware", json!({"flavor": "h200"}), "→ at hardware"),
        ("hardware", json!({"flavour": "t4-small"}), "\"flavour\""),
        ("sleeptime", json!({"seconds": "5"}), "→ at seconds"),
    ] {
        let (status, told) = alice.post(&at(path), body).await;
        assert_eq!(status, 400, "{told}");
        assert!(told["error"].as_str().unwrap().contains(problem), "{told}");
    }
    let bucket = json!({"volumes": [{"type": "bucket", "source": "alice/none", "mountPath": "/data"}]});
    assert_eq!(alice.ask("PUT", &at("volumes"), Some(bucket)).await.0, 404);
    hub.jobs().set_credits("alice", 0);
    assert_eq!(alice.post(&at("hardware"), json!({"flavor": "a10g-small"})).await.0, 402);
    for (name, status) in [("bob", 404), ("carol", 404)] {
        let somebody = Asker::new(hub.url(), Some(HubOptions::token_of(name)));
        assert_eq!(somebody.ask("POST", &at("pause"), None).await.0, status, "{name}");
    }
}
