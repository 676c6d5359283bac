//! What the agent is told when it asks what was run before.

use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::clock::Timestamp;
use crate::tools::workspace::fixture::Room;

struct Shelf(Vec<Run>);

#[async_trait]
impl RunBook for Shelf {
    async fn find(&self, wanted: &RunFind) -> anyhow::Result<Vec<Run>> {
        let words = wanted.words.to_lowercase();
        let has = |run: &&Run| words.split_whitespace().all(|word| run.title.to_lowercase().contains(word));
        let here = |run: &&Run| wanted.session.as_ref().is_none_or(|session| run.session == *session);
        Ok(self.0.iter().filter(has).filter(here).cloned().collect())
    }
}

fn run(title: &str, metrics: &[(&str, f64)], cost: Option<u64>) -> Run {
    Run {
        id: "job:alice/1".into(),
        session: "s".into(),
        channel: None,
        thread: Some("https://slack.example/archives/C1/p1".to_owned()),
        title: title.to_owned(),
        purpose: Purpose::Train,
        url: "https://hub/jobs/alice/1".to_owned(),
        flavour: "a10g-small".to_owned(),
        namespace: "alice".to_owned(),
        script: None,
        base_model: Some("Qwen/Qwen3-0.6B".to_owned()),
        dataset: Some("alice/data".to_owned()),
        dataset_revision: Some("0123456789abcdef".to_owned()),
        output: Some("alice/sft".to_owned()),
        output_commit: None,
        metrics: metrics.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect::<BTreeMap<_, _>>(),
        cost,
        requester: "Ann".to_owned(),
        approved_by: vec!["Bob".to_owned()],
        started_at: Timestamp(1_795_649_400_000),
        ended_at: Some(Timestamp(1_795_649_400_000 + 3_720_000)),
        outcome: "completed".to_owned(),
    }
}

async fn ask(runs: Vec<Run>, value: serde_json::Value) -> String {
    let tool = Runs::new(Arc::new(Shelf(runs)));
    tool.call(value, Room::new().context()).await.unwrap().output
}

#[tokio::test]
async fn a_run_is_told_with_its_numbers_and_links() {
    let told =
        ask(vec![run("SFT on data", &[("eval_loss", 1.25)], Some(1_030_000))], json!({ "query": "sft" }))
            .await;
    assert_eq!(
        told,
        "1 run found, $1.03 in all.\n\n\
         - SFT on data [train, completed] 2026-11-25 23:30 UTC\n\
         \x20 model: Qwen/Qwen3-0.6B\n\
         \x20 dataset: alice/data @ 0123456789ab\n\
         \x20 result: alice/sft\n\
         \x20 metrics: eval_loss 1.2500\n\
         \x20 cost: $1.03 on a10g-small in 1 h 2 min\n\
         \x20 who: asked by Ann, approved by Bob\n\
         \x20 job: https://hub/jobs/alice/1\n\
         \x20 thread: https://slack.example/archives/C1/p1\n"
    );
}

#[tokio::test]
async fn the_best_run_comes_first() {
    let runs = || {
        vec![
            run("one", &[("eval_loss", 1.5), ("accuracy", 0.7)], Some(1)),
            run("two", &[("eval_loss", 1.2), ("accuracy", 0.8)], None),
            run("three", &[("eval_loss", f64::NAN)], Some(1)),
            run("four", &[], Some(1)),
        ]
    };
    for (value, first, second) in [
        (json!({ "best_by": "eval_loss" }), "two", "one"),
        (json!({ "best_by": "eval_loss", "better": "higher" }), "one", "two"),
        (json!({ "best_by": "accuracy" }), "two", "one"),
    ] {
        let told = ask(runs(), value.clone()).await;
        let place = |title: &str| told.find(&format!("- {title} ")).unwrap();
        assert!(place(first) < place(second) && told.contains("2 of 4 have it"), "{value}: {told}");
        assert!(told.contains("of 1 the cost is not known"), "{told}");
    }
    assert!(ask(runs(), json!({ "best_by": "bleu" })).await.contains("None of them has the metric `bleu`"));
}

#[tokio::test]
async fn nothing_found_and_too_much_found_are_said() {
    assert_eq!(ask(Vec::new(), json!({})).await, "No run is in the registry yet.");
    assert!(ask(vec![run("a", &[], None)], json!({ "query": "zebra" })).await.contains("No run has all"));
    let many: Vec<Run> = (0..30).map(|_| run("a", &[], Some(1))).collect();
    let told = ask(many, json!({ "limit": 3 })).await;
    assert!(told.contains("[… 27 more") && told.matches("- a [").count() == 3, "{told}");
    let tool = Runs::new(Arc::new(Shelf(Vec::new())));
    let error = tool.assess(&json!({ "limit": 0 }), &Room::new().place()).unwrap_err();
    assert_eq!(error.0, "`limit` must be from 1 to 20; got 0");
}
