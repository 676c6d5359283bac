//! What a person changed, line by line.
//!
//! Owns [`draw`]: two lines around each change, the rest left out.

use similar::{ChangeTag, TextDiff};

use super::clean::clean;
use super::paint::Paint;

/// Unchanged lines around a change.
const AROUND: usize = 2;

/// The difference between two texts.
#[must_use]
pub fn draw(before: &str, after: &str, paint: Paint) -> String {
    let (before, after) = (clean(before), clean(after));
    let diff = TextDiff::from_lines(before.as_str(), after.as_str());
    let mut out = String::new();
    for (number, group) in diff.grouped_ops(AROUND).iter().enumerate() {
        if number > 0 {
            out.push_str("  …\n");
        }
        for change in group.iter().flat_map(|part| diff.iter_changes(part)) {
            let text = change.value().trim_end_matches('\n');
            out.push_str(&match change.tag() {
                ChangeTag::Delete => format!("  {}\n", paint.red(&format!("- {text}"))),
                ChangeTag::Insert => format!("  {}\n", paint.green(&format!("+ {text}"))),
                ChangeTag::Equal => format!("    {}\n", paint.dim(text)),
            });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changed_is_shown_and_cleaned() {
        let before: String = (1..=20).map(|line| format!("line {line}\n")).collect();
        let after = before.replace("line 3\n", "line three\u{1b}[2J\n").replace("line 18\n", "");
        assert_eq!(
            draw(&before, &after, Paint::Plain),
            "    line 1\n    line 2\n  - line 3\n  + line three\n    line 4\n    line 5\n  …\n    \
             line 16\n    line 17\n  - line 18\n    line 19\n    line 20\n"
        );
    }
}
