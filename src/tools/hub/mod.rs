//! The hands of an ML engineer: papers, documentation, datasets, repositories, jobs, sandboxes.
//!
//! One file (or folder) per tool; [`tools`] lists them in a fixed order. Each states its risk per operation:
//! reading is free, what changes something or costs money asks. Whose account a request is made with is
//! in [`access`]. Never talks HTTP itself: the doors are in `clients`.

pub mod access;
mod api;
pub mod dataset;
mod docs;
mod index;
pub mod jobs;
pub mod papers;
mod repo_files;
mod repo_git;
mod repo_words;
pub mod runs;
pub mod sandbox;
pub mod trackio;
mod words;

use std::path::PathBuf;
use std::sync::Arc;

pub use access::{Accounts, HubAccess, Unreadable};
pub use repo_files::HfRepoFiles;
pub use repo_git::HfRepoGit;
pub use runs::RunBook;
use sandbox::{SandboxCreate, Sandboxes};

use crate::agent::tool::Tool;
use crate::clients::dataset_viewer::DatasetViewer;
use crate::clients::docs::Docs;
use crate::clients::papers::Papers;
use crate::clock::Clock;
use crate::config::{HubConfig, ServicesConfig};
use crate::random::Random;
use crate::secret::Secret;

/// What the tools of Hugging Face share.
#[derive(Clone)]
pub struct HubKit {
    /// The Hub, as whoever asked sees it.
    pub access: HubAccess,
    /// Documentation, and the description of the Hub's API.
    pub docs: Docs,
    /// Papers, wherever they are.
    pub papers: Papers,
    /// The Hub's dataset viewer.
    pub viewer: DatasetViewer,
    /// Where everything is.
    pub services: ServicesConfig,
    /// Limits and accounts.
    pub config: HubConfig,
    /// What was run before.
    pub runs: Arc<dyn RunBook>,
    /// Whether jobs on CPU hardware ask too.
    pub confirm_cpu_jobs: bool,
    /// Characters of output that reach the model.
    pub output_cap: usize,
    /// A folder of our own for what may be kept between runs (ETags, indexes).
    pub cache: PathBuf,
    /// Kept out of outputs.
    pub secrets: Vec<Secret>,
    /// The sandboxes of all sessions, where tools act in them (`tool_runtime: sandbox`).
    pub sandboxes: Option<Arc<Sandboxes>>,
    /// Time.
    pub clock: Clock,
    /// Ids.
    pub random: Random,
}

/// The tools, in a fixed order. Adding one is one line here.
#[must_use]
pub fn tools(kit: &HubKit) -> Vec<Arc<dyn Tool>> {
    let mut tools: Vec<Arc<dyn Tool>> = Vec::new();
    tools.extend(docs::tools(kit));
    tools.push(Arc::new(HfRepoFiles::new(kit)));
    tools.push(Arc::new(HfRepoGit::new(kit)));
    tools.push(Arc::new(api::FindApi::new(kit)));
    tools.push(Arc::new(jobs::HfJobs::new(kit.clone())));
    tools.push(Arc::new(runs::Runs::new(Arc::clone(&kit.runs))));
    // Where nothing acts in a sandbox, one would be of no use.
    if let Some(sandboxes) = &kit.sandboxes {
        tools.push(Arc::new(SandboxCreate::new(Arc::clone(sandboxes))));
    }
    tools.push(Arc::new(papers::HfPapers::new(kit.papers.clone(), kit.output_cap, kit.secrets.clone())));
    tools.push(Arc::new(
        dataset::InspectDataset::new(
            kit.access.clone(),
            kit.viewer.clone(),
            kit.output_cap,
            kit.secrets.clone(),
        )
        .within(&kit.services),
    ));
    tools
}

#[cfg(test)]
mod repo_tests;
