//! What a column is good for in training: text, a conversation, a label.
//!
//! Decided by what the column is declared as, and by its first rows where that says too little. Pure.

use serde_json::{Map, Value};

use crate::clients::dataset_viewer::feature::{Column, Feature};

/// What a column is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Shape {
    /// Text.
    Text,
    /// Messages with `role` and `content`.
    Messages,
    /// Messages with `from` and `value`.
    ShareGpt,
    /// Yes or no.
    Bool,
    /// One of these classes.
    Class(Vec<String>),
    /// A whole number.
    Whole,
    /// None of these.
    Other,
}

/// A column by name and shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Shaped {
    pub(in super::super) name: String,
    pub(in super::super) shape: Shape,
}

/// The shape of each column.
pub(in super::super) fn shapes(columns: &[Column], rows: &[Map<String, Value>]) -> Vec<Shaped> {
    let shaped = |column: &Column| Shaped { name: column.name.clone(), shape: shape(column, rows) };
    columns.iter().map(shaped).collect()
}

fn shape(column: &Column, rows: &[Map<String, Value>]) -> Shape {
    match &column.feature {
        feature if feature.is_text() => Shape::Text,
        feature if feature.is_bool() => Shape::Bool,
        feature if feature.is_whole() => Shape::Whole,
        Feature::Class(names) => Shape::Class(names.clone()),
        Feature::List(inner) => match &**inner {
            Feature::Fields(fields) => {
                conversation(fields.iter().map(|(name, _)| name.as_str())).unwrap_or(Shape::Other)
            }
            Feature::Other(_) => by_rows(&column.name, rows),
            _ => Shape::Other,
        },
        // Structs of lists: what older versions made of lists of structs.
        Feature::Fields(fields) if fields.iter().all(|(_, it)| matches!(it, Feature::List(_))) => {
            conversation(fields.iter().map(|(name, _)| name.as_str())).unwrap_or(Shape::Other)
        }
        Feature::Other(_) => by_rows(&column.name, rows),
        _ => Shape::Other,
    }
}

fn conversation<'a>(names: impl Iterator<Item = &'a str>) -> Option<Shape> {
    let names: Vec<&str> = names.collect();
    let has = |name: &str| names.contains(&name);
    if has("role") && has("content") {
        Some(Shape::Messages)
    } else if has("from") && has("value") {
        Some(Shape::ShareGpt)
    } else {
        None
    }
}

fn by_rows(name: &str, rows: &[Map<String, Value>]) -> Shape {
    let mut values = rows.iter().filter_map(|row| row.get(name)).filter(|value| !value.is_null());
    match values.next() {
        Some(Value::String(_)) => Shape::Text,
        Some(Value::Bool(_)) => Shape::Bool,
        Some(Value::Array(list)) => match list.first() {
            Some(Value::Object(first)) => {
                conversation(first.keys().map(String::as_str)).unwrap_or(Shape::Other)
            }
            _ => Shape::Other,
        },
        _ => Shape::Other,
    }
}
