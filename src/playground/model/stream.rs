//! A reply as OpenAI-compatible JSON: whole, or as server-sent events.
//!
//! Start at [`response`] and [`whole`].

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::reply::{Ending, Reply};

/// Splits a text at character boundaries into at most so many pieces.
fn pieces(text: &str, count: usize) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    let size = letters.len().div_ceil(count.max(1)).max(1);
    letters.chunks(size).map(|it| it.iter().collect()).collect()
}

fn call_id(reply: &Reply, index: usize) -> String {
    // Ids differ between answers, as a provider's do.
    let (name, arguments) = &reply.calls[index];
    let sum = name
        .bytes()
        .chain(arguments.bytes())
        .fold(index as u64 + 7, |sum, it| sum.wrapping_mul(1_099_511_628_211) ^ u64::from(it));
    format!("call_{sum:016x}{:08x}", fastrand::u32(..))
}

fn usage(reply: &Reply) -> Value {
    let it = reply.usage;
    json!({"prompt_tokens": it.prompt, "completion_tokens": it.completion, "total_tokens": it.prompt + it.completion,
        "prompt_tokens_details": {"cached_tokens": it.cached}})
}

/// The answer to a request that does not stream.
pub fn whole(reply: &Reply, model: &str) -> Value {
    let mut message = json!({"role": "assistant", "content": reply.text});
    if reply.text.is_empty() && !reply.calls.is_empty() {
        message["content"] = Value::Null;
    }
    if !reply.thinking.is_empty() {
        message["reasoning_content"] = reply.thinking.clone().into();
    }
    if !reply.calls.is_empty() {
        let calls = reply.calls.iter().enumerate().map(|(index, (name, arguments))| {
            json!({"id": call_id(reply, index), "type": "function", "function": {"name": name, "arguments": arguments}})
        });
        message["tool_calls"] = calls.collect();
    }
    json!({"id": "chatcmpl-scripted", "object": "chat.completion", "created": 0, "model": model, "usage": usage(reply),
        "choices": [{"index": 0, "message": message, "finish_reason": reply.finish_reason(), "logprobs": null}]})
}

/// All events of a streamed answer, `[DONE]` included.
fn events(reply: &Reply, model: &str, with_usage: bool) -> Vec<String> {
    let chunk = |delta: Value, finish: Value| {
        let choices = json!([{"index": 0, "delta": delta, "finish_reason": finish, "logprobs": null}]);
        json!({"id": "chatcmpl-scripted", "object": "chat.completion.chunk", "created": 0, "model": model, "choices": choices})
    };
    let mut all = vec![chunk(json!({"role": "assistant", "content": ""}), Value::Null)];
    all.extend(
        pieces(&reply.thinking, reply.pieces)
            .iter()
            .map(|it| chunk(json!({"reasoning_content": it}), Value::Null)),
    );
    all.extend(pieces(&reply.text, reply.pieces).iter().map(|it| chunk(json!({"content": it}), Value::Null)));
    for (index, (name, arguments)) in reply.calls.iter().enumerate() {
        let head = json!({"index": index, "id": call_id(reply, index), "type": "function",
            "function": {"name": name, "arguments": ""}});
        all.push(chunk(json!({"tool_calls": [head]}), Value::Null));
        for piece in pieces(arguments, reply.pieces) {
            let part = json!({"index": index, "function": {"arguments": piece}});
            all.push(chunk(json!({"tool_calls": [part]}), Value::Null));
        }
    }
    if reply.ending != Ending::Eof {
        all.push(chunk(json!({}), reply.finish_reason().into()));
        if with_usage {
            let mut last = chunk(json!({}), Value::Null);
            last["choices"] = json!([]);
            last["usage"] = usage(reply);
            all.push(last);
        }
    }
    let mut lines: Vec<String> = all.iter().map(|it| format!("data: {it}\n\n")).collect();
    if reply.ending != Ending::Eof {
        lines.push("data: [DONE]\n\n".into());
    }
    lines
}

/// A streamed answer; it fails where the reply says so.
pub fn response(reply: Reply, model: &str, with_usage: bool, stop: CancellationToken) -> Response {
    let lines = events(&reply, model, with_usage);
    let (sender, mut receiver) = mpsc::channel::<Result<Bytes, std::io::Error>>(16);
    tokio::spawn(async move {
        tokio::select! {
            () = stop.cancelled() => {}
            () = write(reply, lines, &sender) => {}
        }
    });
    let body = Body::from_stream(futures::stream::poll_fn(move |context| receiver.poll_recv(context)));
    ([(header::CONTENT_TYPE, "text/event-stream; charset=utf-8")], body).into_response()
}

async fn write(reply: Reply, lines: Vec<String>, sender: &mpsc::Sender<Result<Bytes, std::io::Error>>) {
    for (index, line) in lines.into_iter().enumerate() {
        match reply.ending {
            Ending::CutAfter(count) if index == count => {
                // What was sent must be on its way before the connection breaks.
                tokio::time::sleep(Duration::from_millis(20)).await;
                // The reader may have left already.
                let _ = sender.send(Err(std::io::Error::other("cut by the script"))).await;
                return;
            }
            Ending::HangAfter(count) if index == count => sender.closed().await,
            _ => {}
        }
        if let Some(pause) = reply.pause {
            tokio::time::sleep(pause).await;
        }
        if sender.send(Ok(line.into())).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_join_to_the_whole() {
        assert_eq!(pieces("añb", 2), ["añ", "b"]);
        assert_eq!(pieces("", 3), Vec::<String>::new());
        assert_eq!(pieces("abc", 99).concat(), "abc");
    }

    #[test]
    fn arguments_come_in_fragments_under_one_index() {
        let reply =
            Reply::says("hi").and_calls([("bash", json!({"command": "ls"})), ("read", json!({"path": "a"}))]);
        let lines = events(&reply, "m", true);
        let parsed: Vec<Value> = lines
            .iter()
            .filter_map(|it| serde_json::from_str(it.trim().strip_prefix("data: ")?).ok())
            .collect();
        let arguments: String = parsed
            .iter()
            .filter(|it| it["choices"][0]["delta"]["tool_calls"][0]["index"] == 1)
            .filter_map(|it| it["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"].as_str())
            .collect();
        assert_eq!(arguments, r#"{"path":"a"}"#);
        assert_eq!(lines.last().unwrap(), "data: [DONE]\n\n");
        assert_eq!(parsed.last().unwrap()["usage"]["total_tokens"], 120);
    }
}
