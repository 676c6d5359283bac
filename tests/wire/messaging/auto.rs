//! Notices that events send by themselves.

use std::sync::Arc;

use ml_intern::clock::Timestamp;
use ml_intern::config::AutoEvent;
use ml_intern::messaging::AutoNotices;
use ml_intern::protocol::{ApprovalRequest, Approvers, AskedCall, Door, Event, Origin, SessionHead, Usage};
use serde_json::{Value, json};

use super::Office;

fn session() -> SessionHead {
    let origin = Origin::new(Door::Terminal, Value::Null);
    let mut session = SessionHead::new("s1".into(), origin, Timestamp(0));
    session.title = Some("Train a model".to_owned());
    session
}

fn complete(turn: &str, answer: &str) -> Event {
    Event::TurnComplete {
        turn: turn.into(),
        history_size: 2,
        final_response: Some(answer.to_owned()),
        elapsed_ms: 1,
        steps: 1,
        usage: Usage::default(),
        limit_reached: false,
    }
}

fn approval(id: &str) -> Event {
    let call = |call: &str, tool: &str| AskedCall {
        call: call.into(),
        tool: tool.to_owned(),
        arguments: json!({}),
        title: String::new(),
        preview: String::new(),
        language: "sh".to_owned(),
        reasons: Vec::new(),
        cost: ml_intern::protocol::Cost::Free,
        operation: None,
        proposed: None,
        diff: None,
        always: false,
        facts: Vec::new(),
        warnings: Vec::new(),
        examined: false,
        alike: None,
        editable: None,
    };
    Event::ApprovalRequired(ApprovalRequest {
        id: id.into(),
        turn: "t1".into(),
        calls: vec![call("c1", "bash"), call("c2", "write"), call("c3", "bash")],
        digest: String::new(),
        asked_at: Timestamp(0),
        expires_at: Timestamp(1),
        approvers: Approvers::Anyone,
        needed: 1,
        votes: Vec::new(),
        readable_from: None,
        remind_at: None,
        on_expiry: ml_intern::protocol::OnExpiry::GoOn,
        grant: None,
    })
}

#[tokio::test]
async fn events_send_notices_only_where_that_is_allowed_and_only_once() {
    let office = Office::open([]).await;
    let kinds = vec![AutoEvent::ApprovalRequired, AutoEvent::Error, AutoEvent::TurnComplete];
    let auto = AutoNotices::new(Arc::clone(&office.gateway), kinds, "anthropic/claude");
    let (session, link) = (session(), Some("https://x.slack.com/p1"));
    let long = "x".repeat(1_204);
    let error = Event::Error { turn: Some("t1".into()), error: "E".repeat(600), hint: None, retry: true };
    for event in [approval("a1"), approval("a1"), error, complete("t1", &long), complete("t1", &long)] {
        auto.on_event(&event, &session, link).await;
    }
    auto.on_event(&Event::AssistantMessage { content: "hello".to_owned() }, &session, link).await;
    office.after(0).await;
    let texts = office.slack.texts();
    assert_eq!(texts.len(), 3, "{texts:?}");
    assert_eq!(
        texts[0],
        "[WARNING] Approval needed: Train a model\nSession ID: s1\n3 calls are waiting for an answer: bash, write.\n\
         session_id: s1\nmodel: anthropic/claude\nevent_type: approval_required\n\
         <https://x.slack.com/p1|Open the conversation>"
    );
    assert!(texts[1].contains(&"E".repeat(499)) && !texts[1].contains(&"E".repeat(501)), "{}", texts[1]);
    assert!(texts[2].starts_with("[SUCCESS] Task complete") && texts[2].contains(&long));
    let channels: Vec<Value> =
        office.slack.seen.lock().unwrap().iter().map(|(_, body)| body["channel"].clone()).collect();
    assert_eq!(channels, [json!("C2"), json!("C2"), json!("C2")], "only where events are allowed");
    auto.on_event(&approval("a2"), &session, None).await;
    assert_eq!(office.after(0).await, 4, "the next question of the same turn is news");
}

#[tokio::test]
async fn events_that_are_not_configured_send_nothing() {
    let office = Office::open([]).await;
    let auto = AutoNotices::new(Arc::clone(&office.gateway), vec![AutoEvent::Error], "m");
    auto.on_event(&complete("t1", "done"), &session(), None).await;
    assert_eq!(office.after(0).await, 0);
}
