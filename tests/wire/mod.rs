//! Wire tests: real clients against strict fakes on loopback.

mod dataset;
mod docs;
mod hub;
pub mod hub_fake;
mod jobs;
mod messaging;
mod model;
mod model_caching;
mod model_catalogue;
mod model_chat;
mod model_claude;
mod model_fake;
mod model_faults;
mod papers;
mod playground;
mod slack_door;
mod slack_listen;
mod slack_long_turns;
mod slack_present;
mod slack_requests;
mod slack_socket;
mod slack_thread;
