//! The scripts of the demonstration as jobs of the small Hub: they really learn, push and measure.

use std::time::Duration;

use base64::Engine;
use serde_json::{Value, json};

use super::super::hub::jobs::{JobStage, JobView};
use super::super::hub::{HubOptions, Kind, SmallHub};
use super::{EVALUATE_ON_HUB, TRAIN_ON_HUB};
use crate::clock::Clock;

/// Runs a script as the bot would have it run; gives its log.
async fn run(hub: &SmallHub, script: &str, environment: Value) -> (JobView, Vec<String>) {
    let code = base64::engine::general_purpose::STANDARD.encode(script);
    let command = format!("echo \"{code}\" | base64 -d | uv run --with numpy -");
    let token = hub.token("ml-intern-bot");
    let body = json!({
        "command": ["/bin/sh", "-lc", command], "arguments": [], "environment": environment,
        "secrets": {"HF_TOKEN": token}, "flavor": "cpu-basic", "timeoutSeconds": 120,
        "dockerImage": "ghcr.io/astral-sh/uv:python3.12-bookworm",
    });
    #[expect(clippy::disallowed_methods, reason = "a test that asks as a stranger would")]
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = http.post(format!("{}/api/jobs/ml-intern-demo", hub.url())).bearer_auth(token);
    let answer = request.json(&body).send().await.unwrap();
    let told: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    let id = told["id"].as_str().unwrap_or_else(|| panic!("{told}")).to_owned();
    for _ in 0..3000 {
        let view = hub.jobs().job(&id).unwrap();
        if view.stage.is_over() {
            return (view, hub.jobs().lines(&id));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the script does not end: {:?}", hub.jobs().lines(&id));
}

/// The value after `'name': ` in each line that has one.
fn series(lines: &[String], name: &str) -> Vec<f64> {
    let key = format!("'{name}': ");
    let values = lines.iter().filter_map(|it| it.split_once(&key).map(|(_, rest)| rest));
    values.filter_map(|it| it.split([',', '}']).next()?.parse().ok()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demonstration_trains_pushes_and_measures() {
    let hub = SmallHub::start(HubOptions::playground(Clock::system())).await.unwrap();
    let (view, lines) = run(&hub, TRAIN_ON_HUB, json!({"PACE_SECONDS": "0"})).await;
    assert_eq!(view.stage, JobStage::Completed, "{lines:#?}");
    let losses = series(&lines, "loss");
    assert!(losses.len() >= 50, "{losses:?}");
    assert!(losses[0] > 0.6 && losses[losses.len() - 1] < 0.3, "it learns: {losses:?}");
    let evaluated = series(&lines, "eval_accuracy");
    assert!(evaluated.len() >= 8 && evaluated[evaluated.len() - 1] > 0.8, "{evaluated:?}");
    assert_eq!(series(&lines, "train_runtime").len(), 1);
    let model = "ml-intern-demo/reviews-classifier";
    let commit = hub.look(|state| state.commit_of(Kind::Model, model, "main")).unwrap();
    assert_eq!(lines.last().unwrap(), &format!("pushed {model} at {commit}"));
    let kept = hub.look(|state| state.file(Kind::Model, model, "main", "model.json")).unwrap();
    let kept: Value = serde_json::from_slice(&kept).unwrap();
    assert!(kept["weights"].as_object().unwrap().len() > 100);

    let (view, lines) = run(&hub, EVALUATE_ON_HUB, json!({"PACE_SECONDS": "0"})).await;
    assert_eq!(view.stage, JobStage::Completed, "{lines:#?}");
    let summary = lines.last().unwrap().strip_prefix("EVALUATION ").unwrap();
    let summary: Value = serde_json::from_str(summary).unwrap();
    assert_eq!((&summary["examples"], &summary["model"]["commit"]), (&json!(40), &json!(commit)));
    let accuracy = |role: &str| summary[role]["accuracy"].as_f64().unwrap();
    assert!(accuracy("model") > accuracy("base") + 0.3, "{summary}");
    assert!((0.3..0.7).contains(&accuracy("base")), "{summary}");
}
