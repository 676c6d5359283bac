//! One tree out of many layers, and where each value of it came from.
//!
//! Owns the deep merge and the provenance. Objects merge, everything else is replaced whole. Knows
//! nothing of which keys exist. Start at [`Tree::merge`].

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::error::{Origin, Problem};
use super::substitute::{self, Replaced};

/// A way into the tree, key by key.
pub type Path = Vec<String>;

/// Shows a path dotted; keys with dots of their own are put in brackets.
#[must_use]
pub fn dotted(path: &[String]) -> String {
    let mut out = String::new();
    for key in path {
        let plain = !key.is_empty() && !key.contains(['.', '"', '[', ' ']);
        if plain && !out.is_empty() {
            out.push('.');
        }
        if plain {
            out.push_str(key);
        } else {
            out.push_str(&format!("[{key:?}]"));
        }
    }
    out
}

/// The merged values and their provenance.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tree {
    values: Map<String, Value>,
    origins: BTreeMap<Path, Origin>,
    substituted: BTreeSet<Path>,
}

impl Tree {
    /// A tree of built-in defaults, which have no origin.
    #[must_use]
    pub fn of_defaults(values: Map<String, Value>) -> Self {
        Self { values, ..Self::default() }
    }

    /// Lays a layer over the tree.
    pub fn merge(&mut self, layer: Map<String, Value>, origin: &Origin) {
        merge(&mut self.values, layer, &mut Vec::new(), &mut self.origins, origin);
    }

    /// Sets one value, making objects on the way.
    pub fn set(&mut self, path: &[&str], value: Value, origin: &Origin) {
        let mut layer = value;
        for key in path.iter().rev() {
            layer = Value::Object(Map::from_iter([((*key).to_owned(), layer)]));
        }
        if let Value::Object(layer) = layer {
            self.merge(layer, origin);
        }
    }

    /// Whether a layer set this value.
    #[must_use]
    pub fn is_set(&self, path: &[&str]) -> bool {
        let path: Path = path.iter().map(|&key| key.to_owned()).collect();
        self.origins.contains_key(&path)
    }

    /// All values.
    #[must_use]
    pub fn values(&self) -> &Map<String, Value> {
        &self.values
    }

    /// Where the value at a path came from: its own layer, that of the nearest value above it,
    /// or that of the first value inside it.
    #[must_use]
    pub fn origin(&self, path: &[String]) -> Option<&Origin> {
        let above = (0..=path.len()).rev().find_map(|length| self.origins.get(&path[..length]));
        let below = || self.origins.range(path.to_vec()..).next().filter(|(leaf, _)| leaf.starts_with(path));
        above.or_else(|| below().map(|(_, origin)| origin))
    }

    /// Every leaf with its origin, in the order of its path.
    pub fn origins(&self) -> impl Iterator<Item = (&Path, &Origin)> {
        self.origins.iter()
    }

    /// Whether the string at a path was made by a reference, and may stand for a number or a flag.
    #[must_use]
    pub fn is_substituted(&self, path: &[String]) -> bool {
        self.substituted.contains(path)
    }

    /// Replaces the references in every string value.
    pub fn substitute(&mut self, env: &BTreeMap<String, String>) -> Vec<Problem> {
        let mut walk = Substitution { env, touched: BTreeSet::new(), unset: Vec::new() };
        for (key, value) in &mut self.values {
            walk.value(value, &mut vec![key.clone()]);
        }
        let (touched, unset) = (walk.touched, walk.unset);
        self.substituted.extend(touched);
        unset
            .into_iter()
            .map(|(path, name)| Problem {
                origin: self.origin(&path).cloned(),
                message: format!("the environment variable `{name}` is not set, and the value gives no default (`${{{name}:-default}}`)"),
                path: dotted(&path),
            })
            .collect()
    }

    /// Puts a value of the right type in the place of a string made by a reference.
    pub fn retype(&mut self, path: &[String], value: Value) {
        let Some((last, way)) = path.split_last() else { return };
        let map = way.iter().try_fold(&mut self.values, |map, key| map.get_mut(key)?.as_object_mut());
        if let Some(slot) = map.and_then(|map| map.get_mut(last)) {
            *slot = value;
        }
    }
}

fn merge(
    base: &mut Map<String, Value>,
    layer: Map<String, Value>,
    path: &mut Path,
    origins: &mut BTreeMap<Path, Origin>,
    origin: &Origin,
) {
    for (key, value) in layer {
        path.push(key.clone());
        match (base.get_mut(&key), value) {
            (Some(Value::Object(below)), Value::Object(above)) => merge(below, above, path, origins, origin),
            (_, value) => {
                origins.retain(|old, _| !old.starts_with(path));
                note_leaves(&value, path, origins, origin);
                base.insert(key, value);
            }
        }
        path.pop();
    }
}

fn note_leaves(value: &Value, path: &mut Path, origins: &mut BTreeMap<Path, Origin>, origin: &Origin) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                path.push(key.clone());
                note_leaves(value, path, origins, origin);
                path.pop();
            }
        }
        _ => {
            origins.insert(path.clone(), origin.clone());
        }
    }
}

struct Substitution<'a> {
    env: &'a BTreeMap<String, String>,
    touched: BTreeSet<Path>,
    unset: Vec<(Path, String)>,
}

impl Substitution<'_> {
    fn value(&mut self, value: &mut Value, path: &mut Path) {
        match value {
            Value::String(text) => match substitute::text(text, self.env) {
                Ok(Replaced::Unchanged) => {}
                Ok(Replaced::Text(new)) => {
                    *text = new;
                    self.touched.insert(path.clone());
                }
                Err(unset) => self.unset.extend(unset.into_iter().map(|unset| (path.clone(), unset.name))),
            },
            Value::Array(items) => {
                for (at, item) in items.iter_mut().enumerate() {
                    path.push(at.to_string());
                    self.value(item, path);
                    path.pop();
                }
            }
            Value::Object(map) => {
                for (key, value) in map {
                    path.push(key.clone());
                    self.value(value, path);
                    path.pop();
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    fn file(name: &str) -> Origin {
        Origin::File(name.into())
    }

    #[test]
    fn objects_merge_and_everything_else_is_replaced() {
        let mut tree = Tree::default();
        tree.merge(object(json!({"a": {"b": 1, "c": [1]}, "d": 1})), &file("one"));
        tree.merge(object(json!({"a": {"c": [2], "e": 3}, "d": {"z": 1}})), &file("two"));
        assert_eq!(tree.values(), &object(json!({"a": {"b": 1, "c": [2], "e": 3}, "d": {"z": 1}})));
        let origin = |path: &[&str]| tree.origin(&path.iter().map(|&key| key.to_owned()).collect::<Vec<_>>());
        assert_eq!(origin(&["a", "b"]), Some(&file("one")));
        assert_eq!(
            origin(&["a", "c", "0"]),
            Some(&file("two")),
            "an item comes from where its list came from"
        );
        assert_eq!(origin(&["d", "z"]), Some(&file("two")));
    }

    #[test]
    fn a_reference_in_a_layer_that_was_overridden_is_not_missed() {
        let mut tree = Tree::default();
        tree.merge(object(json!({"a": "${UNSET}", "${KEY}": 1, "b": null})), &file("one"));
        tree.merge(object(json!({"a": "${SET}", "list": ["${SET}", {"x": "${SET}"}]})), &file("two"));
        let env = BTreeMap::from([("SET".to_owned(), "v".to_owned())]);
        assert_eq!(tree.substitute(&env), []);
        assert_eq!(
            tree.values(),
            &object(json!({"a": "v", "${KEY}": 1, "b": null, "list": ["v", {"x": "v"}]})),
        );
        assert!(tree.is_substituted(&["list".into(), "1".into(), "x".into()]));
    }

    #[test]
    fn an_unset_variable_names_file_path_and_variable() {
        let mut tree = Tree::default();
        tree.merge(object(json!({"m": {"slack.default": {"token": "x${NOPE}"}}})), &file("mine.json"));
        let problems = tree.substitute(&BTreeMap::new());
        assert_eq!(problems.len(), 1);
        let shown = problems[0].to_string();
        assert!(shown.starts_with("mine.json: m[\"slack.default\"].token: "), "{shown}");
        assert!(shown.contains("`NOPE`"), "{shown}");
    }
}
