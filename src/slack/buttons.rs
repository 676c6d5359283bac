//! Names that Slack sends back to us: action ids, block ids, metadata types. Stable for ever, because
//! old messages keep them.

/// Run what is asked.
pub const APPROVE: &str = "approve";
/// Run it and what is alike.
pub const APPROVE_SESSION: &str = "approve_session";
/// Open the editing modal.
pub const EDIT: &str = "edit";
/// Open the modal that asks for a reason.
pub const REJECT: &str = "reject";
/// Stop the turn.
pub const STOP: &str = "stop";
/// End a job.
pub const JOB_STOP: &str = "job_stop";
/// Let a job run as long again.
pub const JOB_LONGER: &str = "job_longer";
/// A job's whole log.
pub const JOB_LOGS: &str = "job_logs";
/// Try the failed turn again.
pub const RETRY: &str = "retry";
/// Whether an answer helped.
pub const FEEDBACK: &str = "feedback";

/// Metadata of the message that ends a turn.
pub const FINAL: &str = "ml_intern_final";
/// Metadata of an earlier part of an answer.
pub const PART: &str = "ml_intern_part";
/// Metadata of an approval's card.
pub const CARD: &str = "ml_intern_approval";
/// Metadata of the message that shows progress where streaming is refused.
pub const PROGRESS: &str = "ml_intern_progress";
/// Metadata of a job's card.
pub const JOB: &str = "ml_intern_job";
/// Metadata of an alarm about a job.
pub const ALARM: &str = "ml_intern_alarm";
/// Metadata of the message that opens a fork's thread.
pub const FORK: &str = "ml_intern_fork";
/// Metadata of every other message of ours.
pub const NOTE: &str = "ml_intern_note";
