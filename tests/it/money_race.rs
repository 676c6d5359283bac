//! Workers that spend at the same time cannot jointly overrun a budget.

use ml_intern::config::Limits;
use ml_intern::protocol::*;
use ml_intern::runtime::Intake;
use ml_intern::store::Ledger;
use serde_json::Value;

use super::crash_points::{CALL, Scene, everything};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_workers_share_one_budget_and_one_call_fits_it() {
    let mut scene = Scene::new();
    // Enough for one call, not for two.
    scene.budgets.team = Limits { day_usd: Some(Usd(CALL + CALL / 2)), month_usd: None };
    for session in ["s", "t", "u", "v"] {
        let say = Operation {
            id: format!("say in {session}").as_str().into(),
            session: session.into(),
            origin: Origin::new(Door::Terminal, Value::Null),
            actor: Actor::new("alice", "Alice"),
            at: scene.clock.now(),
            kind: OperationKind::Say { text: "go".into(), handle: Value::Null },
        };
        Intake::new(scene.store.clone()).submit(say).await.unwrap();
    }
    let (one, other) = (scene.worker(scene.store.clone()), scene.worker(scene.store.clone()));
    tokio::join!(one.drain(everything()), other.drain(everything()));
    let ran: usize = scene.ran.lock().unwrap().values().sum();
    assert_eq!(ran, 1, "of eight calls that were wanted");
    let zone_day = jiff::Timestamp::from_millisecond(scene.clock.now().0).unwrap().strftime("%Y-%m-%d");
    let team = Account { scope: Scope::Team, period: Period::Day(zone_day.to_string()) };
    let balance = scene.store.balances(&[team]).await.unwrap()[0];
    assert_eq!(balance, Balance { spent: CALL, reserved: 0 });
    let mut refused = 0;
    for session in ["s", "t", "u", "v"] {
        for item in ml_intern::store::Sessions::load(&*scene.store, &session.into()).await.unwrap().items {
            if let Item::ToolResult { output, .. } = &*item {
                refused += usize::from(output.contains("the team's budget for today has not enough left"));
            }
        }
    }
    assert_eq!(refused, 7, "each of the others says which budget");
}
