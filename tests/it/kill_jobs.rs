//! The real process under SIGKILL while training jobs run: the next one follows them to their end.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ml_intern::clock::Clock;
use ml_intern::playground::hub::jobs::{JobPlan, Pace};
use ml_intern::playground::hub::{HubOptions, SmallHub};
use ml_intern::playground::model::{Reply, Script, ScriptedModel};
use ml_intern::playground::{Message, Options, Redelivery, Workspace};
use serde_json::{Value, json};

use super::kill::Bot;
use super::world::{CHANNEL, is_final, shown};

const THREADS: usize = 3;

/// A job, then an answer that names the last loss of its log.
fn reply(request: &Value) -> Reply {
    let messages = request["messages"].as_array().cloned().unwrap_or_default();
    let result = messages.iter().rev().find(|it| it["role"] == "tool").map(|it| it["content"].to_string());
    match result {
        None => Reply::calls([(
            "hf_jobs",
            json!({ "operation": "run", "script": "print('loss=0.5')\n", "timeout": "10m" }),
        )]),
        Some(result) if result.contains("completed.") && result.contains("loss=0.125") => {
            Reply::says("It was followed to its end.")
        }
        Some(result) => Reply::says(format!("Something was lost: {result}")),
    }
}

fn marked(message: &Message, mark: &str) -> bool {
    message.metadata.as_ref().is_some_and(|it| it["event_type"] == mark)
}

/// Waits for at most `seconds` until it is so.
async fn until(what: &str, seconds: u64, mut so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(seconds);
    while !so() {
        assert!(Instant::now() < deadline, "never so: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_while_jobs_run_each_is_begun_once_and_followed_to_its_end() {
    ml_intern::clients::http::install_tls();
    let folder = tempfile::tempdir().unwrap();
    let options = Options { redelivery: Redelivery::UntilAcked, ..Options::new(Clock::system()) };
    let slack = Workspace::start(options).await.unwrap();
    let hub = SmallHub::start(HubOptions::new(Clock::system())).await.unwrap();
    let model = ScriptedModel::start(Script::Answering(Box::new(reply))).await.unwrap();
    hub.jobs().every(JobPlan::log(["loss=1.5", "loss=0.75", "loss=0.125"]).at(Pace::ByHand));
    let settings = json!({
        "model_name": "vllm/scripted",
        "reasoning_effort": null,
        "yolo_mode": true,
        "models": {
            "vllm": { "base_url": model.url() },
            "huggingface": { "api_key": hub.token("alice") },
        },
        "slack": {
            "api_url": slack.api_url(), "bot_token": slack.bot_token(), "app_token": slack.app_token(),
            "connections": 1
        },
        "server": { "bind": "127.0.0.1:0" },
        "store": { "data_dir": folder.path().join("data") },
        "services": { "hf_endpoint": hub.url(), "dataset_viewer_url": hub.addresses().viewer },
        "hub": { "job_look_s": 1 },
    });
    let config = folder.path().join("jobs.json");
    std::fs::write(&config, settings.to_string()).unwrap();
    let mut bot = Bot { config, child: None };

    bot.start();
    let mut roots = BTreeMap::new();
    for n in 0..THREADS {
        roots.insert(n, slack.person("alice").mentions(CHANNEL, "train it").await.unwrap());
    }
    let cards =
        |root: &str| slack.thread(CHANNEL, root).iter().filter(|it| marked(it, "ml_intern_job")).count();
    until("every job has a card", 30, || roots.values().all(|root| cards(root) == 1)).await;
    for job in hub.jobs().all() {
        hub.jobs().play(&job.id, 1);
    }
    bot.kill();
    // Nobody watches: two lines are written and the jobs end.
    for job in hub.jobs().all() {
        hub.jobs().play(&job.id, 2);
        hub.jobs().play(&job.id, 1);
    }
    bot.start();
    let answers = |root: &str| {
        let thread = slack.thread(CHANNEL, root);
        let told = |it: &&Message| is_final(it) && shown(it).contains("It was followed to its end.");
        thread.iter().filter(told).count()
    };
    // A ticket is taken up when the hold of the process that is gone runs out: half a minute.
    until("every end is told", 60, || roots.values().all(|root| answers(root) > 0)).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    for root in roots.values() {
        let thread = slack.transcript(CHANNEL, root);
        assert_eq!((answers(root), cards(root)), (1, 1), "one answer, one card:\n{thread}");
        assert!(thread.contains("completed"), "the card shows the end:\n{thread}");
    }
    assert_eq!(hub.jobs().all().len(), THREADS, "each job was begun once");
    assert_eq!(model.violations(), Vec::<String>::new());
}
