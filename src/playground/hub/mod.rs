//! A small Hub that you can hold: repos with real commits, large files, pull requests, collections, the
//! dataset viewer, papers, documentation, jobs and Spaces; each service on an own port of loopback.
//! Imports nothing of ours but `clock`; shares no type with our clients.
//!
//! Never more lenient than the real one where it knows the real one's answer: it checks tokens, roles,
//! gates, names and hashes, and answers with the same codes. `claimed.txt` lists the calls of the
//! official client that work against it unchanged; `tests/official` proves them.
//!
//! Start at [`SmallHub::start`]; tests look through [`SmallHub::calls`] and [`SmallHub::look`].
//!
//! **To add routes** (as `jobs` and `spaces` do): a folder of its own with `pub fn doors() -> Doors`
//! ([`doors`]), one line in `http::all_doors`, and its state as one field of [`shared::Shared`]. What
//! is added through [`doors::Doors`] is described in the OpenAPI document by itself. Take
//! [`auth::Caller`] as an argument to know who calls, [`access::At`] to know which repo, and answer with
//! [`errors::HubError`]. [`shared::Shared::changes`] tells of repos made, changed and deleted: a new
//! Space, with what it was made of, is a [`state::Change`]. Faults and the log are applied around every
//! route.

mod access;
mod account;
mod auth;
mod buckets;
mod card;
mod collections;
mod commit;
mod cut;
#[cfg(test)]
mod desk_tests;
mod discussions;
mod docs;
mod doors;
mod errors;
mod faults;
mod git;
mod http;
mod info;
pub mod jobs;
mod list;
mod openapi;
mod options;
mod papers;
mod pulls;
mod refs;
mod repo;
#[cfg(test)]
mod repo_tests;
mod repos;
mod resolve;
mod seed;
mod shared;
mod small_hub;
mod spaces;
mod state;
mod tree;
mod upload;
mod viewer;
mod wire;
mod world;
mod yaml;

pub use buckets::Buckets;
pub use faults::{HubFault, Trouble};
pub use options::{AccountSeed, HubOptions, Limits, OrgRole, OrgSeed, TokenRole};
pub use repo::Gate;
pub use seed::RepoSeed;
pub use shared::{Addresses, HubCall, Service};
pub use small_hub::SmallHub;
pub use spaces::{Builds, SpaceStage, Spaces};
pub use state::{Change, Kind, State};
pub use world::{BOT, ORG};
