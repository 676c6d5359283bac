//! Scenarios over the whole way, and what holds when a process dies between any two writes.

mod approvals;
mod approvals_rules;
mod crash_points;
mod faults;
mod fork_points;
mod forks;
mod hard_moments;
mod jobs;
mod kill;
mod kill_jobs;
mod memory;
mod models;
mod money;
mod money_race;
mod retention;
mod sharing;
mod story;
mod threads;
mod tokens;
mod world;
