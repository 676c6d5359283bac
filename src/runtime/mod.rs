//! Who works on which session, and when. Owns intake, workers, and the Presenter port.
//!
//! Never knows a front door or a provider. [`intake`] is the way in, [`present`] and [`board`] the ways out;
//! [`worker`] claims sessions, `hold` moves one forward, `stop` ends what runs, [`apply`] says what an
//! operation does, `fork` how a conversation goes on elsewhere.

pub mod apply;
mod bells;
pub mod board;
pub mod find;
mod fork;
mod hold;
pub mod intake;
pub mod now_and_then;
mod outside;
pub mod past;
pub mod present;
pub mod purse;
mod spending;
mod stop;
mod timers;
pub mod worker;
mod yolo;

pub use crate::store::Listed;
pub use board::Board;
pub use intake::Intake;
pub use now_and_then::now_and_then;
pub use present::{Branch, Opening, PresentError, Presenter, Presenters};
pub use purse::LedgerPurse;
pub use worker::{Pace, Parts, Places, Worker};
