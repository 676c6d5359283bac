//! `explore_hf_docs`: what it asks for, what the model reads, and what happens when the site is in a bad mood.

use std::time::Duration;

use ml_intern::agent::tool::ToolError;
use serde_json::json;

use super::site::{Page, Seen, page, redirect, refusal, sidebar};
use super::{Desk, with_token};

#[tokio::test]
async fn listing_and_searching_ask_what_was_recorded() {
    let desk = Desk::new().await;
    let list = desk.says("explore_hf_docs", json!({ "endpoint": "trl" })).await;
    let asked = ["/docs/trl", "/docs/trl/dpo_trainer.md", "/docs/trl/index.md", "/docs/trl/sft_trainer.md"];
    assert_eq!(desk.hub.seen(), asked.map(with_token));
    let search = json!({ "endpoint": "trl", "query": "dpo beta", "max_results": 2 });
    let found = desk.says("explore_hf_docs", search).await;
    assert_eq!(desk.hub.lines(), Vec::<String>::new(), "everything is known by now");
    insta::assert_snapshot!(format!("{list}\n\n=====\n\n{found}"));
}

#[tokio::test]
async fn gradio_answers_for_itself_and_never_sees_the_token() {
    let desk = Desk::with(Some(super::TOKEN), 300).await;
    desk.gradio.put("/llms.txt", page("text/plain", "- a guide\n".repeat(50)));
    let list = desk.says("explore_hf_docs", json!({ "endpoint": "gradio" })).await;
    desk.gradio.put(
        "/api/prompt",
        page("application/json", json!({ "SYS_PROMPT": "gradio guide result" }).to_string()),
    );
    let found = desk.says("explore_hf_docs", json!({ "endpoint": "gradio", "query": "chat" })).await;
    let seen = desk.gradio.seen();
    assert!(seen.iter().all(|seen| seen.authorization.is_none()));
    let prompt = Seen {
        line: "POST /api/prompt".to_owned(),
        authorization: None,
        headers: [
            ("content-type".to_owned(), "application/json".to_owned()),
            ("origin".to_owned(), "https://gradio-docs-mcp.up.railway.app".to_owned()),
        ]
        .into(),
        body: json!({
            "prompt_to_embed": "chat",
            "SYSTEM_PROMPT": "$INSERT_GUIDES_DOCS_DEMOS",
            "FALLBACK_PROMPT": "No results found",
        }),
    };
    assert_eq!((seen[0].line.as_str(), &seen[1]), ("GET /llms.txt", &prompt));
    assert!(list.contains("300 of 500 characters are shown; go on with fetch_hf_docs, url=http://gradio/llms.txt, offset=300"), "{list}");
    assert_eq!(found, "Documentation of Gradio for “chat”:\n\ngradio guide result");
    desk.gradio.put("/api/prompt", page("application/json", "{}"));
    let odd = desk.says("explore_hf_docs", json!({ "endpoint": "gradio", "query": "chat" })).await;
    assert!(odd.starts_with("FAILED: Gradio's documentation: its answer makes no sense"), "{odd}");
}

#[tokio::test]
async fn arguments_are_checked_before_anything_is_asked() {
    let desk = Desk::new().await;
    let mut said = Vec::new();
    for arguments in [
        json!({}),
        json!({ "endpoint": "tlr" }),
        json!({ "endpoint": "trl", "max_results": 0 }),
        json!({ "endpoint": "trl", "max_results": -3 }),
        json!({ "endpoint": "trl", "max_results": "many" }),
        json!({ "endpoint": "trl", "max_results": 2.5 }),
        json!({ "endpoint": "trl", "limit": 2 }),
    ] {
        said.push(desk.says("explore_hf_docs", arguments).await);
    }
    assert_eq!(desk.hub.lines(), Vec::<String>::new());
    insta::assert_snapshot!(said.join("\n"));
}

#[tokio::test]
async fn numbers_are_clamped_and_words_that_occur_nowhere_are_said_so() {
    let desk = Desk::new().await;
    let many = desk.says("explore_hf_docs", json!({ "endpoint": "trl", "max_results": 500 })).await;
    assert!(many.contains("Note: `max_results` is 50 at most."), "{many}");
    for query in ["zebra", "\"((*", "NOT NEAR(zz"] {
        let none = desk.says("explore_hf_docs", json!({ "endpoint": "trl", "query": query })).await;
        assert!(
            none.contains("No page has any of these words") && none.contains("1. **Quickstart**"),
            "{none}"
        );
    }
}

#[tokio::test]
async fn what_cannot_be_listed_says_why() {
    let desk = Desk::new().await;
    desk.hub.put("/docs/peft", page("text/html", "<p>nothing here</p>"));
    desk.hub.put("/docs/timm", refusal(403, "Forbidden"));
    desk.hub
        .put("/docs/hub", Page { headers: vec![("retry-after", "30".into())], ..refusal(429, "Slow down") });
    desk.hub.put("/docs/evaluate", refusal(500, "Internal error"));
    desk.hub.put("/docs/lerobot", redirect("https://evil.example/docs/lerobot"));
    desk.hub.put("/docs/kernels", redirect("/docs/kernels/"));
    desk.hub.put("/docs/kernels/", redirect("/docs/kernels"));
    let mut said = Vec::new();
    for endpoint in ["diffusers", "peft", "timm", "hub", "evaluate", "lerobot", "kernels"] {
        said.push(desk.says("explore_hf_docs", json!({ "endpoint": endpoint })).await);
    }
    insta::assert_snapshot!(said.join("\n"));
    // A failure is not kept.
    desk.hub.put("/docs/evaluate", sidebar(&[("Index", "/docs/evaluate/index")]));
    let now = desk.says("explore_hf_docs", json!({ "endpoint": "evaluate" })).await;
    assert!(
        now.contains("could not be read: there is no such page (404)") && now.contains("1. **Index**"),
        "{now}"
    );
}

#[tokio::test]
async fn several_documentations_are_ranked_together_and_gaps_are_named() {
    let desk = Desk::new().await;
    for (name, home) in [("optimum", "/docs/optimum"), ("optimum-neuron", "/docs/optimum-neuron")] {
        desk.hub.put(home, sidebar(&[(&format!("Export with {name}"), &format!("{home}/export"))]));
        desk.hub.put(&format!("{home}/export.md"), page("text/markdown", format!("How {name} exports.")));
    }
    let found =
        desk.says("explore_hf_docs", json!({ "endpoint": "optimum", "query": "neuron export" })).await;
    insta::assert_snapshot!(found);
    desk.hub.put("/learn/cookbook", sidebar(&[("Recipes", "/learn/cookbook/index")]));
    let courses = desk.says("explore_hf_docs", json!({ "endpoint": "courses", "max_results": 1 })).await;
    assert!(
        courses.contains("http://hub/learn/cookbook/index") && courses.contains("`llm-course` is left out"),
        "{courses}"
    );
}

/// A library of many pages, each of which takes a moment.
fn large(desk: &Desk, pages: usize, after: Duration) {
    let links: Vec<(String, String)> =
        (0..pages).map(|n| (format!("Page {n}"), format!("/docs/transformers/p{n}"))).collect();
    let links: Vec<(&str, &str)> =
        links.iter().map(|(title, href)| (title.as_str(), href.as_str())).collect();
    desk.hub.put("/docs/transformers", sidebar(&links));
    for n in 0..pages {
        let text = page("text/markdown", format!("# Page {n}\n\nabout thing{n}"));
        desk.hub.put(&format!("/docs/transformers/p{n}.md"), Page { after, ..text });
    }
}

#[tokio::test]
async fn a_list_reads_only_what_it_shows_and_a_search_reads_all_eight_at_a_time() {
    let desk = Desk::new().await;
    large(&desk, 120, Duration::from_millis(5));
    desk.says("explore_hf_docs", json!({ "endpoint": "transformers", "max_results": 3 })).await;
    assert_eq!(desk.hub.lines().len(), 1 + 3);
    let found = desk
        .says("explore_hf_docs", json!({ "endpoint": "transformers", "query": "thing77", "max_results": 1 }))
        .await;
    assert!(found.contains("1. **Page 77**"), "{found}");
    assert_eq!(desk.hub.lines().len(), 117);
    assert!((2..=8).contains(&desk.hub.most_at_once()), "{}", desk.hub.most_at_once());
    let lines = desk.lines.0.lock().unwrap().clone();
    assert_eq!(lines, [50, 100].map(|n| format!("Read {n} of 117 pages of the transformers documentation")));
}

#[tokio::test]
async fn a_search_that_is_told_to_wait_stops_says_so_and_goes_on_later() {
    let desk = Desk::new().await;
    large(&desk, 40, Duration::ZERO);
    let text = page("text/markdown", "the zebra");
    let busy = Page { headers: vec![("retry-after", "7".into())], ..refusal(429, "Slow down") };
    desk.hub.put("/docs/transformers/p5.md", busy);
    let search = json!({ "endpoint": "transformers", "query": "zebra" });
    let first = desk.says("explore_hf_docs", search.clone()).await;
    assert!(first.contains("ranked by title alone, because the text was not read: too many requests (429); it asks to wait 7 s"), "{first}");
    assert!(desk.hub.lines().len() < 41, "no more requests after that");
    desk.hub.put("/docs/transformers/p5.md", text);
    let second = desk.says("explore_hf_docs", search).await;
    assert!(second.contains("1. **Page 5**") && !second.contains("Note"), "{second}");
    assert!(!desk.hub.lines().contains(&"GET /docs/transformers".to_owned()), "the sidebar is known");
}

#[tokio::test]
async fn stop_ends_a_search_at_once_and_what_was_read_is_kept() {
    let desk = Desk::new().await;
    large(&desk, 12, Duration::ZERO);
    let slow = page("text/markdown", "slow");
    desk.hub.put("/docs/transformers/p11.md", Page { after: Duration::from_secs(60), ..slow.clone() });
    let search = json!({ "endpoint": "transformers", "query": "thing3" });
    let call = desk.call("explore_hf_docs", search.clone());
    let stop = async {
        desk.hub.until_asked(13).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        desk.cancel.cancel();
    };
    let begun = std::time::Instant::now();
    let (ended, ()) = tokio::join!(call, stop);
    assert!(matches!(ended, Err(ToolError::Cancelled)));
    assert!(begun.elapsed() < Duration::from_secs(10));
    desk.hub.seen();
    desk.hub.put("/docs/transformers/p11.md", slow);
    let mut desk = desk;
    desk.cancel = Default::default();
    let found = desk.says("explore_hf_docs", search).await;
    assert!(found.contains("1. **Page 3**"), "{found}");
    assert_eq!(desk.hub.lines(), ["GET /docs/transformers/p11.md"]);
}

#[tokio::test]
async fn two_who_ask_at_once_read_once_and_after_hours_it_is_read_anew() {
    let desk = Desk::new().await;
    let search = json!({ "endpoint": "trl", "query": "beta" });
    let (one, other) = tokio::join!(
        desk.says("explore_hf_docs", search.clone()),
        desk.says("explore_hf_docs", search.clone())
    );
    assert_eq!(one, other);
    assert_eq!(desk.hub.lines().len(), 4);
    desk.clock.advance(Duration::from_secs(7 * 3600));
    desk.hub.put("/docs/trl", sidebar(&[("New page", "/docs/trl/index")]));
    let anew = desk.says("explore_hf_docs", json!({ "endpoint": "trl" })).await;
    assert!(anew.contains("1. **New page**"), "{anew}");
    desk.clock.advance(Duration::from_secs(7 * 3600));
    desk.hub.put("/docs/trl", refusal(500, "down"));
    let kept = desk.says("explore_hf_docs", json!({ "endpoint": "trl" })).await;
    assert!(kept.contains("1. **New page**"), "what is old is better than nothing: {kept}");
}
