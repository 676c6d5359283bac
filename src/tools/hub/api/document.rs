//! The endpoints in the description of the Hub's API (`OpenAPI` 3), out of whatever JSON it is.
//!
//! Takes what it understands and leaves the rest; references are followed a few steps and never in circles.
//! Pure, and slow for large documents. Start at [`endpoints`].

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::text::cut;

/// What is taken at most.
const ENDPOINTS: usize = 5_000;
const PARAMETERS: usize = 60;
const RESPONSES: usize = 20;
const FIELDS: usize = 24;
const CHOICES: usize = 20;
/// Characters of a description, and of what an example shows.
const DESCRIPTION: usize = 2_000;
const REMARK: usize = 200;
/// How deep an example goes, and how many references are followed one after another.
const DEPTH: usize = 4;
const HOPS: usize = 8;
/// What operations are called in a path.
const METHODS: [&str; 7] = ["get", "post", "put", "patch", "delete", "head", "options"];

/// One endpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Endpoint {
    /// `GET`, …
    pub method: String,
    /// With its parameters in braces.
    pub path: String,
    /// The name of the operation.
    pub id: String,
    /// One line.
    pub summary: String,
    /// More than one line.
    pub description: String,
    /// What it belongs to.
    pub tags: Vec<String>,
    /// What goes into path, query and headers.
    pub parameters: Vec<Parameter>,
    /// An example of the JSON that it takes.
    pub body: Option<Value>,
    /// What it answers.
    pub responses: Vec<Answer>,
}

/// One parameter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Parameter {
    /// Its name.
    pub name: String,
    /// `path`, `query` or `header`.
    pub place: String,
    /// Its type, with the values that it may have.
    pub kind: String,
    /// Whether the call fails without it.
    pub required: bool,
    /// What it is.
    pub about: String,
    /// A value.
    pub example: Option<String>,
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Answer {
    /// The status.
    pub status: String,
    /// What it means.
    pub about: String,
    /// The type of its body.
    pub kind: String,
}

/// All endpoints of a document, in the order of their paths.
///
/// # Errors
/// It is no JSON, or holds no endpoint.
pub(super) fn endpoints(body: &[u8]) -> Result<Vec<Endpoint>, &'static str> {
    let document: Value = serde_json::from_slice(body).map_err(|_| "it is no JSON")?;
    let paths = document["paths"].as_object().ok_or("it lists no paths")?;
    let mut found = Vec::new();
    'paths: for (path, item) in paths {
        let item = follow(&document, item);
        for method in METHODS {
            if !item[method].is_object() {
                continue;
            }
            if found.len() == ENDPOINTS {
                tracing::warn!(
                    most = ENDPOINTS,
                    "the description of the Hub's API lists more endpoints than are taken"
                );
                break 'paths;
            }
            found.push(endpoint(&document, (method, path), item));
        }
    }
    if found.is_empty() { Err("it lists no endpoint") } else { Ok(found) }
}

fn endpoint(document: &Value, (method, path): (&str, &str), item: &Value) -> Endpoint {
    let operation = &item[method];
    let words = |name: &str, most: usize| text(&operation[name], most);
    let of_both = [&operation["parameters"], &item["parameters"]];
    let mut parameters: Vec<Parameter> = Vec::new();
    for one in of_both.into_iter().filter_map(Value::as_array).flatten().take(PARAMETERS) {
        let one = parameter(document, follow(document, one));
        // The operation's own one counts before the path's.
        let known = |it: &Parameter| it.name == one.name && it.place == one.place;
        if !one.name.is_empty() && one.place != "cookie" && !parameters.iter().any(known) {
            parameters.push(one);
        }
    }
    let tags = operation["tags"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let responses = operation["responses"].as_object().into_iter().flatten().take(RESPONSES);
    Endpoint {
        method: method.to_uppercase(),
        path: cut(path, REMARK).into_owned(),
        id: words("operationId", REMARK),
        summary: words("summary", REMARK),
        description: words("description", DESCRIPTION),
        tags: tags.map(|tag| cut(tag, 80).into_owned()).take(10).collect(),
        parameters,
        body: body(document, follow(document, &operation["requestBody"])),
        responses: responses.map(|(status, answer)| response(document, status, answer)).collect(),
    }
}

fn parameter(document: &Value, one: &Value) -> Parameter {
    let schema = follow(document, &one["schema"]);
    let example =
        [&one["example"], &schema["example"], &schema["default"]].into_iter().find(|it| !it.is_null());
    let place = text(&one["in"], 20);
    Parameter {
        name: text(&one["name"], 80),
        required: one["required"].as_bool() == Some(true) || place == "path",
        place,
        kind: kind(document, schema, 0),
        about: text(&one["description"], REMARK),
        example: example.map(plain),
    }
}

fn response(document: &Value, status: &str, answer: &Value) -> Answer {
    let answer = follow(document, answer);
    let content = answer["content"].as_object().and_then(|content| content.iter().next());
    let kind = content.map_or_else(String::new, |(media, content)| {
        let kind = kind(document, follow(document, &content["schema"]), 0);
        if media.contains("json") { kind } else { format!("{kind} as {}", cut(media, 60)) }
    });
    Answer { status: cut(status, 10).into_owned(), about: text(&answer["description"], REMARK), kind }
}

/// An example of the JSON that a request carries.
fn body(document: &Value, request: &Value) -> Option<Value> {
    let content = request["content"].as_object()?;
    let (_, content) = content.iter().find(|(media, _)| media.contains("json"))?;
    let given = [&content["example"], &content["schema"]["example"]].into_iter().find(|it| !it.is_null());
    let example = given.cloned().unwrap_or_else(|| sample(document, &content["schema"], 0));
    // An example of someone's own may be of any size.
    Some(if example.to_string().len() > DESCRIPTION { json!({}) } else { example })
}

/// A value of a schema's form: what must be in it first.
fn sample(document: &Value, schema: &Value, depth: usize) -> Value {
    let schema = follow(document, schema);
    let given = [&schema["example"], &schema["default"], &schema["const"], &schema["enum"][0]];
    if let Some(given) = given.into_iter().find(|it| !it.is_null()) {
        return given.clone();
    }
    if depth >= DEPTH {
        return json!("…");
    }
    if let Some(parts) = schema["allOf"].as_array() {
        let parts = parts.iter().take(CHOICES).map(|part| sample(document, part, depth + 1));
        let fields = parts.filter_map(|part| part.as_object().cloned()).flatten().take(FIELDS);
        return Value::Object(fields.collect());
    }
    if let Some(choice) = ["oneOf", "anyOf"].into_iter().find_map(|name| schema[name].as_array()?.first()) {
        return sample(document, choice, depth + 1);
    }
    match schema["type"].as_str() {
        Some("string") => json!("string"),
        Some("integer" | "number") => json!(0),
        Some("boolean") => json!(true),
        Some("array") => json!([sample(document, &schema["items"], depth + 1)]),
        _ => match schema["properties"].as_object() {
            Some(properties) => fields(document, schema, properties, depth),
            None => json!({}),
        },
    }
}

fn fields(document: &Value, schema: &Value, properties: &Map<String, Value>, depth: usize) -> Value {
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let needed = properties.iter().filter(|(name, _)| required.contains(&name.as_str()));
    let chosen: Vec<_> = if required.is_empty() { properties.iter().collect() } else { needed.collect() };
    let chosen = chosen.into_iter().take(FIELDS);
    Value::Object(chosen.map(|(name, field)| (name.clone(), sample(document, field, depth + 1))).collect())
}

/// A schema's type in a few words.
fn kind(document: &Value, schema: &Value, depth: usize) -> String {
    let schema = follow(document, schema);
    if let Some(choices) = schema["enum"].as_array() {
        let shown: Vec<String> = choices.iter().take(CHOICES).map(plain).collect();
        let more = if choices.len() > CHOICES { ", …" } else { "" };
        return format!("one of {}{more}", shown.join(", "));
    }
    if depth >= DEPTH {
        return "value".to_owned();
    }
    if let Some(choices) = ["oneOf", "anyOf"].into_iter().find_map(|name| schema[name].as_array()) {
        let mut kinds: Vec<String> = choices.iter().take(4).map(|it| kind(document, it, depth + 1)).collect();
        kinds.dedup();
        return kinds.join(" or ");
    }
    match &schema["type"] {
        Value::String(name) if name == "array" => {
            format!("list of {}", kind(document, &schema["items"], depth + 1))
        }
        Value::String(name) => cut(name, 40).into_owned(),
        Value::Array(names) => {
            let names: Vec<&str> = names.iter().take(4).filter_map(Value::as_str).collect();
            names.join(" or ")
        }
        _ if schema["properties"].is_object() || schema["allOf"].is_array() => "object".to_owned(),
        _ => "value".to_owned(),
    }
}

/// What a reference stands for; a reference that leads nowhere, elsewhere or in circles stands for nothing.
fn follow<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let mut value = value;
    for _ in 0..HOPS {
        let Some(target) = value["$ref"].as_str() else { return value };
        let Some(found) = target.strip_prefix('#').and_then(|pointer| document.pointer(pointer)) else {
            return &Value::Null;
        };
        value = found;
    }
    &Value::Null
}

fn text(value: &Value, most: usize) -> String {
    cut(value.as_str().unwrap_or_default().trim(), most).into_owned()
}

/// A value as it stands in a query.
fn plain(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    cut(&text, REMARK).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(document: &Value) -> Vec<Endpoint> {
        endpoints(document.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn references_are_followed_and_circles_end() {
        let document = json!({
            "paths": {
                "/api/{who}": {
                    "parameters": [{ "$ref": "#/components/parameters/who" }, { "$ref": "#/components/parameters/loop" }],
                    "post": {
                        "requestBody": { "$ref": "#/components/requestBodies/tree" },
                        "responses": { "200": { "$ref": "https://elsewhere.example/x.json" } },
                    }
                },
                "/api/ring": { "$ref": "#/paths/~1api~1ring" },
            },
            "components": {
                "parameters": {
                    "who": { "name": "who", "in": "path", "schema": { "type": "string", "example": "alice" } },
                    "loop": { "$ref": "#/components/parameters/loop" },
                },
                "requestBodies": {
                    "tree": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/node" } } } },
                },
                "schemas": {
                    "node": {
                        "type": "object",
                        "required": ["name", "child"],
                        "properties": {
                            "name": { "type": "string" },
                            "note": { "type": "string" },
                            "child": { "$ref": "#/components/schemas/node" },
                        }
                    }
                }
            }
        });
        let found = read(&document);
        assert_eq!(found.len(), 1);
        let one = &found[0];
        assert_eq!((one.method.as_str(), one.parameters.len()), ("POST", 1));
        assert_eq!(one.parameters[0].example.as_deref(), Some("alice"));
        assert!(one.parameters[0].required, "what stands in the path is needed, whatever is said");
        assert_eq!(
            one.body.as_ref().unwrap().to_string(),
            r#"{"name":"string","child":{"name":"string","child":{"name":"string","child":{"name":"…","child":"…"}}}}"#
        );
        assert_eq!(one.responses[0].kind, "");
    }

    #[test]
    fn whatever_comes_gives_endpoints_or_says_why_not() {
        for (body, why) in [
            ("", "it is no JSON"),
            ("<html>", "it is no JSON"),
            ("[]", "it lists no paths"),
            (r#"{"paths": []}"#, "it lists no paths"),
            (r#"{"paths": {}}"#, "it lists no endpoint"),
            (r#"{"paths": {"/x": 7, "/y": {"get": 7}}}"#, "it lists no endpoint"),
        ] {
            assert_eq!(endpoints(body.as_bytes()).unwrap_err(), why, "{body}");
        }
        assert_eq!(endpoints("[".repeat(100_000).as_bytes()).unwrap_err(), "it is no JSON");
        let odd = json!({ "paths": { "/x": { "get": {
            "tags": [1, "t"], "summary": 9, "parameters": [1, {}, { "name": "c", "in": "cookie" }],
            "requestBody": { "content": { "application/json": {} } }, "responses": { "200": null },
        } } } });
        let one = &read(&odd)[0];
        assert_eq!((one.tags.len(), one.parameters.len(), one.body.clone()), (1, 0, Some(json!({}))));
    }

    #[test]
    fn types_read_as_people_say_them() {
        let document = json!({});
        for (schema, words) in [
            (json!({ "type": "string" }), "string"),
            (json!({ "type": ["string", "null"] }), "string or null"),
            (json!({ "type": "array", "items": { "type": "integer" } }), "list of integer"),
            (json!({ "enum": ["a", 1] }), "one of a, 1"),
            (json!({ "anyOf": [{ "type": "string" }, { "type": "boolean" }] }), "string or boolean"),
            (json!({ "properties": {} }), "object"),
            (json!(null), "value"),
        ] {
            assert_eq!(kind(&document, &schema, 0), words);
        }
        let parts = json!({ "allOf": [
            { "type": "object", "properties": { "a": { "type": "integer" } } },
            { "type": "object", "properties": { "b": { "default": "x" }, "c": { "type": "array", "items": {} } } },
        ] });
        assert_eq!(sample(&document, &parts, 0), json!({ "a": 0, "b": "x", "c": [{}] }));
    }
}
