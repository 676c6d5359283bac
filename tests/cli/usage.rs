//! Wrong usage and configuration, and commands that need no agent.

use serde_json::Value;

use super::desk::{Desk, end};

#[tokio::test]
async fn wrong_usage_is_2_and_nothing_is_started() {
    for (arguments, word) in [
        (&[""][..], "the prompt is empty"),
        (&["  "][..], "the prompt is empty"),
        (&["--no-such-flag"][..], "--no-such-flag"),
        (&["two", "prompts"][..], "prompts"),
        (&["serv"][..], "did you mean the command `serve`"),
        (&["--max-iterations", "many", "go"][..], "many"),
        (&["--max-iterations", "0", "go"][..], "flag --max-iterations: max_iterations: 0 was given"),
        (&["--config", "none.json", "go on"][..], "none.json: there is no such file"),
        (&["manifest", "--mode", "http"][..], "--url"),
        (&["serve", "--roles", "listen,dance"][..], "dance"),
        (&["serve"][..], "SLACK_BOT_TOKEN"),
        (&["--session", "", "go on"][..], "--session"),
    ] {
        let desk = Desk::new();
        let ran = desk.run(arguments).await;
        assert_eq!(ran.code, Some(2), "{arguments:?}: {ran:?}");
        assert!(ran.err.contains(word), "{arguments:?}: {ran:?}");
        assert!(ran.out.is_empty(), "{arguments:?}: {ran:?}");
        assert!(!desk.home.path().join(".local").exists(), "{arguments:?} made a store");
    }
    let blank = Desk::new().run_with(&["-"], " \n").await;
    assert_eq!(blank.code, Some(2), "{blank:?}");
    let long = Desk::new().run_with(&["-"], &"a".repeat(1_100_000)).await;
    assert!(long.code == Some(2) && long.err.contains("longer than"), "{long:?}");
}

#[tokio::test]
async fn an_unknown_key_is_refused_with_file_and_nearest_name() {
    let desk =
        Desk::new().file("configs/ml-intern.json", r#"{"modelname": "a/b", "slack": {"streams": true}}"#);
    let ran = desk.run(&["config", "check"]).await;
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.err.contains("configs/ml-intern.json: modelname: no such key; did you mean `model_name`?"),
        "{ran:?}"
    );
    assert!(ran.err.contains("slack.streams: no such key; did you mean `stream`?"), "{ran:?}");
}

#[tokio::test]
async fn a_rule_that_makes_no_sense_is_refused_by_its_name() {
    let rules = r##"{"approvals": {"rules": [
        {"name": "pairs", "tool": "bash", "who": "listed", "approvers": ["U1"], "needed": 2},
        {"name": "prod", "channel": "#prod", "verdict": "never"}
    ]}}"##;
    let ran = Desk::new().file("configs/ml-intern.json", rules).run(&["config", "check"]).await;
    assert_eq!(ran.code, Some(2), "{ran:?}");
    let file = "configs/ml-intern.json: approvals.rules";
    assert!(
        ran.err.contains(&format!("{file}.0: the rule “pairs” needs 2 people to agree, but at most 1 may")),
        "{ran:?}"
    );
    assert!(ran.err.contains("the rule “prod” has \"#prod\" as `channel`, but a channel's id"), "{ran:?}");
}

#[tokio::test]
async fn a_reference_to_nothing_is_refused_and_a_default_is_taken() {
    let desk =
        Desk::new().file("configs/ml-intern.json", r#"{"slack": {"bot_token": "${NOT_SET_ANYWHERE}"}}"#);
    let ran = desk.run(&["config", "check"]).await;
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.err.contains("slack.bot_token: the environment variable `NOT_SET_ANYWHERE` is not set"),
        "{ran:?}"
    );
    let desk =
        Desk::new().file("configs/ml-intern.json", r#"{"model_name": "${NOT_SET_ANYWHERE:-org/model}"}"#);
    let shown: Value = serde_json::from_str(&desk.run(&["config", "show"]).await.out).unwrap();
    assert_eq!(shown["model_name"], "org/model");
}

#[tokio::test]
async fn show_masks_every_secret_and_origins_names_its_place() {
    let desk = Desk::new()
        .file(
            "configs/ml-intern.json",
            r#"{"slack": {"app_token": "xapp-in-the-file"},
                "mcpServers": {"one": {"headers": {"Authorization": "Bearer mcp-secret"}, "url": "https://x/?k=env-secret-1"}}}"#,
        )
        .file(".env", "SLACK_SIGNING_SECRET=signing-in-dotenv\n")
        .env("SLACK_BOT_TOKEN", "xoxb-in-the-environment")
        .env("MY_API_KEY", "env-secret-1");
    let ran = desk.run(&["config", "show"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for secret in ["xapp-in", "xoxb-in", "signing-in", "mcp-secret", "env-secret"] {
        assert!(!ran.out.contains(secret), "{secret} is shown: {ran:?}");
    }
    assert!(ran.out.contains("********"));
    let ran = desk.run(&["config", "show", "--origins"]).await;
    assert!(ran.out.contains("slack.bot_token  <-  environment variable SLACK_BOT_TOKEN\n"), "{ran:?}");
    assert!(ran.out.contains("slack.app_token  <-  configs/ml-intern.json\n"), "{ran:?}");
}

#[tokio::test]
async fn doctor_says_what_to_do_and_is_1_when_something_is_wrong() {
    let ran = Desk::new().run(&["doctor"]).await;
    assert_eq!(ran.code, Some(1), "there is no model key: {ran:?}");
    assert!(
        ran.out.contains("✓ store: ") && ran.out.contains("✗ model: ") && ran.out.contains("HF_TOKEN"),
        "{ran:?}"
    );
    let report: Value = serde_json::from_str(&Desk::new().run(&["doctor", "--json"]).await.out).unwrap();
    assert_eq!(report["ok"], false);
    let broken = Desk::new().file("configs/ml-intern.json", "{").run(&["doctor"]).await;
    assert!(broken.code == Some(1) && broken.out.contains("✗ configuration: "), "{broken:?}");
}

#[tokio::test]
async fn a_manifest_is_ready_to_paste() {
    let ran = Desk::new().run(&["manifest", "--format", "json"]).await;
    let socket: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(socket["settings"]["socket_mode_enabled"], true);
    let scopes = socket["oauth_config"]["scopes"]["bot"].as_array().unwrap();
    for scope in ["app_mentions:read", "chat:write", "channels:history", "im:history", "files:write"] {
        assert!(scopes.iter().any(|it| it == scope), "{scope}");
    }
    let arguments = ["manifest", "--format", "json", "--mode", "http", "--url", "https://bot.example/"];
    let http: Value = serde_json::from_str(&Desk::new().run(&arguments).await.out).unwrap();
    assert_eq!(http["settings"]["event_subscriptions"]["request_url"], "https://bot.example/slack/events");
    let yaml = Desk::new().run(&["manifest"]).await;
    assert!(yaml.code == Some(0) && yaml.out.starts_with("display_information:\n"), "{yaml:?}");
}

#[tokio::test]
async fn completions_and_version_are_printed() {
    let desk = Desk::new();
    for shell in ["bash", "zsh", "fish"] {
        let ran = desk.run(&["completions", shell]).await;
        assert!(ran.code == Some(0) && ran.out.contains("playground"), "{shell}");
    }
    assert!(desk.run(&["--version"]).await.out.starts_with("ml-intern "));
}

#[tokio::test]
async fn the_help_of_everything_reads_as_it_did() {
    let desk = Desk::new();
    let mut all = String::new();
    for command in [
        &["--help"][..],
        &["serve", "--help"][..],
        &["playground", "--help"][..],
        &["doctor", "--help"][..],
        &["session", "--help"][..],
        &["session", "list", "--help"][..],
        &["session", "show", "--help"][..],
        &["session", "delete", "--help"][..],
        &["audit", "--help"][..],
        &["audit", "verify", "--help"][..],
        &["audit", "export", "--help"][..],
        &["config", "--help"][..],
        &["manifest", "--help"][..],
        &["completions", "--help"][..],
    ] {
        let ran = desk.run(command).await;
        assert_eq!(ran.code, Some(0));
        all.push_str(&format!("$ ml-intern {}\n{}\n", command.join(" "), ran.out));
    }
    insta::assert_snapshot!(all);
}

#[tokio::test]
async fn a_reader_that_has_seen_enough_is_no_error() {
    let desk = Desk::new();
    for command in [&["completions", "bash"][..], &["config", "schema"], &["manifest"]] {
        let mut child = desk.command(command).spawn().unwrap();
        drop(child.stdout.take());
        let ran = end(child).await;
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{command:?}");
    }
}
