//! Streamed text, held back until a block of it is complete.
//!
//! Owns [`Blocks`]. A block ends at a blank line that is not inside a code fence, so that half a list
//! or half a fence is never drawn.

/// Text on its way.
#[derive(Debug, Default)]
pub struct Blocks {
    pending: String,
}

impl Blocks {
    /// Takes a piece; gives what is complete now.
    pub fn push(&mut self, piece: &str) -> Option<String> {
        self.pending.push_str(piece);
        // Only a line break can complete a block.
        let end = if piece.contains('\n') { complete(&self.pending) } else { 0 };
        (end > 0).then(|| self.pending.drain(..end).collect())
    }

    /// Gives the rest, complete or not.
    pub fn finish(&mut self) -> Option<String> {
        let rest = std::mem::take(&mut self.pending);
        (!rest.trim().is_empty()).then_some(rest)
    }

    /// Forgets what was not given yet.
    pub fn reset(&mut self) {
        self.pending.clear();
    }
}

/// Where the last blank line outside a fence ends; 0 if there is none.
fn complete(text: &str) -> usize {
    let mut fence = Fence::default();
    let mut end = 0;
    let mut at = 0;
    let mut seen = false;
    for line in text.split_inclusive('\n') {
        at += line.len();
        let blank = line.trim().is_empty();
        if blank && line.ends_with('\n') && !fence.is_open() && seen {
            end = at;
        }
        seen |= !blank;
        fence.line(line);
    }
    end
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
    fn text_that_is_void_is_forgotten() {
        let mut blocks = Blocks::default();
        blocks.push("half an ans");
        blocks.reset();
        assert_eq!(blocks.finish(), None);
    }
}
