//! The JSON Schema of a configuration file, made from the section structs.
//!
//! Owns [`config`]. Never written by hand: `ml-intern config schema` prints it, and a test compares
//! that with `configs/ml-intern.schema.json`.

use serde_json::{Value, json};

use super::Config;

/// The schema, with `$schema` allowed as a key so that editors find it.
#[must_use]
pub fn config() -> Value {
    let mut schema = schemars::schema_for!(Config).to_value();
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.insert(
            "$schema".to_owned(),
            json!({ "type": "string", "description": "Where this schema is; read by editors only." }),
        );
    }
    schema
}
