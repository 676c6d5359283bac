//! The audit log: every decision about what may run, in a chain that shows when a line is missing.
//!
//! Entries name tools, digests and people, never arguments or words: a deleted session leaves nothing
//! of its content here. Never decides anything.

use serde::{Deserialize, Serialize};

use super::ids::{ApprovalId, CallId, PersonId, SessionKey, TurnId};
use super::money::Cost;
use crate::clock::Timestamp;

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// People were asked.
    Asked,
    /// One of several people who must agree did.
    Agreed,
    /// The question was answered with yes.
    Approved,
    /// The same, and calls that are alike need no yes in this session.
    ApprovedForSession,
    /// A person changed what would run.
    Edited,
    /// The question was answered with no.
    Rejected,
    /// Nobody answered in time.
    Expired,
    /// The conversation went on, or the work was stopped.
    Abandoned,
    /// An answer that did not count (the wrong person, changed content, too late).
    Refused,
    /// A call that asks ran without a question: the session, a class of calls or the person allows it.
    AutoApproved,
    /// What was approved is no longer what would run, so the yes was void.
    Voided,
    /// A call may not run.
    Forbidden,
    /// A budget had not enough left.
    OverBudget,
    /// A setting that bears on questions or money was changed.
    Setting,
}

/// One decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// In which session.
    pub session: SessionKey,
    /// In which turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<TurnId>,
    /// What was decided.
    pub act: Act,
    /// By whom; `None` for the program itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<PersonId>,
    /// The question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalId>,
    /// The call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<CallId>,
    /// Digest over what would run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The tool, or the setting's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// The tool's operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// Worst-case cost.
    #[serde(default)]
    pub cost: Cost,
    /// Why, in the program's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// An entry as the log keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRecord {
    /// Its place, from 1, without gaps.
    pub seq: u64,
    /// What was decided.
    pub entry: AuditEntry,
    /// The hash of the record before it, in hex; empty for the first.
    pub previous: String,
    /// SHA-256 over place, previous hash and entry, in hex.
    pub hash: String,
}
