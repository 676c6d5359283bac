//! Which accounts pay, over a real ledger.

use std::collections::BTreeMap;

use super::*;
use crate::clock::Timestamp;
use crate::store::embedded::Embedded;

/// 2026-11-25 23:30 UTC.
const LATE: Timestamp = Timestamp(1_795_649_400_000);

fn payers(session: &str) -> Payers {
    Payers { session: session.into(), person: Some("U1".into()), channel: Some("C1".to_owned()) }
}

fn wish(id: &str, amount: u64) -> Wish {
    Wish { id: id.to_owned(), payers: payers("s"), purpose: "toy".to_owned(), amount }
}

struct Desk {
    _folder: tempfile::TempDir,
    purse: LedgerPurse<Embedded>,
    clock: Clock,
}

fn desk(budgets: BudgetsConfig) -> Desk {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::manual(LATE);
    let ledger = Embedded::open(folder.path(), clock.clone()).unwrap();
    let purse = LedgerPurse::new(ledger, budgets, clock.clone()).unwrap();
    Desk { _folder: folder, purse, clock }
}

fn day(usd: u64) -> Limits {
    Limits { day_usd: Some(Usd(usd)), month_usd: None }
}

#[tokio::test]
async fn session_person_channel_and_team_pay_together_in_the_zone_of_the_budgets() {
    let desk = desk(BudgetsConfig { time_zone: "Europe/Paris".to_owned(), ..BudgetsConfig::default() });
    assert_eq!(desk.purse.reserve(&wish("a", 7)).await.unwrap(), Pledge::Held);
    desk.purse.settle("a", 5).await.unwrap();
    let standing = desk.purse.standing(&payers("s")).await.unwrap();
    let names: Vec<String> = standing.iter().map(|it| it.account.to_string()).collect();
    assert_eq!(
        names,
        [
            "session/s",
            "person/U1/2026-11-26",
            "person/U1/2026-11",
            "channel/C1/2026-11-26",
            "channel/C1/2026-11",
            "team/2026-11-26",
            "team/2026-11",
        ]
    );
    assert!(standing.iter().all(|it| it.balance == Balance { spent: 5, reserved: 0 }), "{standing:?}");
}

#[tokio::test]
async fn what_is_short_says_which_how_much_and_until_when() {
    let desk = desk(BudgetsConfig { person: day(10), ..BudgetsConfig::default() });
    desk.purse.reserve(&wish("a", 6)).await.unwrap();
    let Pledge::Short(short) = desk.purse.reserve(&wish("b", 5)).await.unwrap() else { panic!("it is held") };
    assert_eq!(short.account.to_string(), "person/U1/2026-11-25");
    assert_eq!((short.limit, short.balance), (Some(10), Balance { spent: 0, reserved: 6 }));
    assert_eq!(short.resets.as_deref(), Some("2026-11-26 00:00 UTC"));
    // The next day is another account.
    desk.clock.advance(std::time::Duration::from_secs(3_600));
    assert_eq!(desk.purse.reserve(&wish("b", 5)).await.unwrap(), Pledge::Held);
    // What was given back is there again.
    desk.purse.release("b").await.unwrap();
    assert_eq!(desk.purse.reserve(&wish("c", 10)).await.unwrap(), Pledge::Held);
    let open: Vec<String> = desk.purse.open(&"s".into()).await.unwrap().into_iter().map(|it| it.id).collect();
    assert_eq!(open, ["a", "c"]);
}

#[tokio::test]
async fn people_and_channels_may_have_limits_of_their_own() {
    let desk = desk(BudgetsConfig {
        person: day(10),
        people: BTreeMap::from([("U1".to_owned(), day(1_000))]),
        channels: BTreeMap::from([("C1".to_owned(), day(100))]),
        ..BudgetsConfig::default()
    });
    assert_eq!(desk.purse.reserve(&wish("a", 90)).await.unwrap(), Pledge::Held);
    let Pledge::Short(short) = desk.purse.reserve(&wish("b", 20)).await.unwrap() else {
        panic!("it is held")
    };
    assert_eq!(short.account.to_string(), "channel/C1/2026-11-25");
}

#[test]
fn a_zone_that_does_not_exist_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::manual(LATE);
    let ledger = Embedded::open(folder.path(), clock.clone()).unwrap();
    let budgets = BudgetsConfig { time_zone: "Mars/Olympus".to_owned(), ..BudgetsConfig::default() };
    let Err(error) = LedgerPurse::new(ledger, budgets, clock) else { panic!("it was taken") };
    assert!(error.to_string().contains("Mars/Olympus"), "{error}");
}
