//! Checks a call's arguments against the tool's schema, for tools that do not do it themselves.
//!
//! Pure. Looks at the outermost fields only: which are there, which must be, and of what kind they are.
//! What lies deeper is the tool's to judge.

use serde_json::{Map, Value};

use crate::agent::tool::BadArguments;

/// Checks arguments against a tool's JSON Schema.
///
/// # Errors
/// What is wrong, naming the field.
pub fn check(schema: &Value, arguments: &Value) -> Result<(), BadArguments> {
    let Value::Object(given) = arguments else {
        return Err(BadArguments("the arguments must be one JSON object".to_owned()));
    };
    let nothing = Map::new();
    let fields = schema.get("properties").and_then(Value::as_object).unwrap_or(&nothing);
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
    for name in required.filter_map(Value::as_str) {
        if !given.contains_key(name) {
            return Err(BadArguments(format!("the argument `{name}` is missing")));
        }
    }
    let closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
    for (name, value) in given {
        match fields.get(name) {
            Some(field) => kind(name, field, value)?,
            None if closed => return Err(unknown(name, fields)),
            None => {}
        }
    }
    Ok(())
}

fn unknown(name: &str, fields: &Map<String, Value>) -> BadArguments {
    let names: Vec<String> = fields.keys().map(|field| format!("`{field}`")).collect();
    let known =
        if names.is_empty() { "it takes none".to_owned() } else { format!("it takes {}", names.join(", ")) };
    BadArguments(format!("there is no argument `{name}`; {known}"))
}

fn kind(name: &str, field: &Value, value: &Value) -> Result<(), BadArguments> {
    let wanted: Vec<&str> = match field.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => return Ok(()),
    };
    let is = |kind: &str| match kind {
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => {
            value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0)
        }
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        // A word that we do not know forbids nothing.
        _ => true,
    };
    if wanted.iter().any(|kind| is(kind)) {
        return Ok(());
    }
    Err(BadArguments(format!("wrong argument `{name}`: it must be of type {}", wanted.join(" or "))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_error_names_the_field() {
        let schema = json!({
            "type": "object",
            "properties": {
                "path": { "type": "string" },
                "lines": { "type": ["integer", "null"] },
                "rate": { "type": "number" },
                "any": {},
            },
            "required": ["path"],
            "additionalProperties": false,
        });
        let table = [
            (json!({ "path": "x" }), None),
            (json!({ "path": "x", "lines": null, "rate": 2, "any": [1] }), None),
            (json!({ "path": "x", "lines": 3.0 }), None),
            (json!({ "lines": 3 }), Some("the argument `path` is missing")),
            (
                json!({ "path": "x", "file": 1 }),
                Some("no argument `file`; it takes `any`, `lines`, `path`, `rate`"),
            ),
            (json!({ "path": 1 }), Some("`path`: it must be of type string")),
            (json!({ "path": "x", "lines": "3" }), Some("`lines`: it must be of type integer or null")),
            (json!({ "path": "x", "lines": 3.5 }), Some("`lines`")),
            (json!(["x"]), Some("one JSON object")),
            (json!("{bad"), Some("one JSON object")),
        ];
        for (arguments, expected) in table {
            let verdict = check(&schema, &arguments).err().map(|error| error.0);
            match (verdict, expected) {
                (None, None) => {}
                (Some(error), Some(words)) => assert!(sorted(&error).contains(words), "{error}"),
                (verdict, _) => panic!("{arguments}: {verdict:?}"),
            }
        }
        assert_eq!(check(&json!({}), &json!({ "what": 1 })), Ok(()), "an open schema forbids nothing");
        let none = crate::model::no_arguments();
        assert!(check(&none, &json!({ "x": 1 })).unwrap_err().0.contains("it takes none"));
    }

    /// The order of a schema's fields depends on how maps are built; the words are the same.
    fn sorted(error: &str) -> String {
        match error.split_once("it takes ") {
            Some((start, names)) => {
                let mut names: Vec<&str> = names.split(", ").collect();
                names.sort_unstable();
                format!("{start}it takes {}", names.join(", "))
            }
            None => error.to_owned(),
        }
    }
}
