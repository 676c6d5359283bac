//! How this terminal draws: colours, width, and whether it knows links.
//!
//! Owns [`Look`]. Facts come in; the environment is read by `config` alone.

use super::paint::Paint;

/// Text is never laid out narrower than this.
const NARROWEST: usize = 16;
/// Lines longer than this are hard to read, however wide the terminal is.
const WIDEST: usize = 120;

/// How this terminal draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Colours.
    pub paint: Paint,
    /// Columns that text may take.
    pub width: usize,
    /// Links.
    pub links: Links,
}

/// How links are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// The address stands behind the words.
    Written,
    /// The words can be clicked (OSC 8).
    Clickable,
}

impl Look {
    /// Text as it is: no colours, nothing wrapped.
    pub const PLAIN: Self = Self { paint: Paint::Plain, width: WIDEST, links: Links::Written };

    /// A terminal with so many columns.
    #[must_use]
    pub fn new(paint: Paint, columns: usize, links: Links) -> Self {
        Self { paint, width: Self::fitting(columns), links }
    }

    /// The width of text on a terminal with so many columns; the last one stays free, because terminals
    /// disagree about what a character there does.
    #[must_use]
    pub fn fitting(columns: usize) -> usize {
        columns.saturating_sub(1).clamp(NARROWEST, WIDEST)
    }
}

impl Links {
    /// Clickable where the terminal says who it is and is known to have them. Inside tmux and screen
    /// nobody can tell.
    #[must_use]
    pub fn known<'a>(variable: impl Fn(&str) -> Option<&'a str>) -> Self {
        if variable("TMUX").is_some() || variable("STY").is_some() {
            return Self::Written;
        }
        let program = variable("TERM_PROGRAM").unwrap_or_default();
        let term = variable("TERM").unwrap_or_default();
        let vte = variable("VTE_VERSION").and_then(|version| version.parse::<u32>().ok());
        let knows = matches!(program, "iTerm.app" | "WezTerm" | "vscode" | "ghostty")
            || matches!(term, "xterm-kitty" | "alacritty" | "foot" | "xterm-ghostty")
            || vte.is_some_and(|version| version >= 5_000)
            || variable("WT_SESSION").is_some();
        if knows { Self::Clickable } else { Self::Written }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_clickable_only_where_that_is_known() {
        let table: [(&[(&str, &str)], Links); 6] = [
            (&[], Links::Written),
            (&[("TERM", "xterm-256color")], Links::Written),
            (&[("TERM", "xterm-kitty")], Links::Clickable),
            (&[("VTE_VERSION", "7600")], Links::Clickable),
            (&[("VTE_VERSION", "4200")], Links::Written),
            (&[("TERM_PROGRAM", "WezTerm"), ("TMUX", "/tmp/tmux-0")], Links::Written),
        ];
        for (set, expected) in table {
            let variable = |name: &str| set.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
            assert_eq!(Links::known(variable), expected, "{set:?}");
        }
    }

    #[test]
    fn tiny_and_huge_terminals_have_a_usable_width() {
        assert_eq!(Look::fitting(1), NARROWEST);
        assert_eq!(Look::fitting(20), 19);
        assert_eq!(Look::fitting(4_000), WIDEST);
    }
}
