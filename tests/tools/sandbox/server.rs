//! The server that is put into the Space, asked directly.

use std::time::Duration;

use ml_intern::clients::sandbox::{Command, Sandbox, SandboxError};
use ml_intern::secret::Secret;
use serde_json::{Value, json};

use super::space_hub::{Server, serve};

const SERVER: &str = include_str!("../../../src/tools/hub/sandbox/server/sandbox_server.py");

struct Running {
    url: String,
    _server: Server,
}

async fn running(key: Option<&str>) -> Running {
    ml_intern::clients::http::install_tls();
    let server = serve(SERVER, key);
    let running = Running { url: format!("http://127.0.0.1:{}", server.port), _server: server };
    let sandbox = Sandbox::new(&running.url, None, Secret::new("x")).unwrap();
    for _ in 0..500 {
        if sandbox.health().await.is_ok() {
            return running;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the server did not come up");
}

/// Status and body of a plain request.
async fn post(running: &Running, route: &str, headers: &[(&str, &str)], body: &str) -> (u16, Value) {
    let client = ml_intern::clients::http::client(Some(Duration::from_secs(30))).unwrap();
    let mut request = client.post(format!("{}/api/{route}", running.url)).body(body.to_owned());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

const KEY: (&str, &str) = ("x-sandbox-authorization", "Bearer k3y");

#[tokio::test]
async fn only_its_own_key_opens_it_and_without_one_nothing_does() {
    let closed = running(None).await;
    for headers in [&[][..], &[KEY], &[("x-sandbox-authorization", "Bearer ")]] {
        assert_eq!(post(&closed, "exists", headers, r#"{"path":"."}"#).await.0, 503);
    }
    let open = running(Some("k3y")).await;
    for (headers, status, why) in [
        (&[][..], 401, "Missing bearer token"),
        (&[("authorization", "Bearer k3y")], 401, "Missing bearer token"),
        (&[("x-sandbox-authorization", "Bearer other")], 401, "Invalid bearer token"),
        (&[("x-sandbox-authorization", "Basic k3y")], 401, "Missing bearer token"),
        (&[KEY], 200, ""),
    ] {
        let (found, body) = post(&open, "exists", headers, r#"{"path":"."}"#).await;
        assert_eq!((found, body["error"].as_str().unwrap()), (status, why), "{headers:?}");
    }
    let wrong = Sandbox::new(&open.url, None, Secret::new("wrong")).unwrap();
    assert_eq!(wrong.exists(".").await.unwrap_err(), SandboxError::WrongKey);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_and_harms_nothing() {
    let running = running(Some("k3y")).await;
    for (route, body, status, why) in [
        ("read", "{", 400, "one JSON object"),
        ("read", "[]", 400, "one JSON object"),
        ("nothing", "{}", 404, "No such route"),
        ("read", "{}", 200, "`path` must be a text"),
        ("read", r#"{"path":"a","offset":true}"#, 200, "File not found"),
        ("read", r#"{"path":"/proc/self/environ"}"#, 200, "window into the system"),
        ("read", "{\"path\":\"a\\u0000b\"}", 200, "zero byte"),
        ("write", r#"{"path":"a","content":7}"#, 200, "`content` must be a text"),
        ("write", r#"{"path":"a","content_base64":"%%"}"#, 200, ""),
        ("bash", r#"{"command":"x","work_dir":"no"}"#, 200, "there is no folder"),
        ("bash", r#"{"command":"x","timeout":"long"}"#, 200, "`timeout` must be a number"),
        ("bash", "{}", 200, "Unknown command"),
    ] {
        let (found, answer) = post(&running, route, &[KEY], body).await;
        assert_eq!(found, status, "{route} {body}");
        assert_eq!(answer["success"], false, "{route} {body}");
        assert!(answer["error"].as_str().unwrap().contains(why), "{route} {body}: {answer}");
    }
    assert_eq!(post(&running, "exists", &[KEY], r#"{"path":"/app"}"#).await.1["output"], "true");
}

#[tokio::test]
async fn a_command_runs_once_whatever_is_asked_and_its_output_so_far_is_kept() {
    let running = running(Some("k3y")).await;
    let sandbox = Sandbox::new(&running.url, None, Secret::new("k3y")).unwrap();
    let command = Command {
        id: "one",
        command: "echo x >> ran; echo begun; sleep 1; echo done; env | grep -c SANDBOX_API_TOKEN",
        folder: "/app",
        limit: Duration::from_secs(20),
        output: 1_000,
    };
    let (first, second) = tokio::join!(sandbox.start(&command), sandbox.start(&command));
    for answer in [first.unwrap(), second.unwrap(), sandbox.follow("one").await.unwrap()] {
        assert_eq!(answer.output, "begun\ndone\n0\n", "its key is in nobody's environment");
        assert_eq!(answer.exit_code, Some(1));
    }
    let ran = sandbox.read(&json!({ "path": "ran" })).await.unwrap();
    assert_eq!((ran.output.as_str(), ran.lines), ("1\tx", 1));
    let slow = Command {
        id: "two",
        command: "trap '' TERM; echo part; sleep 60",
        limit: Duration::from_secs(1),
        ..command
    };
    let mut ended = sandbox.start(&slow).await.unwrap();
    while ended.running {
        ended = sandbox.follow("two").await.unwrap();
    }
    assert_eq!((ended.output.as_str(), ended.timed_out), ("part\n", true));
    assert_eq!(ended.error, "Timeout after 1s");
}

#[tokio::test]
async fn killing_ends_what_a_command_left_behind_too() {
    let running = running(Some("k3y")).await;
    let sandbox = Sandbox::new(&running.url, None, Secret::new("k3y")).unwrap();
    let command = Command {
        id: "bg",
        command: "nohup setsid sleep 4715.5 > /dev/null 2>&1 & echo started",
        folder: ".",
        limit: Duration::from_secs(20),
        output: 1_000,
    };
    let started = sandbox.start(&command).await.unwrap();
    assert_eq!((started.output.as_str(), started.success), ("started\n", true));
    let alive = || {
        std::fs::read_dir("/proc").unwrap().filter_map(Result::ok).any(|entry| {
            let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            line.split(|b| *b == 0).any(|part| part == b"4715.5")
        })
    };
    assert!(alive(), "it goes on after its command");
    sandbox.kill("bg").await.unwrap();
    assert!(!alive());
}

#[tokio::test]
async fn files_are_replaced_only_as_they_were_seen_and_python_is_looked_at() {
    let running = running(Some("k3y")).await;
    let sandbox = Sandbox::new(&running.url, None, Secret::new("k3y")).unwrap();
    let made = sandbox.write("deep/er/t.py", b"def f(:\n", "none").await.unwrap();
    assert!(made.success && made.warnings[0].contains("syntax error in line 1"), "{:?}", made.warnings);
    let clash = sandbox.write("deep/er/t.py", b"x", "none").await.unwrap();
    assert!(!clash.success && clash.changed);
    let good = sandbox.write("deep/er/t.py", b"x = 1\n", &made.stamp).await.unwrap();
    assert!(good.success && good.warnings.is_empty());
    let bytes = sandbox.write("b.bin", &[0xff, 0, 1], "none").await.unwrap();
    assert_eq!((bytes.success, bytes.bytes), (true, 3));
    let (_, edited) = post(
        &running,
        "edit",
        &[KEY],
        &json!({ "path": "deep/er/t.py", "old_str": "1", "new_str": "2" }).to_string(),
    )
    .await;
    assert_eq!(edited["success"], true, "{edited}");
    assert_eq!(sandbox.read(&json!({ "path": "deep/er/t.py" })).await.unwrap().output, "1\tx = 2");
}
