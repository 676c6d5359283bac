//! How much of a request is the one before it, byte for byte: what a provider's cache can serve.
//!
//! `cargo bench --bench caching`. Runs of tools through the real adapter against a server on loopback, one
//! dialect after the other. Owns no promise; those are in `tests/wire/model_caching.rs`.

use caching::{sent, share};

#[path = "caching/run.rs"]
mod caching;

/// Steps at which the share is told.
const AT: [usize; 4] = [1, 10, 100, 400];

const MODELS: [(&str, &str); 3] = [
    ("chat completions", "org/model:novita"),
    ("Anthropic", "anthropic/claude-opus-4-8"),
    ("Gemini", "gemini/gemini-2.5-flash"),
];

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    println!("share of a request's bytes that the next one begins with, in percent");
    println!("{:<18}{}", "after steps", AT.map(|step| format!("{step:>8}")).concat());
    for (dialect, model) in MODELS {
        let bodies = runtime.block_on(sent(model, AT[AT.len() - 1] + 1))?;
        let shares = AT.map(|step| format!("{:>8.1}", share(&bodies[step - 1], &bodies[step]) * 1e2));
        println!("{dialect:<18}{}", shares.concat());
    }
    Ok(())
}
