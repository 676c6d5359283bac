//! What the model can do: one file per tool, and the catalogue that lists them.
//!
//! A tool says what a call would do (`assess`) and does it (`call`); whether it may run is decided
//! elsewhere, by policy. Shared by the file tools: `workspace` (which paths may be touched),
//! `marks` (what was read), `spill` (where long output goes). Never asks people anything.
//! `computer` is where they act: this machine, or a sandbox.
//! `hardware` knows what rented machines cost. Start at [`catalogue`]; `docs/development.md` shows how a tool is added.

mod bash;
pub mod catalogue;
mod computer;
mod edit;
mod files;
pub mod hardware;
pub mod hub;
mod listing;
mod marks;
mod notify;
mod plan;
mod process;
mod read;
mod spill;
mod workspace;
mod write;

pub use bash::Bash;
pub use catalogue::{Supplies, builtin};
pub use edit::Edit;
pub use files::Files;
pub use notify::NotifyTool;
pub use plan::PlanTool;
pub use process::hide_own_environment;
pub use read::Read;
pub use write::Write;
