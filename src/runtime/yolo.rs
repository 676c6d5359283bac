//! Switching auto-approval, and how it stands. Pure.
//!
//! Who may switch it is decided before, in `apply`.

use crate::agent::{Agent, Session};
use crate::protocol::money::dollars;
use crate::protocol::{Act, AuditEntry, Cost, Operation};

/// Switches auto-approval for a session; gives the line that everyone there reads.
pub(super) fn switch(
    session: &mut Session,
    operation: &Operation,
    on: bool,
    cap: Option<u64>,
    agent: &Agent,
) -> String {
    if agent.rules.yolo && !on {
        return "Auto-approval is on by configuration (`yolo_mode`), so it stays on here.".to_owned();
    }
    session.head.settings.yolo = on;
    session.head.settings.yolo_cap = cap;
    let up_to = dollars(cap.unwrap_or(agent.rules.money.yolo_cap));
    let (value, text) = if on {
        let text = format!(
            "{} switched auto-approval on for this session: what policy lets it runs without asking, until \
             the session has spent {up_to} ({} so far).",
            operation.actor.name,
            dollars(session.head.usage.cost),
        );
        (format!("on, up to {up_to}"), text)
    } else {
        ("off".to_owned(), "Auto-approval is off: calls that need a yes ask for it again.".to_owned())
    };
    note(session, operation, value);
    text
}

/// How auto-approval stands, for the status.
pub(super) fn standing(session: &Session, agent: &Agent) -> String {
    let settings = &session.head.settings;
    if agent.rules.yolo || settings.yolo {
        let cap = settings.yolo_cap.unwrap_or(agent.rules.money.yolo_cap);
        format!("on, until the session has spent {}", dollars(cap))
    } else {
        "off".to_owned()
    }
}

fn note(session: &mut Session, operation: &Operation, value: String) {
    let entry = AuditEntry {
        at: operation.at,
        session: session.head.key.clone(),
        turn: None,
        act: Act::Setting,
        by: Some(operation.actor.id.clone()),
        approval: None,
        call: None,
        digest: None,
        tool: Some("yolo".to_owned()),
        operation: None,
        cost: Cost::Free,
        reason: Some(value),
    };
    session.note(entry);
}
