//! Each recorded call beside what is sent now, and the reports that the model reads.

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::papers::services::{Answer, Seen};
use super::{Desk, TOKEN, text};

#[derive(Deserialize)]
struct Recorded {
    name: String,
    arguments: Value,
    requests: Vec<Request>,
}

#[derive(Deserialize)]
struct Request {
    method: String,
    path: String,
    query: Vec<(String, String)>,
    answer: Given,
}

#[derive(Deserialize)]
struct Given {
    status: u16,
    headers: std::collections::BTreeMap<String, String>,
    body: Value,
}

fn recorded() -> Vec<Recorded> {
    serde_json::from_str(include_str!("recorded/calls.json")).unwrap()
}

fn bearer() -> Vec<(String, String)> {
    vec![("authorization".to_owned(), format!("Bearer {TOKEN}"))]
}

/// What is asked besides what was recorded.
fn besides(host: &str, path: &str, query: &[(&str, &str)]) -> Seen {
    Seen {
        host: host.to_owned(),
        method: "GET".to_owned(),
        path: path.to_owned(),
        query: query.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect(),
        body: Value::Null,
        credentials: bearer(),
    }
}

fn sorted(mut seen: Vec<Seen>) -> Vec<Seen> {
    seen.sort_by_key(|it| (it.host.clone(), it.path.clone()));
    seen
}

#[tokio::test]
async fn requests_are_those_recorded_and_reports_read_well() {
    let mut told = String::new();
    for Recorded { name, arguments, requests } in recorded() {
        let desk = Desk::open().await;
        let dataset = arguments["dataset"].as_str().unwrap().to_owned();
        for request in &requests {
            let body = match &request.answer.body {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            let mut answer = Answer::with(request.answer.status, body);
            for (header, value) in &request.answer.headers {
                answer = answer.header(
                    if header == "X-Error-Code" { "x-error-code" } else { panic!("{header}") },
                    value,
                );
            }
            desk.services.answers("viewer", &request.path, [answer]);
        }
        let found = requests.iter().all(|request| request.answer.status == 200);
        if found {
            desk.hub_has(&dataset, &json!({}));
        }
        let text = desk.told(arguments.clone()).await;
        told.push_str(&format!("=== {name} {arguments}\n{text}\n\n"));
        let mut wanted: Vec<Seen> = requests
            .iter()
            // What is not there, or may not be read, is not asked for its rows.
            .filter(|request| found || !matches!(request.path.as_str(), "/info" | "/first-rows"))
            .map(|request| Seen {
                host: "viewer".to_owned(),
                method: request.method.clone(),
                path: request.path.clone(),
                query: sorted_query(&request.query),
                body: Value::Null,
                credentials: bearer(),
            })
            .collect();
        wanted.push(besides("hub", &format!("/api/datasets/{dataset}"), &[]));
        wanted.push(besides("viewer", "/size", &[("dataset", &dataset)]));
        if found {
            let split = arguments["split"].as_str().unwrap_or("train");
            let query = [("dataset", dataset.as_str()), ("config", "default"), ("split", split)];
            let mut statistics = besides("viewer", "/statistics", &query);
            statistics.query = sorted_query(&statistics.query);
            wanted.push(statistics);
        }
        let mut seen = desk.services.seen();
        for request in &mut seen {
            request.query = sorted_query(&request.query);
        }
        // Failures that may pass are asked about again.
        let mut seen = sorted(seen);
        seen.dedup();
        assert_eq!(seen, sorted(wanted), "{name}");
    }
    insta::assert_snapshot!(told);
}

fn sorted_query(query: &[(String, String)]) -> Vec<(String, String)> {
    let mut query = query.to_vec();
    query.sort();
    query
}

#[tokio::test]
async fn a_whole_report_with_statistics_sizes_and_a_gate() {
    let desk = Desk::open().await;
    desk.hub_has("alice/data1", &json!({"gated": "auto"}));
    desk.services.says("hub", "/api/datasets/alice/data1/auth-check", &json!({}));
    let columns = [
        ("prompt", text()),
        ("chosen", json!([{"role": text(), "content": text()}])),
        ("rejected", json!([{"role": text(), "content": text()}])),
        ("label", json!({"names": ["bad", "good"], "_type": "ClassLabel"})),
        ("screenshot", json!({"_type": "Image"})),
    ];
    let turn =
        |text: &str| json!([{"role": "user", "content": "Hi"}, {"role": "assistant", "content": text}]);
    let picture = json!({"src": "https://viewer/picture.png", "height": 1, "width": 1});
    let row = json!({"prompt": "Hi", "chosen": turn("Hello!"), "rejected": turn("No."), "label": 1, "screenshot": picture});
    desk.viewer_has(&columns, &[row]);
    let part = json!({"config": "default", "split": "train", "num_rows": 61135, "num_bytes_parquet_files": 226_000_000});
    desk.services.says("viewer", "/size", &json!({"size": {"splits": [part]}}));
    let statistics = json!({"num_examples": 61135, "partial": true, "statistics": [
        {"column_name": "prompt", "column_type": "string_text", "column_statistics": {"nan_count": 2, "min": 2, "max": 4000, "mean": 312.4, "median": 98.0}},
        {"column_name": "label", "column_type": "class_label", "column_statistics": {"nan_count": 0, "no_label_count": 0, "frequencies": {"good": 40000, "bad": 21135}}},
    ]});
    desk.services.says("viewer", "/statistics", &statistics);
    insta::assert_snapshot!(desk.told(json!({"dataset": "alice/data1"})).await);
}

#[tokio::test]
async fn ten_thousand_columns_are_cut_and_it_is_said() {
    let desk = Desk::open().await;
    desk.hub_has("alice/wide", &json!({}));
    let names: Vec<String> = (0..10_000).map(|at| format!("feature_{at:05}")).collect();
    let columns: Vec<(&str, Value)> = names.iter().map(|name| (name.as_str(), text())).collect();
    let row: serde_json::Map<String, Value> =
        names.iter().map(|name| (name.clone(), Value::from("long ".repeat(200)))).collect();
    desk.viewer_has(&columns, &[Value::Object(row)]);
    let told = desk.told(json!({"dataset": "alice/wide", "sample_rows": 1})).await;
    assert!(told.starts_with("[success]") && told.chars().count() < 20_500, "{}", told.len());
    for wanted in [
        "## Columns of default/train (10,000)",
        "[… 9,940 more columns, up to “feature_09999”",
        "[… 9,970 more cells …]",
        "[1,000 characters]",
        "- SFT: no; missing: messages, or prompt and completion, or text",
    ] {
        assert!(told.contains(wanted), "{wanted}: {told}");
    }
}
