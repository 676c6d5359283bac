//! The tables of error classification.

use serde_json::json;

use crate::secret::Secret;

use super::super::provider::Dialect;
use super::*;

fn target() -> Target {
    Target {
        home: Home::Router,
        dialect: Dialect::OpenAi,
        base_url: "https://router.huggingface.co/v1/".to_owned(),
        key: Secret::new("hf_very_secret_token"),
        name: "org/model".to_owned(),
    }
}

fn judge(status: u16, body: Value) -> ModelError {
    classify(&Fault::Refused { status: Some(status), after: None, body }, &target())
}

fn in_stream(body: Value) -> ModelError {
    classify(&Fault::Refused { status: None, after: None, body }, &target())
}

fn said(status: u16, message: &str) -> ModelError {
    judge(status, json!({ "error": { "message": message } }))
}

fn class(error: &ModelError) -> &'static str {
    match error {
        ModelError::Wait { kind: Trouble::RateLimit, .. } => "rate",
        ModelError::Wait { kind: Trouble::Transient, .. } => "transient",
        ModelError::Shrink { .. } => "shrink",
        ModelError::Repair { part: Repairable::Effort, .. } => "effort",
        ModelError::Repair { part: Repairable::Thinking, .. } => "thinking",
        ModelError::Repair { part: Repairable::Thoughts, .. } => "thoughts",
        ModelError::Stop { .. } => "stop",
        ModelError::Cancelled => "cancelled",
    }
}

fn hint(error: &ModelError) -> &str {
    match error {
        ModelError::Stop { hint, .. } => hint,
        other => panic!("not a stop: {other:?}"),
    }
}

#[test]
fn passing_trouble_is_known_by_status_and_type() {
    for (status, message, expected) in [
        (429, "HTTP 429", "rate"),
        (429, "Too many tokens, please wait", "rate"),
        (429, "You exceeded your current quota", "rate"),
        (503, "rate limit exceeded", "rate"),
        (503, "Service Unavailable", "transient"),
        (500, "error", "transient"),
        (502, "", "transient"),
        (529, "", "transient"),
        (504, "at capacity", "transient"),
        (408, "Request timed out", "transient"),
        (400, "bad request", "stop"),
        (400, "no such field 429 500 503", "stop"),
    ] {
        assert_eq!(class(&said(status, message)), expected, "{status} {message}");
    }
    for (body, expected) in [
        (
            json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
            "transient",
        ),
        (json!({"type": "error", "error": {"type": "rate_limit_error", "message": "later"}}), "rate"),
        (json!({"type": "error", "error": {"type": "api_error", "message": "eh"}}), "transient"),
        (json!({"type": "error", "error": {"type": "invalid_request_error", "message": "eh"}}), "stop"),
        (json!({"message": "boom", "code": 502}), "transient"),
        (json!({"message": "slow", "code": 429}), "rate"),
        (json!("throttled"), "rate"),
        (json!("boom"), "transient"),
    ] {
        assert_eq!(class(&in_stream(body.clone())), expected, "{body}");
    }
}

#[test]
fn a_wish_to_wait_is_passed_on() {
    let after = Some(Duration::from_secs(7));
    let error = classify(&Fault::Refused { status: Some(429), after, body: json!("") }, &target());
    assert!(matches!(error, ModelError::Wait { after: Some(wish), .. } if wish.as_secs() == 7));
}

#[test]
fn a_conversation_that_is_too_long_is_known_in_every_spelling() {
    for message in [
        "prompt is too long: 210000 tokens > 200000 maximum",
        "This model's maximum context length is 8192 tokens.",
        "Input is too long for requested model",
        "Too many input tokens",
        "Context window exceeded",
        "context_length_exceeded",
        "input length and `max_tokens` exceed context limit: 1 + 2 > 2",
        "the request exceeds the available context size (4096 tokens)",
        "The input token count (1048577) exceeds the maximum number of tokens allowed (1048576).",
        "Your input exceeds the context window of this model.",
        "The decoder prompt (length 5000) is longer than the maximum model length of 4096.",
    ] {
        assert_eq!(class(&said(400, message)), "shrink", "{message}");
        assert_eq!(class(&in_stream(json!({ "message": message }))), "shrink", "{message}");
    }
    assert_eq!(class(&said(413, "")), "shrink");
    assert_eq!(
        class(&judge(400, json!({"error": {"code": "context_length_exceeded", "message": "x"}}))),
        "shrink"
    );
    assert_eq!(class(&said(429, "rate limit: prompt is too long for your tier")), "rate");
}

#[test]
fn stops_say_what_to_do() {
    let billing = "settings/billing";
    for (error, part) in [
        (said(401, "Unauthorized"), "HF_TOKEN"),
        (said(403, "forbidden"), "HF_TOKEN"),
        (judge(400, json!({"error": {"code": "invalid_api_key", "message": "no"}})), "HF_TOKEN"),
        (said(402, "Payment Required"), billing),
        (judge(429, json!({"error": {"code": "insufficient_quota", "message": "quota"}})), billing),
        (said(403, "You have exhausted monthly credits"), billing),
        (said(400, "Your credit balance is too low"), billing),
        (said(400, "quota exceeded"), billing),
        (said(400, "The requested model x is not supported by provider y"), ":provider"),
        (said(404, "the model foo does not exist"), "!model"),
        (judge(400, json!({"error": {"code": "model_not_found", "message": ""}})), "--model"),
        (
            judge(404, json!({"type": "error", "error": {"type": "not_found_error", "message": "model: x"}})),
            "!model",
        ),
        (judge(404, json!("<html>nginx</html>")), "base URL"),
        (said(400, "boom"), "!model"),
    ] {
        assert!(hint(&error).contains(part), "{error:?}");
    }
    assert_ne!(class(&said(500, "error id 4021")), "stop");
}

#[test]
fn refused_effort_and_stale_thoughts_can_be_left_out() {
    for (message, expected) in [
        ("thinking is not supported by this model", "thinking"),
        ("This model does not support extended thinking", "thinking"),
        ("Thinking level MINIMAL is not supported for this model", "effort"),
        ("`thinking.budget_tokens` must be less than `max_tokens`", "effort"),
        ("invalid reasoning_effort: max", "effort"),
        ("effort must be one of low, medium, high", "effort"),
        ("effort xhigh is only supported by other models", "effort"),
        ("unknown output_config", "effort"),
        ("Unrecognized request argument supplied: reasoning_effort", "effort"),
        ("effort thing", "stop"),
        ("messages.1.content.0: Invalid `signature` in `thinking` block", "thoughts"),
        ("`thinking` blocks in the latest assistant message cannot be modified", "thoughts"),
        ("property 'reasoning_content' is unsupported", "thoughts"),
        ("Thought signature is not valid", "thoughts"),
    ] {
        assert_eq!(class(&said(400, message)), expected, "{message}");
    }
}

#[test]
fn people_see_neither_keys_nor_whole_bodies() {
    let body = format!("Key hf_very_secret_token refused\n{}", "x".repeat(5_000));
    let ModelError::Stop { reason, .. } = said(401, &body) else { panic!() };
    assert!(
        !reason.contains("hf_very") && !reason.contains('\n') && reason.chars().count() < 400,
        "{reason}"
    );
    let ModelError::Wait { reason, .. } = judge(502, json!("<html><body>Bad gateway</body></html>")) else {
        panic!()
    };
    assert!(reason.contains("web page") && !reason.contains('<'), "{reason}");
}

#[test]
fn lost_connections_name_the_place_only() {
    let mut target = target();
    target.home = Home::Local("ollama");
    target.base_url = "http://me:pw@localhost:11434/v1/".to_owned();
    let ModelError::Wait { reason, kind, .. } = classify(&Fault::Unreachable, &target) else { panic!() };
    assert_eq!(kind, Trouble::Transient);
    assert_eq!(reason, "No connection to the Ollama server at localhost:11434 could be made.");
}
