//! What a job does: a test's choice. By default it runs for real.
//!
//! Owns [`JobPlan`] and its faults. Never runs anything; that is `play`. Start at [`JobPlan::process`]
//! and [`JobPlan::log`].

use std::time::Duration;

/// What a job does and what goes wrong meanwhile.
#[derive(Debug, Clone, PartialEq)]
pub struct JobPlan {
    pub(super) act: Act,
    pub(super) pace: Pace,
    pub(super) end: JobEnd,
    pub(super) starts_after: Duration,
    pub(super) mishaps: Vec<Mishap>,
}

/// Where a job's lines come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Act {
    /// The command runs on this machine.
    Process,
    /// These lines are written.
    Lines(Vec<String>),
    /// So many lines of so many bytes each, made when they are asked for and never kept.
    Endless { lines: usize, width: usize },
}

/// How fast lines that were written down are played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// All of them as the job starts.
    AtOnce,
    /// One after each such pause, by real time.
    Every(Duration),
    /// Only what [`Jobs::play`](super::Jobs::play) releases; after the last line the job ends with the
    /// next release.
    ByHand,
}

/// How a played job ends. A real one ends as its process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobEnd {
    /// `COMPLETED`.
    Completed,
    /// `ERROR`, with this exit code.
    Failed(i32),
    /// It hangs until its timeout or until somebody cancels it.
    Never,
}

/// How a log stream ends before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// As if it were complete.
    Clean,
    /// In the middle of the answer.
    Torn,
}

/// What goes wrong with a job. The stream starts again from the first line whenever it is asked for
/// without `tail`, as the real one does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mishap {
    /// The log stream ends after so many events, so many times.
    DropLogs {
        /// Events until it ends.
        every: usize,
        /// How often.
        times: u32,
        /// How.
        how: Cut,
    },
    /// The log stream brings bytes that are neither UTF-8 nor JSON before each event of this number.
    Garbage {
        /// Number of the event, from 0.
        before: usize,
    },
    /// `GET` of the log is answered with this status.
    LogStatus {
        /// HTTP status.
        status: u16,
        /// How often.
        times: u32,
    },
    /// `GET` of the job is answered with this status.
    JobStatus {
        /// HTTP status.
        status: u16,
        /// How often.
        times: u32,
    },
    /// Nobody knows the job any more: 404.
    Vanish,
}

impl JobPlan {
    fn of(act: Act, pace: Pace) -> Self {
        Self { act, pace, end: JobEnd::Completed, starts_after: Duration::ZERO, mishaps: Vec::new() }
    }

    /// The command runs on this machine with its plain Python, in a folder of its own. Dependencies are
    /// ignored; the image and the hardware are only names.
    #[must_use]
    pub fn process() -> Self {
        Self::of(Act::Process, Pace::AtOnce)
    }

    /// These lines are written as the job starts, and it completes.
    #[must_use]
    pub fn log<L: Into<String>>(lines: impl IntoIterator<Item = L>) -> Self {
        Self::of(Act::Lines(lines.into_iter().map(Into::into).collect()), Pace::AtOnce)
    }

    /// A log of `bytes` bytes in lines of `width`, made while it is read: a step and its loss, padded.
    #[must_use]
    pub fn endless_log(bytes: usize, width: usize) -> Self {
        Self::of(Act::Endless { lines: bytes / width.max(1), width }, Pace::AtOnce)
    }

    /// Plays the lines at this pace.
    #[must_use]
    pub fn at(self, pace: Pace) -> Self {
        Self { pace, ..self }
    }

    /// Ends so.
    #[must_use]
    pub fn ends(self, end: JobEnd) -> Self {
        Self { end, ..self }
    }

    /// Stays in `SCHEDULING` for so long, by the Hub's clock.
    #[must_use]
    pub fn starts_after(self, starts_after: Duration) -> Self {
        Self { starts_after, ..self }
    }

    /// Goes wrong in this way too.
    #[must_use]
    pub fn with(mut self, mishap: Mishap) -> Self {
        self.mishaps.push(mishap);
        self
    }
}
