//! Who works on which session, and when. Owns intake, workers, and the Presenter port.
//!
//! Never knows a front door or a provider. Start at [`intake`] for the way in and [`present`] for
//! the way out.

pub mod intake;
pub mod present;
