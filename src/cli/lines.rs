//! Lines that a person types, or that another program sends.
//!
//! Owns one thread that reads plainly, for pipes and for terminals that can only print; others have
//! `live`. Never reads ahead of what was asked for. Start at [`Lines::read`].

use std::io::{BufRead, Write};

use tokio::sync::mpsc;

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// A line without its end.
    Text(String),
    /// There are no more (Ctrl+D, or the end of the input).
    End,
}

/// Where lines come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
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
