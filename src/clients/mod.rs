//! Typed doors to other people's APIs. Base URLs come in; nothing here decides what to do with an answer.

pub mod docs;
pub mod http;
pub mod hub;
pub mod sandbox;
pub mod slack;
