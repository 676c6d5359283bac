//! Scenarios over the whole way, and what holds when a process dies between any two writes.

mod crash_points;
