//! Where people are asked because of money: unknown costs and prices, the cap, the sums that double.

use super::money::{DEAR, DOLLAR, Tin, bench, job};
use super::*;
use crate::protocol::{Ending, Grant, Price, Verdict};

#[tokio::test]
async fn unknown_costs_are_asked_about_whatever_the_session_allows_and_counted_as_unknown() {
    let unknown = json!({ "cost": "the hardware is in no price list" });
    let replies = [calls(&[("c1", "gift", unknown.clone()), ("c2", "job", unknown)]), says("Done.")];
    let (bench, _) = bench(replies, Some(Price::FREE), Tin::default());
    let mut bench = bench.yolo(500);
    bench.go().await;
    let asked = bench.asked();
    assert_eq!(asked.calls.len(), 2);
    for call in &asked.calls {
        assert!(
            call.reasons
                .contains(&"What it costs is not known: the hardware is in no price list.".to_owned()),
            "{call:?}"
        );
    }
    bench.answer(&Verdict::Approve);
    bench.go().await;
    assert_eq!(bench.ran(), ["c1", "c2"]);
    assert_eq!((bench.session.head.usage.cost, bench.session.head.usage.unpriced), (0, 2));
}

#[tokio::test]
async fn calls_of_one_step_cannot_jointly_go_past_the_cap() {
    let (bench, _) =
        bench([calls(&[job("c1", 3), job("c2", 3)]), says("Done.")], Some(Price::FREE), Tin::default());
    let mut bench = bench.yolo(5);
    bench.go().await;
    assert_eq!(bench.ran(), ["c1"]);
    let asked = bench.asked();
    assert_eq!(asked.calls.len(), 1);
    assert_eq!(asked.calls[0].call.0, "c2");
    assert!(
        asked.calls[0]
            .reasons
            .contains(&"It may cost up to $3.00, and auto-approval has $2.00 left of its $5.00.".to_owned()),
        "{asked:?}"
    );
    // The card named the cap, so its yes is enough; then the cap is met and people are asked about that.
    bench.answer(&Verdict::Approve);
    bench.go().await;
    assert_eq!(bench.ran(), ["c1", "c2"]);
    assert_eq!(bench.asked().grant, Some(Grant::YoloCap { micros: 10 * DOLLAR }));
    bench.answer(&Verdict::Approve);
    bench.go().await;
    assert!(matches!(bench.state(), TurnState::Over { ending: Ending::Finished { .. }, .. }));
}

#[tokio::test]
async fn a_yes_to_a_card_that_did_not_name_the_cap_is_not_a_yes_to_going_past_it() {
    let scheduled = ("c1", "scheduled", json!({ "cost": 2 }));
    let (bench, _) = bench([calls(&[scheduled]), says("Done.")], Some(Price::FREE), Tin::default());
    let mut bench = bench.yolo(5);
    bench.go().await;
    assert_eq!(bench.asked().calls[0].reasons, ["it runs again and again"], "auto-approval never covers it");
    // While the question is open somebody lowers the cap.
    bench.session.head.settings.yolo_cap = Some(DOLLAR);
    bench.answer(&Verdict::Approve);
    bench.go().await;
    assert_eq!(bench.ran(), Vec::<String>::new());
    assert_eq!(
        bench.asked().calls[0].reasons,
        [
            "it runs again and again",
            "It may cost up to $2.00, and auto-approval has $1.00 left of its $1.00."
        ]
    );
    bench.answer(&Verdict::Approve);
    bench.step().await;
    bench.step().await;
    assert_eq!(bench.ran(), ["c1"]);
}

#[tokio::test]
async fn people_are_asked_at_five_dollars_and_a_yes_goes_on_until_the_next_sum() {
    let (mut bench, _) = bench([says("The answer.")], Some(Price::FREE), Tin::default());
    bench.session.head.usage.cost = 12_250_000;
    bench.session.head.turn.as_mut().unwrap().usage.cost = 1_200_000;
    bench.go().await;
    let asked = bench.asked();
    assert_eq!(asked.grant, Some(Grant::SpendUntil { micros: 20 * DOLLAR }));
    assert_eq!(asked.calls[0].title, "Go on past $5.00");
    assert_eq!(asked.calls[0].preview, "This session so far: $12.25\nThis request, by ALICE: $1.20");
    bench.answer(&Verdict::Approve);
    bench.go().await;
    assert_eq!(bench.session.head.settings.spend_until, 20 * DOLLAR);
    assert!(matches!(bench.state(), TurnState::Over { ending: Ending::Finished { .. }, .. }));
}

#[tokio::test]
async fn a_no_to_going_on_ends_the_turn_by_whoever_said_it() {
    let (mut bench, _) = bench([], Some(Price::FREE), Tin::default());
    bench.session.head.usage.cost = 5 * DOLLAR;
    bench.go().await;
    bench.answer(&Verdict::Reject { reason: None });
    let TurnState::Over { ending, .. } = bench.state() else { panic!() };
    assert_eq!(*ending, Ending::Interrupted { by: Some("ALICE".into()) });
    assert_eq!(bench.session.head.settings.spend_until, 0);
}

#[tokio::test]
async fn the_final_answer_is_never_held_back() {
    let (mut bench, _) = bench([says("The answer.")], Some(DEAR), Tin::default());
    bench.session.head.usage.cost = 4_900_000;
    bench.go().await;
    assert_eq!(bench.session.head.usage.cost, 6_100_000, "past the sum");
    assert!(matches!(bench.state(), TurnState::Over { ending: Ending::Finished { .. }, .. }));
}

#[tokio::test]
async fn a_model_of_unknown_price_is_asked_about_once_in_a_session() {
    let replies = [calls(&[("c1", "gift", json!({}))]), says("Done.")];
    let (mut bench, _) = bench(replies, None, Tin::default());
    bench.go().await;
    let asked = bench.asked();
    assert_eq!(asked.grant, Some(Grant::UnknownPrice { model: "toy/model".into() }));
    assert!(asked.calls[0].reasons[0].contains("budgets.prices"), "{asked:?}");
    bench.answer(&Verdict::Approve);
    bench.go().await;
    assert!(matches!(bench.state(), TurnState::Over { ending: Ending::Finished { .. }, .. }));
    assert_eq!((bench.session.head.usage.cost, bench.session.head.usage.unpriced), (0, 2));
}

#[tokio::test]
async fn a_model_of_unknown_price_in_another_role_is_left_out_until_somebody_said_yes() {
    let (mut bench, _) = bench([], None, Tin::default());
    let sink: Arc<dyn EventSink> = bench.seen.clone();
    for at in 0..40 {
        bench.session.push(Item::Synthetic { text: format!("{at} {}", "word ".repeat(4_000)) });
    }
    bench.agent.shorten(&mut bench.session, &sink, &bench.cancel.clone()).await;
    assert_eq!(bench.model.requests.lock().unwrap().len(), 0, "nobody has allowed it");
    let shortened = |item: &Arc<Item>| matches!(**item, Item::Summary { .. });
    assert!(bench.session.items().iter().any(shortened), "it is shortened without a model");
    assert_eq!(bench.session.head.usage.unpriced, 0);
}
