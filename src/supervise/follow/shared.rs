//! What all followers share, and how often they do things.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::runtime::Intake;
use crate::secret::Secret;
use crate::store::Store;

/// How often things are done.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Between two beats: the clock is looked at, silence is noticed.
    pub beat: Duration,
    /// Between two looks at a job.
    pub look: Duration,
    /// The same while it runs and its log is open: the end of the log tells sooner.
    pub calm: Duration,
    /// Before the first try to open a log again that dropped; doubles up to [`Pace::look`] times two.
    pub again: Duration,
    /// Between two updates of a card.
    pub card: Duration,
    /// Between two pictures.
    pub picture: Duration,
    /// Between two saves, if something changed.
    pub save: Duration,
    /// For how long a ticket is held; it is renewed at a third of that.
    pub hold: Duration,
    /// How long a silent log is waited for after its job has ended.
    pub drain: Duration,
    /// How long the last card is tried to be shown.
    pub last: Duration,
}

impl Pace {
    /// The usual pace, but looking at jobs (and updating their cards) so often, in seconds; at least one.
    #[must_use]
    pub fn looking_every(seconds: u64) -> Self {
        let look = Duration::from_secs(seconds.max(1));
        let beat = Duration::from_secs(1).min(look / 5);
        Self { beat, look, card: look, picture: look * 6, again: look / 10, ..Self::default() }
    }
}

impl Default for Pace {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            beat: seconds(1),
            look: seconds(10),
            calm: seconds(45),
            again: seconds(1),
            card: seconds(10),
            picture: seconds(60),
            save: seconds(10),
            hold: seconds(30),
            drain: seconds(30),
            last: seconds(600),
        }
    }
}

/// What all followers share.
pub struct Shared {
    /// Where tickets are.
    pub store: Arc<dyn Store>,
    /// The way to sessions.
    pub intake: Intake,
    /// Time.
    pub clock: Clock,
    /// Where logs are kept; each ticket has a folder in it.
    pub folder: PathBuf,
    /// Kept out of everything.
    pub secrets: Arc<[Secret]>,
    /// Seconds of silence that make a stall; 0 for none.
    pub stall_s: u64,
    /// Bytes of a log that are kept.
    pub log_bytes: u64,
    /// How often things are done.
    pub pace: Pace,
}
