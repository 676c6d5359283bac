//! What keys, lines and signals do in the live chat.
//!
//! Owns the way from an input to an operation, an answer or a farewell.

use std::time::Duration;

use tokio::time::Instant;

use super::super::ask::Answer;
use super::super::commands::{self, Did};
use super::super::confirm::CANCELLED;
use super::super::exit::Exit;
use super::super::interrupts::Press;
use super::super::render::Screen;
use super::super::slash::{self, Typed};
use super::bindings::{self, Command};
use super::complete::{self, Offer, Wanted};
use super::keys::Input;
use super::prompt::Pressed;
use super::screen::Hands;
use super::{ECHO, FRAME, Live, Mode};
use crate::protocol::{OperationKind, Verdict};

/// An answer typed sooner than this after the question appeared was meant for something else.
const READING: Duration = Duration::from_millis(300);

/// How the loop goes on.
pub enum Step {
    /// It does.
    Stay,
    /// The person leaves.
    Leave(Exit),
}

impl Live<'_> {
    /// Ctrl+C as a signal, or the wish that we end.
    pub(super) async fn pressed(&mut self, press: Press) -> anyhow::Result<Step> {
        if press == Press::Leave {
            return Ok(self.leave(Exit::Interrupted));
        }
        self.change(FRAME);
        match &self.mode {
            Mode::Idle => {
                // What was typed goes; with nothing typed, people want to leave.
                if self.prompt.take().is_empty() {
                    self.screen.remark("Press Ctrl+C again to leave.");
                }
            }
            Mode::Busy => {
                self.screen.remark("Stopping. Press Ctrl+C again to leave.");
                self.seat.conversation.submit(OperationKind::Stop).await?;
            }
            Mode::Asking(_) => {
                self.decide(Verdict::Reject { reason: Some(CANCELLED.to_owned()) }).await?;
            }
        }
        Ok(Step::Stay)
    }

    pub(super) async fn input(&mut self, input: Input) -> anyhow::Result<Step> {
        self.change(ECHO);
        match input {
            Input::Paste(text) => self.prompt.paste(&text),
            Input::Resized(columns, rows) => {
                self.size = (usize::from(columns).max(1), usize::from(rows).max(1));
                self.screen.resize(self.size.0);
                self.region.resize(self.size.0);
            }
            Input::Key(key) => {
                let Some(command) = bindings::command(key) else { return Ok(Step::Stay) };
                if command == Command::Interrupt && self.prompt.search().is_none() {
                    let press = self.interrupts.press();
                    return self.pressed(press).await;
                }
                match self.prompt.press(command) {
                    Pressed::Edited | Pressed::Interrupt => {}
                    Pressed::Submitted(text) => return self.submitted(text).await,
                    Pressed::Completing => self.complete().await?,
                    Pressed::Leave => return Ok(self.leave(Exit::Finished)),
                    Pressed::Redraw => self.region.redraw(),
                    Pressed::Suspend => self.suspend().await?,
                }
            }
        }
        Ok(Step::Stay)
    }

    async fn complete(&mut self) -> anyhow::Result<()> {
        let offer = match complete::offer(self.prompt.buffer().before(), &self.known) {
            Wanted::Offer(offer) => offer,
            Wanted::Files { from, path } => {
                let cwd = self.cwd.clone();
                let choices = tokio::task::spawn_blocking(move || complete::files(&cwd, &path)).await?;
                Offer { from, choices }
            }
        };
        self.prompt.offer(offer);
        Ok(())
    }

    async fn submitted(&mut self, text: String) -> anyhow::Result<Step> {
        // At a question words are its answer; commands are what they always are.
        let is_answer = matches!(slash::read(&text), Typed::Say(_) | Typed::Nothing);
        if matches!(self.mode, Mode::Asking(_)) && is_answer {
            self.answered(text).await?;
            return Ok(Step::Stay);
        }
        self.interrupts.reset();
        if let Some(unwritten) = self.prompt.remember(&text) {
            // A history that cannot be kept is no reason to stop.
            let _ = tokio::task::spawn_blocking(move || unwritten.write()).await;
        }
        let typed = commands::read(self.seat, &text);
        if !matches!(typed, Typed::Say(_) | Typed::Nothing) {
            self.screen.said(text.trim());
        }
        match commands::act(self.seat, &mut self.screen, typed, self.yolo).await? {
            Did::Nothing => {}
            Did::Leaves => return Ok(self.leave(Exit::Finished)),
            Did::Changed => {
                self.unask();
                self.open = None;
                self.screen.change();
                self.open_session().await?;
            }
            Did::Wants(kind) => self.want(kind).await?,
        }
        Ok(Step::Stay)
    }

    async fn want(&mut self, kind: OperationKind) -> anyhow::Result<()> {
        let hands = if matches!(self.mode, Mode::Idle) { Hands::Free } else { Hands::Full };
        if let OperationKind::Say { text, .. } = &kind {
            self.screen.submitted(text, hands);
        }
        if matches!(kind, OperationKind::Say { .. } | OperationKind::Compact | OperationKind::Retry) {
            self.screen.board.since.get_or_insert(Instant::now());
        }
        if matches!(self.mode, Mode::Idle) {
            self.mode = Mode::Busy;
        }
        self.seat.conversation.submit(kind).await
    }

    async fn answered(&mut self, text: String) -> anyhow::Result<()> {
        let Mode::Asking(asking) = &self.mode else { return Ok(()) };
        if asking.since.elapsed() < READING {
            self.prompt.set(&text);
            return Ok(());
        }
        match asking.question.read(&text) {
            Answer::Verdict(verdict) => self.decide(verdict).await?,
            Answer::Again(why) => self.screen.remark(why),
            Answer::Edit => self.edit().await?,
        }
        Ok(())
    }

    async fn decide(&mut self, verdict: Verdict) -> anyhow::Result<()> {
        let Some(request) = self.open.take() else { return Ok(()) };
        self.prompt.take();
        self.unask();
        self.screen.board.since.get_or_insert(Instant::now());
        self.seat.conversation.submit(OperationKind::Decide { approval: request.id, verdict }).await
    }

    /// Lets the person change the call in their editor, which has the terminal to itself meanwhile.
    async fn edit(&mut self) -> anyhow::Result<()> {
        let Mode::Asking(asking) = &self.mode else { return Ok(()) };
        let (question, scratch) = (asking.question.clone(), self.scratch.clone());
        let editor = self.editor.clone();
        self.lend().await;
        let edited = tokio::task::spawn_blocking(move || question.edit(editor.as_deref(), &scratch)).await;
        self.take_back()?;
        let paint = self.screen.look.paint;
        let shown = match (&mut self.mode, edited?) {
            (Mode::Asking(asking), Ok(verdict)) => {
                let shown = asking.question.edited(verdict, paint);
                (asking.prompt, asking.since) = (asking.question.prompt(), Instant::now());
                shown.ok_or_else(|| "Nothing was changed.".to_owned())
            }
            (_, Err(error)) => Err(format!("{error:#}")),
            (_, Ok(_)) => return Ok(()),
        };
        match shown {
            Ok(difference) => self.screen.drawn(&difference),
            Err(words) => self.screen.remark(&words),
        }
        Ok(())
    }

    /// Ctrl+Z: the shell has the terminal until it brings us back.
    async fn suspend(&mut self) -> anyhow::Result<()> {
        #[cfg(unix)]
        {
            self.lend().await;
            let stopped = nix::sys::signal::raise(nix::sys::signal::Signal::SIGTSTP);
            self.take_back()?;
            stopped?;
        }
        Ok(())
    }

    /// Gives the terminal away for a while.
    async fn lend(&mut self) {
        self.region.clear();
        self.keys.pause().await;
        self.raw.pause();
    }

    fn take_back(&mut self) -> anyhow::Result<()> {
        self.raw.resume()?;
        self.interrupts.forget();
        self.keys.resume();
        self.region.forget();
        self.size = super::size();
        self.screen.resize(self.size.0);
        self.change(ECHO);
        Ok(())
    }

    /// What leaving comes to, as things stand.
    fn leave(&mut self, exit: Exit) -> Step {
        let id = &self.seat.conversation.id;
        match &self.mode {
            Mode::Idle => Step::Leave(exit),
            Mode::Busy => {
                let words = format!("Work was in hand; `ml-intern --session {id}` goes on with it.");
                self.screen.remark(&words);
                Step::Leave(Exit::Interrupted)
            }
            Mode::Asking(_) => {
                let words = format!("The question stays open; `ml-intern --session {id}` comes back to it.");
                self.screen.remark(&words);
                Step::Leave(if exit == Exit::Interrupted { exit } else { Exit::Refused })
            }
        }
    }
}
