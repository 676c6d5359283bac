//! A job's log: lines that are kept, or lines that are made when somebody reads them.

use crate::clock::Timestamp;

/// Most bytes of a real process's log that are kept; what comes after is counted and dropped.
const KEPT: usize = 64 * 1024 * 1024;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Log {
    kept: Vec<(Timestamp, String)>,
    bytes: usize,
    made: Option<Made>,
}

#[derive(Debug, Clone, Copy)]
struct Made {
    lines: usize,
    width: usize,
    from: Timestamp,
}

impl Log {
    /// Adds a line.
    pub(super) fn push(&mut self, at: Timestamp, line: String) {
        if self.bytes >= KEPT {
            return;
        }
        self.bytes = self.bytes.saturating_add(line.len());
        self.kept.push((at, line));
        if self.bytes >= KEPT {
            self.kept.push((at, format!("[the small Hub keeps {KEPT} bytes of a log and dropped the rest]")));
        }
    }

    /// Lets these lines follow what was kept; they take no room.
    pub(super) fn make(&mut self, lines: usize, width: usize, from: Timestamp) {
        self.made = Some(Made { lines, width, from });
    }

    pub(super) fn len(&self) -> usize {
        self.kept.len() + self.made.map_or(0, |it| it.lines)
    }

    /// One line, from 0.
    pub(super) fn line(&self, index: usize) -> Option<(Timestamp, String)> {
        if let Some(kept) = self.kept.get(index) {
            return Some(kept.clone());
        }
        let made = self.made?;
        let step = index - self.kept.len();
        (step < made.lines).then(|| made.line(step))
    }
}

impl Made {
    fn line(&self, step: usize) -> (Timestamp, String) {
        let mut text = format!("{{'loss': {:.4}, 'step': {step}}} ", 1.0 + 3.0 / (step as f64 + 1.0).sqrt());
        while text.len() < self.width {
            text.push('.');
        }
        text.truncate(self.width);
        (self.from, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_of_two_gigabytes_takes_no_room() {
        let mut log = Log::default();
        log.push(Timestamp(1), "===== Job started".to_owned());
        log.make(20_000_000, 100, Timestamp(2));
        assert_eq!(log.len(), 20_000_001);
        let (at, line) = log.line(19_999_999).unwrap();
        assert_eq!((at, line.len()), (Timestamp(2), 100));
        assert!(line.starts_with("{'loss': 1.0007, 'step': 19999998} ..."), "{line}");
        assert!(log.line(20_000_001).is_none());
        assert!(log.kept.len() == 1);
    }

    #[test]
    fn a_process_that_never_stops_writing_is_cut_with_a_word() {
        let mut log = Log::default();
        for _ in 0..70 {
            log.push(Timestamp(1), "x".repeat(1024 * 1024));
        }
        assert_eq!(log.len(), 65);
        assert!(log.line(64).unwrap().1.starts_with("[the small Hub keeps"));
    }
}
