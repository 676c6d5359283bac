//! The interactive chat.
//!
//! Owns the loop of reading a line, having it done, and following the session. Start at [`run`].

use std::path::PathBuf;

use async_trait::async_trait;

use super::ask::{self, Answer};
use super::conversation::{Asker, Conversation, Followed, Reply};
use super::exit::Exit;
use super::interrupts::{Interrupts, Press};
use super::lines::{Line, Lines};
use super::render::{Screen, question};
use super::slash::{self, Typed};
use crate::protocol::{ApprovalRequest, OperationKind, Setting};

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
    pub yolo: bool,
    /// Whether somebody sits here; if not, the exit code tells how the last turn ended.
    pub attended: bool,
}

/// Talks until the person leaves.
///
/// # Errors
/// The store failed.
pub async fn run(conversation: &Conversation, chat: &mut Chat) -> anyhow::Result<Exit> {
    let mut last = Exit::Finished;
    if conversation.head().await?.is_some()
        && let Some(exit) = follow(conversation, chat, &mut last).await?
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
            Some(Line::Interrupted) if chat.interrupts.press() == Press::Leave => {
                return Ok(Exit::Interrupted);
            }
            Some(Line::Interrupted) | None => {
                chat.screen.remark("Press Ctrl+C again to leave.");
                continue;
            }
        };
        chat.interrupts.reset();
        match slash::read(&text) {
            Typed::Quit => return Ok(if chat.attended { Exit::Finished } else { last }),
            typed => {
                if !act(conversation, chat, typed).await? {
                    continue;
                }
            }
        }
        if let Some(exit) = follow(conversation, chat, &mut last).await? {
            return Ok(exit);
        }
    }
}

/// Has a typed line done; says whether the session has something to do now.
async fn act(conversation: &Conversation, chat: &mut Chat, typed: Typed) -> anyhow::Result<bool> {
    let kind = match typed {
        Typed::Nothing | Typed::Quit => return Ok(false),
        Typed::Help => {
            chat.screen.remark(&slash::help());
            return Ok(false);
        }
        Typed::Refused(why) => {
            chat.screen.remark(&why);
            return Ok(false);
        }
        Typed::Say(text) => OperationKind::Say { text, handle: serde_json::Value::Null },
        Typed::Operation(kind) => kind,
        Typed::Clear => {
            chat.screen.clear();
            OperationKind::New
        }
        Typed::ToggleYolo => {
            let on = conversation.head().await?.is_some_and(|head| head.settings.yolo);
            if chat.yolo {
                chat.screen.remark(
                    "Auto-approval is on by configuration (yolo_mode); it cannot be switched off here.",
                );
                return Ok(false);
            }
            OperationKind::Set { setting: Setting::Yolo { on: !on, cap: None } }
        }
    };
    conversation.submit(kind).await?;
    Ok(true)
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
        let prompt = question::prompt(request);
        loop {
            let line = tokio::select! {
                line = self.lines.read(&prompt) => line,
                press = interrupts.pressed() => return Ok(match press {
                    Press::Stop => Reply::Stop,
                    Press::Leave => Reply::Leave,
                }),
            };
            let text = match line {
                Line::Text(text) => text,
                Line::End => return Ok(Reply::Leave),
                Line::Interrupted => {
                    interrupts.press();
                    return Ok(Reply::Stop);
                }
            };
            match ask::read(&text, request) {
                Answer::Verdict(verdict) => return Ok(Reply::Verdict(verdict)),
                Answer::Again(why) => screen.remark(why),
                Answer::Edit => {
                    let (request, scratch) = (request.clone(), self.scratch.to_path_buf());
                    let editor = self.editor.map(str::to_owned);
                    let edit = move || ask::edit(&request, editor.as_deref(), &scratch);
                    match tokio::task::spawn_blocking(edit).await? {
                        Ok(verdict) => return Ok(Reply::Verdict(verdict)),
                        Err(error) => screen.remark(&format!("{error:#}")),
                    }
                }
            }
        }
    }
}
