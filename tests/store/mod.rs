//! The conformance suite of the store: what every backend must do, whatever it is built on.
//!
//! A backend joins by a [`Backend`] and one line with `conformance!`. [`inbox`], [`sessions`],
//! [`ledger`], [`money`], [`audit`], [`finding`] and [`deletion`] hold the promises; [`embedded`], [`migration`] and [`crash`] test
//! what only the one-file backend has.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on says so by panicking")]

use std::sync::Arc;
use std::time::Duration;

use ml_intern::clock::{Clock, Timestamp};
use ml_intern::protocol::operation::{Actor, Door, OperationKind, Origin};
use ml_intern::protocol::{Item, Operation, OperationId, SessionHead, SessionKey};
use ml_intern::store::embedded::Embedded;
use ml_intern::store::{Claimable, Commit, Lease, Store};
use serde_json::{Value, json};

mod audit;
mod crash;
mod deletion;
mod embedded;
mod finding;
mod inbox;
mod ledger;
mod migration;
mod money;
mod sessions;
mod tickets;

/// A place where one store lives.
trait Backend: Send + Sync {
    /// Opens it; the same data each time.
    fn open(&self, clock: &Clock) -> Arc<dyn Store>;
}

/// The embedded backend in a directory of its own.
struct OneFile {
    dir: tempfile::TempDir,
}

impl OneFile {
    fn fresh() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }
}

impl Backend for OneFile {
    fn open(&self, clock: &Clock) -> Arc<dyn Store> {
        Embedded::open(self.dir.path(), clock.clone()).unwrap()
    }
}

/// Runs every promise against one backend.
macro_rules! conformance {
    ($backend:ident, $fresh:expr, { $($room:ident: [$($promise:ident),* $(,)?]),* $(,)? }) => {
        mod $backend {
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $promise() {
                    super::$room::$promise(&$fresh).await;
                }
            )*)*
        }
    };
}

conformance!(one_file, super::OneFile::fresh(), {
    inbox: [
        a_redelivery_is_seen_even_after_it_was_consumed,
        unread_operations_keep_the_order_of_arrival,
        fifty_claimers_get_fifty_different_sessions,
        one_session_goes_to_one_of_fifty_claimers,
        the_session_that_waits_longest_is_claimed_first,
        doors_are_kept_apart,
        a_lease_that_runs_out_is_taken_over_and_the_zombie_is_refused,
        a_renewed_lease_is_not_taken_over,
        releasing_a_lost_lease_is_harmless,
        a_session_set_aside_waits_for_its_time,
        a_new_operation_ends_the_setting_aside,
        an_operation_unseen_by_its_worker_is_not_set_aside,
        an_operation_during_a_lease_makes_the_session_claimable_afterwards,
        a_head_that_wants_work_is_claimed_without_operations,
        busy_counts_what_waits_and_what_is_held,
        a_delayed_operation_fires_once_among_many_clocks,
        a_delayed_operation_is_replaced_by_its_namesake,
        wakes_reach_every_watcher,
    ],
    sessions: [
        a_session_never_committed_loads_empty,
        a_commit_cuts_and_appends,
        a_thousand_items_load_in_order,
        a_commit_that_miscounts_changes_nothing,
        a_commit_after_release_is_refused,
        a_commit_by_a_zombie_changes_nothing,
        the_newest_sessions_are_listed_first,
        all_is_there_after_a_reopening,
    ],
    ledger: [
        a_delivery_is_queued_once_for_ever,
        an_unsettled_delivery_is_due_again,
        one_claimer_wins_each_delivery,
        a_delivery_to_be_tried_again_waits,
        the_first_outcome_stands,
        open_deliveries_survive_a_reopening,
    ],
    money: [
        money_is_set_aside_and_settled_with_what_it_really_cost,
        money_given_back_was_never_spent,
        the_first_account_that_has_not_enough_is_named_and_nothing_is_set_aside,
        a_second_try_holds_what_the_first_one_set_aside,
        work_done_twice_is_paid_twice,
        money_spent_without_asking_is_counted_once,
        what_a_dead_process_left_is_found_by_its_session,
        sums_never_run_over_and_never_become_debts,
        parallel_wishes_never_overrun_a_limit,
        balances_survive_a_reopening,
    ],
    tickets: [
        a_ticket_is_opened_by_the_commit_of_its_step,
        one_watcher_has_a_ticket_until_its_hold_runs_out,
        what_people_ask_is_kept_once_until_it_is_answered,
        fifty_watchers_get_fifty_different_tickets,
        runs_are_found_by_their_words_and_the_last_word_counts,
    ],
    audit: [
        decisions_are_saved_with_their_step_and_chained,
        decisions_of_a_refused_commit_are_not_recorded,
        many_sessions_write_one_chain,
    ],
    finding: [
        sessions_are_found_by_what_was_said,
        what_was_cut_is_found_no_longer,
        sessions_are_listed_by_door_and_channel_and_page,
        keys_are_given_by_their_beginning,
    ],
    deletion: [
        a_deleted_session_is_gone_and_what_adds_up_stays,
        nothing_brings_a_deleted_session_back,
        only_whoever_holds_a_session_deletes_it,
        a_session_that_rests_can_be_seized_and_rests_afterwards,
        idle_sessions_are_those_that_rest_the_oldest_first,
        old_records_are_forgotten_and_open_ones_are_not,
    ],
});

const TTL: Duration = Duration::from_secs(30);
const NOON: Timestamp = Timestamp(1_760_000_000_000);

fn clock() -> Clock {
    Clock::manual(NOON)
}

fn key(name: &str) -> SessionKey {
    SessionKey::from(name)
}

fn only(name: &str) -> Claimable {
    Claimable::Only(key(name))
}

fn slack() -> Claimable {
    Claimable::Behind(Door::Slack)
}

fn origin(door: Door) -> Origin {
    Origin::new(door, json!({"channel": "C1"}))
}

/// Ada says something in a Slack thread.
fn says(session: &str, id: &str) -> Operation {
    Operation {
        id: OperationId::from(id),
        session: key(session),
        origin: origin(Door::Slack),
        actor: Actor::new("U1", "Ada"),
        at: NOON,
        kind: OperationKind::Say { text: format!("message {id}"), handle: Value::Null },
    }
}

fn item(number: u64) -> Arc<Item> {
    Arc::new(Item::Synthetic { text: format!("item {number}") })
}

fn items(numbers: std::ops::Range<u64>) -> Vec<Arc<Item>> {
    numbers.map(item).collect()
}

fn head(session: &str, size: u64) -> SessionHead {
    let mut head = SessionHead::new(key(session), origin(Door::Slack), NOON);
    head.history_size = size;
    head
}

/// A commit that only consumes.
async fn consume(store: &dyn Store, lease: &Lease, ids: &[&str]) {
    let consumed: Vec<OperationId> = ids.iter().map(|id| OperationId::from(*id)).collect();
    let size = store.load(&lease.session).await.unwrap().items.len() as u64;
    let head = head(lease.session.as_str(), size);
    let commit = Commit {
        head: &head,
        keep: size,
        append: &[],
        consumed: &consumed,
        later: &[],
        audit: &[],
        tickets: &[],
    };
    store.commit(lease, commit).await.unwrap();
}

async fn claim(store: &dyn Store, claimable: &Claimable) -> Option<Lease> {
    store.claim(claimable, TTL).await.unwrap()
}

async fn unread_ids(store: &dyn Store, lease: &Lease) -> Vec<String> {
    store.unread(lease).await.unwrap().into_iter().map(|operation| operation.id.0).collect()
}
