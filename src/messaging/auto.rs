//! Notices that events send by themselves, whatever the front door.
//!
//! [`notice_for`] is pure; [`AutoNotices`] queues its result for every destination that allows it.
//! Never fails a session: what cannot be queued is logged.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::gateway::Gateway;
use crate::config::messaging::AutoEvent;
use crate::protocol::{Event, Notice, SessionHead, Severity};
use crate::text::{count, cut};

/// Characters of an error that a notice shows.
const LONGEST_ERROR: usize = 500;
/// Characters of an answer that a notice shows.
const LONGEST_ANSWER: usize = 39_000;

/// The notice that an event sends by itself; `None` for all but three kinds of event.
#[must_use]
pub fn notice_for(event: &Event, session: &SessionHead, model: &str, link: Option<&str>) -> Option<Notice> {
    let kind = kind_of(event)?;
    let (title, severity, body) = match event {
        Event::ApprovalRequired(request) => {
            let tools: BTreeSet<&str> = request.calls.iter().map(|call| call.tool.as_str()).collect();
            let tools: Vec<&str> = tools.into_iter().collect();
            let body = format!(
                "{} waiting for an answer: {}.",
                match request.calls.len() {
                    1 => "1 call is".to_owned(),
                    n => format!("{} are", count(n, "call")),
                },
                tools.join(", ")
            );
            ("Approval needed", Severity::Warning, body)
        }
        Event::Error { error, hint, .. } => {
            let mut body = cut(error, LONGEST_ERROR).into_owned();
            if let Some(hint) = hint {
                body.push('\n');
                body.push_str(&cut(hint, LONGEST_ERROR));
            }
            ("The agent stopped with an error", Severity::Error, body)
        }
        Event::TurnComplete { final_response, limit_reached, .. } => {
            let answer = final_response.as_deref().map(str::trim).filter(|text| !text.is_empty());
            let body = cut(answer.unwrap_or("(no closing words)"), LONGEST_ANSWER).into_owned();
            if *limit_reached {
                ("Stopped at the iteration limit", Severity::Warning, body)
            } else {
                ("Task complete", Severity::Success, body)
            }
        }
        _ => return None,
    };
    let name = session.title.as_deref().unwrap_or(session.key.as_str());
    Some(Notice {
        title: Some(format!("{title}: {}", cut(name, 120))),
        severity,
        message: format!("Session ID: {}\n{body}", session.key),
        metadata: vec![
            ("session_id".to_owned(), session.key.to_string()),
            ("model".to_owned(), model.to_owned()),
            ("event_type".to_owned(), word(kind).to_owned()),
        ],
        link: link.map(str::to_owned),
    })
}

fn kind_of(event: &Event) -> Option<AutoEvent> {
    match event {
        Event::ApprovalRequired(_) => Some(AutoEvent::ApprovalRequired),
        Event::Error { .. } => Some(AutoEvent::Error),
        Event::TurnComplete { .. } => Some(AutoEvent::TurnComplete),
        _ => None,
    }
}

fn word(kind: AutoEvent) -> &'static str {
    match kind {
        AutoEvent::ApprovalRequired => "approval_required",
        AutoEvent::Error => "error",
        AutoEvent::TurnComplete => "turn_complete",
    }
}

/// What caused a notice, in words that are the same after a crash.
fn cause(event: &Event, session: &SessionHead) -> String {
    let turn = match event {
        Event::ApprovalRequired(request) => return format!("{}:{}", request.turn, request.id),
        Event::TurnComplete { turn, .. } => Some(turn),
        Event::Error { turn, .. } => turn.as_ref(),
        _ => None,
    };
    match turn {
        Some(turn) => turn.to_string(),
        None => format!("n{}-{}", session.turns, session.history_size),
    }
}

/// Queues the automatic notices of the configured kinds.
pub struct AutoNotices {
    gateway: Arc<Gateway>,
    kinds: Vec<AutoEvent>,
    model: String,
}

impl AutoNotices {
    /// For these kinds of event; `model` is the configured one, which a session may replace.
    #[must_use]
    pub fn new(gateway: Arc<Gateway>, kinds: Vec<AutoEvent>, model: impl Into<String>) -> Self {
        Self { gateway, kinds, model: model.into() }
    }

    /// Queues what `event` asks for, durably before it returns. Seen twice, it queues once.
    pub async fn on_event(&self, event: &Event, session: &SessionHead, link: Option<&str>) {
        let Some(kind) = kind_of(event).filter(|kind| self.kinds.contains(kind)) else {
            return;
        };
        let model = session.settings.model.as_deref().unwrap_or(&self.model);
        let Some(notice) = notice_for(event, session, model, link) else {
            return;
        };
        let cause = cause(event, session);
        for destination in self.gateway.for_events() {
            let id = format!("auto:{}:{cause}:{}:{destination}", session.key, word(kind));
            if let Err(error) = self.gateway.notify(destination, notice.clone(), &id).await {
                tracing::warn!(%error, destination, "an automatic notice could not be queued");
            }
        }
    }
}
