//! What the columns of a table are: as the card says, or as the values look.
//!
//! Never reads files. Start at [`told`] and [`inferred`].

use serde_json::{Map, Value, json};

use super::super::card::Card;

/// A column's name and its type in the viewer's form.
#[derive(Debug, Clone, PartialEq)]
pub struct Feature {
    pub name: String,
    pub kind: Value,
}

fn value(dtype: &str) -> Value {
    json!({"dtype": dtype, "_type": "Value"})
}

fn list(of: &Value) -> Value {
    json!({"feature": of, "_type": "List"})
}

/// What the card's `dataset_info` says of a config; empty if nothing.
pub fn told(card: &Card, config: &str) -> Vec<Feature> {
    let info = match card.data.get("dataset_info") {
        Some(Value::Array(many)) => many
            .iter()
            .find(|it| it["config_name"].as_str().unwrap_or("default") == config)
            .unwrap_or(&Value::Null),
        Some(one) => one,
        None => &Value::Null,
    };
    let features = info["features"].as_array().into_iter().flatten();
    features
        .filter_map(|it| Some(Feature { name: it["name"].as_str()?.to_owned(), kind: kind_of(it) }))
        .collect()
}

/// A type in a card's form, in the viewer's form.
fn kind_of(told: &Value) -> Value {
    if let Some(inner) = told.get("list").or_else(|| told.get("sequence")) {
        return match inner {
            Value::String(dtype) => list(&value(dtype)),
            Value::Array(fields) => list(&structure(fields)),
            other => list(&kind_of(other)),
        };
    }
    if let Some(fields) = told.get("struct").and_then(Value::as_array) {
        return structure(fields);
    }
    match &told["dtype"] {
        Value::String(dtype) if matches!(dtype.as_str(), "image" | "audio" | "video") => {
            let mut name = dtype.clone();
            name[..1].make_ascii_uppercase();
            json!({"_type": name})
        }
        Value::String(dtype) => value(dtype),
        Value::Object(inner) => match &inner.get("class_label").map(|it| &it["names"]) {
            Some(Value::Array(names)) => json!({"names": names, "_type": "ClassLabel"}),
            Some(Value::Object(names)) => {
                let mut names: Vec<(u64, Value)> =
                    names.iter().filter_map(|(at, name)| Some((at.parse().ok()?, name.clone()))).collect();
                names.sort_by_key(|it| it.0);
                let names: Vec<Value> = names.into_iter().map(|it| it.1).collect();
                json!({"names": names, "_type": "ClassLabel"})
            }
            _ => value("string"),
        },
        _ => value("string"),
    }
}

fn structure(fields: &[Value]) -> Value {
    let named = fields.iter().filter_map(|it| Some((it["name"].as_str()?.to_owned(), kind_of(it))));
    Value::Object(named.collect())
}

/// What the values look like; columns in the order in which they first come.
pub fn inferred(rows: &[Map<String, Value>]) -> Vec<Feature> {
    let mut features: Vec<Feature> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for row in rows {
        for (name, cell) in row {
            let at = *places.entry(name.clone()).or_insert_with(|| {
                features.push(Feature { name: name.clone(), kind: Value::Null });
                features.len() - 1
            });
            let looks = looks(cell);
            features[at].kind = wider(&features[at].kind, &looks);
        }
    }
    for feature in &mut features {
        if feature.kind.is_null() {
            feature.kind = value("null");
        }
    }
    features
}

fn looks(cell: &Value) -> Value {
    match cell {
        Value::Null => Value::Null,
        Value::Bool(_) => value("bool"),
        Value::Number(number) if number.is_f64() => value("float64"),
        Value::Number(_) => value("int64"),
        Value::String(text) if text.parse::<i64>().is_ok() => value("int64"),
        Value::String(text) if is_float(text) => value("float64"),
        Value::String(_) => value("string"),
        Value::Array(items) => {
            list(&items.iter().map(strict).fold(Value::Null, |kind, it| wider(&kind, &it)))
        }
        Value::Object(_) => strict(cell),
    }
}

fn is_float(text: &str) -> bool {
    text.contains('.') && text.parse::<f64>().is_ok_and(f64::is_finite)
}

/// As [`looks`], but within JSON, where a text that looks like a number is a text.
fn strict(cell: &Value) -> Value {
    match cell {
        Value::String(_) => value("string"),
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(name, it)| (name.clone(), strict(it))).collect())
        }
        other => looks(other),
    }
}

/// A type that holds both.
fn wider(one: &Value, other: &Value) -> Value {
    if one.is_null() || one == other {
        return other.clone();
    }
    if other.is_null() {
        return one.clone();
    }
    let dtypes = (one["dtype"].as_str(), other["dtype"].as_str());
    if let (Some("int64" | "float64"), Some("int64" | "float64")) = dtypes {
        return value("float64");
    }
    if one["_type"] == "List" && other["_type"] == "List" {
        return list(&wider(&one["feature"], &other["feature"]));
    }
    if let (Value::Object(a), Value::Object(b)) = (one, other)
        && !a.contains_key("_type")
        && !b.contains_key("_type")
    {
        let mut all = a.clone();
        for (name, kind) in b {
            let before = all.get(name).cloned().unwrap_or_default();
            all.insert(name.clone(), wider(&before, kind));
        }
        return Value::Object(all);
    }
    value("string")
}

/// Gives every cell its column's type: words of CSV become numbers, names of classes their places.
pub fn cast(features: &[Feature], rows: &mut [Map<String, Value>]) {
    for row in rows {
        for feature in features {
            let cell = row.entry(feature.name.clone()).or_insert(Value::Null);
            if let Value::String(text) = cell
                && let Some(better) = typed(text, &feature.kind)
            {
                *cell = better;
            }
        }
    }
}

fn typed(text: &str, kind: &Value) -> Option<Value> {
    if kind["_type"] == "ClassLabel" {
        let place = kind["names"].as_array()?.iter().position(|it| it == text);
        return place.map(Value::from).or_else(|| text.parse::<i64>().ok().map(Value::from));
    }
    match kind["dtype"].as_str()? {
        "bool" => text.to_lowercase().parse::<bool>().ok().map(Value::from),
        dtype if dtype.starts_with("int") || dtype.starts_with("uint") => {
            text.parse::<i64>().ok().map(Value::from)
        }
        dtype if dtype.starts_with("float") => text.parse::<f64>().ok().map(Value::from),
        _ => None,
    }
}

/// `{name: type}`, as `/info` has it.
pub fn as_map(features: &[Feature]) -> Value {
    Value::Object(features.iter().map(|it| (it.name.clone(), it.kind.clone())).collect())
}

/// `[{feature_idx, name, type}]`, as `/rows` has it.
pub fn as_list(features: &[Feature]) -> Value {
    let item = |(at, it): (usize, &Feature)| json!({"feature_idx": at, "name": it.name, "type": it.kind});
    features.iter().enumerate().map(item).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_inferred_and_cast() {
        let rows = json!([
            {"text": "a", "n": "1", "x": "0.5", "messages": [{"role": "user", "content": "hi"}]},
            {"text": "2", "n": "3", "x": "4", "messages": [{"role": "assistant", "content": "1", "tool": null}]},
        ]);
        let mut rows: Vec<Map<String, Value>> = serde_json::from_value(rows).unwrap();
        let features = inferred(&rows);
        let kinds = as_map(&features);
        assert_eq!(kinds["text"]["dtype"], "string");
        assert_eq!((&kinds["n"]["dtype"], &kinds["x"]["dtype"]), (&json!("int64"), &json!("float64")));
        assert_eq!(kinds["messages"]["_type"], "List");
        assert_eq!(kinds["messages"]["feature"]["content"]["dtype"], "string");
        cast(&features, &mut rows);
        assert_eq!((&rows[1]["n"], &rows[1]["x"], &rows[1]["text"]), (&json!(3), &json!(4.0), &json!("2")));
    }

    #[test]
    fn names_of_classes_become_places() {
        let kind = json!({"names": ["negative", "positive"], "_type": "ClassLabel"});
        assert_eq!(typed("positive", &kind), Some(json!(1)));
        assert_eq!(typed("0", &kind), Some(json!(0)));
        assert_eq!(typed("other", &kind), None);
    }
}
