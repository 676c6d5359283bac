//! The loop, with no IO of its own: turn, step, dispatch, policy, approvals.
//!
//! Runs with nothing but a scripted model and toy tools. Never sees a retryable error, never knows
//! a front door. Start at [`tool`] for the port that tools fill.

pub mod tool;
