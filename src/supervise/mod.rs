//! Following what runs elsewhere: training jobs, from their start to their settling.
//!
//! Owns the reading of logs ([`log`], [`metrics`]), what goes wrong in them ([`alarms`]) and the picture of
//! a training ([`chart`]). Never runs anything itself and never decides what a session does.

pub mod alarms;
pub mod chart;
pub mod figures;
pub mod log;
pub mod metrics;
