//! What is promised of external work: opened with its step, watched by one, asked by many, closed once.

use std::collections::BTreeMap;
use std::time::Duration;

use ml_intern::clock::Timestamp;
use ml_intern::protocol::{
    Actor, Door, JobWork, Origin, Purpose, Run, RunFind, Ticket, TicketChange, TicketRequest, TicketWant,
    Waits, Work,
};
use ml_intern::store::{Commit, StoreError, WatchSave};
use serde_json::{Value, json};

use super::{Backend, NOON, TTL, claim, clock, head, only, says};

fn ticket(id: &str, door: Door) -> Ticket {
    Ticket {
        id: id.into(),
        session: "s".into(),
        origin: Origin::new(door, Value::Null),
        turn: "t".into(),
        call: "c".into(),
        tool: "hf_jobs".to_owned(),
        requester: Actor::new("U1", "Ann"),
        approved_by: vec!["Bob".to_owned()],
        asked_of: None,
        work: Work::Job(JobWork { title: "train".to_owned(), ..JobWork::default() }),
        waits: Waits::ForEnd,
        pledge: None,
        opened_at: NOON,
    }
}

fn request(id: &str, want: TicketWant) -> TicketRequest {
    TicketRequest { id: id.to_owned(), by: "U2".into(), name: "Bob".to_owned(), want, at: NOON }
}

pub(super) async fn a_ticket_is_opened_by_the_commit_of_its_step(backend: &dyn Backend) {
    let store = backend.open(&clock());
    store.push(says("s", "o1")).await.unwrap();
    let lease = claim(store.as_ref(), &only("s")).await.unwrap();
    let head = head("s", 0);
    let tickets = [TicketChange::Open { ticket: ticket("job:a/1", Door::Slack) }];
    let commit = Commit {
        head: &head,
        keep: 0,
        append: &[],
        consumed: &[],
        later: &[],
        audit: &[],
        tickets: &tickets,
    };
    let zombie = ml_intern::store::Lease { fence: lease.fence + 7, ..lease.clone() };
    assert!(store.commit(&zombie, commit.clone()).await.is_err());
    assert!(store.open_tickets(None, 10).await.unwrap().is_empty(), "a refused step opens nothing");
    store.commit(&lease, commit.clone()).await.unwrap();
    store.commit(&lease, commit).await.unwrap();
    assert_eq!(store.open_tickets(Some(&"s".into()), 10).await.unwrap().len(), 1, "once");
    assert!(store.open_tickets(Some(&"other".into()), 10).await.unwrap().is_empty());
    assert_eq!(store.ticket(&"job:a/1".into()).await.unwrap(), Some(ticket("job:a/1", Door::Slack)));
}

pub(super) async fn one_watcher_has_a_ticket_until_its_hold_runs_out(backend: &dyn Backend) {
    let clock = clock();
    let store = backend.open(&clock);
    store.open_ticket(&ticket("job:a/1", Door::Slack)).await.unwrap();
    store.open_ticket(&ticket("job:b/1", Door::Terminal)).await.unwrap();
    let first = store.claim_watches(Door::Slack, 10, TTL).await.unwrap();
    assert_eq!(first.len(), 1, "doors are kept apart");
    assert_eq!((first[0].claims, &first[0].memo), (1, &Value::Null));
    assert!(store.claim_watches(Door::Slack, 10, TTL).await.unwrap().is_empty());
    let memo = json!({ "line": 7 });
    store.save_watch(&first[0], WatchSave { memo: &memo, answered: &[], due: None }).await.unwrap();
    clock.advance(TTL + Duration::from_millis(1));
    let second = store.claim_watches(Door::Slack, 10, TTL).await.unwrap();
    assert_eq!((second[0].claims, &second[0].memo), (2, &memo), "the next one goes on from there");
    for refused in [
        store.save_watch(&first[0], WatchSave { memo: &Value::Null, answered: &[], due: None }).await,
        store.renew_watch(&first[0], TTL).await.map(drop),
        store.close_watch(&first[0]).await,
    ] {
        assert!(matches!(refused, Err(StoreError::Lost(_))), "{refused:?}");
    }
    store.renew_watch(&second[0], TTL * 3).await.unwrap();
    clock.advance(TTL * 2);
    assert!(store.claim_watches(Door::Slack, 10, TTL).await.unwrap().is_empty(), "held on");
    store.close_watch(&second[0]).await.unwrap();
    clock.advance(TTL * 9);
    assert!(store.claim_watches(Door::Slack, 10, TTL).await.unwrap().is_empty(), "closed for good");
    store.open_ticket(&ticket("job:a/1", Door::Slack)).await.unwrap();
    assert!(
        store.open_tickets(Some(&"s".into()), 10).await.unwrap().iter().all(|it| it.id.as_str() != "job:a/1")
    );
}

pub(super) async fn what_people_ask_is_kept_once_until_it_is_answered(backend: &dyn Backend) {
    let clock = clock();
    let store = backend.open(&clock);
    let id = "job:a/1".into();
    store.open_ticket(&ticket("job:a/1", Door::Slack)).await.unwrap();
    let watch = store.claim_watches(Door::Slack, 1, TTL).await.unwrap().remove(0);
    let later = Some(NOON.plus(TTL * 20));
    store.save_watch(&watch, WatchSave { memo: &Value::Null, answered: &[], due: later }).await.unwrap();
    assert!(store.claim_watches(Door::Slack, 1, TTL).await.unwrap().is_empty(), "not due");
    for name in ["r1", "r1", "r2"] {
        store.ask_ticket(&id, request(name, TicketWant::Stop)).await.unwrap();
    }
    let again = store.claim_watches(Door::Slack, 1, TTL).await.unwrap().remove(0);
    let names = |requests: &[TicketRequest]| requests.iter().map(|it| it.id.clone()).collect::<Vec<_>>();
    assert_eq!(names(&again.requests), ["r1", "r2"], "a request makes it due");
    let answered = ["r1".to_owned()];
    store.save_watch(&again, WatchSave { memo: &Value::Null, answered: &answered, due: None }).await.unwrap();
    store.ask_ticket(&id, request("r3", TicketWant::Logs)).await.unwrap();
    assert_eq!(names(&store.renew_watch(&again, TTL).await.unwrap()), ["r2", "r3"]);
    store.ask_ticket(&"job:none/1".into(), request("r9", TicketWant::Stop)).await.unwrap();
    store.close_watch(&again).await.unwrap();
}

pub(super) async fn fifty_watchers_get_fifty_different_tickets(backend: &dyn Backend) {
    let store = backend.open(&clock());
    for n in 0..50 {
        store.open_ticket(&ticket(&format!("job:a/{n}"), Door::Slack)).await.unwrap();
    }
    let claims = (0..50).map(|_| {
        let store = store.clone();
        tokio::spawn(async move { store.claim_watches(Door::Slack, 1, TTL).await.unwrap() })
    });
    let taken = futures::future::join_all(claims).await;
    let mut ids: Vec<String> =
        taken.into_iter().flat_map(|it| it.unwrap()).map(|watch| watch.ticket.id.to_string()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 50);
}

fn run(id: &str, dataset: &str, at: i64) -> Run {
    Run {
        id: id.into(),
        session: "s".into(),
        channel: Some("C1".to_owned()),
        thread: None,
        title: "fine-tune DistilBERT".to_owned(),
        purpose: Purpose::Train,
        url: "https://hf.co/jobs/a/1".to_owned(),
        flavour: "t4-small".to_owned(),
        namespace: "ann".to_owned(),
        script: None,
        base_model: Some("distilbert".to_owned()),
        dataset: Some(dataset.to_owned()),
        dataset_revision: None,
        output: Some("ann/model".to_owned()),
        output_commit: None,
        metrics: BTreeMap::from([("eval_accuracy".to_owned(), 0.91)]),
        cost: None,
        requester: "Ann".to_owned(),
        approved_by: vec!["Bob".to_owned()],
        started_at: Timestamp(at),
        ended_at: None,
        outcome: "running".to_owned(),
    }
}

pub(super) async fn runs_are_found_by_their_words_and_the_last_word_counts(backend: &dyn Backend) {
    let store = backend.open(&clock());
    store.record_run(&run("job:a/1", "stanfordnlp/imdb", 1)).await.unwrap();
    store.record_run(&run("job:a/2", "ann/Reviews", 2)).await.unwrap();
    let done =
        Run { outcome: "completed".to_owned(), cost: Some(5), ..run("job:a/1", "stanfordnlp/imdb", 1) };
    store.record_run(&done).await.unwrap();
    let find = async |words: &str, channel: Option<&str>| {
        let wanted = RunFind {
            words: words.to_owned(),
            session: None,
            channel: channel.map(str::to_owned),
            limit: 10,
        };
        let found = store.runs(&wanted).await.unwrap();
        found.into_iter().map(|run| (run.id.to_string(), run.outcome)).collect::<Vec<_>>()
    };
    let one = ("job:a/1".to_owned(), "completed".to_owned());
    let two = ("job:a/2".to_owned(), "running".to_owned());
    assert_eq!(find("", None).await, [two.clone(), one.clone()], "the newest first");
    assert_eq!(find("IMDB distil", None).await, [one]);
    assert_eq!(find("reviews bob", Some("C1")).await, [two]);
    assert!(find("reviews", Some("C2")).await.is_empty(), "not told elsewhere");
    assert!(find("100%", None).await.is_empty());
}
