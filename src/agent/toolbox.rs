//! The tools that the model is offered, in a fixed order, found by name.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::compact::weigh::{tokens_in, written};
use super::guard::schema;
use super::tool::{Assessment, BadArguments, Place, Tool};
use crate::protocol::{ProposedCall, ToolSpec};

/// The tools of one process. Their order is fixed, so that providers can cache the request's head.
#[derive(Clone)]
pub struct Toolbox {
    tools: Arc<[(ToolSpec, Arc<dyn Tool>)]>,
    specs: Arc<[ToolSpec]>,
    tokens: u64,
}

impl Toolbox {
    /// These tools, in this order. Of two with one name the first counts.
    #[must_use]
    pub fn new(tools: Vec<Arc<dyn Tool>>) -> Self {
        let mut kept: Vec<(ToolSpec, Arc<dyn Tool>)> = Vec::with_capacity(tools.len());
        for tool in tools {
            let spec = tool.spec();
            if kept.iter().any(|(other, _)| other.name == spec.name) {
                tracing::warn!(tool = %spec.name, "a second tool with this name was left out");
                continue;
            }
            kept.push((spec, tool));
        }
        let specs: Arc<[ToolSpec]> = kept.iter().map(|(spec, _)| spec.clone()).collect();
        let bytes = |spec: &ToolSpec| spec.name.len() + spec.description.len() + written(&spec.parameters);
        let tokens = tokens_in(specs.iter().map(bytes).sum());
        Self { tools: kept.into(), specs, tokens }
    }

    /// What the model is told.
    #[must_use]
    pub fn specs(&self) -> Arc<[ToolSpec]> {
        self.specs.clone()
    }

    /// Estimated tokens of what the model is told.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        self.tokens
    }

    /// The tool with this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<Arc<dyn Tool>> {
        self.tools.iter().find(|(spec, _)| spec.name == name).map(|(_, tool)| tool.clone())
    }

    /// What a call would do: the tool is there, takes these arguments, and says so.
    ///
    /// # Errors
    /// Why not, for the model; the nearest names of tools, or the field that is wrong.
    pub fn assess(&self, call: &ProposedCall, place: &Place) -> Result<Assessment, BadArguments> {
        let Some((spec, tool)) = self.tools.iter().find(|(spec, _)| spec.name == call.tool) else {
            let names = self.nearest(&call.tool).join(", ");
            let name = crate::text::cut(&call.tool, 100);
            return Err(BadArguments(format!("There is no tool named `{name}`. Did you mean: {names}?")));
        };
        // What a tool says of a call changes nothing, so a panic leaves nothing half done.
        let said = catch_unwind(AssertUnwindSafe(|| tool.assess(&call.arguments, place)));
        let assessment = said.unwrap_or_else(|_| {
            tracing::error!(tool = %spec.name, "a tool panicked while it looked at a call");
            Err(BadArguments(format!(
                "`{}` failed while it looked at these arguments, so nothing ran. Try others.",
                spec.name
            )))
        })?;
        schema::check(&spec.parameters, &call.arguments)?;
        Ok(assessment)
    }

    /// Up to three names that look like this one, nearest first; all names if none does.
    #[must_use]
    pub fn nearest(&self, name: &str) -> Vec<String> {
        let names = || self.specs.iter().map(|spec| spec.name.as_str());
        let near = crate::text::nearest(name, names());
        if near.is_empty() { names().map(str::to_owned).collect() } else { near }
    }
}
