//! What the inbox promises: once, in order, to one worker at a time, and never forgotten.

use std::collections::HashSet;
use std::time::Duration;

use ml_intern::protocol::operation::Door;
use ml_intern::protocol::turn::Turn;
use ml_intern::protocol::{OperationId, SessionHead, TurnId};
use ml_intern::store::{Claimable, Commit, Later, Pushed, StoreError};

use super::{Backend, NOON, TTL, claim, clock, consume, head, key, only, origin, says, slack, unread_ids};

pub(super) async fn a_redelivery_is_seen_even_after_it_was_consumed(backend: &dyn Backend) {
    let clock = clock();
    let store = backend.open(&clock);
    assert_eq!(store.push(says("t1", "a")).await.unwrap(), Pushed::New);
    assert_eq!(store.push(says("t1", "a")).await.unwrap(), Pushed::Seen);
    let lease = claim(&*store, &slack()).await.unwrap();
    assert_eq!(unread_ids(&*store, &lease).await, ["a"]);
    consume(&*store, &lease, &["a"]).await;
    store.release(&lease, None).await.unwrap();
    clock.advance(Duration::from_secs(7 * 24 * 60 * 60));
    store.fire_due(clock.now()).await.unwrap();
    assert_eq!(store.push(says("t1", "a")).await.unwrap(), Pushed::Seen);
    assert!(claim(&*store, &slack()).await.is_none(), "a redelivery woke the session");
    // Memory ends after a month, so that the file does not grow for ever.
    clock.advance(Duration::from_secs(24 * 24 * 60 * 60));
    store.fire_due(clock.now()).await.unwrap();
    assert_eq!(store.push(says("t1", "a")).await.unwrap(), Pushed::New);
}

pub(super) async fn unread_operations_keep_the_order_of_arrival(backend: &dyn Backend) {
    let store = backend.open(&clock());
    for id in ["zebra", "ant", "mole"] {
        store.push(says("t1", id)).await.unwrap();
    }
    let lease = claim(&*store, &slack()).await.unwrap();
    assert_eq!(unread_ids(&*store, &lease).await, ["zebra", "ant", "mole"]);
    consume(&*store, &lease, &["ant"]).await;
    store.push(says("t1", "bee")).await.unwrap();
    assert_eq!(unread_ids(&*store, &lease).await, ["zebra", "mole", "bee"]);
    assert_eq!(store.unread(&lease).await.unwrap()[0], says("t1", "zebra"), "saved as it was pushed");
}

pub(super) async fn fifty_claimers_get_fifty_different_sessions(backend: &dyn Backend) {
    let store = backend.open(&clock());
    for n in 0..50 {
        store.push(says(&format!("t{n}"), &format!("op{n}"))).await.unwrap();
    }
    let claims = (0..60).map(|_| {
        let store = store.clone();
        tokio::spawn(async move { claim(&*store, &slack()).await })
    });
    let mut sessions = HashSet::new();
    let mut empty = 0;
    for lease in futures::future::join_all(claims).await {
        match lease.unwrap() {
            Some(lease) => assert!(sessions.insert(lease.session.clone()), "{} twice", lease.session),
            None => empty += 1,
        }
    }
    assert_eq!((sessions.len(), empty), (50, 10));
}

pub(super) async fn one_session_goes_to_one_of_fifty_claimers(backend: &dyn Backend) {
    let store = backend.open(&clock());
    store.push(says("t1", "a")).await.unwrap();
    let claims = (0..50).map(|n| {
        let store = store.clone();
        tokio::spawn(async move {
            let claimable = if n % 2 == 0 { slack() } else { only("t1") };
            claim(&*store, &claimable).await
        })
    });
    let won = futures::future::join_all(claims).await.into_iter().filter(|l| l.as_ref().unwrap().is_some());
    assert_eq!(won.count(), 1);
}

pub(super) async fn the_session_that_waits_longest_is_claimed_first(backend: &dyn Backend) {
    let clock = clock();
    let store = backend.open(&clock);
    for (session, id) in [("old", "1"), ("middle", "2"), ("young", "3"), ("old", "4")] {
        store.push(says(session, id)).await.unwrap();
        clock.advance(Duration::from_secs(1));
    }
    let first = claim(&*store, &slack()).await.unwrap();
    assert_eq!(first.session, key("old"));
    // Given back with work left, it goes behind the others.
    store.release(&first, None).await.unwrap();
    let mut order = Vec::new();
    while let Some(lease) = claim(&*store, &slack()).await {
        order.push(lease.session.0);
    }
    assert_eq!(order, ["middle", "young", "old"]);
}

pub(super) async fn doors_are_kept_apart(backend: &dyn Backend) {
    let store = backend.open(&clock());
    let mut typed = says("console", "a");
    typed.origin = origin(Door::Terminal);
    store.push(typed).await.unwrap();
    assert!(claim(&*store, &slack()).await.is_none());
    assert!(claim(&*store, &only("elsewhere")).await.is_none());
    assert_eq!(store.busy(&slack()).await.unwrap(), 0);
    let lease = claim(&*store, &Claimable::Behind(Door::Terminal)).await.unwrap();
    assert_eq!(lease.session, key("console"));
}

pub(super) async fn a_lease_that_runs_out_is_taken_over_and_the_zombie_is_refused(backend: &dyn Backend) {
    let clock = clock();
    let store = backend.open(&clock);
    store.push(says("t1", "a")).await.unwrap();
    let zombie = claim(&*store, &slack()).await.unwrap();
    assert_eq!(zombie.expires_at, NOON.plus(TTL));
    clock.advance(TTL - Duration::from_millis(1));
    assert!(claim(&*store, &slack()).await.is_none());
    clock.advance(Duration::from_millis(1));
    let heir = claim(&*store, &slack()).await.unwrap();
    assert!(heir.fence > zombie.fence);
    assert!(matches!(store.renew(&zombie, TTL).await, Err(StoreError::Fenced(_))));
    assert!(matches!(store.unread(&zombie).await, Err(StoreError::Fenced(_))));
    assert_eq!(unread_ids(&*store, &heir).await, ["a"], "nothing is lost by the take-over");
}

pub(super) async fn a_renewed_lease_is_not_taken_over(backend: &dyn Backend) {
    let clock = clock();
    let store = backend.open(&clock);
    store.push(says("t1", "a")).await.unwrap();
    let mut lease = claim(&*store, &slack()).await.unwrap();
    for _ in 0..5 {
        clock.advance(TTL / 2);
        lease = store.renew(&lease, TTL).await.unwrap();
        assert_eq!(lease.expires_at, clock.now().plus(TTL));
        assert!(claim(&*store, &slack()).await.is_none());
        assert!(claim(&*store, &only("t1")).await.is_none());
    }
}

pub(super) async fn releasing_a_lost_lease_is_harmless(backend: &dyn Backend) {
    let clock = clock();
    let store = backend.open(&clock);
    store.push(says("t1", "a")).await.unwrap();
    let zombie = claim(&*store, &slack()).await.unwrap();
    clock.advance(TTL);
    let heir = claim(&*store, &slack()).await.unwrap();
    store.release(&zombie, None).await.unwrap();
    assert!(claim(&*store, &slack()).await.is_none(), "the zombie gave away the heir's session");
    store.renew(&heir, TTL).await.unwrap();
}

pub(super) async fn a_session_set_aside_waits_for_its_time(backend: &dyn Backend) {
    let clock = clock();
    let store = backend.open(&clock);
    store.push(says("t1", "a")).await.unwrap();
    let lease = claim(&*store, &slack()).await.unwrap();
    store.release(&lease, Some(clock.now().plus(Duration::from_secs(60)))).await.unwrap();
    assert!(claim(&*store, &slack()).await.is_none());
    assert!(claim(&*store, &only("t1")).await.is_none());
    assert_eq!(store.push(says("t1", "a")).await.unwrap(), Pushed::Seen);
    assert!(claim(&*store, &slack()).await.is_none(), "a redelivery is no new operation");
    clock.advance(Duration::from_secs(60));
    assert!(claim(&*store, &slack()).await.is_some());
}

pub(super) async fn a_new_operation_ends_the_setting_aside(backend: &dyn Backend) {
    let clock = clock();
    let store = backend.open(&clock);
    store.push(says("t1", "a")).await.unwrap();
    let lease = claim(&*store, &slack()).await.unwrap();
    store.release(&lease, Some(clock.now().plus(Duration::from_secs(3600)))).await.unwrap();
    store.push(says("t1", "b")).await.unwrap();
    let lease = claim(&*store, &slack()).await.unwrap();
    assert_eq!(unread_ids(&*store, &lease).await, ["a", "b"]);
}

pub(super) async fn an_operation_unseen_by_its_worker_is_not_set_aside(backend: &dyn Backend) {
    let clock = clock();
    let store = backend.open(&clock);
    store.push(says("t1", "a")).await.unwrap();
    let lease = claim(&*store, &slack()).await.unwrap();
    // It arrives after the worker looked for the last time and before it sets the session aside.
    store.push(says("t1", "stop")).await.unwrap();
    store.release(&lease, Some(clock.now().plus(Duration::from_secs(3600)))).await.unwrap();
    let again = claim(&*store, &slack()).await.expect("the operation was set aside unseen");
    assert_eq!(unread_ids(&*store, &again).await, ["a", "stop"]);
}

pub(super) async fn an_operation_during_a_lease_makes_the_session_claimable_afterwards(
    backend: &dyn Backend,
) {
    let store = backend.open(&clock());
    store.push(says("t1", "a")).await.unwrap();
    let lease = claim(&*store, &slack()).await.unwrap();
    consume(&*store, &lease, &["a"]).await;
    store.push(says("t1", "b")).await.unwrap();
    assert!(claim(&*store, &slack()).await.is_none(), "it is still held");
    store.release(&lease, None).await.unwrap();
    let lease = claim(&*store, &slack()).await.unwrap();
    assert_eq!(unread_ids(&*store, &lease).await, ["b"]);
    consume(&*store, &lease, &["b"]).await;
    store.release(&lease, None).await.unwrap();
    assert!(claim(&*store, &slack()).await.is_none(), "nothing is left to do");
}

fn thinking(session: &str) -> SessionHead {
    let mut head = head(session, 0);
    head.turn = Some(Turn::begun(TurnId::from("turn"), says(session, "a").actor, NOON));
    head
}

pub(super) async fn a_head_that_wants_work_is_claimed_without_operations(backend: &dyn Backend) {
    let clock = clock();
    let store = backend.open(&clock);
    store.push(says("t1", "a")).await.unwrap();
    let lease = claim(&*store, &slack()).await.unwrap();
    let thinking = thinking("t1");
    let consumed = [OperationId::from("a")];
    let commit = Commit {
        head: &thinking,
        keep: 0,
        append: &[],
        consumed: &consumed,
        later: &[],
        audit: &[],
        tickets: &[],
    };
    store.commit(&lease, commit).await.unwrap();
    // The worker dies here: nobody releases.
    clock.advance(TTL);
    let heir = claim(&*store, &slack()).await.expect("the turn in hand was forgotten");
    assert!(unread_ids(&*store, &heir).await.is_empty());
    consume(&*store, &heir, &[]).await;
    store.release(&heir, None).await.unwrap();
    assert!(claim(&*store, &slack()).await.is_none());
}

pub(super) async fn busy_counts_what_waits_and_what_is_held(backend: &dyn Backend) {
    let clock = clock();
    let store = backend.open(&clock);
    for session in ["t1", "t2", "t3"] {
        store.push(says(session, session)).await.unwrap();
    }
    assert_eq!(store.busy(&slack()).await.unwrap(), 3);
    let lease = claim(&*store, &slack()).await.unwrap();
    assert_eq!(store.busy(&slack()).await.unwrap(), 3, "held and unread counts once");
    consume(&*store, &lease, &["t1"]).await;
    assert_eq!(store.busy(&slack()).await.unwrap(), 3, "held with nothing unread still counts");
    assert_eq!(store.busy(&only("t1")).await.unwrap(), 1);
    store.release(&lease, None).await.unwrap();
    assert_eq!(store.busy(&slack()).await.unwrap(), 2);
    assert_eq!(store.busy(&only("t1")).await.unwrap(), 0);
}

async fn with_later(
    backend: &dyn Backend,
    laters: &[Later],
) -> (std::sync::Arc<dyn ml_intern::store::Store>, ml_intern::clock::Clock) {
    let clock = clock();
    let store = backend.open(&clock);
    store.push(says("t1", "a")).await.unwrap();
    let lease = claim(&*store, &slack()).await.unwrap();
    let head = head("t1", 0);
    let consumed = [OperationId::from("a")];
    for later in laters {
        let commit = Commit {
            head: &head,
            keep: 0,
            append: &[],
            consumed: &consumed,
            later: std::slice::from_ref(later),
            audit: &[],
            tickets: &[],
        };
        store.commit(&lease, commit).await.unwrap();
    }
    store.release(&lease, None).await.unwrap();
    (store, clock)
}

pub(super) async fn a_delayed_operation_fires_once_among_many_clocks(backend: &dyn Backend) {
    let at = NOON.plus(Duration::from_secs(10));
    let (store, clock) = with_later(backend, &[Later { at, operation: says("t1", "expire") }]).await;
    clock.advance(Duration::from_millis(9_999));
    assert!(store.fire_due(clock.now()).await.unwrap().is_empty());
    assert!(claim(&*store, &slack()).await.is_none());
    clock.advance(Duration::from_millis(1));
    let fires = (0..20).map(|_| {
        let (store, now) = (store.clone(), clock.now());
        tokio::spawn(async move { store.fire_due(now).await.unwrap() })
    });
    let woken: Vec<_> =
        futures::future::join_all(fires).await.into_iter().flat_map(|keys| keys.unwrap()).collect();
    assert_eq!(woken, [key("t1")]);
    let lease = claim(&*store, &slack()).await.unwrap();
    assert_eq!(unread_ids(&*store, &lease).await, ["expire"]);
    assert!(store.fire_due(clock.now()).await.unwrap().is_empty());
}

pub(super) async fn a_delayed_operation_is_replaced_by_its_namesake(backend: &dyn Backend) {
    let soon = Later { at: NOON.plus(Duration::from_secs(10)), operation: says("t1", "expire") };
    let late = Later { at: NOON.plus(Duration::from_secs(20)), operation: says("t1", "expire") };
    let (store, clock) = with_later(backend, &[soon, late]).await;
    clock.advance(Duration::from_secs(10));
    assert!(store.fire_due(clock.now()).await.unwrap().is_empty(), "the first time no longer counts");
    clock.advance(Duration::from_secs(10));
    assert_eq!(store.fire_due(clock.now()).await.unwrap(), [key("t1")]);
    // One that was delivered by another way before its time stays delivered once.
    assert_eq!(store.push(says("t1", "expire")).await.unwrap(), Pushed::Seen);
}

pub(super) async fn wakes_reach_every_watcher(backend: &dyn Backend) {
    let store = backend.open(&clock());
    store.wake(&key("nobody watches yet"));
    let (mut one, mut two) = (store.watch(), store.watch());
    store.wake(&key("t1"));
    assert_eq!(one.recv().await.unwrap(), key("t1"));
    assert_eq!(two.recv().await.unwrap(), key("t1"));
}
