//! Turns that last: streams that Slack would end, statuses that could not be shown, outages.

use std::time::Duration;

use ml_intern::playground::Fault;
use ml_intern::protocol::Event;
use ml_intern::runtime::present::{Opening, PresentError};

use super::slack_door::{Hall, complete, kind, text, tool_call, tool_output};

/// Lets the clock run on, with nothing happening meanwhile, and gives the bot a moment to notice.
async fn minutes_pass(minutes: u64) {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(minutes * 60 + 1)).await;
    tokio::time::resume();
    tokio::time::sleep(Duration::from_millis(900)).await;
}

#[tokio::test]
async fn a_quiet_stream_makes_room_before_slack_ends_it_and_leaves_nothing_spinning() {
    let hall = Hall::open().await;
    let presenter = hall.begun().await;
    presenter.show(&tool_call("c1", "Train for an hour"));
    tokio::time::sleep(Duration::from_millis(900)).await;
    minutes_pass(4).await;
    let posts = hall.posts();
    assert_eq!(posts.len(), 2, "{}", hall.transcript());
    let status = |at: usize| posts[at].chunks.tasks[0].status.clone();
    assert!(!posts[0].streaming && posts[1].streaming);
    assert_eq!((status(0).as_str(), status(1).as_str()), ("pending", "in_progress"));
    presenter.show(&tool_output("c1", "trained"));
    presenter.show(&complete("It is trained."));
    presenter.settle().await.unwrap();
    assert_eq!(hall.finals().len(), 1);
    assert!(hall.posts().iter().all(|post| !post.streaming));
}

#[tokio::test]
async fn the_answer_of_a_long_turn_is_no_file_because_it_took_long() {
    let hall = Hall::open().await;
    let presenter = hall.begun().await;
    for hour in 0..5 {
        presenter.show(&tool_call(&format!("c{hour}"), "Train on"));
        tokio::time::sleep(Duration::from_millis(900)).await;
        minutes_pass(4).await;
    }
    presenter.show(&text("Short and good."));
    presenter.show(&complete("Short and good."));
    presenter.settle().await.unwrap();
    assert_eq!(hall.calls("files.getUploadURLExternal"), 0, "{}", hall.transcript());
    let finals = hall.finals();
    assert_eq!(finals.len(), 1);
    assert!(hall.transcript().contains("Short and good."));
    assert!(hall.posts().iter().all(|post| !post.streaming));
}

#[tokio::test]
async fn an_old_stream_with_nothing_open_is_ended_and_no_empty_one_follows() {
    let hall = Hall::open().await;
    let presenter = hall.begun().await;
    presenter.show(&text("Let me think about this."));
    presenter.show(&Event::AssistantStreamEnd {});
    tokio::time::sleep(Duration::from_millis(900)).await;
    minutes_pass(4).await;
    assert_eq!(hall.posts().len(), 1, "{}", hall.transcript());
    assert_eq!(kind(&hall.posts()[0]), "ml_intern_part");
    assert_eq!(hall.posts()[0].chunks.markdown, "Let me think about this.");
    presenter.show(&text("It is 42."));
    presenter.show(&complete("It is 42."));
    presenter.settle().await.unwrap();
    assert_eq!(hall.finals().len(), 1, "{}", hall.transcript());
}

#[tokio::test]
async fn a_thread_never_goes_on_looking_busy_when_its_status_was_held_up() {
    let hall = Hall::open().await;
    let presenter = hall.begun().await;
    presenter.show(&text("Done."));
    tokio::time::sleep(Duration::from_millis(900)).await;
    let method = "agents.sessions.setStatus".to_owned();
    hall.slack.fault(Fault::RateLimited { method, retry_after: 2, times: 1 }).await;
    presenter.show(&complete("Done."));
    presenter.settle().await.unwrap();
    let shown = hall
        .slack
        .until(Duration::from_secs(15), |state| {
            state.statuses.last().is_some_and(|it| it.session_status == "active").then_some(())
        })
        .await;
    assert!(shown.is_some(), "{:?}", hall.slack.statuses());
}

#[tokio::test]
async fn an_outage_of_slack_delays_the_answer_and_does_not_lose_it() {
    let hall = Hall::open().await;
    let presenter = hall.begun().await;
    let outage = Fault::Error { method: "chat.postMessage".into(), error: "internal_error".into(), times: 3 };
    hall.slack.fault(outage).await;
    presenter.show(&complete("Still true."));
    assert!(matches!(presenter.settle().await, Err(PresentError::Later(_))));
    let presenter = hall.presenter(Opening::Recovered).await;
    presenter.show(&complete("Still true."));
    presenter.settle().await.unwrap();
    assert_eq!(hall.finals().len(), 1);
}
