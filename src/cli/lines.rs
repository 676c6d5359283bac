//! Lines that a person types, or that another program sends.
//!
//! Owns one thread that reads: with a line editor in a real terminal, plainly everywhere else. Never
//! reads ahead of what was asked for. Start at [`Lines::read`].

use std::io::{BufRead, Write};
use std::path::PathBuf;

use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;
use tokio::sync::mpsc;

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// A line without its end.
    Text(String),
    /// Ctrl+C was pressed in the line editor.
    Interrupted,
    /// There are no more (Ctrl+D, or the end of the input).
    End,
}

/// Where lines come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A terminal with a line editor and a history in this file.
    Editor {
        /// The history.
        history: PathBuf,
    },
    /// A terminal that can only print: prompts are printed.
    Dumb,
    /// A pipe or a file: no prompts.
    Piped,
}

/// Reads lines when asked.
pub struct Lines {
    asks: std::sync::mpsc::SyncSender<String>,
    lines: mpsc::Receiver<Line>,
    asked: bool,
}

impl Lines {
    /// Starts the reading thread. It ends with the process; a read in progress cannot be called off.
    ///
    /// # Errors
    /// No thread could be started.
    pub fn start(source: Source) -> anyhow::Result<Self> {
        let (asks, prompts) = std::sync::mpsc::sync_channel(1);
        let (send, lines) = mpsc::channel(1);
        std::thread::Builder::new().name("lines".to_owned()).spawn(move || match source {
            Source::Editor { history } => edited(&prompts, &send, &history),
            Source::Dumb => plain(&prompts, &send, Prompting::Shown),
            Source::Piped => plain(&prompts, &send, Prompting::Silent),
        })?;
        Ok(Self { asks, lines, asked: false })
    }

    /// The next line. If this is cancelled, the line is given to the next call.
    pub async fn read(&mut self, prompt: &str) -> Line {
        if !self.asked {
            self.asked = self.asks.try_send(prompt.to_owned()).is_ok();
        }
        let line = self.lines.recv().await.unwrap_or(Line::End);
        self.asked = false;
        line
    }
}

type Prompts = std::sync::mpsc::Receiver<String>;

fn edited(prompts: &Prompts, send: &mpsc::Sender<Line>, history: &std::path::Path) {
    let Ok(mut editor) = DefaultEditor::new() else { return plain(prompts, send, Prompting::Shown) };
    // The first run has no history yet.
    let _ = editor.load_history(history);
    while let Ok(prompt) = prompts.recv() {
        let line = match editor.readline(&prompt) {
            Ok(text) => {
                if !text.trim().is_empty() {
                    // A history that cannot be kept is no reason to stop.
                    let _ = editor.add_history_entry(&text);
                    let _ = editor.save_history(history);
                }
                Line::Text(text)
            }
            Err(ReadlineError::Interrupted) => Line::Interrupted,
            Err(_) => Line::End,
        };
        if send.blocking_send(line).is_err() {
            return;
        }
    }
}

fn plain(prompts: &Prompts, send: &mpsc::Sender<Line>, prompting: Prompting) {
    let mut input = std::io::stdin().lock();
    while let Ok(prompt) = prompts.recv() {
        if prompting == Prompting::Shown {
            let mut out = std::io::stdout().lock();
            let _ = out.write_all(prompt.as_bytes()).and_then(|()| out.flush());
        }
        let mut bytes = Vec::new();
        let line = match input.read_until(b'\n', &mut bytes) {
            Ok(0) | Err(_) => Line::End,
            Ok(_) => {
                let text = String::from_utf8_lossy(&bytes);
                Line::Text(text.trim_end_matches(['\n', '\r']).to_owned())
            }
        };
        if send.blocking_send(line).is_err() {
            return;
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Prompting {
    Shown,
    Silent,
}
