//! The one integration-test binary: each module below is a folder of `tests/`.

mod cli;
mod it;
mod store;
mod tidy;
mod wire;
