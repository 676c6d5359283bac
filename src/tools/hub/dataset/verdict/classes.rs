//! Classification: text and a label.

use super::shape::{Shape, Shaped};
use super::{Method, Table, Verdict, quoted, renamed};

/// Names that hold what is classified.
const READ: &[&str] = &[
    "text",
    "sentence",
    "content",
    "review",
    "comment",
    "tweet",
    "question",
    "title",
    "document",
    "body",
    "utterance",
];
/// Names that hold the class.
const LABELS: &[&str] = &[
    "label",
    "labels",
    "category",
    "class",
    "target",
    "sentiment",
    "intent",
    "topic",
    "coarse_label",
    "stars",
    "emotion",
];
/// Names of two texts that are judged together.
const PAIRS: &[(&str, &str)] =
    &[("premise", "hypothesis"), ("sentence1", "sentence2"), ("question1", "question2"), ("text1", "text2")];

/// Text and a class for it.
pub(super) fn classification(table: &Table) -> Verdict {
    let method = Method::Classification;
    let countable = |shape: &Shape| matches!(shape, Shape::Class(_) | Shape::Whole | Shape::Bool);
    let label = table
        .first(LABELS, countable)
        .or_else(|| table.first(LABELS, |shape| *shape == Shape::Text))
        .or_else(|| only(table.0.iter().filter(|it| matches!(it.shape, Shape::Class(_))).collect()));
    let Some(label) = label else {
        return Verdict::no(
            method,
            vec!["label (a class for each row)"],
            text(table, "").map(|it| &it.name),
            "",
        );
    };
    let note = classes(&label.shape);
    if let Some((one, two)) =
        PAIRS.iter().find(|(one, two)| table.has(one, &Shape::Text) && table.has(two, &Shape::Text))
    {
        let code = code(&[(&label.name, "label")], label);
        let note = format!("{note}; two texts in a row: tokenise `{one}` and `{two}` together");
        let uses = [*one, *two, label.name.as_str()];
        return match code {
            None => Verdict::ready(method, uses, &note),
            Some(code) => Verdict::mapped(method, code, uses, &note),
        };
    }
    let Some(text) = text(table, &label.name) else {
        return Verdict::no(method, vec!["text"], [&label.name], &note);
    };
    match code(&[(&text.name, "text"), (&label.name, "label")], label) {
        None => Verdict::ready(method, [&text.name, &label.name], &note),
        Some(code) => Verdict::mapped(method, code, [&text.name, &label.name], &note),
    }
}

fn text<'a>(table: &'a Table, besides: &str) -> Option<&'a Shaped> {
    table
        .first(READ, |shape| *shape == Shape::Text)
        .filter(|it| it.name != besides)
        .or_else(|| only(table.all(&Shape::Text).into_iter().filter(|it| it.name != besides).collect()))
}

/// The only one, if there is only one: of several nobody could say which is meant.
fn only(found: Vec<&Shaped>) -> Option<&Shaped> {
    match found[..] {
        [one] => Some(one),
        _ => None,
    }
}

fn code(names: &[(&str, &str)], label: &Shaped) -> Option<String> {
    let encode = match label.shape {
        // Classes need numbers.
        Shape::Text | Shape::Bool => Some(format!("ds = ds.class_encode_column({})", quoted("label"))),
        _ => None,
    };
    let code: Vec<String> = [renamed(names), encode].into_iter().flatten().collect();
    (!code.is_empty()).then(|| code.join("\n"))
}

fn classes(shape: &Shape) -> String {
    match shape {
        Shape::Class(names) if names.is_empty() => "classes without names".to_owned(),
        Shape::Class(names) => {
            let shown: Vec<String> = names.iter().take(8).map(|name| super::super::line(name, 40)).collect();
            let more = if names.len() > 8 { ", …" } else { "" };
            format!("{} classes: {}{more}", names.len(), shown.join(", "))
        }
        Shape::Whole => "whole numbers as classes: check in the statistics how many there are".to_owned(),
        Shape::Bool => "two classes".to_owned(),
        _ => "classes by name, which are numbered by the mapping; too many different ones mean that it is no class"
            .to_owned(),
    }
}
