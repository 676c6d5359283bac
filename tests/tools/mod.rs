//! Tools as somebody who adds one meets them.

mod custom_tool;
mod jobs;
mod repositories;
mod sandbox;
