//! How wide text is in a terminal, and cutting it to a width.
//!
//! Owns measuring by columns: wide characters take two, combining marks none. Escape sequences (our
//! own; those of others never get this far) take none. Start at [`columns`].

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Columns between the stops of a tab.
const TAB: usize = 4;

/// How many columns this plain text takes.
#[must_use]
pub fn columns(text: &str) -> usize {
    text.graphemes(true).map(of).sum()
}

/// How many columns one grapheme takes. Control characters have none here: nobody draws them.
#[must_use]
pub fn of(grapheme: &str) -> usize {
    if grapheme.starts_with(char::is_control) { 0 } else { grapheme.width().min(2) }
}

/// Tabs as spaces, so that every character has a width.
#[must_use]
pub fn untab(text: &str) -> String {
    text.replace('\t', &" ".repeat(TAB))
}

/// How many columns drawn text takes, its escape sequences aside.
#[must_use]
pub fn drawn(text: &str) -> usize {
    pieces(text).map(|piece| if piece.starts_with('\u{1b}') { 0 } else { of(piece) }).sum()
}

/// Drawn text, cut to so many columns; looks are reset at the cut, and a `…` marks it.
#[must_use]
pub fn cut(text: &str, most: usize) -> String {
    if drawn(text) <= most {
        return text.to_owned();
    }
    let (mut out, mut used, mut dressed) = (String::new(), 0, false);
    for piece in pieces(text) {
        if piece.starts_with('\u{1b}') {
            dressed = true;
            out.push_str(piece);
            continue;
        }
        if used + of(piece) > most.saturating_sub(1) {
            break;
        }
        used += of(piece);
        out.push_str(piece);
    }
    if most > 0 {
        out.push('…');
    }
    if dressed {
        // Ends colours and a link that may be open.
        out.push_str(if text.contains("\u{1b}]8;") { "\u{1b}[0m\u{1b}]8;;\u{1b}\\" } else { "\u{1b}[0m" });
    }
    out
}

/// Plain text folded at a width, without regard for words: as typed text is shown.
#[must_use]
pub fn fold(text: &str, width: usize) -> Vec<String> {
    let width = width.max(2);
    let mut lines = Vec::new();
    for line in text.split('\n') {
        let (mut out, mut used) = (String::new(), 0);
        for grapheme in line.graphemes(true) {
            if used + of(grapheme) > width {
                lines.push(std::mem::take(&mut out));
                used = 0;
            }
            used += of(grapheme);
            out.push_str(grapheme);
        }
        lines.push(out);
    }
    lines
}

/// Escape sequences and graphemes, one by one.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = match rest.strip_prefix('\u{1b}') {
            Some(body) => 1 + sequence(body),
            None => rest.graphemes(true).next()?.len(),
        };
        let (piece, after) = rest.split_at(end);
        rest = after;
        Some(piece)
    })
}

/// How long the escape sequence is behind its first byte.
fn sequence(body: &str) -> usize {
    if body.starts_with(']') {
        return body.find("\u{1b}\\").map_or(body.len(), |at| at + 2);
    }
    let end = body.char_indices().skip(1).find(|(_, letter)| matches!(letter, '@'..='~'));
    end.map_or(body.len(), |(at, letter)| at + letter.len_utf8())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_counted_as_terminals_count_them() {
        let table =
            [("abc", 3), ("日本語", 6), ("e\u{301}", 1), ("👩‍🔬", 2), ("a\u{200b}b", 2), ("", 0), ("\u{7}", 0)];
        for (text, wide) in table {
            assert_eq!(columns(text), wide, "{text:?}");
        }
        assert_eq!(drawn("\u{1b}[1mab\u{1b}[0m \u{1b}]8;;https://x\u{1b}\\日\u{1b}]8;;\u{1b}\\"), 5);
    }

    #[test]
    fn a_cut_line_is_never_too_wide_and_ends_its_looks() {
        assert_eq!(cut("short", 5), "short");
        assert_eq!(cut("too long", 5), "too …");
        assert_eq!(cut("\u{1b}[1mbold text\u{1b}[0m", 5), "\u{1b}[1mbold…\u{1b}[0m");
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!(cut("日本語", 0), "");
    }

    #[test]
    fn folding_keeps_every_character() {
        assert_eq!(fold("abcdef\n\ngh", 4), ["abcd", "ef", "", "gh"]);
        assert_eq!(fold("日本語", 5), ["日本", "語"]);
    }
}
