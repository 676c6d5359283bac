//! `${NAME}` and `${NAME:-default}` in string values.
//!
//! Owns the replacement of references in a parsed tree, so that a value can never change the shape
//! of the file it lands in. Never reads the environment and never shows a value in an error. Start
//! at [`text`].

use std::collections::BTreeMap;

/// A reference to a variable that is not set and has no default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unset {
    /// The name as written, spaces included.
    pub name: String,
}

/// What became of one string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replaced {
    /// It held no reference.
    Unchanged,
    /// It held at least one, and this is the result.
    Text(String),
}

/// Replaces the references of one string.
///
/// A variable that is set to nothing counts as set. The default ends at the first `}`; there is no
/// nesting and no escape. `${NAME:text}` without a dash is a required reference, as in ml-intern.
///
/// # Errors
/// Every unset variable without a default, in order.
pub fn text(input: &str, env: &BTreeMap<String, String>) -> Result<Replaced, Vec<Unset>> {
    let mut out = String::with_capacity(input.len());
    let mut unset = Vec::new();
    let mut found = false;
    let mut rest = input;
    while let Some(start) = rest.find("${") {
        let (before, from) = rest.split_at(start);
        out.push_str(before);
        let body = &from[2..];
        let Some(reference) = body.find('}').map(|end| Reference::parse(&body[..end], end)) else {
            rest = from;
            break;
        };
        let Some(reference) = reference else {
            out.push_str("${");
            rest = body;
            continue;
        };
        found = true;
        match (env.get(reference.name), reference.default) {
            (Some(value), _) => out.push_str(value),
            (None, Some(default)) => out.push_str(default),
            (None, None) => unset.push(Unset { name: reference.name.to_owned() }),
        }
        rest = &body[reference.length + 1..];
    }
    out.push_str(rest);
    match (unset.is_empty(), found) {
        (false, _) => Err(unset),
        (true, true) => Ok(Replaced::Text(out)),
        (true, false) => Ok(Replaced::Unchanged),
    }
}

/// What stands between `${` and `}`.
struct Reference<'a> {
    name: &'a str,
    default: Option<&'a str>,
    length: usize,
}

impl<'a> Reference<'a> {
    /// `None` for `${}` and `${:…}`, which are left as they are.
    fn parse(inner: &'a str, length: usize) -> Option<Self> {
        let (name, after) = inner.split_once(':').map_or((inner, None), |(name, after)| (name, Some(after)));
        let default = after.and_then(|after| after.strip_prefix('-'));
        (!name.is_empty()).then_some(Self { name, default, length })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(input: &str) -> Result<String, String> {
        let env = BTreeMap::from([("A".to_owned(), "1".to_owned()), ("E".to_owned(), String::new())]);
        match text(input, &env) {
            Ok(Replaced::Unchanged) => Ok(input.to_owned()),
            Ok(Replaced::Text(text)) => Ok(text),
            Err(unset) => Err(unset.into_iter().map(|unset| unset.name).collect::<Vec<_>>().join(",")),
        }
    }

    #[test]
    fn references_are_replaced_as_ml_intern_does() {
        let table = [
            ("${A}", Ok("1")),
            ("x${A}y${A}", Ok("x1y1")),
            ("${A:-d}", Ok("1")),
            ("${B:-d}", Ok("d")),
            ("${B:-}", Ok("")),
            ("${E}", Ok("")),
            ("${E:-d}", Ok("")),
            ("${B:-a:b}", Ok("a:b")),
            ("${B:--x}", Ok("-x")),
            ("${B}", Err("B")),
            ("${B:x}", Err("B")),
            ("${ A }", Err(" A ")),
            ("${A:x}", Ok("1")),
            ("$A", Ok("$A")),
            ("${}", Ok("${}")),
            ("${B:-{x}}", Ok("{x}")),
            ("${A", Ok("${A")),
            ("a ${ and ${A}", Err(" and ${A")),
            ("${B} and ${C}", Err("B,C")),
            ("plain", Ok("plain")),
        ];
        for (input, expected) in table {
            assert_eq!(run(input), expected.map(str::to_owned).map_err(str::to_owned), "{input}");
        }
    }

    #[test]
    fn a_value_is_never_read_again() {
        let env = BTreeMap::from([("A".to_owned(), "${B} $& { }".to_owned())]);
        assert_eq!(text("<${A}>", &env), Ok(Replaced::Text("<${B} $& { }>".to_owned())));
    }
}
