//! The chat where lines come one after the other: a pipe, or a terminal that can only print.
//!
//! Owns the loop of reading a line, having it done, and following the session. Terminals that can do
//! more have `live`. Start at [`run`].

use std::path::PathBuf;

use async_trait::async_trait;

use super::ask::Answer;
use super::commands::{self, Configured, Did};
use super::confirm::{CANCELLED, Question};
use super::conversation::{Asker, Conversation, Followed, Reply};
use super::exit::Exit;
use super::interrupts::{Interrupts, Press};
use super::lines::{Line, Lines};
use super::render::Screen;
use super::render::paint::Paint;
use super::seat::Seat;
use super::slash::{self, Typed};
use crate::protocol::{ApprovalRequest, Verdict};

/// What a chat needs besides its conversation.
pub struct Chat {
    /// Where events are drawn.
    pub screen: Box<dyn Screen>,
    /// Where lines come from.
    pub lines: Lines,
    /// Ctrl+C.
    pub interrupts: Interrupts,
    /// The person's editor.
    pub editor: Option<String>,
    /// Where a call is put while it is edited.
    pub scratch: PathBuf,
    /// Whether auto-approval is configured.
    pub yolo: Configured,
    /// Whether somebody sits here; if not, the exit code tells how the last turn ended.
    pub attended: bool,
}

/// Talks until the person leaves.
///
/// # Errors
/// The store failed.
pub async fn run(seat: &mut Seat, chat: &mut Chat) -> anyhow::Result<Exit> {
    let mut last = Exit::Finished;
    if seat.conversation.head().await?.is_some()
        && let Some(exit) = follow(&seat.conversation, chat, &mut last).await?
    {
        return Ok(exit);
    }
    loop {
        let read = tokio::select! {
            line = chat.lines.read("\n> ") => Some(line),
            press = chat.interrupts.pressed() => {
                if press == Press::Leave { return Ok(Exit::Interrupted) }
                None
            }
        };
        let text = match read {
            Some(Line::Text(text)) => text,
            Some(Line::End) => return Ok(if chat.attended { Exit::Finished } else { last }),
            None => {
                chat.screen.remark("Press Ctrl+C again to leave.");
                continue;
            }
        };
        chat.interrupts.reset();
        let typed = commands::read(seat, &text);
        match commands::act(seat, chat.screen.as_mut(), typed, chat.yolo).await? {
            Did::Nothing => continue,
            Did::Leaves => return Ok(if chat.attended { Exit::Finished } else { last }),
            Did::Wants(kind) => seat.conversation.submit(kind).await?,
            Did::Changed => {}
        }
        if let Some(exit) = follow(&seat.conversation, chat, &mut last).await? {
            return Ok(exit);
        }
    }
}

/// Follows the session until it rests; gives an exit if the person leaves.
async fn follow(
    conversation: &Conversation,
    chat: &mut Chat,
    last: &mut Exit,
) -> anyhow::Result<Option<Exit>> {
    let Chat { screen, lines, interrupts, editor, scratch, .. } = chat;
    let mut asker = AtTheTerminal { lines, editor: editor.as_deref(), scratch };
    Ok(match conversation.follow(screen.as_mut(), interrupts, &mut asker).await? {
        Followed::Rests(exit) => {
            *last = exit.unwrap_or(*last);
            None
        }
        Followed::StillWaits => {
            let id = &conversation.id;
            screen
                .remark(&format!("\nThe question stays open; `ml-intern --session {id}` comes back to it."));
            Some(Exit::Refused)
        }
        Followed::Leaves => Some(Exit::Interrupted),
    })
}

/// The person who sits here answers.
struct AtTheTerminal<'a> {
    lines: &'a mut Lines,
    editor: Option<&'a str>,
    scratch: &'a std::path::Path,
}

#[async_trait]
impl Asker for AtTheTerminal<'_> {
    async fn answer(
        &mut self,
        request: &ApprovalRequest,
        screen: &mut dyn Screen,
        interrupts: &mut Interrupts,
    ) -> anyhow::Result<Reply> {
        let mut question = Question::new(request.clone());
        loop {
            let prompt = question.prompt();
            let line = tokio::select! {
                line = self.lines.read(&prompt) => line,
                press = interrupts.pressed() => return Ok(match press {
                    Press::Stop => Reply::Verdict(Verdict::Reject { reason: Some(CANCELLED.to_owned()) }),
                    Press::Leave => Reply::Leave,
                }),
            };
            let text = match line {
                Line::Text(text) => text,
                Line::End => return Ok(Reply::Leave),
            };
            match slash::read(&text) {
                Typed::Quit => return Ok(Reply::Leave),
                Typed::Say(_) | Typed::Nothing => {}
                _ => {
                    screen.remark("Commands wait until the question is answered: y, n, e, or words.");
                    continue;
                }
            }
            match question.read(&text) {
                Answer::Verdict(verdict) => return Ok(Reply::Verdict(verdict)),
                Answer::Again(why) => screen.remark(why),
                Answer::Edit => {
                    let (asked, scratch) = (question.clone(), self.scratch.to_path_buf());
                    let editor = self.editor.map(str::to_owned);
                    let edit = move || asked.edit(editor.as_deref(), &scratch);
                    match tokio::task::spawn_blocking(edit).await? {
                        Ok(verdict) => match question.edited(verdict, Paint::Plain) {
                            Some(shown) => screen.remark(&shown),
                            None => screen.remark("Nothing was changed."),
                        },
                        Err(error) => screen.remark(&format!("{error:#}")),
                    }
                }
            }
        }
    }
}
