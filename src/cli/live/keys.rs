//! Keys, pastes and new sizes, from a thread of their own.
//!
//! Owns the reading of the terminal. While it is paused nothing is read, so that an editor gets every
//! key. The queue is bounded: who types faster than we draw waits in the terminal.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use crossterm::event::{self, Event, KeyEvent, KeyEventKind};
use tokio::sync::mpsc;

use super::super::render::clean::clean;

/// How long a look at the terminal takes when nothing is typed; a pause begins after at most this.
const LOOK: Duration = Duration::from_millis(50);

const READING: u8 = 0;
const PAUSING: u8 = 1;
const PAUSED: u8 = 2;

/// What the terminal gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A key.
    Key(KeyEvent),
    /// A paste, cleaned.
    Paste(String),
    /// Columns and rows.
    Resized(u16, u16),
}

/// Where keys come from.
pub struct Keys {
    inputs: mpsc::Receiver<Input>,
    state: Arc<AtomicU8>,
}

impl Keys {
    /// Starts reading; the thread ends when this is dropped.
    ///
    /// # Errors
    /// No thread could be started.
    pub fn start() -> std::io::Result<Self> {
        let (send, inputs) = mpsc::channel(64);
        let state = Arc::new(AtomicU8::new(READING));
        let thread = state.clone();
        std::thread::Builder::new().name("keys".to_owned()).spawn(move || read(&send, &thread))?;
        Ok(Self { inputs, state })
    }

    /// The next input; `None` when the terminal is gone. Can be cancelled without losing one.
    pub async fn next(&mut self) -> Option<Input> {
        self.inputs.recv().await
    }

    /// Reads nothing more until [`Keys::resume`]; returns once that is certain.
    pub async fn pause(&self) {
        self.state.store(PAUSING, Ordering::SeqCst);
        while self.state.load(Ordering::SeqCst) != PAUSED && !self.inputs.is_closed() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Reads again.
    pub fn resume(&self) {
        self.state.store(READING, Ordering::SeqCst);
    }
}

fn read(send: &mpsc::Sender<Input>, state: &AtomicU8) {
    while !send.is_closed() {
        if state.load(Ordering::SeqCst) != READING {
            // Only what is being paused becomes paused: it may have been resumed just now.
            let _ = state.compare_exchange(PAUSING, PAUSED, Ordering::SeqCst, Ordering::SeqCst);
            std::thread::sleep(LOOK);
            continue;
        }
        match event::poll(LOOK) {
            Ok(false) => continue,
            Ok(true) => {}
            Err(_) => return,
        }
        let input = match event::read() {
            Ok(Event::Key(key)) if key.kind != KeyEventKind::Release => Input::Key(key),
            // Terminals send a carriage return for each line of a paste.
            Ok(Event::Paste(text)) => Input::Paste(clean(&text)),
            Ok(Event::Resize(columns, rows)) => Input::Resized(columns, rows),
            Ok(_) => continue,
            Err(_) => return,
        };
        if send.blocking_send(input).is_err() {
            return;
        }
    }
}
