//! The report's parts: splits, columns, rows, verdicts. Each is capped and says what it leaves out.

use std::fmt::Write as _;

use serde_json::Value;

use super::super::words::number;
use super::line;
use super::verdict::{Fit, Verdict};
use crate::clients::dataset_viewer::feature::{Column, Feature};
use crate::clients::dataset_viewer::{Part, Parts, Rows, Size};
use crate::clients::service::ServiceError;

/// Splits that are listed.
const PARTS: usize = 10;
/// Columns that are listed.
const COLUMNS: usize = 60;
/// Columns of a row.
const ROW_COLUMNS: usize = 30;
/// Characters of a cell.
const CELL: usize = 150;
/// Mappings that are given whole.
const MAPPINGS: usize = 4;

/// Splits with rows, bytes and files.
pub(super) fn parts(out: &mut String, parts: &Result<Parts, ServiceError>, sizes: &[Size]) {
    let Ok(parts) = parts else { return };
    let _ = writeln!(out, "\n## Splits ({})", parts.ready.len());
    for part in parts.ready.iter().take(PARTS) {
        let size = sizes.iter().find(|size| size.part == *part);
        let mut facts = Vec::new();
        facts.push(match size.and_then(|size| size.rows) {
            Some(rows) => format!("{} rows", number(rows)),
            None => "rows unknown".to_owned(),
        });
        facts.extend(
            size.and_then(|size| size.bytes).map(|bytes| format!("{} of Parquet", bytes_in_words(bytes))),
        );
        facts.extend(
            size.map(|size| size.files)
                .filter(|files| *files > 0)
                .map(|files| crate::text::count(files, "file")),
        );
        let _ = writeln!(out, "- {}/{}: {}", line(&part.config, 60), line(&part.split, 60), facts.join(", "));
    }
    if parts.ready.len() > PARTS {
        let _ = writeln!(
            out,
            "[… {} more splits; name one with `config` and `split` …]",
            parts.ready.len() - PARTS
        );
    }
    for (count, what) in
        [(parts.pending, "still being read by the viewer"), (parts.failed, "not readable for the viewer")]
    {
        if count > 0 {
            let _ = writeln!(out, "[{} {what}]", crate::text::count(count, "config"));
        }
    }
}

/// `1.2 MB`.
fn bytes_in_words(bytes: u64) -> String {
    let units = [(1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    match units.iter().find(|(size, _)| bytes >= *size) {
        Some((size, unit)) => {
            let tenths = u128::from(bytes) * 10 / u128::from(*size);
            format!("{}.{} {unit}", tenths / 10, tenths % 10)
        }
        None => format!("{bytes} bytes"),
    }
}

/// Columns and what they hold.
pub(super) fn columns(out: &mut String, at: &Part, columns: &[Column]) {
    let _ = writeln!(
        out,
        "\n## Columns of {}/{} ({})",
        line(&at.config, 60),
        line(&at.split, 60),
        number(columns.len() as u64)
    );
    for column in columns.iter().take(COLUMNS) {
        let _ = writeln!(out, "- {}: {}", line(&column.name, 100), line(&column.feature.to_string(), 300));
    }
    if columns.len() > COLUMNS {
        let _ = writeln!(
            out,
            "[… {} more columns, up to “{}”; `load_dataset(…).features` names them all …]",
            number((columns.len() - COLUMNS) as u64),
            line(columns.last().map(|it| it.name.as_str()).unwrap_or_default(), 100)
        );
    }
}

/// The first rows, cell by cell.
pub(super) fn rows(out: &mut String, rows: &Rows, wanted: usize) {
    if rows.rows.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n## First rows");
    let media = |name: &str| {
        let column = rows.columns.iter().find(|it| it.name == name)?;
        match &column.feature {
            Feature::Media(kind) => Some(kind.as_str()),
            _ => None,
        }
    };
    for (at, row) in rows.rows.iter().take(wanted).enumerate() {
        let _ = writeln!(out, "Row {at}:");
        for (name, value) in row.iter().take(ROW_COLUMNS) {
            let cell = match media(name) {
                Some(kind) => format!("({kind}, not shown)"),
                None => cell(value),
            };
            let _ = writeln!(out, "- {}: {cell}", line(name, 100));
        }
        if row.len() > ROW_COLUMNS {
            let _ = writeln!(out, "[… {} more cells …]", number((row.len() - ROW_COLUMNS) as u64));
        }
    }
}

/// A value on one line.
fn cell(value: &Value) -> String {
    match value {
        Value::String(text) => cut(text),
        other => cut(&other.to_string()),
    }
}

fn cut(text: &str) -> String {
    let total = text.chars().count();
    let kept = line(text, CELL);
    if total > CELL { format!("{kept} [{} characters]", number(total as u64)) } else { kept }
}

/// What the columns can train.
pub(super) fn verdicts(out: &mut String, verdicts: &[Verdict]) {
    let _ = writeln!(out, "\n## What it can train (by its columns)");
    let mut mappings: Vec<(&str, Vec<&str>)> = Vec::new();
    for verdict in verdicts {
        let name = verdict.method.name();
        let uses = verdict.uses.iter().map(|it| line(it, 60)).collect::<Vec<_>>().join(", ");
        let note =
            if verdict.note.is_empty() { String::new() } else { format!(". {}", upper(&verdict.note)) };
        let _ = match &verdict.fit {
            Fit::Ready => writeln!(out, "- {name}: READY with {uses}{note}"),
            Fit::Mapped(code) => {
                match mappings.iter_mut().find(|(known, _)| known == code) {
                    Some((_, names)) => names.push(name),
                    None => mappings.push((code, vec![name])),
                }
                writeln!(out, "- {name}: after a mapping of {uses}{note}")
            }
            Fit::No(missing) => {
                let has = if uses.is_empty() { String::new() } else { format!(" (has {uses})") };
                writeln!(out, "- {name}: no; missing: {}{has}{note}", missing.join(", "))
            }
        };
    }
    for (code, names) in mappings.iter().take(MAPPINGS) {
        let _ = writeln!(out, "\nMapping for {}:\n```python\n{code}\n```", names.join(", "));
    }
    let left: Vec<&str> =
        mappings.iter().skip(MAPPINGS).flat_map(|(_, names)| names.iter().copied()).collect();
    if !left.is_empty() {
        let _ = writeln!(out, "[mappings for {} left out]", left.join(", "));
    }
}

fn upper(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_read_well() {
        for (bytes, wanted) in [
            (0, "0 bytes"),
            (999, "999 bytes"),
            (1_234, "1.2 kB"),
            (1_239_134, "1.2 MB"),
            (u64::MAX, "18446744.0 TB"),
        ] {
            assert_eq!(bytes_in_words(bytes), wanted);
        }
    }

    #[test]
    fn cells_are_cut_and_say_how_long_they_are() {
        assert_eq!(cell(&Value::from("a\nb")), "a b");
        let long = cell(&Value::from("x".repeat(500)));
        assert!(long.ends_with("… [500 characters]"), "{long}");
        assert_eq!(cell(&serde_json::json!({"a": [1, null]})), r#"{"a":[1,null]}"#);
    }
}
