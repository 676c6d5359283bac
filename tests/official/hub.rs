//! The official `huggingface_hub` for Python, unchanged, against the small Hub: the measure of its honesty.

use std::collections::BTreeMap;

use ml_intern::clock::Clock;
use ml_intern::playground::hub::{HubFault, HubOptions, Limits, Service, SmallHub, Trouble};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

use super::{folder, may_skip, passes};

/// Names of the calls that the small Hub claims.
fn claimed() -> Vec<&'static str> {
    let list = include_str!("../../src/playground/hub/claimed.txt");
    list.lines().filter(|it| !it.is_empty() && !it.starts_with('#')).collect()
}

/// Does what the check asks: a word on a line is a fault, the answer is `done`.
async fn obey(hub: &SmallHub, orders: tokio::net::TcpListener) {
    while let Ok((stream, _)) = orders.accept().await {
        let mut lines = BufReader::new(stream);
        let mut word = String::new();
        lines.read_line(&mut word).await.unwrap();
        hub.fault(match word.trim() {
            "429" => HubFault::new("/api/datasets/", Trouble::RateLimited { retry_after: 1 }),
            "503" => HubFault::new("/tree/", Trouble::Status(503)),
            other => panic!("the check asks for an unknown fault: {other}"),
        });
        lines.get_mut().write_all(b"done\n").await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn huggingface_hub_works_unchanged_for_every_claimed_call() {
    let python = folder().join(".cache/venv/bin/python");
    if !python.exists() && may_skip(&python) {
        return;
    }
    // Small pages and parts: what the real Hub does with much, this one does with little.
    let limits =
        Limits { list_page: 3, tree_page: 4, discussions_page: 3, part: 64 * 1024, ..Limits::default() };
    let hub = SmallHub::start(HubOptions { limits, ..HubOptions::new(Clock::system()) }).await.unwrap();
    let orders = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let card = json!({
        "url": hub.url(), "control": orders.local_addr().unwrap().to_string(), "claimed": claimed(),
        "alice": hub.token("alice"), "bob": hub.token("bob"), "carol": hub.token("carol"),
    });
    tokio::select! {
        () = passes(&python, "check_hub.py", &card) => {}
        () = obey(&hub, orders) => unreachable!("the listener is ours"),
    }
    let calls = hub.calls();
    let mut to_cdn = BTreeMap::<&str, usize>::new();
    for call in calls.iter().filter(|it| it.service == Service::Cdn) {
        assert_eq!(call.caller, None, "the token left the Hub: {}", call.line());
        *to_cdn.entry(call.method.as_str()).or_default() += 1;
    }
    assert!(to_cdn["PUT"] >= 6 && to_cdn["GET"] >= 2, "{to_cdn:?}");
    assert!(calls.iter().any(|it| it.path.contains("/part/")), "nothing went up in parts");
    let unknown: Vec<String> = calls.iter().filter(|it| it.status == 405).map(|it| it.line()).collect();
    assert!(unknown.is_empty(), "the client asks for what is not served: {unknown:?}");
}
