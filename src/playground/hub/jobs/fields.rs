//! Reads a JSON body as strictly as the Hub does: every field by name and type, and nothing besides.
//!
//! What is wrong is told in the Hub's words: one line for each problem, and where it is. Start at
//! [`Fields::of`]; take the fields one by one and end with [`Fields::end`].

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::errors::HubError;

/// An object whose fields are being read.
#[derive(Debug)]
pub(in super::super) struct Fields {
    left: Map<String, Value>,
    path: String,
    wrong: Vec<String>,
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

impl Fields {
    /// Begins with a whole body, or the part of one at `path`.
    pub(in super::super) fn of(value: Value, path: &str) -> Result<Self, HubError> {
        match value {
            Value::Object(left) => Ok(Self { left, path: path.to_owned(), wrong: Vec::new() }),
            other => {
                let place = if path.is_empty() { String::new() } else { format!("\n  → at {path}") };
                Err(HubError::bad(format!(
                    "✖ Invalid input: expected object, received {}{place}",
                    kind(&other)
                )))
            }
        }
    }

    /// Whether a field of this name came.
    pub(in super::super) fn has(&self, name: &str) -> bool {
        self.left.contains_key(name)
    }

    fn at(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// Notes a problem with a field.
    pub(in super::super) fn complain(&mut self, name: &str, what: &str) {
        let place = self.at(name);
        self.wrong.push(format!("✖ {what}\n  → at {place}"));
    }

    fn expected(&mut self, name: &str, wanted: &str, got: Option<&Value>) {
        let got = got.map_or("undefined", kind);
        self.complain(name, &format!("Invalid input: expected {wanted}, received {got}"));
    }

    /// A field that may be missing, as it came.
    pub(in super::super) fn any(&mut self, name: &str) -> Option<Value> {
        self.left.remove(name)
    }

    /// A text that may be missing.
    pub(in super::super) fn text(&mut self, name: &str) -> Option<String> {
        match self.left.remove(name)? {
            Value::String(text) => Some(text),
            other => {
                self.expected(name, "string", Some(&other));
                None
            }
        }
    }

    /// A text that must be there; empty, and noted, if it is not.
    pub(in super::super) fn needed(&mut self, name: &str) -> String {
        if !self.has(name) {
            self.expected(name, "string", None);
        }
        self.text(name).unwrap_or_default()
    }

    /// One of these words; may be missing.
    pub(in super::super) fn one_of(&mut self, name: &str, words: &[&str]) -> Option<String> {
        let text = self.text(name)?;
        if words.contains(&text.as_str()) {
            return Some(text);
        }
        let all: Vec<String> = words.iter().map(|it| format!("\"{it}\"")).collect();
        self.complain(name, &format!("Invalid option: expected one of {}", all.join("|")));
        None
    }

    pub(in super::super) fn flag(&mut self, name: &str) -> Option<bool> {
        match self.left.remove(name)? {
            Value::Bool(flag) => Some(flag),
            other => {
                self.expected(name, "boolean", Some(&other));
                None
            }
        }
    }

    /// A whole number within these bounds.
    pub(in super::super) fn number(&mut self, name: &str, (low, high): (u64, u64)) -> Option<u64> {
        let value = self.left.remove(name)?;
        match value.as_u64() {
            Some(number) if number < low => {
                self.complain(name, &format!("Too small: expected number to be >={low}"));
                None
            }
            Some(number) if number > high => {
                self.complain(name, &format!("Too big: expected number to be <={high}"));
                None
            }
            Some(number) => Some(number),
            None => {
                self.expected(name, "int", Some(&value));
                None
            }
        }
    }

    /// A list of texts; may be missing.
    pub(in super::super) fn texts(&mut self, name: &str) -> Option<Vec<String>> {
        let value = self.left.remove(name)?;
        let Value::Array(items) = value else {
            self.expected(name, "array", Some(&value));
            return None;
        };
        let mut texts = Vec::new();
        for (index, item) in items.into_iter().enumerate() {
            match item {
                Value::String(text) => texts.push(text),
                other => self.expected(&format!("{name}[{index}]"), "string", Some(&other)),
            }
        }
        Some(texts)
    }

    /// Names with texts; may be missing.
    pub(in super::super) fn named_texts(&mut self, name: &str) -> Option<BTreeMap<String, String>> {
        let value = self.left.remove(name)?;
        let Value::Object(entries) = value else {
            self.expected(name, "record", Some(&value));
            return None;
        };
        let mut texts = BTreeMap::new();
        for (key, item) in entries {
            match item {
                Value::String(text) => {
                    texts.insert(key, text);
                }
                other => self.expected(&format!("{name}.{key}"), "string", Some(&other)),
            }
        }
        Some(texts)
    }

    /// A list of objects, each read by `read`; may be missing.
    pub(in super::super) fn each<T>(
        &mut self,
        name: &str,
        read: impl Fn(Fields) -> Result<T, HubError>,
    ) -> Option<Vec<T>> {
        let value = self.left.remove(name)?;
        let Value::Array(items) = value else {
            self.expected(name, "array", Some(&value));
            return None;
        };
        let mut found = Vec::new();
        for (index, item) in items.into_iter().enumerate() {
            match Fields::of(item, &self.at(&format!("{name}[{index}]"))).and_then(&read) {
                Ok(it) => found.push(it),
                Err(error) => self.wrong.push(error.message),
            }
        }
        Some(found)
    }

    /// An object of its own; may be missing.
    pub(in super::super) fn inner<T>(
        &mut self,
        name: &str,
        read: impl Fn(Fields) -> Result<T, HubError>,
    ) -> Option<T> {
        let value = self.left.remove(name)?;
        match Fields::of(value, &self.at(name)).and_then(read) {
            Ok(it) => Some(it),
            Err(error) => {
                self.wrong.push(error.message);
                None
            }
        }
    }

    /// Nothing may be left, and nothing may have been wrong.
    pub(in super::super) fn end(mut self) -> Result<(), HubError> {
        let unknown: Vec<String> = self.left.keys().map(|key| format!("\"{key}\"")).collect();
        if !unknown.is_empty() {
            let word = if unknown.len() == 1 { "key" } else { "keys" };
            let place =
                if self.path.is_empty() { String::new() } else { format!("\n  → at {}", self.path) };
            self.wrong.push(format!("✖ Unrecognized {word}: {}{place}", unknown.join(", ")));
        }
        if self.wrong.is_empty() { Ok(()) } else { Err(HubError::bad(self.wrong.join("\n"))) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_problem_is_named_with_its_place() {
        let body = json!({
            "flavor": "h100", "command": ["a", 1], "environment": {"A": 1}, "timeoutSeconds": -5,
            "volumes": [{"type": 3}], "tokne": "x"
        });
        let mut fields = Fields::of(body, "").unwrap();
        fields.one_of("flavor", &["cpu-basic", "t4-small"]);
        fields.texts("command");
        fields.named_texts("environment");
        fields.number("timeoutSeconds", (1, 100));
        fields.needed("dockerImage");
        fields.each("volumes", |mut volume| {
            volume.needed("type");
            volume.end()
        });
        let text = fields.end().unwrap_err().message;
        for line in [
            "✖ Invalid option: expected one of \"cpu-basic\"|\"t4-small\"\n  → at flavor",
            "✖ Invalid input: expected string, received number\n  → at command[1]",
            "✖ Invalid input: expected string, received number\n  → at environment.A",
            "✖ Invalid input: expected int, received number\n  → at timeoutSeconds",
            "✖ Invalid input: expected string, received undefined\n  → at dockerImage",
            "✖ Invalid input: expected string, received number\n  → at volumes[0].type",
            "✖ Unrecognized key: \"tokne\"",
        ] {
            assert!(text.contains(line), "{line} is missing in:\n{text}");
        }
    }
}
