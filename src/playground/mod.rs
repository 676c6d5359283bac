//! A Slack workspace that you can hold: Web API, Socket Mode, signed HTTP delivery, a page, and a
//! scripted model. Imports nothing of ours but `clock`; shares no type with our Slack client.
//! `docs/playground.md` is its contract.
//!
//! Start at [`Workspace::start`]; people act through [`Person`], tests look through [`Workspace`].
//! `state` is the truth, `api` is what a bot may call, `acts` is what people may do, `events` and
//! `delivery` carry what happened to the bot, `control` and `page` serve the browser.

mod acts;
mod api;
mod blocks;
mod control;
mod delivery;
mod events;
mod faults;
mod http;
pub mod hub;
mod message;
mod modals;
pub mod model;
mod options;
mod page;
mod people;
mod shared;
mod socket;
mod state;
pub mod story;
mod text;
mod tickets;
mod transcript;
mod workspace;

pub use acts::{Act, ActError};
pub use blocks::{BlockError, Surface, check_blocks};
pub use delivery::{AckRecord, Delivery, Redelivery};
pub use faults::Fault;
pub use message::{Chunks, FileCard, Message, Reaction, Task};
pub use options::{Budgets, ChannelSeed, GroupSeed, Options, PersonSeed};
pub use people::Person;
pub use shared::CallRecord;
pub use state::{Change, Channel, PersonCard, State, Status, View};
pub use workspace::Workspace;
