//! Money: set aside before anything runs, settled after it, asked about where people must be asked.

use super::*;
use crate::agent::answer::Answer;
use crate::agent::purse::{Payers, Pledge, Purse, PurseError, Standing, Wish};
use crate::model::Facts;
use crate::protocol::{
    Account, Balance, Cost, Ending, Period, Price, Reservation, Scope, SessionKey, Verdict,
};

/// Ten cents a token, whichever way it goes.
pub(super) const DEAR: Price =
    Price { input: 100_000_000_000, output: 100_000_000_000, cached: None, cache_write: None };
pub(super) const CENT: u64 = 10_000;
pub(super) const DOLLAR: u64 = 1_000_000;

/// Another model's answers, at a price.
struct Priced(Arc<dyn Model>, Option<Price>);

#[async_trait]
impl Model for Priced {
    async fn answer(
        &self,
        request: &Request,
        deltas: &dyn DeltaSink,
        cancel: &CancellationToken,
    ) -> Result<Completion, ModelError> {
        self.0.answer(request, deltas, cancel).await
    }
    fn check(&self, _: &str) -> Result<(), ModelError> {
        Ok(())
    }
    async fn facts(&self, _: &str) -> Facts {
        Facts { price: self.1, ..Facts::ASSUMED }
    }
}

/// Says something, then nothing more until it is stopped.
struct Endless(&'static str);

#[async_trait]
impl Model for Endless {
    async fn answer(
        &self,
        _: &Request,
        deltas: &dyn DeltaSink,
        cancel: &CancellationToken,
    ) -> Result<Completion, ModelError> {
        if !self.0.is_empty() {
            deltas.send(Delta::Text(self.0.into())).await;
        }
        cancel.cancelled().await;
        Err(ModelError::Cancelled)
    }
    fn check(&self, _: &str) -> Result<(), ModelError> {
        Ok(())
    }
    async fn facts(&self, _: &str) -> Facts {
        Facts::ASSUMED
    }
}

/// One account with one limit, and everything that was done to it.
#[derive(Default)]
pub(super) struct Tin {
    pub(super) limit: Option<u64>,
    pub(super) broken: bool,
    open: Mutex<Vec<Reservation>>,
    spent: Mutex<u64>,
    done: Mutex<Vec<String>>,
}

impl Tin {
    fn take(&self, id: &str) -> Option<Reservation> {
        let mut open = self.open.lock().unwrap();
        let at = open.iter().position(|it| it.id == id)?;
        Some(open.remove(at))
    }

    pub(super) fn balance(&self) -> Balance {
        let reserved = self.open.lock().unwrap().iter().map(|it| it.amount).sum();
        Balance { spent: *self.spent.lock().unwrap(), reserved }
    }

    pub(super) fn done(&self) -> Vec<String> {
        self.done.lock().unwrap().clone()
    }

    fn account(&self) -> Standing {
        let account = Account { scope: Scope::Session("s".into()), period: Period::Whole };
        Standing { account, limit: self.limit, balance: self.balance(), resets: None }
    }
}

#[async_trait]
impl Purse for Tin {
    async fn reserve(&self, wish: &Wish) -> Result<Pledge, PurseError> {
        if self.broken {
            return Err(PurseError("the disk is full".into()));
        }
        if self.limit.is_some_and(|limit| self.balance().committed() + wish.amount > limit) {
            return Ok(Pledge::Short(self.account()));
        }
        self.done.lock().unwrap().push(format!("{} sets {} aside", wish.purpose, wish.amount));
        self.open.lock().unwrap().push(Reservation {
            id: wish.id.clone(),
            session: wish.payers.session.clone(),
            purpose: wish.purpose.clone(),
            amount: wish.amount,
            accounts: Vec::new(),
            at: Timestamp(0),
        });
        Ok(Pledge::Held)
    }
    async fn settle(&self, id: &str, cost: u64) -> Result<(), PurseError> {
        if let Some(of) = self.take(id) {
            *self.spent.lock().unwrap() += cost;
            self.done.lock().unwrap().push(format!("{} cost {cost}", of.purpose));
        }
        Ok(())
    }
    async fn release(&self, id: &str) -> Result<(), PurseError> {
        if let Some(of) = self.take(id) {
            self.done.lock().unwrap().push(format!("{} gives back", of.purpose));
        }
        Ok(())
    }
    async fn spend(&self, wish: &Wish) -> Result<(), PurseError> {
        *self.spent.lock().unwrap() += wish.amount;
        self.done.lock().unwrap().push(format!("{} cost {} unasked", wish.purpose, wish.amount));
        Ok(())
    }
    async fn open(&self, _: &SessionKey) -> Result<Vec<Reservation>, PurseError> {
        Ok(self.open.lock().unwrap().clone())
    }
    async fn standing(&self, _: &Payers) -> Result<Vec<Standing>, PurseError> {
        Ok(vec![self.account()])
    }
}

/// A tool that costs what its arguments say, in dollars: `cost` at most (text: unknown), `real` in truth.
struct Job {
    name: &'static str,
    ran: Arc<Mutex<Vec<String>>>,
}

#[async_trait]
impl Tool for Job {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: self.name.into(),
            description: String::new(),
            parameters: json!({ "type": "object" }),
        }
    }
    fn assess(&self, arguments: &Value, _: &Place) -> Result<Assessment, BadArguments> {
        let cost = match &arguments["cost"] {
            Value::String(why) => Cost::Unknown(why.clone()),
            number => Cost::AtMost(number.as_u64().unwrap_or(0) * DOLLAR),
        };
        let reason = "it costs money".to_owned();
        let risk = match self.name {
            "scheduled" => Risk::Always { reason: "it runs again and again".into() },
            "gift" => Risk::Free,
            _ => Risk::Ask { reason },
        };
        Ok(Assessment { risk, cost, ..Assessment::changes(format!("run a {}", self.name)) })
    }
    async fn call(&self, arguments: Value, context: CallContext) -> Result<ToolOutcome, ToolError> {
        self.ran.lock().unwrap().push(context.call.0);
        let cost = arguments["real"].as_u64().map(|dollars| dollars * DOLLAR);
        Ok(ToolOutcome { cost, ..ToolOutcome::done("ran") })
    }
}

/// A bench whose calls cost money, and its purse.
pub(super) fn bench(
    replies: impl IntoIterator<Item = Result<Completion, ModelError>>,
    price: Option<Price>,
    tin: Tin,
) -> (Bench, Arc<Tin>) {
    let mut bench = Bench::new(replies);
    let tin = Arc::new(tin);
    bench.agent.model = Arc::new(Priced(bench.model.clone(), price));
    bench.agent.purse = tin.clone();
    let tools = ["job", "gift", "scheduled"];
    let tools = tools.map(|name| Arc::new(Job { name, ran: bench.ran.clone() }) as Arc<dyn Tool>);
    bench.agent.toolbox = Toolbox::new(tools.to_vec());
    (bench, tin)
}

pub(super) fn job(id: &'static str, cost: u64) -> (&'static str, &'static str, Value) {
    (id, "job", json!({ "cost": cost }))
}

impl Bench {
    pub(super) fn answer(&mut self, verdict: &Verdict) {
        let asked = self.asked();
        let by = person("alice");
        let answer = Answer { approval: &asked.id, verdict, by: &by, at: self.agent.clock.now() };
        self.agent.decide(&mut self.session, Some(&self.place), answer).unwrap();
    }

    pub(super) fn asked(&self) -> crate::protocol::ApprovalRequest {
        self.session.head.turn.as_ref().unwrap().approval().expect("nothing is asked").clone()
    }

    pub(super) fn yolo(mut self, cap: u64) -> Self {
        self.session.head.settings.yolo = true;
        self.session.head.settings.yolo_cap = Some(cap * DOLLAR);
        self
    }
}

#[tokio::test]
async fn a_model_call_is_set_aside_at_its_estimate_and_settled_at_its_cost() {
    let (mut bench, tin) = bench([says("Done.")], Some(DEAR), Tin::default());
    bench.go().await;
    let done = tin.done();
    // The prompt is a few tokens; the answer is assumed to be as long as answers are.
    let aside: u64 = done[0].split_whitespace().nth(2).unwrap().parse().unwrap();
    assert!((8_000 * 10 * CENT..20_000 * 10 * CENT).contains(&aside), "{done:?}");
    // 10 tokens in, 2 out.
    assert_eq!(done[1..], ["toy/model cost 1200000"]);
    assert_eq!(bench.session.head.usage.cost, 120 * CENT);
    assert_eq!(bench.session.head.turn.as_ref().unwrap().usage.cost, 120 * CENT);
    assert_eq!(tin.balance(), Balance { spent: 120 * CENT, reserved: 0 });
}

#[tokio::test]
async fn what_costs_nothing_never_touches_the_ledger() {
    let (mut bench, tin) = bench([says("Done.")], Some(Price::FREE), Tin { broken: true, ..Tin::default() });
    bench.go().await;
    assert!(matches!(bench.state(), TurnState::Over { ending: Ending::Finished { .. }, .. }));
    assert_eq!(tin.done(), Vec::<String>::new());
}

#[tokio::test]
async fn a_call_that_the_provider_refused_costs_nothing() {
    let refused = ModelError::Stop { reason: "no key".into(), hint: "set one".into() };
    let (mut bench, tin) = bench([Err(refused)], Some(DEAR), Tin::default());
    bench.go().await;
    assert_eq!(tin.done().last().unwrap(), "toy/model gives back");
    assert_eq!(bench.session.head.usage.cost, 0);
}

#[tokio::test]
async fn a_call_that_was_stopped_costs_what_came_of_it_or_else_its_estimate() {
    for (text, at_most) in [("twelve bytes", 30), ("", 20_000)] {
        let (mut bench, tin) = bench([], Some(DEAR), Tin::default());
        bench.agent.model = Arc::new(Priced(Arc::new(Endless(text)), Some(DEAR)));
        bench.session.measure(10);
        let (cancel, seen) = (bench.cancel.clone(), bench.seen.clone());
        let stop = async {
            tokio::time::sleep(Duration::from_millis(30)).await;
            drop(seen);
            cancel.cancel();
        };
        tokio::join!(bench.step(), stop);
        let cost = bench.session.head.usage.cost;
        assert!(cost > 10 * 10 * CENT && cost < at_most * 10 * CENT, "{text:?} cost {cost}");
        if text.is_empty() {
            assert!(cost > 8_000 * 10 * CENT, "the whole estimate stands: {cost}");
        }
        assert_eq!(tin.balance(), Balance { spent: cost, reserved: 0 });
    }
}

#[tokio::test]
async fn a_used_up_budget_stops_the_turn_before_the_model_is_asked() {
    let (mut bench, _) = bench([], Some(DEAR), Tin { limit: Some(DOLLAR), ..Tin::default() });
    bench.go().await;
    let TurnState::Over { ending: Ending::Failed { error, hint, retry }, .. } = bench.state() else {
        panic!()
    };
    assert!(
        error.starts_with("I stopped before asking the model: the budget of this session has not"),
        "{error}"
    );
    assert!(error.contains("$0.00 of $1.00 spent"), "{error}");
    assert!(hint.as_ref().unwrap().contains("`budgets`"));
    assert!(retry);
}

#[tokio::test]
async fn a_ledger_that_fails_lets_nothing_run() {
    let broken = || Tin { broken: true, ..Tin::default() };
    let (mut first, _) = bench([], Some(DEAR), broken());
    first.go().await;
    let TurnState::Over { ending: Ending::Failed { error, .. }, .. } = first.state() else { panic!() };
    assert!(error.contains("the disk is full"), "{error}");
    let replies = [calls(&[("c1", "gift", json!({ "cost": 1 }))]), says("Could not.")];
    let (mut second, _) = bench(replies, Some(Price::FREE), broken());
    second.go().await;
    assert_eq!(second.ran(), Vec::<String>::new());
    assert!(second.results()[0].2.contains("the disk is full"));
}

#[tokio::test]
async fn a_tool_is_set_aside_before_it_is_marked_and_settled_at_its_cost_or_its_estimate() {
    let replies = [
        calls(&[
            ("c1", "gift", json!({ "cost": 3, "real": 2 })),
            ("c2", "gift", json!({ "cost": 1 })),
            ("c3", "gift", json!({ "cost": 0 })),
        ]),
        says("Done."),
    ];
    let (mut bench, tin) = bench(replies, Some(Price::FREE), Tin::default());
    bench.step().await;
    assert_eq!(tin.done(), ["gift sets 3000000 aside"], "set aside in the step that marks it");
    bench.go().await;
    assert_eq!(
        tin.done(),
        ["gift sets 3000000 aside", "gift cost 2000000", "gift sets 1000000 aside", "gift cost 1000000"]
    );
    assert_eq!(bench.session.head.usage.cost, 3 * DOLLAR);
}

#[tokio::test]
async fn a_tool_that_no_budget_lets_run_says_why_and_the_others_run() {
    let replies = [
        calls(&[("c1", "gift", json!({ "cost": 3 })), ("c2", "gift", json!({ "cost": 1 }))]),
        says("Only the second."),
    ];
    let (mut bench, _) = bench(replies, Some(Price::FREE), Tin { limit: Some(2 * DOLLAR), ..Tin::default() });
    bench.go().await;
    assert_eq!(bench.ran(), ["c2"]);
    let results = bench.results();
    assert_eq!((results[0].0.as_str(), results[0].1), ("c1", false));
    assert!(
        results[0].2.starts_with("Not run: the budget of this session has not enough left: $0.00 of $2.00"),
        "{results:?}"
    );
    bench.assert_whole();
}

#[tokio::test]
async fn what_was_set_aside_for_a_stopped_call_comes_back() {
    let (mut bench, tin) =
        bench([calls(&[("c1", "gift", json!({ "cost": 3 }))])], Some(Price::FREE), Tin::default());
    bench.step().await;
    crate::agent::results::close_open_calls(&mut bench.session, "stopped");
    bench.agent.return_unused(&mut bench.session).await;
    assert_eq!(tin.done(), ["gift sets 3000000 aside", "gift gives back"]);
    assert_eq!(bench.session.head.usage.cost, 0);
}

#[tokio::test]
async fn what_a_dead_worker_left_open_is_settled_if_it_may_have_run_and_given_back_if_not() {
    let replies = [calls(&[job("c1", 3)])];
    let (bench, tin) = bench(replies, Some(DEAR), Tin::default());
    let mut bench = bench.yolo(5_000);
    let wish = |id: &str, amount: u64| Wish {
        id: id.into(),
        payers: Payers::of(&bench.session),
        purpose: id.into(),
        amount,
    };
    // A model call in hand, a call of a step that was saved with its mark, one that was not, one of a step
    // that was never saved.
    for (id, amount) in
        [("model:t:1:x", 1), ("call:t:1:c1:x", 20), ("call:t:1:c2:x", 300), ("call:t:2:c1:x", 4_000)]
    {
        let wish = wish(id, amount);
        tin.reserve(&wish).await.unwrap();
    }
    let marked = |id: &str, status| crate::protocol::Call {
        proposed: ProposedCall { id: id.into(), tool: "job".into(), arguments: json!({}) },
        status,
        edited: false,
        approved: None,
        named_cap: false,
        meanwhile: None,
        approved_by: Vec::new(),
        asked_of: None,
    };
    let turn = bench.session.head.turn.as_mut().unwrap();
    turn.steps = 1;
    turn.state = TurnState::Calling {
        calls: vec![
            marked("c1", crate::protocol::CallStatus::Started),
            marked("c2", crate::protocol::CallStatus::Allowed),
        ],
    };
    assert!(bench.agent.recover_pledges(&mut bench.session).await.unwrap());
    assert_eq!(tin.balance(), Balance { spent: 21, reserved: 0 });
    assert_eq!(bench.session.head.usage.cost, 21, "the session counts what the ledger counts");
    assert!(!bench.agent.recover_pledges(&mut bench.session).await.unwrap(), "nothing is counted twice");
    assert_eq!(bench.session.head.usage.cost, 21);
}
