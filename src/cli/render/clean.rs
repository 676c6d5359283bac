//! Text of tools and models, made harmless for a terminal.
//!
//! Owns [`clean`]: escape sequences, control characters and marks that reorder text are taken out,
//! so that nothing can move the cursor, set a title, or dress one command up as another.

/// Takes out whatever is no plain text; line breaks and tabs stay.
#[must_use]
pub fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(letter) = rest.next() {
        match letter {
            '\u{1b}' => skip_sequence(&mut rest),
            '\u{9b}' => skip_parameters(&mut rest),
            '\r' if rest.peek() == Some(&'\n') => {}
            '\r' => out.push('\n'),
            '\n' | '\t' => out.push(letter),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}' => {}
            letter if letter.is_control() => {}
            letter => out.push(letter),
        }
    }
    out
}

/// One line of plain text, cut to `most` characters.
#[must_use]
pub fn line(text: &str, most: usize) -> String {
    let cleaned = clean(text);
    let mut words = cleaned.split_whitespace();
    let mut out = words.next().unwrap_or_default().to_owned();
    for word in words {
        out.push(' ');
        out.push_str(word);
    }
    match out.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &out[..at]),
        None => out,
    }
}

fn skip_sequence(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match rest.next() {
        Some('[') => skip_parameters(rest),
        // Titles, links and other strings end at a bell or at `ESC \`; a line break ends them too,
        // so that an unfinished one cannot swallow the rest.
        Some(']' | 'P' | '_' | '^' | 'X') => {
            while let Some(&letter) = rest.peek() {
                if letter == '\n' {
                    return;
                }
                rest.next();
                match letter {
                    '\u{7}' | '\u{9c}' => return,
                    '\u{1b}' => {
                        rest.next_if_eq(&'\\');
                        return;
                    }
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

fn skip_parameters(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    while let Some(letter) = rest.next_if(|letter| !matches!(letter, '\n')) {
        if matches!(letter, '@'..='~') {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_gets_through() {
        let table = [
            ("plain\ttext\r\nmore", "plain\ttext\nmore"),
            ("\u{1b}[2J\u{1b}[1;31mred\u{1b}[0m", "red"),
            ("\u{1b}]0;title\u{7}after", "after"),
            ("\u{1b}]8;;https://evil\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("\u{1b}]52;c;never closed\nnext line", "\nnext line"),
            ("rm -rf /\rls", "rm -rf /\nls"),
            ("a\u{8}\u{8}b\u{0}\u{7f}", "ab"),
            ("\u{9b}31mc1", "c1"),
            ("safe\u{202e}txt.exe\u{2066}", "safetxt.exe"),
            ("\u{1b}", ""),
            ("día 😀", "día 😀"),
        ];
        for (input, expected) in table {
            assert_eq!(clean(input), expected, "{input:?}");
        }
    }

    #[test]
    fn a_line_is_one_line_and_short() {
        assert_eq!(line("  two\n\n lines\t", 50), "two lines");
        assert_eq!(line("äöü and more", 3), "äöü…");
    }
}
