//! The registry of runs, for whoever asks for it.

use crate::protocol::{Event, RunFind, SessionHead};
use crate::runtime::worker::Worker;
use crate::store::Result;

/// Runs shown at a time.
const SHOWN: u32 = 20;

/// Runs that these words name: of this session's channel, where it is in one.
pub(super) async fn tell(worker: &Worker, head: &SessionHead, words: &str) -> Result<Event> {
    let channel = head.origin.channel.clone();
    let wanted = RunFind { words: words.to_owned(), session: None, channel, limit: SHOWN };
    let runs = worker.0.store.runs(&wanted).await?;
    Ok(Event::Runs { words: words.to_owned(), runs })
}
