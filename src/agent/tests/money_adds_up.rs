//! Whatever happens to calls that cost money: nothing stays set aside, and the session counts what the
//! ledger counts.

use proptest::prelude::*;

use super::super::recover::recover;
use super::super::results::close_open_calls;
use super::money::{DOLLAR, Tin, bench};
use super::*;
use crate::agent::approve::set_state;
use crate::protocol::{Balance, Price};

/// What becomes of a call that was marked.
#[derive(Debug, Clone, Copy)]
enum Fate {
    /// It runs, and says what it cost.
    RunsFor(u64),
    /// It runs, and does not say.
    Runs,
    /// Somebody stops the work first.
    IsStopped,
    /// The process dies after the mark was saved.
    DiesMarked,
    /// The process dies before the mark was saved.
    DiesUnsaved,
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        (0u64..9).prop_map(Fate::RunsFor),
        Just(Fate::Runs),
        Just(Fate::IsStopped),
        Just(Fate::DiesMarked),
        Just(Fate::DiesUnsaved),
    ]
}

async fn live(fates: &[(u64, Fate)]) {
    let replies = fates.iter().enumerate().map(|(at, (cost, fate))| {
        let id = format!("c{at}");
        let real = match fate {
            Fate::RunsFor(real) => json!(real),
            _ => Value::Null,
        };
        calls(&[(id.as_str(), "gift", json!({ "cost": cost, "real": real }))])
    });
    let (mut bench, tin) = bench(replies.collect::<Vec<_>>(), Some(Price::FREE), Tin::default());
    bench.agent.rules.max_iterations = None;
    bench.agent.rules.money.warn_at = 0;
    let mut least = 0;
    for (cost, fate) in fates {
        let saved = bench.session.clone();
        bench.step().await;
        match fate {
            Fate::RunsFor(real) => {
                bench.step().await;
                least += real * DOLLAR;
            }
            Fate::Runs => {
                bench.step().await;
                least += cost * DOLLAR;
            }
            Fate::IsStopped => {
                close_open_calls(&mut bench.session, "stopped");
                bench.agent.return_unused(&mut bench.session).await;
                set_state(&mut bench.session, TurnState::Thinking);
            }
            Fate::DiesMarked => {
                let items = bench.session.items().to_vec();
                bench.session = Session::new(bench.session.head.clone(), items);
                bench.agent.recover_pledges(&mut bench.session).await.unwrap();
                recover(&mut bench.session, &bench.agent.toolbox, Some(&bench.place));
                set_state(&mut bench.session, TurnState::Thinking);
                // It may have run, so it is paid for.
                least += cost * DOLLAR;
            }
            Fate::DiesUnsaved => {
                bench.session = Session::new(saved.head.clone(), saved.items().to_vec());
                bench.agent.recover_pledges(&mut bench.session).await.unwrap();
            }
        }
        assert_eq!(tin.balance(), Balance { spent: least, reserved: 0 }, "after {fate:?}");
        assert_eq!(bench.session.head.usage.cost, least, "after {fate:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_stays_set_aside_and_session_and_ledger_agree(
        fates in prop::collection::vec((0u64..9, fate()), 1..12),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(live(&fates));
    }
}
