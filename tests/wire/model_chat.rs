//! Chat completions: the router, OpenAI itself, servers of one's own.

use ml_intern::model::{Delivery, Delta, Finish, Model, ModelError};
use ml_intern::protocol::{Item, Thought, Usage};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::model::{ROUTER, ask, asks, call, providers, request, result, retrying, shown, user};
use super::model_fake::{Fake, Reply, Step, chat, chat_end, chat_text, data, delta};

#[tokio::test]
async fn two_calls_in_fragments_with_cached_and_reasoning_tokens() {
    let usage = json!({
        "prompt_tokens": 100, "completion_tokens": 40, "total_tokens": 140,
        "prompt_tokens_details": { "cached_tokens": 60 },
        "completion_tokens_details": { "reasoning_tokens": 25 }
    });
    let mut steps = vec![
        delta(&json!({ "role": "assistant", "reasoning_content": "hm, " })),
        delta(&json!({ "reasoning_content": "two." })),
        delta(&json!({ "content": "Both at once." })),
        delta(
            &json!({ "tool_calls": [{ "index": 0, "id": "a", "type": "function", "function": { "name": "bash", "arguments": "" } }] }),
        ),
        delta(&json!({ "tool_calls": [{ "index": 0, "function": { "arguments": "{\"comm" } }] })),
        delta(&json!({ "tool_calls": [
            { "index": 1, "id": "b", "type": "function", "function": { "name": "bash", "arguments": "{\"command\"" } },
            { "index": 0, "function": { "arguments": "and\":\"ls\"}" } }
        ] })),
        delta(&json!({ "tool_calls": [{ "index": 1, "function": { "arguments": ":\"pwd\"}" } }] })),
    ];
    steps.extend(chat_end("tool_calls", &usage));
    let fake = Fake::start(vec![Reply::Stream(steps)]).await;
    let (answer, deltas) = ask(&providers(&fake), &request(ROUTER, vec![user("go")])).await;
    let answer = answer.unwrap();
    assert_eq!(answer.text, "Both at once.");
    assert_eq!(answer.calls, [call("a", json!({"command": "ls"})), call("b", json!({"command": "pwd"}))]);
    assert_eq!(answer.thoughts, [Thought { text: "hm, two.".to_owned(), signature: None }]);
    assert_eq!(
        answer.usage,
        Usage {
            input_tokens: 100,
            cached_tokens: 60,
            output_tokens: 40,
            reasoning_tokens: 25,
            ..Usage::default()
        }
    );
    assert_eq!(answer.finish, Finish::Complete);
    let thought = |text: &str| Delta::Thought(text.to_owned());
    assert_eq!(deltas, [thought("hm, "), thought("two."), Delta::Text("Both at once.".to_owned())]);

    let seen = &fake.seen()[0];
    assert_eq!(seen.path, "/router/v1/chat/completions");
    assert_eq!(seen.headers["authorization"], "Bearer hf_wire_test_token");
    assert_eq!(seen.headers["x-hf-session-id"], "slack:T1:C1:17.5");
    assert_eq!(seen.body["model"], ROUTER);
    assert_eq!(seen.body["messages"][0], json!({"role": "system", "content": "You help."}));
    assert_eq!(seen.body["tools"][0]["function"]["name"], "bash");
    assert_eq!(seen.body["stream_options"], json!({"include_usage": true}));
}

#[tokio::test]
async fn a_letter_cut_in_two_by_the_network_arrives_whole() {
    let text = "Grüße, 世界 🤖";
    let Step::Send(bytes) = delta(&json!({ "content": text })) else { panic!() };
    let mut steps: Vec<Step> = bytes.chunks(1).map(|byte| Step::Send(byte.to_vec())).collect();
    steps.extend(chat_end("stop", &Value::Null));
    let fake = Fake::start(vec![Reply::Stream(steps)]).await;
    let (answer, deltas) = ask(&providers(&fake), &request(ROUTER, vec![user("go")])).await;
    assert_eq!((answer.unwrap().text.as_str(), shown(&deltas).as_str()), (text, text));
    fake.seen();
}

#[tokio::test]
async fn odd_arguments_and_missing_or_repeated_ids_survive_both_ways() {
    let calls = json!([
        { "index": 0, "id": "a", "type": "function", "function": { "name": "bash", "arguments": "{\"command\": oops" } },
        { "index": 1, "type": "function", "function": { "name": "bash", "arguments": "[1]" } },
        { "index": 2, "id": "a", "type": "function", "function": { "name": "bash", "arguments": "" } },
        { "index": 3, "id": "old", "type": "function", "function": { "name": "bash", "arguments": "{}" } }
    ]);
    let whole = json!({
        "choices": [{ "index": 0, "finish_reason": "tool_calls", "message": { "role": "assistant", "content": null, "tool_calls": calls } }],
        "usage": { "prompt_tokens": 3, "completion_tokens": 4, "prompt_tokens_details": { "cached_tokens": 2 } }
    });
    let fake = Fake::start(vec![
        chat(&[json!({ "tool_calls": calls })], "tool_calls"),
        Reply::Status(200, vec![], whole),
        chat_text("fine"),
    ])
    .await;
    let model = providers(&fake);
    let history = || {
        vec![user("go"), asks(ROUTER, vec![call("old", json!({}))]), result("old", "ok", true), user("again")]
    };
    let mut asked = request(ROUTER, history());
    let expected = [
        call("a", json!("{\"command\": oops")),
        call("call_2", json!("[1]")),
        call("call_3", json!({})),
        call("call_4", json!({})),
    ];
    assert_eq!(ask(&model, &asked).await.0.unwrap().calls, expected);
    asked.delivery = Delivery::Whole;
    let (answer, deltas) = ask(&model, &asked).await;
    let answer = answer.unwrap();
    assert_eq!(answer.calls, expected);
    assert_eq!(
        (answer.usage.input_tokens, answer.usage.cached_tokens, answer.usage.output_tokens),
        (3, 2, 4)
    );
    assert!(deltas.is_empty());

    // Sent back, each is valid for the strictest server; one was never answered.
    let mut items = history();
    items.push(asks(ROUTER, expected.to_vec()));
    items.extend(["a", "call_2", "call_4"].map(|id| result(id, "done", true)));
    ask(&model, &request(ROUTER, items)).await.0.unwrap();
    let sent = &fake.bodies()[2]["messages"];
    assert_eq!(
        sent[5]["tool_calls"][0]["function"]["arguments"],
        r#"{"unparsed_arguments":"{\"command\": oops"}"#
    );
    assert_eq!(
        sent[8],
        json!({"role": "tool", "tool_call_id": "call_3", "content": "no result: the run was interrupted"})
    );
}

#[tokio::test]
async fn names_that_look_like_efforts_go_out_letter_for_letter() {
    let names = [
        "org/x-high",
        "org/llama-low:nova",
        "ollama/llama-low",
        "openai/x-none",
        "ollama/openai::x",
        "ollama/a::b-max",
    ];
    let fake = Fake::start(names.iter().flat_map(|_| [chat_text("ok"), chat_text("ok")]).collect()).await;
    let model = providers(&fake);
    for name in names {
        for effort in [None, Some("low".to_owned())] {
            let mut asked = request(name, vec![user("hi")]);
            asked.effort = effort;
            ask(&model, &asked).await.0.unwrap();
        }
    }
    let sent: Vec<_> = fake
        .seen()
        .iter()
        .map(|seen| {
            let field = |name: &str| seen.body[name].as_str().unwrap_or("-").to_owned();
            format!("{} {} {}", seen.path, field("model"), field("reasoning_effort"))
        })
        .collect();
    assert_eq!(
        sent,
        [
            "/router/v1/chat/completions org/x-high -",
            "/router/v1/chat/completions org/x-high low",
            "/router/v1/chat/completions org/llama-low:nova -",
            "/router/v1/chat/completions org/llama-low:nova low",
            "/v1/chat/completions llama-low -",
            "/v1/chat/completions llama-low -",
            "/openai/v1/chat/completions x-none -",
            "/openai/v1/chat/completions x-none low",
            "/v1/chat/completions openai::x -",
            "/v1/chat/completions openai::x -",
            "/v1/chat/completions a::b-max -",
            "/v1/chat/completions a::b-max -",
        ]
    );
}

#[tokio::test]
async fn the_router_hears_only_efforts_that_its_wire_can_say() {
    let efforts = [
        ("minimal", "low"),
        ("medium", "medium"),
        ("high", "high"),
        ("xhigh", "-"),
        ("max", "-"),
        ("odd", "-"),
    ];
    let fake = Fake::start(efforts.iter().map(|_| chat_text("ok")).collect()).await;
    for (wish, _) in efforts {
        let mut asked = request(ROUTER, vec![user("hi")]);
        asked.effort = Some(wish.to_owned());
        ask(&providers(&fake), &asked).await.0.unwrap();
    }
    let sent: Vec<_> = fake
        .bodies()
        .iter()
        .map(|body| body["reasoning_effort"].as_str().unwrap_or("-").to_owned())
        .collect();
    assert_eq!(sent, efforts.map(|(_, wire)| wire));
}

#[tokio::test]
async fn finish_reasons_are_told_apart() {
    let call =
        json!({ "tool_calls": [{ "index": 0, "id": "a", "function": { "name": "bash", "arguments": "" } }] });
    let fake = Fake::start(vec![
        chat(&[json!({ "content": "cut" }), call], "length"),
        chat(&[json!({ "content": "no" })], "content_filter"),
    ])
    .await;
    let model = providers(&fake);
    let cut = ask(&model, &request(ROUTER, vec![user("hi")])).await.0.unwrap();
    assert_eq!(cut.finish, Finish::Length);
    assert_eq!(cut.calls[0].arguments, json!(""), "arguments that were cut off are not `no arguments`");
    assert_eq!(ask(&model, &request(ROUTER, vec![user("hi")])).await.0.unwrap().finish, Finish::Filtered);
    fake.seen();
}

#[tokio::test]
async fn a_long_mixed_history_is_valid_and_thoughts_of_the_same_model_return() {
    let thinks = |model: &str, id: &str| Item::Assistant {
        text: "Looking.".to_owned(),
        thoughts: vec![Thought { text: "deep".to_owned(), signature: None }],
        calls: vec![call(id, json!({"command": "ls"}))],
        model: model.to_owned(),
    };
    let items = vec![
        Item::Overheard {
            lines: vec![ml_intern::protocol::Heard { name: "bob".to_owned(), text: "hm".to_owned() }],
        },
        user("one"),
        thinks(ROUTER, "functions.bash:0"),
        result("functions.bash:0", "files", true),
        thinks("other/model", "x"),
        user("changed my mind"),
        Item::User {
            author: "U2".into(),
            name: "bob".to_owned(),
            text: "me too".to_owned(),
            opens: true,
            at: None,
        },
        result("ghost", "boo", true),
    ];
    let fake = Fake::start(vec![chat_text("ok")]).await;
    ask(&providers(&fake), &request(ROUTER, items)).await.0.unwrap();
    let sent = fake.bodies()[0]["messages"].clone();
    assert_eq!(sent[2]["reasoning_content"], "deep");
    assert_eq!(sent[2]["tool_calls"][0]["id"], "functions.bash:0");
    assert_eq!(sent[4].get("reasoning_content"), None, "another model's thoughts stay here");
    assert_eq!(sent[6], json!({"role": "user", "content": "ann: changed my mind\n\nbob: me too"}));
}

#[tokio::test]
async fn a_refused_effort_is_lowered_once_and_then_for_good() {
    let refusal = json!({ "error": { "message": "Unsupported value: reasoning_effort", "type": "invalid_request_error" } });
    let refused = || Reply::Status(400, vec![], refusal.clone());
    let pong = json!({ "choices": [{ "finish_reason": "length", "message": { "role": "assistant", "content": "po" } }],
                       "usage": { "prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4 } });
    let pong = Reply::Status(200, vec![], pong);
    let fake = Fake::start(vec![refused(), refused(), pong, chat_text("ok"), chat_text("ok")]).await;
    let model = retrying(&fake);
    let mut asked = request(ROUTER, vec![user("hi")]);
    asked.effort = Some("high".to_owned());
    let first = ask(&model, &asked).await.0.unwrap();
    assert_eq!(first.usage.input_tokens, 13, "10 of the answer and 3 of finding the effort out");
    ask(&model, &asked).await.0.unwrap();
    let bodies = fake.bodies();
    let sent: Vec<_> = bodies.iter().map(|body| body["reasoning_effort"].as_str().unwrap_or("-")).collect();
    assert_eq!(sent, ["high", "medium", "low", "low", "low"]);
    assert_eq!(
        (&bodies[1]["max_tokens"], &bodies[1]["messages"][0]["content"]),
        (&json!(64), &json!("ping"))
    );
}

#[tokio::test]
async fn what_a_wire_cannot_say_is_refused_before_anything_is_sent() {
    let fake = Fake::start(vec![]).await;
    let providers = providers(&fake);
    for (model, effort) in
        [(ROUTER, "max"), (ROUTER, "xhigh"), (ROUTER, "minimal"), ("ollama/x", "low"), (ROUTER, "odd")]
    {
        let outcome = providers.ping(model, Some(effort), &CancellationToken::new()).await;
        assert!(matches!(outcome, Err(ModelError::Repair { .. })), "{model} {effort}: {outcome:?}");
    }
    assert!(fake.seen().is_empty());
}

#[tokio::test]
async fn a_whole_answer_comes_without_pieces() {
    let body = json!({ "choices": [{ "finish_reason": "stop", "message": { "role": "assistant", "content": " hi ", "reasoning": "hm" } }] });
    let fake = Fake::start(vec![Reply::Status(200, vec![], body)]).await;
    let mut asked = request("ollama/qwen3", vec![user("hi")]);
    asked.delivery = Delivery::Whole;
    let (answer, deltas) = ask(&providers(&fake), &asked).await;
    let answer = answer.unwrap();
    assert_eq!((answer.text.as_str(), answer.thoughts[0].text.as_str()), (" hi ", "hm"));
    assert!(deltas.is_empty());
    let seen = &fake.seen()[0];
    assert_eq!(seen.headers["authorization"], "Bearer sk-local-no-key-required");
    assert!(!seen.headers.contains_key("x-hf-session-id"));
    assert_eq!(seen.body["stream"], false);
}

#[tokio::test]
async fn keep_alive_comments_and_unknown_frames_do_no_harm() {
    let nothing_wrong = |delta: Value, reason: Value| {
        data(&json!({ "error": null, "usage": { "prompt_tokens": 9, "completion_tokens": 2 },
            "choices": [{ "index": 0, "delta": delta, "finish_reason": reason }] }))
    };
    let steps = vec![
        Step::Send(b": PROCESSING\n\n".to_vec()),
        data(&json!({ "id": "c", "object": "something.new" })),
        delta(&json!({ "content": "All ", "novelty": { "x": 1 } })),
        nothing_wrong(json!({ "content": "is fine" }), Value::Null),
        nothing_wrong(
            json!({ "tool_calls": [{ "index": 0, "id": "a", "function": { "name": "bash", "arguments": "{}" } }] }),
            Value::Null,
        ),
        nothing_wrong(json!({}), json!("length")),
        Step::Send(b"data: [DONE]\n\n".to_vec()),
    ];
    let fake = Fake::start(vec![Reply::Stream(steps)]).await;
    let (answer, deltas) = ask(&providers(&fake), &request(ROUTER, vec![user("hi")])).await;
    let answer = answer.unwrap();
    assert_eq!((answer.text.as_str(), shown(&deltas).as_str()), ("All is fine", "All is fine"));
    assert_eq!(answer.calls, [call("a", json!({}))]);
    assert_eq!((answer.finish, answer.usage.input_tokens), (Finish::Length, 9));
    fake.seen();
}

#[tokio::test]
async fn a_probe_asks_for_a_word() {
    let body = json!({ "choices": [{ "finish_reason": "length", "message": { "role": "assistant", "content": "" } }] });
    let refusal = json!({ "error": { "message": "no", "type": "authentication_error" } });
    let fake = Fake::start(vec![Reply::Status(200, vec![], body), Reply::Status(401, vec![], refusal)]).await;
    let model = providers(&fake);
    model.ping("ollama/x-high", None, &CancellationToken::new()).await.unwrap();
    let error = model.ping(ROUTER, None, &CancellationToken::new()).await.unwrap_err();
    assert!(matches!(error, ml_intern::model::ModelError::Stop { hint, .. } if hint.contains("HF_TOKEN")));
    assert_eq!(fake.bodies()[0]["model"], "x-high");
}

#[tokio::test]
async fn prompts_are_cached_where_the_provider_wants_to_be_told() {
    let ids = [
        "anthropic/claude-opus-4.8:fal-ai",
        "openai/gpt-5.5:fal-ai",
        "openai/gpt-5.5",
        "moonshotai/Kimi-K2.6:novita",
    ];
    let fake = Fake::start(ids.iter().map(|_| chat_text("ok")).collect()).await;
    for id in ids {
        ask(&providers(&fake), &request(id, vec![user("hi")])).await.0.unwrap();
    }
    let sent: Vec<_> = fake
        .bodies()
        .iter()
        .map(|body| {
            ["cache_control", "prompt_cache_key", "prompt_cache_retention"]
                .map(|field| body.get(field).is_some())
        })
        .collect();
    assert_eq!(sent, [[true, false, false], [false, true, true], [false, true, false], [false; 3]]);
}
