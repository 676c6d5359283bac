//! Text with looks, wrapped at words.
//!
//! Owns [`Span`], [`wrap`] and how spans become what a terminal obeys. Knows nothing of Markdown.

use std::sync::Arc;

use unicode_segmentation::UnicodeSegmentation;

use super::super::look::{Links, Look};
use super::super::paint::Paint;
use super::super::wide;

/// Looks, any of them together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Style(u8);

impl Style {
    /// Weighty.
    pub const BOLD: Self = Self(1);
    /// Stressed.
    pub const ITALIC: Self = Self(2);
    /// Void.
    pub const STRIKE: Self = Self(4);
    /// Code and names.
    pub const CODE: Self = Self(8);
    /// In the background.
    pub const DIM: Self = Self(16);
    /// Titles and links.
    pub const UNDERLINE: Self = Self(32);

    const CODES: [(Self, &'static str); 6] = [
        (Self::BOLD, "1"),
        (Self::DIM, "2"),
        (Self::ITALIC, "3"),
        (Self::UNDERLINE, "4"),
        (Self::STRIKE, "9"),
        (Self::CODE, "36"),
    ];

    /// Both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// A piece of text with one look.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Span {
    /// The text, cleaned.
    pub text: String,
    /// The look.
    pub style: Style,
    /// Where it leads, if it can be clicked.
    pub link: Option<Arc<str>>,
}

impl Span {
    /// A piece that leads nowhere.
    #[must_use]
    pub fn new(text: impl Into<String>, style: Style) -> Self {
        Self { text: text.into(), style, link: None }
    }
}

/// How many columns these take.
#[must_use]
pub fn columns(spans: &[Span]) -> usize {
    spans.iter().map(|span| wide::columns(&span.text)).sum()
}

/// One grapheme on its way to a line.
type Piece<'a> = (&'a str, &'a Span);

/// Breaks spans into lines of at most `width` columns: at spaces, between wide characters, and inside
/// a word only when it is wider than a line. A line break in the text breaks the line.
#[must_use]
pub fn wrap(spans: &[Span], width: usize) -> Vec<Vec<Span>> {
    let width = width.max(2);
    let mut lines: Vec<Vec<Span>> = Vec::new();
    let mut line: Vec<Piece<'_>> = Vec::new();
    let (mut used, mut may_break) = (0, None);
    for (grapheme, span) in
        spans.iter().flat_map(|span| span.text.graphemes(true).map(move |grapheme| (grapheme, span)))
    {
        if grapheme == "\n" {
            lines.push(joined(&line));
            (line, used, may_break) = (Vec::new(), 0, None);
            continue;
        }
        let takes = wide::of(grapheme);
        if used + takes > width && !line.is_empty() {
            let rest = match may_break {
                _ if grapheme == " " => Vec::new(),
                Some(at) => line.split_off(at),
                None => Vec::new(),
            };
            lines.push(joined(&line));
            line = rest;
            used = line.iter().map(|(grapheme, _)| wide::of(grapheme)).sum();
            may_break = None;
        }
        if grapheme == " " && line.is_empty() {
            continue;
        }
        line.push((grapheme, span));
        used += takes;
        if grapheme == " " || takes == 2 {
            may_break = Some(line.len());
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(joined(&line));
    }
    lines
}

fn joined(pieces: &[Piece<'_>]) -> Vec<Span> {
    let end = pieces.iter().rposition(|(grapheme, _)| *grapheme != " ").map_or(0, |at| at + 1);
    let mut spans: Vec<Span> = Vec::new();
    for (grapheme, from) in &pieces[..end] {
        match spans.last_mut() {
            Some(last) if last.style == from.style && last.link == from.link => last.text.push_str(grapheme),
            _ => spans.push(Span { text: (*grapheme).to_owned(), ..(*from).clone() }),
        }
    }
    spans
}

/// Spans as the terminal draws them.
#[must_use]
pub fn paint(spans: &[Span], look: &Look) -> String {
    let mut out = String::new();
    for span in spans.iter().filter(|span| !span.text.is_empty()) {
        let codes: Vec<&str> =
            Style::CODES.iter().filter(|(style, _)| span.style.has(*style)).map(|(_, code)| *code).collect();
        let dressed = look.paint == Paint::Colour && !codes.is_empty();
        let link = span.link.as_deref().filter(|_| look.links == Links::Clickable);
        if let Some(link) = link {
            out.push_str(&format!("\u{1b}]8;;{link}\u{1b}\\"));
        }
        if dressed {
            out.push_str(&format!("\u{1b}[{}m", codes.join(";")));
        }
        out.push_str(&span.text);
        if dressed {
            out.push_str("\u{1b}[0m");
        }
        if link.is_some() {
            out.push_str("\u{1b}]8;;\u{1b}\\");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str, width: usize) -> Vec<String> {
        let spans = [Span::new(text, Style::default())];
        wrap(&spans, width).iter().map(|line| line.iter().map(|span| span.text.as_str()).collect()).collect()
    }

    #[test]
    fn lines_break_at_words() {
        let table: [(&str, usize, &[&str]); 7] = [
            ("one two three", 7, &["one two", "three"]),
            ("one two", 7, &["one two"]),
            ("one  two", 4, &["one", "two"]),
            ("abcdefghij k", 4, &["abcd", "efgh", "ij k"]),
            ("a\nb", 9, &["a", "b"]),
            ("日本語です", 5, &["日本", "語で", "す"]),
            ("", 5, &[""]),
        ];
        for (text, width, expected) in table {
            assert_eq!(lines(text, width), expected, "{text:?} at {width}");
        }
    }

    #[test]
    fn a_word_of_two_looks_is_one_word() {
        let spans = [Span::new("aa bb", Style::BOLD), Span::new("cc dd", Style::default())];
        let wrapped = wrap(&spans, 5);
        let look = Look::new(Paint::Colour, 80, Links::Written);
        let drawn: Vec<String> = wrapped.iter().map(|line| paint(line, &look)).collect();
        assert_eq!(drawn, ["\u{1b}[1maa\u{1b}[0m", "\u{1b}[1mbb\u{1b}[0mcc", "dd"]);
    }
}
