//! What the viewer has counted, one line per column.

use std::fmt::Write as _;

use serde_json::Value;

use super::super::words::number;
use super::line;
use crate::clients::dataset_viewer::Statistics;

/// Columns with statistics that are listed.
const COLUMNS: usize = 20;
/// Classes that are counted out.
const CLASSES: usize = 6;

/// One line per column.
pub(super) fn shown(out: &mut String, counted: &Statistics) {
    let rows =
        counted.rows.map_or_else(|| "rows unknown".to_owned(), |rows| format!("{} rows", number(rows)));
    let partial = if counted.partial { ", only the beginning of the split" } else { "" };
    let _ = writeln!(out, "\n## Statistics ({rows}{partial})");
    for (name, kind, numbers) in counted.columns.iter().take(COLUMNS) {
        let _ = writeln!(out, "- {}: {}", line(name, 100), summary(kind, numbers));
    }
    if counted.columns.len() > COLUMNS {
        let _ = writeln!(out, "[… {} more columns …]", number((counted.columns.len() - COLUMNS) as u64));
    }
}

fn summary(kind: &str, numbers: &Value) -> String {
    let mut facts = Vec::new();
    match &numbers["frequencies"] {
        Value::Object(classes) if !classes.is_empty() => facts.push(frequencies(classes)),
        _ => {
            let number = |name: &str| numbers[name].as_f64().map(short);
            let unit = match kind {
                "string_text" => " characters",
                "list" => " elements",
                "audio" => " seconds",
                "image" => " pixels wide",
                _ => "",
            };
            match (number("min"), number("max")) {
                (Some(min), Some(max)) => facts.push(format!("{min} to {max}{unit}")),
                _ => facts.extend(span(numbers)),
            }
            facts.extend(number("mean").map(|it| format!("mean {it}")));
            facts.extend(number("median").map(|it| format!("median {it}")));
        }
    }
    if let Some(unlabelled) = numbers["no_label_count"].as_u64().filter(|count| *count > 0) {
        facts.push(format!("{} without a label", number(unlabelled)));
    }
    match numbers["nan_count"].as_u64() {
        Some(0) => {}
        Some(empty) => facts.push(format!("{} EMPTY", number(empty))),
        None => facts.push("empty ones unknown".to_owned()),
    }
    if facts.is_empty() { line(kind, 40) } else { facts.join(", ") }
}

/// Dates come as text.
fn span(numbers: &Value) -> Option<String> {
    Some(format!("{} to {}", line(numbers["min"].as_str()?, 40), line(numbers["max"].as_str()?, 40)))
}

fn frequencies(classes: &serde_json::Map<String, Value>) -> String {
    let mut counts: Vec<(&str, u64)> =
        classes.iter().filter_map(|(name, count)| Some((name.as_str(), count.as_u64()?))).collect();
    counts.sort_by(|one, two| two.1.cmp(&one.1).then(one.0.cmp(two.0)));
    let shown: Vec<String> = counts
        .iter()
        .take(CLASSES)
        .map(|(name, count)| format!("{} {}", line(name, 40), number(*count)))
        .collect();
    let more =
        if counts.len() > CLASSES { format!(", … {} values in all", counts.len()) } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

/// Few digits: `12`, `4.31`, `0.00021`, `1.2e9`.
fn short(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        "0".to_owned()
    } else if !(1e-4..1e7).contains(&size) {
        format!("{value:.1e}")
    } else if size < 0.01 {
        format!("{value:.5}")
    } else if value.fract() == 0.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.2}")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_kind_of_column_reads_well() {
        for (kind, numbers, wanted) in [
            (
                "int",
                json!({"nan_count": 0, "min": 0, "max": 8550, "mean": 4275.5, "median": 4275.0}),
                "0 to 8550, mean 4275.50, median 4275",
            ),
            (
                "float",
                json!({"nan_count": 3, "min": 0.00002, "max": 12345678.0, "mean": 0.5}),
                "2.0e-5 to 1.2e7, mean 0.50, 3 EMPTY",
            ),
            (
                "class_label",
                json!({"nan_count": 0, "no_label_count": 2, "frequencies": {"neg": 5, "pos": 7}}),
                "pos 7, neg 5, 2 without a label",
            ),
            (
                "string_text",
                json!({"nan_count": 0, "min": 6, "max": 231, "mean": 40.7}),
                "6 to 231 characters, mean 40.70",
            ),
            (
                "bool",
                json!({"nan_count": 0, "frequencies": {"True": 1, "False": 1200}}),
                "False 1,200, True 1",
            ),
            (
                "datetime",
                json!({"nan_count": 0, "min": "2020-01-01", "max": "2021-01-01"}),
                "2020-01-01 to 2021-01-01",
            ),
            ("odd", json!({"nan_count": 0}), "odd"),
            ("odd", json!(null), "empty ones unknown"),
        ] {
            assert_eq!(summary(kind, &numbers), wanted, "{kind}");
        }
        let many: serde_json::Map<String, Value> = (0..9).map(|at| (format!("c{at}"), json!(at))).collect();
        let shown = summary("string_label", &json!({"nan_count": 0, "frequencies": many}));
        assert_eq!(shown, "c8 8, c7 7, c6 6, c5 5, c4 4, c3 3, … 9 values in all");
    }
}
