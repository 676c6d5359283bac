//! `session export`, `import`, `fork` and `resume`, on a session that the binary itself made.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use ml_intern::playground::model::Reply;
use serde_json::{Value, json};

use super::desk::{Desk, Ran, model};

const TOKEN: &str = "hf_ThisTokenIsConfiguredAndMustNotLeave";

fn id_of(ran: &Ran) -> String {
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let report: Value = serde_json::from_str(ran.out.trim()).unwrap();
    report["session"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_session_goes_to_a_file_and_comes_back_and_goes_on() {
    let model = model([
        Reply::says(format!("The token is {TOKEN}.")),
        Reply::says("Second answer."),
        Reply::says("Third answer."),
        Reply::says("Fourth answer."),
    ])
    .await;
    let desk = Desk::new().env("HF_TOKEN", TOKEN).model(&model, json!({ "store": {"data_dir": "data"} }));
    for prompt in ["first request", "second request"] {
        assert_eq!(desk.run(&["--session", "talk", prompt]).await.code, Some(0));
    }

    let exported = desk.run(&["session", "export", "talk", "--output", "talk.jsonl"]).await;
    assert_eq!(exported.code, Some(0), "{exported:?}");
    let path = desk.cwd.path().join("talk.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text.lines().count(), 4);
    assert!(text.contains("second request") && !text.contains(TOKEN), "{text}");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let printed = desk.run(&["session", "export", "talk"]).await;
    assert_eq!(printed.out, text, "the same session is written the same");

    let imported = id_of(&desk.run(&["session", "import", "talk.jsonl", "--json"]).await);
    let again = desk.run_with(&["session", "resume", &imported], "third request\n").await;
    assert_eq!(again.code, Some(0), "{again:?}");
    assert!(again.out.contains("Third answer."), "{again:?}");
    let request = model.requests().pop().unwrap().to_string();
    assert!(request.contains("first request") && request.contains("Second answer."), "{request}");

    let forked = id_of(&desk.run(&["session", "fork", "talk", "--turn", "1", "--json"]).await);
    let on = desk.run(&["--session", &forked, "why?"]).await;
    assert!(on.out.contains("Fourth answer."), "{on:?}");
    let request = model.requests().pop().unwrap().to_string();
    assert!(request.contains("first request") && !request.contains("second request"), "{request}");
    assert_eq!(model.left(), 0);
}

#[tokio::test]
async fn what_cannot_be_carried_is_said_and_changes_nothing() {
    let model = model([Reply::says("Hello.")]).await;
    let desk = Desk::new()
        .model(&model, json!({ "store": {"data_dir": "data"} }))
        .file("notes.txt", "these are no JSON lines\n");
    assert_eq!(desk.run(&["--session", "talk", "say hello"]).await.code, Some(0));
    for (arguments, code, words) in [
        (&["session", "fork", "talk", "--turn", "7"][..], 1, "the last finished request here is number 1"),
        (&["session", "fork", "talk", "--turn", "0"], 2, "--turn"),
        (&["session", "export", "nothing-like-this"], 2, "there is no session"),
        (&["session", "resume", "nothing-like-this"], 2, "there is no session"),
        (&["session", "import", "notes.txt"], 1, "Claude-Code JSONL"),
        (&["session", "import", "missing.jsonl"], 1, "cannot be read"),
        (&["session", "export", "talk", "-o", "no/such/folder/file"], 1, "cannot be written"),
    ] {
        let ran = desk.run(arguments).await;
        assert_eq!(ran.code, Some(code), "{arguments:?}: {ran:?}");
        assert!(ran.err.contains(words), "{arguments:?}: {ran:?}");
    }
    let listed = desk.run(&["session", "list", "--json"]).await;
    assert_eq!(listed.out.lines().count(), 1, "{listed:?}");
}
