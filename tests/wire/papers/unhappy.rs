//! The unhappy half: refusals, storms of limits, garbage, silence, stops.

use std::time::{Duration, Instant};

use ml_intern::agent::tool::ToolError;
use serde_json::json;

use super::services::Answer;
use super::{AR5IV_PAGE, Desk};

const HUB: &str = "/api/papers/2305.18290";
const COUNTS: &str = "/graph/v1/paper/ARXIV:2305.18290";
const BULK: &str = "/graph/v1/paper/search/bulk";

#[tokio::test]
async fn details_stand_when_semantic_scholar_is_down() {
    let mut told = String::new();
    for answer in [
        Answer::with(429, "{}").header("retry-after", "600"),
        Answer::with(500, "oops"),
        Answer::with(200, "<html>busy</html>"),
        Answer::with(403, r#"{"message": "Forbidden"}"#),
    ] {
        let desk_again = Desk::open().await;
        desk_again.services.says(
            "hub",
            HUB,
            &json!({"id": "2305.18290", "title": "DPO", "summary": "We show."}),
        );
        desk_again.services.answers("s2", COUNTS, [answer]);
        let text = desk_again.told(json!({"operation": "paper_details", "arxiv_id": "2305.18290"})).await;
        assert!(text.starts_with("[success]\nDPO") && text.contains("Abstract: We show."), "{text}");
        told.push_str(text.lines().find(|line| line.starts_with("citations:")).unwrap());
        told.push('\n');
    }
    assert_eq!(
        told.lines().collect::<Vec<_>>(),
        [
            "citations: unknown now (Semantic Scholar: it takes no more requests for 600 s)",
            "citations: unknown now (Semantic Scholar: it failed (HTTP 500))",
            "citations: unknown now (Semantic Scholar: its answer makes no sense: it is no JSON)",
            "citations: unknown now (Semantic Scholar: it does not allow this (HTTP 403): Forbidden)",
        ]
    );
}

#[tokio::test]
async fn refusals_are_failures_with_a_reason() {
    let mut told = String::new();
    for (status, body) in [
        (401, r#"{"error": "Invalid credentials"}"#),
        (402, r#"{"error": "Pre-paid credit balance is insufficient"}"#),
        (403, r#"{"error": "Forbidden"}"#),
        (404, r#"{"error": "Paper not found"}"#),
        (500, "oops"),
        (200, "<!doctype html><title>Garbage</title>"),
        (200, r#"["not", "a paper"]"#),
    ] {
        let desk = Desk::open().await;
        desk.services.answers("hub", "/api/papers/9999.99999", [Answer::with(status, body)]);
        let text = desk.told(json!({"operation": "paper_details", "arxiv_id": "9999.99999"})).await;
        assert!(text.starts_with("[failure]"), "{status}: {text}");
        told.push_str(&format!("{status}: {text}\n"));
    }
    insta::assert_snapshot!(told);
}

#[tokio::test]
async fn a_filtered_search_that_falls_back_says_so() {
    let desk = Desk::open().await;
    desk.services.answers("s2", BULK, [Answer::with(500, "")]);
    let listed = json!([{"paper": {"id": "2305.18290", "title": "DPO", "upvotes": 1}}]);
    desk.services.says("hub", "/api/papers/search", &listed);
    let search = json!({
        "operation": "search", "query": "dpo", "min_citations": 100, "date_from": "2024-01-01", "limit": 500
    });
    let fallen = desk.told(search.clone()).await;
    let tries = desk.services.seen().iter().filter(|it| it.host == "s2").count();
    assert_eq!(tries, 3, "it is asked again before it is given up");
    desk.services.answers("hub", "/api/papers/search", [Answer::with(503, "")]);
    let both = desk.told(search.clone()).await;
    desk.services.says("s2", BULK, &json!({"total": 0, "data": []}));
    let none = desk.told(search).await;
    insta::assert_snapshot!(format!("{fallen}\n\n===\n{both}\n\n===\n{none}"));
}

#[tokio::test]
async fn a_limit_is_waited_for_when_it_is_short_and_told_when_it_is_long() {
    let desk = Desk::open().await;
    let limited = |after: &str| Answer::with(429, "{}").header("retry-after", after);
    let list = Answer::json(&json!({"total": 1, "data": [{"title": "DPO"}]}));
    desk.services.answers("s2", BULK, [limited("0"), limited("0"), list]);
    let search = json!({"operation": "search", "query": "dpo", "sort_by": "relevance"});
    let told = desk.told(search).await;
    assert!(told.contains("1. DPO") && told.contains("citations unknown"), "{told}");

    desk.services.answers("s2", "/graph/v1/snippet/search", [limited("3000")]);
    let began = Instant::now();
    let snippets = json!({"operation": "snippet_search", "query": "dpo"});
    let told = desk.told(snippets.clone()).await;
    assert!(told.starts_with("[failure]") && told.contains("no more requests for 3000 s"), "{told}");
    desk.services.seen();
    let again = desk.told(snippets).await;
    assert!(again.starts_with("[failure]") && began.elapsed() < Duration::from_secs(5), "{again}");
    assert_eq!(desk.services.seen().len(), 0, "the host asked for quiet and gets it");
}

#[tokio::test]
async fn parts_of_everything_fail_alone() {
    let desk = Desk::open().await;
    desk.services.says(
        "hub",
        "/api/datasets",
        &json!([{"id": "alice/data1", "downloads": 9, "gated": "auto"}]),
    );
    desk.services.answers("hub", "/api/models", [Answer::with(500, "")]);
    desk.services.answers("hub", "/api/collections", [Answer::with(200, "<html>")]);
    let all = json!({"operation": "find_all_resources", "arxiv_id": "2305.18290"});
    let some = desk.told(all.clone()).await;
    desk.services.answers("hub", "/api/datasets", [Answer::with(404, "{}")]);
    let none = desk.told(all).await;
    insta::assert_snapshot!(format!("{some}\n\n===\n{none}"));
}

#[tokio::test]
async fn one_direction_of_citations_fails_alone() {
    let desk = Desk::open().await;
    let cites = json!({"data": [{"isInfluential": false, "contexts": null, "citedPaper": {"title": "PPO"}}]});
    desk.services.says("s2", &format!("{COUNTS}/references"), &cites);
    desk.services.answers("s2", &format!("{COUNTS}/citations"), [Answer::with(500, "")]);
    let graph = |direction: &str| json!({"operation": "citation_graph", "arxiv_id": "2305.18290", "direction": direction});
    let told = desk.told(graph("both")).await;
    assert!(
        told.starts_with("[success]") && told.contains("- PPO") && told.contains("Cited by: unknown now"),
        "{told}"
    );
    let alone = desk.told(graph("citations")).await;
    assert!(alone.starts_with("[failure]"), "{alone}");
}

#[tokio::test]
async fn a_stop_ends_every_wait() {
    for arguments in [
        json!({"operation": "read_paper", "arxiv_id": "2305.18290"}),
        json!({"operation": "paper_details", "arxiv_id": "2305.18290"}),
        json!({"operation": "citation_graph", "arxiv_id": "2305.18290"}),
        json!({"operation": "find_all_resources", "arxiv_id": "2305.18290"}),
        json!({"operation": "search", "query": "dpo", "min_citations": 1}),
    ] {
        let desk = Desk::open().await;
        for (host, path) in [
            ("arxiv", "/html/2305.18290"),
            ("hub", HUB),
            ("hub", "/api/models"),
            ("s2", BULK),
            ("s2", "/graph/v1/paper/ARXIV:2305.18290/citations"),
        ] {
            desk.services.answers(host, path, [Answer::never()]);
        }
        let began = Instant::now();
        let (stopped, ()) = tokio::join!(desk.call(arguments.clone()), async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            desk.cancel.cancel();
        });
        assert!(matches!(stopped, Err(ToolError::Cancelled)), "{arguments}");
        assert!(began.elapsed() < Duration::from_secs(2), "{arguments}");
    }
}

#[tokio::test]
async fn pages_that_are_too_large_are_left_for_the_next_source() {
    let desk = Desk::open().await;
    let large = vec![b'x'; 21 * 1024 * 1024];
    desk.services.answers("arxiv", "/html/2305.18290", [Answer::with(200, large)]);
    desk.services.answers("ar5iv", "/html/2305.18290", [Answer::with(200, AR5IV_PAGE)]);
    let told = desk.told(json!({"operation": "read_paper", "arxiv_id": "2305.18290"})).await;
    assert!(told.contains("(text from ar5iv)"), "{told}");
}

#[tokio::test]
async fn what_is_told_is_capped_and_hides_our_secrets() {
    let desk = Desk::open().await;
    let noise = "word\n# [injected](x) ".repeat(200);
    let papers: Vec<_> = (0..60)
        .map(|at| json!({"paper": {"id": "2305.18290", "title": format!("{at} {noise}"), "summary": noise}}))
        .collect();
    desk.services.says("hub", "/api/papers/search", &json!(papers));
    let told = desk.told(json!({"operation": "search", "query": "s3cret-value-of-ours", "limit": 50})).await;
    assert!(told.chars().count() < 20_200 && told.contains("characters left out"), "{}", told.len());
    assert!(told.contains("“[REDACTED]”") && !told.contains("\n# "), "{}", &told[..300]);
}
