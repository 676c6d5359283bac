//! The example of `docs/development.md`, compiled and run; the page must show it word for word.

// The page's example begins here.
use async_trait::async_trait;
use ml_intern::agent::tool::{
    Assessment, BadArguments, CallContext, Place, Tool, ToolError, arguments, parameters,
};
use ml_intern::protocol::{ToolOutcome, ToolSpec};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// The `learning_rate` tool: scales a learning rate to another batch size.
pub struct LearningRate;

/// Every field's comment is what the model reads about it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Arguments {
    /// The learning rate that is known to work.
    rate: f64,
    /// The batch size that it works with.
    batch: u32,
    /// The batch size wanted.
    wanted: u32,
}

#[async_trait]
impl Tool for LearningRate {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "learning_rate".to_owned(),
            description: "Scale a learning rate that is known to work to another batch size, by the \
                          square root of their ratio. Use it before training with a new batch size."
                .to_owned(),
            parameters: parameters::<Arguments>(),
        }
    }

    fn assess(&self, value: &Value, _place: &Place) -> Result<Assessment, BadArguments> {
        let scale: Arguments = arguments(value)?;
        if scale.batch == 0 || scale.wanted == 0 {
            return Err(BadArguments("`batch` and `wanted` must be 1 or more".to_owned()));
        }
        Ok(Assessment::reads(format!("Scale the learning rate to batch {}", scale.wanted)))
    }

    async fn call(&self, value: Value, _context: CallContext) -> Result<ToolOutcome, ToolError> {
        let scale: Arguments = arguments(&value)?;
        let ratio = f64::from(scale.wanted) / f64::from(scale.batch.max(1));
        Ok(ToolOutcome::done(format!("{:.3e}", scale.rate * ratio.sqrt())))
    }
}
// The page's example ends here.

use std::collections::BTreeMap;
use std::sync::Arc;

use ml_intern::agent::Toolbox;
use ml_intern::agent::tool::{Effect, Ownership, Progress, Risk};
use ml_intern::config::ToolsConfig;
use ml_intern::protocol::{Actor, Door};
use ml_intern::tools::{Supplies, builtin};
use serde_json::json;

struct Nobody;

impl Progress for Nobody {
    fn line(&self, _: &str) {}
}

fn context() -> CallContext {
    CallContext {
        call: "c1".into(),
        turn: "t1".into(),
        place: Place {
            session: "s1".into(),
            door: Door::Terminal,
            channel: None,
            workspace: std::env::temp_dir(),
            ownership: Ownership::Session,
        },
        requester: Actor::new("local", "Ann"),
        approved_by: Vec::new(),
        model: "m".to_owned(),
        progress: Arc::new(Nobody),
        cancel: tokio_util::sync::CancellationToken::new(),
    }
}

#[tokio::test]
async fn the_example_of_the_page_joins_the_catalogue_and_works() {
    let supplies = Supplies {
        config: ToolsConfig::default(),
        environment: BTreeMap::new(),
        secrets: Vec::new(),
        gateway: None,
        hub: None,
    };
    let mut tools = builtin(supplies);
    tools.push(Arc::new(LearningRate));
    let toolbox = Toolbox::new(tools);
    let tool = toolbox.find("learning_rate").unwrap();
    let value = json!({"rate": 1e-4, "batch": 8, "wanted": 32});
    let assessed = tool.assess(&value, &context().place).unwrap();
    assert_eq!((assessed.risk, assessed.effect), (Risk::Free, Effect::Reads));
    assert_eq!(tool.call(value, context()).await.unwrap(), ToolOutcome::done("2.000e-4"));
    let error = tool.assess(&json!({"rate": 1, "batch": "x", "wanted": 1}), &context().place).unwrap_err();
    assert!(error.to_string().contains("`batch`"), "{error}");
    assert_eq!(toolbox.nearest("learn_rate"), ["learning_rate"]);
}

#[test]
fn the_page_shows_the_example_word_for_word() {
    let (page, source) = (include_str!("../../docs/development.md"), include_str!("custom_tool.rs"));
    let (_, rest) = source.split_once("// The page's example begins here.\n").unwrap();
    let (example, _) = rest.split_once("// The page's example ends here.\n").unwrap();
    let ours = example.replace("ml_intern::", "crate::");
    assert!(page.contains(ours.trim_end()), "docs/development.md does not show the example as it is");
}
