//! The chat in a real terminal: what a person types, and what they see.

use std::sync::Arc;
use std::time::Duration;

use ml_intern::clock::Clock;
use ml_intern::playground::model::Reply;
use ml_intern::protocol::operation::{Actor, Door, OperationKind, Origin};
use ml_intern::protocol::{Item, Operation, OperationId, SessionHead, SessionKey};
use ml_intern::store::embedded::Embedded;
use ml_intern::store::{Claimable, Commit, Inbox, Sessions};
use serde_json::{Value, json};

use super::desk::{Desk, bash, model, signal};
use super::tty::Tty;

const MARKDOWN: &str = "# Results\n\nI **trained** two models on `imdb`; see [the docs](https://example.org/docs) for what \
they are, because this line is longer than the terminal is wide.\n\n1. Data\n   - cleaned\n   - [x] split\n2. Training\n\n\
| model | accuracy |\n|:--|--:|\n| distilbert | 0.91 |\n| roberta | 0.93 |\n\n```python\ndef f(x):\n\n    return x\n```\n\n\
> All is well.\n\n日本語もある。\n";

fn plan(first: &str, second: &str) -> Reply {
    Reply::calls([(
        "plan_tool",
        json!({"todos": [
            {"id": "1", "content": "look at the data", "status": first},
            {"id": "2", "content": "train the model", "status": second},
        ]}),
    )])
}

#[tokio::test]
async fn a_conversation_reads_as_it_should_and_never_flickers() {
    let slowly = Duration::from_millis(15);
    let model = model([
        Reply::says(MARKDOWN).in_pieces(60).slowly(slowly),
        plan("in_progress", "pending"),
        bash("echo one; echo two"),
        plan("completed", "completed"),
        Reply::says("All *done*."),
    ])
    .await;
    let desk = Desk::new().model(&model, json!({}));
    let mut tty = Tty::start(&desk, &[], 80, 60);
    tty.rests().await;
    tty.types("show me\r").await;
    tty.sees("日本語もある。").await;
    tty.rests().await;
    insta::assert_snapshot!("markdown", tty.steady());

    let quiet = tty.frames().len();
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(tty.frames().len(), quiet, "nothing is drawn while nothing changes");

    tty.types("now work\r").await;
    tty.sees("Run it?").await;
    assert!(tty.screen().contains("│ echo one; echo two"), "{}", tty.screen());
    insta::assert_snapshot!("question", tty.steady().split_once("\nPlan").unwrap().1);
    tty.answers("y\r").await;
    tty.sees("All done.").await;
    tty.rests().await;
    insta::assert_snapshot!("after_the_turn", tty.steady().split_once("\napproved: do it").unwrap().1);

    let (raw, frames) = (tty.raw(), tty.frames());
    for never in ["\u{1b}[2J", "\u{1b}[3J", "\u{1b}[?1049h", "\u{1b}c"] {
        assert!(!raw.contains(never), "{never:?}");
    }
    let (most, sum) = (frames.iter().max().unwrap(), frames.iter().sum::<usize>());
    println!("{} frames, {} bytes on average, {most} at most", frames.len(), sum / frames.len());
    assert!(*most < 4_000, "a frame of {most} bytes");
    tty.types("\u{4}").await;
    assert_eq!(tty.ends().await, Some(0));
    assert!(tty.is_given_back().await);
    assert_eq!((model.left(), model.violations()), (0, Vec::new()));
}

#[tokio::test]
async fn words_typed_meanwhile_wait_in_view_and_then_steer() {
    let model = model([bash("until [ -e go ]; do sleep 0.1; done"), Reply::says("With Adam, then.")]).await;
    let desk = Desk::new().model(&model, json!({"yolo_mode": true}));
    let mut tty = Tty::start(&desk, &[], 80, 24);
    tty.rests().await;
    tty.types("train\r").await;
    tty.sees("bash").await;
    tty.types("use Adam\r").await;
    tty.sees("queued: use Adam").await;
    tty.types("half a thou").await;
    tty.sees("> half a thou").await;
    std::fs::write(desk.cwd.path().join("go"), "").unwrap();
    tty.sees("With Adam, then.").await;
    let screen = tty.screen();
    assert!(!screen.contains("queued:") && screen.contains("\n> use Adam"), "{screen}");
    assert!(tty.last_line().ends_with("half a thou"), "what is being typed stays: {screen}");
    assert!(model.requests()[1].to_string().contains("use Adam"));
}

#[tokio::test]
async fn lines_are_edited_completed_searched_and_kept() {
    let model = model([Reply::says("One."), Reply::says("Two."), Reply::says("Three.")]).await;
    let desk = Desk::new().model(&model, json!({})).file("train_all.py", "");
    let mut tty = Tty::start(&desk, &[], 80, 24);
    tty.rests().await;
    // Ctrl+A, a word, Ctrl+E; a paste of two lines submits nothing.
    tty.types("world\u{1}hello \u{5}!\u{1b}[200~\nsecond line\n\u{1b}[201~").await;
    tty.sees("  second line").await;
    tty.types("\u{7f}\r").await;
    tty.sees("One.").await;
    assert!(model.requests()[0].to_string().contains("hello world!\\nsecond line"));
    tty.rests().await;

    tty.types("read @tr\t").await;
    tty.sees("> read @train_all.py").await;
    tty.types("\u{15}/e\t").await;
    tty.sees("/effort").await;
    tty.sees("/exit").await;
    tty.types("f\tm\t\t").await;
    tty.sees("> /effort minimal").await;
    tty.types("\u{15}key hf_abcdefghijklmnopqrstuvwxyz0123456789\r").await;
    tty.sees("Two.").await;
    tty.rests().await;
    // Ctrl+R finds the first line again.
    tty.types("\u{12}hello").await;
    tty.sees("search hello: hello world!").await;
    tty.types("\u{1b}").await;
    tty.rests().await;
    tty.types("\u{1b}[A\u{1b}[A").await;
    tty.sees("> hello world!").await;
    // Ctrl+C empties the line, Ctrl+D leaves.
    tty.types("\u{3}\u{4}").await;
    assert_eq!(tty.ends().await, Some(0));
    let history = desk.home.path().join(".local/share/ml-intern/history");
    let kept = std::fs::read_to_string(&history).unwrap_or_else(|error| panic!("{history:?}: {error}"));
    assert!(kept.contains("hello world!\\nsecond line") && !kept.contains("hf_abc"), "{kept}");

    let mut tty = Tty::start(&desk, &[], 80, 24);
    tty.rests().await;
    tty.types("\u{1b}[A\u{10}\r").await;
    tty.sees("Three.").await;
    assert!(model.requests()[2].to_string().contains("hello world!"), "history outlives the chat");
}

#[tokio::test]
async fn a_call_is_changed_in_the_editor_read_again_and_then_run() {
    let model = model([bash("echo old > result.txt"), Reply::says("Done.")]).await;
    let desk = Desk::new().model(&model, json!({})).env("EDITOR", "sed -i s/old/new/");
    let mut tty = Tty::start(&desk, &[], 80, 30);
    tty.rests().await;
    tty.types("make it\r").await;
    tty.sees("Run it?").await;
    tty.answers("/status\r").await;
    tty.sees("waiting for an answer").await;
    tty.answers("e\r").await;
    tty.sees("Run it as changed?").await;
    let screen = tty.screen();
    assert!(
        screen.contains("- echo old > result.txt") && screen.contains("+ echo new > result.txt"),
        "{screen}"
    );
    assert!(!desk.cwd.path().join("result.txt").exists(), "nothing runs before the second yes");
    tty.answers("y\r").await;
    tty.sees("Done.").await;
    assert_eq!(std::fs::read_to_string(desk.cwd.path().join("result.txt")).unwrap(), "new\n");
}

#[tokio::test]
async fn ctrl_c_stops_hints_rejects_and_leaves() {
    let model = model([bash("sleep 60"), bash("echo asked"), Reply::says("As you wish.")]).await;
    let desk = Desk::new().model(&model, json!({}));
    let mut tty = Tty::start(&desk, &[], 80, 24);
    tty.rests().await;
    tty.types("first\r").await;
    tty.sees("Run it?").await;
    tty.answers("y\r").await;
    tty.sees("sleep 60").await;
    tty.sees("· 1 s").await;
    tty.types("\u{3}").await;
    tty.sees("Stopped").await;
    tty.rests().await;
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    tty.types("second\r").await;
    tty.until("the second question", |screen| screen.matches("asks because").count() == 2).await;
    tty.sees("Run it?").await;
    tty.answers("\u{3}").await;
    tty.sees("As you wish.").await;
    assert!(model.requests()[2].to_string().contains("cancelled this with Ctrl+C"));
    tty.rests().await;
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    tty.types("\u{3}\u{3}").await;
    assert_eq!(tty.ends().await, Some(130));
    tty.sees("Press Ctrl+C again to leave.").await;
    assert!(tty.is_given_back().await);
}

#[tokio::test]
async fn a_resized_terminal_keeps_its_lines_apart() {
    let model = model([Reply::says("An answer."), bash("sleep 60")]).await;
    let desk = Desk::new().model(&model, json!({}));
    let mut tty = Tty::start(&desk, &[], 100, 30);
    tty.rests().await;
    tty.types("one\r").await;
    tty.sees("An answer.").await;
    tty.rests().await;
    tty.types("half typed").await;
    tty.sees("> half typed").await;
    for (columns, rows) in [(40, 30), (20, 12), (120, 40), (80, 24)] {
        tty.resize(columns, rows);
        tokio::time::sleep(Duration::from_millis(250)).await;
        let screen = tty.screen();
        assert_eq!(screen.matches("half typed").count(), 1, "{columns}x{rows}:\n{screen}");
        assert!(screen.contains("An answer."), "{columns}x{rows}:\n{screen}");
        assert_eq!(tty.last_line(), "> half typed");
    }
}

#[tokio::test]
async fn another_session_is_picked_from_the_list() {
    let model = model([Reply::says("Blue, noted."), Reply::says("Blue it was.")]).await;
    let desk = Desk::new().model(&model, json!({}));
    assert_eq!(desk.run(&["--session", "colours", "my colour is blue"]).await.code, Some(0));
    let mut tty = Tty::start(&desk, &[], 80, 30);
    tty.rests().await;
    tty.types("/resume\r").await;
    tty.sees("1  my colour is blue · 1 turn · just now · colours").await;
    tty.types("1\r").await;
    tty.sees("Now in session colours: my colour is blue").await;
    tty.rests().await;
    tty.types("which colour?\r").await;
    tty.sees("Blue it was.").await;
    assert!(model.requests()[1].to_string().contains("my colour is blue"));
}

#[tokio::test]
async fn what_began_in_slack_goes_on_at_the_terminal() {
    let model = model([Reply::says("Green, you said.")]).await;
    let desk = Desk::new().model(&model, json!({}));
    let data = desk.home.path().join(".local/share/ml-intern");
    let store = Embedded::open(&data, Clock::system()).unwrap();
    let (key, origin) =
        (SessionKey::from("slack:T1:C1:1.1"), Origin::new(Door::Slack, json!({"channel": "C1"})));
    let words = OperationKind::Say { text: "my colour is green".into(), handle: Value::Null };
    let (id, at) = (OperationId::from("e1"), Clock::system().now());
    let actor = Actor::new("U1", "Ada");
    let (session, kind) = (key.clone(), words);
    store.push(Operation { id: id.clone(), session, origin: origin.clone(), actor, at, kind }).await.unwrap();
    let ttl = Duration::from_secs(30);
    let lease = store.claim(&Claimable::Only(key.clone()), ttl).await.unwrap().unwrap();
    let mut head = SessionHead::new(key, origin, at);
    (head.title, head.turns, head.history_size) = (Some("my colour is green".into()), 1, 1);
    let (author, name, text) = ("U1".into(), "Ada".into(), "my colour is green".into());
    let item = Arc::new(Item::User { author, name, text, opens: true, at: None });
    let (append, consumed) = ([item], [id]);
    let commit = Commit {
        head: &head,
        keep: 0,
        append: &append,
        consumed: &consumed,
        later: &[],
        audit: &[],
        tickets: &[],
    };
    store.commit(&lease, commit).await.unwrap();
    store.release(&lease, None).await.unwrap();
    store.close().await;

    let mut tty = Tty::start(&desk, &[], 80, 30);
    tty.rests().await;
    tty.types("/sessions green\r").await;
    tty.sees("1  my colour is green").await;
    tty.sees("in Slack").await;
    tty.types("1\r").await;
    tty.sees("with what was said there").await;
    tty.rests().await;
    tty.types("which colour?\r").await;
    tty.sees("Green, you said.").await;
    assert!(model.requests()[0].to_string().contains("my colour is green"));
}

#[tokio::test]
async fn a_signal_to_end_gives_the_terminal_back() {
    let model = model([bash("sleep 60")]).await;
    let desk = Desk::new().model(&model, json!({"yolo_mode": true}));
    let mut tty = Tty::start(&desk, &[], 80, 24);
    tty.rests().await;
    tty.types("wait\r").await;
    tty.sees("· 1 s").await;
    signal("-TERM", tty.pid());
    assert_eq!(tty.ends().await, Some(130));
    assert!(tty.is_given_back().await);
    assert!(!tty.last_line().contains("Ctrl+C stops"), "no spinner stays: {}", tty.screen());
}

#[tokio::test]
async fn a_dumb_terminal_gets_lines_and_no_escapes() {
    let model = model([Reply::says("# Hello\n\n**you**.")]).await;
    let desk = Desk::new().model(&model, json!({})).env("TERM", "dumb");
    let mut tty = Tty::start(&desk, &[], 80, 24);
    tty.sees(">").await;
    tty.types("hi\r").await;
    tty.sees("**you**.").await;
    tty.types("/quit\r").await;
    assert_eq!(tty.ends().await, Some(0));
    let raw = tty.raw();
    assert!(!raw.contains('\u{1b}'), "{raw:?}");
    assert!(raw.contains("# Hello"), "Markdown as it was written: {raw:?}");
}

#[tokio::test]
async fn without_colours_the_region_stays_and_the_text_is_plain() {
    let model = model([Reply::says("# Hello\n\n**you**.")]).await;
    let desk = Desk::new().model(&model, json!({})).env("NO_COLOR", "1");
    let mut tty = Tty::start(&desk, &[], 20, 10);
    tty.rests().await;
    tty.types("hi\r").await;
    tty.sees("**you**.").await;
    tty.rests().await;
    assert!(!tty.raw().contains("\u{1b}[1m") && !tty.raw().contains("\u{1b}[36m"), "{:?}", tty.raw());
    assert!(tty.screen().contains("# Hello"));
}
