//! The format, word for word; reading it back; and files that others wrote.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::clock::Timestamp;
use crate::protocol::{Heard, Item, ProposedCall, Thought};
use crate::secret::Secret;

fn user(text: &str, opens: bool) -> Item {
    Item::User { author: "U1".into(), name: "Alice".into(), text: text.into(), opens, at: None }
}

fn says(text: &str, calls: &[(&str, Value)]) -> Item {
    let calls = calls
        .iter()
        .map(|(id, arguments)| ProposedCall {
            id: (*id).into(),
            tool: "bash".into(),
            arguments: arguments.clone(),
        })
        .collect();
    Item::Assistant { text: text.into(), thoughts: vec![], calls, model: "a/b".into() }
}

fn result(id: &str, output: &str, success: bool) -> Item {
    Item::ToolResult { call: id.into(), tool: "bash".into(), output: output.into(), success }
}

fn written(items: &[Item], secrets: &[Secret]) -> String {
    let items: Vec<Arc<Item>> = items.iter().cloned().map(Arc::new).collect();
    export(Export { session: "s", started: Timestamp(1_700_000_000_000), items: &items, secrets })
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_table_of_the_format_holds() {
    let text = written(
        &[
            user("train it", true),
            says("On it.", &[("c1", json!({ "command": "ls" })), ("c2", json!("{broken"))]),
            result("c1", "a\nb", true),
            says(" ", &[]),
        ],
        &[],
    );
    let at = "2023-11-14T22:13:20.000Z";
    let (one, two, three) = (
        "7242c8d3-f0f1-17ac-6429-e319d4ae56bc",
        super::line_id::line_id("s", super::line_id::Role::Assistant, 2),
        super::line_id::line_id("s", super::line_id::Role::Tool, 3),
    );
    assert_eq!(
        lines(&text),
        [
            json!({ "type": "user", "message": { "role": "user", "content": "train it" },
                "uuid": one, "parentUuid": null, "sessionId": "s", "timestamp": at }),
            json!({ "type": "assistant", "message": { "role": "assistant", "model": "a/b", "content": [
                    { "type": "text", "text": "On it." },
                    { "type": "tool_use", "id": "c1", "name": "bash", "input": { "command": "ls" } },
                    { "type": "tool_use", "id": "c2", "name": "bash", "input": { "_raw": "{broken" } }] },
                "uuid": two, "parentUuid": one, "sessionId": "s", "timestamp": at }),
            json!({ "type": "user", "message": { "role": "user", "content": [
                    { "type": "tool_result", "tool_use_id": "c1", "content": "a\nb" }] },
                "uuid": three, "parentUuid": two, "sessionId": "s", "timestamp": at }),
        ],
        "an answer that shows nothing has no line"
    );
}

#[test]
fn lines_have_the_time_of_the_request_that_they_belong_to() {
    let later = Item::User {
        author: "U1".into(),
        name: "Alice".into(),
        text: "more".into(),
        opens: true,
        at: Some(Timestamp(1_700_000_060_000)),
    };
    let text = written(&[user("one", true), says("ok", &[]), later, says("ok", &[])], &[]);
    let times: Vec<Value> = lines(&text).iter().map(|line| line["timestamp"].clone()).collect();
    assert_eq!(times[0], times[1]);
    assert_eq!(times[2..], ["2023-11-14T22:14:20.000Z", "2023-11-14T22:14:20.000Z"]);
}

#[test]
fn nothing_secret_leaves_and_names_only_where_several_people_spoke() {
    let key = format!("hf_{}", "a".repeat(34));
    let secrets = [Secret::new("plain-old-password")];
    let items = [
        user(&format!("use {key}"), true),
        says(
            "plain-old-password",
            &[("c1", json!({ "api_key": "short", "command": "echo xoxb-1-2-abcdef" }))],
        ),
        result("c1", "PASSWORD = \"x y\"", true),
    ];
    let text = written(&items, &secrets);
    for secret in [&key, "plain-old-password", "short", "xoxb-1", "x y", "Alice"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    let bob =
        Item::User { author: "U2".into(), name: "Bob".into(), text: "hi".into(), opens: true, at: None };
    let both = written(&[user("hello", true), says("ok", &[]), bob], &[]);
    assert!(both.contains("Alice: hello") && both.contains("Bob: hi"));
}

#[test]
fn what_was_written_is_read_back() {
    let items = [
        Item::Synthetic { text: "a note".into() },
        user("one", true),
        says("", &[("c1", json!({ "command": "ls" })), ("c2", json!("{broken"))]),
        result("c1", "a", true),
        result("c2", "no", false),
        user("and this", false),
        says("done", &[]),
        Item::Summary { text: "so far".into(), replaced: 0, turns: 0 },
        user("two", true),
    ];
    let read = import(&written(&items, &[])).unwrap();
    assert_eq!(read.skipped, Skipped::default());
    assert_eq!((read.session.as_deref(), read.title.as_deref()), (Some("s"), Some("one")));
    assert_eq!(read.model.as_deref(), Some("a/b"));
    assert_eq!(read.started, Some(Timestamp(1_700_000_000_000)));
    let anonymous = |item: Item| match item {
        Item::User { text, opens, .. } => user(&text, opens),
        other => other,
    };
    assert_eq!(read.items.into_iter().map(anonymous).collect::<Vec<_>>(), items);
}

#[test]
fn a_file_of_claude_code_is_read_and_what_is_left_out_is_counted() {
    let file = [
        r#"{"type":"summary","summary":"Fix the loader","leafUuid":"x"}"#,
        r#"{"type":"file-history-snapshot","snapshot":{}}"#,
        r#"{"type":"user","isSidechain":true,"message":{"role":"user","content":"sub"}}"#,
        r#"{"type":"user","sessionId":"cc","timestamp":"2025-10-01T08:00:00.500Z","message":{"role":"user","content":[{"type":"text","text":"fix it"},{"type":"image","source":{"type":"base64"}}]}}"#,
        r#"{"type":"user","isMeta":true,"message":{"role":"user","content":"<caveat>"}}"#,
        r#"{"type":"assistant","message":{"id":"m1","role":"assistant","model":"claude","content":[{"type":"thinking","thinking":"hm","signature":"s"}]}}"#,
        r#"{"type":"assistant","message":{"id":"m1","role":"assistant","model":"claude","content":[{"type":"text","text":"Looking."}]}}"#,
        r#"{"type":"assistant","message":{"id":"m1","role":"assistant","model":"claude","content":[{"type":"tool_use","id":"t1","name":"Read","input":{"path":"a"}}]}}"#,
        r#"{"type":"assistant","message":{"id":"m1","role":"assistant","model":"claude","content":[{"type":"tool_use","id":"t2","name":"Read","input":{"path":"b"}}]}}"#,
        r#"{"type":"user","message":{"role":"user","content":[{"type":"tool_result","tool_use_id":"t2","content":[{"type":"text","text":"B"}],"is_error":true}]}}"#,
        r#"{"type":"user","message":{"role":"user","content":[{"type":"tool_result","tool_use_id":"nobody","content":"?"}]}}"#,
        r#"{"type":"assistant","message":{"id":"m2","role":"assistant","model":"claude","content":"Done."}}"#,
        "not json",
        "[1]",
        "",
    ]
    .join("\n");
    let read = import(&file).unwrap();
    assert_eq!(
        read.skipped,
        Skipped { unreadable: 2, unknown: 1, sidechains: 1, orphans: 1, unanswered: 1, ..Skipped::default() }
    );
    assert_eq!(read.title.as_deref(), Some("Fix the loader"));
    assert_eq!(read.started, Some(Timestamp(1_759_305_600_500)));
    let Item::Assistant { text, calls, .. } = &read.items[2] else { panic!("{:?}", read.items) };
    assert_eq!((text.as_str(), calls.len()), ("Looking.", 2), "blocks of one answer are one item");
    assert!(matches!(&read.items[3], Item::ToolResult { call, success: false, .. } if call.as_str() == "t2"));
    assert!(
        matches!(&read.items[4], Item::ToolResult { call, output, .. } if call.as_str() == "t1" && output.contains("holds no result"))
    );
    assert_eq!(read.items.len(), 6);
    assert_eq!(read.skipped.words()[0], "2 lines that are no JSON left out");
}

#[test]
fn a_file_without_a_message_is_none() {
    for text in ["", "\n\n", "hello", "{}", r#"{"type":"system"}"#] {
        assert_eq!(import(text), Err(NotATrace), "{text}");
    }
}

fn some_item() -> impl Strategy<Value = Vec<Item>> {
    let words = "[a-z]{1,12}( [a-z]{1,8}){0,3}";
    prop_oneof![
        words.prop_map(|text| vec![user(&text, true)]),
        words.prop_map(|text| vec![Item::Synthetic { text }]),
        words.prop_map(|text| vec![Item::Summary { text, replaced: 0, turns: 0 }]),
        words.prop_map(|text| vec![Item::Overheard { lines: vec![Heard { name: "Bob".into(), text }] }]),
        words.prop_map(|text| vec![says(&text, &[])]),
        (words, words, any::<bool>(), any::<u64>()).prop_map(|(command, output, success, n)| {
            let id = format!("c{n}");
            let arguments = if success { json!({ "command": command }) } else { json!(command) };
            let mut asked = says("", &[(&id, arguments)]);
            if let Item::Assistant { thoughts, .. } = &mut asked {
                thoughts.push(Thought { text: "hidden".into(), signature: None });
            }
            vec![asked, result(&id, &output, success)]
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Writing, reading and writing again gives the same file, and nothing is left out on the way.
    #[test]
    fn a_round_trip_changes_nothing(items in proptest::collection::vec(some_item(), 1..20)) {
        let items = items.concat();
        let text = written(&items, &[]);
        let read = import(&text).unwrap();
        prop_assert_eq!(read.skipped, Skipped::default());
        prop_assert!(!text.contains("hidden"), "reasoning stays out");
        prop_assert_eq!(written(&read.items, &[]), text);
    }
}
