//! The loop with nothing but a scripted model and toy tools.

mod approvals;
mod asks_for_money;
mod autonomy;
mod compaction;
mod crashes;
mod guards;
mod money;
mod money_adds_up;
mod outside;
mod roles;
mod switch;
mod turns;
mod votes;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::rules::Voters;
use super::tool::{
    Assessment, BadArguments, CallContext, Effect, Ownership, Place, Risk, Together, Tool, ToolError,
};
use super::{Advance, Agent, Approvals, EventSink, Rules, Session, Toolbox, Who};
use crate::clock::{Clock, Timestamp};
use crate::model::{Completion, Delivery, Delta, DeltaSink, Model, ModelError, Request};
use crate::protocol::approval::Alike;
use crate::protocol::{
    Actor, Door, Event, Item, Origin, ProposedCall, SessionHead, ToolOutcome, ToolSpec, Turn, TurnState,
    Usage,
};
use crate::random::Random;

/// Answers from a list; a request beyond it fails the test.
struct Scripted {
    replies: Mutex<VecDeque<Result<Completion, ModelError>>>,
    requests: Mutex<Vec<Request>>,
    window: AtomicU64,
}

#[async_trait]
impl Model for Scripted {
    async fn answer(
        &self,
        request: &Request,
        deltas: &dyn DeltaSink,
        _: &CancellationToken,
    ) -> Result<Completion, ModelError> {
        self.requests.lock().unwrap().push(request.clone());
        let reply = self.replies.lock().unwrap().pop_front().expect("the model was called once too often");
        if let Ok(completion) = &reply {
            deltas.send(Delta::Text(completion.text.clone())).await;
        }
        reply
    }

    fn check(&self, _: &str) -> Result<(), ModelError> {
        Ok(())
    }

    async fn facts(&self, _: &str) -> crate::model::Facts {
        let price =
            crate::protocol::Price { input: 100_000, output: 1_000_000, cached: None, cache_write: None };
        let window = self.window.load(Ordering::Relaxed);
        crate::model::Facts { price: Some(price), window, ..crate::model::Facts::ASSUMED }
    }
}

/// A tool whose name says what it does: `look` reads, `act` asks, `own` changes freely, `never` may
/// not run, `burst` panics, `hang` waits for ever, `count` gives another result each time.
struct Toy {
    name: &'static str,
    ran: Arc<Mutex<Vec<String>>>,
}

#[async_trait]
impl Tool for Toy {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: self.name.into(),
            description: String::new(),
            parameters: json!({ "type": "object", "additionalProperties": false,
                "properties": { "what": { "type": "string" }, "wait_ms": { "type": "integer" } } }),
        }
    }

    fn assess(&self, arguments: &Value, _: &Place) -> Result<Assessment, BadArguments> {
        if !arguments.is_object() {
            return Err(BadArguments("the arguments must be one JSON object".into()));
        }
        let what = arguments["what"].as_str().unwrap_or_default().to_owned();
        assert_ne!(what, "panic", "the toy broke while it looked");
        let assessment =
            Assessment { preview: what.clone(), ..Assessment::changes(format!("{} {what}", self.name)) };
        Ok(match self.name {
            "look" => Assessment { effect: Effect::Reads, together: Together::Parallel, ..assessment },
            "act" => Assessment {
                risk: Risk::Ask { reason: "it acts".into() },
                alike: Some(Alike { key: "act".into(), words: "acts".into() }),
                ..assessment
            },
            "never" => Assessment { risk: Risk::Never { reason: "it never may".into() }, ..assessment },
            "burst" => Assessment { together: Together::Parallel, ..assessment },
            _ => assessment,
        })
    }

    async fn call(&self, arguments: Value, context: CallContext) -> Result<ToolOutcome, ToolError> {
        let what = arguments["what"].as_str().unwrap_or_default().to_owned();
        self.ran.lock().unwrap().push(format!("{} {what}", self.name));
        if self.name == "burst" {
            panic!("the toy broke");
        }
        if self.name == "hang" {
            context.cancel.cancelled().await;
            return Err(ToolError::Cancelled);
        }
        if let Some(wait) = arguments["wait_ms"].as_u64() {
            tokio::time::sleep(Duration::from_millis(wait)).await;
        }
        if self.name == "count" {
            return Ok(ToolOutcome::done(self.ran.lock().unwrap().len().to_string()));
        }
        Ok(ToolOutcome::done(format!("did {what}")))
    }
}

#[derive(Default)]
struct Seen(Mutex<Vec<Event>>);

impl EventSink for Seen {
    fn show(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}

/// One agent with one session, and everything that was seen and run.
struct Bench {
    agent: Agent,
    session: Session,
    place: Place,
    seen: Arc<Seen>,
    ran: Arc<Mutex<Vec<String>>>,
    model: Arc<Scripted>,
    cancel: CancellationToken,
}

fn says(text: &str) -> Result<Completion, ModelError> {
    let usage = Usage { input_tokens: 10, output_tokens: 2, ..Usage::default() };
    Ok(Completion { text: text.into(), usage, ..Completion::default() })
}

fn calls(list: &[(&str, &str, Value)]) -> Result<Completion, ModelError> {
    let calls = list
        .iter()
        .map(|(id, tool, arguments)| ProposedCall {
            id: (*id).into(),
            tool: (*tool).into(),
            arguments: arguments.clone(),
        })
        .collect();
    Ok(Completion { calls, ..Completion::default() })
}

fn what(text: &str) -> Value {
    json!({ "what": text })
}

fn person(id: &str) -> Actor {
    Actor::new(id, id.to_uppercase())
}

impl Bench {
    fn new(replies: impl IntoIterator<Item = Result<Completion, ModelError>>) -> Self {
        let clock = Clock::manual(Timestamp(1_000_000));
        let ran: Arc<Mutex<Vec<String>>> = Arc::default();
        let tools = ["look", "act", "own", "never", "burst", "hang", "count"];
        let tools = tools.map(|name| Arc::new(Toy { name, ran: ran.clone() }) as Arc<dyn Tool>);
        let replies = Mutex::new(replies.into_iter().collect());
        let model = Arc::new(Scripted {
            replies,
            requests: Mutex::default(),
            window: AtomicU64::new(crate::model::DEFAULT_WINDOW),
        });
        let agent = Agent {
            model: model.clone(),
            toolbox: Toolbox::new(tools.to_vec()),
            purse: Arc::new(crate::agent::purse::Bottomless),
            rules: Rules {
                model: "toy/model".into(),
                effort: None,
                roles: Default::default(),
                max_iterations: Some(5),
                yolo: false,
                delivery: Delivery::Streamed,
                approvals: Approvals {
                    ttl: Duration::from_secs(60),
                    by: Voters {
                        who: Who::RequesterAndListed,
                        people: vec!["lead".into()],
                        groups: Vec::new(),
                    },
                    ..Approvals::default()
                },
                memory: crate::agent::MemoryRules::default(),
                money: crate::agent::budget::MoneyRules::default(),
            },
            clock: clock.clone(),
            random: Random::seeded(1),
        };
        let origin = Origin::new(Door::Terminal, Value::Null);
        let mut head = SessionHead::new("s".into(), origin, clock.now());
        head.turn = Some(Turn::begun("t".into(), person("alice"), clock.now()));
        let mut session = Session::new(head, Vec::new());
        session.push(Item::User {
            author: "alice".into(),
            name: "ALICE".into(),
            text: "do it".into(),
            opens: true,
            at: None,
        });
        let place = Place {
            session: "s".into(),
            door: Door::Terminal,
            channel: None,
            workspace: std::env::temp_dir(),
            ownership: Ownership::Session,
        };
        Self { agent, session, place, seen: Arc::default(), ran, model, cancel: CancellationToken::new() }
    }

    async fn step(&mut self) -> Advance {
        let sink: Arc<dyn EventSink> = self.seen.clone();
        let advance = self.agent.advance(&mut self.session, &self.place, &sink, &self.cancel).await;
        self.session.mark_saved();
        advance
    }

    /// Goes on until the turn waits or is over.
    async fn go(&mut self) {
        for _ in 0..50 {
            if self.step().await == Advance::Paused {
                return;
            }
        }
        panic!("the turn does not end");
    }

    fn state(&self) -> &TurnState {
        &self.session.head.turn.as_ref().unwrap().state
    }

    fn ran(&self) -> Vec<String> {
        self.ran.lock().unwrap().clone()
    }

    /// The results in the transcript: call, success, first words.
    fn results(&self) -> Vec<(String, bool, String)> {
        let results = self.session.items().iter().filter_map(|item| match &**item {
            Item::ToolResult { call, success, output, .. } => {
                Some((call.0.clone(), *success, output.clone()))
            }
            _ => None,
        });
        results.collect()
    }

    /// Every call of every answer has exactly one result, as providers demand.
    fn assert_whole(&self) {
        let mut open: Vec<String> = Vec::new();
        for item in self.session.items() {
            match &**item {
                Item::Assistant { calls, .. } => open.extend(calls.iter().map(|call| call.id.0.clone())),
                Item::ToolResult { call, .. } => {
                    let at = open.iter().position(|id| *id == call.0).expect("a result without a call");
                    open.remove(at);
                }
                _ => {}
            }
        }
        assert!(open.is_empty(), "calls without a result: {open:?}");
    }
}
