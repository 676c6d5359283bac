//! Dicts in a line: Python's `{'loss': 1.2}`, JSON's `{"loss": 1.2}`, numbers in quotes, one level deep.

use super::name::{Kind, tidy};
use super::number;

/// How many braces of a line are tried.
const TRIES: usize = 4;

/// Names and numbers of the first dict in the line that tells of a training. A dict inside gives its names
/// behind its own (`{"val": {"loss": 1}}` is `val_loss`), but for `eval`, the report of our evaluation.
pub(super) fn read(line: &str) -> Option<Vec<(String, f64)>> {
    line.match_indices('{').take(TRIES).find_map(|(at, _)| {
        let mut reader = Reader { rest: &line[at..], found: Vec::new() };
        reader.dict("", Depth::Outer)?;
        let tells =
            |(name, _): &(String, f64)| matches!(Kind::of(name), Kind::Metric) || name.starts_with("eval_");
        reader.found.iter().any(tells).then_some(reader.found)
    })
}

#[derive(Clone, Copy, PartialEq)]
enum Depth {
    Outer,
    Inner,
}

struct Reader<'a> {
    rest: &'a str,
    found: Vec<(String, f64)>,
}

impl<'a> Reader<'a> {
    /// `{ key: value, … }`.
    fn dict(&mut self, outer: &str, depth: Depth) -> Option<()> {
        self.take('{')?;
        if self.take('}').is_some() {
            return Some(());
        }
        loop {
            let key = self.quoted()?;
            self.take(':')?;
            let name = match (tidy(key), outer) {
                // The report of our own evaluation: its names are those of the registry.
                (Some(key), "" | "eval") => Some(key),
                (Some(key), outer) if key.starts_with(outer) => Some(key),
                (Some(key), outer) => Some(format!("{outer}_{key}")),
                (None, _) => None,
            };
            self.value(name.as_deref(), depth)?;
            if self.take(',').is_some() {
                if self.take('}').is_some() {
                    return Some(());
                }
                continue;
            }
            return self.take('}');
        }
    }

    fn value(&mut self, name: Option<&str>, depth: Depth) -> Option<()> {
        self.rest = self.rest.trim_start();
        let number = match self.rest.chars().next()? {
            '{' if depth == Depth::Outer => return self.dict(name.unwrap_or("inner"), Depth::Inner),
            '{' | '[' | '(' => return self.skip_nested(),
            '\'' | '"' => number::exact(self.quoted()?),
            _ => match number::leading(self.rest) {
                Some((value, used)) => {
                    self.rest = &self.rest[used..];
                    Some(value)
                }
                None => {
                    let end = self.rest.find([',', '}'])?;
                    self.rest = &self.rest[end..];
                    None
                }
            },
        };
        if let (Some(name), Some(value)) = (name, number) {
            self.found.push((name.to_owned(), value));
        }
        Some(())
    }

    /// Past a list or a dict that is too deep.
    fn skip_nested(&mut self) -> Option<()> {
        let mut open = 0_u32;
        let mut quote = None;
        for (at, c) in self.rest.char_indices() {
            match (quote, c) {
                (Some(mark), c) if c == mark => quote = None,
                (Some(_), _) => {}
                (None, '\'' | '"') => quote = Some(c),
                (None, '{' | '[' | '(') => open += 1,
                (None, '}' | ']' | ')') => {
                    open = open.saturating_sub(1);
                    if open == 0 {
                        self.rest = &self.rest[at + c.len_utf8()..];
                        return Some(());
                    }
                }
                (None, _) => {}
            }
        }
        None
    }

    fn quoted(&mut self) -> Option<&'a str> {
        self.rest = self.rest.trim_start();
        let quote = self.rest.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
        let inside = &self.rest[1..];
        let mut escaped = false;
        for (at, c) in inside.char_indices() {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                c if c == quote => {
                    self.rest = &inside[at + 1..];
                    return Some(&inside[..at]);
                }
                _ => {}
            }
        }
        None
    }

    fn take(&mut self, wanted: char) -> Option<()> {
        self.rest = self.rest.trim_start().strip_prefix(wanted).or_else(|| {
            self.rest = self.rest.trim_start();
            None
        })?;
        Some(())
    }
}
