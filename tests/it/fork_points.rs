//! A worker that dies before or after every write of a fork, and a second one that goes on.
//!
//! Whatever the moment: there is one copy, whole, and the source is as it was.

use ml_intern::protocol::{Item, OperationKind};
use ml_intern::runtime::Intake;
use ml_intern::store::Sessions;
use serde_json::Value;

use super::crash_points::{Scene, everything, operation};

#[tokio::test]
async fn a_death_at_any_write_of_a_fork_leaves_one_whole_copy() {
    let mut moments = 0;
    for after in [false, true] {
        for first in 1.. {
            let scene = Scene::new();
            let intake = Intake::new(scene.store.clone());
            let say = OperationKind::Say { text: "go".into(), handle: Value::Null };
            intake.submit(operation(&scene.clock, "m1", say)).await.unwrap();
            scene.worker(scene.store.clone()).drain(everything()).await;
            scene.approve().await;
            scene.worker(scene.store.clone()).drain(everything()).await;
            let source = scene.store.load(&"s".into()).await.unwrap();

            let fork = OperationKind::Fork { turn: None };
            intake.submit(operation(&scene.clock, "f1", fork)).await.unwrap();
            // What follows must not change what was parted.
            intake.submit(operation(&scene.clock, "n1", OperationKind::New)).await.unwrap();
            let died = scene.mortal_worker(first, after).await;
            scene.worker(scene.store.clone()).drain(everything()).await;

            let moment = format!("{} write {first}", if after { "after" } else { "before" });
            let copy = scene.store.load(&"fork:f1".into()).await.unwrap();
            let (copied, told) = copy.items.split_at(source.items.len());
            assert_eq!(copied, source.items, "dying {moment}");
            assert!(matches!(told, [note] if matches!(**note, Item::Synthetic { .. })), "{moment}");
            assert_eq!(copy.head.unwrap().parent, Some("s".into()));
            assert!(scene.store.load(&"s".into()).await.unwrap().items.is_empty(), "{moment}");
            assert_eq!(scene.store.list(10).await.unwrap().len(), 2, "{moment}");
            moments += 1;
            if !died {
                break;
            }
        }
    }
    assert!(moments > 6, "only {moments} moments were tried");
}
