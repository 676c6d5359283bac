//! What the ledger promises about money: set aside before, settled after, never overrun, never negative.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::join_all;
use ml_intern::protocol::{Account, Balance, Period, Reservation, Reserved, Scope};
use ml_intern::store::Store;
use proptest::prelude::*;

use super::{Backend, NOON, OneFile, clock, key};

fn team() -> Account {
    Account { scope: Scope::Team, period: Period::Month("2026-11".to_owned()) }
}

fn ada() -> Account {
    Account { scope: Scope::Person("U1".into()), period: Period::Day("2026-11-25".to_owned()) }
}

fn session(name: &str) -> Account {
    Account { scope: Scope::Session(key(name)), period: Period::Whole }
}

fn wish(id: &str, amount: u64, accounts: &[(Account, Option<u64>)]) -> Reservation {
    Reservation {
        id: id.to_owned(),
        session: key("t1"),
        purpose: "some/model".to_owned(),
        amount,
        accounts: accounts.to_vec(),
        at: NOON,
    }
}

fn balance(spent: u64, reserved: u64) -> Balance {
    Balance { spent, reserved }
}

async fn of(store: &dyn Store, account: Account) -> Balance {
    store.balances(&[account]).await.unwrap()[0]
}

pub(super) async fn money_is_set_aside_and_settled_with_what_it_really_cost(backend: &dyn Backend) {
    let store = backend.open(&clock());
    let accounts = [(ada(), Some(1_000)), (team(), None)];
    assert_eq!(store.reserve(wish("r1", 400, &accounts)).await.unwrap(), Reserved::Held);
    let wanted = [ada(), session("t1"), team()];
    let stand = store.balances(&wanted).await.unwrap();
    assert_eq!(stand, [balance(0, 400), balance(0, 0), balance(0, 400)], "in their order, unknown: zero");
    store.settle("r1", 150).await.unwrap();
    assert_eq!(of(&*store, ada()).await, balance(150, 0));
    assert_eq!(of(&*store, team()).await, balance(150, 0));
    // It cost more than was set aside, and more than the limit: it is counted all the same.
    store.reserve(wish("r2", 800, &accounts)).await.unwrap();
    store.settle("r2", 5_000).await.unwrap();
    store.settle("r2", 1).await.unwrap();
    store.unreserve("r2").await.unwrap();
    assert_eq!(of(&*store, ada()).await, balance(5_150, 0), "closed once, closed for good");
    let error = store.settle("never", 1).await.unwrap_err().to_string();
    assert!(error.contains("never"), "{error}");
}

pub(super) async fn money_given_back_was_never_spent(backend: &dyn Backend) {
    let store = backend.open(&clock());
    store.reserve(wish("r1", 400, &[(ada(), Some(400))])).await.unwrap();
    for _ in 0..2 {
        store.unreserve("r1").await.unwrap();
        assert_eq!(of(&*store, ada()).await, balance(0, 0));
    }
    store.settle("r1", 400).await.unwrap();
    assert_eq!(of(&*store, ada()).await, balance(0, 0), "it was closed before");
    store.unreserve("never").await.unwrap();
    assert!(store.open_reservations(&key("t1")).await.unwrap().is_empty());
}

pub(super) async fn the_first_account_that_has_not_enough_is_named_and_nothing_is_set_aside(
    backend: &dyn Backend,
) {
    let store = backend.open(&clock());
    store.reserve(wish("r1", 60, &[(ada(), None)])).await.unwrap();
    store.settle("r1", 50).await.unwrap();
    store.reserve(wish("r2", 30, &[(ada(), None)])).await.unwrap();
    let accounts = [(session("t1"), Some(100)), (ada(), Some(100)), (team(), Some(10))];
    let refused = store.reserve(wish("r3", 21, &accounts)).await.unwrap();
    assert_eq!(refused, Reserved::Over { account: ada(), limit: 100, balance: balance(50, 30) });
    let stand = store.balances(&[session("t1"), ada(), team()]).await.unwrap();
    assert_eq!(stand, [balance(0, 0), balance(50, 30), balance(0, 0)]);
    let open = store.open_reservations(&key("t1")).await.unwrap();
    assert_eq!(open.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["r2"]);
    // To the last micro-dollar is not over; the same id may try again with less.
    let accounts = [(session("t1"), Some(100)), (ada(), Some(100))];
    assert_eq!(store.reserve(wish("r3", 20, &accounts)).await.unwrap(), Reserved::Held);
    let nothing = store.reserve(wish("r4", 0, &accounts)).await.unwrap();
    assert_eq!(nothing, Reserved::Held, "what costs nothing may run to the end of a budget");
}

pub(super) async fn a_second_try_holds_what_the_first_one_set_aside(backend: &dyn Backend) {
    let store = backend.open(&clock());
    store.reserve(wish("r1", 60, &[(ada(), Some(100))])).await.unwrap();
    assert_eq!(store.reserve(wish("r1", 99, &[(ada(), Some(100))])).await.unwrap(), Reserved::Held);
    assert_eq!(of(&*store, ada()).await, balance(0, 60));
    let twice = [(team(), Some(50)), (team(), Some(80))];
    assert_eq!(store.reserve(wish("r2", 40, &twice)).await.unwrap(), Reserved::Held);
    assert_eq!(of(&*store, team()).await, balance(0, 40), "an account that is named twice pays once");
    store.settle("r2", 7).await.unwrap();
    assert_eq!(of(&*store, team()).await, balance(7, 0));
}

pub(super) async fn work_done_twice_is_paid_twice(backend: &dyn Backend) {
    let store = backend.open(&clock());
    let accounts = [(ada(), Some(100))];
    store.reserve(wish("step 1", 60, &accounts)).await.unwrap();
    store.settle("step 1", 60).await.unwrap();
    // The process died before it saved the answer; the next one calls the model again.
    let again = store.reserve(wish("step 1", 60, &accounts)).await.unwrap();
    assert!(matches!(again, Reserved::Over { balance: Balance { spent: 60, reserved: 0 }, .. }));
    assert_eq!(store.reserve(wish("step 1", 40, &accounts)).await.unwrap(), Reserved::Held);
    store.settle("step 1", 30).await.unwrap();
    assert_eq!(of(&*store, ada()).await, balance(90, 0));
}

pub(super) async fn money_spent_without_asking_is_counted_once(backend: &dyn Backend) {
    let store = backend.open(&clock());
    let accounts = [(ada(), Some(10)), (team(), None)];
    for _ in 0..2 {
        store.spend(wish("s1", 25, &accounts)).await.unwrap();
        assert_eq!(of(&*store, ada()).await, balance(25, 0));
    }
    store.settle("s1", 99).await.unwrap();
    store.reserve(wish("r1", 70, &[(team(), None)])).await.unwrap();
    store.spend(wish("r1", 5, &[(team(), None)])).await.unwrap();
    assert_eq!(of(&*store, team()).await, balance(30, 0), "what was open was settled by it");
    assert!(store.open_reservations(&key("t1")).await.unwrap().is_empty());
}

pub(super) async fn what_a_dead_process_left_is_found_by_its_session(backend: &dyn Backend) {
    let store = backend.open(&clock());
    let left = [wish("z", 10, &[(ada(), Some(100))]), wish("a", 20, &[(ada(), None), (team(), None)])];
    for one in &left {
        store.reserve(one.clone()).await.unwrap();
    }
    store.reserve(Reservation { session: key("t2"), ..wish("other", 5, &[(ada(), None)]) }).await.unwrap();
    store.reserve(wish("closed", 5, &[(ada(), None)])).await.unwrap();
    store.settle("closed", 5).await.unwrap();
    drop(store);
    let store = backend.open(&clock());
    assert_eq!(store.open_reservations(&key("t1")).await.unwrap(), left, "as they were, oldest first");
    assert!(store.open_reservations(&key("t3")).await.unwrap().is_empty());
}

pub(super) async fn sums_never_run_over_and_never_become_debts(backend: &dyn Backend) {
    let store = backend.open(&clock());
    let much = store.reserve(wish("r1", u64::MAX, &[(ada(), None)])).await.unwrap_err().to_string();
    assert!(much.contains("more than a reservation can be"), "{much}");
    assert_eq!(of(&*store, ada()).await, balance(0, 0));
    let over = store.reserve(wish("r1", u64::MAX, &[(ada(), Some(u64::MAX - 1))])).await.unwrap();
    assert!(matches!(over, Reserved::Over { .. }), "a limit refuses it in its own words");
    let mut last = 0;
    for n in 0..3 {
        store.reserve(wish(&format!("r{n}"), 1, &[(ada(), Some(u64::MAX))])).await.unwrap();
        store.settle(&format!("r{n}"), u64::MAX).await.unwrap();
        let now = of(&*store, ada()).await;
        assert!(now.spent > last && now.reserved == 0, "{now:?}");
        last = now.spent;
    }
    let refused = store.reserve(wish("r9", 1, &[(ada(), Some(last))])).await.unwrap();
    assert!(matches!(refused, Reserved::Over { .. }));
}

/// Forty tasks want 30 each from 500, on two accounts in different orders, and settle with what they
/// set aside or less: at no moment more than the limit is committed.
async fn crowd(stores: [Arc<dyn Store>; 2]) {
    let limit = 500;
    let tasks = (0..40_u64).map(|n| {
        let store = stores[n as usize % 2].clone();
        tokio::spawn(async move {
            let mut accounts = [(team(), Some(limit)), (session("t1"), Some(limit))];
            if n % 3 == 0 {
                accounts.reverse();
            }
            let id = format!("r{n}");
            let (mut paid, mut refused) = (0, 0);
            for round in 0..4 {
                let id = format!("{id}.{round}");
                let held = store.reserve(wish(&id, 30, &accounts)).await.unwrap() == Reserved::Held;
                let stand = of(&*store, team()).await;
                assert!(stand.committed() <= limit, "overrun: {stand:?}");
                match (held, (n + round) % 3) {
                    (false, _) => refused += 1,
                    (true, 0) => store.unreserve(&id).await.unwrap(),
                    (true, cost) => {
                        store.settle(&id, cost * 10).await.unwrap();
                        paid += cost * 10;
                    }
                }
            }
            (paid, refused)
        })
    });
    let (mut paid, mut refused) = (0, 0);
    for done in join_all(tasks).await {
        let (more, no) = done.unwrap();
        paid += more;
        refused += no;
    }
    assert!(paid > 0 && paid <= limit, "{paid} was paid of {limit}");
    assert!(refused > 0, "nobody ever met the limit: the test proves nothing");
    for account in [team(), session("t1")] {
        assert_eq!(of(&*stores[0], account).await, balance(paid, 0));
    }
}

pub(super) async fn parallel_wishes_never_overrun_a_limit(backend: &dyn Backend) {
    let store = backend.open(&clock());
    crowd([store.clone(), store]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_on_one_file_never_jointly_overrun_a_limit() {
    let file = OneFile::fresh();
    crowd([file.open(&clock()), file.open(&clock())]).await;
}

pub(super) async fn balances_survive_a_reopening(backend: &dyn Backend) {
    let store = backend.open(&clock());
    store.reserve(wish("r1", 60, &[(ada(), None)])).await.unwrap();
    store.settle("r1", 50).await.unwrap();
    store.reserve(wish("r2", 30, &[(ada(), None)])).await.unwrap();
    drop(store);
    let store = backend.open(&clock());
    assert_eq!(of(&*store, ada()).await, balance(50, 30));
    store.settle("r1", 50).await.unwrap();
    store.unreserve("r2").await.unwrap();
    assert_eq!(of(&*store, ada()).await, balance(50, 0));
}

/// What people and workers do with money.
#[derive(Debug, Clone)]
enum Deed {
    Reserve {
        id: u8,
        amount: u64,
        who: u8,
        limit: Option<u64>,
    },
    Settle {
        id: u8,
        cost: u64,
    },
    GiveBack {
        id: u8,
    },
    Spend {
        id: u8,
        amount: u64,
        who: u8,
    },
    /// The program ends here, and another one opens the store.
    Restart,
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let reserve = (0..6_u8, 0..200_u64, 0..4_u8, proptest::option::of(0..400_u64))
        .prop_map(|(id, amount, who, limit)| Deed::Reserve { id, amount, who, limit });
    let settle = (0..6_u8, 0..300_u64).prop_map(|(id, cost)| Deed::Settle { id, cost });
    let spend = (0..6_u8, 0..200_u64, 0..4_u8).prop_map(|(id, amount, who)| Deed::Spend { id, amount, who });
    let deed = prop_oneof![
        5 => reserve,
        3 => settle,
        2 => (0..6_u8).prop_map(|id| Deed::GiveBack { id }),
        1 => spend,
        1 => Just(Deed::Restart),
    ];
    proptest::collection::vec(deed, 0..40)
}

/// The accounts that one of four people's work is paid from: some share some of them.
fn payers(who: u8, limit: Option<u64>) -> Vec<(Account, Option<u64>)> {
    let person = Account { scope: Scope::Person(format!("U{who}").into()), period: Period::Whole };
    let mut all = vec![(person, limit), (team(), None)];
    if who.is_multiple_of(2) {
        all.push((session("t1"), limit.map(|limit| limit / 2)));
    }
    all
}

/// The same in a few lines, without a file.
#[derive(Default)]
struct Model {
    open: BTreeMap<String, Reservation>,
    closed: BTreeMap<String, u64>,
    spent: BTreeMap<Account, u64>,
}

impl Model {
    fn balance(&self, account: &Account) -> Balance {
        let pays = |one: &&Reservation| one.accounts.iter().any(|(name, _)| name == account);
        let reserved = self.open.values().filter(pays).map(|one| one.amount).sum();
        balance(self.spent.get(account).copied().unwrap_or(0), reserved)
    }

    fn close(&mut self, one: &Reservation, cost: u64) {
        for (account, _) in &one.accounts {
            *self.spent.entry(account.clone()).or_default() += cost;
        }
        self.open.remove(&one.id);
        self.closed.insert(one.id.clone(), cost);
    }
}

async fn act(store: &dyn Store, model: &mut Model, deed: &Deed) {
    match deed {
        Deed::Reserve { id, amount, who, limit } => {
            let wish = wish(&format!("r{id}"), *amount, &payers(*who, *limit));
            let over = wish.accounts.iter().find(|(account, limit)| {
                limit.is_some_and(|limit| model.balance(account).committed() + amount > limit)
            });
            let expected = match (model.open.contains_key(&wish.id), over) {
                (false, Some((account, limit))) => Reserved::Over {
                    account: account.clone(),
                    limit: limit.unwrap(),
                    balance: model.balance(account),
                },
                _ => Reserved::Held,
            };
            assert_eq!(store.reserve(wish.clone()).await.unwrap(), expected);
            if expected == Reserved::Held {
                model.closed.remove(&wish.id);
                model.open.entry(wish.id.clone()).or_insert(wish);
            }
        }
        Deed::Settle { id, cost } => {
            let id = format!("r{id}");
            let answer = store.settle(&id, *cost).await;
            assert_eq!(answer.is_ok(), model.open.contains_key(&id) || model.closed.contains_key(&id));
            if let Some(one) = model.open.get(&id).cloned() {
                model.close(&one, *cost);
            }
        }
        Deed::GiveBack { id } => {
            let id = format!("r{id}");
            store.unreserve(&id).await.unwrap();
            if let Some(one) = model.open.get(&id).cloned() {
                model.close(&one, 0);
            }
        }
        Deed::Spend { id, amount, who } => {
            let spent = wish(&format!("r{id}"), *amount, &payers(*who, None));
            store.spend(spent.clone()).await.unwrap();
            if !model.closed.contains_key(&spent.id) {
                let one = model.open.get(&spent.id).cloned().unwrap_or(spent);
                model.close(&one, *amount);
            }
        }
        Deed::Restart => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is done in whatever order: every balance is the sum of what is open and of what was
    /// settled, and in the end nothing is left set aside.
    #[test]
    fn balances_are_the_sum_of_what_is_open_and_settled(deeds in deeds()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let file = OneFile::fresh();
            let (mut store, mut model) = (file.open(&clock()), Model::default());
            let mut accounts: Vec<Account> =
                (0..4).flat_map(|who| payers(who, None)).map(|(account, _)| account).collect();
            accounts.sort();
            accounts.dedup();
            for deed in &deeds {
                if matches!(deed, Deed::Restart) {
                    drop(store);
                    store = file.open(&clock());
                }
                act(&*store, &mut model, deed).await;
                let expected: Vec<_> = accounts.iter().map(|account| model.balance(account)).collect();
                assert_eq!(store.balances(&accounts).await.unwrap(), expected, "after {deed:?}");
            }
            let open = store.open_reservations(&key("t1")).await.unwrap();
            assert_eq!(open.len(), model.open.len());
            for one in open {
                store.unreserve(&one.id).await.unwrap();
            }
            for stand in store.balances(&accounts).await.unwrap() {
                assert_eq!(stand.reserved, 0);
            }
        });
    }
}
