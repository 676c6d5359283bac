//! Streamed text, held back until a block of it is complete.
//!
//! Owns [`Blocks`]. A block ends at a blank line that is not inside a code fence, so that half a fence
//! is never drawn; what hangs below a list item stays with it.

/// Text on its way.
#[derive(Debug, Default)]
pub struct Blocks {
    pending: String,
}

impl Blocks {
    /// Takes a piece; gives what is complete now.
    pub fn push(&mut self, piece: &str) -> Option<String> {
        self.pending.push_str(piece);
        // A line break completes a block; behind a list, the line after it decides.
        let end =
            if piece.contains('\n') || self.pending.contains("\n\n") { complete(&self.pending) } else { 0 };
        (end > 0).then(|| self.pending.drain(..end).collect())
    }

    /// Gives the rest, complete or not.
    pub fn finish(&mut self) -> Option<String> {
        let rest = std::mem::take(&mut self.pending);
        (!rest.trim().is_empty()).then_some(rest)
    }

    /// What is not complete yet.
    #[must_use]
    pub fn pending(&self) -> &str {
        &self.pending
    }

    /// Forgets what was not given yet.
    pub fn reset(&mut self) {
        self.pending.clear();
    }
}

/// Where the last complete block ends, its blank line included; 0 if there is none.
fn complete(text: &str) -> usize {
    let mut fence = Fence::default();
    let (mut end, mut at, mut seen) = (0, 0, false);
    // Where a list ended if the next line does not hang below it.
    let mut perhaps = None;
    let mut list = false;
    for line in text.split_inclusive('\n') {
        let before = at;
        at += line.len();
        let blank = line.trim().is_empty();
        if !blank {
            if let Some(ended) = perhaps.take()
                && !line.starts_with([' ', '\t'])
            {
                (end, seen) = (ended, false);
            }
            if !seen || before == end {
                list = !fence.is_open() && opens_a_list(line);
            }
        } else if line.ends_with('\n') && !fence.is_open() && seen {
            if list {
                perhaps = Some(at);
            } else {
                (end, seen) = (at, false);
            }
        }
        seen |= !blank;
        fence.line(line);
    }
    end
}

fn opens_a_list(line: &str) -> bool {
    let digits = line.trim_start_matches(|letter: char| letter.is_ascii_digit());
    let numbered = digits.len() < line.len() && (digits.starts_with(". ") || digits.starts_with(") "));
    numbered || line.starts_with("- ") || line.starts_with("* ") || line.starts_with("+ ")
}

/// Whether a code fence is open, line by line.
#[derive(Debug, Default)]
pub struct Fence {
    open: Option<(char, usize)>,
}

impl Fence {
    /// Whether the next line is code.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Takes a line; says whether it opened or closed a fence.
    pub fn line(&mut self, line: &str) -> bool {
        let line = line.trim();
        let Some(mark) = line.chars().next().filter(|mark| matches!(mark, '`' | '~')) else { return false };
        let length = line.chars().take_while(|letter| *letter == mark).count();
        if length < 3 {
            return false;
        }
        match self.open {
            Some((open, least)) if open == mark && length >= least && line.len() == length => {
                self.open = None
            }
            Some(_) => return false,
            None if mark == '`' && line[length..].contains('`') => return false,
            None => self.open = Some((mark, length)),
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_come_at_blank_lines() {
        let mut blocks = Blocks::default();
        assert_eq!(blocks.push("One par"), None);
        assert_eq!(blocks.push("agraph.\nStill it.\n"), None);
        assert_eq!(blocks.push("\nTwo").as_deref(), Some("One paragraph.\nStill it.\n\n"));
        assert_eq!(blocks.finish().as_deref(), Some("Two"));
        assert_eq!(blocks.finish(), None);
    }

    #[test]
    fn a_fence_is_never_torn() {
        let mut blocks = Blocks::default();
        assert_eq!(blocks.push("```python\na = 1\n\nb = 2\n\n"), None);
        assert_eq!(blocks.push("```\n\nnext").as_deref(), Some("```python\na = 1\n\nb = 2\n\n```\n\n"));
        assert_eq!(blocks.push("\n\n````\n```\n\n```\n\n").as_deref(), Some("next\n\n"));
        assert_eq!(blocks.push("````\n\n").as_deref(), Some("````\n```\n\n```\n\n````\n\n"));
    }

    #[test]
    fn what_hangs_below_a_list_item_stays_with_it() {
        let mut blocks = Blocks::default();
        assert_eq!(blocks.push("1. one\n\n"), None, "the next line decides");
        assert_eq!(blocks.push("   more of one\n\n"), None);
        assert_eq!(blocks.push("2").as_deref(), Some("1. one\n\n   more of one\n\n"));
        assert_eq!(blocks.push(". two\n\nPlain.\n\n").as_deref(), Some("2. two\n\nPlain.\n\n"));
    }

    #[test]
    fn text_that_is_void_is_forgotten() {
        let mut blocks = Blocks::default();
        blocks.push("half an ans");
        blocks.reset();
        assert_eq!(blocks.finish(), None);
    }

    proptest::proptest! {
        /// However the text is cut into pieces, nothing is lost, and no block is torn.
        #[test]
        fn pieces_make_no_difference(cuts in proptest::collection::vec(1..9_usize, 1..200)) {
            let text = "# A\n\nwords\n\n1. one\n\n   more\n\n2. two\n\n```py\na\n\nb\n```\n\n- x\n- y\n\n\nend\n\n> q";
            let blocks = |pieces: &[String]| {
                let mut blocks = Blocks::default();
                let mut all: Vec<String> = Vec::new();
                for piece in pieces {
                    all.extend(blocks.push(piece));
                }
                all.extend(blocks.finish());
                all
            };
            let mut rest = text;
            let mut pieces = Vec::new();
            for cut in cuts {
                let (piece, after) = rest.split_at(cut.min(rest.len()));
                pieces.push(piece.to_owned());
                rest = after;
            }
            pieces.push(rest.to_owned());
            let letters: Vec<String> = text.chars().map(String::from).collect();
            let (one, other) = (blocks(&pieces), blocks(&letters));
            proptest::prop_assert_eq!(one.concat(), text);
            proptest::prop_assert_eq!(other.concat(), text);
            // A piece may hold several blocks; it never ends inside one.
            let mut ends = other.iter().scan(0, |at, block| { *at += block.len(); Some(*at) });
            let ends: Vec<usize> = ends.by_ref().collect();
            let mut at = 0;
            for block in one {
                at += block.len();
                proptest::prop_assert!(ends.contains(&at), "torn at {}", at);
            }
        }
    }
}
