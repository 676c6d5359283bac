//! The one integration-test binary: each module below is a folder of `tests/`.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on should fail there")]

mod cli;
mod it;
mod official;
mod store;
mod tidy;
mod tools;
mod wire;
