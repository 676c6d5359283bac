//! A job from the question to its end: people approve, watch, stop, extend, edit; the Hub fails, the process dies.

use std::time::Duration;

use ml_intern::clock::Clock;
use ml_intern::config::Config;
use ml_intern::playground::hub::jobs::{Cut, JobEnd, JobPlan, JobStage, Mishap, Pace};
use ml_intern::playground::hub::{HubFault, HubOptions, SmallHub, Trouble};
use ml_intern::playground::model::{Reply, Script};
use ml_intern::secret::Secret;
use serde_json::{Value, json};

use super::world::{Setup, Thread, World, has_button, shown};

/// How long the Hub may take to see something.
const SOON: Duration = Duration::from_secs(20);

const SCRIPT: &str = "import json\nprint(json.dumps({'loss': 0.5}))\n";

/// A workspace with a small Hub beside it, where alice's account pays.
async fn lab(replies: impl IntoIterator<Item = Reply>) -> (World, SmallHub) {
    configured(replies, |_| {}).await
}

async fn configured(
    replies: impl IntoIterator<Item = Reply>,
    more: impl FnOnce(&mut Config),
) -> (World, SmallHub) {
    ml_intern::clients::http::install_tls();
    let hub = SmallHub::start(HubOptions::new(Clock::system())).await.unwrap();
    let setup = Setup::new(Script::Queue(replies.into_iter().collect()));
    let world = World::configured(setup, |config| {
        connect(config, &hub);
        more(config);
    })
    .await;
    (world, hub)
}

fn connect(config: &mut Config, hub: &SmallHub) {
    let addresses = hub.addresses();
    config.services.hf_endpoint.clone_from(&addresses.hub);
    config.services.dataset_viewer_url.clone_from(&addresses.viewer);
    config.services.spaces_url = hub.spaces_url();
    config.hub.job_look_s = 1;
    config.models.huggingface.api_key = Some(Secret::new(&hub.token("alice")));
}

/// The model asks for a job with this script.
fn run(script: &str) -> Reply {
    Reply::calls([(
        "hf_jobs",
        json!({ "operation": "run", "script": script, "hardware_flavor": "t4-small", "timeout": "1h",
                "note": "Trains the classifier." }),
    )])
}

/// Waits until the Hub has so many jobs; gives the id of the last one.
async fn job(hub: &SmallHub, count: usize) -> String {
    let found = hub
        .until(SOON, |_| {
            let all = hub.jobs().all();
            (all.len() >= count).then(|| all[count - 1].id.clone())
        })
        .await;
    found.expect("the job never came to the Hub")
}

/// Waits for the living card to say this; gives the whole card.
async fn job_card(thread: &Thread<'_>, words: &str) -> ml_intern::playground::Message {
    thread
        .until(&format!("a job's card with “{words}”"), |messages| {
            let is_card = |it: &&ml_intern::playground::Message| {
                it.bot && marked(it, "ml_intern_job") && shown(it).contains(words)
            };
            messages.iter().find(is_card).cloned()
        })
        .await
}

/// Whether a message carries this mark of ours.
fn marked(message: &ml_intern::playground::Message, mark: &str) -> bool {
    message.metadata.as_ref().is_some_and(|it| it["event_type"] == mark)
}

/// The result of the last call, as the model read it.
fn last_result(world: &World) -> String {
    let request = world.model.requests().pop().unwrap();
    let mut results = request["messages"].as_array().unwrap().iter().rev().filter(|it| it["role"] == "tool");
    results.next().map(|it| it["content"].to_string()).unwrap_or_default()
}

#[tokio::test]
async fn a_job_is_asked_about_watched_and_its_end_is_the_result() {
    let (world, hub) = lab([run(SCRIPT), Reply::says("It reached 0.91.")]).await;
    hub.jobs().next(
        JobPlan::log([
            "{'loss': 1.2, 'epoch': 0.5}",
            "{'loss': 0.4, 'epoch': 1.0}",
            "{'eval_loss': 0.35, 'eval_accuracy': 0.91, 'epoch': 1.0}",
        ])
        .at(Pace::ByHand),
    );
    let thread = world.mention("alice", "train it").await;
    let question = thread.card().await;
    let asked = thread.messages().into_iter().find(|it| it.ts == question).unwrap();
    for fact in ["t4-small", "1 h", "alice", "$0.40", "import json"] {
        assert!(shown(&asked).contains(fact), "the card does not speak of {fact}: {}", shown(&asked));
    }
    assert!(hub.jobs().all().is_empty(), "nothing runs before the yes");
    thread.click("bob", &question, "Approve").await;
    let id = job(&hub, 1).await;
    hub.jobs().play(&id, 2);
    let card = job_card(&thread, "0.4").await;
    assert!(has_button(&card, "Stop job") && has_button(&card, "Extend") && has_button(&card, "Logs"));
    hub.jobs().play(&id, 1);
    hub.jobs().play(&id, 1);
    thread.answered("It reached 0.91.").await;
    let over = job_card(&thread, "completed").await;
    assert!(!has_button(&over, "Stop job"), "what has ended cannot be stopped");
    let result = last_result(&world);
    assert!(
        result.contains("eval_accuracy") && result.contains("0.91") && result.contains("completed"),
        "{result}"
    );
    thread.settled().await;

    thread.reply("bob", "!runs").await;
    thread.hears("eval_accuracy").await;
    world.finish().await;
}

#[tokio::test]
async fn a_failed_job_is_a_failure_and_the_agent_reads_why() {
    let (world, hub) = lab([run(SCRIPT), Reply::says("It ran out of memory; I ask for a larger one.")]).await;
    hub.jobs().next(
        JobPlan::log([
            "Traceback (most recent call last):",
            "  File \"a.py\", line 3, in <module>",
            "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB",
        ])
        .ends(JobEnd::Failed(1)),
    );
    let thread = world.mention("alice", "train it").await;
    let question = thread.card().await;
    thread.click("bob", &question, "Approve").await;
    thread.answered("It ran out of memory; I ask for a larger one.").await;
    let result = last_result(&world);
    assert!(result.contains("FAILED") && result.contains("CUDA out of memory"), "{result}");
    job_card(&thread, "failed").await;
    thread
        .until("an alarm with its excerpt", |messages| {
            let alarm = |it: &&ml_intern::playground::Message| {
                marked(it, "ml_intern_alarm") && shown(it).contains("CUDA out of memory")
            };
            messages.iter().find(alarm).map(drop)
        })
        .await;
    world.finish().await;
}

#[tokio::test]
async fn two_people_who_approve_at_once_start_one_job() {
    let (world, hub) = lab([run(SCRIPT), Reply::says("Done.")]).await;
    hub.jobs().next(JobPlan::log(["done"]));
    let thread = world.mention("alice", "train it").await;
    let question = thread.card().await;
    tokio::join!(thread.click("bob", &question, "Approve"), thread.click("alice", &question, "Approve"));
    thread.answered("Done.").await;
    assert_eq!(hub.jobs().all().len(), 1);
    world.finish().await;
}

#[tokio::test]
async fn stop_on_the_card_ends_the_job_and_the_agent_is_told_who() {
    let (world, hub) = lab([run(SCRIPT), Reply::says("Alice stopped it.")]).await;
    hub.jobs().next(JobPlan::log(["{'loss': 1.0}"]).ends(JobEnd::Never));
    let thread = world.mention("alice", "train it").await;
    let question = thread.card().await;
    thread.click("bob", &question, "Approve").await;
    let id = job(&hub, 1).await;
    let card = job_card(&thread, "running").await;
    thread.click("alice", &card.ts, "Stop job").await;
    thread.answered("Alice stopped it.").await;
    assert_eq!(hub.jobs().job(&id).unwrap().stage, JobStage::Canceled);
    assert!(last_result(&world).contains("stopped by alice"), "{}", last_result(&world));
    job_card(&thread, "stopped").await;
    world.finish().await;
}

#[tokio::test]
async fn the_word_stop_ends_turn_and_job() {
    let (world, hub) = lab([run(SCRIPT)]).await;
    hub.jobs().next(JobPlan::log(["{'loss': 1.0}"]).ends(JobEnd::Never));
    let thread = world.mention("alice", "train it").await;
    let question = thread.card().await;
    thread.click("bob", &question, "Approve").await;
    let id = job(&hub, 1).await;
    job_card(&thread, "running").await;
    thread.reply("alice", "stop").await;
    thread.hears("Stopped by alice").await;
    job_card(&thread, "stopped").await;
    assert_eq!(hub.jobs().job(&id).unwrap().stage, JobStage::Canceled);
    assert_eq!(world.model.requests().len(), 1, "nobody thinks about what was stopped");
    world.finish().await;
}

#[tokio::test]
async fn whoever_speaks_meanwhile_is_answered_and_the_end_comes_as_news() {
    let (world, hub) =
        lab([run(SCRIPT), Reply::says("It still runs."), Reply::says("Now it is done: 0.3.")]).await;
    hub.jobs().next(JobPlan::log(["{'loss': 0.3}"]).at(Pace::ByHand));
    let thread = world.mention("alice", "train it").await;
    let question = thread.card().await;
    thread.click("bob", &question, "Approve").await;
    let id = job(&hub, 1).await;
    job_card(&thread, "Stop job").await;
    thread.reply("alice", "how is it going?").await;
    thread.answered("It still runs.").await;
    hub.jobs().play(&id, 1);
    hub.jobs().play(&id, 1);
    thread.answered("Now it is done: 0.3.").await;
    world.finish().await;
}

#[tokio::test]
async fn the_process_dies_while_the_job_runs_and_the_next_one_goes_on() {
    let (mut world, hub) = lab([run(SCRIPT), Reply::says("Done after all.")]).await;
    hub.jobs().next(JobPlan::log(["{'loss': 0.9}", "{'loss': 0.2}"]).at(Pace::ByHand));
    let root = {
        let thread = world.mention("alice", "train it").await;
        let question = thread.card().await;
        thread.click("bob", &question, "Approve").await;
        job_card(&thread, "Stop job").await;
        thread.root.clone()
    };
    let id = job(&hub, 1).await;
    hub.jobs().play(&id, 1);
    world.stop_bot().await;
    hub.jobs().play(&id, 1);
    hub.jobs().play(&id, 1);
    world.start_bot().await;
    let thread = world.thread(&root);
    thread.answered("Done after all.").await;
    let result = last_result(&world);
    assert!(result.contains("0.9") && result.contains("0.2"), "both lines were read: {result}");
    let cards = thread.messages().iter().filter(|it| marked(it, "ml_intern_job")).count();
    assert_eq!((cards, hub.jobs().all().len()), (1, 1), "one card, one job");
    world.finish().await;
}

#[tokio::test]
async fn a_log_that_breaks_off_again_and_again_is_read_to_its_end() {
    let (world, hub) = lab([run(SCRIPT), Reply::says("All of it.")]).await;
    let lines: Vec<String> =
        (0..60).map(|step| format!("step={step} loss={:.3}", 1.0 / f64::from(step + 1))).collect();
    hub.jobs().next(JobPlan::log(lines).with(Mishap::DropLogs { every: 3, times: 6, how: Cut::Torn }));
    let thread = world.mention("alice", "train it").await;
    let question = thread.card().await;
    thread.click("bob", &question, "Approve").await;
    thread.answered("All of it.").await;
    let result = last_result(&world);
    assert!(result.contains("60 lines in all"), "each line once: {result}");
    world.finish().await;
}

#[tokio::test]
async fn without_credits_nothing_runs_and_people_are_told_where_to_add_some() {
    let (world, hub) = lab([run(SCRIPT), Reply::says("There are no credits.")]).await;
    hub.jobs().set_credits("alice", 0);
    let thread = world.mention("alice", "train it").await;
    let question = thread.card().await;
    thread.click("bob", &question, "Approve").await;
    thread.answered("There are no credits.").await;
    let result = last_result(&world);
    assert!(result.contains("billing_required") && result.contains("/settings/billing"), "{result}");
    thread.reply("alice", "!usage").await;
    thread.hears("This session").await;
    let usage =
        thread.messages().into_iter().rev().find(|it| it.bot && shown(it).contains("This session")).unwrap();
    assert!(!shown(&usage).contains("$0.40"), "what never ran costs nothing: {}", shown(&usage));
    world.finish().await;
}

#[tokio::test]
async fn an_edited_script_is_what_runs() {
    let (world, hub) = lab([run(SCRIPT), Reply::says("Ran as edited.")]).await;
    hub.jobs().next(JobPlan::log(["ok"]));
    let thread = world.mention("alice", "train it").await;
    let question = thread.card().await;
    thread.click("alice", &question, "Edit").await;
    let view = world.modal("alice").await;
    world.slack.person("alice").submits_text(&view, "print('edited')\nprint(2)\n").await.unwrap();
    thread.answered("Ran as edited.").await;
    let spec: Value = serde_json::to_value(hub.jobs().all()[0].spec.command.join(" ")).unwrap();
    use base64::Engine as _;
    let inside = base64::engine::general_purpose::STANDARD.encode("print('edited')\nprint(2)\n");
    assert!(spec.as_str().unwrap().contains(&inside[..24]), "{spec}");
    world.finish().await;
}

#[tokio::test]
async fn the_hub_hiccups_while_a_job_runs_and_nobody_notices() {
    let (world, hub) = lab([run(SCRIPT), Reply::says("Fine.")]).await;
    hub.jobs().next(
        JobPlan::log(["{'loss': 0.5}"])
            .at(Pace::Every(Duration::from_millis(50)))
            .with(Mishap::JobStatus { status: 500, times: 3 })
            .with(Mishap::LogStatus { status: 503, times: 2 }),
    );
    hub.fault(HubFault::new("/api/whoami-v2", Trouble::RateLimited { retry_after: 1 }));
    let thread = world.mention("alice", "train it").await;
    let question = thread.card().await;
    thread.click("bob", &question, "Approve").await;
    thread.answered("Fine.").await;
    world.finish().await;
}

#[tokio::test]
async fn logs_come_as_a_file_and_longer_is_a_question_of_its_own() {
    let (world, hub) = lab([run(SCRIPT), Reply::says("Finished.")]).await;
    hub.jobs().next(JobPlan::log(["line one", "line two"]).at(Pace::ByHand));
    let thread = world.mention("alice", "train it").await;
    let question = thread.card().await;
    thread.click("bob", &question, "Approve").await;
    let id = job(&hub, 1).await;
    hub.jobs().play(&id, 1);
    let card = job_card(&thread, "line one").await;
    thread.click("alice", &card.ts, "Logs").await;
    thread
        .until("the log as a file", |messages| {
            messages.iter().any(|it| it.bot && !it.files.is_empty()).then_some(())
        })
        .await;
    thread.click("alice", &card.ts, "Extend").await;
    let longer = thread.card().await;
    let asked = thread.messages().into_iter().find(|it| it.ts == longer).unwrap();
    assert!(shown(&asked).contains("1 h longer") && shown(&asked).contains("$0.40"), "{}", shown(&asked));
    thread.click("bob", &longer, "Approve").await;
    thread.hears("Approved by bob").await;
    hub.jobs().play(&id, 1);
    hub.jobs().play(&id, 1);
    thread.answered("Finished.").await;
    assert_eq!(hub.jobs().all().len(), 1, "it ended in time: nothing is started anew");
    world.finish().await;
}
