//! What the model is told about a tool, and what a call of it gives.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::plan::PlanItem;
use super::ticket::NewTicket;

/// What the model is told about a tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolSpec {
    /// The name that the model calls.
    pub name: String,
    /// What it does and when to use it.
    pub description: String,
    /// JSON Schema of the arguments: always an object.
    pub parameters: Value,
}

/// What one call gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolOutcome {
    /// Text for the model, capped by the tool.
    pub output: String,
    /// Whether the tool did what was asked.
    pub success: bool,
    /// What it really cost, in micro-dollars, where that is known by now; else the estimate stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<u64>,
    /// The new plan, if the call changed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Vec<PlanItem>>,
    /// External work that the call has begun. If the call waits for one of them, its result is the end of
    /// that work, and `output` is what to tell the model should it go on before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tickets: Vec<NewTicket>,
}

impl ToolOutcome {
    /// The tool did what was asked.
    #[must_use]
    pub fn done(output: impl Into<String>) -> Self {
        Self { output: output.into(), success: true, cost: None, plan: None, tickets: Vec::new() }
    }

    /// The tool could not do what was asked; the text says why.
    #[must_use]
    pub fn failed(output: impl Into<String>) -> Self {
        Self { output: output.into(), success: false, cost: None, plan: None, tickets: Vec::new() }
    }

    /// The same, and nothing was spent: what was set aside for the call is given back.
    #[must_use]
    pub fn unspent(self) -> Self {
        Self { cost: Some(0), ..self }
    }

    /// The call has begun external work whose end is its result. `meanwhile` is what the model reads should
    /// it go on before that.
    #[must_use]
    pub fn begun(ticket: NewTicket, meanwhile: impl Into<String>) -> Self {
        Self { tickets: vec![ticket], ..Self::done(meanwhile) }
    }
}
