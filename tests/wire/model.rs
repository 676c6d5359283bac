//! The model room over the wire: a fake provider at one end, `Providers` and `Retrying` at the other.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use ml_intern::clients::http;
use ml_intern::clock::Clock;
use ml_intern::config::ModelConfig;
use ml_intern::model::{
    Completion, Delivery, Delta, DeltaSink, Model, ModelError, Providers, Request, Retrying, Schedule,
};
use ml_intern::protocol::{Item, ProposedCall, ToolSpec};
use ml_intern::random::Random;
use ml_intern::secret::Secret;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::model_fake::Fake;

pub const ROUTER: &str = "org/model:fast";
pub const CLAUDE: &str = "anthropic/claude-opus-4-8";

#[derive(Default)]
pub struct Sink(pub Mutex<Vec<Delta>>);

#[async_trait]
impl DeltaSink for Sink {
    async fn send(&self, delta: Delta) {
        self.0.lock().unwrap().push(delta);
    }
}

pub fn config(fake: &Fake) -> ModelConfig {
    let mut config = ModelConfig {
        first_byte_timeout_s: 1,
        idle_timeout_s: 1,
        total_timeout_s: 4,
        ..ModelConfig::default()
    };
    config.huggingface.base_url = format!("{}/router/v1", fake.base);
    config.huggingface.api_key = Some(Secret::new("hf_wire_test_token"));
    config.anthropic.base_url = format!("{}/anthropic/v1", fake.base);
    config.anthropic.api_key = Some(Secret::new("sk-ant-wire-test"));
    config.openai.base_url = format!("{}/openai/v1/", fake.base);
    config.openai.api_key = Some(Secret::new("sk-openai-wire-test"));
    config.gemini.base_url = format!("{}/google/v1beta", fake.base);
    config.gemini.api_key = Some(Secret::new("AIza-wire-test"));
    config.ollama.base_url = fake.base.clone();
    config
}

pub fn providers(fake: &Fake) -> Providers {
    http::install_tls();
    Providers::new(&config(fake), http::client(None).unwrap(), Clock::system()).unwrap()
}

pub fn retrying(fake: &Fake) -> Retrying<Providers> {
    let millis = |count: usize| vec![Duration::from_millis(5); count];
    let schedule = Schedule { transient: millis(3), rate_limit: millis(2), longest: Duration::from_secs(2) };
    Retrying::new(providers(fake), schedule, Random::seeded(3))
}

pub fn request(model: &str, items: Vec<Item>) -> Request {
    let tool = ToolSpec {
        name: "bash".to_owned(),
        description: "Runs a command.".to_owned(),
        parameters: json!({ "type": "object", "properties": { "command": { "type": "string" } } }),
    };
    Request {
        model: model.to_owned(),
        system: "You help.".into(),
        items: items.into_iter().map(Arc::new).collect(),
        tools: Arc::new([tool]),
        effort: None,
        session: "slack:T1:C1:17.5".into(),
        delivery: Delivery::Streamed,
    }
}

pub fn user(text: &str) -> Item {
    Item::User { author: "U1".into(), name: "ann".to_owned(), text: text.to_owned(), opens: true, at: None }
}

pub fn call(id: &str, arguments: Value) -> ProposedCall {
    ProposedCall { id: id.into(), tool: "bash".to_owned(), arguments }
}

pub fn asks(model: &str, calls: Vec<ProposedCall>) -> Item {
    Item::Assistant { text: String::new(), thoughts: vec![], calls, model: model.to_owned() }
}

pub fn result(id: &str, output: &str, success: bool) -> Item {
    Item::ToolResult { call: id.into(), tool: "bash".to_owned(), output: output.to_owned(), success }
}

pub async fn ask(model: &impl Model, request: &Request) -> (Result<Completion, ModelError>, Vec<Delta>) {
    let sink = Sink::default();
    let outcome = model.answer(request, &sink, &CancellationToken::new()).await;
    (outcome, sink.0.into_inner().unwrap())
}

/// The shown text after restarts.
pub fn shown(deltas: &[Delta]) -> String {
    deltas.iter().fold(String::new(), |mut text, delta| {
        match delta {
            Delta::Text(piece) => text.push_str(piece),
            Delta::Restart => text.clear(),
            _ => {}
        }
        text
    })
}
