//! The live screen: finished text above, the region below.
//!
//! Owns [`LiveScreen`]: text for people collects here until the next frame puts it above the region.
//! What an event looks like is `render::text`'s business.

use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use super::super::render::Screen;
use super::super::render::look::Look;
use super::super::render::text::{Detail, TextScreen};
use super::board::{Board, Said};
use crate::protocol::{ApprovalRequest, Event, PlanItem};

/// Text that waits for the next frame.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<String>>);

impl Paper {
    fn lock(&self) -> MutexGuard<'_, String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.lock().push_str(&String::from_utf8_lossy(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The live screen.
pub struct LiveScreen {
    text: TextScreen,
    paper: Paper,
    /// How it draws.
    pub look: Look,
    /// What the region tells of the session.
    pub board: Board,
    /// Whether the person wants an empty screen.
    pub wiped: bool,
}

impl LiveScreen {
    /// An empty screen.
    #[must_use]
    pub fn new(look: Look, detail: Detail) -> Self {
        let paper = Paper::default();
        let text = TextScreen::new(Box::new(paper.clone()), look, detail);
        Self { text, paper, look, board: Board::default(), wiped: false }
    }

    /// Whole lines that wait to be put above the region.
    #[must_use]
    pub fn finished(&mut self) -> String {
        std::mem::take(&mut *self.paper.lock())
    }

    /// Text on its way that is no complete block yet.
    #[must_use]
    pub fn unfinished(&self) -> &str {
        self.text.unfinished()
    }

    /// The terminal has another width now.
    pub fn resize(&mut self, columns: usize) {
        self.look.width = Look::fitting(columns);
        self.text.resize(columns);
    }

    /// Shows what the person said, as it stands in the conversation.
    pub fn said(&mut self, text: &str) {
        let text = super::super::render::clean::clean(text);
        let lines: Vec<String> = text
            .lines()
            .enumerate()
            .map(|(at, line)| format!("{} {}", if at == 0 { ">" } else { " " }, self.look.paint.bold(line)))
            .collect();
        self.put(&format!("\n{}\n", lines.join("\n")));
    }

    /// Words are on their way to the agent.
    pub fn submitted(&mut self, text: &str, busy: Hands) {
        let shown = busy == Hands::Free;
        if shown {
            self.said(text);
        }
        self.board.waiting.push_back(Said { text: text.to_owned(), shown });
    }

    /// The session rests: all words were taken, and nothing runs.
    pub fn rest(&mut self) {
        while let Some(said) = self.board.waiting.pop_front() {
            if !said.shown {
                self.said(&said.text);
            }
        }
        self.board.rest();
    }

    /// Another session is shown from now on.
    pub fn change(&mut self) {
        self.board = Board::default();
    }

    /// Puts whole lines above that are drawn already.
    pub fn drawn(&mut self, lines: &str) {
        self.put(lines);
    }

    fn put(&mut self, text: &str) {
        self.paper.lock().push_str(text);
    }
}

/// Whether the agent's hands are free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hands {
    /// What is said begins a turn.
    Free,
    /// What is said waits until the agent takes it.
    Full,
}

impl Screen for LiveScreen {
    fn event(&mut self, event: &Event) {
        let taken = self.board.take(event, Instant::now());
        if let Some(said) = taken.filter(|said| !said.shown) {
            self.said(&said.text);
        }
        match event {
            // It stands in the region; where the turn ends it goes above once, for later.
            Event::PlanUpdate { .. } => {}
            // Progress of a call stands in the region too; what it came to follows.
            Event::ToolLog { tool_call_id: Some(_), .. } => {}
            Event::TurnComplete { .. } | Event::Interrupted { .. } | Event::Error { .. } => {
                if std::mem::take(&mut self.board.plan_changed) && !self.board.plan.is_empty() {
                    let plan = self.board.plan.clone();
                    self.put("\n");
                    self.text.event(&Event::PlanUpdate { plan });
                }
                self.text.event(event);
            }
            event => self.text.event(event),
        }
    }

    fn question(&mut self, request: &ApprovalRequest) {
        self.text.question(request);
    }

    fn plan(&mut self, plan: &[PlanItem]) {
        Screen::plan(&mut self.text, plan);
    }

    fn remark(&mut self, text: &str) {
        self.text.remark(text);
    }

    /// The region's owner empties the screen, with the next frame.
    fn clear(&mut self) {
        self.wiped = true;
    }
}
