//! The `notify` tool, from call to channel.

use std::sync::Arc;
use std::time::Duration;

use ml_intern::agent::tool::{CallContext, Ownership, Place, Progress, Tool, ToolError};
use ml_intern::protocol::{Actor, Door};
use ml_intern::tools::NotifyTool;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{Answer, Office};

struct Nobody;

impl Progress for Nobody {
    fn line(&self, _: &str) {}
}

fn context(cancel: &CancellationToken) -> CallContext {
    CallContext {
        call: "c1".into(),
        turn: "t1".into(),
        place: Place {
            session: "s1".into(),
            door: Door::Slack,
            channel: None,
            workspace: std::env::temp_dir(),
            ownership: Ownership::Session,
        },
        requester: Actor::new("U1", "Ann"),
        approved_by: Vec::new(),
        model: "anthropic/claude".to_owned(),
        progress: Arc::new(Nobody),
        cancel: cancel.clone(),
    }
}

/// A desk with the tool on it and the delivery loop running.
async fn desk(script: impl IntoIterator<Item = Answer>) -> (Office, NotifyTool, CancellationToken) {
    let office = Office::open(script).await;
    let (gateway, cancel) = (Arc::clone(&office.gateway), CancellationToken::new());
    let token = cancel.clone();
    tokio::spawn(async move { gateway.run(token).await });
    let tool = NotifyTool::new(Arc::clone(&office.gateway));
    (office, tool, cancel)
}

#[tokio::test]
async fn the_tool_sends_and_says_so_for_each_destination() {
    let (office, tool, cancel) = desk([]).await;
    assert!(tool.spec().description.ends_with("Destinations: ops."));
    let arguments = json!({"destinations": [" ops ", "ops"], "message": "**Done**", "title": "Job", "severity": "success"});
    let outcome = tool.call(arguments.clone(), context(&cancel)).await.unwrap();
    assert_eq!((outcome.output.as_str(), outcome.success), ("ops: sent", true));
    assert_eq!(office.slack.texts(), ["[SUCCESS] Job\n*Done*\nsession_id: s1\nmodel: anthropic/claude"]);
    // The same call, taken up again after a crash, sends nothing more.
    tool.call(arguments, context(&cancel)).await.unwrap();
    assert_eq!(office.slack.posts(), 1);
}

#[tokio::test]
async fn the_tool_refuses_the_whole_call_when_one_destination_is_not_open_to_it() {
    let (office, tool, cancel) = desk([]).await;
    for (names, said) in [
        (json!(["ops", "auto"]), "nothing was sent, because `auto` is unknown or not open to you"),
        (json!(["auto", "nobody"]), "because `auto`, `nobody` are unknown"),
        (json!([" "]), "`destinations` is empty. The destinations that you may use: ops."),
    ] {
        let error =
            tool.call(json!({"destinations": names, "message": "x"}), context(&cancel)).await.unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
    }
    let empty = tool.call(json!({"destinations": ["ops"], "message": " "}), context(&cancel)).await;
    assert!(matches!(empty, Err(ToolError::Arguments(_))));
    assert_eq!(office.slack.posts(), 0);
}

#[tokio::test]
async fn the_tool_tells_a_failure_and_lets_go_when_stopped() {
    let refused = Answer::Body(json!({"ok": false, "error": "not_in_channel"}));
    let (office, tool, cancel) = desk([refused, Answer::Never]).await;
    let arguments = json!({"destinations": ["ops"], "message": "x"});
    let outcome = tool.call(arguments.clone(), context(&cancel)).await.unwrap();
    assert!(!outcome.success);
    assert_eq!(outcome.output, "ops: failed (Slack said not_in_channel: invite the bot to the channel)");
    let stop = CancellationToken::new();
    let mut stopped = context(&stop);
    stopped.call = "c2".into();
    let call = tokio::spawn(async move { tool.call(arguments, stopped).await });
    while office.slack.posts() < 2 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    stop.cancel();
    let ended = tokio::time::timeout(Duration::from_secs(1), call).await.unwrap().unwrap();
    assert!(matches!(ended, Err(ToolError::Cancelled)));
}
