//! Hugging Face's own Python client, unchanged, against the small Hub: jobs, Spaces, buckets.

use ml_intern::clock::Clock;
use ml_intern::playground::hub::{HubOptions, SmallHub};
use serde_json::json;

use super::{folder, may_skip, passes};

#[tokio::test(flavor = "multi_thread")]
async fn huggingface_hub_runs_jobs_and_spaces_unchanged() {
    let library = folder().join(".cache/venv/bin/hf");
    if !library.exists() && may_skip(&library) {
        return;
    }
    let hub = SmallHub::start(HubOptions::new(Clock::system())).await.unwrap();
    hub.jobs().set_credits("bob", 0);
    let tokens = ["alice", "bob", "carol"].map(|name| (name.to_owned(), HubOptions::token_of(name)));
    let tokens: std::collections::BTreeMap<String, String> = tokens.into_iter().collect();
    let card = json!({"url": hub.url(), "spaces_url": hub.spaces_url(), "tokens": tokens});
    passes(&folder().join(".cache/venv/bin/python"), "check_hub_jobs.py", &card).await;
    hub.shutdown().await;
}
