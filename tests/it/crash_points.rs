//! A worker that dies before or after every single write it makes, and a second one that goes on.
//!
//! Whatever the moment: the request gets exactly one answer, and no changing call runs twice.

mod mortal;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use ml_intern::agent::budget::MoneyRules;
use ml_intern::agent::tool::{
    Assessment, BadArguments, CallContext, Ownership, Place, Risk, Tool, ToolError,
};
use ml_intern::agent::{Agent, Approvals, Rules, Toolbox};
use ml_intern::clock::{Clock, Timestamp};
use ml_intern::config::BudgetsConfig;
use ml_intern::model::{Completion, Delivery, DeltaSink, Model, ModelError, Request};
use ml_intern::protocol::*;
use ml_intern::random::Random;
use ml_intern::runtime::{
    Branch, Intake, LedgerPurse, Opening, Pace, Parts, Places, PresentError, Presenter, Presenters, Worker,
};
use ml_intern::store::embedded::Embedded;
use ml_intern::store::*;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use mortal::Mortal;

/// Answers from the transcript alone, as a model does: two changing calls, then a question, then words.
struct Stateless;

#[async_trait]
impl Model for Stateless {
    async fn answer(
        &self,
        request: &Request,
        _: &dyn DeltaSink,
        _: &CancellationToken,
    ) -> std::result::Result<Completion, ModelError> {
        let results = request.items.iter().filter(|item| matches!(***item, Item::ToolResult { .. })).count();
        let call =
            |id: &str, tool: &str| ProposedCall { id: id.into(), tool: tool.into(), arguments: json!({}) };
        let calls = match results {
            0 => vec![call("c1", "count"), call("c2", "count")],
            2 => vec![call("c3", "ask")],
            _ => Vec::new(),
        };
        let text = if calls.is_empty() { "the answer".to_owned() } else { String::new() };
        Ok(Completion { calls, text, ..Completion::default() })
    }
    fn check(&self, _: &str) -> std::result::Result<(), ModelError> {
        Ok(())
    }

    async fn facts(&self, _: &str) -> ml_intern::model::Facts {
        ml_intern::model::Facts {
            price: Some(ml_intern::protocol::Price::FREE),
            ..ml_intern::model::Facts::ASSUMED
        }
    }
}

/// What each call costs at most, in micro-dollars. What it does cost it never says.
pub const CALL: u64 = 3_000_000;

/// Counts how often each call ran.
struct Counting(&'static str, Arc<Mutex<BTreeMap<String, usize>>>);

#[async_trait]
impl Tool for Counting {
    fn spec(&self) -> ToolSpec {
        let parameters = ml_intern::model::no_arguments();
        ToolSpec { name: self.0.into(), description: String::new(), parameters }
    }
    fn assess(&self, _: &Value, _: &Place) -> std::result::Result<Assessment, BadArguments> {
        let risk = if self.0 == "ask" { Risk::Ask { reason: "it asks".into() } } else { Risk::Free };
        Ok(Assessment { risk, cost: Cost::AtMost(CALL), ..Assessment::changes(self.0) })
    }
    async fn call(&self, _: Value, context: CallContext) -> std::result::Result<ToolOutcome, ToolError> {
        *self.1.lock().unwrap().entry(context.call.0).or_default() += 1;
        Ok(ToolOutcome::done("counted"))
    }
}

/// What people see. Looks before it posts when it was opened after a crash.
#[derive(Default)]
struct Wall(Mutex<Vec<String>>);

struct Brush {
    wall: Arc<Wall>,
    opening: Opening,
    pending: Mutex<Vec<String>>,
}

#[async_trait]
impl Presenters for Wall2 {
    async fn open(&self, _: &SessionHead, opening: Opening) -> Arc<dyn Presenter> {
        Arc::new(Brush { wall: self.0.clone(), opening, pending: Mutex::default() })
    }
    async fn heard(&self, _: &SessionHead, _: &Operation) -> Vec<Heard> {
        Vec::new()
    }
    async fn link(&self, _: &SessionHead) -> Option<String> {
        None
    }
    async fn branch(
        &self,
        session: &SessionHead,
        cause: &Operation,
    ) -> std::result::Result<Option<Branch>, PresentError> {
        let key = format!("fork:{}", cause.id).into();
        let origin = session.origin.clone();
        Ok(Some(Branch { session: key, origin, words: "there".into(), link: None }))
    }
}

struct Wall2(Arc<Wall>);

#[async_trait]
impl Presenter for Brush {
    fn show(&self, event: &Event) {
        let line = match event {
            Event::TurnComplete { turn, final_response, .. } => {
                format!("answer {turn}: {}", final_response.clone().unwrap_or_default())
            }
            Event::ApprovalRequired(request) => format!("question {}", request.id),
            Event::Error { error, .. } => format!("error {error}"),
            _ => return,
        };
        self.pending.lock().unwrap().push(line);
    }
    async fn settle(&self) -> std::result::Result<Value, PresentError> {
        let mut wall = self.wall.0.lock().unwrap();
        for line in self.pending.lock().unwrap().drain(..) {
            if self.opening == Opening::Fresh || !wall.contains(&line) {
                wall.push(line);
            }
        }
        Ok(Value::Null)
    }
}

struct Here(PathBuf);

impl Places for Here {
    fn place(&self, head: &SessionHead) -> anyhow::Result<Place> {
        Ok(Place {
            session: head.key.clone(),
            door: head.origin.door,
            channel: None,
            workspace: self.0.clone(),
            ownership: Ownership::Session,
        })
    }
}

pub(super) struct Scene {
    _folder: tempfile::TempDir,
    pub store: Arc<Embedded>,
    pub clock: Clock,
    pub budgets: BudgetsConfig,
    pub ran: Arc<Mutex<BTreeMap<String, usize>>>,
    wall: Arc<Wall>,
    random: Random,
}

pub(super) fn operation(clock: &Clock, id: &str, kind: OperationKind) -> Operation {
    Operation {
        id: id.into(),
        session: "s".into(),
        origin: Origin::new(Door::Terminal, Value::Null),
        actor: Actor::new("alice", "Alice"),
        at: clock.now(),
        kind,
    }
}

impl Scene {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::manual(Timestamp(1_000_000));
        let store = Embedded::open(folder.path(), clock.clone()).unwrap();
        let random = Random::seeded(3);
        let budgets = BudgetsConfig::default();
        Self { _folder: folder, store, clock, budgets, ran: Arc::default(), wall: Arc::default(), random }
    }

    pub fn worker(&self, store: Arc<dyn Store>) -> Worker {
        let tools: Vec<Arc<dyn Tool>> =
            vec![Arc::new(Counting("count", self.ran.clone())), Arc::new(Counting("ask", self.ran.clone()))];
        let budgets = self.budgets.clone();
        let purse = LedgerPurse::new(store.clone(), budgets, self.clock.clone()).unwrap();
        let agent = Agent {
            model: Arc::new(Stateless),
            toolbox: Toolbox::new(tools),
            purse: Arc::new(purse),
            rules: Rules {
                model: "toy/model".into(),
                effort: None,
                roles: Default::default(),
                max_iterations: None,
                yolo: false,
                delivery: Delivery::Streamed,
                approvals: Approvals { ttl: Duration::from_secs(3_600), ..Approvals::default() },
                memory: ml_intern::agent::MemoryRules::default(),
                money: MoneyRules { warn_at: 0, ..MoneyRules::default() },
            },
            clock: self.clock.clone(),
            random: self.random.clone(),
        };
        Worker::new(Parts {
            store,
            agent: Arc::new(agent),
            presenters: HashMap::from([(
                Door::Terminal,
                Arc::new(Wall2(self.wall.clone())) as Arc<dyn Presenters>,
            )]),
            places: Arc::new(Here(std::env::temp_dir())),
            pace: Pace { look: Duration::from_millis(5), ..Pace::default() },
            suspend: CancellationToken::new(),
        })
    }

    /// A worker that dies at its n-th write. `false` if it lived to see the end.
    pub async fn mortal_worker(&self, dies_at: usize, after: bool) -> bool {
        let dead = CancellationToken::new();
        let store = Arc::new(Mortal {
            inner: self.store.clone(),
            writes: AtomicUsize::new(0),
            dies_at,
            after,
            dead: dead.clone(),
        });
        let worker = self.worker(store);
        let idle = CancellationToken::new();
        let stop = idle.clone();
        let watch = async {
            tokio::select! {
                () = dead.cancelled() => {}
                () = async { while self.store.busy(&everything()).await.unwrap() > 0 { tokio::time::sleep(Duration::from_millis(2)).await } } => {}
            }
            idle.cancel();
        };
        tokio::join!(worker.run(everything(), stop), watch);
        // Its lease outlives it; time passes until others may take over.
        self.clock.advance(Duration::from_secs(60));
        dead.is_cancelled()
    }

    pub async fn approve(&self) {
        let head = self.store.head(&"s".into()).await.unwrap().unwrap();
        let approval = head.turn.unwrap().approval().expect("the turn waits for an answer").id.clone();
        let decide = OperationKind::Decide { approval, verdict: Verdict::Approve };
        let intake = Intake::new(self.store.clone());
        assert_eq!(
            intake.submit(operation(&self.clock, "click", decide.clone())).await.unwrap(),
            Pushed::New
        );
        assert_eq!(intake.submit(operation(&self.clock, "click", decide)).await.unwrap(), Pushed::Seen);
    }

    fn assert_harmless(&self, moment: &str) {
        let ran = self.ran.lock().unwrap().clone();
        assert!(ran.values().all(|times| *times <= 1), "a call ran twice when dying {moment}: {ran:?}");
        let wall = self.wall.0.lock().unwrap().clone();
        let answers = wall.iter().filter(|line| line.starts_with("answer")).count();
        assert_eq!(answers, 1, "answers when dying {moment}: {wall:?}");
        assert!(!wall.iter().any(|line| line.starts_with("error")), "{moment}: {wall:?}");
    }
}

impl Scene {
    /// Every call was marked once, so it is paid for once, and nothing stays set aside.
    async fn assert_paid_once(&self, moment: &str) {
        let session = SessionKey::from("s");
        let open = self.store.open_reservations(&session).await.unwrap();
        assert!(open.is_empty(), "set aside for ever when dying {moment}: {open:?}");
        let account = Account { scope: Scope::Session(session.clone()), period: Period::Whole };
        let balance = self.store.balances(&[account]).await.unwrap()[0];
        assert_eq!(balance, Balance { spent: 3 * CALL, reserved: 0 }, "dying {moment}");
        let head = self.store.head(&session).await.unwrap().unwrap();
        assert_eq!(head.usage.cost, balance.spent, "the session and the ledger differ when dying {moment}");
    }
}

impl Scene {
    /// What was decided is in the audit log as often as it had an effect: once.
    async fn assert_noted_once(&self, moment: &str) {
        let log = self.store.audit(0, 100).await.unwrap();
        let noted: Vec<(Act, Option<&str>)> =
            log.iter().map(|it| (it.entry.act, it.entry.call.as_ref().map(CallId::as_str))).collect();
        assert_eq!(noted, [(Act::Asked, Some("c3")), (Act::Approved, Some("c3"))], "dying {moment}");
        assert_eq!(log[0].entry.digest, log[1].entry.digest, "the yes is to what was asked");
    }
}

pub(super) fn everything() -> Claimable {
    Claimable::Behind(Door::Terminal)
}

#[tokio::test]
async fn a_death_at_any_write_loses_nothing_and_repeats_nothing() {
    let mut moments = 0;
    for after in [false, true] {
        for first in 1.. {
            let scene = Scene::new();
            let say = OperationKind::Say { text: "go".into(), handle: Value::Null };
            let intake = Intake::new(scene.store.clone());
            intake.submit(operation(&scene.clock, "m1", say)).await.unwrap();
            let died = scene.mortal_worker(first, after).await;
            // A second process takes over, and dies at the same write of its own, before a third.
            scene.mortal_worker(first, after).await;
            scene.worker(scene.store.clone()).drain(everything()).await;
            scene.approve().await;
            let died_again = scene.mortal_worker(first, after).await;
            scene.worker(scene.store.clone()).drain(everything()).await;
            let moment = format!("{} write {first}", if after { "after" } else { "before" });
            scene.assert_harmless(&moment);
            scene.assert_paid_once(&moment).await;
            scene.assert_noted_once(&moment).await;
            moments += 1;
            if !died && !died_again {
                break;
            }
        }
    }
    assert!(moments > 12, "only {moments} moments were tried");
}
