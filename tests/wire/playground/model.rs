//! The scripted model speaks OpenAI's wire, fails as told, and refuses bad requests.

use std::time::Duration;

use ml_intern::playground::model::{Ending, Reply, Script, ScriptedModel, Usage};
use serde_json::{Value, json};

use super::http;

async fn ask(model: &ScriptedModel, body: Value) -> Result<(u16, String), reqwest::Error> {
    let request =
        http().post(format!("{}/chat/completions", model.url())).bearer_auth("key").body(body.to_string());
    let answer = request.send().await?;
    Ok((answer.status().as_u16(), answer.text().await?))
}

fn plain(stream: bool) -> Value {
    json!({"model": "m", "stream": stream, "messages": [{"role": "user", "content": "hi"}]})
}

#[tokio::test]
async fn replies_come_whole_or_in_pieces() {
    let usage = Usage { prompt: 9, completion: 2, cached: 4 };
    let replies = vec![
        Reply::says("whole").using(usage),
        Reply::says("in pieces").thinking("hm").and_calls([("bash", json!({"command": "ls"}))]),
        Reply::says("x").ending(Ending::Eof),
    ];
    let model = ScriptedModel::start(Script::Queue(replies)).await.unwrap();
    let whole: Value = serde_json::from_str(&ask(&model, plain(false)).await.unwrap().1).unwrap();
    assert_eq!(whole["choices"][0]["message"]["content"], "whole");
    assert_eq!(whole["usage"]["prompt_tokens_details"]["cached_tokens"], 4);
    let (_, streamed) = ask(&model, plain(true)).await.unwrap();
    assert!(
        streamed.contains("reasoning_content") && streamed.contains("\"finish_reason\":\"tool_calls\""),
        "{streamed}"
    );
    assert!(streamed.ends_with("data: [DONE]\n\n"));
    let (_, ended) = ask(&model, plain(true)).await.unwrap();
    assert!(!ended.contains("[DONE]") && !ended.contains("\"stop\""), "{ended}");
    assert_eq!((model.left(), model.requests().len(), model.violations()), (0, 3, vec![]));
    assert_eq!(ask(&model, plain(true)).await.unwrap().0, 400, "past the end of the script");
    assert_eq!(model.violations().len(), 1);
}

#[tokio::test]
async fn it_fails_as_told() {
    let replies = vec![
        Reply::error(429, r#"{"error":{"message":"slow down"}}"#).retry_after(7),
        Reply::says("cut").ending(Ending::CutAfter(2)),
        Reply::says("hang").ending(Ending::HangAfter(1)),
    ];
    let model = ScriptedModel::start(Script::Queue(replies)).await.unwrap();
    let url = format!("{}/chat/completions", model.url());
    let limited = http().post(&url).bearer_auth("key").body(plain(true).to_string()).send().await.unwrap();
    assert_eq!((limited.status().as_u16(), limited.headers()["retry-after"].to_str().unwrap()), (429, "7"));
    assert!(ask(&model, plain(true)).await.is_err(), "the connection breaks in mid-stream");
    let hang = tokio::time::timeout(Duration::from_millis(300), ask(&model, plain(true))).await;
    assert!(hang.is_err(), "nothing more comes");
    model.demand_key("right");
    let keyless = http().post(&url).body(plain(true).to_string()).send().await.unwrap();
    assert_eq!(keyless.status(), 401);
    model.shutdown().await;
}

#[tokio::test]
async fn bad_requests_are_refused_and_remembered() {
    let answering =
        Box::new(|request: &Value| Reply::says(request["messages"][0]["content"].as_str().unwrap()));
    let model = ScriptedModel::start(Script::Answering(answering)).await.unwrap();
    assert!(ask(&model, plain(false)).await.unwrap().1.contains("hi"));
    let orphan = json!({"model": "m", "messages": [{"role": "user", "content": "x"}, {"role": "tool", "tool_call_id": "a", "content": "y"}]});
    assert_eq!(ask(&model, orphan).await.unwrap().0, 400);
    assert!(model.violations()[0].contains("not asked"), "{:?}", model.violations());
}
