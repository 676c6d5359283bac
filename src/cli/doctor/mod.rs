//! `doctor`: checks everything that can be wrong before the bot runs, and says what to do.
//!
//! Owns the order of the checks and the report. Changes nothing outside the data folder. Start at
//! [`run`].

mod hub;
mod local;
mod model;
mod slack;

use serde_json::{Value, json};

use super::args::Flags;
use super::configuration;
use super::exit::Exit;
use super::render::clean::clean;
use crate::clock::Clock;
use crate::config::{ConfigError, Loaded};

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What.
    pub name: &'static str,
    /// How it stands.
    pub state: State,
    /// What was found.
    pub found: String,
    /// What to do about it.
    pub advice: Option<String>,
}

/// How a thing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Well.
    Good,
    /// It works, but look at it.
    Warning,
    /// It does not work.
    Failed,
    /// It was not looked at, because it is not configured or something before it failed.
    Skipped,
}

impl Check {
    fn good(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, state: State::Good, found: found.into(), advice: None }
    }

    fn skipped(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, state: State::Skipped, found: found.into(), advice: None }
    }

    fn failed(name: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { name, state: State::Failed, found: found.into(), advice: Some(advice.into()) }
    }

    fn warning(name: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { name, state: State::Warning, found: found.into(), advice: Some(advice.into()) }
    }

    fn line(&self) -> String {
        let mark = match self.state {
            State::Good => "✓",
            State::Warning => "!",
            State::Failed => "✗",
            State::Skipped => "–",
        };
        let advice = self.advice.as_ref().map(|advice| format!("\n    → {advice}")).unwrap_or_default();
        // What was found may quote other people's servers.
        clean(&format!("{mark} {}: {}{advice}", self.name, self.found))
    }

    fn json(&self) -> Value {
        let state = match self.state {
            State::Good => "good",
            State::Warning => "warning",
            State::Failed => "failed",
            State::Skipped => "skipped",
        };
        json!({ "name": self.name, "state": state, "found": self.found, "advice": self.advice })
    }
}

/// Checks everything, in an order in which one failure explains the next.
///
/// # Errors
/// No HTTP client can be built on this machine.
pub async fn run(loaded: Result<Loaded, ConfigError>, flags: &Flags) -> anyhow::Result<Exit> {
    let mut report = Report { json: flags.json, checks: Vec::new() };
    match loaded {
        Err(error) => report.add(Check::failed(
            "configuration",
            configuration::refusal(&error),
            "correct these; everything else depends on them",
        )),
        Ok(loaded) => {
            report.add(local::configuration(&loaded));
            report.add(local::tools(&loaded.config));
            report.add(local::store(&loaded.config, &Clock::system()).await);
            for check in slack::checks(&loaded.config, &Clock::system()).await? {
                report.add(check);
            }
            for check in model::checks(&loaded.config, &Clock::system()).await? {
                report.add(check);
            }
            for check in hub::checks(&loaded.config).await? {
                report.add(check);
            }
            for check in slack::destinations(&loaded.config).await? {
                report.add(check);
            }
        }
    }
    Ok(report.end())
}

/// Prints a line. If nobody reads it any more, the exit code still says how it went.
fn say(line: &str) {
    let _ = super::print_out(&format!("{line}\n"));
}

struct Report {
    json: bool,
    checks: Vec<Check>,
}

impl Report {
    fn add(&mut self, check: Check) {
        if !self.json {
            say(&check.line());
        }
        self.checks.push(check);
    }

    fn end(self) -> Exit {
        let failed = self.checks.iter().filter(|check| check.state == State::Failed).count();
        if self.json {
            let checks: Vec<Value> = self.checks.iter().map(Check::json).collect();
            say(&json!({ "ok": failed == 0, "checks": checks }).to_string());
        } else if failed == 0 {
            say("All is well.");
        } else {
            say(&format!("{failed} of {} checks failed.", self.checks.len()));
        }
        if failed == 0 { Exit::Finished } else { Exit::Failed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_what_to_do() {
        let check = Check::failed("store", "it is \u{1b}[31mfull", "make room");
        assert_eq!(check.line(), "✗ store: it is full\n    → make room");
        let report = |checks: Vec<Check>| Report { json: false, checks }.end();
        assert_eq!(report(vec![Check::good("a", ""), Check::skipped("b", "")]), Exit::Finished);
        assert_eq!(report(vec![Check::good("a", ""), check]), Exit::Failed);
        assert_eq!(report(vec![Check::warning("a", "", "")]), Exit::Finished);
    }
}
