//! What people hope for: a job is followed, shown, and told to its session.

use super::stage::*;
use crate::clients::hub::jobs::labels;
use crate::protocol::*;
use crate::supervise::log::spool::Spool;
use crate::supervise::memo::Memo;
use crate::supervise::settle;

fn training(steps: u32) -> Vec<String> {
    (1..=steps)
        .map(|step| format!("{{'loss': {:.4}, 'epoch': {}}}", 3.0 / f64::from(step), f64::from(step) / 10.0))
        .collect()
}

#[tokio::test]
async fn a_job_is_followed_to_its_end_and_its_session_is_told() {
    let mut stage = Scene::set().await;
    stage.start();
    stage.until("the card shows the queue", async |stage| !stage.seen.cards.lock().unwrap().is_empty()).await;
    assert_eq!(stage.seen.cards.lock().unwrap()[0].stage, Stage::Queued);

    let lines = training(40);
    stage.runs(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    stage.runs(&["\u{1b}[32mmy password=hunter2-and-more\u{1b}[0m", "saved"]);
    stage
        .until("the card shows the last line", async |stage| {
            stage.seen.cards.lock().unwrap().last().unwrap().tail.last().is_some_and(|line| line == "saved")
        })
        .await;
    let card = stage.seen.cards.lock().unwrap().last().unwrap().clone();
    assert_eq!((card.stage, card.reserved), (Stage::Running, Some(1_000_000)));
    assert_eq!(card.metrics[0], ("loss".to_owned(), 0.075));
    assert!(card.burnt.is_some_and(|burnt| burnt > 0) && card.alarms.is_empty());
    assert!(!format!("{card:?}").contains("hunter2"));
    stage.until("a picture is shown", async |stage| !stage.seen.pictures.lock().unwrap().is_empty()).await;
    assert!(stage.seen.pictures.lock().unwrap()[0].bytes.starts_with(b"\x89PNG"));
    assert_eq!(
        stage.seen.pictures.lock().unwrap()[0].title,
        "Fine-tune the model: curves. loss from 3 to 0.075"
    );

    stage.ends(JOB, Stage::Completed, 1_800);
    stage.until_closed().await;
    let (output, success, cost) = stage.settled().await.unwrap();
    assert!(success);
    assert_eq!(cost, Some(500_000));
    assert!(output.starts_with("Job alice/job-1 completed.\n"), "{output}");
    assert!(output.contains("It ran for 30 min 00 s on a10g-small and cost $0.50."), "{output}");
    assert!(output.contains("- loss: last 0.075 (first 3, lowest 0.075, highest 3, 40 values)"), "{output}");
    assert!(output.ends_with("saved") && !output.contains("hunter2"), "{output}");
    let card = stage.seen.cards.lock().unwrap().last().unwrap().clone();
    assert_eq!((card.stage, card.burnt, card.elapsed_s), (Stage::Completed, Some(500_000), 1_800));
    let runs = stage.store.runs(&RunFind { limit: 5, ..RunFind::default() }).await.unwrap();
    assert_eq!((runs[0].outcome.as_str(), runs[0].cost), ("completed", Some(500_000)));
    assert_eq!(runs[0].output_commit.as_deref(), Some("commit-of-alice/tuned"));
    assert_eq!((runs[0].metrics["loss"], runs[0].approved_by[0].as_str()), (0.075, "Bob"));
    stage.stop().await;
}

#[test]
fn an_evaluation_names_what_it_measured_and_claims_no_result() {
    let now = crate::clock::Timestamp(1_000_000_000);
    let ticket = ticket(now);
    let Work::Job(job) = ticket.work.clone() else { panic!("no job") };
    let revision = "a".repeat(40);
    let labels = [(labels::REVISION.to_owned(), revision.clone())].into();
    let job = JobWork { purpose: Purpose::Evaluate, labels, ..job };
    let memo = Memo { commit: Some("newest".to_owned()), ..Memo::of(&serde_json::Value::Null) };
    let text = settle::output((&job, &[]), &memo, "", now);
    assert!(text.contains(&format!("\nMeasured: alice/tuned at {revision}")), "{text}");
    assert!(!text.contains("newest"), "{text}");
    assert_eq!(settle::run(&ticket, &job, &memo, now).output_commit, Some(revision));
}

#[tokio::test]
async fn forty_drops_and_a_restart_in_between_lose_and_double_nothing() {
    let mut stage = Scene::set().await;
    let lines: Vec<String> = (0..410).map(|number| format!("line {number}")).collect();
    stage.runs(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    stage.provider.job(JOB, |job| job.drop_after = Some(10));
    stage.start();
    stage.until("some drops", async |stage| stage.provider.job(JOB, |job| job.connections) > 15).await;
    stage.stop().await;
    stage.start();
    stage.until("more drops", async |stage| stage.provider.job(JOB, |job| job.connections) > 30).await;
    stage.kill().await;
    stage.start();
    stage.until("all drops", async |stage| stage.provider.job(JOB, |job| job.connections) > 42).await;
    stage.ask("r1", TicketWant::Logs).await;
    stage.until("the file", async |stage| !stage.seen.files.lock().unwrap().is_empty()).await;
    let file = String::from_utf8(stage.seen.files.lock().unwrap()[0].bytes.clone()).unwrap();
    assert_eq!(file.lines().collect::<Vec<_>>(), lines);
    stage.ends(JOB, Stage::Completed, 60);
    stage.until_closed().await;
    assert!(stage.settled().await.unwrap().0.contains("(410 lines in all;"));
    assert_eq!(stage.seen.files.lock().unwrap().len(), 1);
    stage.stop().await;
}

#[tokio::test]
async fn what_was_followed_is_taken_up_by_the_next_process() {
    let mut stage = Scene::set().await;
    stage.runs(&[
        "step=1 loss=2.5",
        "Traceback (most recent call last):",
        "  File \"x\"",
        "ValueError: no",
        "on",
    ]);
    stage.start();
    stage.until("the alarm", async |stage| stage.seen.alarms.lock().unwrap().len() == 1).await;
    stage.stop().await;
    let watch = stage.store.claim_watches(Door::Slack, 5, std::time::Duration::from_secs(1)).await.unwrap();
    let memo = Memo::of(&watch[0].memo);
    assert_eq!((memo.point.lines, memo.track.step), (5, Some(1)));
    assert!(Spool::open(&stage.data().join("jobs/job_alice_job-1"), 1 << 20, memo.mark).is_ok());
    stage.clock.advance(std::time::Duration::from_secs(5));
    stage.start();
    stage.runs(&["step=2 loss=nan"]);
    stage.until("the next alarm", async |stage| stage.seen.alarms.lock().unwrap().len() == 2).await;
    let alarms = stage.seen.alarms.lock().unwrap().clone();
    assert!(
        alarms[0]
            .1
            .starts_with("An error in the script in “Fine-tune the model”. ValueError: no\n```\nTrace")
    );
    assert!(alarms[1].1.contains("`loss` is NaN at step 2."), "{}", alarms[1].1);
    stage.ends(JOB, Stage::Failed, 120);
    stage.until_closed().await;
    let (output, success, cost) = stage.settled().await.unwrap();
    assert!(!success && output.contains("FAILED") && output.contains("ValueError: no"), "{output}");
    assert_eq!(cost, Some(33_334));
    stage.stop().await;
}

#[tokio::test]
async fn a_job_that_people_let_run_longer_is_begun_anew_once() {
    let mut stage = Scene::set().await;
    stage.runs(&["first"]);
    stage.start();
    stage.ask("r1", TicketWant::Longer { seconds: 7_200, pledge: None }).await;
    stage
        .until("the card says so", async |stage| {
            let cards = stage.seen.cards.lock().unwrap();
            cards
                .last()
                .and_then(|card| card.message.clone())
                .is_some_and(|text| text.contains("begun anew for 2 h"))
        })
        .await;
    stage.ends(JOB, Stage::TimedOut, 3_600);
    let second = "job-2-7200";
    stage.provider.job(second, |job| {
        job.stage = Some(Stage::Running);
        job.lines = vec!["second".to_owned()];
    });
    stage.until("it was begun", async |stage| !stage.provider.begun.lock().unwrap().is_empty()).await;
    // Killed with the answer on its way: the next one finds it by its label.
    stage.kill().await;
    stage.clock.advance(std::time::Duration::from_secs(120));
    stage.start();
    stage
        .until("the second one is followed", async |stage| {
            let cards = stage.seen.cards.lock().unwrap();
            cards.last().is_some_and(|card| card.url.ends_with(second) && card.stage == Stage::Running)
        })
        .await;
    let started = stage.clock.now();
    stage.provider.job(second, |job| job.started = Some(started));
    stage.ends(second, Stage::Completed, 1_800);
    stage.until_closed().await;
    assert_eq!(stage.provider.begun.lock().unwrap().len(), 1);
    let (output, success, cost) = stage.settled().await.unwrap();
    assert!(success && output.starts_with("Job alice/job-2-7200 completed.\n"), "{output}");
    assert_eq!(output.lines().nth(1), Some("https://hub/jobs/alice/job-2-7200"));
    let runs = stage.store.runs(&RunFind { limit: 5, ..RunFind::default() }).await.unwrap();
    assert_eq!(runs[0].url, "https://hub/jobs/alice/job-2-7200");
    assert_eq!(cost, Some(1_500_000));
    stage.stop().await;
}
