//! What a copy takes along, and what it never does.

use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::clock::{Clock, Timestamp};
use crate::protocol::approval::Alike;
use crate::protocol::{Actor, Door, Origin, PlanItem, PlanStatus, Role};
use crate::store::embedded::Embedded;
use crate::store::{Commit, Inbox, Sessions};

fn said(text: &str) -> [Item; 2] {
    [
        Item::User { author: "alice".into(), name: "Alice".into(), text: text.into(), opens: true, at: None },
        Item::Assistant { text: "done".into(), thoughts: vec![], calls: vec![], model: "m".into() },
    ]
}

fn operation(id: &str, session: &str, kind: OperationKind) -> Operation {
    Operation {
        id: id.into(),
        session: session.into(),
        origin: Origin::new(Door::Terminal, json!({ "workspace": "/tmp" })),
        actor: Actor::new("bob", "Bob"),
        at: Timestamp(5),
        kind,
    }
}

fn adopting(turns: Option<u64>) -> Operation {
    operation("a", "copy", OperationKind::Adopt { source: "source".into(), turns })
}

fn empty() -> Session {
    let head = SessionHead::new("copy".into(), Origin::new(Door::Terminal, Value::Null), Timestamp(0));
    Session::new(head, Vec::new())
}

async fn store_with_a_source(folder: &std::path::Path) -> std::sync::Arc<Embedded> {
    let store = Embedded::open(folder, Clock::manual(Timestamp(1))).unwrap();
    store.push(operation("o", "source", OperationKind::Status)).await.unwrap();
    let lease = store.claim(&Claimable::Only("source".into()), Duration::from_secs(9)).await.unwrap();
    let mut source = Session::new(
        SessionHead::new("source".into(), Origin::new(Door::Terminal, Value::Null), Timestamp(0)),
        Vec::new(),
    );
    [said("one"), said("two"), said("three")].concat().into_iter().for_each(|item| source.push(item));
    let head = &mut source.head;
    head.title = Some("one".into());
    head.turns = 3;
    head.plan = vec![PlanItem { id: "1".into(), content: "x".into(), status: PlanStatus::Pending }];
    head.usage.cost = 7;
    let settings = &mut head.settings;
    settings.model = Some("a/b".into());
    settings.models.insert(Role::Summary, "c/d".into());
    settings.effort = Some("low".into());
    settings.yolo = true;
    settings.spend_until = 1_000_000;
    settings.unpriced.insert("a/b".into());
    settings.allowed.insert(Alike { key: "bash".into(), words: "commands".into() });
    let (keep, append) = source.unsaved();
    let commit = Commit {
        head: &source.head,
        keep,
        append,
        consumed: &["o".into()],
        later: &[],
        audit: &[],
        tickets: &[],
    };
    store.commit(&lease.unwrap(), commit).await.unwrap();
    store
}

#[tokio::test]
async fn a_copy_has_the_words_and_the_model_but_no_rights_and_no_spending() {
    let folder = tempfile::tempdir().unwrap();
    let store = store_with_a_source(folder.path()).await;
    let mut session = empty();
    let events = adopt(store.as_ref(), &mut session, &adopting(None)).await.unwrap();
    assert_eq!(events[0], Event::ResumeComplete { restored_count: 6 });
    assert!(matches!(events[1], Event::PlanUpdate { .. }), "the plan of a whole copy is shown");
    let head = &session.head;
    assert_eq!(session.items().len(), 7);
    assert!(matches!(*session.items()[6], Item::Synthetic { .. }), "the model is told of the new place");
    assert_eq!((head.turns, head.history_size), (3, 7));
    assert_eq!(head.parent.as_ref().map(SessionKey::as_str), Some("source"));
    assert_eq!(head.settings.model.as_deref(), Some("a/b"));
    assert_eq!(head.settings.models.get(&Role::Summary).map(String::as_str), Some("c/d"));
    assert_eq!(head.settings.effort.as_deref(), Some("low"));
    assert!(!head.settings.yolo && head.settings.allowed.is_empty() && head.settings.unpriced.is_empty());
    assert_eq!((head.settings.spend_until, head.usage.cost), (0, 0));
}

#[tokio::test]
async fn a_part_ends_with_its_turn_and_leaves_the_plan_behind() {
    let folder = tempfile::tempdir().unwrap();
    let store = store_with_a_source(folder.path()).await;
    let mut session = empty();
    adopt(store.as_ref(), &mut session, &adopting(Some(2))).await.unwrap();
    assert_eq!(session.items().len(), 5);
    assert_eq!(session.head.turns, 2);
    assert!(session.head.plan.is_empty(), "the plan was of a later turn");
}

#[tokio::test]
async fn nothing_is_adopted_over_what_was_said_or_from_what_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let store = store_with_a_source(folder.path()).await;
    let mut session = empty();
    session.push(said("mine").into_iter().next().unwrap());
    let events = adopt(store.as_ref(), &mut session, &adopting(None)).await.unwrap();
    assert!(matches!(&events[..], [Event::PrivateLine { .. }]), "{events:?}");
    assert_eq!(session.items().len(), 1);

    let mut session = empty();
    let gone = operation("a", "copy", OperationKind::Adopt { source: "other".into(), turns: None });
    let events = adopt(store.as_ref(), &mut session, &gone).await.unwrap();
    assert!(matches!(&events[..], [Event::Remark { .. }]), "{events:?}");
    assert!(session.items().is_empty());
}
