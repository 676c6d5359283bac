//! The story told against a table of results, its good and its bad ends.

use serde_json::{Value, json};

use super::super::model::{Reply, violations};
use super::*;

const METRICS: &str = "epoch 12  loss 0.1\nMETRICS {\"learning_rate\": 0.1, \"epochs\": 12, \"loss\": 0.2, \
    \"train_accuracy\": 0.93, \"test_accuracy\": 0.91, \"seconds\": 1.3}\n[exit code 0]";

/// A conversation with the story; the closure answers its tool calls.
struct Chat {
    messages: Vec<Value>,
}

impl Chat {
    fn new() -> Self {
        Self { messages: vec![json!({"role": "system", "content": "s"})] }
    }

    fn request(&self) -> Value {
        let tool = |name: &str| json!({"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {}}}});
        let tools: Vec<_> =
            ["plan_tool", "write", "bash", "read", "edit"].iter().map(|it| tool(it)).collect();
        json!({"model": "scripted", "messages": self.messages, "tools": tools})
    }

    /// Plays one turn: the tools called, in order, and the last words.
    fn turn(&mut self, words: &str, answers: impl Fn(&str, &Value) -> String) -> (Vec<String>, String) {
        self.messages.push(json!({"role": "user", "content": words}));
        let mut called = Vec::new();
        for step in 0..20 {
            let request = self.request();
            assert_eq!(violations(&request), Vec::<String>::new());
            let reply: Reply = next(&request);
            if reply.calls.is_empty() {
                self.messages.push(json!({"role": "assistant", "content": reply.text}));
                return (called, reply.text);
            }
            let call = |index: usize, it: &(String, String)| {
                json!({"id": format!("c{}-{step}-{index}", self.messages.len()),
                "type": "function", "function": {"name": it.0, "arguments": it.1}})
            };
            let calls: Vec<_> = reply.calls.iter().enumerate().map(|(index, it)| call(index, it)).collect();
            self.messages.push(json!({"role": "assistant", "content": reply.text, "tool_calls": calls}));
            for call in calls {
                let name = call["function"]["name"].as_str().unwrap();
                let arguments =
                    serde_json::from_str(call["function"]["arguments"].as_str().unwrap()).unwrap();
                called.push(name.to_owned());
                let content = answers(name, &arguments);
                self.messages.push(json!({"role": "tool", "tool_call_id": call["id"], "content": content}));
            }
        }
        panic!("the story does not end: {called:?}");
    }
}

fn works(tool: &str, _: &Value) -> String {
    match tool {
        "bash" => METRICS.to_owned(),
        "read" => "1\tSEED = 7\n2\tLEARNING_RATE = 0.1\n".to_owned(),
        _ => "done".to_owned(),
    }
}

#[test]
fn the_story_plans_writes_runs_reads_and_reports_the_real_numbers() {
    let mut chat = Chat::new();
    let (called, last) = chat.turn("please train something", works);
    assert_eq!(called, ["plan_tool", "write", "plan_tool", "bash", "plan_tool", "read", "plan_tool"]);
    assert!(last.contains("| test accuracy | 0.91 |") && last.contains("no model is thinking"), "{last}");

    let (called, last) = chat.turn("how good is it?", works);
    assert_eq!(called, Vec::<String>::new());
    assert!(last.contains("0.91"), "{last}");

    let better = |tool: &str, arguments: &Value| works(tool, arguments).replace("0.91", "0.95");
    let (called, last) = chat.turn("try another learning rate", better);
    assert_eq!(called, ["read", "edit", "bash"]);
    assert!(last.contains("| test accuracy | 0.91 | 0.95 |") && last.contains("+0.0400"), "{last}");
}

#[test]
fn a_rejection_with_its_reason_ends_the_turn_and_can_be_taken_back() {
    let mut chat = Chat::new();
    let refuses = |tool: &str, arguments: &Value| match tool {
        "bash" => {
            "Not run: alice rejected this call and said: use less data\nTake that into account.".to_owned()
        }
        _ => works(tool, arguments),
    };
    let (called, last) = chat.turn("train", refuses);
    assert_eq!(called.last().unwrap(), "bash");
    assert!(last.contains("“use less data”"), "{last}");
    let (called, last) = chat.turn("go on", works);
    assert_eq!(called[..2], ["plan_tool", "bash"]);
    assert!(last.contains("0.91"), "{last}");
    let (called, last) = chat.turn("never mind", works);
    assert_eq!((called.len(), last.contains("leave it there")), (0, true));
}

#[test]
fn failures_are_told_as_they_are() {
    for (output, wanted) in [
        ("bash: python3: command not found\n[exit code 127]", "`python3` is not installed"),
        ("Traceback: boom\n[exit code 1]", "boom"),
        ("Stopped before it ended; whether it took effect is unknown.", "nothing to report"),
    ] {
        let answers = |tool: &str, arguments: &Value| {
            if tool == "bash" { output.to_owned() } else { works(tool, arguments) }
        };
        let (_, last) = Chat::new().turn("train", answers);
        assert!(last.contains(wanted) && !last.contains(TOLD), "{last}");
    }
    let no_disk = |tool: &str, arguments: &Value| {
        if tool == "write" { "Error: disk full".into() } else { works(tool, arguments) }
    };
    assert!(Chat::new().turn("train", no_disk).1.contains("disk full"));
}

#[test]
fn without_its_tools_it_says_so() {
    let request = json!({"model": "m", "messages": [{"role": "user", "content": "x"}],
        "tools": [{"type": "function", "function": {"name": "bash"}}]});
    assert!(next(&request).text.contains("plan_tool, write, read, edit"));
}
