//! The text being typed: one or more lines, a cursor, what was cut last.
//!
//! Owns [`Buffer`] and what each [`Edit`] does to it. The cursor never stands inside a character as people
//! see it (a grapheme). Never draws, never reads a key.

use unicode_segmentation::UnicodeSegmentation;

/// One change to the text, or one move in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// Put this in at the cursor.
    Insert(String),
    /// One character back.
    Left,
    /// One character on.
    Right,
    /// To the start of the word.
    WordLeft,
    /// To the end of the word.
    WordRight,
    /// To the start of the line.
    Home,
    /// To the end of the line.
    End,
    /// To the line above.
    Up,
    /// To the line below.
    Down,
    /// Take the character before the cursor out.
    Backspace,
    /// Take the character behind the cursor out.
    Delete,
    /// Cut back to a space.
    CutBack,
    /// Cut back to the start of the word.
    CutWordLeft,
    /// Cut to the end of the word.
    CutWordRight,
    /// Cut to the end of the line, or the line break there.
    CutToEnd,
    /// Cut to the start of the line.
    CutToStart,
    /// Put in what was cut last.
    Paste,
    /// Swap the two characters around the cursor.
    Swap,
}

/// The text being typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Buffer {
    text: String,
    at: usize,
    cut: String,
}

impl Buffer {
    /// The whole text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where the cursor is, in bytes.
    #[must_use]
    pub fn at(&self) -> usize {
        self.at
    }

    /// What stands before the cursor.
    #[must_use]
    pub fn before(&self) -> &str {
        &self.text[..self.at]
    }

    /// Replaces the text; the cursor goes to its end.
    pub fn set(&mut self, text: &str) {
        text.clone_into(&mut self.text);
        self.at = self.text.len();
    }

    /// Takes the text out.
    pub fn take(&mut self) -> String {
        self.at = 0;
        std::mem::take(&mut self.text)
    }

    /// Replaces what stands between `from` and the cursor.
    pub fn replace_before(&mut self, from: usize, with: &str) {
        if self.text.is_char_boundary(from) && from <= self.at {
            self.text.replace_range(from..self.at, with);
            self.at = from + with.len();
        }
    }

    /// Whether there is a line above the cursor's.
    #[must_use]
    pub fn has_above(&self) -> bool {
        self.before().contains('\n')
    }

    /// Whether there is a line below the cursor's.
    #[must_use]
    pub fn has_below(&self) -> bool {
        self.text[self.at..].contains('\n')
    }

    /// Does one edit.
    pub fn apply(&mut self, edit: &Edit) {
        match edit {
            Edit::Insert(text) => {
                self.text.insert_str(self.at, text);
                self.at += text.len();
            }
            Edit::Left => self.at = self.back(),
            Edit::Right => self.at = self.on(),
            Edit::WordLeft => self.at = self.word_start(),
            Edit::WordRight => self.at = self.word_end(),
            Edit::Home => self.at = self.line_start(),
            Edit::End => self.at = self.line_end(),
            Edit::Up => self.up(),
            Edit::Down => self.down(),
            Edit::Backspace => {
                let from = self.back();
                self.text.replace_range(from..self.at, "");
                self.at = from;
            }
            Edit::Delete => self.text.replace_range(self.at..self.on(), ""),
            Edit::CutBack => self.cut(self.space_start(), self.at),
            Edit::CutWordLeft => self.cut(self.word_start(), self.at),
            Edit::CutWordRight => self.cut(self.at, self.word_end()),
            Edit::CutToEnd if self.at == self.line_end() => self.cut(self.at, self.on()),
            Edit::CutToEnd => self.cut(self.at, self.line_end()),
            Edit::CutToStart => self.cut(self.line_start(), self.at),
            Edit::Paste => {
                let cut = self.cut.clone();
                self.apply(&Edit::Insert(cut));
            }
            Edit::Swap => self.swap(),
        }
    }

    fn cut(&mut self, from: usize, to: usize) {
        if from < to {
            self.cut = self.text[from..to].to_owned();
            self.text.replace_range(from..to, "");
            self.at = from;
        }
    }

    fn back(&self) -> usize {
        self.before().grapheme_indices(true).next_back().map_or(0, |(at, _)| at)
    }

    fn on(&self) -> usize {
        self.text[self.at..].graphemes(true).next().map_or(self.at, |grapheme| self.at + grapheme.len())
    }

    fn line_start(&self) -> usize {
        self.before().rfind('\n').map_or(0, |at| at + 1)
    }

    fn line_end(&self) -> usize {
        self.text[self.at..].find('\n').map_or(self.text.len(), |at| self.at + at)
    }

    fn word_start(&self) -> usize {
        let before = self.before().trim_end_matches(|letter: char| !letter.is_alphanumeric());
        let word = before.rfind(|letter: char| !letter.is_alphanumeric());
        word.map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8))
    }

    fn word_end(&self) -> usize {
        let rest = &self.text[self.at..];
        let start = rest.find(char::is_alphanumeric).unwrap_or(rest.len());
        let end = rest[start..].find(|letter: char| !letter.is_alphanumeric());
        self.at + end.map_or(rest.len(), |end| start + end)
    }

    fn space_start(&self) -> usize {
        let before = self.before().trim_end();
        before
            .rfind(char::is_whitespace)
            .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8))
    }

    fn up(&mut self) {
        let start = self.line_start();
        if start == 0 {
            return;
        }
        let column = self.text[start..self.at].graphemes(true).count();
        self.at = start - 1;
        let above = self.line_start();
        self.at = above + prefix(&self.text[above..start - 1], column);
    }

    fn down(&mut self) {
        let column = self.text[self.line_start()..self.at].graphemes(true).count();
        let end = self.line_end();
        if end == self.text.len() {
            return;
        }
        self.at = end + 1;
        let below = self.line_end();
        self.at = end + 1 + prefix(&self.text[end + 1..below], column);
    }

    fn swap(&mut self) {
        if self.at == self.text.len() {
            self.at = self.back();
        }
        let (from, middle, to) = (self.back(), self.at, self.on());
        if from < middle && middle < to {
            let swapped = format!("{}{}", &self.text[middle..to], &self.text[from..middle]);
            self.text.replace_range(from..to, &swapped);
            self.at = to;
        }
    }
}

/// How long the first `count` graphemes are.
fn prefix(text: &str, count: usize) -> usize {
    text.graphemes(true).take(count).map(str::len).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A buffer written with `|` for the cursor.
    fn buffer(marked: &str) -> Buffer {
        let at = marked.find('|').unwrap();
        Buffer { text: marked.replace('|', ""), at, cut: String::new() }
    }

    fn marked(buffer: &Buffer) -> String {
        format!("{}|{}", buffer.before(), &buffer.text()[buffer.at()..])
    }

    #[test]
    fn every_edit_does_what_its_key_says() {
        let table = [
            ("ab|c", Edit::Insert("x\ny".into()), "abx\ny|c"),
            ("a|b", Edit::Left, "|ab"),
            ("|a", Edit::Left, "|a"),
            ("e\u{301}|x", Edit::Left, "|e\u{301}x"),
            ("|👩‍🔬!", Edit::Right, "👩‍🔬|!"),
            ("one two|", Edit::WordLeft, "one |two"),
            ("one, |two", Edit::WordLeft, "|one, two"),
            ("|one two", Edit::WordRight, "one| two"),
            ("one|, dos", Edit::WordRight, "one, dos|"),
            ("a\nbc|d", Edit::Home, "a\n|bcd"),
            ("a|b\nc", Edit::End, "ab|\nc"),
            ("abc\nde|f", Edit::Up, "ab|c\ndef"),
            ("a\nlong|", Edit::Up, "a|\nlong"),
            ("ab|c\nd", Edit::Down, "abc\nd|"),
            ("abc|", Edit::Down, "abc|"),
            ("日本|", Edit::Backspace, "日|"),
            ("a|bc", Edit::Delete, "a|c"),
            ("abc|", Edit::Delete, "abc|"),
            ("ls /a/b|", Edit::CutBack, "ls |"),
            ("ls /a/b|", Edit::CutWordLeft, "ls /a/|"),
            ("|ls -l", Edit::CutWordRight, "| -l"),
            ("a|bc\nd", Edit::CutToEnd, "a|\nd"),
            ("a|\nd", Edit::CutToEnd, "a|d"),
            ("a\nbc|d", Edit::CutToStart, "a\n|d"),
            ("ab|", Edit::Swap, "ba|"),
            ("a|bc", Edit::Swap, "ba|c"),
            ("|", Edit::Backspace, "|"),
            ("|", Edit::Swap, "|"),
        ];
        for (before, edit, after) in table {
            let mut buffer = buffer(before);
            buffer.apply(&edit);
            assert_eq!(marked(&buffer), after, "{before:?} {edit:?}");
        }
    }

    #[test]
    fn what_was_cut_can_be_put_elsewhere() {
        let mut buffer = buffer("one two|");
        buffer.apply(&Edit::CutBack);
        buffer.apply(&Edit::Home);
        buffer.apply(&Edit::Paste);
        assert_eq!(marked(&buffer), "two|one ");
    }
}
