//! `serve` and `doctor` against a workspace on loopback.

use std::time::Duration;

use ml_intern::clock::Clock;
use ml_intern::playground::model::Reply;
use ml_intern::playground::{Options, Workspace};
use tokio::io::{AsyncBufReadExt, BufReader};

use super::desk::{Desk, bash, end, model, signal};

async fn workspace() -> Workspace {
    Workspace::start(Options::new(Clock::system())).await.unwrap()
}

fn desk(workspace: &Workspace) -> Desk {
    Desk::new()
        .env("SLACK_API_URL", &workspace.api_url())
        .env("SLACK_BOT_TOKEN", workspace.bot_token())
        .env("SLACK_APP_TOKEN", workspace.app_token())
        .env("ML_INTERN_BIND", "127.0.0.1:0")
}

#[tokio::test]
async fn serve_is_ready_and_ends_in_order_at_sigterm() {
    let workspace = workspace().await;
    let desk = desk(&workspace);
    let mut child = desk.command(&["serve"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut seen = Vec::new();
    let address = loop {
        let line = tokio::time::timeout(Duration::from_secs(20), lines.next_line()).await.unwrap().unwrap();
        let line = line.unwrap_or_else(|| panic!("it ended without serving: {seen:?}"));
        if let Some((_, rest)) = line.split_once("address=") {
            break rest.split(' ').next().unwrap().to_owned();
        }
        seen.push(line);
    };
    let http = ml_intern::clients::http::client(Some(Duration::from_secs(5))).unwrap();
    let mut ready = false;
    for _ in 0..200 {
        ready = http.get(format!("http://{address}/readyz")).send().await.unwrap().status().is_success();
        if ready {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(ready, "it never became ready");
    signal("-TERM", child.id().unwrap());
    assert_eq!(end(child).await.code, Some(0));
    workspace.shutdown().await;
}

#[tokio::test]
async fn a_second_serve_on_the_same_data_is_told_who_holds_it() {
    let workspace = workspace().await;
    let desk = desk(&workspace);
    let mut first = desk.command(&["serve"]).spawn().unwrap();
    let mut lines = BufReader::new(first.stderr.take().unwrap()).lines();
    tokio::time::timeout(Duration::from_secs(20), lines.next_line()).await.unwrap().unwrap().unwrap();
    let second = desk.run(&["serve"]).await;
    assert_eq!(second.code, Some(1), "{second:?}");
    assert!(
        second.err.contains("is held by process") && second.err.contains("ml-intern serve"),
        "{second:?}"
    );
    signal("-TERM", first.id().unwrap());
    assert_eq!(end(first).await.code, Some(0));
    workspace.shutdown().await;
}

#[tokio::test]
async fn serve_with_a_refused_token_says_where_to_get_one() {
    let workspace = workspace().await;
    let ran = desk(&workspace).env("SLACK_BOT_TOKEN", "xoxb-of-somebody-else").run(&["serve"]).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.err.contains("invalid_auth") && ran.err.contains("SLACK_BOT_TOKEN"), "{ran:?}");
    assert!(!ran.err.contains("somebody-else"), "{ran:?}");
    workspace.shutdown().await;
}

#[tokio::test]
async fn doctor_finds_everything_well_or_says_which_token_is_refused() {
    let workspace = workspace().await;
    let scripted = model([Reply::says("pong")]).await;
    let ran = desk(&workspace).model(&scripted, serde_json::json!({})).run(&["doctor"]).await;
    assert!(ran.out.contains("\u{2713} Slack bot token: "), "{ran:?}");
    assert!(ran.out.contains("\u{2713} Slack Socket Mode: "), "{ran:?}");
    assert!(ran.out.contains("\u{2713} model answers: yes"), "{ran:?}");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let refused = desk(&workspace).env("SLACK_BOT_TOKEN", "xoxb-of-somebody-else").run(&["doctor"]).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.out.contains("\u{2717} Slack bot token: Slack refuses it: invalid_auth"), "{refused:?}");
    workspace.shutdown().await;
}

#[tokio::test]
async fn doctor_wants_the_scope_for_user_groups_only_where_rules_name_one() {
    let mut options = Options::new(Clock::system());
    options.scopes.retain(|scope| scope != "usergroups:read");
    let workspace = Workspace::start(options).await.unwrap();
    let scopes = "Slack scopes: ";
    let ran = desk(&workspace).run(&["doctor"]).await;
    assert!(ran.out.contains(&format!("\u{2713} {scopes}")), "{ran:?}");
    let config = r#"{"approvals": {"approver_groups": ["S0LEADS0000"]}}"#;
    let ran = desk(&workspace).file("configs/ml-intern.json", config).run(&["doctor"]).await;
    assert!(ran.out.contains(&format!("\u{2717} {scopes}missing: usergroups:read")), "{ran:?}");
    workspace.shutdown().await;
}

#[tokio::test]
async fn serve_that_could_hear_nothing_is_wrong_configuration() {
    let desk = Desk::new().env("SLACK_BOT_TOKEN", "xoxb-1").env("ML_INTERN_BIND", "127.0.0.1:0");
    let ran = desk.run(&["serve"]).await;
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.err.contains("SLACK_APP_TOKEN") && ran.err.contains("SLACK_SIGNING_SECRET"), "{ran:?}");
    let socket = r#"{"slack": {"mode": "socket"}}"#;
    let desk = desk.env("SLACK_SIGNING_SECRET", "s").file("configs/ml-intern.json", socket);
    let ran = desk.run(&["serve"]).await;
    assert!(ran.code == Some(2) && ran.err.contains("slack.mode is socket"), "{ran:?}");
}

#[tokio::test]
async fn a_headless_run_sends_its_notices_before_it_leaves() {
    let workspace = workspace().await;
    let model = model([bash("true"), Reply::says("All done.")]).await;
    let channel = workspace.look(|state| state.channels[1].id.clone());
    let desk = desk(&workspace).env("SLACK_CHANNEL_ID", &channel).model(&model, serde_json::json!({}));
    let ran = desk.run(&["count the files"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let texts: Vec<String> = workspace.look(|state| {
        let posted = state.messages.values().filter(|message| message.channel == channel);
        posted.map(|message| message.text.clone()).collect()
    });
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert!(texts[0].starts_with("[WARNING] Approval needed: count the files\n"), "{texts:?}");
    assert!(texts[1].starts_with("[SUCCESS] Task complete: count the files\n"), "{texts:?}");
    assert!(texts[1].contains("All done."), "{texts:?}");
    workspace.shutdown().await;
}
