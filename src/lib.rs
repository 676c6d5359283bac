//! ml-intern: the machine-learning engineer that lives in a team's Slack.
//!
//! This file is the map: one sentence per room, and the import law that `tests/tidy` checks.
//!
//! | Room | Owns | May import, besides `protocol`, its own config section and the single files |
//! |---|---|---|
//! | [`protocol`] | the vocabulary: serde data, no IO, no async | nothing of ours but `clock` |
//! | [`config`] | one struct per section; the only reader of the environment | nothing more |
//! | [`clients`] | typed doors to other people's APIs | nothing more |
//! | [`store`] | ports Inbox, Sessions, Signals, Ledger, and their backends | nothing more |
//! | [`model`] | one stream of deltas and one completion, whatever the provider | `clients::http` |
//! | [`messaging`] | named destinations for notices, and the durable outbox | `store`, `clients` |
//! | [`agent`] | the loop, no IO: turn, step, dispatch, policy, approvals | `model` |
//! | [`tools`] | what the model can do, one file per tool | `agent`, `clients`, `messaging` |
//! | [`trace`] | transcripts as files: writing, reading, names of lines; no IO | nothing more |
//! | [`runtime`] | who works on which session, and when; the Presenter port | `agent`, `store` |
//! | [`supervise`] | jobs that run elsewhere, followed from start to settling | `runtime`, `store`, `messaging`, `clients` |
//! | [`slack`] | Slack as a front door | `runtime`, `clients::slack` |
//! | [`playground`] | a Slack workspace that you can hold, and a scripted model | `clock` only |
//! | `app` | the composition root | everything above |
//! | [`cli`] | the command line: chat, headless, serve, doctor | `app`, `runtime`, `trace`, `config`, `playground`; to check and connect: `clients::http`, `model`, `slack`, `store` |

pub mod agent;
pub mod app;
pub mod cli;
pub mod clients;
pub mod clock;
pub mod config;
pub mod messaging;
pub mod model;
pub mod playground;
pub mod protocol;
pub mod random;
pub mod runtime;
pub mod secret;
pub mod slack;
pub mod store;
pub mod supervise;
pub mod telemetry;
pub mod text;
pub mod tools;
pub mod trace;
