//! How far a log has been read, so that a stream that is opened again goes on there.
//!
//! The service plays the log from its beginning (or from some later line) each time. Lines carry the moment they were
//! written, and several may carry the same. No line is taken twice, none is left out.

use std::hash::{Hash, Hasher};

use serde::{Deserialize, Serialize};

use super::RawLine;
use crate::clock::Timestamp;

/// The last line that was taken.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Position {
    /// How many lines were taken.
    pub lines: u64,
    /// Recognises the very first line.
    first: Option<u64>,
    /// The latest moment of all lines taken.
    latest: Option<Timestamp>,
    /// How many lines carry that moment.
    at_latest: u64,
}

/// One opening of the stream.
///
/// ```text
///         first line is the one known         as many lines as were taken, or a later moment
/// opened ----------------------------> counting -------------------------------------------> live
///    |                                                                                        ^
///    +-- another line: by moments -- a later moment, or more of the latest than were taken ---+
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replay {
    /// No line has come.
    Opened,
    /// It plays from the very beginning: the next line has this number, from 0.
    Counting(u64),
    /// It plays from somewhere: so many lines of the latest moment have come.
    Moments(u64),
    /// What comes is new.
    Live,
}

impl Position {
    /// Whether this line, the next one of an opened stream, is new. Counts it if it is.
    pub fn takes(&mut self, replay: &mut Replay, line: &RawLine) -> bool {
        if *replay == Replay::Opened {
            *replay = match self.first {
                None => Replay::Live,
                Some(first) if first == fingerprint(line) => Replay::Counting(0),
                Some(_) => Replay::Moments(0),
            };
        }
        let later = match (line.at, self.latest) {
            (Some(at), Some(latest)) => at > latest,
            _ => false,
        };
        let new = match replay {
            Replay::Opened | Replay::Live => true,
            _ if later => true,
            Replay::Counting(number) => {
                *number += 1;
                *number > self.lines
            }
            Replay::Moments(seen) => match (line.at, self.latest) {
                (Some(at), Some(latest)) if at == latest => {
                    *seen += 1;
                    *seen > self.at_latest
                }
                // An older moment was seen; without moments nobody can tell, and twice is better than never.
                (Some(_), _) => false,
                (None, _) => self.latest.is_none(),
            },
        };
        if new {
            *replay = Replay::Live;
            self.count(line);
        }
        new
    }

    fn count(&mut self, line: &RawLine) {
        self.first.get_or_insert_with(|| fingerprint(line));
        self.lines += 1;
        if let Some(at) = line.at {
            match self.latest {
                Some(latest) if at < latest => {}
                Some(latest) if at == latest => self.at_latest += 1,
                _ => {
                    self.latest = Some(at);
                    self.at_latest = 1;
                }
            }
        }
    }
}

/// Fixed over processes: FNV-1a.
fn fingerprint(line: &RawLine) -> u64 {
    struct Fnv(u64);
    impl Hasher for Fnv {
        fn finish(&self) -> u64 {
            self.0
        }
        fn write(&mut self, bytes: &[u8]) {
            for byte in bytes {
                self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
    }
    let mut hasher = Fnv(0xcbf2_9ce4_8422_2325);
    line.at.map(|at| at.0.to_le_bytes()).hash(&mut hasher);
    hasher.write(line.text.as_bytes());
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(at: i64, text: &str) -> RawLine {
        RawLine { at: Some(Timestamp(at)), text: text.to_owned() }
    }

    /// What is taken of streams that are opened one after another, each with its lines.
    fn taken(streams: &[&[RawLine]]) -> Vec<String> {
        let mut position = Position::default();
        let mut out = Vec::new();
        for stream in streams {
            let mut replay = Replay::Opened;
            for line in *stream {
                if position.takes(&mut replay, line) {
                    out.push(line.text.clone());
                }
            }
            // A restart of the process in between changes nothing.
            position = serde_json::from_str(&serde_json::to_string(&position).unwrap()).unwrap();
        }
        out
    }

    #[test]
    fn forty_drops_neither_lose_nor_double_a_line() {
        // Three lines per moment, one of them the same text.
        let log: Vec<RawLine> =
            (0..120).map(|number| line(number / 3, if number % 3 == 0 { "same" } else { "other" })).collect();
        let streams: Vec<&[RawLine]> = (0..=40).map(|drop| &log[..drop * 3]).collect();
        let expected: Vec<String> = log.iter().map(|line| line.text.clone()).collect();
        assert_eq!(taken(&streams), expected);
    }

    #[test]
    fn drops_at_every_single_line_are_fine_with_and_without_moments() {
        let with: Vec<RawLine> = (0..50).map(|number| line(number / 7, &format!("{}", number % 4))).collect();
        let without: Vec<RawLine> = with.iter().map(|it| RawLine { at: None, ..it.clone() }).collect();
        for log in [with, without] {
            let streams: Vec<&[RawLine]> = (0..=50).map(|end| &log[..end]).collect();
            let expected: Vec<String> = log.iter().map(|line| line.text.clone()).collect();
            assert_eq!(taken(&streams), expected);
        }
    }

    #[test]
    fn lines_whose_moments_go_back_are_kept() {
        let log = [line(1, "a"), line(5, "b"), line(3, "c"), line(5, "d"), line(4, "e"), line(6, "f")];
        let streams: Vec<&[RawLine]> = (0..=log.len()).map(|end| &log[..end]).collect();
        assert_eq!(taken(&streams), ["a", "b", "c", "d", "e", "f"]);
    }

    #[test]
    fn a_log_whose_beginning_is_gone_goes_on_by_its_moments() {
        let log: Vec<RawLine> = (0..30).map(|number| line(number / 2, &format!("line {number}"))).collect();
        let out = taken(&[&log[..15], &log[10..20], &log[18..]]);
        let expected: Vec<String> = (0..30).map(|number| format!("line {number}")).collect();
        assert_eq!(out, expected);
    }
}
