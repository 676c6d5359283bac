//! Sandboxes made, kept, replaced and deleted.

use std::time::Duration;

use ml_intern::agent::tool::{Effect, Risk, ToolError};
use ml_intern::protocol::{Cost, Waits, Work};
use ml_intern::tools::hub::sandbox::{Phase, Why};
use serde_json::{Value, json};

use super::Desk;
use super::space_hub::TOKEN;

#[tokio::test]
async fn a_sandbox_is_made_as_the_official_client_would_and_is_ready_to_use() {
    let desk = Desk::new().await;
    let made = desk.call("sandbox_create", json!({ "hardware": "t4-small" })).await;
    assert!(made.success, "{}", made.output);
    let space = desk.hub.look(|shelf| shelf.spaces.keys().next().cloned()).unwrap();
    let digits = space.strip_prefix("alice/sandbox-").unwrap();
    assert!(digits.len() == 8 && digits.bytes().all(|b| b.is_ascii_hexdigit()), "{space}");
    let at = |rest: &str| format!("POST /api/spaces/{space}/{rest}");
    assert_eq!(
        desk.hub.lines(),
        [
            "GET /api/whoami-v2".to_owned(),
            "POST /api/spaces/burtenshaw/sandbox/duplicate".to_owned(),
            at("preupload/main"),
            at("commit/main"),
            at("secrets"),
            format!("GET /api/spaces/{space}/runtime"),
        ]
    );
    desk.hub.look(|shelf| {
        // Bodies as huggingface_hub was recorded to send them.
        assert_eq!(
            shelf.seen[1].1,
            json!({ "repository": space, "visibility": "private", "hardware": "t4-small", "sleepTimeSeconds": 2700 })
        );
        // The template is replaced before there is a token to steal.
        assert_eq!(shelf.seen[4].1["key"], "SANDBOX_API_TOKEN");
        assert_eq!(shelf.seen[4].1["value"].as_str().unwrap().len(), 43);
        assert_eq!(shelf.seen[5].1, json!({ "key": "HF_TOKEN", "value": TOKEN }));
        let commit = shelf.seen.iter().find(|(line, _)| line.contains("/commit/")).unwrap();
        let header = json!({ "key": "header", "value": { "summary": "Setup sandbox server", "description": "" } });
        assert_eq!(commit.1[0], header);
        let paths: Vec<&Value> = (1..3).map(|at| &commit.1[at]["value"]["path"]).collect();
        assert_eq!(paths, ["sandbox_server.py", "Dockerfile"]);
        assert!(shelf.spaces[&space].private && shelf.wrong.is_empty());
    });
    assert!(
        made.output.starts_with(&format!("The sandbox {space} is ready on t4-small: ")),
        "{}",
        made.output
    );
    let [ticket] = &made.tickets[..] else { panic!("{:?}", made.tickets) };
    assert_eq!((ticket.id.as_str(), ticket.waits), (format!("sandbox:{space}").as_str(), Waits::NoOne));
    let Work::Sandbox(work) = &ticket.work else { panic!() };
    assert_eq!((work.flavour.as_str(), work.price), ("t4-small", Some(600_000)));
    let said = desk.said();
    assert_eq!(said[0], format!("making {space} on t4-small"));
    assert!(said.iter().any(|line| line.starts_with("building, ")), "{said:?}");
    let shown = desk.call("bash", json!({ "command": "echo $HF_TOKEN; echo $SANDBOX_API_TOKEN" })).await;
    assert_eq!(shown.output, "[REDACTED]", "what is secret there is not shown here");
}

#[test]
fn people_read_what_it_costs_and_what_goes_into_it() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let desk = runtime.block_on(Desk::new());
    let free = desk.assess("sandbox_create", &json!({}));
    assert_eq!(free.risk, Risk::Ask { reason: "Makes a private Space on the Hub.".to_owned() });
    assert_eq!((free.cost.clone(), free.operation.as_deref()), (Cost::Free, Some("create")));
    assert_eq!(free.alike.unwrap().words, "making free sandboxes in this session");
    insta::assert_snapshot!(free.preview, @r"
    A private Space on the Hub, as a machine for trials: cpu-basic, free.
    It is deleted, with its files, when nobody has used it for 45 minutes.
    The requester's token of the Hub goes into it as the secret HF_TOKEN, because code in it must load and push what they may: commands there can use it.
    ");
    let paid = desk.assess(
        "sandbox_create",
        &json!({ "hardware": " A100-Large ", "trackio_space_id": "alice/runs", "trackio_project": "p" }),
    );
    assert_eq!((paid.cost, paid.alike, paid.effect), (Cost::AtMost(4_000_000), None, Effect::Changes));
    assert!(paid.preview.contains("a100-large, $4.00 an hour"), "{}", paid.preview);
    assert!(paid.preview.contains("it goes on costing until it is deleted"), "{}", paid.preview);
    assert!(paid.preview.contains("The dashboard alice/runs is set up"), "{}", paid.preview);
    for (arguments, said) in [
        (json!({ "hardware": "b300" }), "`hardware`: there is no `b300`; it can be a100-large, "),
        (json!({ "trackio_space_id": "runs" }), "`trackio_space_id` must be owner/name"),
        (json!({ "trackio_space_id": "a/../b" }), "`trackio_space_id` must be owner/name"),
        (json!({ "trackio_project": "p" }), "`trackio_project` needs `trackio_space_id`"),
        (json!({ "gpu": true }), "gpu"),
    ] {
        let error = desk.tool("sandbox_create").assess(&arguments, &desk.place()).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
}

#[tokio::test]
async fn a_session_keeps_its_sandbox_through_a_restart() {
    let desk = Desk::new().await;
    let space = desk.with_sandbox().await;
    desk.call("write", json!({ "path": "x.txt", "content": "kept" })).await;
    let desk = desk.restarted();
    assert_eq!(desk.call("read", json!({ "path": "x.txt" })).await.output, "     1\tkept");
    let before = desk.hub.lines().len();
    let assessed = desk.assess("sandbox_create", &json!({ "hardware": "cpu-basic" }));
    assert_eq!((assessed.risk, assessed.cost), (Risk::Free, Cost::Free), "it is there already");
    let again = desk.call("sandbox_create", json!({ "hardware": "cpu-basic" })).await;
    assert_eq!(again.output, format!("The session's sandbox is {space} on cpu-basic; it is ready."));
    assert!(again.tickets.is_empty());
    assert_eq!(desk.hub.lines().len(), before, "it was only looked at");
}

#[tokio::test]
async fn a_free_sandbox_makes_room_for_another_machine_and_a_paid_one_does_not() {
    let desk = Desk::new().await;
    let first = desk.with_sandbox().await;
    let wish = json!({ "hardware": "t4-small" });
    let assessed = desk.assess("sandbox_create", &wish);
    assert!(matches!(assessed.risk, Risk::Ask { .. }) && assessed.operation.as_deref() == Some("replace"));
    assert!(
        assessed.preview.contains(&format!("{first} (cpu-basic) is deleted first")),
        "{}",
        assessed.preview
    );
    let second = desk.call("sandbox_create", wish).await;
    assert!(second.success, "{}", second.output);
    let left = desk.hub.look(|shelf| shelf.spaces.keys().cloned().collect::<Vec<_>>());
    assert!(left.len() == 1 && left[0] != first, "{left:?}");
    let third = desk.call("sandbox_create", json!({ "hardware": "a100-large" })).await;
    assert!(third.success && third.output.contains("It was not changed to a100-large"), "{}", third.output);
    assert_eq!(desk.hub.look(|shelf| shelf.spaces.keys().cloned().collect::<Vec<_>>()), left);
}

#[tokio::test]
async fn what_failed_to_build_says_why_and_is_deleted() {
    let desk = Desk::new().await;
    desk.hub.look(|shelf| shelf.stages = ["BUILDING", "BUILD_ERROR"].into());
    let failed = desk.call("sandbox_create", json!({})).await;
    assert!(!failed.success && failed.tickets.is_empty());
    assert!(failed.output.contains("failed (BUILD_ERROR)"), "{}", failed.output);
    assert!(failed.output.contains("error: no space left on device"), "{}", failed.output);
    desk.hub.until("the deletion", |shelf| shelf.spaces.is_empty()).await;
    let next = desk.call("bash", json!({ "command": "ls" })).await;
    assert!(next.output.starts_with("There is no sandbox"), "{}", next.output);
}

#[tokio::test]
async fn what_never_runs_is_given_up_and_deleted() {
    let desk = Desk::new().await;
    desk.hub.look(|shelf| shelf.stages = ["BUILDING"].into());
    let failed = desk.call("sandbox_create", json!({})).await;
    assert!(failed.output.contains("did not run within 5 s: it is still BUILDING"), "{}", failed.output);
    desk.hub.until("the deletion", |shelf| shelf.spaces.is_empty()).await;
}

#[tokio::test]
async fn a_token_that_is_missing_or_wrong_is_told_apart() {
    let nobody = Desk::of_somebody(None).await;
    let refused = nobody.call("sandbox_create", json!({})).await;
    assert!(!refused.success && refused.output.contains("no token of the Hub"), "{}", refused.output);
    assert!(nobody.hub.lines().is_empty());
    let wrong = Desk::of_somebody(Some("hf_wrong")).await;
    let refused = wrong.call("sandbox_create", json!({})).await;
    assert!(refused.output.contains("does not take this account's token"), "{}", refused.output);
    let broke = Desk::new().await;
    broke.hub.look(|shelf| shelf.refusals.extend([0, 402]));
    let unpaid = broke.call("sandbox_create", json!({ "hardware": "t4-small" })).await;
    assert!(!unpaid.success && unpaid.output.contains("Credits are bought at http"), "{}", unpaid.output);
}

#[tokio::test]
async fn a_creation_that_is_stopped_leaves_nothing() {
    let desk = Desk::new().await;
    desk.hub.look(|shelf| shelf.stages = ["BUILDING"].into());
    let (tool, context) = (desk.tool("sandbox_create"), desk.context());
    let call = tokio::spawn(async move { tool.call(json!({}), context).await });
    desk.hub.until("the Space", |shelf| shelf.spaces.len() == 1).await;
    desk.cancel.cancel();
    assert!(matches!(call.await.unwrap(), Err(ToolError::Cancelled)));
    desk.hub.until("the deletion", |shelf| shelf.spaces.is_empty()).await;
}

#[tokio::test]
async fn a_creation_that_died_is_known_and_cleaned_up() {
    let desk = Desk::new().await;
    desk.hub.look(|shelf| shelf.stages = ["BUILDING"].into());
    let (tool, context) = (desk.tool("sandbox_create"), desk.context());
    let call = tokio::spawn(async move { tool.call(json!({}), context).await });
    desk.hub.until("the Space", |shelf| shelf.spaces.len() == 1).await;
    // As if the process had been killed: nothing of the call runs on.
    call.abort();
    let _ = call.await;
    let desk = desk.restarted();
    assert_eq!(desk.sandboxes.known(&"s".into()).unwrap().phase, Phase::Making);
    let told = desk.call("read", json!({ "path": "x" })).await;
    assert_eq!(told.output, "Making the sandbox was interrupted. Call `sandbox_create` again.");
    assert!(desk.sandboxes.sweep().await.is_empty(), "somebody may still be at it");
    desk.clock.advance(Duration::from_secs(1_200));
    let swept = desk.sandboxes.sweep().await;
    assert_eq!((swept.len(), swept[0].why), (1, Why::Unfinished));
    assert!(desk.hub.look(|shelf| shelf.spaces.is_empty()));
}

#[tokio::test]
async fn a_creation_that_died_is_replaced_by_the_next() {
    let desk = Desk::new().await;
    desk.hub.look(|shelf| shelf.stages = ["BUILDING"].into());
    let (tool, context) = (desk.tool("sandbox_create"), desk.context());
    let call = tokio::spawn(async move { tool.call(json!({}), context).await });
    desk.hub.until("the Space", |shelf| shelf.spaces.len() == 1).await;
    call.abort();
    let _ = call.await;
    let dead = desk.hub.look(|shelf| shelf.spaces.keys().next().cloned()).unwrap();
    desk.hub.look(|shelf| shelf.stages = ["RUNNING"].into());
    let desk = desk.restarted();
    assert!(
        matches!(desk.assess("sandbox_create", &json!({})).risk, Risk::Ask { .. }),
        "it is asked about anew"
    );
    let made = desk.call("sandbox_create", json!({})).await;
    assert!(made.success, "{}", made.output);
    desk.hub.look(|shelf| assert!(shelf.spaces.len() == 1 && !shelf.spaces.contains_key(&dead)));
}

#[tokio::test]
async fn what_nobody_uses_is_deleted_and_what_is_used_stays() {
    let desk = Desk::new().await;
    desk.with_sandbox().await;
    desk.clock.advance(Duration::from_secs(44 * 60));
    desk.call("bash", json!({ "command": "true" })).await;
    desk.clock.advance(Duration::from_secs(44 * 60));
    assert!(desk.sandboxes.sweep().await.is_empty(), "it was used in between");
    desk.clock.advance(Duration::from_secs(60));
    // The Hub is out of order at first; the Space is not forgotten.
    desk.hub.look(|shelf| shelf.refusals.extend([500; 3]));
    assert!(desk.sandboxes.sweep().await.is_empty());
    assert_eq!(desk.hub.look(|shelf| shelf.spaces.len()), 1);
    let swept = desk.sandboxes.sweep().await;
    assert_eq!((swept.len(), swept[0].why), (1, Why::Due));
    assert!(desk.hub.look(|shelf| shelf.spaces.is_empty()));
    let told = desk.call("bash", json!({ "command": "ls" })).await;
    assert!(told.output.starts_with("There is no sandbox"), "{}", told.output);
}

#[tokio::test]
async fn a_dashboard_is_set_up_with_the_sandbox_and_is_in_its_environment() {
    let desk = Desk::new().await;
    let wish = json!({ "trackio_space_id": "alice/runs", "trackio_project": "first" });
    let made = desk.call("sandbox_create", wish).await;
    assert!(made.success && made.output.contains("Dashboard: http"), "{}", made.output);
    desk.hub.look(|shelf| {
        let sandbox = shelf.spaces.iter().find(|(name, _)| name.contains("sandbox-")).unwrap().1;
        assert_eq!(sandbox.secrets["TRACKIO_SPACE_ID"], "alice/runs");
        assert_eq!(sandbox.secrets["TRACKIO_PROJECT"], "first");
        let last = shelf.seen.iter().rfind(|(line, _)| line.ends_with("/secrets")).unwrap();
        assert_eq!(last.1["key"], "HF_TOKEN", "the token comes last");
    });
}
