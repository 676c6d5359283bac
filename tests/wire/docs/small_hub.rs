//! The same tools against the small Hub, which was written without knowing them.

use ml_intern::clock::Clock;
use ml_intern::playground::hub::{HubOptions, SmallHub};
use serde_json::json;

use super::{Desk, kit, tools};

#[tokio::test]
async fn the_small_hub_is_explored_read_and_asked_for_its_api() {
    let mut desk = Desk::new().await;
    let hub = SmallHub::start(HubOptions::playground(Clock::system())).await.unwrap();
    let token = hub.token("alice");
    let gradio = hub.addresses().gradio.clone();
    desk.tools = tools(&kit(hub.url(), &gradio, Some(&token), 25_000, desk.folder.path(), &desk.clock));
    let found = desk.says("explore_hf_docs", json!({ "endpoint": "trl", "query": "DPO trainers" })).await;
    assert!(found.contains("1. **DPO Trainer**"), "{found}");
    let page =
        desk.says("fetch_hf_docs", json!({ "url": "https://huggingface.co/docs/trl/dpo_trainer" })).await;
    assert!(page.contains("# DPO Trainer"), "{page}");
    let api = desk.says("find_hf_api", json!({ "query": "create a repository" })).await;
    assert!(api.contains("/api/repos/create"), "{api}");
    let guide = desk.says("explore_hf_docs", json!({ "endpoint": "gradio" })).await;
    assert!(guide.starts_with("Documentation of Gradio"), "{guide}");
    let callers: Vec<_> = hub
        .calls()
        .into_iter()
        .filter(|call| call.path.starts_with("/docs/"))
        .map(|call| call.caller)
        .collect();
    assert!(callers.len() >= 3 && callers.iter().all(|it| it.as_deref() == Some("alice")), "{callers:?}");
    hub.shutdown().await;
}
