//! Where words lead: clickable where the terminal can, written out everywhere else.
//!
//! Owns [`lead`]. Words that look like another address than the one they lead to never hide it.

use std::sync::Arc;

use super::super::look::Links;
use super::spans::{Span, Style};

/// Lets the spans from `from` on lead to `address`.
pub fn lead(line: &mut Vec<Span>, from: usize, address: &str, links: Links) {
    let words: String = line[from..].iter().map(|span| span.text.as_str()).collect();
    let same = words == address || format!("mailto:{words}") == address;
    if links == Links::Clickable && clickable(address) {
        let target: Arc<str> = address.into();
        line[from..].iter_mut().for_each(|span| span.link = Some(target.clone()));
        if same || !looks_like_an_address(&words) {
            return;
        }
    }
    if !same && !address.is_empty() {
        line.push(Span::new(format!(" ({address})"), Style::DIM));
    }
}

/// Nothing but plain web addresses, without a character that could end the escape sequence.
fn clickable(address: &str) -> bool {
    (address.starts_with("https://") || address.starts_with("http://"))
        && address.bytes().all(|byte| byte.is_ascii_graphic())
}

fn looks_like_an_address(words: &str) -> bool {
    let word = words.trim();
    word.contains("://") || !word.contains(char::is_whitespace) && word.contains('.') && !word.ends_with('.')
}
