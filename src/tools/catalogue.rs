//! The list of tools, in a fixed order. Adding one is one line in [`builtin`].

use std::collections::BTreeMap;
use std::sync::Arc;

use super::computer::{Computer, Local, Remote};
use super::hub::HubKit;
use super::{Bash, Edit, Files, NotifyTool, PlanTool, Read, Write};
use crate::agent::tool::Tool;
use crate::config::ToolsConfig;
use crate::messaging::Gateway;
use crate::secret::Secret;

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
    /// What the tools of Hugging Face share; without it there are none.
    pub hub: Option<HubKit>,
}

/// The built-in tools.
#[must_use]
pub fn builtin(supplies: Supplies) -> Vec<Arc<dyn Tool>> {
    let Supplies { config, environment, secrets, gateway, hub } = supplies;
    // Bash, read, write and edit act in sandboxes where there are some, else on this machine.
    let computer: Arc<dyn Computer> = match hub.as_ref().and_then(|kit| Some((kit, kit.sandboxes.clone()?))) {
        Some((kit, sandboxes)) => {
            Arc::new(Remote::new(sandboxes, kit.random.clone(), config.output_cap_chars, secrets.clone()))
        }
        None => Arc::new(Local::new(config.clone(), &environment, secrets.clone())),
    };
    let output_cap = config.output_cap_chars;
    let files = Arc::new(Files::on(Arc::clone(&computer), config, secrets));
    let mut tools: Vec<Arc<dyn Tool>> = vec![
        Arc::new(PlanTool),
        Arc::new(Bash::on(computer, output_cap)),
        Arc::new(Read::new(Arc::clone(&files))),
        Arc::new(Write::new(Arc::clone(&files))),
        Arc::new(Edit::new(files)),
    ];
    // A tool that could only refuse is not offered.
    if let Some(gateway) = gateway.filter(|gateway| !gateway.for_agent().is_empty()) {
        tools.push(Arc::new(NotifyTool::new(gateway)));
    }
    if let Some(kit) = hub {
        tools.extend(super::hub::tools(&kit));
    }
    tools
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_stand_in_a_fixed_order() {
        let tools = builtin(Supplies {
            config: ToolsConfig::default(),
            environment: BTreeMap::new(),
            secrets: Vec::new(),
            gateway: None,
            hub: None,
        });
        let names: Vec<String> = tools.iter().map(|tool| tool.spec().name).collect();
        assert_eq!(names, ["plan_tool", "bash", "read", "write", "edit"]);
    }
}
