//! Runs `invariants::traces` on whatever libFuzzer makes up.
#![no_main]

#[path = "../invariants.rs"]
#[allow(dead_code, reason = "each target uses one of these")]
mod invariants;

libfuzzer_sys::fuzz_target!(|data: &[u8]| invariants::traces(data));
