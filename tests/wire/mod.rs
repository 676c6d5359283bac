//! Wire tests: real clients against strict fakes on loopback.

mod messaging;
mod model;
mod model_chat;
mod model_claude;
mod model_fake;
mod model_faults;
mod playground;
