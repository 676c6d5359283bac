//! The command line: chat, headless runs, `serve`, `playground`, `doctor`, `config`, `manifest`.
//!
//! Owns what is typed and what is printed. Every command uses the same core (`app`). Start at
//! [`main`]; [`args`] is the tree, [`exit`] the numbers, [`conversation`] one session at the terminal.

pub mod args;
pub mod ask;
pub mod chat;
pub mod configuration;
pub mod conversation;
pub mod exit;
pub mod front;
pub mod headless;
pub mod interrupts;
pub mod lines;
pub mod render;
pub mod slash;
