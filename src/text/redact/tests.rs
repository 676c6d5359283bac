//! What counts as a secret in a text, and what does not.

use std::time::{Duration, Instant};

use proptest::prelude::*;
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
        ("password: str = \"x y\"", "password: str = \"[REDACTED]\""),
        ("AWS_SECRET_ACCESS_KEY = abc/d+e==", "AWS_SECRET_ACCESS_KEY=[REDACTED]"),
        ("HF_TOKEN=get(it)", "HF_TOKEN=[REDACTED])"),
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
        "token = get_token(user)",
        "hf_token = os.environ[\"HF_TOKEN\"]",
        "def f(password: str, token: Option<String>):",
        "connect(token=token, api_key=API_KEY)",
        "export TOKEN=$OTHER",
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

/// What is made of texts in which secrets stand in every way that we know.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[ -~]{0,12}",
        "\\PC{0,6}",
        Just(" ".to_owned()),
        Just("\n".to_owned()),
        Just("\"".to_owned()),
        Just("hunter2!".to_owned()),
        Just("hunter2!longer words".to_owned()),
        Just("hun".to_owned()),
        Just("HF_TOKEN".to_owned()),
        Just("my-password".to_owned()),
        Just(" = ".to_owned()),
        Just(": \\\"".to_owned()),
        Just("=".to_owned()),
        Just("str".to_owned()),
        Just("Bearer ".to_owned()),
        Just("://me:pw@".to_owned()),
        Just(format!("hf_{}", letters(32))),
        Just("xoxb-12-34-abcdef".to_owned()),
        Just("AKIAABCDEFGH12345678".to_owned()),
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// Texts as people, programs and tools write them: a line each, with or without a secret in it.
fn usual() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        Just("HF_TOKEN"),
        Just("my-password"),
        Just("AWS_SECRET_ACCESS_KEY"),
        Just("client_secret")
    ];
    let value = prop_oneof![
        "[a-z]{1,12}",
        "[A-Za-z0-9/+]{16,40}",
        Just("hunter2!".to_owned()),
        Just("hunter2!longer words".to_owned()),
        Just(format!("hf_{}", letters(32))),
        Just("xoxb-12-34-abcdef".to_owned()),
        Just("AKIAABCDEFGH12345678".to_owned()),
    ];
    let line =
        (name, value, 0..7usize, "[a-z ,.é]{0,20}").prop_map(|(name, value, form, words)| match form {
            0 => format!("{name}={value}"),
            1 => format!("export {name} = {value}"),
            2 => format!("{{\"{name}\": \"{value}\"}}"),
            3 => format!("Authorization: Bearer {value}"),
            4 => format!("see https://me:{}@host/path", value.replace([' ', '/'], "")),
            5 => format!("{words}{value} {words}"),
            _ => words,
        });
    proptest::collection::vec(line, 0..12).prop_map(|lines| lines.join("\n"))
}

/// What a stream makes of a text that comes in these pieces.
fn streamed(text: &str, cuts: &[f64], secrets: &std::sync::Arc<[Secret]>) -> String {
    let mut ends: Vec<usize> = cuts.iter().map(|cut| (cut * text.len() as f64) as usize).collect();
    ends.push(text.len());
    ends.retain(|end| text.is_char_boundary(*end));
    ends.sort_unstable();
    let mut flow = Flow::new(secrets.clone());
    let (mut out, mut from) = (String::new(), 0);
    for end in ends {
        out.push_str(&flow.push(&text[from..end]));
        from = end;
    }
    out.push_str(&flow.finish());
    out
}

/// Whether a secret is left that goes whatever stands beside it.
fn holds_a_secret(text: &str) -> bool {
    text.contains("hunter2!")
        || text.contains(&format!("hf_{}", letters(32)))
        || text.contains("xoxb-12-34-abcdef")
}

fn planted() -> std::sync::Arc<[Secret]> {
    [Secret::new("hunter2!"), Secret::new("hunter2!longer words")].into()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn nothing_planted_is_left_whatever_stands_beside_it(
        text in hostile(),
        cuts in proptest::collection::vec(0.0..1.0f64, 0..12),
    ) {
        let secrets = planted();
        let once = redact(&text, &secrets).into_owned();
        prop_assert!(!holds_a_secret(&once), "{once}");
        prop_assert!(!holds_a_secret(&redact(&once, &secrets)));
        let shown = streamed(&text, &cuts, &secrets);
        prop_assert!(!holds_a_secret(&shown), "{shown}");
    }

    #[test]
    fn a_second_look_at_usual_text_finds_nothing_more(text in usual()) {
        let secrets = planted();
        let once = redact(&text, &secrets).into_owned();
        prop_assert!(!holds_a_secret(&once), "{once}");
        prop_assert_eq!(redact(&once, &secrets).into_owned(), once);
    }

    #[test]
    fn pieces_of_usual_text_come_out_as_the_whole_would(
        text in usual(),
        cuts in proptest::collection::vec(0.0..1.0f64, 0..12),
    ) {
        let secrets = planted();
        prop_assert_eq!(streamed(&text, &cuts, &secrets), redact(&text, &secrets).into_owned());
    }
}

#[test]
fn a_flow_without_end_is_bounded_and_shows_no_secret() {
    let mut flow = Flow::new([Secret::new("hunter2!")].into());
    let mut out = String::new();
    for piece in ["A_TOKEN = \"", "hun", "ter2!", "Bearer "].iter().cycle().take(20_000) {
        out.push_str(&flow.push(piece));
    }
    out.push_str(&flow.finish());
    assert!(!out.contains("hunter2!"));
    let mut flow = Flow::new([].into());
    let long = "x".repeat(1_000);
    let shown: usize = (0..100).map(|_| flow.push(&long).len()).sum();
    assert!(shown > 60_000, "only {shown} characters came out of one long word");
}

#[test]
fn hub_tokens_are_told_from_what_only_looks_alike() {
    let token = format!("hf_{}", "aB3".repeat(11));
    assert!(is_hub_token(&token));
    for other in ["", "hf_", "hf_short", "xoxb-1234567890", &format!("{token}!"), &format!(" {token}")] {
        assert!(!is_hub_token(other), "{other}");
    }
    let words = format!("use {token}, and xoxb-1234567890, please");
    assert_eq!(redact_hub_tokens(&words), "use [REDACTED_HF_TOKEN], and xoxb-1234567890, please");
    assert!(matches!(redact_hub_tokens("nothing of hf_docs here"), Cow::Borrowed(_)));
}
