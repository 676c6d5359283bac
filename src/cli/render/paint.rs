//! Colours, only where they are wanted.
//!
//! Owns [`Paint`]. It colours our own words and cleaned text, never raw text of others.

/// Whether and how text is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paint {
    /// No escape sequences at all.
    Plain,
    /// ANSI colours.
    Colour,
}

impl Paint {
    /// Colours if standard output is a terminal that has them and nobody said otherwise.
    #[must_use]
    pub fn for_terminal(is_terminal: bool, no_color: Option<&str>, term: Option<&str>) -> Self {
        let refused = no_color.is_some_and(|value| !value.is_empty()) || term == Some("dumb");
        if is_terminal && !refused { Self::Colour } else { Self::Plain }
    }

    /// Weighty text.
    #[must_use]
    pub fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    /// Text in the background.
    #[must_use]
    pub fn dim(self, text: &str) -> String {
        self.with("2", text)
    }

    /// Code and names.
    #[must_use]
    pub fn cyan(self, text: &str) -> String {
        self.with("36", text)
    }

    /// What went well.
    #[must_use]
    pub fn green(self, text: &str) -> String {
        self.with("32", text)
    }

    /// What needs a look.
    #[must_use]
    pub fn yellow(self, text: &str) -> String {
        self.with("33", text)
    }

    /// What failed.
    #[must_use]
    pub fn red(self, text: &str) -> String {
        self.with("31", text)
    }

    fn with(self, code: &str, text: &str) -> String {
        match self {
            Self::Colour if !text.is_empty() => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            _ => text.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_only_where_they_are_wanted() {
        assert_eq!(Paint::for_terminal(true, None, Some("xterm")), Paint::Colour);
        assert_eq!(Paint::for_terminal(false, None, None), Paint::Plain);
        assert_eq!(Paint::for_terminal(true, Some("1"), None), Paint::Plain);
        assert_eq!(Paint::for_terminal(true, Some(""), None), Paint::Colour);
        assert_eq!(Paint::for_terminal(true, None, Some("dumb")), Paint::Plain);
        assert_eq!(Paint::Plain.red("x"), "x");
        assert_eq!(Paint::Colour.red("x"), "\u{1b}[31mx\u{1b}[0m");
    }
}
