//! The registry of runs, for whoever asks for it.

use crate::protocol::{Event, RunFind};
use crate::runtime::worker::Worker;
use crate::store::Result;

/// Runs shown at a time.
const SHOWN: u32 = 20;

pub(super) async fn tell(worker: &Worker, words: &str) -> Result<Event> {
    let wanted = RunFind { words: words.to_owned(), session: None, limit: SHOWN };
    let runs = worker.0.store.runs(&wanted).await?;
    Ok(Event::Runs { words: words.to_owned(), runs })
}
