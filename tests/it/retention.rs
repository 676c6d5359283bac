//! Retention: what nobody has used for long goes, with its folder; what waits, works or is young stays.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ml_intern::app::{App, AppParts, Retention, SessionFolders, retention::Swept};
use ml_intern::clock::{Clock, Timestamp};
use ml_intern::config::Config;
use ml_intern::model::Delivery;
use ml_intern::protocol::*;
use ml_intern::random::Random;
use ml_intern::store::embedded::Embedded;
use ml_intern::store::{Claimable, Commit, Inbox, Sessions};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const TTL: Duration = Duration::from_secs(60);
const NOON: Timestamp = Timestamp(1_760_000_000_000);

struct Scene {
    dir: tempfile::TempDir,
    clock: Clock,
    store: Arc<Embedded>,
}

impl Scene {
    fn new() -> Self {
        let (dir, clock) = (tempfile::tempdir().unwrap(), Clock::manual(NOON));
        let store = Embedded::open(dir.path(), clock.clone()).unwrap();
        Self { dir, clock, store }
    }

    fn retention(&self, days: Option<u32>) -> Retention {
        let folders = SessionFolders::of(self.dir.path());
        Retention { store: self.store.clone(), folders, clock: self.clock.clone(), days }
    }

    fn folder(&self, name: &str) -> std::path::PathBuf {
        SessionFolders::of(self.dir.path()).folder(&name.into())
    }

    /// A session that was last used now, its turn in this state, with a folder.
    async fn session(&self, name: &str, state: Option<TurnState>) {
        let origin = Origin::new(Door::Slack, Value::Null);
        let operation = Operation {
            id: OperationId(format!("open {name}")),
            session: name.into(),
            origin: origin.clone(),
            actor: Actor::new("U1", "Ada"),
            at: self.clock.now(),
            kind: OperationKind::Status,
        };
        self.store.push(operation.clone()).await.unwrap();
        let lease = self.store.claim(&Claimable::Only(name.into()), TTL).await.unwrap().unwrap();
        let mut head = SessionHead::new(name.into(), origin, self.clock.now());
        head.turn = state.map(|state| Turn {
            id: "turn".into(),
            requester: Actor::new("U1", "Ada"),
            joined: Vec::new(),
            started_at: self.clock.now(),
            steps: 1,
            usage: Usage::default(),
            refused: false,
            guards: Guards::default(),
            state,
        });
        let consumed = [operation.id];
        let commit = Commit {
            head: &head,
            keep: 0,
            append: &[],
            consumed: &consumed,
            later: &[],
            audit: &[],
            tickets: &[],
        };
        self.store.commit(&lease, commit).await.unwrap();
        self.store.release(&lease, None).await.unwrap();
        std::fs::create_dir_all(self.folder(name).join(".ml-intern/output")).unwrap();
        std::fs::write(self.folder(name).join(".ml-intern/output/call_1.txt"), "spilled").unwrap();
    }

    async fn left(&self) -> Vec<String> {
        let mut left: Vec<String> =
            self.store.list(100).await.unwrap().into_iter().map(|line| line.key.0).collect();
        left.sort();
        left
    }
}

fn over() -> TurnState {
    TurnState::Over { ending: Ending::Finished { text: None }, at: NOON, told: true }
}

fn waiting() -> TurnState {
    let approval = ApprovalRequest {
        id: "a1".into(),
        turn: "turn".into(),
        calls: Vec::new(),
        digest: String::new(),
        asked_at: NOON,
        expires_at: NOON.plus(DAY * 365),
        approvers: Approvers::Anyone,
        needed: 1,
        votes: Vec::new(),
        readable_from: None,
        remind_at: None,
        on_expiry: OnExpiry::GoOn,
        grant: None,
    };
    TurnState::Waiting { calls: Vec::new(), approval, told: true }
}

#[tokio::test]
async fn what_nobody_has_used_for_long_is_deleted_with_its_folder() {
    let scene = Scene::new();
    for n in 0..3 {
        scene.session(&format!("old {n}"), Some(over())).await;
    }
    scene.session("never asked", None).await;
    scene.session("waits for people", Some(waiting())).await;
    scene.session("at work", Some(TurnState::Thinking)).await;
    scene.session("held", Some(over())).await;
    scene.clock.advance(DAY * 10);
    scene.session("young", Some(over())).await;
    let held = scene.store.seize(&"held".into(), DAY * 99).await.unwrap().unwrap();
    scene.clock.advance(DAY * 20);
    let kept = scene.retention(None).sweep().await.unwrap();
    assert_eq!(kept.sessions, 0, "no age was configured");
    assert_eq!(scene.retention(Some(31)).sweep().await.unwrap().sessions, 0, "they are 30 days old");
    let swept = scene.retention(Some(29)).sweep().await.unwrap();
    assert_eq!((swept.sessions, swept.failed), (4, 0));
    assert_eq!(scene.left().await, ["at work", "held", "waits for people", "young"]);
    for (name, stays) in
        [("old 0", false), ("never asked", false), ("waits for people", true), ("young", true)]
    {
        assert_eq!(scene.folder(name).exists(), stays, "{name}");
    }
    assert_eq!(scene.retention(Some(29)).sweep().await.unwrap(), Swept::default());
    // What waits can still be claimed when somebody answers, and what was held goes once it is free.
    scene.store.release(&held, None).await.unwrap();
    assert_eq!(scene.retention(Some(29)).sweep().await.unwrap().sessions, 1);
    assert_eq!(scene.left().await, ["at work", "waits for people", "young"]);
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_out_of_the_folder_is_not_followed() {
    let scene = Scene::new();
    scene.session("old", Some(over())).await;
    let elsewhere = tempfile::tempdir().unwrap();
    std::fs::write(elsewhere.path().join("mine.txt"), "mine").unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), scene.folder("old").join("link")).unwrap();
    scene.clock.advance(DAY * 2);
    assert_eq!(scene.retention(Some(1)).sweep().await.unwrap().sessions, 1);
    assert!(!scene.folder("old").exists());
    assert!(elsewhere.path().join("mine.txt").exists(), "somebody else's file is gone");
}

#[tokio::test]
async fn one_that_cannot_be_deleted_holds_up_none_and_stays_whole() {
    let scene = Scene::new();
    for name in ["a", "b"] {
        scene.session(name, Some(over())).await;
    }
    // A file where the folder should be cannot be removed as a folder.
    std::fs::remove_dir_all(scene.folder("a")).unwrap();
    std::fs::write(scene.folder("a"), "no folder").unwrap();
    scene.clock.advance(DAY * 2);
    let swept = scene.retention(Some(1)).sweep().await.unwrap();
    assert_eq!((swept.sessions, swept.failed), (1, 1));
    assert_eq!(scene.left().await, ["a"]);
    std::fs::remove_file(scene.folder("a")).unwrap();
    assert_eq!(scene.retention(Some(1)).sweep().await.unwrap().sessions, 1, "it was given back");
}

/// Time is paused: waits pass as soon as nothing else is to be done.
#[tokio::test(start_paused = true)]
async fn whoever_ticks_sweeps_by_the_configured_age() {
    let scene = Scene::new();
    scene.session("old", Some(over())).await;
    scene.clock.advance(DAY * 2);
    scene.session("young", Some(over())).await;
    let mut config = Config::default();
    config.store.retention_days = Some(1);
    let app = App::open(AppParts {
        config,
        data_dir: scene.dir.path().to_owned(),
        environment: BTreeMap::new(),
        secrets: Vec::new(),
        clock: scene.clock.clone(),
        random: Random::system(),
        delivery: Delivery::Whole,
    })
    .unwrap();
    let stop = CancellationToken::new();
    let watched = async {
        for _ in 0..1_000 {
            if scene.left().await == ["young"] {
                break;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        stop.cancel();
    };
    tokio::join!(app.tick(stop.clone()), watched);
    assert_eq!(scene.left().await, ["young"]);
    assert!(!scene.folder("old").exists() && scene.folder("young").exists());
}
