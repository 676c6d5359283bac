//! The unhappy half: stops, providers and boards that are away, jobs that vanish or that nobody follows.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;

use super::stage::*;
use crate::clients::hub::jobs::labels;
use crate::protocol::*;
use crate::supervise::Sweep;
use crate::supervise::source::{Found, JobName};
use crate::supervise::sweep::{Swept, Tell};

#[tokio::test]
async fn a_stop_is_repeated_until_the_job_has_ended() {
    let mut stage = Scene::set().await;
    stage.runs(&["working"]);
    stage.provider.job(JOB, |job| job.deaf = 3);
    stage.start();
    stage.ask("r1", TicketWant::Stop).await;
    stage.until_closed().await;
    assert_eq!(stage.provider.job(JOB, |job| (job.cancelled, job.deaf)), (1, 0));
    let (output, success, _) = stage.settled().await.unwrap();
    assert!(!success && output.contains("was stopped by Bob."), "{output}");
    let stages: Vec<Stage> = stage.seen.cards.lock().unwrap().iter().map(|card| card.stage).collect();
    assert!(stages.contains(&Stage::Stopping) && stages.last() == Some(&Stage::Stopped), "{stages:?}");
    stage.stop().await;
}

#[tokio::test]
async fn a_provider_and_a_board_that_are_away_lose_nothing() {
    let mut stage = Scene::set().await;
    *stage.provider.failing.lock().unwrap() = 5;
    *stage.seen.failing.lock().unwrap() = 4;
    stage.runs(&["{'loss': nan}"]);
    stage.start();
    stage.until("the alarm", async |stage| !stage.seen.alarms.lock().unwrap().is_empty()).await;
    *stage.seen.failing.lock().unwrap() = 6;
    stage.ends(JOB, Stage::Failed, 60);
    stage.until_closed().await;
    assert_eq!(stage.seen.alarms.lock().unwrap().len(), 1);
    assert_eq!(stage.seen.cards.lock().unwrap().last().unwrap().stage, Stage::Failed);
    assert!(stage.settled().await.is_some());
    stage.stop().await;
}

#[tokio::test]
async fn a_token_that_was_taken_back_is_asked_for_anew_until_it_works_again() {
    let mut stage = Scene::set().await;
    *stage.provider.refusing.lock().unwrap() = 2;
    stage.runs(&["working"]);
    stage.start();
    stage.until("it is looked at again", async |stage| *stage.provider.refusing.lock().unwrap() == 0).await;
    stage.ends(JOB, Stage::Completed, 60);
    stage.until_closed().await;
    let (output, success, _) = stage.settled().await.unwrap();
    assert!(success && output.contains("completed."), "{output}");
    stage.stop().await;
}

#[tokio::test]
async fn a_job_that_is_gone_is_told_as_gone() {
    let mut stage = Scene::set().await;
    stage.runs(&["working"]);
    stage.start();
    stage
        .until("it runs", async |stage| {
            stage.seen.cards.lock().unwrap().last().is_some_and(|card| card.stage == Stage::Running)
        })
        .await;
    stage.provider.job(JOB, |job| job.stage = None);
    stage.until_closed().await;
    let (output, success, cost) = stage.settled().await.unwrap();
    assert!(!success && output.contains("is not known to the Hub any more"), "{output}");
    // Nobody knows what it cost: what was set aside stands.
    assert_eq!(cost, None);
    stage.stop().await;
}

#[tokio::test]
async fn silence_and_memory_are_told_once_each() {
    let mut stage = Scene::set().await;
    stage.runs(&["loading"]);
    stage.start();
    stage.until("it stands still", async |stage| stage.seen.alarms.lock().unwrap().len() == 1).await;
    assert!(stage.seen.alarms.lock().unwrap()[0].1.contains("has written no line for 15 minutes"));
    stage.provider.job(JOB, |job| job.message = Some("Job failed with exit code: 137".to_owned()));
    stage.ends(JOB, Stage::Failed, 1_200);
    stage.until_closed().await;
    let alarms = stage.seen.alarms.lock().unwrap().clone();
    assert_eq!(alarms.len(), 2, "{alarms:?}");
    assert!(alarms[1].1.starts_with("Out of memory in"));
    assert!(stage.settled().await.unwrap().0.contains("The Hub says: Job failed with exit code: 137"));
    stage.stop().await;
}

#[tokio::test]
async fn a_very_long_log_stays_within_its_cap() {
    let mut stage = Scene::set().await;
    let line = "x".repeat(200);
    let lines: Vec<&str> = std::iter::repeat_n(line.as_str(), 20_000).collect();
    stage.runs(&lines);
    stage.runs(&["the very last line"]);
    stage.start();
    stage
        .until("it is read", async |stage| {
            let cards = stage.seen.cards.lock().unwrap();
            cards.last().is_some_and(|card| card.tail.last().is_some_and(|line| line == "the very last line"))
        })
        .await;
    stage.ask("r1", TicketWant::Logs).await;
    stage.until("the file", async |stage| !stage.seen.files.lock().unwrap().is_empty()).await;
    let file = stage.seen.files.lock().unwrap()[0].bytes.clone();
    assert!(file.len() <= (1 << 20) + 200 && file.len() > 700_000, "{}", file.len());
    let text = String::from_utf8(file).unwrap();
    assert!(text.contains(" bytes left out here") && text.ends_with("the very last line\n"));
    stage.stop().await;
}

#[derive(Default)]
struct Told(Mutex<Vec<String>>);

#[async_trait]
impl Tell for Told {
    async fn tell(&self, _: &str, text: &str) {
        self.0.lock().unwrap().push(text.to_owned());
    }
}

#[tokio::test]
async fn a_sweep_tells_of_jobs_that_nobody_follows() {
    let stage = Scene::set().await;
    let found = |id: &str, session: Option<String>| Found {
        name: JobName { namespace: "alice".to_owned(), id: id.to_owned() },
        url: format!("https://hub/jobs/alice/{id}"),
        title: "lost".to_owned(),
        session,
        flavour: "a10g-small".to_owned(),
        timeout_s: None,
        labels: std::collections::BTreeMap::new(),
        created: Some(stage.clock.now()),
    };
    let gone = labels::session_digest(&"gone".into());
    *stage.provider.found.lock().unwrap() =
        vec![found(JOB, None), found("lost-1", Some(gone)), found("lost-2", None)];
    let told = Arc::new(Told::default());
    let sweep = Sweep {
        shared: stage.shared.clone(),
        sources: Arc::new(Only(stage.provider.clone())),
        boards: stage.boards.clone(),
        owner: told.clone(),
    };
    // Just begun: their tickets may be on their way.
    assert_eq!(sweep.sweep().await.unwrap(), Swept::default());
    stage.clock.advance(Duration::from_secs(600));
    assert_eq!(sweep.sweep().await.unwrap(), Swept { adopted: 0, told: 2 });
    assert!(told.0.lock().unwrap()[0].contains("“lost” on a10g-small, paid by alice"));
}

#[tokio::test]
async fn a_sweep_takes_up_a_job_whose_session_is_there() {
    let stage = Scene::set().await;
    let lease = stage.store.seize(&"s1".into(), Duration::from_secs(5)).await.unwrap().unwrap();
    let head = SessionHead::new("s1".into(), origin(), stage.clock.now());
    let commit = crate::store::Commit {
        head: &head,
        keep: 0,
        append: &[],
        consumed: &[],
        later: &[],
        audit: &[],
        tickets: &[],
    };
    crate::store::Sessions::commit(stage.store.as_ref(), &lease, commit).await.unwrap();
    stage.store.release(&lease, None).await.unwrap();
    *stage.provider.found.lock().unwrap() = vec![Found {
        name: JobName { namespace: "alice".to_owned(), id: "lost".to_owned() },
        url: "https://hub/jobs/alice/lost".to_owned(),
        title: "lost".to_owned(),
        session: Some(labels::session_digest(&"s1".into())),
        flavour: "a10g-small".to_owned(),
        timeout_s: Some(7_200),
        labels: std::collections::BTreeMap::new(),
        created: None,
    }];
    let sweep = Sweep {
        shared: stage.shared.clone(),
        sources: Arc::new(Only(stage.provider.clone())),
        boards: stage.boards.clone(),
        owner: Arc::new(Told::default()),
    };
    assert_eq!(sweep.sweep().await.unwrap(), Swept { adopted: 1, told: 0 });
    assert_eq!(sweep.sweep().await.unwrap(), Swept::default());
    let open = stage.store.open_tickets(Some(&"s1".into()), 10).await.unwrap();
    assert_eq!(open.len(), 2);
    let adopted = open.iter().find(|ticket| ticket.id.as_str() == "job:alice/lost").unwrap();
    let Work::Job(job) = &adopted.work else { panic!("no job") };
    assert_eq!((job.price, job.timeout_s), (Some(1_000_000), 7_200));
    assert_eq!(adopted.requester, Actor::new("U1", "Alice"), "through whose account it was found");
    assert!(stage.seen.alarms.lock().unwrap()[0].1.starts_with("A job that nobody followed"));
}

#[tokio::test]
async fn a_log_is_read_to_its_end_after_its_job_has_ended() {
    let mut stage = Scene::set().await;
    let lines: Vec<String> = (0..300).map(|number| format!("line {number}")).collect();
    stage.runs(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    stage.provider.job(JOB, |job| job.drop_after = Some(10));
    stage.ends(JOB, Stage::Completed, 60);
    stage.start();
    stage.until("a part was read", async |stage| stage.provider.job(JOB, |job| job.connections) > 5).await;
    stage.stop().await;
    assert!(stage.settled().await.is_none());
    stage.start();
    stage.until_closed().await;
    assert!(stage.settled().await.unwrap().0.contains("(300 lines in all;"));
    stage.stop().await;
}
