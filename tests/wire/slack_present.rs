//! What people see of a turn: streams and their failures, answers that arrive once, cards.

use std::time::Duration;

use ml_intern::clock::Timestamp;
use ml_intern::playground::{Fault, Message};
use ml_intern::protocol::{
    Approvers, CallId, Decision, Event, PersonId, PlanItem, PlanStatus, Verdict, Vote,
};
use ml_intern::runtime::present::{Opening, PresentError};
use serde_json::{Value, json};

use super::slack_door::{Hall, complete, kind, question, text, tool_call, tool_output, turn};

fn error(method: &str, error: &str, times: u32) -> Fault {
    Fault::Error { method: method.into(), error: error.into(), times }
}

/// The blocks as they were sent: without the ids that the workspace gives to those without one.
fn blocks(message: &Message) -> Vec<Value> {
    let mut blocks = message.blocks.clone();
    for block in &mut blocks {
        if block["block_id"].as_str().is_some_and(|id| id.starts_with("b0")) {
            block.as_object_mut().unwrap().remove("block_id");
        }
    }
    blocks
}

/// Long enough for the first flush of a stream.
async fn a_moment() {
    tokio::time::sleep(Duration::from_millis(900)).await;
}

#[tokio::test]
async fn a_turn_streams_its_plan_its_calls_and_its_answer_into_one_message() {
    let hall = Hall::open().await;
    let presenter = hall.begun().await;
    presenter.show(&Event::PlanUpdate {
        plan: vec![
            PlanItem { id: "1".into(), content: "Look".into(), status: PlanStatus::Completed },
            PlanItem { id: "2".into(), content: "Train".into(), status: PlanStatus::InProgress },
        ],
    });
    presenter.show(&tool_call("c1", "List the files"));
    hall.shows_something().await;
    presenter.show(&tool_output("c1", "a.txt <!channel>"));
    presenter.show(&text("The accuracy "));
    presenter.show(&text("is **0.91**."));
    presenter.show(&Event::AssistantStreamEnd {});
    presenter.show(&complete("The accuracy is **0.91**."));
    let memo = presenter.settle().await.unwrap();
    assert_eq!(memo["ended"], "turn-1");
    let posts = hall.posts();
    assert_eq!(posts.len(), 1, "{}", hall.transcript());
    let post = &posts[0];
    assert!(!post.streaming);
    assert_eq!(kind(post), "ml_intern_final");
    assert_eq!(post.chunks.markdown, "The accuracy is **0.91**.");
    let tasks: Vec<(&str, &str)> =
        post.chunks.tasks.iter().map(|task| (task.title.as_str(), task.status.as_str())).collect();
    assert_eq!(tasks, [("Look", "complete"), ("Train", "pending"), ("List the files", "complete")]);
    assert!(post.pings.is_empty());
    insta::assert_json_snapshot!(blocks(post));
    let statuses = hall.slack.statuses();
    assert_eq!(statuses.last().unwrap().session_status, "active");
}

#[tokio::test]
async fn a_quick_answer_is_one_post_and_no_stream() {
    let hall = Hall::open().await;
    let presenter = hall.begun().await;
    presenter.show(&text("Yes."));
    presenter.show(&complete("Yes."));
    presenter.settle().await.unwrap();
    assert_eq!(hall.calls("chat.startStream"), 0);
    assert_eq!(hall.finals().len(), 1);
    insta::assert_json_snapshot!(blocks(&hall.finals()[0]));
}

#[tokio::test]
async fn where_streams_are_refused_progress_is_posted_and_the_answer_follows() {
    let hall = Hall::open().await;
    hall.slack.fault(error("chat.startStream", "feature_disabled", 9)).await;
    let presenter = hall.begun().await;
    presenter.show(&tool_call("c1", "Train <@U1>"));
    hall.shows_something().await;
    assert_eq!(kind(&hall.posts()[0]), "ml_intern_progress");
    presenter.show(&tool_output("c1", "ok"));
    presenter.show(&text("Done it."));
    presenter.show(&complete("Done it."));
    presenter.settle().await.unwrap();
    let posts = hall.posts();
    assert_eq!(posts.iter().map(kind).collect::<Vec<_>>(), ["ml_intern_progress", "ml_intern_final"]);
    assert!(posts.iter().all(|post| post.pings.is_empty()));
    assert!(!serde_json::to_string(&posts[0].blocks).unwrap().contains("button"), "its Stop is gone");
    assert_eq!(hall.calls("chat.startStream"), 1, "a refusal is remembered");
}

#[tokio::test]
async fn a_stream_that_breaks_on_the_way_still_ends_in_the_whole_answer() {
    for refusal in ["message_not_in_streaming_state", "stopped_by_user", "internal_error"] {
        let hall = Hall::open().await;
        let presenter = hall.begun().await;
        presenter.show(&text("First half and "));
        hall.shows_something().await;
        hall.slack.fault(error("chat.appendStream", refusal, 1)).await;
        hall.slack.fault(error("chat.stopStream", refusal, 9)).await;
        presenter.show(&text("second half of it."));
        a_moment().await;
        presenter.show(&complete("First half and second half of it."));
        presenter.settle().await.unwrap();
        let finals = hall.finals();
        assert_eq!(finals.len(), 1, "{refusal}: {}", hall.transcript());
        let shown = serde_json::to_string(&finals[0].blocks).unwrap();
        assert!(shown.contains("First half and second half of it."), "{refusal}: {shown}");
    }
}

#[tokio::test]
async fn an_end_that_is_lost_on_the_wire_is_looked_up_and_not_posted_twice() {
    for (method, fault) in [
        ("chat.postMessage", Fault::Http { method: "chat.postMessage".into(), status: 502, times: 2 }),
        (
            "chat.postMessage",
            Fault::RateLimited { method: "chat.postMessage".into(), retry_after: 1, times: 2 },
        ),
        ("chat.stopStream", Fault::Http { method: "chat.stopStream".into(), status: 500, times: 1 }),
        (
            "chat.stopStream",
            Fault::RateLimited { method: "chat.stopStream".into(), retry_after: 1, times: 1 },
        ),
        ("chat.stopStream", error("chat.stopStream", "invalid_blocks", 2)),
        ("chat.postMessage", error("chat.postMessage", "invalid_blocks", 1)),
    ] {
        let hall = Hall::open().await;
        let presenter = hall.begun().await;
        if method == "chat.stopStream" {
            presenter.show(&text("The answer "));
            hall.shows_something().await;
        }
        hall.slack.fault(fault.clone()).await;
        presenter.show(&text("is 42."));
        presenter.show(&complete(if method == "chat.stopStream" { "The answer is 42." } else { "is 42." }));
        presenter.settle().await.unwrap();
        assert_eq!(hall.finals().len(), 1, "{fault:?}: {}", hall.transcript());
        let streaming = hall.posts().iter().filter(|post| post.streaming).count();
        assert_eq!(streaming, 0, "{fault:?}");
    }
}

#[tokio::test]
async fn a_place_that_is_gone_is_reported_as_never_and_a_dead_network_as_later() {
    let hall = Hall::open().await;
    let presenter = hall.begun().await;
    hall.slack.fault(error("chat.postMessage", "is_archived", 9)).await;
    presenter.show(&complete("Nobody will read this."));
    assert!(matches!(presenter.settle().await, Err(PresentError::Never(_))));

    let hall = Hall::open().await;
    let presenter = hall.begun().await;
    hall.slack.fault(Fault::Http { method: "chat.postMessage".into(), status: 503, times: 99 }).await;
    presenter.show(&complete("Not yet."));
    assert!(matches!(presenter.settle().await, Err(PresentError::Later(_))));
    hall.slack.clear_faults();
    // The next worker is told again, and looks before it posts.
    let presenter = hall.presenter(Opening::Recovered).await;
    presenter.show(&complete("Not yet."));
    presenter.settle().await.unwrap();
    assert_eq!(hall.finals().len(), 1);
}

#[tokio::test]
async fn after_a_crash_what_was_posted_is_adopted_and_what_was_torn_is_cleared_away() {
    let hall = Hall::open().await;
    let presenter = hall.begun().await;
    presenter.show(&text("This worker will vanish "));
    hall.shows_something().await;
    assert!(hall.posts()[0].streaming);
    // It vanishes: the stream stays open. (The handle is kept, so that nothing is tidied up.)
    let next = hall.presenter(Opening::Recovered).await;
    next.show(&hall.processing());
    next.show(&text("The answer."));
    next.show(&complete("The answer."));
    next.settle().await.unwrap();
    assert_eq!(hall.finals().len(), 1, "{}", hall.transcript());
    assert_eq!(hall.posts().len(), 1, "the torn stream is gone: {}", hall.transcript());
    // Its own settle was lost, too: a third worker tells the same again.
    let third = hall.presenter(Opening::Recovered).await;
    third.show(&complete("The answer."));
    third.settle().await.unwrap();
    assert_eq!(hall.finals().len(), 1, "{}", hall.transcript());
    drop(presenter);
}

#[tokio::test]
async fn a_card_asks_once_and_is_rewritten_when_it_was_decided() {
    let hall = Hall::open().await;
    let presenter = hall.begun().await;
    let request = question("a1", "rm -rf checkpoints && echo '<!channel>'");
    presenter.show(&text("I would like to clean up."));
    presenter.show(&Event::ApprovalRequired(request.clone()));
    let memo = presenter.settle().await.unwrap();
    assert!(memo["cards"]["a1"].is_string());
    assert_eq!(hall.slack.statuses().last().unwrap().session_status, "suspended");
    let cards = |hall: &Hall| {
        hall.posts().into_iter().filter(|post| kind(post) == "ml_intern_approval").collect::<Vec<_>>()
    };
    insta::assert_json_snapshot!("card_waiting", blocks(&cards(&hall)[0]));
    // A worker that cannot know whether the card was posted looks first.
    let again = hall.presenter(Opening::Recovered).await;
    again.show(&Event::ApprovalRequired(request.clone()));
    again.settle().await.unwrap();
    assert_eq!(cards(&hall).len(), 1);
    // Somebody edits it, and somebody else must agree.
    let at = Timestamp(1_799_000_000_000);
    let vote = |id: &str, name: &str| Vote { by: id.into(), name: name.into(), at };
    let (mut request, edited) = (request, "ls checkpoints");
    request.needed = 2;
    request.votes = vec![vote("U2", "Ann <@U1>")];
    let call = &mut request.calls[0];
    call.diff = Some(ml_intern::text::unified_diff(&call.preview, edited));
    call.proposed = Some(std::mem::replace(&mut call.arguments, json!({ "command": edited })));
    edited.clone_into(&mut call.preview);
    again.show(&Event::ApprovalUpdated(request.clone()));
    again.settle().await.unwrap();
    assert_eq!(cards(&hall).len(), 1, "the card is rewritten");
    insta::assert_json_snapshot!("card_updated", blocks(&cards(&hall)[0]));
    again.show(&Event::ApprovalReminder(request.clone()));
    again.settle().await.unwrap();
    let reminders =
        hall.posts().into_iter().filter(|post| post.text.contains("still waits")).collect::<Vec<_>>();
    assert_eq!(
        reminders.iter().map(|it| it.text.split(" <!date").next().unwrap()).collect::<Vec<_>>(),
        [":hourglass_flowing_sand: The question above still waits for an answer, until"]
    );
    assert!(reminders[0].text.ends_with(">. May be answered by anyone here."), "{}", reminders[0].text);
    request.votes.push(vote("U1", "Bob <!here>"));
    let arguments = [(CallId("c1".into()), json!({ "command": edited }))].into();
    let decision = Decision::Decided {
        by: PersonId("U1".into()),
        name: "Bob <!here>".into(),
        verdict: Verdict::Edit { arguments },
        at,
    };
    again.show(&Event::ApprovalDecided { request, decision });
    again.settle().await.unwrap();
    insta::assert_json_snapshot!("card_settled", blocks(&cards(&hall)[0]));
    let settled = serde_json::to_string(&cards(&hall)[0].blocks).unwrap();
    assert!(!settled.contains("actions"), "nothing is left to click");
    assert!(hall.posts().iter().all(|post| post.pings.is_empty()));
}

#[tokio::test]
async fn a_long_command_is_cut_on_the_card_and_attached_whole() {
    let hall = Hall::open().await;
    let presenter = hall.begun().await;
    let script = (0..400).map(|n| format!("echo line {n}\n")).collect::<String>();
    let mut request = question("a2", &script);
    request.approvers =
        Approvers::Listed { people: vec![PersonId(hall.slack.person("bob").id())], groups: Vec::new() };
    presenter.show(&Event::ApprovalRequired(request));
    presenter.settle().await.unwrap();
    let posts = hall.posts();
    assert!(
        posts.iter().any(|post| post.files.iter().any(|file| file.name == "call-1.sh")),
        "{}",
        hall.transcript()
    );
    let card = posts.iter().find(|post| kind(post) == "ml_intern_approval").unwrap();
    let shown = serde_json::to_string(&card.blocks).unwrap();
    assert!(shown.contains("attached") && shown.contains("bob"), "{shown}");
    assert!(card.pings.is_empty());
}

#[tokio::test]
async fn long_answers_are_split_and_very_long_ones_attached() {
    let hall = Hall::open().await;
    let paragraph = format!("{}\n\n", "word ".repeat(200));
    let presenter = hall.begun().await;
    presenter.show(&complete(&paragraph.repeat(25)));
    presenter.settle().await.unwrap();
    let kinds: Vec<String> = hall.posts().iter().map(kind).collect();
    assert_eq!(kinds, ["ml_intern_part", "ml_intern_part", "ml_intern_final"]);

    let hall = Hall::open().await;
    let presenter = hall.begun().await;
    presenter.show(&complete(&paragraph.repeat(80)));
    presenter.settle().await.unwrap();
    assert_eq!(hall.finals().len(), 1);
    assert!(hall.posts().iter().any(|post| post.files.iter().any(|file| file.name == "answer.md")));
}

#[tokio::test]
async fn a_long_streamed_answer_goes_on_in_the_next_message_and_loses_nothing() {
    let hall = Hall::open().await;
    let presenter = hall.begun().await;
    let mut whole = String::new();
    for n in 0..24 {
        let piece = format!("Paragraph {n} {}\n\n", "word ".repeat(150));
        presenter.show(&text(&piece));
        whole.push_str(&piece);
        if n % 6 == 0 {
            a_moment().await;
        }
    }
    presenter.show(&complete(whole.trim()));
    presenter.settle().await.unwrap();
    assert_eq!(hall.finals().len(), 1, "{}", hall.transcript());
    let streamed: String = hall.posts().iter().map(|post| post.chunks.markdown.clone()).collect();
    for n in 0..24 {
        assert_eq!(streamed.matches(&format!("Paragraph {n} ")).count(), 1, "paragraph {n}");
    }
}

#[tokio::test]
async fn hostile_text_pings_nobody_however_it_is_shown() {
    let hostile = "<!channel> <@U123> <!subteam^S1|team> <!here|here> @channel\n```\n<!everyone>\n```";
    for streamed in [true, false] {
        let hall = Hall::open().await;
        if !streamed {
            hall.slack.fault(error("chat.startStream", "feature_disabled", 9)).await;
            hall.slack.fault(error("chat.postMessage", "invalid_blocks", 1)).await;
        }
        let presenter = hall.begun().await;
        for piece in hostile.split_inclusive(' ') {
            for letter in piece.chars() {
                presenter.show(&text(&letter.to_string()));
            }
        }
        presenter.show(&tool_call("c1", hostile));
        presenter.show(&tool_output("c1", hostile));
        a_moment().await;
        presenter.show(&Event::Remark { text: hostile.into() });
        presenter.show(&complete(hostile));
        presenter.settle().await.unwrap();
        for post in hall.posts() {
            assert_eq!(post.pings, Vec::<String>::new(), "{}", hall.transcript());
        }
        assert_eq!(hall.finals().len(), 1);
    }
}

#[tokio::test]
async fn an_error_has_a_retry_button_and_a_stop_says_who() {
    let hall = Hall::open().await;
    let presenter = hall.begun().await;
    presenter.show(&tool_call("c1", "sleep"));
    hall.shows_something().await;
    presenter.show(&Event::Error {
        turn: Some(turn()),
        error: "The model <down> did not answer.".into(),
        hint: Some("Try again later.".into()),
        retry: true,
    });
    presenter.settle().await.unwrap();
    insta::assert_json_snapshot!("error", blocks(&hall.finals()[0]));
    let tasks = &hall.posts()[0].chunks.tasks;
    assert_eq!(tasks[0].status, "error", "what was running is not left spinning");

    let hall = Hall::open().await;
    let presenter = hall.begun().await;
    presenter.show(&Event::Interrupted { turn: turn(), by: Some("Bob & co".into()) });
    presenter.settle().await.unwrap();
    assert_eq!(hall.finals()[0].text, "Stopped by Bob &amp; co.");
}
