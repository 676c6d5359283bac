//! Typed doors to other people's APIs. Base URLs come in; nothing here decides what to do with an answer.

pub mod dataset_viewer;
pub mod docs;
pub mod html;
pub mod http;
pub mod hub;
pub mod papers;
pub mod recent;
pub mod sandbox;
pub mod service;
pub mod slack;
