//! Anthropic's messages, and a little Gemini.

use ml_intern::model::{Delivery, Finish};
use ml_intern::protocol::{Item, Thought, Usage};
use serde_json::{Value, json};

use super::model::{CLAUDE, ask, asks, call, providers, request, result, retrying, user};
use super::model_fake::{Fake, Reply, Step, data, event};

fn start(usage: &Value) -> Step {
    event(
        &json!({ "type": "message_start", "message": { "id": "m", "role": "assistant", "content": [], "usage": usage } }),
    )
}

fn block(index: u64, block: &Value, deltas: &[Value]) -> Vec<Step> {
    let mut steps =
        vec![event(&json!({ "type": "content_block_start", "index": index, "content_block": block }))];
    steps.extend(
        deltas
            .iter()
            .map(|delta| event(&json!({ "type": "content_block_delta", "index": index, "delta": delta }))),
    );
    steps.push(event(&json!({ "type": "content_block_stop", "index": index })));
    steps
}

fn end(reason: &str) -> Vec<Step> {
    vec![
        event(
            &json!({ "type": "message_delta", "delta": { "stop_reason": reason }, "usage": { "output_tokens": 40 } }),
        ),
        event(&json!({ "type": "message_stop" })),
    ]
}

fn thinking_and_two_calls() -> Reply {
    let mut steps = vec![start(
        &json!({ "input_tokens": 10, "cache_creation_input_tokens": 30, "cache_read_input_tokens": 60, "output_tokens": 1 }),
    )];
    steps.push(event(&json!({ "type": "ping" })));
    steps.extend(block(
        0,
        &json!({ "type": "thinking", "thinking": "" }),
        &[
            json!({ "type": "thinking_delta", "thinking": "First " }),
            json!({ "type": "thinking_delta", "thinking": "list." }),
            json!({ "type": "signature_delta", "signature": "c2ln" }),
            json!({ "type": "signature_delta", "signature": "bmVk" }),
        ],
    ));
    steps.extend(block(1, &json!({ "type": "redacted_thinking", "data": "ZW5jcnlwdGVk" }), &[]));
    steps.extend(block(
        2,
        &json!({ "type": "text", "text": "" }),
        &[json!({ "type": "text_delta", "text": "Let me look." })],
    ));
    steps.extend(block(
        3,
        &json!({ "type": "tool_use", "id": "toolu_1", "name": "bash", "input": {} }),
        &[
            json!({ "type": "input_json_delta", "partial_json": "" }),
            json!({ "type": "input_json_delta", "partial_json": "{\"comm" }),
            json!({ "type": "input_json_delta", "partial_json": "and\": \"ls\"}" }),
        ],
    ));
    steps.extend(block(4, &json!({ "type": "tool_use", "id": "toolu_2", "name": "bash", "input": {} }), &[]));
    steps.extend(end("tool_use"));
    Reply::Stream(steps)
}

fn says(text: &str) -> Reply {
    let mut steps = vec![start(&json!({ "input_tokens": 5, "output_tokens": 1 }))];
    steps.extend(block(
        0,
        &json!({ "type": "text", "text": "" }),
        &[json!({ "type": "text_delta", "text": text })],
    ));
    steps.extend(end("end_turn"));
    Reply::Stream(steps)
}

#[tokio::test]
async fn thoughts_signatures_and_results_make_the_round_trip() {
    let fake = Fake::start(vec![thinking_and_two_calls(), says("Done.")]).await;
    let model = providers(&fake);
    let mut asked = request(CLAUDE, vec![user("go")]);
    asked.effort = Some("minimal".to_owned());
    let answer = ask(&model, &asked).await.0.unwrap();
    let thoughts = [
        Thought { text: "First list.".to_owned(), signature: Some("c2lnbmVk".to_owned()) },
        Thought { text: String::new(), signature: Some("redacted:ZW5jcnlwdGVk".to_owned()) },
    ];
    assert_eq!(answer.thoughts, thoughts);
    assert_eq!(answer.calls, [call("toolu_1", json!({"command": "ls"})), call("toolu_2", json!({}))]);
    assert_eq!(
        answer.usage,
        Usage {
            input_tokens: 100,
            cached_tokens: 60,
            cache_write_tokens: 30,
            output_tokens: 40,
            ..Usage::default()
        }
    );

    let items = vec![
        user("go"),
        Item::Assistant {
            text: answer.text,
            thoughts: answer.thoughts,
            calls: answer.calls,
            model: CLAUDE.to_owned(),
        },
        result("toolu_2", "broke", false),
        user("and hurry"),
        result("toolu_1", "files", true),
    ];
    ask(&model, &request(CLAUDE, items)).await.0.unwrap();
    let seen = fake.seen();
    assert_eq!(seen[0].path, "/anthropic/v1/messages");
    assert_eq!(seen[0].headers["x-api-key"], "sk-ant-wire-test");
    assert_eq!(seen[0].body["output_config"]["effort"], "low");
    assert_eq!(seen[0].body["system"][0]["cache_control"], json!({"type": "ephemeral"}));
    let sent = &seen[1].body["messages"];
    assert_eq!(
        sent[1]["content"],
        json!([
            { "type": "thinking", "thinking": "First list.", "signature": "c2lnbmVk" },
            { "type": "redacted_thinking", "data": "ZW5jcnlwdGVk" },
            { "type": "text", "text": "Let me look." },
            { "type": "tool_use", "id": "toolu_1", "name": "bash", "input": { "command": "ls" } },
            { "type": "tool_use", "id": "toolu_2", "name": "bash", "input": {} }
        ])
    );
    assert_eq!(
        sent[2]["content"],
        json!([
            { "type": "tool_result", "tool_use_id": "toolu_1", "content": "files" },
            { "type": "tool_result", "tool_use_id": "toolu_2", "content": "broke", "is_error": true },
            { "type": "text", "text": "and hurry", "cache_control": { "type": "ephemeral" } }
        ])
    );
}

#[tokio::test]
async fn a_history_made_by_another_model_is_made_valid() {
    let fake = Fake::start(vec![says("ok")]).await;
    let items = vec![
        Item::Assistant {
            text: "  ".to_owned(),
            thoughts: vec![Thought { text: "theirs".to_owned(), signature: Some("theirs".to_owned()) }],
            calls: vec![call("functions.bash:0", json!("{oops")), call("functions_bash_0", json!({}))],
            model: "moonshotai/Kimi-K2.6".to_owned(),
        },
        result("functions.bash:0", "", true),
        Item::Assistant { text: "So.".to_owned(), thoughts: vec![], calls: vec![], model: String::new() },
    ];
    ask(&providers(&fake), &request(CLAUDE, items)).await.0.unwrap();
    let sent = fake.bodies()[0]["messages"].clone();
    let blocks = sent[1]["content"].as_array().unwrap();
    assert_eq!(blocks.len(), 2, "{blocks:?}");
    assert_ne!(blocks[0]["id"], blocks[1]["id"]);
    assert_eq!(blocks[0]["input"], json!({ "unparsed_arguments": "{oops" }));
}

#[tokio::test]
async fn stale_signatures_are_stripped_and_the_call_repeated() {
    let refusal = json!({ "type": "error", "error": { "type": "invalid_request_error",
        "message": "messages.1.content.0: Invalid `signature` in `thinking` block" } });
    let fake = Fake::start(vec![Reply::Status(400, vec![], refusal), says("ok")]).await;
    let thoughts = vec![Thought { text: "old".to_owned(), signature: Some("stale".to_owned()) }];
    let items = vec![
        user("go"),
        Item::Assistant { text: "Yes.".to_owned(), thoughts, calls: vec![], model: CLAUDE.to_owned() },
        user("and?"),
    ];
    assert_eq!(ask(&retrying(&fake), &request(CLAUDE, items)).await.0.unwrap().text, "ok");
    let bodies = fake.bodies();
    assert_eq!(bodies[0]["messages"][1]["content"][0]["type"], "thinking");
    assert_eq!(bodies[1]["messages"][1]["content"], "Yes.");
}

#[tokio::test]
async fn claude_names_that_look_like_efforts_go_out_letter_for_letter() {
    let fake = Fake::start(vec![says("ok"), says("ok")]).await;
    let model = providers(&fake);
    for (id, effort) in [("anthropic/claude-x-max", None), ("anthropic/claude-x-high", Some("low"))] {
        let mut asked = request(id, vec![user("hi")]);
        asked.effort = effort.map(str::to_owned);
        ask(&model, &asked).await.0.unwrap();
    }
    let bodies = fake.bodies();
    assert_eq!(bodies[0]["model"], "claude-x-max");
    assert!(bodies[0].get("thinking").is_none() && bodies[0].get("output_config").is_none());
    assert_eq!(bodies[1]["model"], "claude-x-high");
}

#[tokio::test]
async fn odd_input_and_the_output_limit() {
    let mut steps = vec![start(&json!({ "input_tokens": 5, "output_tokens": 1 }))];
    steps.extend(block(
        0,
        &json!({ "type": "tool_use", "id": "toolu_1", "name": "bash", "input": {} }),
        &[json!({ "type": "input_json_delta", "partial_json": "{\"command\": \"l" })],
    ));
    steps.extend(end("max_tokens"));
    let fake = Fake::start(vec![Reply::Stream(steps)]).await;
    let answer = ask(&providers(&fake), &request(CLAUDE, vec![user("go")])).await.0.unwrap();
    assert_eq!(answer.finish, Finish::Length);
    assert_eq!(answer.calls, [call("toolu_1", json!("{\"command\": \"l"))]);
    fake.seen();
}

#[tokio::test]
async fn a_whole_message_has_the_same_parts() {
    let body = json!({
        "id": "m", "type": "message", "role": "assistant", "model": "claude", "stop_reason": "tool_use",
        "content": [
            { "type": "thinking", "thinking": "hm", "signature": "s1" },
            { "type": "redacted_thinking", "data": "x" },
            { "type": "text", "text": "Look." },
            { "type": "tool_use", "id": "toolu_9", "name": "bash", "input": { "command": "ls" } }
        ],
        "usage": { "input_tokens": 1, "cache_creation_input_tokens": 2, "cache_read_input_tokens": 3, "output_tokens": 4 }
    });
    let fake = Fake::start(vec![Reply::Status(200, vec![], body)]).await;
    let mut asked = request(CLAUDE, vec![user("go")]);
    asked.delivery = Delivery::Whole;
    let (answer, deltas) = ask(&providers(&fake), &asked).await;
    let answer = answer.unwrap();
    assert_eq!(answer.text, "Look.");
    assert_eq!(answer.thoughts[0], Thought { text: "hm".to_owned(), signature: Some("s1".to_owned()) });
    assert_eq!(answer.thoughts[1].signature.as_deref(), Some("redacted:x"));
    assert_eq!(answer.calls, [call("toolu_9", json!({"command": "ls"}))]);
    assert_eq!(
        (answer.usage.input_tokens, answer.usage.cached_tokens, answer.usage.cache_write_tokens),
        (6, 3, 2)
    );
    assert!(deltas.is_empty());
    fake.seen();
}

#[tokio::test]
async fn gemini_calls_and_their_signature_make_the_round_trip() {
    let part =
        json!({ "functionCall": { "name": "bash", "args": { "command": "ls" } }, "thoughtSignature": "sig" });
    let answer = |part: Value| {
        Reply::Stream(vec![data(&json!({
            "candidates": [{ "content": { "role": "model", "parts": [part] }, "finishReason": "STOP" }],
            "usageMetadata": { "promptTokenCount": 7, "candidatesTokenCount": 3, "thoughtsTokenCount": 2, "totalTokenCount": 12 }
        }))])
    };
    let fake = Fake::start(vec![answer(part), answer(json!({ "text": "Done." }))]).await;
    let model = providers(&fake);
    let id = "gemini/gemini-3-pro-low";
    let first = ask(&model, &request(id, vec![user("go")])).await.0.unwrap();
    assert_eq!(first.calls[0].arguments, json!({"command": "ls"}));
    assert_eq!(
        (first.usage.input_tokens, first.usage.output_tokens, first.usage.reasoning_tokens),
        (7, 5, 2)
    );
    let call_id = first.calls[0].id.0.clone();
    let items = vec![
        user("go"),
        Item::Assistant {
            text: String::new(),
            thoughts: first.thoughts,
            calls: first.calls,
            model: id.to_owned(),
        },
        result(&call_id, "files", true),
    ];
    assert_eq!(ask(&model, &request(id, items)).await.0.unwrap().text, "Done.");
    let seen = fake.seen();
    assert_eq!(seen[0].path, "/google/v1beta/models/gemini-3-pro-low:streamGenerateContent");
    assert_eq!(seen[0].headers["x-goog-api-key"], "AIza-wire-test");
    assert!(seen[0].body.pointer("/generationConfig/thinkingConfig").is_none());
    let sent = &seen[1].body["contents"];
    assert_eq!(sent[1]["parts"][0]["thoughtSignature"], "sig");
    assert_eq!(sent[2]["parts"][0]["functionResponse"]["name"], "bash");
}

#[tokio::test]
async fn a_call_without_answer_gets_one_for_anthropic_too() {
    let fake = Fake::start(vec![says("ok")]).await;
    let items = vec![user("go"), asks(CLAUDE, vec![call("toolu_1", json!({}))]), user("hello?")];
    ask(&providers(&fake), &request(CLAUDE, items)).await.0.unwrap();
    let sent = fake.bodies()[0]["messages"].clone();
    assert_eq!(sent[2]["content"][0]["content"], "no result: the run was interrupted");
    assert_eq!(sent[2]["content"][0]["is_error"], true);
}
