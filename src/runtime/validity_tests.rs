//! Any interleaving of what people, the model, the clock and crashes do leaves a transcript that every
//! provider takes: every call has one result, roles alternate, turns are counted, and undo takes out
//! exactly the last one. The real agent, a model that does as it is told, and toy tools.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use proptest::prelude::*;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::tests::{agent, does, says, session};
use super::*;
use crate::agent::tool::{Assessment, BadArguments, CallContext, Ownership, Place, Risk, Tool, ToolError};
use crate::agent::{EventSink, Toolbox, recover};
use crate::model::{Completion, DeltaSink, Facts, Finish, Model, ModelError, Ordered, Request, ordered};
use crate::protocol::{
    CallId, Door, PlanItem, PlanStatus, ProposedCall, ToolOutcome, ToolSpec, Usage, Verdict,
};

/// What the model does when it is asked next.
#[derive(Debug, Clone, Copy)]
enum Reply {
    Text,
    Empty,
    Calls(u8),
    Malformed,
    Cut,
    TooLong,
    Fails,
    Stopped,
}

#[derive(Debug, Clone, Copy)]
enum Deed {
    Say,
    /// One step of the agent.
    Step(Reply),
    /// One step that is lost, because the process dies before it is saved.
    LostStep(Reply),
    Crash,
    Approve,
    Reject,
    Expire,
    Stop,
    Retry,
    Resume,
    Undo,
    New,
    Compact(Reply),
    Model,
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let reply = || {
        prop_oneof![
            3 => Just(Reply::Text),
            1 => Just(Reply::Empty),
            8 => (1_u8..16).prop_map(Reply::Calls),
            1 => Just(Reply::Malformed),
            1 => Just(Reply::Cut),
            1 => Just(Reply::TooLong),
            1 => Just(Reply::Fails),
            1 => Just(Reply::Stopped),
        ]
    };
    let deed = prop_oneof![
        5 => Just(Deed::Say),
        24 => reply().prop_map(Deed::Step),
        3 => reply().prop_map(Deed::LostStep),
        2 => Just(Deed::Crash),
        4 => Just(Deed::Approve),
        2 => Just(Deed::Reject),
        1 => Just(Deed::Expire),
        2 => Just(Deed::Stop),
        1 => Just(Deed::Retry),
        1 => Just(Deed::Resume),
        2 => Just(Deed::Undo),
        1 => Just(Deed::Model),
        3 => reply().prop_map(Deed::Compact),
        1 => (0..4_u8).prop_map(|n| if n == 0 { Deed::New } else { Deed::Crash }),
    ];
    proptest::collection::vec(deed, 1..80)
}

/// A model that does what it was told last; ids of its calls never come twice.
struct Told {
    next: Mutex<Reply>,
    given: Mutex<usize>,
    window: u64,
}

#[async_trait]
impl Model for Told {
    async fn answer(
        &self,
        request: &Request,
        _: &dyn DeltaSink,
        _: &CancellationToken,
    ) -> Result<Completion, ModelError> {
        assert_ordered(&request.items);
        let next = *self.next.lock().unwrap();
        let usage = Usage { input_tokens: 50, output_tokens: 5, ..Usage::default() };
        let says = |text: &str| Completion { text: text.into(), usage, ..Completion::default() };
        let calls = |mask: u8, arguments: serde_json::Value| {
            let mut given = self.given.lock().unwrap();
            let asked = (0..4_u8).filter(|bit| mask >> bit & 1 == 1).map(|bit| {
                *given += 1;
                let tool = ["look", "own", "ask", "nobody"][usize::from(bit)].to_owned();
                ProposedCall { id: format!("c{given}").into(), tool, arguments: arguments.clone() }
            });
            asked.collect()
        };
        match next {
            Reply::Text => Ok(says("So it is.")),
            Reply::Empty => Ok(says(" ")),
            // A summary has no calls.
            Reply::Calls(_) if request.tools.is_empty() => Ok(says("Notes on what was.")),
            Reply::Calls(mask) => Ok(Completion { calls: calls(mask, json!({})), ..says("") }),
            Reply::Malformed => Ok(Completion { calls: calls(3, json!("{bad")), ..says("") }),
            Reply::Cut => {
                Ok(Completion { calls: calls(1, json!({})), finish: Finish::Length, ..says("I will") })
            }
            Reply::TooLong => Err(ModelError::Shrink { reason: "too long".into() }),
            Reply::Fails => Err(ModelError::Stop { reason: "no key".into(), hint: String::new() }),
            Reply::Stopped => Err(ModelError::Cancelled),
        }
    }

    fn check(&self, _: &str) -> Result<(), ModelError> {
        Ok(())
    }

    async fn facts(&self, _: &str) -> Facts {
        Facts { price: Some(crate::protocol::Price::FREE), window: self.window, ..Facts::ASSUMED }
    }
}

struct Toy(&'static str);

#[async_trait]
impl Tool for Toy {
    fn spec(&self) -> ToolSpec {
        let parameters = crate::model::no_arguments();
        ToolSpec { name: self.0.into(), description: String::new(), parameters }
    }

    fn assess(&self, value: &serde_json::Value, _: &Place) -> Result<Assessment, BadArguments> {
        if !value.is_object() {
            return Err(BadArguments("not an object".into()));
        }
        Ok(match self.0 {
            "look" => Assessment::reads("look"),
            "ask" => {
                Assessment { risk: Risk::Ask { reason: "it asks".into() }, ..Assessment::changes("ask") }
            }
            _ => Assessment::changes("own"),
        })
    }

    async fn call(&self, _: serde_json::Value, context: CallContext) -> Result<ToolOutcome, ToolError> {
        let plan = vec![PlanItem { id: "1".into(), content: "go on".into(), status: PlanStatus::Pending }];
        let long = format!("{} {}", context.call, "x".repeat(1_200));
        Ok(ToolOutcome { plan: (self.0 == "own").then_some(plan), ..ToolOutcome::done(long) })
    }
}

struct Nowhere;

impl EventSink for Nowhere {
    fn show(&self, _: &Event) {}
}

struct Scene {
    agent: Agent,
    model: Arc<Told>,
    session: Session,
    place: Place,
    /// Requests that began a turn and were not undone since the conversation began.
    requests: u64,
}

impl Scene {
    fn new() -> Self {
        let toolbox = Toolbox::new(vec![Arc::new(Toy("look")), Arc::new(Toy("own")), Arc::new(Toy("ask"))]);
        let mut agent = Agent { toolbox, ..agent() };
        let session = session();
        // Room for about ten results above what every request has.
        let window = agent.used(&session) + 4_000;
        let model = Arc::new(Told { next: Mutex::new(Reply::Text), given: Mutex::new(0), window });
        agent.model = model.clone();
        let workspace = std::env::temp_dir();
        let place = Place {
            session: "s".into(),
            door: Door::Terminal,
            channel: None,
            workspace,
            ownership: Ownership::Session,
        };
        Self { agent, model, session, place, requests: 0 }
    }

    async fn step(&mut self, reply: Reply) {
        *self.model.next.lock().unwrap() = reply;
        let (sink, cancel): (Arc<dyn EventSink>, _) = (Arc::new(Nowhere), CancellationToken::new());
        self.agent.advance(&mut self.session, &self.place, &sink, &cancel).await;
    }

    /// What another process finds.
    fn reload(&mut self, saved: &Session) {
        let head = serde_json::from_str(&serde_json::to_string(&saved.head).unwrap()).unwrap();
        self.session = Session::new(head, saved.items().to_vec());
        recover::recover(&mut self.session, &self.agent.toolbox, Some(&self.place));
    }

    fn apply(&mut self, operation: &Operation) {
        if fits(&self.session, operation) {
            apply(&mut self.session, operation, Vec::new(), &self.agent);
        }
    }

    fn decide(&mut self, verdict: Verdict) {
        let asked = self.session.head.turn.as_ref().and_then(Turn::approval).map(|asked| asked.id.clone());
        if let Some(approval) = asked {
            self.apply(&does("alice", OperationKind::Decide { approval, verdict }));
        }
    }

    async fn act(&mut self, deed: Deed) {
        match deed {
            Deed::Say => {
                let operation = says("words of mine");
                let opens = !is_active(&self.session);
                if fits(&self.session, &operation) {
                    self.requests += u64::from(opens);
                    self.apply(&operation);
                }
            }
            Deed::Step(reply) => self.step(reply).await,
            Deed::LostStep(reply) => {
                let saved = self.session.clone();
                self.step(reply).await;
                self.reload(&saved);
            }
            Deed::Crash => {
                let saved = self.session.clone();
                self.reload(&saved);
            }
            Deed::Approve => self.decide(Verdict::Approve),
            Deed::Reject => self.decide(Verdict::Reject { reason: None }),
            Deed::Expire => {
                let asked = self.session.head.turn.as_ref().and_then(Turn::approval);
                if let Some(approval) = asked.map(|asked| asked.id.clone()) {
                    self.apply(&does("clock", OperationKind::Expire { approval }));
                }
            }
            Deed::Stop => self.apply(&does("alice", OperationKind::Stop)),
            Deed::Retry => self.apply(&does("alice", OperationKind::Retry)),
            Deed::Resume => self.apply(&does("alice", OperationKind::Resume)),
            Deed::Undo => self.undo(),
            Deed::New => {
                self.apply(&does("alice", OperationKind::New));
                self.requests = 0;
            }
            Deed::Compact(reply) => {
                let asked = self.session.head.turn.as_ref().is_some_and(|turn| turn.approval().is_some());
                if !asked && fits(&self.session, &does("alice", OperationKind::Compact)) {
                    *self.model.next.lock().unwrap() = reply;
                    let (sink, cancel): (Arc<dyn EventSink>, _) =
                        (Arc::new(Nowhere), CancellationToken::new());
                    self.agent.shorten(&mut self.session, &sink, &cancel).await;
                }
            }
            Deed::Model => {
                let id = Some("other/model".to_owned());
                let setting = Setting::Model { role: crate::protocol::Role::Main, id };
                self.apply(&does("alice", OperationKind::Set { setting }));
            }
        }
    }

    /// Undo takes out the last request and all behind it, and nothing else.
    fn undo(&mut self) {
        let before = self.session.items().to_vec();
        self.apply(&does("alice", OperationKind::Undo));
        let left = self.session.items();
        if left.len() == before.len() {
            return;
        }
        assert_eq!(left, &before[..left.len()]);
        assert!(matches!(*before[left.len()], Item::User { opens: true, .. }));
        assert_eq!(requests_in(&before[left.len()..]), 1, "exactly one turn");
        self.requests -= 1;
    }

    fn check(&self) {
        let items = self.session.items();
        assert_ordered(items);
        assert_eq!(requests_in(items), self.requests, "turns are counted, those in summaries too");
        assert_eq!(self.session.head.history_size, items.len() as u64);
        let head = &self.session.head;
        assert!(head.memory.measured <= items.len() as u64);
        assert_eq!(
            self.session.tokens(&(0..items.len())),
            Session::new(head.clone(), items.to_vec()).tokens(&(0..items.len()))
        );
        let open = match head.turn.as_ref().map(|turn| &turn.state) {
            Some(TurnState::Calling { calls } | TurnState::Waiting { calls, .. }) => {
                calls.iter().filter(|call| call.status != crate::protocol::CallStatus::Done).count()
            }
            _ => 0,
        };
        let (asked, answered) = (calls_in(items), results_in(items));
        assert_eq!(asked.len(), answered.len() + open, "every call has its result, or is open");
        let known = |id: &CallId| asked.iter().filter(|other| *other == id).count() == 1;
        assert!(answered.iter().all(known), "no result without its call");
        let mut once = answered.clone();
        once.sort_by(|one, other| one.0.cmp(&other.0));
        once.dedup();
        assert_eq!(once.len(), answered.len(), "and no call has two");
    }
}

fn requests_in(items: &[Arc<Item>]) -> u64 {
    let count = |item: &Arc<Item>| match **item {
        Item::User { opens: true, .. } => 1,
        Item::Summary { turns, .. } => turns,
        _ => 0,
    };
    items.iter().map(count).sum()
}

fn calls_in(items: &[Arc<Item>]) -> Vec<CallId> {
    let calls = items.iter().filter_map(|item| match &**item {
        Item::Assistant { calls, .. } => Some(calls),
        _ => None,
    });
    calls.flatten().map(|call| call.id.clone()).collect()
}

fn results_in(items: &[Arc<Item>]) -> Vec<CallId> {
    let results = items.iter().filter_map(|item| match &**item {
        Item::ToolResult { call, .. } => Some(call.clone()),
        _ => None,
    });
    results.collect()
}

/// As providers demand: people first and last, the model never twice in a row, and right behind its calls
/// their results, one each, in order.
fn assert_ordered(items: &[Arc<Item>]) {
    let turns = ordered(items);
    assert!(matches!(turns.first(), Some(Ordered::User)), "{turns:?}");
    assert!(!matches!(turns.last(), Some(Ordered::Assistant(_))), "{turns:?}");
    for pair in turns.windows(2) {
        let fine = match (&pair[0], &pair[1]) {
            (Ordered::User | Ordered::Results(_), Ordered::Assistant(_)) => true,
            (Ordered::Assistant(calls), Ordered::Results(results)) => !calls.is_empty() && calls == results,
            (Ordered::Assistant(calls), Ordered::User) => calls.is_empty(),
            // One message to those who take results from people.
            (Ordered::Results(_), Ordered::User) => true,
            _ => false,
        };
        assert!(fine, "{pair:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_interleaving_leaves_a_transcript_that_every_provider_takes(deeds in deeds()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut scene = Scene::new();
            for deed in deeds {
                scene.act(deed).await;
                scene.check();
            }
        });
    }
}
