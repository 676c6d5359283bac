//! A part of an answer that is said again, because the first try broke off when some of it was shown.
//!
//! Slack only adds to a stream. So what is said again is held back as long as it is what stands there
//! already; only where it differs is it shown whole, under a line that says so. Pure.

use crate::slack::say;

/// What stands there of a try that broke off, if one did.
#[derive(Debug, Default)]
pub(super) struct Again(Option<String>);

impl Again {
    /// The try broke off; `shown` of it stands there.
    pub fn begins(&mut self, shown: &str) {
        // A try that broke off while it caught up has shown nothing of its own.
        if self.0.is_none() && !shown.is_empty() {
            self.0 = Some(shown.to_owned());
        }
    }

    /// What to add after `piece`, when `said` (with the piece) is all that this try has said.
    pub fn heard(&mut self, said: &str, piece: &str) -> Option<String> {
        match &self.0 {
            None => Some(piece.to_owned()),
            Some(shown) if shown.starts_with(said) => None,
            Some(_) => self.ends(said),
        }
    }

    /// What to add when nothing more is said.
    pub fn ends(&mut self, said: &str) -> Option<String> {
        let shown = self.0.take()?;
        match said.strip_prefix(&shown) {
            Some("") => None,
            Some(rest) => Some(rest.to_owned()),
            None => Some(format!("{}{said}", say::STARTING_OVER)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a reader sees at the end, when `shown` stood there and these pieces follow.
    fn seen(shown: &str, pieces: &[&str]) -> String {
        let mut again = Again::default();
        again.begins(shown);
        let (mut said, mut seen) = (String::new(), shown.to_owned());
        for piece in pieces {
            said.push_str(piece);
            seen.extend(again.heard(&said, piece));
        }
        seen.extend(again.ends(&said));
        seen.replace(say::STARTING_OVER, " / ")
    }

    #[test]
    fn what_stands_there_is_not_said_twice() {
        for (shown, pieces, expected) in [
            ("", &["one ", "two"][..], "one two"),
            ("one t", &["one ", "two", " three"][..], "one two three"),
            ("one two", &["one two"][..], "one two"),
            ("one t", &["on", "ce two"][..], "one t / once two"),
            ("one two", &["one"][..], "one two / one"),
            ("größe", &["gr", "ö", "ßer"][..], "größer"),
        ] {
            assert_eq!(seen(shown, pieces), expected);
        }
    }

    #[test]
    fn a_second_break_while_catching_up_changes_nothing() {
        let mut again = Again::default();
        again.begins("one two");
        assert_eq!(again.heard("one", "one"), None);
        again.begins("one");
        assert_eq!(again.heard("one two three", "one two three"), Some(" three".to_owned()));
    }
}
