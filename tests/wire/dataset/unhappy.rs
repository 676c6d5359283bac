//! The unhappy half: missing, private, gated, not read yet, refused, silent, stopped.

use std::time::{Duration, Instant};

use ml_intern::agent::tool::ToolError;
use serde_json::json;

use super::super::papers::services::Answer;
use super::{Desk, text};

fn refusal(status: u16, code: &'static str, message: &str) -> Answer {
    Answer::with(status, json!({ "error": message }).to_string()).header("x-error-code", code)
}

#[tokio::test]
async fn each_reason_has_its_own_answer() {
    let mut told = String::new();
    let cases = [
        ("missing, with a token", Some("t"), refusal(404, "RepoNotFound", "Repository not found"), None),
        (
            "missing, without a token",
            None,
            refusal(401, "RepoNotFound", "Invalid username or password."),
            None,
        ),
        (
            "a token that is not taken",
            Some("t"),
            Answer::with(401, r#"{"error": "Invalid credentials"}"#),
            None,
        ),
        ("gated, the Hub says so at once", Some("t"), refusal(403, "GatedRepo", "Access restricted"), None),
        (
            "gated, without access",
            Some("t"),
            Answer::json(&json!({"id": "alice/data1", "gated": "manual", "private": false})),
            Some(refusal(403, "GatedRepo", "Access restricted")),
        ),
        (
            "gated, without a token",
            None,
            Answer::json(&json!({"id": "alice/data1", "gated": "auto", "private": false})),
            Some(refusal(401, "GatedRepo", "Access restricted")),
        ),
    ];
    for (name, token, info, check) in cases {
        let desk = Desk::of(token).await;
        desk.viewer_refuses(&refusal(
            404,
            "ExternalAuthenticatedError",
            "The dataset does not exist, or is not accessible.",
        ));
        desk.services.answers("hub", "/api/datasets/alice/data1", [info]);
        if let Some(check) = check {
            desk.services.answers("hub", "/api/datasets/alice/data1/auth-check", [check]);
        }
        let text = desk.told(json!({"dataset": "alice/data1"})).await;
        assert!(text.starts_with("[failure]"), "{name}: {text}");
        told.push_str(&format!("=== {name}\n{text}\n\n"));
    }
    insta::assert_snapshot!(told);
}

#[tokio::test]
async fn a_viewer_that_cannot_says_why() {
    let mut told = String::new();
    for (name, answer) in [
        ("not ready", refusal(500, "ResponseNotReady", "The server is busier than usual.")),
        (
            "too many columns",
            refusal(501, "TooManyColumnsError", "The number of columns (10000) exceeds the maximum (1000)."),
        ),
        ("limited", Answer::with(429, "{}").header("retry-after", "120")),
        ("failing", Answer::with(500, "oops")),
        ("garbage", Answer::with(200, "<!doctype html><h1>Maintenance</h1>")),
        ("of another shape", Answer::json(&json!([1, 2, 3]))),
    ] {
        let desk = Desk::open().await;
        desk.hub_has("alice/data1", &json!({}));
        desk.viewer_refuses(&answer);
        let text = desk.told(json!({"dataset": "alice/data1"})).await;
        assert!(text.starts_with("[failure]"), "{name}: {text}");
        told.push_str(&format!("=== {name}\n{text}\n\n"));
    }
    let desk = Desk::open().await;
    desk.hub_has("alice/data1", &json!({"private": true}));
    desk.viewer_has(&[("text", text())], &[]);
    desk.services.says(
        "viewer",
        "/splits",
        &json!({"splits": [], "pending": [{"config": "default"}], "failed": []}),
    );
    told.push_str(&format!("=== at work, private\n{}", desk.told(json!({"dataset": "alice/data1"})).await));
    insta::assert_snapshot!(told);
}

#[tokio::test]
async fn parts_that_fail_are_named_and_do_not_take_the_others_along() {
    let desk = Desk::open().await;
    desk.services.answers("hub", "/api/datasets/alice/data1", [Answer::with(503, "")]);
    desk.viewer_has(&[("text", text())], &[json!({"text": "hello"})]);
    desk.services.answers("viewer", "/statistics", [refusal(500, "ResponseNotReady", "")]);
    desk.services.answers("viewer", "/info", [Answer::with(500, "")]);
    insta::assert_snapshot!(desk.told(json!({"dataset": "alice/data1"})).await);
}

#[tokio::test]
async fn a_config_or_split_that_is_not_there_is_answered_with_those_that_are() {
    let desk = Desk::open().await;
    desk.hub_has("alice/data1", &json!({}));
    desk.viewer_has(&[("text", text())], &[]);
    let config = desk.told(json!({"dataset": "alice/data1", "config": "defualt"})).await;
    assert!(
        config.contains("There is no config “defualt”. Did you mean default? There is: default"),
        "{config}"
    );
    let split = desk.told(json!({"dataset": "alice/data1", "split": "validation"})).await;
    assert!(split.contains("There is no split of config default “validation”. There is: train"), "{split}");
}

#[tokio::test]
async fn a_stop_ends_every_wait() {
    for (host, path) in [
        ("hub", "/api/datasets/alice/data1"),
        ("hub", "/api/datasets/alice/data1/auth-check"),
        ("viewer", "/splits"),
        ("viewer", "/first-rows"),
    ] {
        let desk = Desk::open().await;
        desk.hub_has("alice/data1", &json!({"gated": "auto"}));
        desk.services.says("hub", "/api/datasets/alice/data1/auth-check", &json!({}));
        desk.viewer_has(&[("text", text())], &[]);
        desk.services.answers(host, path, [Answer::never()]);
        let began = Instant::now();
        let (stopped, ()) = tokio::join!(desk.call(json!({"dataset": "alice/data1"})), async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            desk.cancel.cancel();
        });
        assert!(matches!(stopped, Err(ToolError::Cancelled)), "{host}{path}");
        assert!(began.elapsed() < Duration::from_secs(2), "{host}{path}");
    }
}
