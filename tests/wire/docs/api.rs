//! `find_hf_api`: the description of the API is fetched when it is needed, kept, and searched.

use std::time::Duration;

use serde_json::{Value, json};

use super::site::{Page, page, refusal};
use super::{Desk, without_token};

const DOCUMENT: &str = "/.well-known/openapi.json";

fn document() -> Value {
    json!({
        "openapi": "3.1.0",
        "tags": [{ "name": "models" }],
        "paths": {
            "/api/models": { "get": {
                "operationId": "listModels", "summary": "List models", "tags": ["models"],
                "parameters": [{ "name": "search", "in": "query", "schema": { "type": "string" } }],
                "responses": { "200": { "description": "ok" } }
            } },
            "/api/jobs/{namespace}": { "post": {
                "operationId": "runJob", "summary": "Run a Job", "description": "Start a compute job", "tags": ["jobs"],
                "parameters": [{ "name": "namespace", "in": "path", "required": true, "schema": { "type": "string" } }],
                "requestBody": { "content": { "application/json": { "schema": {
                    "type": "object", "required": ["command", "flavor"],
                    "properties": { "command": { "type": "array", "items": { "type": "string" } },
                                    "flavor": { "enum": ["cpu-basic", "a10g-small"] } } } } } },
                "responses": { "200": { "description": "ok" }, "401": {}, "402": {}, "404": {} }
            } },
            "/api/jobs/{namespace}/{id}/cancel": { "post": { "summary": "Cancel", "tags": ["jobs"] } },
            "/api/{type}/{repo}/branch/{rev}": { "post": { "operationId": "createBranch", "tags": ["repos", "git"] } },
        }
    })
}

fn put(desk: &Desk, document: &Value, etag: &str) {
    let page = page("application/json", document.to_string());
    let headers = page.headers.iter().cloned().chain([("etag", etag.to_owned())]).collect();
    desk.hub.put(DOCUMENT, Page { headers, ..page });
}

#[tokio::test]
async fn endpoints_are_found_by_words_and_by_tag() {
    let desk = Desk::new().await;
    put(&desk, &document(), "\"1\"");
    assert_eq!(desk.hub.lines(), Vec::<String>::new(), "making the tools asks for no description");
    let mut said = Vec::new();
    for arguments in [
        json!({ "query": "run job" }),
        json!({ "tag": "models" }),
        json!({ "query": "branches", "tag": "repo" }),
        json!({ "query": "zebra", "tag": "models" }),
        json!({ "query": "zebra" }),
        json!({ "tag": "job-s" }),
        json!({ "query": " ", "tag": "" }),
        json!({ "query": "\") OR x:*" }),
    ] {
        said.push(desk.says("find_hf_api", arguments).await);
    }
    assert_eq!(desk.hub.seen(), [without_token(DOCUMENT)], "one request, without a token, for all of them");
    insta::assert_snapshot!(said.join("\n=====\n"));
}

#[tokio::test]
async fn it_is_kept_on_disk_and_looked_at_again_by_its_etag() {
    let mut desk = Desk::new().await;
    put(&desk, &document(), "\"1\"");
    let find = json!({ "query": "run job" });
    let first = desk.says("find_hf_api", find.clone()).await;
    desk.hub.seen();
    desk.again();
    assert_eq!(desk.says("find_hf_api", find.clone()).await, first);
    assert_eq!(desk.hub.lines(), Vec::<String>::new(), "another process finds it on disk");
    desk.clock.advance(Duration::from_secs(7 * 3600));
    desk.hub.put(DOCUMENT, Page { status: 304, ..Page::default() });
    assert_eq!(desk.says("find_hf_api", find.clone()).await, first);
    let seen = desk.hub.seen();
    assert_eq!((seen.len(), seen[0].headers["if-none-match"].as_str()), (1, "\"1\""));
    assert_eq!(desk.says("find_hf_api", find.clone()).await, first);
    assert_eq!(desk.hub.lines(), Vec::<String>::new(), "it is fresh again");
    desk.clock.advance(Duration::from_secs(7 * 3600));
    desk.hub.put(DOCUMENT, refusal(503, "maintenance"));
    assert_eq!(
        desk.says("find_hf_api", find.clone()).await,
        first,
        "what was kept serves while the Hub is down"
    );
    desk.hub.seen();
    desk.clock.advance(Duration::from_secs(30));
    desk.says("find_hf_api", find.clone()).await;
    assert_eq!(desk.hub.lines(), Vec::<String>::new(), "it is not asked at every call");
    desk.clock.advance(Duration::from_secs(60));
    let mut newer = document();
    newer["paths"]["/api/jobs/{namespace}"]["post"]["summary"] = json!("Run a job somewhere");
    put(&desk, &newer, "\"2\"");
    assert!(desk.says("find_hf_api", find).await.contains("Run a job somewhere"));
}

#[tokio::test]
async fn what_is_no_description_is_refused_and_asked_for_again() {
    let desk = Desk::new().await;
    let find = json!({ "query": "run job" });
    let mut said = Vec::new();
    for answer in [
        refusal(404, "no"),
        refusal(500, "Internal error"),
        page("text/html", "<html>hello</html>"),
        page("application/json", "{\"paths\": 7}"),
        page("application/json", "[".repeat(1_000_000)),
    ] {
        desk.hub.put(DOCUMENT, answer);
        said.push(desk.says("find_hf_api", find.clone()).await);
    }
    insta::assert_snapshot!(said.join("\n"));
    desk.hub.put(DOCUMENT, page("application/json", vec![b' '; 50 * 1024 * 1024 + 1]));
    let huge = desk.says("find_hf_api", find.clone()).await;
    assert!(huge.contains("it is larger than 50 MB"), "{huge}");
    put(&desk, &document(), "\"1\"");
    assert!(desk.says("find_hf_api", find).await.contains("POST /api/jobs/{namespace}"));
}

#[tokio::test]
async fn a_large_tag_is_cut_and_what_is_left_out_is_named() {
    let desk = Desk::with(None, 3_000).await;
    let operation = |n: usize| {
        let post = json!({ "summary": format!("Thing number {n}"), "tags": ["things"], "description": "long ".repeat(40) });
        (format!("/api/things/{n}"), json!({ "post": post }))
    };
    let paths: serde_json::Map<String, Value> = (0..200).map(operation).collect();
    put(&desk, &json!({ "paths": paths }), "\"1\"");
    let all = desk.says("find_hf_api", json!({ "tag": "things" })).await;
    assert!(all.chars().count() <= 3_100, "{}", all.chars().count());
    let (shown, left) = all.split_once("Left out for length (").unwrap();
    let shown = shown.matches("## ").count();
    let named = left.matches("- POST /api/things/").count();
    let more: usize = left.rsplit_once("and ").unwrap().1.trim().trim_end_matches(" more").parse().unwrap();
    assert!(shown > 1 && named > 3, "{all}");
    assert_eq!(shown + named + more, 200);
}

#[tokio::test]
async fn stop_ends_the_wait_and_the_next_call_has_it() {
    let mut desk = Desk::new().await;
    put(&desk, &document(), "\"1\"");
    let slow = Page { after: Duration::from_millis(400), ..page("application/json", document().to_string()) };
    desk.hub.put(DOCUMENT, slow);
    let stop = async {
        desk.hub.until_asked(1).await;
        desk.cancel.cancel();
    };
    let begun = std::time::Instant::now();
    let (ended, ()) = tokio::join!(desk.call("find_hf_api", json!({ "tag": "jobs" })), stop);
    assert!(ended.is_err() && begun.elapsed() < Duration::from_millis(390));
    desk.cancel = Default::default();
    assert!(desk.says("find_hf_api", json!({ "tag": "jobs" })).await.contains("Run a Job"));
    assert_eq!(desk.hub.lines().len(), 1, "it was fetched once");
}
