//! What a person sees, event by event.

use std::sync::{Arc, Mutex};

use serde_json::json;

use super::*;

/// A writer that a test can read.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn drawn(events: &[Event], look: Look) -> String {
    let paper = Paper::default();
    let mut screen = TextScreen::new(Box::new(paper.clone()), look, Detail::Brief);
    events.iter().for_each(|event| screen.event(event));
    let bytes = paper.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

fn chunk(content: &str) -> Event {
    Event::AssistantChunk { content: content.to_owned() }
}

fn complete(answer: &str) -> Event {
    Event::TurnComplete {
        turn: "t".into(),
        history_size: 2,
        final_response: Some(answer.to_owned()),
        elapsed_ms: 83_400,
        steps: 2,
        usage: Usage { input_tokens: 900, output_tokens: 100, cost: 12_300, ..Usage::default() },
        limit_reached: false,
    }
}

fn item(content: &str, status: PlanStatus) -> PlanItem {
    PlanItem { id: content.to_owned(), content: content.to_owned(), status }
}

#[test]
fn a_turn_reads_from_top_to_bottom() {
    let call = Event::ToolCall {
        tool: "bash".to_owned(),
        title: "run ls".to_owned(),
        arguments: json!({}),
        tool_call_id: "c".into(),
    };
    let output = Event::ToolOutput {
        tool: "bash".to_owned(),
        tool_call_id: "c".into(),
        output: "a.txt\nb.txt\n".to_owned(),
        success: true,
    };
    let plan = Event::PlanUpdate {
        plan: vec![
            item("look", PlanStatus::Completed),
            item("train", PlanStatus::InProgress),
            item("report", PlanStatus::Pending),
        ],
    };
    let events = [
        chunk("I will look.\n\nThen"),
        chunk(" train."),
        Event::AssistantStreamEnd {},
        call,
        output,
        plan,
        chunk("All **done**."),
        Event::AssistantStreamEnd {},
        complete("All **done**."),
    ];
    assert_eq!(
        drawn(&events, Look::PLAIN),
        "I will look.\n\nThen train.\n▸ bash  run ls\n  a.txt\n  b.txt\nPlan 1/3\n  ✓ look\n  ▸ train\n  ○ report\n\
         All **done**.\n1 min 23 s · 2 steps · 1000 tokens · $0.01\n",
    );
}

#[test]
fn an_answer_that_was_not_streamed_is_drawn_once() {
    assert!(drawn(&[complete("Only here.")], Look::PLAIN).starts_with("Only here.\n"));
    let whole = [
        Event::AssistantMessage { content: "Once.".to_owned() },
        Event::AssistantStreamEnd {},
        complete("Once."),
    ];
    assert_eq!(drawn(&whole, Look::PLAIN).matches("Once.").count(), 1);
}

#[test]
fn text_before_a_call_is_never_lost() {
    let call = Event::ToolCall {
        tool: "read".to_owned(),
        title: "read a".to_owned(),
        arguments: json!({}),
        tool_call_id: "c".into(),
    };
    assert_eq!(drawn(&[chunk("half a sentence"), call], Look::PLAIN), "half a sentence\n▸ read  read a\n");
}

#[test]
fn a_repeated_attempt_says_so_only_if_something_was_drawn() {
    let again = [chunk("half"), Event::AssistantStreamReset {}, chunk("whole"), Event::AssistantStreamEnd {}];
    assert_eq!(drawn(&again, Look::PLAIN), "whole\n");
    let late = [
        chunk("block\n\nhalf"),
        Event::AssistantStreamReset {},
        chunk("whole"),
        Event::AssistantStreamEnd {},
    ];
    assert_eq!(
        drawn(&late, Look::PLAIN),
        "block\n\n(the connection broke; the answer begins again)\nwhole\n",
    );
}

#[test]
fn hostile_text_moves_nothing() {
    let hostile = "\u{1b}[2J\u{1b}]0;owned\u{7}hi\u{202e}";
    let events = [
        chunk(hostile),
        Event::AssistantStreamEnd {},
        Event::ToolLog { tool: "bash".to_owned(), tool_call_id: None, log: hostile.to_owned() },
        Event::Error { turn: None, error: hostile.to_owned(), hint: Some(hostile.to_owned()), retry: false },
        Event::Status { lines: vec![(hostile.to_owned(), hostile.to_owned())] },
        Event::SessionTerminated { reason: hostile.to_owned() },
    ];
    let drawn = drawn(&events, Look::PLAIN);
    assert!(!drawn.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{drawn:?}");
    assert!(!drawn.contains("owned"), "{drawn:?}");
}

#[test]
fn money_is_readable() {
    let table = [
        (0, "$0"),
        (80, "$0.00008"),
        (9_900, "$0.0099"),
        (12_300, "$0.01"),
        (1_995_000, "$2.00"),
        (25_000_000, "$25.00"),
    ];
    for (micros, words) in table {
        assert_eq!(dollars(micros), words);
    }
}

#[test]
fn a_long_output_is_cut_and_what_is_left_out_is_counted() {
    let output = |lines: usize| {
        let output = (1..=lines).map(|line| format!("line {line}\n\n")).collect();
        let event =
            Event::ToolOutput { tool: "bash".to_owned(), tool_call_id: "c".into(), output, success: true };
        drawn(&[event], Look::PLAIN)
    };
    assert_eq!(output(2), "  line 1\n  line 2\n");
    assert!(output(6).ends_with("  line 5\n  line 6\n"));
    assert!(output(7).ends_with("  line 5\n  … 2 more lines\n"));
}

#[test]
fn a_plan_is_drawn_once_not_told_again_as_output() {
    let output = |success| Event::ToolOutput {
        tool: "plan_tool".to_owned(),
        tool_call_id: "c".into(),
        output: "kept".to_owned(),
        success,
    };
    assert_eq!(drawn(&[output(true)], Look::PLAIN), "");
    assert_eq!(drawn(&[output(false)], Look::PLAIN), "  kept\n");
}
