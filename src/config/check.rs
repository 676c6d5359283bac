//! Says everything that is wrong with a merged tree, before serde says only the first.
//!
//! Owns a small reading of the generated JSON Schema: objects, lists, scalars, enums, tagged
//! variants. It knows no key by name, so a new section needs nothing here. Secrets are never shown.
//! Start at [`tree`].

use serde_json::{Map, Value};

use super::error::Problem;
use super::layers::{Path, Tree, dotted};

/// Checks every value of a tree, and gives strings that a reference made the type their key wants.
#[must_use]
pub fn tree(tree: &mut Tree, schema: &Value) -> Vec<Problem> {
    let mut check = Check { root: schema, problems: Vec::new(), retyped: Vec::new() };
    let values = Value::Object(tree.values().clone());
    check.value(&values, schema, &mut Vec::new(), tree);
    let Check { mut problems, retyped, .. } = check;
    problems.sort_by(|one, other| one.path.cmp(&other.path));
    for (path, value) in retyped {
        tree.retype(&path, value);
    }
    problems
}

struct Check<'s> {
    root: &'s Value,
    problems: Vec<Problem>,
    retyped: Vec<(Path, Value)>,
}

impl<'s> Check<'s> {
    fn resolve(&self, schema: &'s Value) -> &'s Value {
        schema
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|reference| self.root.pointer(reference.trim_start_matches('#')))
            .unwrap_or(schema)
    }

    fn report(&mut self, path: &[String], tree: &Tree, message: String) {
        let problem = Problem { origin: tree.origin(path).cloned(), path: dotted(path), message };
        self.problems.push(problem);
    }

    fn value(&mut self, value: &Value, schema: &'s Value, path: &mut Path, tree: &Tree) {
        let choices = self.choices(schema, value);
        if choices.iter().any(|choice| fits(value, choice)) {
            for choice in choices {
                match value {
                    Value::Object(map) if fits(value, choice) => self.object(map, choice, path, tree),
                    Value::Array(items) => self.list(items, choice, path, tree),
                    _ => {}
                }
            }
            return;
        }
        if let (Value::String(text), true) = (value, tree.is_substituted(path))
            && let Ok(typed) = serde_json::from_str::<Value>(text.trim())
            && choices.iter().any(|choice| fits(&typed, choice))
        {
            self.retyped.push((path.clone(), typed));
            return;
        }
        let secret = choices.iter().any(|choice| is_secret(choice));
        let expected = expected(&choices);
        self.report(path, tree, format!("{} was given, but {expected} is expected", shown(value, secret)));
    }

    /// The plain schemas that a value may meet: references followed, alternatives spread out, and of
    /// tagged variants only the one that the tag names.
    fn choices(&self, schema: &'s Value, value: &Value) -> Vec<&'s Value> {
        let resolved = self.resolve(schema);
        for key in ["anyOf", "oneOf"] {
            if let Some(Value::Array(alternatives)) = resolved.get(key) {
                let tagged: Vec<&Value> =
                    alternatives.iter().filter(|alternative| tag_matches(alternative, value)).collect();
                let chosen = if tagged.is_empty() { alternatives.iter().collect() } else { tagged };
                return chosen.into_iter().flat_map(|choice| self.choices(choice, value)).collect();
            }
        }
        vec![resolved]
    }

    fn object(&mut self, map: &Map<String, Value>, schema: &'s Value, path: &mut Path, tree: &Tree) {
        let none = Map::new();
        let properties = schema.get("properties").and_then(Value::as_object);
        let other = schema.get("additionalProperties");
        for (key, value) in map {
            path.push(key.clone());
            match (properties.and_then(|properties| properties.get(key)), other) {
                (Some(known), _) => self.value(value, known, path, tree),
                (None, Some(Value::Bool(false))) => {
                    let message = unknown(key, properties.unwrap_or(&none));
                    self.report(path, tree, message);
                }
                (None, Some(other)) => self.value(value, other, path, tree),
                (None, None) => {}
            }
            path.pop();
        }
        let required = schema.get("required").and_then(Value::as_array);
        for key in required.into_iter().flatten().filter_map(Value::as_str) {
            if !map.contains_key(key) {
                self.report(path, tree, format!("the key `{key}` is missing"));
            }
        }
    }

    fn list(&mut self, items: &[Value], schema: &'s Value, path: &mut Path, tree: &Tree) {
        let Some(of) = schema.get("items") else { return };
        for (at, item) in items.iter().enumerate() {
            path.push(at.to_string());
            self.value(item, of, path, tree);
            path.pop();
        }
    }
}

/// Whether a tagged variant's tag has the value's tag.
fn tag_matches(alternative: &Value, value: &Value) -> bool {
    let Some(properties) = alternative.get("properties").and_then(Value::as_object) else { return false };
    let mut tags = properties.iter().filter_map(|(key, schema)| Some((key, schema.get("const")?)));
    tags.any(|(key, tag)| value.get(key) == Some(tag))
}

fn is_secret(schema: &Value) -> bool {
    schema.get("format").and_then(Value::as_str) == Some("password")
}

fn types(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// Whether a value has the outward form that a plain schema asks for; its inside is not looked at.
fn fits(value: &Value, schema: &Value) -> bool {
    if schema.as_bool() == Some(true) {
        return true;
    }
    if let Some(constant) = schema.get("const") {
        return value == constant;
    }
    if let Some(Value::Array(words)) = schema.get("enum") {
        return words.contains(value);
    }
    let types = types(schema);
    let of_type = types.is_empty()
        || types.iter().any(|name| match *name {
            "null" => value.is_null(),
            "boolean" => value.is_boolean(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            "string" => value.is_string(),
            "array" => value.is_array(),
            "object" => value.is_object(),
            _ => true,
        });
    let above =
        |key: &str, ok: fn(f64, f64) -> bool| match (schema.get(key).and_then(Value::as_f64), value.as_f64())
        {
            (Some(limit), Some(number)) => ok(number, limit),
            _ => true,
        };
    of_type
        && above("minimum", |number, limit| number >= limit)
        && above("maximum", |number, limit| number <= limit)
}

fn expected(choices: &[&Value]) -> String {
    let mut words: Vec<String> = Vec::new();
    for choice in choices {
        if let Some(constant) = choice.get("const") {
            words.push(constant.to_string());
        } else if let Some(Value::Array(named)) = choice.get("enum") {
            words.extend(named.iter().map(Value::to_string));
        } else {
            words.extend(types(choice).into_iter().map(|name| in_words(name, choice)));
        }
    }
    words.dedup();
    match words.split_last() {
        None => "something else".to_owned(),
        Some((only, [])) => only.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}

fn in_words(name: &str, schema: &Value) -> String {
    let bounds = match (schema.get("minimum"), schema.get("maximum")) {
        (Some(least), Some(most)) => format!(" from {least} to {most}"),
        (Some(least), None) => format!(" not below {least}"),
        _ => String::new(),
    };
    match name {
        "boolean" => "true or false".to_owned(),
        "integer" => format!("a whole number{bounds}"),
        "number" => format!("a number{bounds}"),
        "string" => "text in quotes".to_owned(),
        "array" => "a list".to_owned(),
        "object" => "an object {…}".to_owned(),
        other => other.to_owned(),
    }
}

/// A value as an error may show it.
fn shown(value: &Value, secret: bool) -> String {
    match value {
        Value::Object(_) => "an object".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        _ if secret => "a value (not shown, it may be a secret)".to_owned(),
        Value::String(text) if text.chars().count() > 60 => {
            format!("{:?}…", text.chars().take(60).collect::<String>())
        }
        other => other.to_string(),
    }
}

/// The sentence about a key that nobody knows.
fn unknown(key: &str, known: &Map<String, Value>) -> String {
    let names = known.keys().filter(|name| *name != "$schema");
    match nearest(key, names.clone().map(String::as_str)) {
        Some(name) => format!("no such key; did you mean `{name}`?"),
        None => format!("no such key; known here: {}", names.cloned().collect::<Vec<_>>().join(", ")),
    }
}

/// The name that looks most like `word`, if any looks enough like it.
#[must_use]
pub fn nearest<'n>(word: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let plain = |text: &str| text.to_lowercase().replace(['_', '-', ' '], "");
    let wanted = plain(word);
    names
        .map(|name| (strsim::jaro_winkler(&wanted, &plain(name)), name))
        .filter(|(likeness, _)| *likeness >= 0.8)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::error::Origin;
    use super::super::schema;
    use super::*;

    fn problems(file: Value) -> Vec<String> {
        let mut layers = Tree::default();
        layers.merge(file.as_object().cloned().unwrap(), &Origin::File("f.json".into()));
        tree(&mut layers, &schema::config()).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn everything_wrong_is_said_at_once() {
        let said = problems(json!({
            "modelname": "x",
            "max_iterations": "300",
            "reasoning_effort": "huge",
            "tool_runtime": "hybrid",
            "models": {"vllm": {"base_urls": "x"}, "idle_timeout_s": -1},
            "slack": {"bot_token": 17, "channels": ["C1", 2]},
        }));
        assert_eq!(
            said,
            [
                "f.json: max_iterations: \"300\" was given, but a whole number is expected",
                "f.json: modelname: no such key; did you mean `model_name`?",
                "f.json: models.idle_timeout_s: -1 was given, but a whole number not below 0 is expected",
                "f.json: models.vllm.base_urls: no such key; did you mean `base_url`?",
                "f.json: reasoning_effort: \"huge\" was given, but \"minimal\", \"low\", \"medium\", \"high\", \"xhigh\", \"max\" or null is expected",
                "f.json: slack.bot_token: a value (not shown, it may be a secret) was given, but text in quotes or null is expected",
                "f.json: slack.channels.1: 2 was given, but text in quotes is expected",
                "f.json: tool_runtime: \"hybrid\" was given, but \"local\" or \"sandbox\" is expected",
            ],
        );
    }

    #[test]
    fn a_destination_is_checked_inside() {
        let said = problems(json!({"messaging": {"auto_event_types": ["foo"], "destinations": {
            "ops": {"provider": "slack", "token": "t", "chanel": "C1", "allow_agent_tool": "yes"},
            "mail": {"provider": "smtp"},
        }}}));
        assert_eq!(
            said,
            [
                "f.json: messaging.auto_event_types.0: \"foo\" was given, but \"approval_required\", \"error\" or \"turn_complete\" is expected",
                "f.json: messaging.destinations.mail: the key `token` is missing",
                "f.json: messaging.destinations.mail: the key `channel` is missing",
                "f.json: messaging.destinations.mail.provider: \"smtp\" was given, but \"slack\" is expected",
                "f.json: messaging.destinations.ops: the key `channel` is missing",
                "f.json: messaging.destinations.ops.allow_agent_tool: \"yes\" was given, but true or false is expected",
                "f.json: messaging.destinations.ops.chanel: no such key; did you mean `channel`?",
            ],
        );
    }

    #[test]
    fn a_reference_may_stand_for_a_number_or_a_flag() {
        let mut layers = Tree::default();
        let file =
            json!({"max_iterations": "${N:-12}", "yolo_mode": "${Y:-true}", "model_name": "${M:-123}"});
        layers.merge(file.as_object().cloned().unwrap(), &Origin::File("f.json".into()));
        assert_eq!(layers.substitute(&std::collections::BTreeMap::new()), []);
        assert_eq!(tree(&mut layers, &schema::config()), []);
        assert_eq!(
            Value::Object(layers.values().clone()),
            json!({
                "max_iterations": 12, "yolo_mode": true, "model_name": "123",
            })
        );
    }

    #[test]
    fn the_nearest_name_is_near() {
        let names = ["model_name", "models", "messaging", "mcpServers"];
        let near = |word| nearest(word, names.into_iter());
        assert_eq!(near("mcp_servers"), Some("mcpServers"));
        assert_eq!(near("modle_name"), Some("model_name"));
        assert_eq!(near("zzz"), None);
    }
}
