//! Plain lines from what was written for a terminal: no escapes, no control characters, bars drawn over.

/// Bytes of a line that are looked at; what is longer is cut.
const LONGEST: usize = 32 * 1024;
/// Parts between carriage returns that are looked at: the last ones.
const PARTS: usize = 64;

/// What one line showed, one after another: a terminal draws each over the one before. Never empty parts.
#[must_use]
pub fn drawn(raw: &str) -> Vec<String> {
    let raw = if raw.len() > LONGEST {
        // The end of a bar's redrawings matters, the beginning of anything else.
        if raw.contains('\r') {
            &raw[raw.ceil_char_boundary(raw.len() - LONGEST)..]
        } else {
            &raw[..raw.floor_char_boundary(LONGEST)]
        }
    } else {
        raw
    };
    let parts: Vec<&str> = raw.split(['\r', '\n']).collect();
    let from = parts.len().saturating_sub(PARTS);
    parts[from..].iter().map(|part| plain(part)).filter(|part| !part.trim().is_empty()).collect()
}

/// Without escape sequences, control characters, and what turns the direction of writing.
#[must_use]
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => skip_escape(&mut chars),
            '\u{9b}' => skip_parameters(&mut chars),
            '\t' => out.push_str("    "),
            c if c.is_control() || turns(c) => {}
            c => out.push(c),
        }
    }
    out.truncate(out.trim_end().len());
    out
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// Past what follows an escape character.
fn skip_escape(chars: &mut Chars<'_>) {
    match chars.next() {
        Some('[') => skip_parameters(chars),
        // A title or a link: up to the bell or the string's end.
        Some(']' | 'P' | '_' | '^' | 'X') => {
            while let Some(c) = chars.next() {
                match c {
                    '\u{7}' | '\u{9c}' => return,
                    '\u{1b}' if chars.next_if_eq(&'\\').is_some() => return,
                    _ => {}
                }
            }
        }
        Some('(' | ')' | '*' | '+' | '#' | '%' | ' ') => {
            chars.next();
        }
        _ => {}
    }
}

/// Past parameters up to the final letter.
fn skip_parameters(chars: &mut Chars<'_>) {
    while let Some(c) = chars.peek() {
        match c {
            ' '..='?' => {
                chars.next();
            }
            '@'..='~' => {
                chars.next();
                return;
            }
            _ => return,
        }
    }
}

/// Characters that reorder or hide the text around them.
fn turns(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_output_becomes_plain_lines() {
        for (raw, parts) in [
            ("plain", vec!["plain"]),
            ("\u{1b}[1;32mgreen\u{1b}[0m text\u{1b}[K", vec!["green text"]),
            ("\u{1b}]0;title\u{7}after", vec!["after"]),
            ("\u{1b}]8;;https://x\u{1b}\\link\u{1b}]8;;\u{1b}\\", vec!["link"]),
            ("\r  1%|\r  2%|\r", vec!["  1%|", "  2%|"]),
            ("a\0b\u{8}c\u{202e}d\te", vec!["abcd    e"]),
            ("   ", vec![]),
            ("\u{1b}[", vec![]),
            ("\u{1b}[31", vec![]),
            ("\u{1b}(Bé", vec!["é"]),
        ] {
            assert_eq!(drawn(raw), parts, "{raw:?}");
        }
    }

    #[test]
    fn a_long_line_is_cut() {
        assert_eq!(drawn(&"é".repeat(LONGEST)).concat().len(), LONGEST);
        let bars = "\r 50%|".repeat(LONGEST) + "\r 99%|";
        let parts = drawn(&bars);
        assert_eq!((parts.len(), parts.last().map(String::as_str)), (PARTS, Some(" 99%|")));
    }
}
