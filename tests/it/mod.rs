//! Scenarios over the whole way, and what holds when a process dies between any two writes.

//HOLD mod approvals;
mod crash_points;
//HOLD mod kill;
//HOLD mod faults;
//HOLD mod threads;
//HOLD mod world;
