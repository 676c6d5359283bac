//! What a column of a dataset holds.
//!
//! Pure: from the viewer's JSON to [`Feature`], whatever version of `datasets` wrote it. Start at [`Feature::parse`].

use std::fmt;

use serde_json::{Map, Value};

/// Lists in lists, structs in structs: deeper ones are not told apart.
const DEEPEST: usize = 12;

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub feature: Feature,
}

/// What a column holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Feature {
    /// One value of this type: `string`, `int64`, `bool`.
    Value(String),
    /// One of these classes, kept as its number.
    Class(Vec<String>),
    /// Any number of these.
    List(Box<Feature>),
    /// Fields by name.
    Fields(Vec<(String, Feature)>),
    /// A picture, sound or film.
    Media(String),
    /// Something else, by its name.
    Other(String),
}

impl Feature {
    /// Reads the viewer's JSON.
    #[must_use]
    pub fn parse(value: &Value) -> Self {
        Self::at(value, 0)
    }

    fn at(value: &Value, depth: usize) -> Self {
        if depth > DEEPEST {
            return Self::Other("deeper".to_owned());
        }
        match value {
            Value::Array(inner) => Self::List(Box::new(
                inner.first().map_or(Self::Other("nothing".to_owned()), |it| Self::at(it, depth + 1)),
            )),
            Value::Object(object) => Self::object(object, depth),
            _ => Self::Other("unknown".to_owned()),
        }
    }

    fn object(object: &Map<String, Value>, depth: usize) -> Self {
        // A struct may have a field of that name: then it is no text.
        let Some(kind) = object.get("_type").and_then(Value::as_str) else {
            return Self::Fields(
                object.iter().map(|(name, it)| (name.clone(), Self::at(it, depth + 1))).collect(),
            );
        };
        let text = |name: &str| object.get(name).and_then(Value::as_str);
        match kind {
            "Value" => Self::Value(text("dtype").unwrap_or("unknown").to_owned()),
            "ClassLabel" => Self::Class(class_names(object.get("names"))),
            "Sequence" | "List" | "LargeList" => Self::List(Box::new(
                object.get("feature").map_or(Self::Other("unknown".to_owned()), |it| Self::at(it, depth + 1)),
            )),
            "Image" | "Audio" | "Video" | "Pdf" | "Mesh" | "Nifti" => Self::Media(kind.to_lowercase()),
            "Translation" => {
                let languages = object.get("languages").and_then(Value::as_array).into_iter().flatten();
                let field = |it: &Value| Some((it.as_str()?.to_owned(), Self::Value("string".to_owned())));
                Self::Fields(languages.filter_map(field).collect())
            }
            other => Self::Other(other.to_owned()),
        }
    }

    /// Whether it is text.
    #[must_use]
    pub fn is_text(&self) -> bool {
        matches!(self, Self::Value(kind) if matches!(kind.as_str(), "string" | "large_string"))
    }

    /// Whether it is a whole number.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        matches!(self, Self::Value(kind) if kind.starts_with("int") || kind.starts_with("uint"))
    }

    /// Whether it is yes or no.
    #[must_use]
    pub fn is_bool(&self) -> bool {
        matches!(self, Self::Value(kind) if kind == "bool")
    }
}

fn class_names(names: Option<&Value>) -> Vec<String> {
    match names {
        Some(Value::Array(names)) => names.iter().filter_map(|it| it.as_str().map(str::to_owned)).collect(),
        Some(Value::Object(names)) => {
            names.values().filter_map(|it| it.as_str().map(str::to_owned)).collect()
        }
        _ => Vec::new(),
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(kind) | Self::Media(kind) | Self::Other(kind) => f.write_str(kind),
            Self::Class(names) if names.is_empty() => f.write_str("class"),
            Self::Class(names) if names.len() <= 5 => {
                let named: Vec<String> =
                    names.iter().enumerate().map(|(at, name)| format!("{at}={name}")).collect();
                write!(f, "class ({})", named.join(", "))
            }
            Self::Class(names) => {
                let named: Vec<String> =
                    names.iter().take(3).enumerate().map(|(at, name)| format!("{at}={name}")).collect();
                write!(f, "class ({}, … {} in all)", named.join(", "), names.len())
            }
            Self::List(inner) => write!(f, "list of {inner}"),
            Self::Fields(fields) => {
                let named: Vec<String> =
                    fields.iter().take(8).map(|(name, feature)| format!("{name}: {feature}")).collect();
                let more =
                    if fields.len() > 8 { format!(", … {} in all", fields.len()) } else { String::new() };
                write!(f, "{{{}{more}}}", named.join(", "))
            }
        }
    }
}

/// Columns as `/first-rows` gives them: a list in the dataset's order.
pub(super) fn columns_of_list(list: &[Value]) -> Vec<Column> {
    let column = |entry: &Value| {
        let kind = if entry["type"].is_null() { &entry["feature"] } else { &entry["type"] };
        Some(Column { name: entry["name"].as_str()?.to_owned(), feature: Feature::parse(kind) })
    };
    list.iter().filter_map(column).collect()
}

/// Columns as `/info` gives them: an object.
pub(super) fn columns_of_object(features: &Map<String, Value>) -> Vec<Column> {
    features.iter().map(|(name, it)| Column { name: name.clone(), feature: Feature::parse(it) }).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn features_of_every_version_are_read() {
        let string = json!({"dtype": "string", "_type": "Value"});
        for (value, wanted) in [
            (string.clone(), "string"),
            (json!({"names": ["neg", "pos"], "_type": "ClassLabel"}), "class (0=neg, 1=pos)"),
            (json!({"names": {"0": "a", "1": "b"}, "_type": "ClassLabel"}), "class (0=a, 1=b)"),
            (
                json!({"names": ["a", "b", "c", "d", "e", "f"], "_type": "ClassLabel"}),
                "class (0=a, 1=b, 2=c, … 6 in all)",
            ),
            (json!([{"role": string, "content": string}]), "list of {role: string, content: string}"),
            (json!({"feature": string, "length": -1, "_type": "Sequence"}), "list of string"),
            (json!({"feature": {"a": string}, "_type": "List"}), "list of {a: string}"),
            (json!({"_type": "Image"}), "image"),
            (json!({"sampling_rate": 16000, "_type": "Audio"}), "audio"),
            (json!({"languages": ["de", "en"], "_type": "Translation"}), "{de: string, en: string}"),
            (json!({"shape": [2, 2], "dtype": "float32", "_type": "Array2D"}), "Array2D"),
            (json!({"_type": string, "x": string}), "{_type: string, x: string}"),
            (json!(7), "unknown"),
            (json!([]), "list of nothing"),
        ] {
            assert_eq!(Feature::parse(&value).to_string(), wanted, "{value}");
        }
        let mut deep = string;
        for _ in 0..50 {
            deep = json!([deep]);
        }
        assert!(Feature::parse(&deep).to_string().ends_with("list of deeper"));
    }
}
