//! From Slack's payloads to what they mean to us. Pure: raw JSON in, [`Inbound`] out.
//!
//! Reads only the fields it needs, from raw JSON, so that a field that is new (or of a new shape)
//! never costs an event. Never asks anybody anything. Start at [`event`], [`interaction`] and
//! [`command`].

mod command;
mod interaction;
mod message;
#[cfg(test)]
mod tests;
pub mod text;
mod thread_command;

pub use command::command;
pub use interaction::interaction;
pub use message::event;
pub use thread_command::is_about_a_token;

use std::collections::BTreeMap;

use super::place::Place;
use crate::protocol::{ApprovalId, JobWish, OperationKind, TicketId};
use crate::secret::Secret;

/// Who we are in this workspace; needed to tell a mention of us, and our own messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ourselves {
    /// The workspace.
    pub team: String,
    /// Our user id.
    pub user: String,
    /// Our bot id.
    pub bot: String,
}

/// What a payload means to us.
#[derive(Debug, Clone, PartialEq)]
pub enum Inbound {
    /// A person wrote something that may be for us.
    Spoken(Spoken),
    /// A person pressed a button on one of our messages.
    Clicked(Clicked),
    /// A person sent off one of our modals.
    Submitted(Submitted),
    /// A person used the slash command.
    Commanded(Commanded),
    /// A person pressed Slack's own Stop.
    Stopped {
        /// Where.
        place: Place,
        /// Who.
        person: Person,
        /// Slack's name of the event.
        event_id: String,
    },
    /// The token was revoked or the app removed.
    Revoked,
    /// Nothing to do, and why.
    Nothing(&'static str),
}

/// Who acted, as the payload says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// User id.
    pub id: String,
    /// Belongs to another organisation (Slack Connect).
    pub external: bool,
}

/// A message that may be for us.
#[derive(Debug, Clone, PartialEq)]
pub struct Spoken {
    /// The thread that it is in, or opens.
    pub place: Place,
    /// Who wrote it.
    pub person: Person,
    /// The message.
    pub ts: String,
    /// To whom.
    pub addressed: Addressed,
    /// What it says.
    pub words: Words,
}

/// To whom a message is addressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addressed {
    /// To us: it mentions us, or is a direct message.
    Us,
    /// To the thread: it counts if we are active there.
    Thread,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq)]
pub enum Words {
    /// Something for the model, still in Slack's markup.
    Say(String),
    /// A command to the session.
    Command(OperationKind),
    /// Go on here with what was said in the session of this name.
    GoOn(String),
    /// List the sessions in which these words were said.
    Sessions(String),
    /// Something about the person's own Hub token.
    Token(TokenWish),
    /// A request for the list of commands.
    Help,
    /// A command that does not exist, or is incomplete.
    Unclear(String),
}

/// What a person wants of their own Hub token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenWish {
    /// To know whether there is one.
    Tell,
    /// To have this one kept. It goes to no operation, and neither prints nor serialises.
    Give(Secret),
    /// To have it forgotten.
    Remove,
    /// It cannot be read; what was written is not kept, for it may hold a token.
    Unclear,
}

/// A button that was pressed.
#[derive(Debug, Clone, PartialEq)]
pub struct Clicked {
    /// The thread.
    pub place: Place,
    /// Who.
    pub person: Person,
    /// The message with the button.
    pub message_ts: String,
    /// Names this press, the same when Slack delivers it again.
    pub cause: String,
    /// What opens a modal, for three seconds.
    pub trigger: String,
    /// Which button.
    pub button: Button,
    /// The message's text, to rewrite it.
    pub text: String,
    /// The message's blocks, to rewrite it without buttons.
    pub blocks: serde_json::Value,
}

/// Our buttons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Button {
    /// Run it.
    Approve(ApprovalId),
    /// Run it and what is alike.
    ApproveForSession(ApprovalId),
    /// Open the editing modal.
    Edit(ApprovalId),
    /// Open the modal that asks for a reason.
    Reject(ApprovalId),
    /// Stop the turn.
    Stop,
    /// Something of a job.
    Job(TicketId, JobWish),
    /// Try the failed turn again.
    Retry,
    /// Say whether the answer helped.
    Feedback(String),
}

/// A modal that was sent off.
#[derive(Debug, Clone, PartialEq)]
pub struct Submitted {
    /// The thread that it is about.
    pub place: Place,
    /// Who.
    pub person: Person,
    /// Names this submission.
    pub cause: String,
    /// The approval that it is about.
    pub approval: ApprovalId,
    /// Which modal, and what was put in.
    pub form: Form,
}

/// What was put into a modal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// The reason of a rejection.
    Reject(Option<String>),
    /// The texts, by block id.
    Edit(BTreeMap<String, String>),
}

/// The slash command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commanded {
    /// The workspace.
    pub team: String,
    /// The channel it was typed in.
    pub channel: String,
    /// Who.
    pub person: Person,
    /// What follows the command.
    pub text: String,
    /// Names this use of the command.
    pub cause: String,
}
