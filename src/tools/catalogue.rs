//! The list of tools, in a fixed order. Adding one is one line in [`builtin`].

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Bash, Edit, Files, NotifyTool, PlanTool, Read, Write};
use crate::agent::tool::Tool;
use crate::config::ToolsConfig;
use crate::messaging::Gateway;
use crate::protocol::ToolSpec;
use crate::secret::Secret;

/// How alike two names must be to be offered for each other.
const ALIKE: f64 = 0.72;
/// How many names are offered.
const OFFERED: usize = 3;

/// What the built-in tools are made of.
pub struct Supplies {
    /// Limits and permissions.
    pub config: ToolsConfig,
    /// The process's environment, as `config` read it; commands see only a part of it.
    pub environment: BTreeMap<String, String>,
    /// Configured secrets: taken out of what tools show.
    pub secrets: Vec<Secret>,
    /// Named destinations, if there are any.
    pub gateway: Option<Arc<Gateway>>,
}

/// The built-in tools.
#[must_use]
pub fn builtin(supplies: Supplies) -> Catalogue {
    let Supplies { config, environment, secrets, gateway } = supplies;
    let files = Arc::new(Files::new(config.clone(), secrets.clone()));
    let mut tools: Vec<Arc<dyn Tool>> = vec![
        Arc::new(PlanTool),
        Arc::new(Bash::new(config, &environment, secrets)),
        Arc::new(Read::new(Arc::clone(&files))),
        Arc::new(Write::new(Arc::clone(&files))),
        Arc::new(Edit::new(files)),
    ];
    // A tool that could only refuse is not offered.
    if let Some(gateway) = gateway.filter(|gateway| !gateway.for_agent().is_empty()) {
        tools.push(Arc::new(NotifyTool::new(gateway)));
    }
    Catalogue::new(tools)
}

/// The tools that the model has.
#[derive(Clone)]
pub struct Catalogue {
    tools: Vec<(ToolSpec, Arc<dyn Tool>)>,
}

impl Catalogue {
    /// These tools, in this order. Of two with the same name the first stays, so that a tool from
    /// outside cannot stand in for one of ours.
    #[must_use]
    pub fn new(tools: Vec<Arc<dyn Tool>>) -> Self {
        let mut catalogue = Self { tools: Vec::with_capacity(tools.len()) };
        for tool in tools {
            catalogue.add(tool);
        }
        catalogue
    }

    /// Adds a tool at the end, unless its name is taken.
    pub fn add(&mut self, tool: Arc<dyn Tool>) {
        let spec = tool.spec();
        if self.find(&spec.name).is_some() {
            tracing::error!(tool = spec.name, "a second tool of this name is left out");
            return;
        }
        self.tools.push((spec, tool));
    }

    /// The tool of this exact name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Arc<dyn Tool>> {
        self.tools.iter().find(|(spec, _)| spec.name == name).map(|(_, tool)| tool)
    }

    /// All tools in order.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<dyn Tool>> {
        self.tools.iter().map(|(_, tool)| Arc::clone(tool)).collect()
    }

    /// What the model is told, in order.
    #[must_use]
    pub fn specs(&self) -> Vec<ToolSpec> {
        self.tools.iter().map(|(spec, _)| spec.clone()).collect()
    }

    /// Names that somebody who wrote `name` may have meant, the likeliest first.
    #[must_use]
    pub fn nearest(&self, name: &str) -> Vec<String> {
        nearest(name, self.tools.iter().map(|(spec, _)| spec.name.as_str()))
    }
}

/// Of `names`, those that are most like `wanted`: three at most, the likeliest first.
pub(super) fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let wanted = wanted.to_lowercase();
    let mut scored: Vec<(f64, &str)> = names
        .map(|name| (strsim::jaro_winkler(&wanted, &name.to_lowercase()), name))
        .filter(|(score, _)| *score >= ALIKE)
        .collect();
    scored.sort_by(|one, two| two.0.total_cmp(&one.0).then(one.1.cmp(two.1)));
    scored.into_iter().take(OFFERED).map(|(_, name)| name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalogue() -> Catalogue {
        builtin(Supplies {
            config: ToolsConfig::default(),
            environment: BTreeMap::new(),
            secrets: Vec::new(),
            gateway: None,
        })
    }

    #[test]
    fn tools_stand_in_a_fixed_order_and_are_found_by_exact_name() {
        let names: Vec<String> = catalogue().specs().into_iter().map(|spec| spec.name).collect();
        assert_eq!(names, ["plan_tool", "bash", "read", "write", "edit"]);
        assert!(catalogue().find("bash").is_some());
        assert!(catalogue().find("Bash").is_none());
    }

    #[test]
    fn a_wrong_name_gets_the_nearest_ones() {
        assert_eq!(catalogue().nearest("Bsh"), ["bash"]);
        assert_eq!(catalogue().nearest("plan"), ["plan_tool"]);
        assert_eq!(catalogue().nearest("zzz"), Vec::<String>::new());
    }

    #[test]
    fn a_second_tool_of_the_same_name_is_left_out() {
        let twice = Catalogue::new(vec![Arc::new(PlanTool), Arc::new(PlanTool)]);
        assert_eq!(twice.all().len(), 1);
    }

    #[test]
    fn every_schema_is_one_closed_object_without_references() {
        for spec in catalogue().specs() {
            let text = spec.parameters.to_string();
            assert_eq!(spec.parameters["type"], "object", "{}", spec.name);
            assert_eq!(spec.parameters["additionalProperties"], false, "{}", spec.name);
            assert!(!text.contains("$ref") && !text.contains("$schema"), "{text}");
            assert!(spec.description.len() > 80, "{}", spec.name);
        }
    }
}
