//! What leaves a session. The wire names are those that users of ml-intern know.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::approval::{ApprovalRequest, Decision};
use super::ids::{CallId, PersonId, TurnId};
use super::plan::PlanItem;
use super::usage::Usage;

/// One thing that a session shows to people. One JSON object per line with `--json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event_type", content = "data", rename_all = "snake_case")]
pub enum Event {
    /// The session can take a request.
    Ready {
        /// A greeting line.
        message: String,
        /// How many tools the model has.
        tool_count: usize,
    },
    /// A turn is being worked on; sent again each time a worker takes it up.
    Processing {
        /// The turn.
        turn: TurnId,
        /// Who asked for it.
        requester: PersonId,
        /// A line for people.
        message: String,
    },
    /// A piece of the answer's text.
    AssistantChunk {
        /// The piece.
        content: String,
    },
    /// The text streamed since the last stream end is void (the attempt is being repeated).
    AssistantStreamReset {},
    /// The whole text of a step, when it was not streamed.
    AssistantMessage {
        /// The text.
        content: String,
    },
    /// The text of this step is complete.
    AssistantStreamEnd {},
    /// A call is about to run or to be asked about.
    ToolCall {
        /// The tool.
        tool: String,
        /// One line for people: what this call does.
        title: String,
        /// Its arguments.
        arguments: Value,
        /// The call.
        tool_call_id: CallId,
    },
    /// A call has a result.
    ToolOutput {
        /// The tool.
        tool: String,
        /// The call.
        tool_call_id: CallId,
        /// The result, as the model sees it.
        output: String,
        /// Whether it succeeded.
        success: bool,
    },
    /// A line of progress. `tool` is `system` for the loop's own remarks.
    ToolLog {
        /// The tool, or `system`.
        tool: String,
        /// The call it belongs to, if any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tool_call_id: Option<CallId>,
        /// The line.
        log: String,
    },
    /// A call changed state: `approved`, `rejected`, `running`, `cancelled`, `abandoned`, `unknown`.
    ToolStateChange {
        /// The call.
        tool_call_id: CallId,
        /// The tool.
        tool: String,
        /// The new state.
        state: String,
    },
    /// The plan changed; the whole plan each time.
    PlanUpdate {
        /// All items.
        plan: Vec<PlanItem>,
    },
    /// People are asked. Shown once per approval; shown again if a crash may have lost it.
    ApprovalRequired(ApprovalRequest),
    /// The question changed while it stays open: somebody agreed and more people must, or somebody
    /// edited what would run.
    ApprovalUpdated(ApprovalRequest),
    /// The question's time is nearly up and nobody has answered.
    ApprovalReminder(ApprovalRequest),
    /// An approval was decided, expired, or overtaken.
    ApprovalDecided {
        /// What was asked.
        request: ApprovalRequest,
        /// How it ended.
        decision: Decision,
    },
    /// The turn is over and this is its answer.
    TurnComplete {
        /// The turn.
        turn: TurnId,
        /// Items in the transcript.
        history_size: u64,
        /// The answer; `None` only if the model said nothing.
        final_response: Option<String>,
        /// Milliseconds from request to answer, waiting for people included.
        elapsed_ms: u64,
        /// Model calls.
        steps: u32,
        /// Tokens and cost of the turn.
        usage: Usage,
        /// True if it ended at the iteration limit.
        #[serde(default)]
        limit_reached: bool,
    },
    /// The turn waits for external work, and nobody is at work on it meanwhile.
    Away {
        /// The turn.
        turn: TurnId,
        /// What it waits for.
        tickets: Vec<super::ticket::Ticket>,
    },
    /// The result of external work has come.
    Returned {
        /// Which.
        ticket: super::ids::TicketId,
        /// What it was.
        title: String,
        /// Whether it succeeded.
        success: bool,
    },
    /// Runs of the registry.
    Runs {
        /// The words that they were looked for by.
        words: String,
        /// They, the newest first.
        runs: Vec<super::run::Run>,
    },
    /// The turn was stopped.
    Interrupted {
        /// The turn.
        turn: TurnId,
        /// Who stopped it, if a person did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// The turn ended in an error.
    Error {
        /// The turn, if there was one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        turn: Option<TurnId>,
        /// What went wrong, in plain words.
        error: String,
        /// What to do about it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hint: Option<String>,
        /// Whether trying again may help.
        retry: bool,
    },
    /// The transcript was shortened.
    Compacted {
        /// Estimated tokens before.
        old_tokens: u64,
        /// Estimated tokens after.
        new_tokens: u64,
    },
    /// The last request was dropped.
    UndoComplete {
        /// How many items went.
        removed: u64,
    },
    /// The session started over.
    NewComplete {
        /// How many items were dropped.
        previous_message_count: u64,
    },
    /// An interrupted turn goes on, or there was none.
    ResumeComplete {
        /// Items in the transcript.
        restored_count: u64,
    },
    /// Tokens and cost so far.
    Usage {
        /// Of this session.
        session: Usage,
    },
    /// What was spent: by this session, this person, this channel, the team; lines of label and value.
    Spending {
        /// In order.
        lines: Vec<(String, String)>,
    },
    /// A part of the conversation went on somewhere else.
    Forked {
        /// In words: where.
        place: String,
        /// A link, if the place has an address.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        link: Option<String>,
    },
    /// How the session stands.
    Status {
        /// Lines of label and value, in order.
        lines: Vec<(String, String)>,
    },
    /// A setting was changed or refused, or another short remark for everyone in the session.
    Remark {
        /// The remark.
        text: String,
    },
    /// A line for one person only.
    PrivateLine {
        /// For whom.
        to: PersonId,
        /// The line.
        text: String,
    },
    /// The session cannot go on.
    SessionTerminated {
        /// Why.
        reason: String,
    },
    /// The process goes away.
    Shutdown {},
}
