//! The part of YAML that cards use: maps, lists, quoted and bare words, blocks of text.
//!
//! Never reads anchors, tags or several documents; what it cannot read is `None`. Start at [`read`].

use serde_json::{Map, Value};

/// Reads a document, or `None` if it is not of this part.
pub fn read(text: &str) -> Option<Value> {
    let lines: Vec<Line> = text.lines().filter_map(line).collect::<Option<Vec<_>>>()?;
    let mut lines = Lines { lines, at: 0 };
    let value = block(&mut lines, 0)?;
    (lines.at == lines.lines.len()).then_some(value)
}

#[derive(Debug)]
struct Line {
    indent: usize,
    text: String,
    raw: String,
}

struct Lines {
    lines: Vec<Line>,
    at: usize,
}

impl Lines {
    fn peek(&self) -> Option<&Line> {
        self.lines.get(self.at)
    }

    fn indent(&self) -> Option<usize> {
        self.peek().map(|it| it.indent)
    }
}

/// `None` for a line that is nothing; `Some(None)` for one that no YAML has.
fn line(raw: &str) -> Option<Option<Line>> {
    let text = raw.trim_end();
    let inner = text.trim_start_matches(' ');
    if inner.is_empty() || inner.starts_with('#') {
        return None;
    }
    let indent = text.len() - inner.len();
    Some((!inner.starts_with('\t')).then(|| Line { indent, text: inner.to_owned(), raw: raw.to_owned() }))
}

fn block(lines: &mut Lines, least: usize) -> Option<Value> {
    let Some(first) = lines.peek().filter(|it| it.indent >= least) else { return Some(Value::Null) };
    let (indent, is_list) = (first.indent, is_item(&first.text));
    if is_list {
        return list(lines, indent);
    }
    if key(&first.text).is_some() {
        return map(lines, indent);
    }
    let text = first.text.clone();
    lines.at += 1;
    scalar(&text)
}

fn is_item(text: &str) -> bool {
    text == "-" || text.starts_with("- ")
}

fn list(lines: &mut Lines, indent: usize) -> Option<Value> {
    let mut items = Vec::new();
    while let Some(line) = lines.peek().filter(|it| it.indent == indent && is_item(&it.text)) {
        let rest = line.text[1..].trim_start().to_owned();
        if rest.is_empty() {
            lines.at += 1;
            items.push(block(lines, indent + 1)?);
        } else if key(&rest).is_some() {
            // A map that begins on the line of its dash: the dash counts as indentation.
            let inner = indent + (line.text.len() - rest.len());
            let raw = line.raw.clone();
            lines.lines[lines.at] = Line { indent: inner, text: rest, raw };
            items.push(map(lines, inner)?);
        } else {
            lines.at += 1;
            items.push(scalar(&rest)?);
        }
    }
    Some(Value::Array(items))
}

fn map(lines: &mut Lines, indent: usize) -> Option<Value> {
    let mut fields = Map::new();
    while let Some(line) = lines.peek().filter(|it| it.indent == indent) {
        let (name, rest) = key(&line.text)?;
        lines.at += 1;
        let value = match rest.as_str() {
            "" => {
                let below = lines.indent();
                let list_here = below == Some(indent) && lines.peek().is_some_and(|it| is_item(&it.text));
                if list_here { list(lines, indent)? } else { block(lines, indent + 1)? }
            }
            "|" | "|-" | ">" | ">-" => folded(lines, indent, rest.starts_with('|')),
            _ => scalar(&rest)?,
        };
        fields.insert(name, value);
    }
    Some(Value::Object(fields))
}

fn folded(lines: &mut Lines, indent: usize, kept: bool) -> Value {
    let mut parts = Vec::new();
    while let Some(line) = lines.peek().filter(|it| it.indent > indent) {
        parts.push(line.raw.trim().to_owned());
        lines.at += 1;
    }
    parts.join(if kept { "\n" } else { " " }).into()
}

/// `name: rest`, if this is one.
fn key(text: &str) -> Option<(String, String)> {
    if let Some(quote) = text.chars().next().filter(|it| matches!(it, '"' | '\'')) {
        let (name, rest) = text[1..].split_once(quote)?;
        let rest = rest.strip_prefix(':')?;
        return (rest.is_empty() || rest.starts_with(' ')).then(|| (name.to_owned(), rest.trim().to_owned()));
    }
    let (name, rest) = match text.split_once(": ") {
        Some((name, rest)) => (name, rest.trim()),
        None => (text.strip_suffix(':')?, ""),
    };
    let rest = if rest.starts_with('#') { "" } else { rest };
    (!name.starts_with(['[', '{'])).then(|| (name.to_owned(), rest.to_owned()))
}

fn scalar(text: &str) -> Option<Value> {
    let text = text.trim();
    for quote in ['"', '\''] {
        if let Some(inner) = text.strip_prefix(quote) {
            let (inner, after) = inner.rsplit_once(quote)?;
            return (after.trim().is_empty() || after.trim().starts_with('#')).then(|| inner.into());
        }
    }
    let text = text.split_once(" #").map_or(text, |(it, _)| it.trim_end());
    if let Some(inner) = text.strip_prefix('[') {
        let inner = inner.strip_suffix(']')?.trim();
        let parts = inner.split(',').filter(|it| !it.trim().is_empty());
        return parts.map(scalar).collect::<Option<Vec<_>>>().map(Value::Array);
    }
    Some(match text {
        "" | "null" | "~" => Value::Null,
        "{}" => Value::Object(Map::new()),
        "true" => true.into(),
        "false" => false.into(),
        _ if text.starts_with(['{', '&', '*', '!', '%', '@', '`']) => return None,
        _ => number(text).unwrap_or_else(|| text.into()),
    })
}

fn number(text: &str) -> Option<Value> {
    if let Ok(whole) = text.parse::<i64>() {
        return Some(whole.into());
    }
    let looks = text.contains('.') && text.bytes().all(|it| it.is_ascii_digit() || b".-+eE".contains(&it));
    text.parse::<f64>().ok().filter(|it| looks && it.is_finite()).map(Value::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_dataset_card_is_read() {
        let card = "license: cc-by-4.0\nlanguage:\n- en\n- de\ntags: [reviews, \"small\"]\npretty_name: 'A: B'\n\
                    dataset_info:\n  features:\n  - name: text\n    dtype: string\n  - name: label\n    dtype:\n      \
                    class_label:\n        names:\n          '0': negative\n          '1': positive\n  splits:\n    \
                    - name: train\n      num_examples: 12\nconfigs:\n- config_name: default\n  data_files:\n  - \
                    split: train\n    path: data/train.csv\nsize: 0.5 # small\ntext: |\n  one\n  two\n";
        let read = read(card).unwrap();
        assert_eq!(read["language"], json!(["en", "de"]));
        assert_eq!(read["tags"], json!(["reviews", "small"]));
        assert_eq!(read["pretty_name"], "A: B");
        assert_eq!(read["dataset_info"]["features"][1]["dtype"]["class_label"]["names"]["1"], "positive");
        assert_eq!(read["dataset_info"]["splits"][0]["num_examples"], 12);
        assert_eq!(read["configs"][0]["data_files"][0], json!({"split": "train", "path": "data/train.csv"}));
        assert_eq!((&read["size"], &read["text"]), (&json!(0.5), &json!("one\ntwo")));
    }

    #[test]
    fn what_is_no_yaml_of_ours_is_not_guessed() {
        for text in ["a: &anchor 1", "a: 1\n  b: 2\n c: 3", "\t- a", "a: [1, 2"] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read(""), Some(Value::Null));
    }
}
