//! Caps, warnings and words, as tables (13.3 of the reference).

use super::*;
use crate::protocol::{Account, Balance};

#[test]
fn the_next_threshold_is_the_first_doubling_that_is_more_than_what_is_spent() {
    for (spent, threshold, next) in
        [(4_990_000, 5, 5), (5_000_000, 5, 10), (12_250_000, 5, 20), (40_000_000, 20, 80), (0, 5, 5)]
    {
        assert_eq!(next_threshold(spent, threshold * DOLLAR), next * DOLLAR, "{spent} of {threshold}");
    }
    assert_eq!(next_threshold(u64::MAX, 1), u64::MAX);
}

#[test]
fn people_are_asked_when_a_sum_is_met_and_never_before() {
    let rules = MoneyRules::default();
    let plain = Settings::default();
    let later = Settings { spend_until: 20 * DOLLAR, ..Settings::default() };
    let capped = Settings { yolo_cap: Some(DOLLAR), ..Settings::default() };
    let until = |dollars: u64| Some(Grant::SpendUntil { micros: dollars * DOLLAR });
    let cap = |dollars: u64| Some(Grant::YoloCap { micros: dollars * DOLLAR });
    let table = [
        (4_990_000, &plain, false, None),
        (5_000_000, &plain, false, until(10)),
        (12_250_000, &plain, false, until(20)),
        (12_250_000, &later, false, None),
        (20_000_000, &later, false, until(40)),
        // The cap of auto-approval is met first, and its yes covers the warning.
        (5_000_000, &plain, true, cap(10)),
        (17_000_000, &plain, true, cap(20)),
        (950_000, &capped, true, None),
        (1_000_000, &capped, true, cap(6)),
        (1_000_000, &capped, false, None),
        (0, &Settings { yolo_cap: Some(0), ..Settings::default() }, true, None),
    ];
    for (spent, settings, yolo, expected) in table {
        assert_eq!(due(spent, settings, yolo, &rules), expected, "{spent} {settings:?} {yolo}");
    }
    let never = MoneyRules { warn_at: 0, ..rules };
    assert_eq!(due(500 * DOLLAR, &plain, false, &never), None);
}

#[test]
fn a_yes_is_enough_until_the_sum_it_named() {
    let rules = MoneyRules::default();
    for yolo in [false, true] {
        let mut settings = Settings::default();
        let mut asked = 0;
        for spent in (0..=40 * DOLLAR).step_by(100_000) {
            if let Some(due) = due(spent, &settings, yolo, &rules) {
                grant(&mut settings, &due);
                asked += 1;
                assert_eq!(super::due(spent, &settings, yolo, &rules), None, "asked twice at {spent}");
            }
        }
        // 5, 10, 20, 40; with auto-approval every 5.
        assert_eq!(asked, if yolo { 8 } else { 4 });
    }
}

#[test]
fn auto_approval_covers_what_fits_its_cap_and_nothing_of_unknown_cost() {
    let cost = |dollars: u64| Cost::AtMost(dollars * DOLLAR);
    let reach = |spent: u64| Some(Reach { cap: 5 * DOLLAR, spent: spent * DOLLAR });
    let unknown = || Cost::Unknown("the hardware `abc` is in no price list".to_owned());
    let words = |doubt: Option<Doubt>| doubt.map(|doubt| doubt.words().to_owned());
    // Rows 8 to 11: spent, what the call may cost, what people read.
    assert_eq!(doubt(&cost(2), Need::Yes, reach(1)), None);
    assert_eq!(
        words(doubt(&cost(2), Need::Yes, reach(4))).as_deref(),
        Some("It may cost up to $2.00, and auto-approval has $1.00 left of its $5.00.")
    );
    assert_eq!(
        words(doubt(&cost(3), Need::Yes, reach(3))).as_deref(),
        Some("It may cost up to $3.00, and auto-approval has $2.00 left of its $5.00.")
    );
    let because = "What it costs is not known: the hardware `abc` is in no price list.";
    for reach in [None, reach(0)] {
        for need in [Need::Nothing, Need::Yes, Need::OwnYes] {
            assert_eq!(words(doubt(&unknown(), need, reach)).as_deref(), Some(because));
        }
    }
    // Row 6: what asks always is no matter of money, but says so when it goes past the cap, too.
    assert_eq!(doubt(&cost(2), Need::OwnYes, reach(0)), None);
    assert!(matches!(doubt(&cost(2), Need::OwnYes, reach(4)), Some(Doubt::PastCap(_))));
    // Rows 12 and 14: without auto-approval there is no cap to go past; what asks nobody has none either.
    assert_eq!(doubt(&cost(900), Need::Yes, None), None);
    assert_eq!(doubt(&cost(900), Need::Nothing, reach(4)), None);
}

#[test]
fn a_budget_that_is_used_up_says_which_how_much_and_until_when() {
    let account = Account { scope: Scope::Person("U1".into()), period: Period::Day("2026-11-25".into()) };
    let mut standing = Standing {
        account,
        limit: Some(10 * DOLLAR),
        balance: Balance { spent: 9_500_000, reserved: 250_000 },
        resets: Some("2026-11-26 00:00 UTC".to_owned()),
    };
    let (reason, hint) = short_words(&standing, 300_000, Some("Alice"));
    assert_eq!(
        reason,
        "the budget of Alice for today has not enough left: $9.50 of $10.00 spent, $0.25 set aside for what \
         runs now, and this may take up to $0.30."
    );
    assert_eq!(
        hint,
        "It starts again at 2026-11-26 00:00 UTC. Whoever runs me can raise it in the configuration, under \
         `budgets`."
    );
    standing.account = Account { scope: Scope::Session("s".into()), period: Period::Whole };
    standing.balance.reserved = 0;
    standing.resets = None;
    let (reason, hint) = short_words(&standing, 1, None);
    assert_eq!(
        reason,
        "the budget of this session has not enough left: $9.50 of $10.00 spent, and this may take up to under \
         $0.01."
    );
    assert!(hint.starts_with("Whoever"));
}

#[test]
fn sums_are_never_shown_smaller_than_they_are() {
    for (micros, shown) in [
        (0, "$0.00"),
        (1, "under $0.01"),
        (9_999, "under $0.01"),
        (10_000, "$0.01"),
        (10_001, "$0.02"),
        (5_000_000, "$5.00"),
        (1_234_567_890, "$1234.57"),
    ] {
        assert_eq!(dollars(micros), shown);
    }
}
