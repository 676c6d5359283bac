//! Whose sandbox it is: it holds a token, which serves nobody else.

use ml_intern::agent::tool::Risk;
use ml_intern::protocol::Actor;
use serde_json::json;

use super::Desk;

#[tokio::test]
async fn a_sandbox_serves_only_whose_token_it_holds() {
    let desk = Desk::of_people().await;
    let space = desk.with_sandbox().await;
    assert!(desk.call("write", json!({ "path": "x", "content": "one" })).await.success);
    let bash = desk.assess("bash", &json!({ "command": "ls" }));
    let reason = "Runs a shell command in the sandbox, which holds Ann's token of the Hub.".to_owned();
    assert_eq!((bash.risk, bash.alike.unwrap().key.as_str()), (Risk::Ask { reason }, "sandbox:bash:U1"));
    let replace = desk.assess("sandbox_create", &json!({ "hardware": "t4-small" }));
    assert!(replace.preview.contains("That one is Ann's"), "{}", replace.preview);
    let before = desk.hub.look(|shelf| shelf.seen.len());
    for (tool, arguments) in [
        ("bash", json!({ "command": "cat x" })),
        ("read", json!({ "path": "x" })),
        ("write", json!({ "path": "y", "content": "two" })),
        ("edit", json!({ "path": "x", "old_str": "one", "new_str": "two" })),
        ("sandbox_create", json!({})),
        ("sandbox_create", json!({ "hardware": "t4-small" })),
    ] {
        let refused = desk.call_by(Actor::new("U2", "Bob"), tool, arguments).await;
        assert_eq!(
            refused.output,
            "This session's sandbox is Ann's: it holds their token of the Hub. Ask them, or work in a session of your \
             own.",
            "{tool}"
        );
        assert!(!refused.success);
    }
    assert_eq!(desk.hub.look(|shelf| shelf.seen.len()), before, "nothing was done");
    assert!(desk.hub.look(|shelf| shelf.spaces.contains_key(&space)));
    assert_eq!(desk.call("read", json!({ "path": "x" })).await.output, "     1\tone");
}

#[tokio::test]
async fn what_holds_the_bots_token_serves_everybody() {
    let desk = Desk::new().await;
    desk.with_sandbox().await;
    let done = desk.call_by(Actor::new("U2", "Bob"), "bash", json!({ "command": "echo hi" })).await;
    assert_eq!(done.output, "hi");
    let Risk::Ask { reason } = desk.assess("bash", &json!({ "command": "ls" })).risk else { panic!() };
    assert!(reason.contains("holds the bot's token"), "{reason}");
}

#[tokio::test]
async fn what_another_account_cannot_see_is_not_forgotten() {
    let desk = Desk::of_people().await;
    let space = desk.with_sandbox().await;
    let kept = desk.hub.look(|shelf| {
        shelf.account = Some("bob");
        shelf.spaces.remove(&space)
    });
    for (tool, arguments) in [("read", json!({ "path": "x" })), ("sandbox_create", json!({}))] {
        let told = desk.call(tool, arguments).await;
        assert!(!told.success && told.output.contains("the token of the Hub has changed"), "{}", told.output);
        assert_eq!(desk.sandboxes.known(&"s".into()).unwrap().space, space);
    }
    desk.hub.look(|shelf| {
        shelf.account = None;
        shelf.spaces.extend(kept.map(|kept| (space.clone(), kept)));
    });
    assert!(desk.call("bash", json!({ "command": "true" })).await.success, "it was only out of sight");
}

#[tokio::test]
async fn another_token_does_not_go_to_a_space_of_the_old_account() {
    let desk = Desk::of_people().await;
    let space = desk.with_sandbox().await;
    let desk = desk.with_token_of_people("hf_of_somebody_else");
    let told = desk.call("read", json!({ "path": "x" })).await;
    assert!(!told.success, "{}", told.output);
    assert_eq!(desk.sandboxes.known(&"s".into()).unwrap().space, space, "it stays written down");
}
