//! What goes wrong between us and a sandbox, and what the model reads then.

use ml_intern::agent::tool::{Risk, ToolError};
use ml_intern::tools::hub::sandbox::Phase;
use serde_json::json;

use super::Desk;
use super::space_hub::Fault;

fn breaks(desk: &Desk, faults: &[Fault]) {
    desk.hub.look(|shelf| shelf.faults.extend(faults));
}

#[tokio::test]
async fn reading_is_tried_again() {
    let desk = Desk::new().await;
    desk.with_sandbox().await;
    desk.call("write", json!({ "path": "x", "content": "one" })).await;
    breaks(&desk, &[Fault::Page, Fault::Before]);
    assert_eq!(desk.call("read", json!({ "path": "x" })).await.output, "     1\tone");
    breaks(&desk, &[Fault::Page; 3]);
    let failed = desk.call("read", json!({ "path": "x" })).await;
    assert!(!failed.success && failed.output.contains("runs, but did not answer"), "{}", failed.output);
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_looked_for() {
    let desk = Desk::new().await;
    desk.with_sandbox().await;
    // The first request looks whether the file is there, the second one writes.
    breaks(&desk, &[Fault::Pass, Fault::After]);
    let done = desk.call("write", json!({ "path": "x", "content": "one" })).await;
    assert_eq!(done.output, "Made `x`: 3 bytes, 1 line.");
    assert!(desk.call("edit", json!({ "path": "x", "old_str": "one", "new_str": "two" })).await.success);
    breaks(&desk, &[Fault::Pass, Fault::Before]);
    let lost = desk.call("write", json!({ "path": "x", "content": "three" })).await;
    assert!(!lost.success, "{}", lost.output);
    assert_eq!(lost.output, "`x` was not written: the connection was lost before it arrived. Try once more.");
    assert_eq!(desk.call("read", json!({ "path": "x" })).await.output, "     1\ttwo");
}

#[tokio::test]
async fn a_command_whose_answer_is_lost_is_not_run_again() {
    let desk = Desk::new().await;
    desk.with_sandbox().await;
    breaks(&desk, &[Fault::After]);
    let done = desk.call("bash", json!({ "command": "echo x >> ran; echo said" })).await;
    assert_eq!(done.output, "said");
    assert_eq!(desk.call("read", json!({ "path": "ran" })).await.output, "     1\tx", "once");
    breaks(&desk, &[Fault::Before]);
    let lost = desk.call("bash", json!({ "command": "echo x >> ran" })).await;
    assert_eq!(lost.output, "The command did not reach the sandbox and was not run. Run it again.");
    assert_eq!(desk.call("read", json!({ "path": "ran" })).await.output, "     1\tx", "still once");
    breaks(&desk, &[Fault::After, Fault::Page, Fault::Page, Fault::Page]);
    let unknown = desk.call("bash", json!({ "command": "echo x >> ran" })).await;
    assert!(
        !unknown.success && unknown.output.contains("whether it was done is unknown"),
        "{}",
        unknown.output
    );
}

#[tokio::test]
async fn a_sandbox_that_is_gone_says_so_and_a_new_one_needs_a_yes() {
    let desk = Desk::new().await;
    let space = desk.with_sandbox().await;
    desk.hub.look(|shelf| shelf.spaces.clear());
    let told = desk.call("bash", json!({ "command": "ls" })).await;
    assert_eq!(
        told.output,
        format!(
            "The sandbox {space} is gone, and its files with it. Call `sandbox_create` to make a new one."
        )
    );
    assert!(desk.sandboxes.known(&"s".into()).is_none());
    let second = desk.with_sandbox().await;
    desk.hub.look(|shelf| shelf.spaces.clear());
    // Asked for while it is thought to be there: nothing is made without a question.
    let again = desk.call("sandbox_create", json!({})).await;
    assert!(!again.success && again.output.contains(&format!("{second} is gone")), "{}", again.output);
    assert!(desk.hub.look(|shelf| shelf.spaces.is_empty()));
}

#[tokio::test]
async fn a_sandbox_that_sleeps_or_was_stopped_or_failed_is_told_apart() {
    for (stage, said) in [
        ("SLEEPING", "is starting (SLEEPING)"),
        ("PAUSED", "was stopped on the Hub (PAUSED)"),
        ("RUNTIME_ERROR", "is out of order (RUNTIME_ERROR)"),
    ] {
        let desk = Desk::new().await;
        let space = desk.with_sandbox().await;
        desk.hub.look(|shelf| shelf.spaces.get_mut(&space).unwrap().stages = [stage].into());
        breaks(&desk, &[Fault::Page; 3]);
        let told = desk.call("read", json!({ "path": "x" })).await;
        assert!(told.output.contains(said), "{}", told.output);
    }
}

#[tokio::test]
async fn what_is_out_of_order_is_deleted_only_after_people_were_asked() {
    let desk = Desk::new().await;
    let space = desk.with_sandbox().await;
    desk.hub.look(|shelf| shelf.spaces.get_mut(&space).unwrap().stages = ["RUNTIME_ERROR"].into());
    let told = desk.call("sandbox_create", json!({})).await;
    assert!(!told.success && told.output.contains("is out of order (RUNTIME_ERROR)"), "{}", told.output);
    assert!(desk.hub.look(|shelf| shelf.spaces.contains_key(&space)), "nobody was asked yet");
    assert_eq!(desk.sandboxes.known(&"s".into()).unwrap().phase, Phase::Broken);
    let told = desk.call("bash", json!({ "command": "ls" })).await;
    assert!(told.output.contains("is out of order. Call `sandbox_create`"), "{}", told.output);
    let asked = desk.assess("sandbox_create", &json!({}));
    assert!(matches!(asked.risk, Risk::Ask { .. }));
    assert!(asked.preview.contains(&format!("{space} (cpu-basic) is deleted first")), "{}", asked.preview);
    let made = desk.call("sandbox_create", json!({})).await;
    assert!(made.success, "{}", made.output);
    desk.hub.look(|shelf| assert!(shelf.spaces.len() == 1 && !shelf.spaces.contains_key(&space)));
}

#[tokio::test]
async fn a_stop_ends_the_command_there() {
    let desk = Desk::new().await;
    desk.with_sandbox().await;
    let (tool, context) = (desk.tool("bash"), desk.context());
    let command = "echo begun > began; setsid sleep 4716.6 & sleep 4716.6";
    let call = tokio::spawn(async move { tool.call(json!({ "command": command }), context).await });
    while !alive() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    desk.cancel.cancel();
    assert!(matches!(call.await.unwrap(), Err(ToolError::Cancelled)));
    for _ in 0..400 {
        if !alive() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("it still runs");
}

fn alive() -> bool {
    std::fs::read_dir("/proc").unwrap().filter_map(Result::ok).any(|entry| {
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        line.split(|b| *b == 0).any(|part| part == b"4716.6")
    })
}
