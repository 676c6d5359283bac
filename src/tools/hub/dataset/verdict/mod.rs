//! Which training methods a dataset is ready for, and what to do where it is nearly so.
//!
//! A pure function over columns and first rows: [`verdicts`]. A method is ready, fits after a mapping that is given,
//! or does not fit, and then what is missing is named. Says what the columns are, never what is in all rows.

mod classes;
mod pairs;
mod preference;
pub(super) mod shape;

use serde_json::{Map, Value};

use self::shape::{Shape, Shaped, shapes};
use crate::clients::dataset_viewer::feature::Column;

/// A way to train.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Sft,
    Dpo,
    Kto,
    Grpo,
    Reward,
    Classification,
}

impl Method {
    /// Its name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sft => "SFT",
            Self::Dpo => "DPO",
            Self::Kto => "KTO",
            Self::Grpo => "GRPO",
            Self::Reward => "Reward model",
            Self::Classification => "Classification",
        }
    }
}

/// Whether a dataset fits a method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fit {
    /// As it is.
    Ready,
    /// After this code, in which `ds` is the split.
    Mapped(String),
    /// Not: these columns are missing.
    No(Vec<&'static str>),
}

/// What a method makes of a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) method: Method,
    pub(super) fit: Fit,
    /// The columns that it would use.
    pub(super) uses: Vec<String>,
    /// What is worth knowing, in a few words.
    pub(super) note: String,
}

impl Verdict {
    fn ready<S: Into<String>>(method: Method, uses: impl IntoIterator<Item = S>, note: &str) -> Self {
        Self::new(method, Fit::Ready, uses, note)
    }

    fn mapped<S: Into<String>>(
        method: Method,
        code: String,
        uses: impl IntoIterator<Item = S>,
        note: &str,
    ) -> Self {
        Self::new(method, Fit::Mapped(code), uses, note)
    }

    fn no<S: Into<String>>(
        method: Method,
        missing: Vec<&'static str>,
        uses: impl IntoIterator<Item = S>,
        note: &str,
    ) -> Self {
        Self::new(method, Fit::No(missing), uses, note)
    }

    fn new<S: Into<String>>(method: Method, fit: Fit, uses: impl IntoIterator<Item = S>, note: &str) -> Self {
        Self { method, fit, uses: uses.into_iter().map(Into::into).collect(), note: note.to_owned() }
    }
}

/// Each method's verdict.
pub(super) fn verdicts(columns: &[Column], rows: &[Map<String, Value>]) -> Vec<Verdict> {
    let table = Table(shapes(columns, rows));
    vec![
        pairs::sft(&table),
        preference::dpo(&table),
        preference::kto(&table),
        pairs::grpo(&table),
        preference::reward(&table),
        classes::classification(&table),
    ]
}

/// The columns of a dataset.
struct Table(Vec<Shaped>);

impl Table {
    /// The shape of the column of this name.
    fn shape(&self, name: &str) -> Option<&Shape> {
        self.0.iter().find(|it| it.name == name).map(|it| &it.shape)
    }

    fn has(&self, name: &str, shape: &Shape) -> bool {
        self.shape(name) == Some(shape)
    }

    /// The first of these names that is a column of one of these shapes, whatever its case.
    fn first(&self, names: &[&str], fits: impl Fn(&Shape) -> bool) -> Option<&Shaped> {
        names
            .iter()
            .find_map(|name| self.0.iter().find(|it| it.name.eq_ignore_ascii_case(name) && fits(&it.shape)))
    }

    /// The columns of this shape.
    fn all(&self, shape: &Shape) -> Vec<&Shaped> {
        self.0.iter().filter(|it| it.shape == *shape).collect()
    }
}

/// Names that hold what a model is asked.
const ASKED: &[&str] = &["prompt", "question", "instruction", "query", "problem", "input", "user", "prompts"];
/// Names that hold what it should answer.
const ANSWERED: &[&str] = &[
    "completion",
    "answer",
    "response",
    "output",
    "solution",
    "target",
    "assistant",
    "reply",
    "completions",
];

fn talks(shape: &Shape) -> bool {
    matches!(shape, Shape::Text | Shape::Messages)
}

/// A Python string.
fn quoted(text: &str) -> String {
    // JSON's escapes are Python's.
    Value::from(text).to_string()
}

/// Code that renames these columns; none where nothing has to be.
fn renamed(pairs: &[(&str, &str)]) -> Option<String> {
    let changed: Vec<String> = pairs
        .iter()
        .filter(|(from, to)| from != to)
        .map(|(from, to)| format!("{}: {}", quoted(from), quoted(to)))
        .collect();
    (!changed.is_empty()).then(|| format!("ds = ds.rename_columns({{{}}})", changed.join(", ")))
}

#[cfg(test)]
mod tests;
