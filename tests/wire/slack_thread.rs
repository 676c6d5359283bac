//! What stands around a turn in its thread: status, remarks, what was said before, links.

use std::time::Duration;

use ml_intern::clock::Clock;
use ml_intern::playground::{Fault, Options};
use ml_intern::protocol::Event;
use ml_intern::runtime::present::Opening;
use serde_json::{Value, json};

use super::slack_door::{Hall, complete, text};

fn error(method: &str, error: &str, times: u32) -> Fault {
    Fault::Error { method: method.into(), error: error.into(), times }
}

#[tokio::test]
async fn without_agent_sessions_the_status_line_is_used_and_without_both_nothing_breaks() {
    let hall = Hall::open().await;
    hall.slack.fault(error("agents.sessions.setStatus", "feature_disabled", 99)).await;
    let presenter = hall.begun().await;
    hall.comes_true("the status line is set", || hall.calls("assistant.threads.setStatus") == 1).await;
    hall.slack.fault(error("assistant.threads.setStatus", "unknown_method", 99)).await;
    presenter.show(&complete("Fine."));
    presenter.settle().await.unwrap();
    assert_eq!(hall.calls("agents.sessions.setStatus"), 1, "what is refused is not asked again");
    assert_eq!(hall.finals().len(), 1);
}

#[tokio::test]
async fn short_remarks_and_private_lines_are_posted() {
    let hall = Hall::open().await;
    let presenter = hall.presenter(Opening::Fresh).await;
    presenter
        .show(&Event::Status { lines: vec![("Model".into(), "a/<b>".into()), ("Turns".into(), "3".into())] });
    presenter.show(&Event::UndoComplete { removed: 2 });
    presenter.show(&Event::PrivateLine { to: hall.alice(), text: "Only for <you>".into() });
    presenter.settle().await.unwrap();
    let texts: Vec<String> = hall.posts().iter().map(|post| post.text.clone()).collect();
    assert_eq!(
        texts,
        [
            "*Model*: a/&lt;b&gt;\n*Turns*: 3",
            "The last request is forgotten, and all that followed it.",
            "Only for &lt;you&gt;"
        ]
    );
    assert_eq!(hall.posts()[2].ephemeral_to.as_deref(), Some(hall.alice().as_str()));
}

#[tokio::test]
async fn a_thread_is_read_back_with_names_and_without_ourselves() {
    let hall = Hall::open().await;
    let bob = hall.slack.person("bob");
    let alice = hall.alice();
    bob.replies(super::slack_door::CHANNEL, &hall.root, &format!("<@{alice}> my loss is NaN &lt;sic&gt;"))
        .await
        .unwrap();
    let presenter = hall.begun().await;
    presenter.show(&Event::Remark { text: "our own words".into() });
    presenter.settle().await.unwrap();
    let first_ts = bob.replies(super::slack_door::CHANNEL, &hall.root, "help?").await.unwrap();
    let place = hall.place();
    let operation: ml_intern::protocol::Operation = serde_json::from_value(json!({
        "id": "1", "session": place.session(), "origin": place.origin(),
        "actor": { "id": "U", "name": "Bob" }, "at": 0,
        "kind": { "op": "say", "text": "help?", "handle": { "channel": place.channel, "ts": first_ts } },
    }))
    .unwrap();
    let heard = hall.door.presenters().heard(&hall.head(), &operation).await;
    let lines: Vec<&str> = heard.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert_eq!(lines[0], "about the model");
    assert!(lines[1].starts_with('@') && !lines[1].contains("<@") && lines[1].contains("<sic>"), "{lines:?}");
    assert!(!heard[0].name.starts_with('U'), "{heard:?}");
    let link = hall.door.presenters().link(&hall.head()).await.unwrap();
    assert!(link.starts_with("http"), "{link}");
    assert_eq!(hall.door.presenters().link(&hall.head()).await, Some(link));
    assert_eq!(hall.calls("chat.getPermalink"), 1);
}

#[tokio::test]
async fn streaming_can_be_switched_off() {
    let hall = Hall::with(Options::new(Clock::system()), |config| config.stream = false).await;
    let presenter = hall.begun().await;
    presenter.show(&text("Slowly "));
    tokio::time::sleep(Duration::from_millis(900)).await;
    presenter.show(&complete("Slowly done."));
    presenter.settle().await.unwrap();
    assert_eq!(hall.calls("chat.startStream"), 0);
    assert_eq!(hall.finals().len(), 1);
    let value: Value = serde_json::to_value(&hall.finals()[0].blocks).unwrap();
    assert_eq!(value[0]["text"], "Slowly done.");
}
