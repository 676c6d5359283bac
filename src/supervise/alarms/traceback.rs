//! Python's tracebacks, collected over their lines.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// Lines that are kept from a traceback's beginning, and from its end.
const HEAD: usize = 12;
const TAIL: usize = 24;
/// Characters of a line that are kept.
const LINE: usize = 400;
/// Silence after which a traceback is over.
const SILENCE: Duration = Duration::from_secs(5);
/// What Python prints first.
const BEGINNING: &str = "Traceback (most recent call last)";

/// A traceback whose end has not been seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Traceback {
    /// What stands before each of its lines: `[rank0]: ` for example.
    prefix: String,
    head: Vec<String>,
    tail: Vec<String>,
    left_out: usize,
    /// The last line that was no frame.
    error: String,
    state: State,
    last: Timestamp,
}

/// ```text
///         unindented           blank or "During handling…"           "Traceback…"
/// frames ------------> error -------------------------------> chain -------------> frames
///   ^ indented, ^ cells   |  any other line: it is over         | anything else: over
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    /// Between the first line and the error.
    Frames,
    /// Behind the line that names the error.
    Error,
    /// Where another traceback may follow that belongs to it.
    Chain,
}

impl Traceback {
    /// A traceback that begins with this line.
    pub(super) fn begins(line: &str, at: Timestamp) -> Option<Self> {
        let start = line.find(BEGINNING)?;
        let prefix = &line[..start];
        // Rich draws a box around it; that one ends by its lower edge.
        let mut traceback = Self {
            prefix: prefix.to_owned(),
            head: Vec::new(),
            tail: Vec::new(),
            left_out: 0,
            error: String::new(),
            state: State::Frames,
            last: at,
        };
        traceback.keep(line);
        Some(traceback)
    }

    /// Takes a line if it belongs to it.
    pub(super) fn takes(&mut self, line: &str, at: Timestamp) -> bool {
        // Lines of other ranks come between its own.
        let Some(own) = line.strip_prefix(&self.prefix).or_else(|| self.alien(line)) else { return false };
        let (chained, blank) = (is_chain(own), own.trim().is_empty());
        let belongs = match self.state {
            State::Frames if own.starts_with([' ', '\t']) || blank => true,
            State::Frames => {
                self.state = State::Error;
                own.clone_into(&mut self.error);
                true
            }
            State::Error | State::Chain if chained || blank => {
                self.state = State::Chain;
                true
            }
            State::Error | State::Chain if own.contains(BEGINNING) => {
                self.state = State::Frames;
                true
            }
            // A message of several lines goes on indented.
            State::Error => own.starts_with([' ', '\t']),
            State::Chain => false,
        };
        if belongs {
            self.last = at;
            self.keep(line);
        }
        belongs
    }

    /// An empty line may have lost its prefix.
    fn alien<'a>(&self, line: &'a str) -> Option<&'a str> {
        (line.trim() == self.prefix.trim() || line.trim().is_empty()).then_some("")
    }

    /// Whether it is over because nothing came for some seconds.
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        now.since(self.last) >= SILENCE
    }

    /// The line that names the error.
    pub(super) fn error(&self) -> &str {
        if self.error.is_empty() { "A traceback whose last line was not seen." } else { &self.error }
    }

    /// All of it, without its middle if it is long.
    pub(super) fn text(&self) -> String {
        let mut lines: Vec<String> = self.head.clone();
        if self.left_out > 0 {
            lines.push(format!("  [… {} left out …]", crate::text::count(self.left_out, "line")));
        }
        lines.extend(self.tail.iter().cloned());
        while lines.last().is_some_and(|line| line.trim().is_empty()) {
            lines.pop();
        }
        lines.join("\n")
    }

    fn keep(&mut self, line: &str) {
        let line = crate::text::cut(line, LINE).into_owned();
        if self.head.len() < HEAD {
            self.head.push(line);
            return;
        }
        self.tail.push(line);
        if self.tail.len() > TAIL {
            self.tail.remove(0);
            self.left_out += 1;
        }
    }
}

fn is_chain(line: &str) -> bool {
    line.starts_with("During handling of the above exception")
        || line.starts_with("The above exception was the direct cause")
}
