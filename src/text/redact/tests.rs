//! What counts as a secret in a text, and what does not.

use std::time::{Duration, Instant};

use serde_json::json;

use super::*;

fn r(text: &str) -> String {
    redact(text, &[]).into_owned()
}

fn letters(n: usize) -> String {
    "a1B".chars().cycle().take(n).collect()
}

#[test]
fn tokens_of_known_shape_go_and_shorter_ones_stay() {
    let upper = "ABCDEFGH12345678";
    let cases = [
        (format!("hf_{}", letters(30)), "[REDACTED_HF_TOKEN]"),
        (format!("sk-ant-{}", letters(20)), "[REDACTED_ANTHROPIC_KEY]"),
        (format!("sk-{}", letters(40)), "[REDACTED_API_KEY]"),
        (format!("sk-proj-{}", letters(40)), "[REDACTED_API_KEY]"),
        (format!("ghp_{}", letters(36)), "[REDACTED_GITHUB_TOKEN]"),
        (format!("github_pat_{}", letters(36)), "[REDACTED_GITHUB_TOKEN]"),
        (format!("AKIA{upper}"), "[REDACTED_AWS_KEY_ID]"),
        (format!("ASIA{upper}"), "[REDACTED_AWS_KEY_ID]"),
        ("xoxb-12-34-abcdef".to_owned(), "[REDACTED_SLACK_TOKEN]"),
        ("xapp-1-A1-2-abcdef".to_owned(), "[REDACTED_SLACK_TOKEN]"),
        ("xoxe.xoxp-1-Mi0yLTE".to_owned(), "[REDACTED_SLACK_TOKEN]"),
        ("xoxe-1-My0xLTE".to_owned(), "[REDACTED_SLACK_TOKEN]"),
    ];
    for (token, mark) in cases {
        assert_eq!(r(&format!("see {token} there")), format!("see {mark} there"));
    }
    let kept = [
        format!("hf_{}", letters(29)),
        format!("sk-ant-{}", letters(19)),
        format!("sk-{}", letters(39)),
        format!("ghp_{}", letters(35)),
        format!("ghx_{}", letters(40)),
        format!("AKIA{upper}X"),
        format!("xAKIA{upper}"),
        "xoxb-short".to_owned(),
    ];
    for text in kept {
        assert_eq!(r(&text), text);
    }
}

#[test]
fn bearer_headers_lose_their_token() {
    assert_eq!(r(&format!("Authorization: bearer {}", letters(20))), "Authorization: Bearer [REDACTED]");
    assert_eq!(r("bearer short"), "bearer short");
    assert_eq!(r(&format!("Bearer hf_{}", letters(34))), "Bearer [REDACTED_HF_TOKEN]");
}

#[test]
fn values_of_telling_names_go_quoted_or_not() {
    let cases = [
        ("HF_TOKEN=hf_short", "HF_TOKEN=[REDACTED]"),
        ("OPENAI_API_KEY: abc", "OPENAI_API_KEY=[REDACTED]"),
        ("my_password: x", "my_password=[REDACTED]"),
        (r#"{"HF_TOKEN": "abc", "n": 1}"#, r#"{"HF_TOKEN": "[REDACTED]", "n": 1}"#),
        (r#"PASSWORD = "x""#, r#"PASSWORD = "[REDACTED]""#),
        ("PASSWORD = 'it\\'s x' # y", "PASSWORD = '[REDACTED]' # y"),
        ("AWS_SECRET_ACCESS_KEY=abc", "AWS_SECRET_ACCESS_KEY=[REDACTED]"),
        (r#"{\"api-key\": \"a b\", \"n\": 1}"#, r#"{\"api-key\": \"[REDACTED]\", \"n\": 1}"#),
        ("export A_SECRET=s3; ls", "export A_SECRET=[REDACTED]; ls"),
        ("postgres://me:pa:ss@db:5432/x", "postgres://me:[REDACTED]@db:5432/x"),
    ];
    for (text, expected) in cases {
        assert_eq!(r(text), expected);
    }
    let kept = [
        "tokens: 5",
        "max_tokens: 5",
        "TOKENS=3",
        "the secret: practice",
        r#"{"token": null, "next_token": 7}"#,
        "if token == other",
        "https://host:8080/a@b",
        "password",
        "PASSWORD=",
    ];
    for text in kept {
        assert_eq!(r(text), text);
    }
}

#[test]
fn configured_secrets_go_by_value_wherever_they_stand() {
    let secrets = [Secret::new("hunter2!"), Secret::new("hunter2!longer"), Secret::new("abc")];
    assert_eq!(redact("x=hunter2!longer|hunter2!|abc", &secrets), "x=[REDACTED]|[REDACTED]|abc");
    assert_eq!(redact_values("PASSWORD=x", &secrets), "PASSWORD=x");
}

#[test]
fn nested_values_are_scrubbed_and_the_rest_is_kept() {
    let value = json!({"a": ["HF_TOKEN=x", 1, null], "b": {"password": "x", "n": true}, "token": 5});
    let clean = redact_json(&value, &[]);
    assert_eq!(
        clean,
        json!({"a": ["HF_TOKEN=[REDACTED]", 1, null], "b": {"password": "[REDACTED]", "n": true}, "token": 5})
    );
    assert_eq!(value["b"]["password"], "x");
}

#[test]
fn hostile_text_takes_linear_time() {
    let started = Instant::now();
    for piece in ["sk-", "TOKEN", "TOKEN=\"", "bearer ", "://a:", "xoxb-", "\\", "A_TOKEN:\\\"", "é", "AKIA"]
    {
        let text = piece.repeat(1_000_000 / piece.len());
        assert!(!r(&text).is_empty());
    }
    assert!(started.elapsed() < Duration::from_secs(20));
}
