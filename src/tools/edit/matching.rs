//! Finding the text that an edit means, and exactly where it stands.
//!
//! Exact text first. Then, and only for whole lines, blanks at line ends and a shifted
//! indentation; then typographic characters for plain ones, mapped back character by character.
//! Every span covers only what was matched: text beside it is never part of it. Pure.

use std::ops::Range;

/// How the text was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// As given.
    Exact,
    /// But for blanks at the ends of lines.
    LineEnds,
    /// But for indentation, shifted by the same blanks on every line.
    Indentation,
    /// But for typographic dashes, quotes and blanks.
    Characters,
}

impl How {
    /// What to tell about it, if it is worth telling.
    pub fn note(self) -> Option<&'static str> {
        match self {
            Self::Exact => None,
            Self::LineEnds => Some("matched but for blanks at the ends of lines"),
            Self::Indentation => {
                Some("matched but for indentation; the new text was indented as the old one stands")
            }
            Self::Characters => {
                Some("matched but for typographic characters (dashes, quotes, special blanks)")
            }
        }
    }
}

/// One place, and what belongs there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Bytes of the content.
    pub span: Range<usize>,
    /// The new text, indented as this place wants it.
    pub new: String,
}

/// Finds every place where `old` stands in `content`, by the first way that finds any.
///
/// # Errors
/// It nearly matches, but nobody can tell how the new text should be put there.
pub fn find(content: &str, old: &str, new: &str) -> Result<(How, Vec<Place>), String> {
    let at = |span: Range<usize>| Place { span, new: new.to_owned() };
    let exact: Vec<Place> =
        content.match_indices(old).map(|(start, _)| at(start..start + old.len())).collect();
    if !exact.is_empty() {
        return Ok((How::Exact, exact));
    }
    let lines = Lines::of(content);
    let spans = lines.windows(old, |line, old| line.trim_end() == old.trim_end());
    if !spans.is_empty() {
        return Ok((How::LineEnds, spans.into_iter().map(|window| at(window.span)).collect()));
    }
    let windows = lines.windows(old, |line, old| line.trim() == old.trim());
    if !windows.is_empty() {
        let places: Result<Vec<Place>, String> = windows
            .into_iter()
            .map(|window| {
                let shift = Shift::between(&window.lines, old)?;
                Ok(Place { span: window.span, new: shift.apply(new)? })
            })
            .collect();
        return Ok((How::Indentation, places?));
    }
    let spans = typographic(content, old);
    Ok((How::Characters, spans.into_iter().map(at).collect()))
}

/// The content's lines, without their ends.
struct Lines<'a> {
    content: &'a str,
    spans: Vec<Range<usize>>,
}

/// Whole lines that match.
struct Window<'a> {
    span: Range<usize>,
    lines: Vec<&'a str>,
}

impl<'a> Lines<'a> {
    fn of(content: &'a str) -> Self {
        let mut spans = Vec::new();
        let mut start = 0;
        for line in content.split_inclusive('\n') {
            let end = start + line.trim_end_matches('\n').len();
            spans.push(start..end);
            start += line.len();
        }
        Self { content, spans }
    }

    /// Where all lines of `old` equal as many lines here. Windows do not overlap.
    fn windows(&self, old: &str, equal: impl Fn(&str, &str) -> bool) -> Vec<Window<'a>> {
        let wanted: Vec<&str> = old.strip_suffix('\n').unwrap_or(old).split('\n').collect();
        if wanted.iter().all(|line| line.trim().is_empty()) {
            return Vec::new();
        }
        let mut found = Vec::new();
        let mut first = 0;
        while first + wanted.len() <= self.spans.len() {
            let window = &self.spans[first..first + wanted.len()];
            let same = window.iter().zip(&wanted).all(|(span, old)| equal(&self.content[span.clone()], old));
            match self.span(window, old).filter(|_| same) {
                Some(span) => {
                    let lines = window.iter().map(|span| &self.content[span.clone()]).collect();
                    found.push(Window { span, lines });
                    first += wanted.len();
                }
                None => first += 1,
            }
        }
        found
    }

    /// From the first line's start to the last one's end: its line break included only if `old`
    /// ends with one, its trailing blanks never otherwise.
    fn span(&self, window: &[Range<usize>], old: &str) -> Option<Range<usize>> {
        let (first, last) = (window.first()?, window.last()?);
        if old.ends_with('\n') {
            return self.content[last.end..].starts_with('\n').then_some(first.start..last.end + 1);
        }
        let kept = self.content[last.clone()].trim_end().len();
        Some(first.start..last.start + kept)
    }
}

/// How the indentation in the file differs from the one given.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Shift {
    /// The file has this before what was given.
    Add(String),
    /// What was given has this before what the file has.
    Remove(String),
}

fn indentation(line: &str) -> &str {
    &line[..line.len() - line.trim_start().len()]
}

impl Shift {
    fn between(lines: &[&str], old: &str) -> Result<Self, String> {
        let mut found: Option<Self> = None;
        for (line, old) in lines.iter().zip(old.split('\n')).filter(|(line, _)| !line.trim().is_empty()) {
            let (has, given) = (indentation(line), indentation(old));
            let shift = match (has.strip_suffix(given), given.strip_suffix(has)) {
                (Some(more), _) => Self::Add(more.to_owned()),
                (None, Some(less)) => Self::Remove(less.to_owned()),
                (None, None) => return Err(mixed()),
            };
            if found.as_ref().is_some_and(|found| *found != shift) {
                return Err(mixed());
            }
            found = Some(shift);
        }
        found.ok_or_else(mixed)
    }

    fn apply(&self, new: &str) -> Result<String, String> {
        let lines: Result<Vec<String>, String> = new
            .split('\n')
            .map(|line| match self {
                _ if line.trim().is_empty() => Ok(line.to_owned()),
                Self::Add(more) => Ok(format!("{more}{line}")),
                Self::Remove(less) => line.strip_prefix(less.as_str()).map(str::to_owned).ok_or_else(mixed),
            })
            .collect();
        Ok(lines?.join("\n"))
    }
}

fn mixed() -> String {
    "the text stands there with another indentation, which differs from line to line; give `old_str` exactly as \
     the file has it"
        .to_owned()
}

/// What a typographic character stands for; `None` if nothing (it has no width).
fn plain(c: char) -> Option<char> {
    Some(match c {
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}' => '-',
        '\u{2018}'..='\u{201b}' | '\u{2032}' | '\u{02bc}' => '\'',
        '\u{201c}'..='\u{201f}' | '\u{2033}' | '\u{00ab}' | '\u{00bb}' => '"',
        '\u{00a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => ' ',
        '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' => return None,
        other => other,
    })
}

/// Where `old` stands once both are written with plain characters.
fn typographic(content: &str, old: &str) -> Vec<Range<usize>> {
    let wanted: String = old.chars().filter_map(plain).collect();
    if wanted.trim().is_empty() {
        return Vec::new();
    }
    let mut text = String::with_capacity(content.len());
    // For each byte of `text`, the character of `content` that it comes from.
    let mut from: Vec<Range<usize>> = Vec::with_capacity(content.len());
    for (start, c) in content.char_indices() {
        if let Some(p) = plain(c) {
            text.push(p);
            from.resize(text.len(), start..start + c.len_utf8());
        }
    }
    let whole = text.match_indices(&wanted).filter_map(|(start, found)| {
        let (first, last) = (from.get(start)?, from.get(start + found.len() - 1)?);
        Some(first.start..last.end)
    });
    whole.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(content: &str, old: &str, new: &str) -> (String, How) {
        let (how, places) = find(content, old, new).unwrap();
        assert_eq!(places.len(), 1, "{places:?}");
        let place = &places[0];
        (format!("{}{}{}", &content[..place.span.start], place.new, &content[place.span.end..]), how)
    }

    fn nowhere(content: &str, old: &str) -> bool {
        find(content, old, "Z").is_ok_and(|(_, places)| places.is_empty())
    }

    #[test]
    fn only_what_was_matched_changes() {
        let cases = [
            ("a b c", "b", "X", "a X c", How::Exact),
            ("foo  \nbar\n", "foo\nbar", "Z", "Z\n", How::LineEnds),
            ("foo  \nbar  \nbaz", "foo\nbar", "Z", "Z  \nbaz", How::LineEnds),
            ("foo  \nbar \nbaz", "foo\nbar\n", "Z\n", "Z\nbaz", How::LineEnds),
            ("    foo\n    bar\n", "foo\nbar", "Z", "    Z\n", How::Indentation),
            ("  if a:\n    b\n", "if a:\n  b", "if c:\n\n  d", "  if c:\n\n    d\n", How::Indentation),
            ("foo\n  bar\n", "  foo\n    bar", "  y\n    z", "y\n  z\n", How::Indentation),
            ("\tfoo\n\tbar\n", "foo\nbar", "Z\nY", "\tZ\n\tY\n", How::Indentation),
            ("say “hi” now", "say \"hi\"", "Z", "Z now", How::Characters),
            ("  pre foo – bar post\n", "foo - bar", "Z", "  pre Z post\n", How::Characters),
            ("a\u{200b}b\u{a0}c é", "ab c", "Z", "Z é", How::Characters),
        ];
        for (content, old, new, expected, how) in cases {
            assert_eq!(edit(content, old, new), (expected.to_owned(), how), "{content:?}");
        }
    }

    #[test]
    fn a_part_of_a_line_is_only_matched_exactly() {
        assert!(nowhere("x = foo  \nbar = 1\n", "foo\nbar"));
        assert!(nowhere("before foo\n    bar after\n", "foo\nbar"));
        assert!(nowhere("foo  \nbar", "foo\nbar\n"));
        assert!(nowhere("a\n\n\nb", "  \n \n "));
        assert!(nowhere("abc", "\u{200b}"));
    }

    #[test]
    fn an_indentation_that_cannot_be_mapped_is_refused() {
        assert!(find("  foo\n      bar\n", "foo\nbar", "Z").is_err());
        assert!(find("\tfoo\n\tbar\n", "    foo\n    bar", "Z").is_err());
        assert!(
            find("foo\nbar\n", "  foo\n  bar", "Z").is_err(),
            "the new text lacks what would be taken away"
        );
    }

    #[test]
    fn places_do_not_overlap() {
        assert_eq!(find("aaaa", "aa", "b").unwrap().1.len(), 2);
        assert_eq!(find("a \na \na \n", "a\na", "b").unwrap().1.len(), 1);
    }
}
