//! Data files as tables: which file belongs to which split, and the rows in it.
//!
//! Never guesses at a file that it cannot read: that is an error. Start at [`Dataset::of`].

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Map, Value};

use super::super::card::Card;
use super::features::{self, Feature};

/// One split of one config, and its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub config: String,
    pub split: String,
    pub paths: Vec<String>,
}

/// A dataset: its files, and what its card says of them.
#[derive(Debug)]
pub struct Dataset {
    pub parts: Vec<Part>,
    /// Split, path and bytes of files that are Parquet already.
    pub parquet: Vec<(String, String, usize)>,
    pub license: String,
    pub builder: &'static str,
    card: Card,
    files: BTreeMap<String, Bytes>,
}

/// Rows and what their columns are.
#[derive(Debug)]
pub struct Table {
    pub features: Vec<Feature>,
    pub rows: Vec<Map<String, Value>>,
}

impl Table {
    /// Bytes of the values, about as they would lie in memory.
    pub fn bytes(&self) -> u64 {
        let of = |value: &Value| match value {
            Value::String(text) => text.len() as u64 + 4,
            Value::Null | Value::Bool(_) => 1,
            Value::Number(_) => 8,
            other => other.to_string().len() as u64,
        };
        self.rows.iter().flat_map(Map::values).map(of).sum()
    }
}

const READ: &[&str] = &["csv", "tsv", "json", "jsonl"];

fn ending(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |it| it.1)
}

/// The split that a file's name tells of; `train` if it tells of none.
fn split_of(path: &str) -> &'static str {
    let words: Vec<String> =
        path.to_lowercase().split(|it: char| !it.is_ascii_alphabetic()).map(ToOwned::to_owned).collect();
    let has = |names: &[&str]| words.iter().any(|it| names.contains(&it.as_str()));
    if has(&["test", "testing", "eval", "evaluation"]) {
        "test"
    } else if has(&["validation", "valid", "dev", "val"]) {
        "validation"
    } else {
        "train"
    }
}

/// Whether a path fits a pattern with `*` (within a name) and `**` (over folders).
fn fits(pattern: &str, path: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == path,
        Some((before, after)) => {
            let Some(rest) = path.strip_prefix(before) else { return false };
            let (after, over_folders) = match after.strip_prefix('*') {
                Some(after) => (after.strip_prefix('/').unwrap_or(after), true),
                None => (after, false),
            };
            let ends = rest.char_indices().map(|it| it.0).chain([rest.len()]);
            ends.take_while(|end| over_folders || !rest[..*end].contains('/'))
                .any(|end| fits(after, &rest[end..]))
        }
    }
}

impl Dataset {
    pub fn of(card: &Card, files: BTreeMap<String, Bytes>) -> Self {
        let mut parts = told(card, &files);
        if parts.is_empty() {
            let readable = files.keys().filter(|it| READ.contains(&ending(it)));
            let mut by_split: BTreeMap<&str, Vec<String>> = BTreeMap::new();
            for path in readable {
                by_split.entry(split_of(path)).or_default().push(path.clone());
            }
            for split in ["train", "validation", "test"] {
                if let Some(paths) = by_split.remove(split) {
                    parts.push(Part { config: "default".to_owned(), split: split.to_owned(), paths });
                }
            }
        }
        let parquet = files.iter().filter(|(path, _)| ending(path) == "parquet");
        let parquet = parquet.map(|(path, it)| (split_of(path).to_owned(), path.clone(), it.len())).collect();
        let first = parts.first().and_then(|it| it.paths.first()).map_or("", |it| ending(it));
        let builder = if matches!(first, "json" | "jsonl") { "json" } else { "csv" };
        Self {
            parts,
            parquet,
            license: card.word("license").unwrap_or_default(),
            builder,
            card: card.clone(),
            files,
        }
    }

    /// Names of configs, each once, in the card's order.
    pub fn configs(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for part in &self.parts {
            if !names.contains(&part.config.as_str()) {
                names.push(&part.config);
            }
        }
        names
    }

    pub fn part(&self, config: &str, split: &str) -> Option<&Part> {
        self.parts.iter().find(|it| it.config == config && it.split == split)
    }

    /// Bytes of a part's files.
    pub fn bytes(&self, part: &Part) -> u64 {
        part.paths.iter().filter_map(|it| self.files.get(it)).map(|it| it.len() as u64).sum()
    }

    /// Reads a part.
    ///
    /// # Errors
    /// A file is not what its name says.
    pub fn table(&self, part: &Part) -> Result<Table, String> {
        let mut rows = Vec::new();
        for path in &part.paths {
            let content = self.files.get(path).cloned().unwrap_or_default();
            let text = std::str::from_utf8(&content).map_err(|error| format!("{path}: {error}"))?;
            rows.extend(match ending(path) {
                "csv" => separated(text, ','),
                "tsv" => separated(text, '\t'),
                _ => json_rows(text).map_err(|error| format!("{path}: {error}"))?,
            });
        }
        let told = features::told(&self.card, &part.config);
        let features = if told.is_empty() { features::inferred(&rows) } else { told };
        features::cast(&features, &mut rows);
        Ok(Table { features, rows })
    }
}

/// What the card's `configs` say.
fn told(card: &Card, files: &BTreeMap<String, Bytes>) -> Vec<Part> {
    let mut parts = Vec::new();
    for config in card.data.get("configs").and_then(Value::as_array).into_iter().flatten() {
        let name = config["config_name"].as_str().unwrap_or("default");
        let entries = match &config["data_files"] {
            Value::String(pattern) => vec![("train".to_owned(), vec![pattern.clone()])],
            Value::Array(list) => list
                .iter()
                .map(|it| {
                    let paths = match &it["path"] {
                        Value::Array(many) => {
                            many.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect()
                        }
                        one => one.as_str().map(ToOwned::to_owned).into_iter().collect(),
                    };
                    (it["split"].as_str().unwrap_or("train").to_owned(), paths)
                })
                .collect(),
            _ => Vec::new(),
        };
        for (split, patterns) in entries {
            let fit =
                |path: &&String| patterns.iter().any(|it| fits(it, path)) && READ.contains(&ending(path));
            let paths: Vec<String> = files.keys().filter(fit).cloned().collect();
            if !paths.is_empty() {
                parts.push(Part { config: name.to_owned(), split, paths });
            }
        }
    }
    parts
}

/// Rows of a file with a header line; quotes as in RFC 4180.
fn separated(text: &str, separator: char) -> Vec<Map<String, Value>> {
    let mut lines = records(text, separator).into_iter();
    let Some(header) = lines.next() else { return Vec::new() };
    let row = |cells: Vec<String>| {
        let mut cells = cells.into_iter();
        let named = header.iter().map(|name| {
            let cell = cells.next().filter(|it| !it.is_empty());
            (name.clone(), cell.map_or(Value::Null, Value::String))
        });
        named.collect()
    };
    lines.map(row).collect()
}

fn records(text: &str, separator: char) -> Vec<Vec<String>> {
    let mut records = Vec::new();
    let mut record: Vec<String> = Vec::new();
    let mut cell = String::new();
    let mut quoted = false;
    let mut letters = text.strip_prefix('\u{feff}').unwrap_or(text).chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                cell.push('"');
                letters.next();
            }
            '"' if quoted => quoted = false,
            '"' if cell.is_empty() => quoted = true,
            '\r' if !quoted && letters.peek() == Some(&'\n') => {}
            '\n' if !quoted => {
                record.push(std::mem::take(&mut cell));
                if record.len() > 1 || !record[0].is_empty() {
                    records.push(std::mem::take(&mut record));
                }
                record.clear();
            }
            it if it == separator && !quoted => record.push(std::mem::take(&mut cell)),
            it => cell.push(it),
        }
    }
    if !cell.is_empty() || !record.is_empty() {
        record.push(cell);
        records.push(record);
    }
    records
}

/// An array of objects, or an object on every line.
fn json_rows(text: &str) -> Result<Vec<Map<String, Value>>, String> {
    if text.trim_start().starts_with('[') {
        return serde_json::from_str(text).map_err(|error| error.to_string());
    }
    let lines = text.lines().filter(|it| !it.trim().is_empty());
    lines
        .enumerate()
        .map(|(at, line)| serde_json::from_str(line).map_err(|error| format!("line {}: {error}", at + 1)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_line_ends_of_csv() {
        let rows = records("text,label\r\n\"a, \"\"b\"\"\nc\",1\n\nplain,\n", ',');
        assert_eq!(rows, [vec!["text", "label"], vec!["a, \"b\"\nc", "1"], vec!["plain", ""]]);
    }

    #[test]
    fn files_are_told_by_patterns_and_names() {
        assert!(fits("data/train*.csv", "data/train-0.csv") && !fits("data/train*.csv", "data/x/train.csv"));
        assert!(fits("**/*.jsonl", "a/b/c.jsonl") && fits("a/**", "a/b/c"));
        for (path, split) in [
            ("data/test-00.csv", "test"),
            ("dev.jsonl", "validation"),
            ("reviews.csv", "train"),
            ("latest.csv", "train"),
        ] {
            assert_eq!(split_of(path), split, "{path}");
        }
    }
}
