//! Statistics of a table's columns, in the viewer's forms.
//!
//! Never reads files. Start at [`of`].

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::features::Feature;
use super::table::Table;

/// Most different texts of a column that is told as labels rather than as lengths.
const LABELS_MOST: usize = 30;
/// Bins of a histogram.
const BINS: usize = 10;

/// One entry for every column.
pub fn of(table: &Table) -> Vec<Value> {
    table.features.iter().map(|it| column(it, &table.rows)).collect()
}

fn column(feature: &Feature, rows: &[Map<String, Value>]) -> Value {
    let cells: Vec<&Value> = rows.iter().filter_map(|it| it.get(&feature.name)).collect();
    let known: Vec<&Value> = cells.iter().copied().filter(|it| !it.is_null()).collect();
    let nan = cells.len() - known.len();
    let kind = &feature.kind;
    let (name, mut about) = if kind["_type"] == "ClassLabel" {
        ("class_label", classes(&known, kind))
    } else if kind["_type"] == "List" {
        ("list", numbers(known.iter().filter_map(|it| Some(float(it.as_array()?.len()))).collect()))
    } else {
        match kind["dtype"].as_str() {
            Some("bool") => ("bool", frequencies(known.iter().map(|it| title(it)))),
            Some(dtype) if dtype.starts_with("int") => ("int", numbers(floats(&known))),
            Some(dtype) if dtype.starts_with("float") => ("float", numbers(floats(&known))),
            _ => texts(&known),
        }
    };
    about["nan_count"] = nan.into();
    about["nan_proportion"] = share(nan, cells.len()).into();
    json!({"column_name": feature.name, "column_type": name, "column_statistics": about})
}

fn float(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

fn share(part: usize, of: usize) -> f64 {
    float(part) / float(of.max(1))
}

fn floats(cells: &[&Value]) -> Vec<f64> {
    cells.iter().filter_map(|it| it.as_f64()).collect()
}

fn title(cell: &Value) -> String {
    if cell == &Value::Bool(true) { "True".to_owned() } else { "False".to_owned() }
}

fn frequencies(names: impl Iterator<Item = String>) -> Value {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    names.for_each(|it| *counts.entry(it).or_default() += 1);
    json!({"n_unique": counts.len(), "frequencies": counts})
}

fn classes(cells: &[&Value], kind: &Value) -> Value {
    let name = |cell: &&Value| {
        let place = usize::try_from(cell.as_u64()?).ok()?;
        Some(kind["names"].get(place)?.as_str()?.to_owned())
    };
    let named: Vec<Option<String>> = cells.iter().map(name).collect();
    let without = named.iter().filter(|it| it.is_none()).count();
    let mut about = frequencies(named.into_iter().flatten());
    about["no_label_count"] = without.into();
    about["no_label_proportion"] = share(without, cells.len()).into();
    about
}

/// Few different texts are labels; of many, their lengths are told.
fn texts(cells: &[&Value]) -> (&'static str, Value) {
    let texts: Vec<&str> = cells.iter().filter_map(|it| it.as_str()).collect();
    let mut once = texts.clone();
    once.sort_unstable();
    once.dedup();
    if once.len() <= LABELS_MOST && once.len() < texts.len() {
        return ("string_label", frequencies(texts.into_iter().map(ToOwned::to_owned)));
    }
    ("string_text", numbers(texts.iter().map(|it| float(it.chars().count())).collect()))
}

fn numbers(mut values: Vec<f64>) -> Value {
    values.sort_by(f64::total_cmp);
    let (Some(&min), Some(&max)) = (values.first(), values.last()) else {
        return json!({"min": null, "max": null, "mean": null, "median": null, "std": null, "histogram": null});
    };
    let count = float(values.len());
    let mean = values.iter().sum::<f64>() / count;
    let spread = values.iter().map(|it| (it - mean).powi(2)).sum::<f64>() / (count - 1.0).max(1.0);
    let middle = values.len() / 2;
    let median = if values.len() % 2 == 1 {
        values[middle]
    } else {
        f64::midpoint(values[middle - 1], values[middle])
    };
    json!({"min": min, "max": max, "mean": mean, "median": median, "std": spread.sqrt(),
        "histogram": histogram(&values, min, max)})
}

fn histogram(values: &[f64], min: f64, max: f64) -> Value {
    if min >= max {
        return json!({"hist": [values.len()], "bin_edges": [min, max]});
    }
    let width = (max - min) / float(BINS);
    let edges: Vec<f64> = (0..=BINS).map(|it| min + width * float(it)).collect();
    let mut counts = vec![0_usize; BINS];
    for value in values {
        let at = edges[1..BINS].iter().take_while(|edge| value >= edge).count();
        counts[at] += 1;
    }
    json!({"hist": counts, "bin_edges": edges})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_counted() {
        let about = numbers(vec![1.0, 2.0, 3.0, 10.0]);
        assert_eq!(
            (&about["min"], &about["max"], &about["median"]),
            (&json!(1.0), &json!(10.0), &json!(2.5))
        );
        assert_eq!(
            about["histogram"]["hist"].as_array().unwrap().iter().filter_map(Value::as_u64).sum::<u64>(),
            4
        );
        assert_eq!(numbers(Vec::new())["mean"], Value::Null);
    }
}
