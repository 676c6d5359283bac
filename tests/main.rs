//! The one integration-test binary: each module below is a folder of `tests/`.
