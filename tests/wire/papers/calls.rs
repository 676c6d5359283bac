//! Each operation beside what was recorded for the same arguments, and what the model reads about the answers.

use serde::Deserialize;
use serde_json::{Value, json};

use super::services::{Answer, Seen};
use super::{ARXIV_PAGE, Desk};

#[derive(Deserialize)]
struct Recorded {
    name: String,
    arguments: Value,
    requests: Vec<Request>,
}

#[derive(Deserialize)]
struct Request {
    host: String,
    method: String,
    path: String,
    query: Vec<(String, String)>,
    body: Value,
    answer: Given,
}

#[derive(Deserialize)]
struct Given {
    status: u16,
    body: Value,
}

impl Request {
    fn host(&self) -> &'static str {
        match self.host.as_str() {
            "huggingface.co" => "hub",
            "arxiv.org" => "arxiv",
            "api.semanticscholar.org" => "s2",
            other => panic!("{other}"),
        }
    }

    fn seen(&self) -> Seen {
        Seen {
            host: self.host().to_owned(),
            method: self.method.clone(),
            path: self.path.clone(),
            query: self.query.clone(),
            body: self.body.clone(),
            credentials: Vec::new(),
        }
    }
}

fn recorded() -> Vec<Recorded> {
    serde_json::from_str(include_str!("recorded/calls.json")).unwrap()
}

/// What is asked besides, because the recorded tool left it out: citation counts of a paper.
fn besides(name: &str) -> Vec<Seen> {
    let fields = "title,externalIds,year,citationCount,influentialCitationCount,referenceCount,tldr,venue,publicationDate";
    let counts = Seen {
        host: "s2".to_owned(),
        method: "GET".to_owned(),
        path: "/graph/v1/paper/ARXIV:2305.18290".to_owned(),
        query: vec![("fields".to_owned(), fields.to_owned())],
        body: Value::Null,
        credentials: Vec::new(),
    };
    if name == "papers_details" { vec![counts] } else { Vec::new() }
}

/// Parallel requests arrive in any order.
fn sorted(mut seen: Vec<Seen>) -> Vec<Seen> {
    seen.sort_by_key(|it| (it.host.clone(), it.path.clone()));
    seen
}

#[tokio::test]
async fn requests_are_those_recorded_and_answers_read_well() {
    let mut told = String::new();
    for Recorded { name, arguments, requests } in recorded() {
        let desk = Desk::open().await;
        for request in &requests {
            let body = match request.host() {
                "arxiv" => ARXIV_PAGE.to_owned(),
                _ => request.answer.body.to_string(),
            };
            let answer = Answer::with(request.answer.status, body);
            desk.services.answers(request.host(), &request.path, [answer]);
        }
        if name == "papers_details" {
            desk.services.says("s2", "/graph/v1/paper/ARXIV:2305.18290", &counts());
        }
        let text = desk.told(arguments.clone()).await;
        told.push_str(&format!("=== {name} {arguments}\n{text}\n\n"));
        let wanted = requests.iter().map(Request::seen).chain(besides(&name)).collect();
        assert_eq!(sorted(desk.services.seen()), sorted(wanted), "{name}");
    }
    insta::assert_snapshot!(told);
}

fn counts() -> Value {
    json!({
        "title": "Direct Preference Optimization", "externalIds": {"ArXiv": "2305.18290"}, "year": 2023,
        "citationCount": 1234, "influentialCitationCount": 99, "referenceCount": 60, "venue": "NeurIPS",
        "publicationDate": "2023-05-29", "tldr": {"text": "DPO is simple."}
    })
}

#[tokio::test]
async fn a_key_goes_to_semantic_scholar_and_to_nobody_else() {
    let desk = Desk::with_key(Some("k3y")).await;
    desk.services.says("s2", "/graph/v1/paper/ARXIV:2305.18290", &counts());
    desk.services.says("hub", "/api/papers/2305.18290", &json!({"id": "2305.18290", "title": "DPO"}));
    desk.told(json!({"operation": "paper_details", "arxiv_id": "2305.18290"})).await;
    for request in desk.services.seen() {
        let wanted =
            if request.host == "s2" { vec![("x-api-key".to_owned(), "k3y".to_owned())] } else { vec![] };
        assert_eq!(request.credentials, wanted, "{}", request.host);
    }
}

#[tokio::test]
async fn answers_of_semantic_scholar_are_kept_for_an_hour() {
    let desk = Desk::open().await;
    for end in ["references", "citations"] {
        desk.services.says("s2", &format!("/graph/v1/paper/ARXIV:2305.18290/{end}"), &json!({"data": []}));
    }
    let graph = json!({"operation": "citation_graph", "arxiv_id": "2305.18290"});
    desk.told(graph.clone()).await;
    desk.told(graph.clone()).await;
    assert_eq!(desk.services.seen().len(), 2, "the second time nobody is asked");
    desk.clock.advance(std::time::Duration::from_secs(3_600));
    desk.told(graph).await;
    assert_eq!(desk.services.seen().len(), 2, "after an hour both are asked again");
}

#[tokio::test]
async fn old_ids_are_one_segment_where_they_are_part_of_an_api() {
    let desk = Desk::open().await;
    desk.services.says("s2", "/graph/v1/paper/ARXIV:cs%2F0112017", &json!({"title": "Old", "year": 2001}));
    let told = desk
        .told(json!({"operation": "paper_details", "arxiv_id": "https://arxiv.org/abs/cs/0112017v1"}))
        .await;
    assert!(told.contains("[success]\nOld") && told.contains("The Hub does not list this paper"), "{told}");
    let paths: Vec<String> = desk.services.seen().into_iter().map(|it| it.path).collect();
    assert!(paths.contains(&"/api/papers/cs%2F0112017".to_owned()), "{paths:?}");
}

#[tokio::test]
async fn trending_with_words_looks_through_more_and_says_how_many() {
    let desk = Desk::open().await;
    let papers: Vec<Value> = (0..30)
        .map(|at| {
            let about = if at % 10 == 3 { "GRPO for agents" } else { "Vision" };
            json!({"title": format!("{about} {at}"), "paper": {"id": format!("2511.{at:05}"), "upvotes": at}})
        })
        .collect();
    desk.services.says("hub", "/api/daily_papers", &json!(papers));
    let told = desk.told(json!({"operation": "trending", "query": "grpo", "limit": 2})).await;
    assert!(told.contains("2 papers on the Hub, the latest that mention “grpo” (of 30 looked at)"), "{told}");
    assert!(told.contains("arxiv_id: 2511.00003 · 3 upvotes"), "{told}");
    assert_eq!(desk.services.seen()[0].query, [("limit".to_owned(), "30".to_owned())]);
    let none = desk.told(json!({"operation": "trending", "query": "audio"})).await;
    assert!(none.contains("0 papers") && none.contains("Try another date"), "{none}");
}
