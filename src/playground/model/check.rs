//! What a chat-completions request must be; a provider answers 400 to anything else.
//!
//! Pure. Start at [`violations`].

use std::collections::HashSet;

use serde_json::Value;

/// All that a strict provider would refuse about this request; empty if nothing.
#[must_use]
pub fn violations(request: &Value) -> Vec<String> {
    let mut found = Vec::new();
    if request["model"].as_str().is_none_or(str::is_empty) {
        found.push("model is missing".to_owned());
    }
    if request.get("stream_options").is_some_and(|it| !it.is_null()) && request["stream"] != true {
        found.push("stream_options is only allowed when stream is set".into());
    }
    check_tools(request, &mut found);
    match request["messages"].as_array() {
        None => found.push("messages must be an array".into()),
        Some(messages) if messages.is_empty() => found.push("messages must not be empty".into()),
        Some(messages) => check_messages(messages, &mut found),
    }
    found
}

fn check_tools(request: &Value, found: &mut Vec<String>) {
    let mut names = HashSet::new();
    for (index, tool) in request["tools"].as_array().into_iter().flatten().enumerate() {
        let name = tool["function"]["name"].as_str().unwrap_or_default();
        let parameters = &tool["function"]["parameters"];
        if tool["type"] != "function" || !good_name(name) {
            found.push(format!("tools[{index}] needs type function and a name of letters, digits, _ and -"));
        }
        if !names.insert(name) {
            found.push(format!("tools[{index}]: {name} is there twice"));
        }
        if !parameters.is_null() && (parameters["type"] != "object" || !parameters["properties"].is_object())
        {
            found.push(format!(
                "tools[{index}]: parameters of {name} must be an object schema with properties"
            ));
        }
    }
    let forced = request["tool_choice"]["function"]["name"].as_str();
    if forced.is_some_and(|it| !names.contains(it)) {
        found.push("tool_choice names a tool that is not offered".into());
    }
    if request["tools"].as_array().is_some_and(Vec::is_empty) {
        found.push("tools must not be empty if it is there".into());
    }
}

fn good_name(name: &str) -> bool {
    let good = |it: char| it.is_ascii_alphanumeric() || it == '_' || it == '-';
    (1..=64).contains(&name.len()) && name.chars().all(good)
}

fn says_something(content: &Value) -> bool {
    content.as_str().is_some() || content.as_array().is_some_and(|it| !it.is_empty())
}

fn check_messages(messages: &[Value], found: &mut Vec<String>) {
    let mut awaited: Vec<String> = Vec::new();
    let mut spoken = false;
    for (index, message) in messages.iter().enumerate() {
        let role = message["role"].as_str().unwrap_or_default();
        if role != "tool" && !awaited.is_empty() {
            found.push(format!("messages[{index}]: tool calls without a result: {}", awaited.join(", ")));
            awaited.clear();
        }
        match role {
            "system" | "developer" | "user" if !says_something(&message["content"]) => {
                found.push(format!("messages[{index}]: {role} content must be a string or parts"));
            }
            "system" | "developer" => {}
            "user" => spoken = true,
            "assistant" => {
                if !spoken {
                    found.push(format!("messages[{index}]: the assistant speaks before any user"));
                }
                awaited = check_assistant(index, message, found);
            }
            "tool" => {
                let id = message["tool_call_id"].as_str().unwrap_or_default();
                match awaited.iter().position(|it| it == id) {
                    Some(at) => drop(awaited.remove(at)),
                    None => found.push(format!(
                        "messages[{index}]: a tool result for {id:?}, which was not asked or already answered"
                    )),
                }
                if !says_something(&message["content"]) {
                    found.push(format!("messages[{index}]: tool content must be a string or parts"));
                }
            }
            other => found.push(format!("messages[{index}]: unknown role {other:?}")),
        }
    }
    if !awaited.is_empty() {
        found.push(format!("tool calls without a result: {}", awaited.join(", ")));
    }
    if !spoken {
        found.push("there is no user message".into());
    }
}

/// The ids of the calls that must be answered next.
fn check_assistant(index: usize, message: &Value, found: &mut Vec<String>) -> Vec<String> {
    let calls = message["tool_calls"].as_array().map_or(&[][..], Vec::as_slice);
    if calls.is_empty() && !says_something(&message["content"]) {
        found.push(format!("messages[{index}]: an assistant message needs content or tool calls"));
    }
    if message["tool_calls"].as_array().is_some_and(Vec::is_empty) {
        found.push(format!("messages[{index}]: tool_calls must not be empty if it is there"));
    }
    let mut ids = Vec::new();
    for call in calls {
        let id = call["id"].as_str().unwrap_or_default().to_owned();
        if id.is_empty() || ids.contains(&id) {
            found.push(format!("messages[{index}]: a tool call needs an id of its own"));
        }
        if call["type"] != "function" || !good_name(call["function"]["name"].as_str().unwrap_or_default()) {
            found.push(format!("messages[{index}]: a tool call needs type function and a good name"));
        }
        let arguments =
            call["function"]["arguments"].as_str().and_then(|it| serde_json::from_str::<Value>(it).ok());
        if !arguments.is_some_and(|it| it.is_object()) {
            found.push(format!("messages[{index}]: arguments must be the text of a JSON object"));
        }
        ids.push(id);
    }
    ids
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn call(id: &str) -> Value {
        json!({"id": id, "type": "function", "function": {"name": "bash", "arguments": "{}"}})
    }

    fn result(id: &str) -> Value {
        json!({"role": "tool", "tool_call_id": id, "content": "ok"})
    }

    fn of(messages: Value) -> Vec<String> {
        violations(&json!({"model": "m", "messages": messages}))
    }

    #[test]
    fn a_whole_conversation_is_taken() {
        let user = json!({"role": "user", "content": "hi"});
        let asks = json!({"role": "assistant", "content": null, "tool_calls": [call("a"), call("b")]});
        let messages = json!([{"role": "system", "content": "s"}, user, asks, result("b"), result("a"),
            {"role": "assistant", "content": "done"}, user]);
        assert_eq!(of(messages), Vec::<String>::new());
    }

    #[test]
    fn each_call_needs_exactly_one_result() {
        let user = json!({"role": "user", "content": "hi"});
        let asks = json!({"role": "assistant", "tool_calls": [call("a")]});
        assert!(of(json!([user, asks]))[0].contains("without a result: a"));
        assert!(of(json!([user, asks, user]))[0].contains("without a result: a"));
        assert!(of(json!([user, asks, result("a"), result("a")]))[0].contains("already answered"));
        assert!(of(json!([user, result("x")]))[0].contains("not asked"));
        assert!(of(json!([{"role": "assistant", "content": "x"}, user]))[0].contains("before any user"));
    }

    #[test]
    fn tools_need_object_schemas() {
        let tool = |parameters: Value| json!({"type": "function", "function": {"name": "t", "parameters": parameters}});
        let with = |tools: Value| {
            violations(&json!({"model": "m", "messages": [{"role": "user", "content": "x"}], "tools": tools}))
        };
        assert_eq!(with(json!([tool(json!({"type": "object", "properties": {}}))])), Vec::<String>::new());
        assert_eq!(with(json!([tool(json!({"type": "string"}))])).len(), 1);
        assert_eq!(with(json!([])).len(), 1);
    }
}
