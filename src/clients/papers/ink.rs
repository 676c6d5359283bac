//! Setting words: white space, lines, blocks, formulas.
//!
//! Pure. Start at [`Ink`].

/// Text that is being set.
#[derive(Debug, Default)]
pub(super) struct Ink {
    out: String,
    /// White space is owed before the next word.
    gap: Gap,
    spacing: Spacing,
    dollars: Dollars,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    #[default]
    None,
    Space,
    Line,
    Block,
}

/// What white space in the page means.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spacing {
    /// Nothing but a gap between words.
    #[default]
    Flows,
    /// What it shows: program code.
    Stands,
}

/// Where a formula stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Display {
    /// Among the words.
    Inline,
    /// On a line of its own.
    Block,
}

/// Whether formulas are marked as such.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Dollars {
    #[default]
    Marked,
    Bare,
}

impl Ink {
    /// For the inside of a formula: what is set gets no marks of its own.
    pub(super) fn bare() -> Self {
        Self { dollars: Dollars::Bare, ..Self::default() }
    }

    /// From here on white space means this; says what it meant before.
    pub(super) fn spacing(&mut self, spacing: Spacing) -> Spacing {
        std::mem::replace(&mut self.spacing, spacing)
    }

    /// Words.
    pub(super) fn text(&mut self, text: &str) {
        if self.spacing == Spacing::Stands {
            return self.standing(text);
        }
        if text.starts_with(char::is_whitespace) {
            self.owe(Gap::Space);
        }
        for (count, word) in text.split_whitespace().enumerate() {
            if count > 0 {
                self.owe(Gap::Space);
            }
            self.close(word);
        }
        if text.ends_with(char::is_whitespace) && !text.trim().is_empty() {
            self.owe(Gap::Space);
        }
    }

    /// What stands close to what came before, unless a gap is owed.
    pub(super) fn close(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        if !self.out.is_empty() {
            self.out.push_str(match self.gap {
                Gap::None => "",
                Gap::Space => " ",
                Gap::Line => "\n",
                Gap::Block => "\n\n",
            });
        }
        self.gap = Gap::None;
        self.out.push_str(text);
    }

    /// A formula in TeX.
    pub(super) fn formula(&mut self, tex: &str, display: Display) {
        match (self.dollars, display) {
            (Dollars::Bare, _) => self.close(tex),
            (Dollars::Marked, Display::Inline) => self.close(&format!("${tex}$")),
            (Dollars::Marked, Display::Block) => {
                self.block();
                self.close(&format!("$$ {tex} $$"));
                self.block();
            }
        }
    }

    /// What comes next begins a line.
    pub(super) fn line(&mut self) {
        self.owe(Gap::Line);
    }

    /// What comes next stands apart.
    pub(super) fn block(&mut self) {
        self.owe(Gap::Block);
    }

    /// All of it.
    pub(super) fn finish(self) -> String {
        self.out.trim().to_owned()
    }

    fn owe(&mut self, gap: Gap) {
        self.gap = self.gap.max(gap);
    }

    fn standing(&mut self, text: &str) {
        for (count, line) in text.split('\n').enumerate() {
            if count > 0 {
                self.owe(Gap::Line);
            }
            self.close(line.trim_end_matches('\r'));
        }
    }
}
