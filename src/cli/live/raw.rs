//! The terminal's own state: given to us key by key, and given back whatever happens.
//!
//! Owns [`Raw`]. The state comes back when it is dropped, when the loop that draws panics, and (because
//! signals are listened for) when the program is told to end. Never draws.

use std::io::Write;
use std::sync::Once;

use crossterm::terminal::{disable_raw_mode, enable_raw_mode};

/// Pastes come as one piece.
const ENTER: &str = "\u{1b}[?2004h";
/// Pastes as before, a cursor, no open frame, no colour.
const LEAVE: &str = "\u{1b}[?2026l\u{1b}[?2004l\u{1b}[?25h\u{1b}[0m";

/// The terminal, key by key.
pub struct Raw(());

impl Raw {
    /// Takes the terminal.
    ///
    /// # Errors
    /// It is no terminal, or it refuses.
    pub fn enter() -> std::io::Result<Self> {
        static ON_PANIC: Once = Once::new();
        let owner = std::thread::current().id();
        ON_PANIC.call_once(|| {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                // Elsewhere (a tool) the chat goes on: its words go to the log, which it draws.
                if std::thread::current().id() != owner && is_taken() {
                    tracing::error!("a part of the program failed: {panic}");
                    return;
                }
                give_back();
                before(panic);
            }));
        });
        take()?;
        Ok(Self(()))
    }

    /// Gives it back for a while (an editor, a stopped job).
    pub fn pause(&self) {
        give_back();
    }

    /// Takes it again.
    ///
    /// # Errors
    /// It is gone.
    pub fn resume(&self) -> std::io::Result<()> {
        take()
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        give_back();
    }
}

fn take() -> std::io::Result<()> {
    enable_raw_mode()?;
    write(ENTER)
}

fn give_back() {
    // Only what was taken is given back; twice is harmless.
    if is_taken() {
        let _ = write(LEAVE);
        let _ = disable_raw_mode();
    }
}

fn is_taken() -> bool {
    crossterm::terminal::is_raw_mode_enabled().unwrap_or(false)
}

fn write(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}
