//! The real binary, as people and scripts run it: exit codes, standard streams, generated files.

mod audit;
#[cfg(unix)]
mod carry;
mod desk;
mod exits;
mod files;
#[cfg(unix)]
mod live;
mod sessions;
#[cfg(unix)]
mod slack;
#[cfg(unix)]
mod tty;
mod usage;
