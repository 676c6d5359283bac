//! What the outbox promises: queued once, tried by one at a time, retried until settled.

use std::collections::HashSet;
use std::time::Duration;

use ml_intern::protocol::notice::{Notice, Severity};
use ml_intern::store::{Delivered, Delivery, Pushed};

use super::{Backend, NOON, TTL, clock};

fn notice(id: &str) -> Delivery {
    Delivery {
        id: id.to_owned(),
        destination: "team".to_owned(),
        notice: Notice {
            title: Some("Run finished".to_owned()),
            severity: Severity::Success,
            message: format!("**{id}** is done"),
            metadata: vec![("loss".to_owned(), "0.31".to_owned())],
            link: None,
        },
        attempts: 0,
    }
}

fn sent(name: &str) -> Delivered {
    Delivered::Sent { external_id: name.to_owned() }
}

pub(super) async fn a_delivery_is_queued_once_for_ever(backend: &dyn Backend) {
    let store = backend.open(&clock());
    assert_eq!(store.enqueue(notice("n1"), NOON).await.unwrap(), Pushed::New);
    assert_eq!(store.enqueue(notice("n1"), NOON).await.unwrap(), Pushed::Seen);
    let taken = store.claim_deliveries(NOON, 10, TTL).await.unwrap();
    assert_eq!(taken, [Delivery { attempts: 1, ..notice("n1") }]);
    assert_eq!(store.delivery("n1").await.unwrap(), None, "still open");
    store.settle_delivery("n1", sent("1.2")).await.unwrap();
    assert_eq!(store.delivery("n1").await.unwrap(), Some(sent("1.2")));
    assert_eq!(store.enqueue(notice("n1"), NOON).await.unwrap(), Pushed::Seen);
    assert!(store.claim_deliveries(NOON.plus(TTL * 10), 10, TTL).await.unwrap().is_empty());
    assert_eq!(store.delivery("unknown").await.unwrap(), None);
}

pub(super) async fn an_unsettled_delivery_is_due_again(backend: &dyn Backend) {
    let store = backend.open(&clock());
    store.enqueue(notice("n1"), NOON.plus(TTL)).await.unwrap();
    assert!(store.claim_deliveries(NOON, 10, TTL).await.unwrap().is_empty(), "not due yet");
    let first = store.claim_deliveries(NOON.plus(TTL), 10, TTL).await.unwrap();
    assert_eq!(first[0].attempts, 1);
    let early = NOON.plus(TTL * 2 - Duration::from_millis(1));
    assert!(store.claim_deliveries(early, 10, TTL).await.unwrap().is_empty());
    let again = store.claim_deliveries(NOON.plus(TTL * 2), 10, TTL).await.unwrap();
    assert_eq!(again, [Delivery { attempts: 2, ..notice("n1") }]);
}

pub(super) async fn one_claimer_wins_each_delivery(backend: &dyn Backend) {
    let store = backend.open(&clock());
    for n in 0..30 {
        store.enqueue(notice(&format!("n{n}")), NOON).await.unwrap();
    }
    let claims = (0..20).map(|_| {
        let store = store.clone();
        tokio::spawn(async move { store.claim_deliveries(NOON, 4, TTL).await.unwrap() })
    });
    let mut seen = HashSet::new();
    for taken in futures::future::join_all(claims).await {
        let taken = taken.unwrap();
        assert!(taken.len() <= 4);
        for delivery in taken {
            assert!(seen.insert(delivery.id.clone()), "{} went to two", delivery.id);
        }
    }
    assert_eq!(seen.len(), 30);
}

pub(super) async fn a_delivery_to_be_tried_again_waits(backend: &dyn Backend) {
    let store = backend.open(&clock());
    store.enqueue(notice("n1"), NOON).await.unwrap();
    store.claim_deliveries(NOON, 10, TTL).await.unwrap();
    let at = NOON.plus(TTL * 3);
    let again = Delivered::Again { at, error: "rate limited".to_owned() };
    store.settle_delivery("n1", again).await.unwrap();
    assert!(store.claim_deliveries(NOON.plus(TTL * 2), 10, TTL).await.unwrap().is_empty());
    assert_eq!(store.delivery("n1").await.unwrap(), None, "still open");
    assert_eq!(store.claim_deliveries(at, 10, TTL).await.unwrap()[0].attempts, 2);
}

pub(super) async fn the_first_outcome_stands(backend: &dyn Backend) {
    let store = backend.open(&clock());
    store.enqueue(notice("n1"), NOON).await.unwrap();
    store.claim_deliveries(NOON, 10, TTL).await.unwrap();
    let failed = Delivered::Failed { error: "channel_not_found".to_owned() };
    store.settle_delivery("n1", failed.clone()).await.unwrap();
    store.settle_delivery("n1", sent("late")).await.unwrap();
    let again = Delivered::Again { at: NOON, error: "late".to_owned() };
    store.settle_delivery("n1", again).await.unwrap();
    assert_eq!(store.delivery("n1").await.unwrap(), Some(failed));
    assert!(store.claim_deliveries(NOON.plus(TTL * 10), 10, TTL).await.unwrap().is_empty());
    store.settle_delivery("never queued", sent("x")).await.unwrap();
    assert_eq!(store.delivery("never queued").await.unwrap(), None);
}

pub(super) async fn open_deliveries_survive_a_reopening(backend: &dyn Backend) {
    let store = backend.open(&clock());
    store.enqueue(notice("open"), NOON).await.unwrap();
    store.enqueue(notice("done"), NOON).await.unwrap();
    store.settle_delivery("done", sent("1")).await.unwrap();
    drop(store);
    let store = backend.open(&clock());
    let taken = store.claim_deliveries(NOON, 10, TTL).await.unwrap();
    assert_eq!(taken, [Delivery { attempts: 1, ..notice("open") }]);
}
