//! The one integration-test binary: each module below is a folder of `tests/`.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on should fail there")]
#![expect(clippy::disallowed_methods, reason = "tests pass their own PATH on to what they start")]

mod cli;
mod fuzz;
mod it;
mod official;
mod store;
mod tidy;
mod tools;
mod wire;
