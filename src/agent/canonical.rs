//! One form for JSON that means the same, whatever order its keys came in and however it was spaced.
//!
//! Pure. Digests of what people approve and the signatures of calls are both made of it.

use serde_json::Value;

/// The same JSON with the keys of every object in order, whatever order they came in.
#[must_use]
pub fn canonical(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut pairs: Vec<_> = map.iter().collect();
            pairs.sort_by_key(|(key, _)| *key);
            Value::Object(pairs.into_iter().map(|(key, value)| (key.clone(), canonical(value))).collect())
        }
        Value::Array(list) => Value::Array(list.iter().map(canonical).collect()),
        other => other.clone(),
    }
}

/// Text in one form: as canonical JSON where it is JSON, else as it is.
#[must_use]
pub fn canonical_text(text: &str) -> String {
    match serde_json::from_str::<Value>(text) {
        Ok(value) => canonical(&value).to_string(),
        Err(_) => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_of_keys_and_spacing_do_not_matter_and_order_in_lists_does() {
        let table = [
            (r#"{"a":1,"b":{"d":2,"c":3}}"#, r#"{ "b": {"c":3, "d":2}, "a": 1 }"#, true),
            ("[1,2]", "[2,1]", false),
            ("oops", "oops ", false),
            (r#"{"a":1}"#, r#"{"a":1.0}"#, false),
        ];
        for (one, other, same) in table {
            assert_eq!(canonical_text(one) == canonical_text(other), same, "{one} and {other}");
        }
    }
}
