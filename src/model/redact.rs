//! Makes a provider's words fit to be shown: one line, short, without anything that looks like a key.
//!
//! Pure. Start at [`presentable`].

use crate::secret::MASK;

/// How much of a provider's message people see.
pub(super) const CAP_CHARS: usize = 300;

/// What keys of the services around us begin with.
const KEY_PREFIXES: [&str; 12] =
    ["sk-", "sk_", "hf_", "xox", "xapp-", "AIza", "gsk_", "ghp_", "gho_", "github_pat_", "pplx-", "fw_"];

/// One line of at most [`CAP_CHARS`] characters in which `secret` and whatever looks like a key is masked.
pub(super) fn presentable(text: &str, secret: &str) -> String {
    let text = if secret.len() >= 4 { text.replace(secret, MASK) } else { text.to_owned() };
    let mut shown = String::new();
    let mut masks_next = false;
    for word in text.split(|letter: char| letter.is_whitespace() || letter.is_control()) {
        if word.is_empty() {
            continue;
        }
        if !shown.is_empty() {
            shown.push(' ');
        }
        if masks_next {
            shown.push_str(MASK);
        } else {
            push_masked(&mut shown, word);
        }
        masks_next = word.to_ascii_lowercase().ends_with("bearer");
    }
    if shown.chars().count() > CAP_CHARS {
        shown = shown.chars().take(CAP_CHARS).chain(['…']).collect();
    }
    shown
}

fn push_masked(shown: &mut String, word: &str) {
    let mut rest = word;
    while !rest.is_empty() {
        let of_a_key =
            |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '*' | '.');
        let run = rest.find(|letter| !of_a_key(letter)).unwrap_or(rest.len());
        if run == 0 {
            let step = rest.chars().next().map_or(1, char::len_utf8);
            shown.push_str(&rest[..step]);
            rest = &rest[step..];
            continue;
        }
        let (token, tail) = rest.split_at(run);
        let looks_like_a_key =
            token.len() >= 10 && KEY_PREFIXES.iter().any(|prefix| token.starts_with(prefix));
        shown.push_str(if looks_like_a_key { MASK } else { token });
        rest = tail;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_do_not_survive() {
        let said = "Incorrect API key provided: sk-proj-abc***xyz9. Header was\n`Authorization: Bearer tok-tok` (\"hf_abcdefghijk\") my-own-key";
        let shown = presentable(said, "my-own-key");
        for secret in ["sk-proj", "tok-tok", "hf_abc", "my-own-key", "\n"] {
            assert!(!shown.contains(secret), "{shown}");
        }
        assert!(shown.starts_with("Incorrect API key provided:"));
    }

    #[test]
    fn long_words_are_cut_at_a_letter() {
        let shown = presentable(&"ä".repeat(1_000), "");
        assert_eq!(shown.chars().count(), CAP_CHARS + 1);
    }
}
