//! How the tools put what other people's services say: one line, a cap that says what it cut, numbers to read.
//!
//! Pure.

use crate::text::cut;

/// Other people's words on one line.
pub(super) fn line(text: &str, most: usize) -> String {
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    cut(&flat, most).into_owned()
}

/// At most `most` characters; what is cut is said, and how to ask for `less`.
pub(super) fn capped(text: &str, most: usize, less: &str) -> String {
    let total = text.chars().count();
    if total <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most).collect();
    format!("{}\n\n[… {} of {total} characters left out: {less} …]", kept.trim_end(), total - most)
}

/// `12,345`.
pub(super) fn number(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 upvote`, `1,234 upvotes`.
pub(super) fn counted(count: u64, word: &str) -> String {
    format!("{} {word}{}", number(count), if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_cuts_read_well() {
        for (count, wanted) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(number(count), wanted);
        }
        assert_eq!(
            (counted(1, "like"), counted(2_000, "like")),
            ("1 like".to_owned(), "2,000 likes".to_owned())
        );
        assert_eq!(line("a\n\n# b   c", 99), "a # b c");
        let cut = capped(&"é".repeat(30), 10, "use `limit`");
        assert!(cut.starts_with("éééééééééé\n\n[… 20 of 30 characters left out"), "{cut}");
        assert_eq!(capped("short", 10, ""), "short");
    }
}
